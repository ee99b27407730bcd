"""Files in the ``tokenizer.json`` format of the ``tokenizers`` library: read strictly, written.

Such a file describes a whole pipeline: normalizer (tidy the text), pre_tokenizer (the first cut),
model (pieces and their numbers), post_processor (special tokens around the text), decoder (back to
text). Each tokenizer of this chapter knows some of these components. Whatever it does not know is
refused by name, since leaving it out would silently give other tokens.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PLACES = ("normalizer", "pre_tokenizer", "model", "post_processor", "decoder")


def write(
    path: str | os.PathLike[str],
    components: Mapping[str, Any],
    special_tokens: Mapping[str, int],
) -> None:
    """Write a file, all of it or nothing.

    Parameters
    ----------
    path : path
        Of the file; what was there is replaced.
    components : mapping of str to mapping or None
        Each of the five places to its component.
    special_tokens : mapping of str to int
        Each special token to its id.
    """
    added = [
        {
            "id": number,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for token, number in sorted(special_tokens.items(), key=lambda item: item[1])
    ]
    document = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    document |= {place: components.get(place) for place in PLACES}
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            json.dump(document, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, int]]:
    """Read a file; return its components and its special tokens with their ids.

    Parameters
    ----------
    path : path
        Of the file.

    Returns
    -------
    components : dict of str to dict or None
        Of each of the five places; the model is there.
    special_tokens : dict of str to int
        In the order of their ids.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is no such file, or asks for truncation, padding, or added tokens other than plain
        special ones.
    """
    try:
        document = json.loads(Path(path).read_text("utf-8"))
    except ValueError as error:  # a UnicodeDecodeError is one, too
        raise ValueError(f"{path} must be a file in JSON, but: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("model"), dict):
        raise ValueError(f"{path} must be a tokenizer.json with a model, got none")
    for setting in ("truncation", "padding"):
        if document.get(setting) is not None:
            raise ValueError(f"{setting} is not supported, got {document[setting]!r}")
    special = {}
    for token in sorted(document.get("added_tokens") or [], key=lambda token: token["id"]):
        plain = token.get("special") and not any(
            token.get(option) for option in ("single_word", "lstrip", "rstrip")
        )
        # "normalized" finds a token after the text was tidied: the same, if nothing tidies it.
        if not plain or (token.get("normalized") and document.get("normalizer")):
            raise ValueError(f"added token {token['content']!r} is not supported: {token}")
        special[token["content"]] = token["id"]
    return {place: document.get(place) for place in PLACES}, special


def match(
    components: Mapping[str, Any],
    place: str,
    *supported: Mapping[str, Any] | None,
    free: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the component at a place if it is one of those that are supported.

    Parameters
    ----------
    components : mapping
        As from `read`.
    place : str
        One of the five.
    *supported : mapping or None
        Each with a "type" and all settings; None means that the place may be empty.
    free : sequence of str
        Settings that may have any value, since the caller looks at them or they do not matter.

    Returns
    -------
    dict
        The component, with missing settings as in the supported one; empty if there is none.

    Raises
    ------
    ValueError
        If it is none of them. The message names it.

    Examples
    --------
    >>> match({"decoder": {"type": "CTC"}}, "decoder", {"type": "Fuse"})
    Traceback (most recent call last):
        ...
    ValueError: decoder 'CTC' is not supported here, expected Fuse
    """
    component = components.get(place)
    if component is None:
        if None in supported:
            return {}
        got = "no component"
    else:
        kind, got = component.get("type"), f"{component.get('type')!r}"
        for known in supported:
            if known is None or known["type"] != kind:
                continue
            full = {**known, **component}
            # An empty prefix or suffix is as good as none.
            other = [
                f"{name}={value!r}"
                for name, value in full.items()
                if name not in free and (value or None) != (known.get(name) or None)
            ]
            if not other:
                return full
            got = f"{kind!r} with {', '.join(other)}"
    names = " or ".join("none" if known is None else known["type"] for known in supported)
    raise ValueError(f"{place} {got} is not supported here, expected {names}")


def template(around: tuple[str, str], vocabulary: Mapping[str, int]) -> dict[str, Any]:
    """Describe for a file what BERT puts around a text, and around two.

    Parameters
    ----------
    around : pair of str
        Special tokens, first and last.
    vocabulary : mapping
        Their ids.

    Returns
    -------
    dict
        A post_processor: first A last, or first A last B last.
    """
    first, last = around

    def special(token: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": segment}}

    def text(name: str, segment: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [special(first, 0), text("A", 0), special(last, 0)]
    tokens = {
        token: {"id": token, "ids": [vocabulary[token]], "tokens": [token]} for token in around
    }
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", 1), special(last, 1)],
        "special_tokens": tokens,
    }


def around(components: dict[str, Any], vocabulary: Mapping[str, int]) -> tuple[str, str] | None:
    """Read from a file what stands around a text, and refuse what differs from `template`.

    Parameters
    ----------
    components : mapping
        As from `read`.
    vocabulary : mapping
        Each token to its id.

    Returns
    -------
    pair of str, or None
        First and last special token, or None if there is no post_processor.

    Raises
    ------
    ValueError
        If there is another one.
    """
    known_kinds = {"type": "TemplateProcessing"}, {"type": "BertProcessing"}
    free = ("single", "pair", "special_tokens", "sep", "cls")
    post = match(components, "post_processor", None, *known_kinds, free=free)
    if not post:
        return None
    if post["type"] == "BertProcessing":
        (last, last_id), (first, first_id) = post["sep"], post["cls"]
        written = {first: first_id, last: last_id}
    else:
        ends = [part.get("SpecialToken", {}).get("id") for part in (post["single"] or [{}])]
        first, last = ends[0], ends[-1]
        written = {}
        if first in vocabulary and last in vocabulary:
            wanted = template((first, last), vocabulary)
            if all(post[key] == wanted[key] for key in ("single", "pair", "special_tokens")):
                written = {token: vocabulary[token] for token in (first, last)}
    if not written or any(vocabulary.get(token) != number for token, number in written.items()):
        raise ValueError(
            f"post_processor {post['type']!r} is supported as [CLS] A [SEP] B [SEP] only, "
            f"got {post}"
        )
    return first, last
