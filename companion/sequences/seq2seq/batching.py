"""Sentence pairs as numbers: special tokens, padding, batches of sentences of similar length.

A target of n tokens is kept as n + 2 numbers, [BOS] w1 ... wn [EOS]. The decoder's input is this
without the last number, its output without the first: the same sequence, shifted by one. What this
module leaves out: data that does not fit into memory.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import Seed, integer, random_generator
from companion.sequences.vocabulary import ROLES, Vocabulary

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")  # the tokenizers' first four numbers
PAD, UNK, BOS, EOS = range(4)
EncodedPair = tuple[list[int], list[int]]


class Tokenizer(Protocol):
    """What is needed of a tokenizer."""

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """Token to number."""
        ...

    def encode(self, text: str, /) -> list[int]:
        """Return the numbers of a text's tokens."""
        ...

    def decode(self, ids: Any, /) -> str:
        """Return the text of some numbers."""
        ...


def check_special_tokens(tokenizer: Tokenizer, name: str) -> None:
    """Raise ValueError if a tokenizer does not give the special tokens the numbers 0 to 3."""
    numbers = [tokenizer.vocabulary.get(token) for token in SPECIAL_TOKENS]
    if numbers != [PAD, UNK, BOS, EOS]:
        tokens = ", ".join(SPECIAL_TOKENS)
        raise ValueError(f"{name} must give {tokens} the numbers 0 to 3, got {numbers}")


def encode_pairs(
    pairs: Sequence[tuple[str, str]], source_tokenizer: Tokenizer, target_tokenizer: Tokenizer
) -> list[EncodedPair]:
    """Turn pairs of texts into pairs of ids; the target begins with [BOS] and ends with [EOS].

    Parameters
    ----------
    pairs : sequence of (str, str)
        Source and target.
    source_tokenizer, target_tokenizer : tokenizer
        With ``encode`` and ``vocabulary``; that of the target has tokens for begin and end.

    Returns
    -------
    list of (list of int, list of int)
        One pair for each pair of texts.
    """
    vocabulary = vocabulary_of(target_tokenizer)
    begin, end = vocabulary.begin, vocabulary.end
    encoded = []
    for number, (source, target) in enumerate(pairs):
        source_ids = list(source_tokenizer.encode(source))
        target_ids = list(target_tokenizer.encode(target))
        if not source_ids or not target_ids:
            raise ValueError(
                f"pairs[{number}] must hold two texts with tokens, got {pairs[number]!r}"
            )
        encoded.append((source_ids, [begin, *target_ids, end]))
    return encoded


def vocabulary_of(tokenizer: Tokenizer) -> Vocabulary:
    """Return a tokenizer's vocabulary, which knows its special tokens by what they do."""
    vocabulary = tokenizer.vocabulary
    if isinstance(vocabulary, Vocabulary):
        return vocabulary
    special = [token for spellings in ROLES.values() for token in spellings if token in vocabulary]
    return Vocabulary(sorted(vocabulary, key=vocabulary.__getitem__), special=special)


def pad(sequences: Sequence[Sequence[int]], padding: int) -> Tensor:
    """Put sequences of different lengths into one tensor, filled up with `padding` at the end.

    Parameters
    ----------
    sequences : sequence of sequence of int
        One or more, each with one id or more.
    padding : int
        The id of the pad token, ``vocabulary.pad``.

    Returns
    -------
    Tensor of int64, shape (B, T)
        T is the length of the longest.

    Examples
    --------
    >>> pad([[5, 6, 7], [8]], 0)
    tensor([[5, 6, 7],
            [8, 0, 0]])
    """
    padding = integer(padding, "padding", 0)
    lengths = [len(sequence) for sequence in sequences]
    if not lengths or min(lengths) == 0:
        raise ValueError(
            f"sequences must be one or more, none of them empty, got lengths {lengths}"
        )
    longest = max(lengths)
    rows = [[*sequence, *[padding] * (longest - len(sequence))] for sequence in sequences]
    return torch.tensor(rows, dtype=torch.long)


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
    if len(pairs) == 0:
        raise ValueError("pairs must hold one pair or more, got none")
    size, rng = integer(batch_size, "batch_size", 1), random_generator(seed)
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
    return pad([source for source, _ in pairs], padding), pad([to for _, to in pairs], padding)


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


def check_ids(ids: Any, name: str, vocab_size: int) -> None:
    """Refuse what are no token numbers of shape (B, T).

    Parameters
    ----------
    ids : Tensor of int64, shape (B, T)
        B and T are 1 or more.
    name : str
        Of the argument, for the message.
    vocab_size : int
        Numbers must be from 0 to this minus 1.

    Raises
    ------
    TypeError, ValueError
        If type, shape or a number is wrong.
    """
    if not isinstance(ids, Tensor) or ids.dtype != torch.int64:
        came = ids.dtype if isinstance(ids, Tensor) else type(ids).__name__
        raise TypeError(f"{name} must be a torch.Tensor of int64, got {came}")
    if ids.ndim != 2 or 0 in ids.shape:
        raise ValueError(
            f"{name} must have the shape (B, T), both 1 or more, got {tuple(ids.shape)}"
        )
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= vocab_size:
        raise ValueError(
            f"{name} must hold numbers from 0 to {vocab_size - 1}, got {low} to {high}"
        )
