"""Training on sentence pairs, translating, and counting what is exactly right.

The loss is the mean of -log P(y_i | y_<i, x) over all tokens of the targets in a batch, with the
right tokens y_<i as the decoder's input (teacher forcing). Adam follows it, with gradients that are
clipped to the length 1; the learning rate rises over the first 15 % of the steps and falls to
almost nothing at the end, as half a cosine each. `train_seq2seq` is a recipe; the loop is that of
`companion.basics.training.fit`. What this module leaves out: scores for half-right translations.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from companion.arguments import between, instance, integer
from companion.arguments import texts as checked_texts
from companion.basics.training import fit, iterations_per_epoch
from companion.runs.batches import Batch
from companion.sequences.generation import beam_search, greedy_decode
from companion.sequences.seq2seq.batching import (
    EncodedPair,
    checked_pairs,
    deal,
    encode_pairs,
    pad,
    teacher_forcing,
)
from companion.sequences.tokenization.base import Tokenizer


def train_seq2seq(
    model: nn.Module,
    pairs: Sequence[EncodedPair],
    *,
    epochs: int = 1,
    batch_size: int = 32,
    learning_rate: float = 0.01,
    seed: int = 0,
) -> np.ndarray:
    """Train a model on encoded pairs with teacher forcing.

    Parameters
    ----------
    model : Module
        ``model(source, target)`` returns the scores of the next tokens, (B, T_target, V);
        ``model.padding`` is the id of the pad token. Its parameters are changed; it comes back in
        evaluation mode.
    pairs : sequence of (list of int, list of int)
        As from `encode_pairs`.
    epochs, batch_size : int
        How often all pairs are shown, and how many in one step.
    learning_rate : float, default 0.01
        The highest.
    seed : int, default 0
        The order of the pairs, dropout.

    Returns
    -------
    ndarray, shape (steps,)
        The loss of each batch, just before the update it led to.
    """
    instance(model, "model", nn.Module)
    pairs = checked_pairs(pairs)
    steps = integer(epochs, "epochs", 1) * iterations_per_epoch(len(pairs), batch_size)
    rate = between(0, learning_rate, math.inf, "learning_rate")
    optimizer = torch.optim.Adam(model.parameters(), rate, betas=(0.9, 0.99), fused=True)

    padding = integer(getattr(model, "padding", None), "model.padding", 0)

    def source(generator: torch.Generator) -> Iterator[Batch]:
        order = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        for ids, right in deal(pairs, batch_size, padding, order):
            yield {"source": ids, "target": right}

    history = fit(
        model,
        source,
        loss=teacher_forcing,
        optimizer=optimizer,
        steps=steps,
        schedule=lambda step: _share(step, steps),
        clip_norm=1.0,
        seed=seed,
    )
    return np.array(history.step_loss)


def translate(
    model: nn.Module,
    texts: Sequence[str],
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    *,
    beam_width: int = 1,
    max_length: int = 50,
    batch_size: int = 256,
) -> list[str]:
    """Translate texts; return one translation for each, in the same order.

    Parameters
    ----------
    model : Module with ``start`` and ``step``
        See `companion.sequences.generation`.
    texts : sequence of str
        In the source language.
    source_tokenizer, target_tokenizer : Tokenizer
        As in `encode_pairs`.
    beam_width : int, default 1
        1 decodes greedily.
    max_length : int, default 50
        Of an output, in tokens.
    batch_size : int, default 256
        Texts that are translated together.
    """
    instance(source_tokenizer, "source_tokenizer", Tokenizer)
    instance(target_tokenizer, "target_tokenizer", Tokenizer)
    sources = []
    for number, text in enumerate(checked_texts(texts, "texts", least=0)):
        sources.append(list(source_tokenizer.encode(text)))
        if not sources[-1]:
            raise ValueError(f"texts[{number}] must have a token, got {text!r}")
    limits = {"beam_width": beam_width, "max_length": max_length, "batch_size": batch_size}
    ids = _decode(model, sources, source_tokenizer, target_tokenizer, **limits)
    return [target_tokenizer.decode(one) for one in ids]


def exactly_right(
    model: nn.Module,
    pairs: Sequence[tuple[str, str]],
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    **options: int,
) -> np.ndarray:
    """Tell which translations are right in every token, as an array of bool. One with [UNK] is not.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Source, and the only translation that counts as right.
    model, source_tokenizer, target_tokenizer, **options
        As in `translate`.
    """
    encoded = encode_pairs(pairs, source_tokenizer, target_tokenizer)
    if not encoded:
        raise ValueError("pairs must hold one pair or more, got none")
    sources = [source for source, _ in encoded]
    ids = _decode(model, sources, source_tokenizer, target_tokenizer, **options)
    words = target_tokenizer.vocabulary
    unknown = words.unknown if words.has("unknown") else None  # bytes need none
    return np.array(
        [
            unknown not in target and one == target[1:-1]
            for one, (_, target) in zip(ids, encoded, strict=True)
        ]
    )


def exact_match(
    model: nn.Module,
    pairs: Sequence[tuple[str, str]],
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    **options: int,
) -> float:
    """Return the share of translations that `exactly_right` finds, from 0 to 1."""
    right = exactly_right(model, pairs, source_tokenizer, target_tokenizer, **options)
    return float(right.mean())


def _decode(
    model: nn.Module,
    sources: list[list[int]],
    source_tokenizer: Tokenizer,
    target_tokenizer: Tokenizer,
    *,
    beam_width: int = 1,
    max_length: int = 50,
    batch_size: int = 256,
) -> list[list[int]]:
    """Return the token numbers of all translations, in the order of the sources."""
    width, size = integer(beam_width, "beam_width", 1), integer(batch_size, "batch_size", 1)
    device = next(instance(model, "model", nn.Module).parameters()).device
    padding, words = source_tokenizer.vocabulary.pad, target_tokenizer.vocabulary
    if (read := getattr(model, "padding", padding)) != padding:
        wanted = f"{padding}, as [PAD] in the vocabulary of source_tokenizer"
        raise ValueError(f"model.padding must be {wanted}, got {read}")
    # Sources of similar lengths together; the result does not depend on it.
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    found: list[list[int]] = [[] for _ in sources]
    for start in range(0, len(order), size):
        numbers = order[start : start + size]
        batch = pad([sources[number] for number in numbers], padding).to(device)
        if width == 1:
            ids = greedy_decode(model, batch, words, max_length=max_length)
        else:
            beams = beam_search(model, batch, words, beam_width=width, max_length=max_length)
            ids = [beam[0].tokens for beam in beams]
        for number, one in zip(numbers, ids, strict=True):
            found[number] = one
    return found


def _share(step: int, steps: int) -> float:
    """Return the learning rate of a step (counted from 0) as a share of the highest."""
    rise = 0.15 * steps
    if step < rise:
        return (1 - math.cos(math.pi * (step + 1) / (rise + 1))) / 2
    return (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2
