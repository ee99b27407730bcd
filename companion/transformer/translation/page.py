"""A trained translator as part of a web page, where a browser computes its forward pass.

The weights travel as `companion.weights` packs them, and `companion.pages` hands the whole to the
page. The page's part of the work is JavaScript, ``web/static/transformer.js``; it knows this
`Transformer` and no other, so `pack` refuses a model with parts that were replaced. What this
module leaves out: beam search, other tokenizers.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from companion import pages, weights
from companion.arguments import came, instance, size, texts
from companion.sequences.seq2seq import SPECIAL_TOKENS
from companion.sequences.tokenization import WordTokenizer
from companion.transformer.blocks import FeedForward, LayerNorm
from companion.transformer.blocks.layers import ACTIVATIONS
from companion.transformer.translation.model import Transformer, TransformerConfig

MARKS = (".", "!", "?")  # end a sentence
LANGUAGES = {"Korean": "ko", "English": "en"}  # and how a page marks its texts
SCRIPTS: dict[str, Callable[[str], bool]] = {
    "Hangul": lambda letter: "가" <= letter <= "힣",
    "Latin": lambda letter: letter.isascii() and letter.isalpha(),
}


@dataclass(frozen=True)
class Packed:
    """A translator of one direction as texts and small numbers; made by `pack`."""

    languages: tuple[str, str]  # such as ("Korean", "English")
    settings: dict[str, Any]  # the fields of a `TransformerConfig`
    source_words: tuple[str, ...]  # in the order of their numbers
    target_words: tuple[str, ...]
    counts: tuple[int, ...]  # how often each source word occurs in the training sentences
    longest: int  # tokens of the longest training sentence
    sentences: int  # at most so many sentences in one training text
    ending: str  # the mark that ends every training sentence, or ""
    script: str  # of the source language: "Hangul" or "Latin"
    examples: tuple[str, ...]  # for the reader to try
    shapes: dict[str, list[int]]  # of all weights, in the order of their numbers
    weights: str  # all scales and vectors (32 bits), then all matrices (8 bits)


def pack(
    model: Transformer,
    source_tokenizer: WordTokenizer,
    target_tokenizer: WordTokenizer,
    sentences: Sequence[str],
    *,
    languages: tuple[str, str] = ("Korean", "English"),
    examples: Sequence[str] = (),
) -> Packed:
    """Pack a trained Transformer with its tokenizers, for `translator_html`.

    Parameters
    ----------
    model : Transformer
        Made of the parts that `Transformer` makes itself. The two embeddings may be any modules
        that give each token a vector of its own, such as a
        `companion.sequences.seq2seq.WordEmbedding`: they become tables.
    source_tokenizer, target_tokenizer : WordTokenizer
        With `companion.sequences.seq2seq.SPECIAL_TOKENS`.
    sentences : sequence of str
        The source side of all training sentences: the page says of each word how often it was seen.
    languages : (str, str)
        Source and target, each "Korean" or "English".
    examples : sequence of str
        Source sentences that the page offers.

    Examples
    --------
    >>> words = WordTokenizer.train(["소년은 뛴다."], special_tokens=SPECIAL_TOKENS)
    >>> model = Transformer(TransformerConfig(7, 7, d_model=8, n_heads=2, n_encoder_layers=1))
    >>> packed = pack(model, words, words, ["소년은 뛴다."])
    >>> packed.longest, packed.ending, packed.counts[words.vocabulary["소년은"]]
    (3, '.', 1)
    """
    _check_model(model)
    config = model.config
    _check_tokenizer(source_tokenizer, "source_tokenizer", config.source_vocab_size)
    _check_tokenizer(target_tokenizer, "target_tokenizer", config.target_vocab_size)
    if isinstance(languages, set):
        raise TypeError(f"languages must be source and target, in this order, got {languages}")
    if len(texts(languages, "languages")) != 2 or not set(languages) <= set(LANGUAGES):
        raise ValueError(f"languages must be two of {list(LANGUAGES)}, got {came(languages)}")
    sentences, examples = texts(sentences, "sentences"), texts(examples, "examples", least=0)
    tokens = [source_tokenizer.split(sentence) for sentence in sentences]
    if not all(tokens):
        raise ValueError("sentences must hold one sentence or more, each with a word")
    counts = Counter(word for sentence in tokens for word in sentence)
    if unknown := [word for word in counts if word not in source_tokenizer.vocabulary]:
        words = ", ".join(unknown[:3])
        raise ValueError(f"sentences must hold words of source_tokenizer only, got {words}")
    endings = {sentence[-1] for sentence in tokens}
    shapes, data = weights.pack(_weights(model))
    return Packed(
        languages=(languages[0], languages[1]),
        settings=asdict(config),
        source_words=tuple(source_tokenizer.tokens),
        target_words=tuple(target_tokenizer.tokens),
        counts=tuple(counts[word] for word in source_tokenizer.tokens),
        longest=max(map(len, tokens)),
        sentences=max(map(_sentences, tokens)),
        ending=endings.pop() if len(endings) == 1 and endings <= set(MARKS) else "",
        script=_script(counts),
        examples=tuple(examples),
        shapes=shapes,
        weights=data,
    )


def unpack(packed: Packed) -> Transformer:
    """Build what the page computes: rounded weights, tables as embeddings, in evaluation mode.

    Examples
    --------
    >>> words = WordTokenizer.train(["소년은 뛴다."], special_tokens=SPECIAL_TOKENS)
    >>> model = Transformer(TransformerConfig(7, 7, d_model=8, n_heads=2, n_encoder_layers=1))
    >>> rounded = unpack(pack(model, words, words, ["소년은 뛴다."]))
    >>> change = rounded.target_embedding.weight - model.target_embedding.weight
    >>> bool(0 < change.abs().max() < 0.01)
    True
    """
    instance(packed, "packed", Packed)
    state = weights.unpack(weights.Packed(packed.shapes, packed.weights))
    if packed.settings["share_embeddings"]:
        state["source_embedding.weight"] = state["target_embedding.weight"]
    model = _fresh(TransformerConfig(**packed.settings))
    weights.fill(model, state)
    return model.eval()


def translator_html(models: Mapping[str, Packed], *, limit: int = 50) -> str:
    """Return a translator as a piece of a web page; ``web/static/translator.js`` brings it to life.

    Parameters
    ----------
    models : mapping of str to Packed
        The name of each direction, such as "Korean to English", to its model. The first is chosen
        when the page opens.
    limit : int, default 50
        Tokens at most in an answer.

    Examples
    --------
    >>> words = WordTokenizer.train(["소년은 뛴다."], special_tokens=SPECIAL_TOKENS)
    >>> model = Transformer(TransformerConfig(7, 7, d_model=8, n_heads=2, n_encoder_layers=1))
    >>> packed = pack(model, words, words, ["소년은 뛴다."], examples=["소년은 뛴다."])
    >>> translator_html({"Korean to English": packed})[:24]
    '<div class="translator">'
    """
    if not instance(models, "models", Mapping):
        raise ValueError("models must hold one model or more, got none")
    size(limit, "limit")
    vocabularies: list[tuple[str, ...]] = []  # the two directions share theirs
    listed = []
    for name, packed in models.items():
        data = asdict(instance(packed, f"models[{name!r}]", Packed))
        for side in ("source_words", "target_words"):
            if data[side] not in vocabularies:
                vocabularies.append(data[side])
            data[side] = vocabularies.index(data[side])
        data["marks"] = [LANGUAGES[language] for language in packed.languages]
        listed.append(data)
    everything = {"vocabularies": vocabularies, "models": listed, "limit": limit}
    return _FRAGMENT.format(
        options="".join(f"<option>{html.escape(name)}</option>" for name in models),
        examples="".join(
            f'<button type="button" lang="{LANGUAGES[packed.languages[0]]}" '
            f'data-model="{number}">{html.escape(sentence)}</button>'
            for number, packed in enumerate(models.values())
            for sentence in packed.examples
        ),
        data=pages.as_json(everything),
    )


_FRAGMENT = """<div class="translator">
<p class="translator-waits">This translator needs JavaScript, and runs in the published page.</p>
<form hidden>
<label>Direction <select>{options}</select></label>
<label class="translator-text">Your sentence
<input type="text" maxlength="300" autocomplete="off" spellcheck="false"></label>
<button type="submit">Translate</button>
<div class="translator-examples" role="group" aria-label="Examples">{examples}</div>
</form>
<div class="translator-answer" aria-live="polite"></div>
<div class="translator-details"></div>
<script type="application/json">{data}</script>
</div>"""


def _check_model(model: Any) -> None:
    """Refuse a model that is not made of the parts that `Transformer` makes itself."""
    if type(model) is not Transformer:
        raise TypeError(f"model must be a Transformer, got {type(model).__name__}")
    for field in fields(model.config):  # a setting that is newer than the page's script
        value = getattr(model.config, field.name)
        if field.name not in _SETTINGS and value != field.default:
            raise ValueError(f"model.config.{field.name} must be {field.default}, got {value}")
    if model.config.activation not in _ACTIVATIONS:
        wanted, got = " or ".join(_ACTIVATIONS), model.config.activation
        raise ValueError(f"model.config.activation must be {wanted}, got {got}")
    twin = _fresh(model.config)
    ours, theirs = _parts(model), _parts(twin)
    for name in [*theirs, *ours]:
        if type(ours.get(name)) is not type(theirs.get(name)):
            wanted, got = (type(parts.get(name)).__name__ for parts in (theirs, ours))
            raise ValueError(f"model.{name} must be a {wanted} for the page, got a {got}")
    for name, part in ours.items():
        for setting in ("n_heads", "norm_first", "eps"):
            wanted, got = (getattr(one, setting, None) for one in (theirs[name], part))
            if got != wanted:
                raise ValueError(f"model.{name}.{setting} must be {wanted} for the page, got {got}")
        if isinstance(part, FeedForward) and (
            part.activation is not ACTIVATIONS[model.config.activation]
        ):
            wanted = model.config.activation
            raise ValueError(f"model.{name}.activation must be {wanted!r}, got {part.activation}")
        if isinstance(part, nn.Linear | LayerNorm):
            wanted, got = (_shapes(one) for one in (theirs[name], part))
            if got != wanted:
                raise ValueError(f"model.{name} must have the shapes {wanted}, got {got}")


def _parts(model: Transformer) -> dict[str, nn.Module]:
    """Return all modules of a model but its embeddings, by name."""
    return {name: m for name, m in model.named_modules() if name and "_embedding" not in name}


def _shapes(part: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in part.named_parameters()}


def _fresh(config: TransformerConfig) -> Transformer:
    """Return a new model without touching anybody's random numbers."""
    with torch.random.fork_rng(devices=[]):
        return Transformer(config)


