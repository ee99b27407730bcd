"""Sentence pairs as numbers: special tokens, padding, batches of sentences of similar length.

A target of n tokens is kept as n + 2 numbers, [BOS] w1 ... wn [EOS]. The decoder's input is this
without the last number, its output without the first: the same sequence, shifted by one. What this
module leaves out: data that does not fit into memory.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import (
    Seed,
    came,
    instance,
    integer,
    integers,
    listed,
    random_generator,
    texts,
)
from companion.sequences.tokenization.base import Tokenizer

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")  # what a translator's vocabulary needs
EncodedPair = tuple[list[int], list[int]]


def encode_pairs(
    pairs: Sequence[tuple[str, str]], source_tokenizer: Tokenizer, target_tokenizer: Tokenizer
) -> list[EncodedPair]:
    """Turn pairs of texts into pairs of ids; the target begins with [BOS] and ends with [EOS].

    Parameters
    ----------
    pairs : sequence of (str, str)
    source_tokenizer, target_tokenizer : Tokenizer
        The target's vocabulary has tokens for begin and end.
    """
    instance(source_tokenizer, "source_tokenizer", Tokenizer)
    vocabulary = instance(target_tokenizer, "target_tokenizer", Tokenizer).vocabulary
    begin, end = vocabulary.begin, vocabulary.end
    encoded = []
    for number, pair in enumerate(listed(pairs, "pairs", "a list of pairs of texts")):
        if len(both := texts(pair, f"pairs[{number}]")) != 2:
            raise ValueError(f"pairs[{number}] must hold two texts, got {came(pair)}")
        source, target = both
        source_ids = list(source_tokenizer.encode(source))
        target_ids = list(target_tokenizer.encode(target))
        if not source_ids or not target_ids:
            raise ValueError(f"pairs[{number}] must hold two texts with tokens, got {came(pair)}")
        encoded.append((source_ids, [begin, *target_ids, end]))
    return encoded


def pad(sequences: Sequence[Sequence[int]], padding: int) -> Tensor:
    """Put sequences of ids, none of them empty, into one tensor (B, T), filled up at the end.

    T is the length of the longest; `padding` is the id of the pad token, ``vocabulary.pad``.

    Examples
    --------
    >>> pad([[5, 6, 7], [8]], 0)
    tensor([[5, 6, 7],
            [8, 0, 0]])
    """
    wanted = "one or more sequences of ids, none of them empty"
    if not (rows := listed(sequences, "sequences", wanted)):
        raise ValueError(f"sequences must be {wanted}, got none")
    for number, row in enumerate(rows):
        integers(row, f"sequences[{number}]", item=_id, least=1)
    return _pad(rows, _id(padding, "padding"))


def _id(value: Any, name: str) -> int:
    return integer(value, name, 0)


def _pad(rows: Sequence[Sequence[int]], padding: int) -> Tensor:
    longest = max(map(len, rows))
    filled = [[*row, *[padding] * (longest - len(row))] for row in rows]
    return torch.tensor(filled, dtype=torch.long)


def batches(
    pairs: Sequence[EncodedPair], batch_size: int, *, padding: int, seed: Seed = 0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Deal encoded pairs into batches in random order, similar lengths together.

    Parameters
    ----------
    pairs : sequence of (list of int, list of int)
        As from `encode_pairs`. Each pair is in exactly one batch.
    batch_size : int
        Pairs in a batch; one batch may have fewer.
    padding : int
        The id of the pad token, as in `pad`.
    seed : int, Generator or None
        The order of the batches, and who is with whom among pairs of equal lengths.

    Yields
    ------
    (Tensor, Tensor), shapes (B, T_source) and (B, T_target)
        Sources and targets, padded.
    """
    pairs, _ = checked_pairs(pairs), _id(padding, "padding")
    return deal(pairs, integer(batch_size, "batch_size", 1), padding, random_generator(seed))


def checked_pairs(pairs: Any) -> list[EncodedPair]:
    """Return encoded pairs as a list, one or more."""
    if not (pairs := listed(pairs, "pairs", "a list of pairs of lists of ids")):
        raise ValueError("pairs must hold one pair or more, got none")
    for number, pair in enumerate(pairs):
        if len(both := listed(pair, f"pairs[{number}]", "two lists of ids")) != 2:
            raise ValueError(f"pairs[{number}] must be two lists of ids, got {came(pair)}")
        for row in both:
            integers(row, f"pairs[{number}]", item=_id, least=1)
    return pairs


def deal(
    pairs: Sequence[EncodedPair], size: int, padding: int, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what `batches` does, of pairs that were checked before."""
    # The sort is stable: among pairs of equal lengths, the random order stays.
    order = sorted(
        rng.permutation(len(pairs)).tolist(),
        key=lambda number: (len(pairs[number][0]), len(pairs[number][1])),
    )
    starts = range(0, len(order), size)
    for start in rng.permutation(starts).tolist():
        yield pad_pairs([pairs[number] for number in order[start : start + size]], padding)


def pad_pairs(pairs: Sequence[EncodedPair], padding: int) -> tuple[Tensor, Tensor]:
    """Return sources (B, T_source) and targets (B, T_target) of some pairs, padded."""
    return _pad([source for source, _ in pairs], padding), _pad([to for _, to in pairs], padding)


def teacher_forcing(
    model: nn.Module, batch: Mapping[str, Tensor], smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Return the loss of all tokens of a batch, and how many they are: a loss for `fit`.

    The decoder reads the right tokens without the last, and is to write them without the first.

    Parameters
    ----------
    model : Module
        ``model(source, target)`` returns scores of the next tokens, (B, T_target, V); its
        attribute ``padding`` is the id of the pad token, which does not count.
    batch : mapping with "source" (B, T_source) and "target" (B, T_target)
        Ids, as from `pad`.
    smoothing : float, default 0
        The share that is taken from the right token and spread over all V.
    """
    logits = model(batch["source"], batch["target"][:, :-1])  # (B, T - 1, V)
    right = batch["target"][:, 1:]  # (B, T - 1)
    padding: Any = model.padding
    loss = functional.cross_entropy(
        logits.flatten(0, 1),
        right.flatten(),
        ignore_index=padding,
        reduction="sum",
        label_smoothing=smoothing,
    )
    return loss, (right != padding).sum()
