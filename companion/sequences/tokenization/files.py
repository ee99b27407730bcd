"""Files in the ``tokenizer.json`` format of the ``tokenizers`` library: read strictly, written.

Such a file describes a whole pipeline: normalizer (tidy the text), pre_tokenizer (the first cut),
model (pieces and their numbers), post_processor (special tokens around the text), decoder (back to
text). Each tokenizer of this chapter knows some of these components. Whatever it does not know is
refused by name, since leaving it out would silently give other tokens; and what has not the form
that `DOCUMENT` and the others say is refused before anything is made of it.

Chapter: book/sequences/tokenization.ipynb
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from companion.arguments import came

PLACES = ("normalizer", "pre_tokenizer", "model", "post_processor", "decoder")

# Forms, as `check` reads them: a type, or some; [form], a list of any length; (form, form), a list
# of two; {"name": form}, the names that must be there; {str: form}, any names.
SWITCHES = ("single_word", "lstrip", "rstrip", "normalized", "special")
DOCUMENT = {
    "added_tokens": [{"id": int, "content": str, **dict.fromkeys(SWITCHES, bool)}],
    **dict.fromkeys(PLACES, dict | None),
    "model": {"type": str},
}
MODELS = {
    "WordLevel": {"vocab": {str: int}, "unk_token": str},
    "BPE": {"vocab": {str: int}, "merges": [list | str]},
    "WordPiece": {"vocab": {str: int}, "unk_token": str, "max_input_chars_per_word": int},
    "Unigram": {"vocab": [(str, int | float)], "unk_id": int},
}
COMPONENTS = {
    "BertNormalizer": {"lowercase": bool},
    "ByteLevel": {"add_prefix_space": bool, "trim_offsets": bool},
    "BertProcessing": {"sep": (str, int), "cls": (str, int)},
    "TemplateProcessing": {
        "single": [{}],
        "pair": [{}],
        "special_tokens": {str: {"id": str, "ids": [int], "tokens": [str]}},
    },
}


def check(value: Any, form: Any, name: str) -> None:
    """Refuse what has not a form, and say where in the file it is.

    Examples
    --------
    >>> check({"vocab": {"a": 0.0}}, {"vocab": {str: int}}, "model")
    Traceback (most recent call last):
        ...
    ValueError: model.vocab['a'] must be int, got 0.0
    """
    kind = list if isinstance(form, list | tuple) else dict if isinstance(form, dict) else form
    truth = type(value) is bool  # in Python it is an int as well, in a file not
    right = kind is bool if truth else isinstance(value, kind)
    if not right or (isinstance(form, tuple) and len(value) != len(form)):
        raise ValueError(f"{name} must be {_words(form)}, got {came(value)}")
    if isinstance(form, dict):
        free = str in form
        for key, one in dict.fromkeys(value, form[str]).items() if free else form.items():
            if key not in value:
                raise ValueError(f"{name} must have {key!r}, got only {came(list(value))}")
            check(value[key], one, f"{name}[{key!r}]" if free else f"{name}.{key}")
    elif isinstance(form, list | tuple):
        forms = form * len(value) if isinstance(form, list) else form
        for place, (item, one) in enumerate(zip(value, forms, strict=True)):
            check(item, one, f"{name}[{place}]")


def _words(form: Any) -> str:
    if isinstance(form, tuple):
        return f"[{', '.join(map(_words, form))}]"
    if isinstance(form, list | dict):
        return "a list" if isinstance(form, list) else "an object"
    return form.__name__ if isinstance(form, type) else str(form)


def file_path(path: str | os.PathLike[str]) -> Path:
    """Return a path that a file can have."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path must be a text or a path, got {came(path)}")
    try:
        named = b"\0" not in os.fsencode(path) and Path(path).name
    except UnicodeEncodeError:
        named = False
    if not named:
        raise ValueError(f"path must be the name of a file, got {came(path)}")
    return Path(path)


def _same(value: Any, known: Any) -> bool:
    """Tell whether two settings mean the same; an empty prefix or no dropout is as good as none."""
    return (not value and not known) or (type(value) is type(known) and value == known)


def template(around: tuple[str, str], vocabulary: Mapping[str, int]) -> dict[str, Any]:
    """Describe for a file what BERT puts around a text, and around two: a post_processor."""
    first, last = around

    def special(token: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": segment}}

    def text(name: str, segment: int) -> dict[str, Any]:
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [special(first, 0), text("A", 0), special(last, 0)]
    tokens = {name: {"id": name, "ids": [vocabulary[name]], "tokens": [name]} for name in around}
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, text("B", 1), special(last, 1)],
        "special_tokens": tokens,
    }


