"""Writing the output token by token: the best token at each step, or a beam of hypotheses.

A model gives P(y_i | y_<i, x), and the probability of a whole output is the product. Greedy
decoding takes the most probable token at each step, which need not lead to the most probable
output. A beam keeps the K most probable beginnings at each step. A finished hypothesis stays in
the beam with the probability that it has; so a beam of 1 is greedy decoding, and a beam as wide as
there are outputs is exhaustive search.

Of the model these functions need two methods. ``start(source)`` returns a state, a tuple of
tensors whose first axis is the batch; ``step(tokens, state)`` reads one token per row, (B,), and
returns scores of the next, (B, V), and the new state. What this module leaves out: sampling,
diversity, pruning.

References (in full in the chapter's bibliography): Sutskever et al. (2014), beam search in
translation.

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from companion.arguments import integer
from companion.sequences.seq2seq.batching import BOS, EOS, PAD


class Hypothesis(NamedTuple):
    """One output of a beam search."""

    tokens: list[int]  # without [BOS] and [EOS]
    log_probability: float  # natural logarithm; that of [EOS] included, if it was written
    finished: bool  # False if it was cut at the maximum length


@torch.no_grad()
def greedy_decode(model: Any, source: Tensor, *, max_length: int = 50) -> list[list[int]]:
    """Write the most probable token at each step.

    Parameters
    ----------
    model : object with ``start`` and ``step``
        Such as `Seq2Seq`. A Module is put into evaluation mode meanwhile.
    source : Tensor, shape (B, T_source)
        What ``start`` takes.
    max_length : int, default 50
        Steps, at most; an output that is not finished is cut there.

    Returns
    -------
    list of list of int
        For each source the tokens, without [BOS] and [EOS].

    Raises
    ------
    TypeError, ValueError
        If `max_length` is no integer of 1 or more.
    """
    steps = integer(max_length, "max_length", 1)
    with _evaluating(model):
        state = model.start(source)
        tokens = torch.full((len(source),), BOS, device=source.device)  # (B,)
        finished = torch.zeros_like(tokens, dtype=torch.bool)
        written = []
        for _ in range(steps):
            logits, state = model.step(tokens, state)
            tokens = _writable(logits).argmax(dim=-1)  # (B,); what follows [EOS] is cut off below
            written.append(tokens)
            finished = finished | (tokens == EOS)
            if finished.all():
                break
    return [_cut(row) for row in torch.stack(written, dim=1).tolist()]


@torch.no_grad()
def beam_search(
    model: Any,
    source: Tensor,
    *,
    beam_width: int,
    max_length: int = 50,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    """Keep the most probable beginnings at each step; return the best outputs found.

    Parameters
    ----------
    model, source, max_length
        As in `greedy_decode`.
    beam_width : int
        Hypotheses that are kept for each source.
    length_penalty : float, default 0
        0 or more. At the end the hypotheses are ordered by log probability divided by
        length ** length_penalty, where the length counts [EOS]. 0 favours short outputs. The
        search itself goes by log probability.

    Returns
    -------
    list of list of Hypothesis
        For each source `beam_width` different hypotheses, or all that are possible if these are
        fewer, the best first.

    Raises
    ------
    TypeError, ValueError
        If a number is not as described.
    """
    width, steps = integer(beam_width, "beam_width", 1), integer(max_length, "max_length", 1)
    if not 0 <= length_penalty < math.inf:
        raise ValueError(f"length_penalty must be 0 or more and finite, got {length_penalty}")
    with _evaluating(model):
        B, device = len(source), source.device
        first = torch.arange(B, device=device)[:, None] * width  # (B, 1): the beam's first row
        state = _rows(model.start(source), torch.arange(B, device=device).repeat_interleave(width))
        # All hypotheses of a beam begin alike; so at first only one of them is possible.
        scores = torch.full((B, width), -math.inf, device=device)
        scores[:, 0] = 0
        written = torch.full((B, width, 1), BOS, device=device)
        finished = torch.zeros((B, width), dtype=torch.bool, device=device)
        for _ in range(steps):
            logits, state = model.step(written[:, :, -1].flatten(), state)
            more = _writable(logits.log_softmax(dim=-1)).reshape(B, width, -1)  # (B, width, V)
            # A finished hypothesis goes on in one way only, which costs nothing.
            more = more.masked_fill(finished[:, :, None], -math.inf)
            more[:, :, EOS] = more[:, :, EOS].masked_fill(finished, 0)
            n_tokens = more.shape[2]
            scores, best = (scores[:, :, None] + more).flatten(1).topk(width)  # (B, width)
            parent, tokens = best // n_tokens, best % n_tokens
            state = _rows(state, (first + parent).flatten())
            written = written.gather(1, parent[:, :, None].expand_as(written))
            written = torch.cat([written, tokens[:, :, None]], dim=2)
            finished = finished.gather(1, parent) | (tokens == EOS)
            if (finished | scores.isinf()).all():
                break
    return [
        _ordered(*beam, length_penalty)
        for beam in zip(written[:, :, 1:].tolist(), scores.tolist(), finished.tolist(), strict=True)
    ]


def log_probability(model: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """Return the log probability that a model gives to whole outputs.

    Parameters
    ----------
    model : Module
        ``model(source, target)`` returns the scores of the next tokens, (B, T_target, V).
    source, target : Tensor of int64, shapes (B, T_source) and (B, T_target)
        As from `batches`: targets with [BOS] and, if they are to be finished, [EOS].

    Returns
    -------
    Tensor, shape (B,)
        The sum over all tokens after [BOS], padding left out.
    """
    logits = model(source, target[:, :-1])
    after = target[:, 1:]
    chosen = logits.log_softmax(dim=-1).gather(2, after[:, :, None])[:, :, 0]  # (B, T_target - 1)
    return chosen.masked_fill(after == PAD, 0).sum(dim=1)


def _writable(scores: Tensor) -> Tensor:
    """Return scores with minus infinity for tokens that are never written, [PAD] and [BOS]."""
    scores = scores.clone()
    scores[..., [PAD, BOS]] = -math.inf
    return scores


def _rows(state: Any, rows: Tensor) -> Any:
    """Return a state with the given rows of each of its tensors, of the type that it had."""
    if hasattr(state, "select"):  # a state that knows how
        return state.select(rows)
    chosen = (tensor.index_select(0, rows) for tensor in state)
    return state._make(chosen) if hasattr(state, "_make") else tuple(chosen)


def _cut(tokens: list[int]) -> list[int]:
    """Return what stands before the first [EOS]."""
    return tokens[: tokens.index(EOS)] if EOS in tokens else tokens


def _ordered(
    written: list[list[int]], scores: list[float], finished: list[bool], length_penalty: float
) -> list[Hypothesis]:
    """Return the hypotheses that are possible, the best first."""
    found = [
        Hypothesis(_cut(tokens), score, done)
        for tokens, score, done in zip(written, scores, finished, strict=True)
        if score > -math.inf
    ]
    return sorted(
        found,
        key=lambda one: -one.log_probability / (len(one.tokens) + one.finished) ** length_penalty,
    )


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Put a Module into evaluation mode, and back into the mode that it had."""
    if not isinstance(model, nn.Module):
        yield
        return
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)