def _check_tokenizer(tokenizer: Any, name: str, size: int) -> None:
    instance(tokenizer, name, WordTokenizer)
    if tuple(tokenizer.tokens[:4]) != SPECIAL_TOKENS or tokenizer.unknown != "[UNK]":
        tokens, got = ", ".join(SPECIAL_TOKENS), ", ".join(tokenizer.tokens[:4])
        raise ValueError(f"{name} must give {tokens} the numbers 0 to 3, got {got}")
    if set(tokenizer.special_tokens) != set(SPECIAL_TOKENS):
        got = tokenizer.special_tokens
        raise ValueError(f"{name} must have the special tokens {SPECIAL_TOKENS}, got {got}")
    if not tokenizer.punctuation:
        raise ValueError(f"{name} must cut at punctuation marks, got punctuation=False")
    if len(tokenizer) != size:
        raise ValueError(f"{name} must have the model's {size} tokens, got {len(tokenizer)}")
    for token in tokenizer.tokens:
        if unicodedata.normalize("NFC", token) != token:
            raise ValueError(f"{name} must have its tokens in normal form NFC, got {token!r}")


def _weights(model: Transformer) -> dict[str, Tensor]:
    """Return all weights by name, embeddings as tables, (V, D)."""
    tables = {}
    for side in ("source", "target"):
        if side == "target" or not model.config.share_embeddings:
            embedding = getattr(model, f"{side}_embedding")
            device = next(embedding.parameters()).device
            with torch.no_grad():
                tables[f"{side}_embedding.weight"] = embedding(
                    torch.arange(embedding.num_embeddings, device=device)
                )
    others = {n: p for n, p in model.named_parameters() if n.partition(".")[0] not in _EMBEDDINGS}
    return {**tables, **others}


# What the page's script knows; sizes it sees from the weights, and dropout is for training only.
_SETTINGS = {"source_vocab_size", "target_vocab_size", "d_model", "n_heads", "n_encoder_layers"}
_SETTINGS |= {"n_decoder_layers", "d_hidden", "dropout", "max_length", "activation", "norm_first"}
_SETTINGS |= {"share_embeddings", "embedding_scale"}
_ACTIVATIONS = ("relu", "gelu")
_EMBEDDINGS = ("source_embedding", "target_embedding")


def _sentences(tokens: Sequence[str]) -> int:
    """Count sentences: a mark that ends one, and something after it."""
    return 1 + sum(one in MARKS and after not in MARKS for one, after in pairwise(tokens))


def _script(words: Iterable[str]) -> str:
    """Return the script in which most letters of the words are written."""
    letters = "".join(words)
    found = {name: sum(map(inside, letters)) for name, inside in SCRIPTS.items()}
    script = max(found, key=found.__getitem__)
    if not found[script]:
        raise ValueError(f"sentences must be written in {' or '.join(SCRIPTS)}, got neither")
    return script