class Description(NamedTuple):
    """What a file says of a tokenizer."""

    components: Mapping[str, Any]  # of each of the five places; None where there is none
    vocabulary: dict[str, int]  # of the model, with the special tokens
    special_tokens: list[str]  # in the order of their ids

    def match(
        self, place: str, *supported: Mapping[str, Any] | None, free: Sequence[str] = ()
    ) -> dict[str, Any]:
        """Return the component at a place if it is one of those that are supported.

        Missing settings are taken from the supported one; without a component the answer is empty.

        Parameters
        ----------
        *supported : mapping or None
            Each with a "type" and all settings; None means that the place may be empty.
        free : sequence of str
            Settings that may have any value, since the caller looks at them or they do not matter.

        Examples
        --------
        >>> Description({"decoder": {"type": "CTC"}}, {}, []).match("decoder", {"type": "Fuse"})
        Traceback (most recent call last):
            ...
        ValueError: decoder 'CTC' is not supported here, expected Fuse
        """
        component = self.components.get(place) or {}
        kind = component.get("type")
        kinds = {known["type"] if known else None: known or {} for known in supported}
        full = {**kinds.get(kind, {}), **component}
        other = [
            f"{name}={value!r}"
            for name, value in full.items()
            if kind in kinds and name not in free and not _same(value, kinds[kind].get(name))
        ]
        if kind in kinds and not other:
            return full
        got = repr(kind) if component else "no component"
        got += f" with {', '.join(other)}" if other else ""
        names = " or ".join(name or "none" for name in kinds)
        raise ValueError(f"{place} {got} is not supported here, expected {names}")

    def around(self) -> tuple[str, str] | None:
        """Read from a file what stands around a text, and refuse what differs from `template`."""
        known_kinds = {"type": "TemplateProcessing"}, {"type": "BertProcessing"}
        free = ("single", "pair", "special_tokens", "sep", "cls")
        post = self.match("post_processor", None, *known_kinds, free=free)
        if not post:
            return None
        if post["type"] == "BertProcessing":
            (last, last_id), (first, first_id) = post["sep"], post["cls"]
            if self.vocabulary.get(first) == first_id and self.vocabulary.get(last) == last_id:
                return first, last
        else:
            names = list(post["special_tokens"])
            for first, last in product(names, repeat=2):
                if len(names) <= 2 and first in self.vocabulary and last in self.vocabulary:
                    wanted = template((first, last), self.vocabulary)
                    if all(post[key] == wanted[key] for key in wanted):
                        return first, last
        wanted = "supported as [CLS] A [SEP] B [SEP] only"
        raise ValueError(f"post_processor {post['type']!r} is {wanted}, got {post}")


def read(path: str | os.PathLike[str], model: str) -> Description:
    """Read a file that must describe a kind of model; refuse what `Tokenizer.load` says."""
    file = file_path(path)
    try:
        text = file.read_text("utf-8")
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
        raise ValueError(f"{path} must be a file in JSON, but: {error}") from None
    try:
        return _understood(document, model)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _understood(document: Any, model: str) -> Description:
    check(document, DOCUMENT, "tokenizer.json")
    components = {place: document[place] for place in PLACES}
    kind = components["model"]["type"]
    if kind != model:
        raise ValueError(f"model {kind!r} is not supported here, expected {model}")
    for place, component in components.items():
        if component is not None:
            check(component, {"type": str}, place)
            known = MODELS if place == "model" else COMPONENTS
            check(component, known.get(component["type"], {}), place)
    for setting in ("truncation", "padding"):
        if document.get(setting) is not None:
            raise ValueError(f"{setting} is not supported, got {document[setting]!r}")
    entries = components["model"]["vocab"]
    if isinstance(entries, list):  # of a unigram model: pieces with scores
        entries = _once((piece, number) for number, (piece, _) in enumerate(entries))
    special = {}
    for token in sorted(document["added_tokens"], key=lambda token: token["id"]):
        content, number = token["content"], token["id"]
        changed = token["single_word"] or token["lstrip"] or token["rstrip"]
        # "normalized" finds a token after the text was tidied: the same, if nothing tidies it.
        if not token["special"] or changed or (token["normalized"] and document["normalizer"]):
            raise ValueError(f"added token {content!r} is not supported: {token}")
        if content in special or entries.get(content, number) != number:
            raise ValueError(f"added token {content!r} must have one id, got {number} as another")
        special[content] = number
    return Description(components, {**entries, **special}, list(special))


def _once(pairs: Any) -> dict[str, Any]:
    """Make a dict, but refuse a name that comes twice: `json` would keep the last one."""
    found = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} comes twice")
        found[name] = value
    return found


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")


def write(
    path: str | os.PathLike[str], components: Mapping[str, Any], special_tokens: Mapping[str, int]
) -> None:
    """Write a file: the components, and special tokens with their ids."""
    switches = dict.fromkeys(SWITCHES, False) | {"special": True}
    added = [
        {"id": number, "content": token, **switches}
        for token, number in sorted(special_tokens.items(), key=lambda item: item[1])
    ]
    document = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added}
    document |= {place: components.get(place) for place in PLACES}
    replace(path, [json.dumps(document, ensure_ascii=False)])


def replace(path: str | os.PathLike[str], parts: Iterable[str]) -> None:
    """Write a text file, all of it or nothing: an older one stays until the new one is complete."""
    target = file_path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
