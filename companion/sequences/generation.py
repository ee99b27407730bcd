"""Generation: a model writes token after token, each one chosen from the scores of all tokens.

Of a model nothing is needed but two methods, and of its state one::

    state = model.start(source)             reads what comes before, (B, ...): a sentence to be
                                            translated, or the ids of a text to be continued
    scores, state = model.step(ids, state)  reads one token per row, (B,); gives the scores of the
                                            next one, (B, V): log P(token | all before) + a constant
    state = state.select(rows)              the state of the given rows only, (n,)

So one loop, `write`, serves n-gram models, recurrent networks and Transformers alike. A model whose
attribute ``reads_padding`` is True reads beginnings of different lengths at once: its ``start``
takes ids that are padded on the left, and a mask (B, T), True at real tokens.

Three ways to choose::

    greedy          the most probable token
    sampling        a random one, token i with the probability p_i**(1 / temperature) / sum; `top_k`
                    keeps the k most probable, `top_p` the fewest that have the share p together
    beam search     keeps the K most probable beginnings: see `beam_search`

What the ways have in common: `model` is such an object, and a Module is put into evaluation mode
meanwhile; `source` is what ``start`` takes, a Tensor with a row for each output, and `vocabulary`
that of what is written: it says which tokens begin and end an output, and neither these nor padding
are part of one. An output has `max_length` tokens at most, the end included, and is cut there. A
model that gives NaN for a score, or holds all tokens for impossible, is refused.

What this module leaves out: diversity of a beam, penalties on repetition, stopping at a text.

References: Sutskever et al. (2014), beam search in translation; Fan, Lewis and Dauphin (2018),
top-k; Holtzman et al. (2020), top-p.

Chapter: book/sequences/language_models.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from companion.arguments import (
    between,
    came,
    function,
    ids,
    instance,
    integer,
    integers,
    listed,
    number,
    tensor,
)
from companion.sequences.vocabulary import Vocabulary

Choose = Callable[[Tensor], Tensor]  # scores (B, V) to ids (B,)


class State(Protocol):
    """What a model remembers of each row."""

    def select(self, rows: Tensor, /) -> Self:
        """Return the state of the given rows, (n,); a row may come twice."""
        ...


class Writer(Protocol):
    """What a model must be able to do."""

    def start(self, source: Tensor, /) -> Any:
        """Read what comes before, (B, ...); return the state."""
        ...

    def step(self, tokens: Tensor, state: Any, /) -> tuple[Tensor, Any]:
        """Read one token per row, (B,); return the scores of the next, (B, V), and the state."""
        ...


def write(
    model: Writer,
    state: State,
    prompts: Sequence[Sequence[int]],
    choose: Choose,
    *,
    n_tokens: int,
    stop: Collection[int],
    never: Collection[int] = (),
) -> list[list[int]]:
    """Let a model read prompts and write on: the loop behind `greedy_decode`, `sample`, `complete`.

    Parameters
    ----------
    model, state
        The state of B rows, before the first token of the prompts.
    prompts : B sequences of int
        Each of one token or more; they may have different lengths.
    choose : callable
        Makes one token per row, (n,), of scores (n, V).
    n_tokens, stop, never : int, and collections of int
        How many tokens each row writes at most, which end it, and which are not written.

    Returns
    -------
    list of list of int
        What each row wrote, without the token that stopped it.
    """
    texts = [list(prompt) for prompt in prompts]  # what has been read and written
    never, device, least = list(never), _device(model), _least([*never, *stop])
    rows = list(range(len(texts))) if n_tokens else []  # those that go on
    place = 0
    while rows:
        tokens = torch.tensor([texts[row][place] for row in rows], device=device)
        scores, state = model.step(tokens, state)
        scores = tensor(scores, "the scores of model.step", (len(rows), "V"), least=least)
        place += 1
        writing = [i for i, row in enumerate(rows) if len(texts[row]) == place]  # prompt is read
        if writing:
            chosen = choose(_possible(scores[writing], never, [rows[i] for i in writing]))
            for i, token in zip(writing, chosen.tolist(), strict=True):
                texts[rows[i]].append(token)
        kept = [
            i
            for i, row in enumerate(rows)
            if place < len(prompts[row])
            or (texts[row][-1] not in stop and len(texts[row]) < len(prompts[row]) + n_tokens)
        ]
        if len(kept) < len(rows):
            state = state.select(torch.tensor(kept, dtype=torch.int64, device=device))
            rows = [rows[i] for i in kept]
    written = [text[len(prompt) :] for text, prompt in zip(texts, prompts, strict=True)]
    return [text[:-1] if text and text[-1] in stop else text for text in written]


@torch.no_grad()
def greedy_decode(
    model: Any, source: Tensor, vocabulary: Vocabulary, *, max_length: int = 50
) -> list[list[int]]:
    """Write the most probable token at each step; return the ids of each output."""
    return _outputs(model, source, vocabulary, max_length, _most_probable)


@torch.no_grad()
def sample(
    model: Any,
    source: Tensor,
    vocabulary: Vocabulary,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    max_length: int = 50,
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Draw a token at each step; return the ids of each output.

    The settings are those of `adjust`; with the temperature 0 it is greedy decoding. `generator`
    makes the draws repeatable, wherever it and the model are.
    """
    choose = _chooser(temperature, top_k, top_p, generator)
    return _outputs(model, source, vocabulary, max_length, choose)


@torch.no_grad()
def complete(
    model: Any,
    prompts: Sequence[Sequence[int]],
    n_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """Continue texts with a model that has no source, only what was written before.

    Parameters
    ----------
    model
        Its ``start`` takes ids (B, T), and T may be 0.
    prompts : sequence of sequences of int
        The beginning of each text, one token or more; the lengths may differ. If the model reads
        padding, all is read at once by ``start``; else what all have, and the rest token by token.
    n_tokens : int
        Tokens that each text gets, at most.
    temperature, top_k, top_p, generator
        As in `sample`.
    stop : collection of int
        A text ends where one of these is written.

    Returns
    -------
    list of list of int
        What comes after each prompt, without the token that stopped it.

    Examples
    --------
    >>> class Counting:  # after n comes n + 1; it remembers nothing
    ...     def start(self, ids):
    ...         return self
    ...     def step(self, tokens, state):
    ...         return (torch.arange(10) == tokens[:, None] + 1).double().log(), state
    ...     def select(self, rows):
    ...         return self
    >>> complete(Counting(), [[1, 2], [6]], 4, stop=[9])
    [[3, 4, 5, 6], [7, 8]]
    """
    _check_model(model)
    choose = _chooser(temperature, top_k, top_p, generator)
    n_tokens = integer(n_tokens, "n_tokens", 0)
    texts = [_ids(prompt, "prompts", least=1) for prompt in listed(prompts, "prompts", "token ids")]
    ends = set(_ids(listed(stop, "stop", "token ids"), "stop"))
    if not texts:
        return []
    lengths = [len(text) - 1 for text in texts]  # the last token is read by `write`: for its scores
    with evaluating(model):
        if getattr(model, "reads_padding", False) and min(lengths) < max(lengths):
            T, device = max(lengths), _device(model)
            padded = [[0] * (T - len(text) + 1) + text[:-1] for text in texts]
            real = torch.arange(T) >= T - torch.tensor(lengths)[:, None]  # (B, T)
            state = model.start(torch.tensor(padded, device=device), real.to(device))
            rests = [text[-1:] for text in texts]
        else:
            common = min(lengths)
            first = torch.tensor([text[:common] for text in texts], dtype=torch.int64)
            state = model.start(first.reshape(len(texts), common).to(_device(model)))
            rests = [text[common:] for text in texts]
        return write(model, state, rests, choose, n_tokens=n_tokens, stop=ends)


def adjust(
    scores: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """Return the scores from which a token is drawn: minus infinity for those that are cut off.

    Parameters
    ----------
    scores : Tensor, shape (..., V)
        Before the softmax.
    temperature : float, default 1
        More than 0. Below 1, probable tokens become more probable; above 1, less.
    top_k : int, optional
        Keep so many tokens, the most probable (more, where several have the score of the last).
    top_p : float, optional
        More than 0, at most 1. Of these, keep the fewest that have this share together.

    Returns
    -------
    Tensor, shape (..., V)
        In 32 bits or more.

    Examples
    --------
    >>> p = torch.tensor([0.5, 0.25, 0.125, 0.125])
    >>> adjust(p.log(), top_p=0.7).softmax(dim=-1)
    tensor([0.6667, 0.3333, 0.0000, 0.0000])
    """
    temperature, top_k, top_p = _settings(temperature, top_k, top_p)
    heat = min(max(between(0, temperature, math.inf, "temperature"), 1e-30), 1e30)  # in 32 bits
    scores = tensor(scores, "scores", (..., "V"), least=1)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    highest = scores.amax(dim=-1, keepdim=True)  # NaN where a NaN is
    if not highest.isfinite().all():
        raise ValueError("scores must hold a finite highest score in each row, got none in one")
    scores = (scores - highest) / heat  # 0 for the best
    if top_k is not None:
        last = scores.topk(min(top_k, scores.shape[-1])).values[..., -1:]
        scores = scores.masked_fill(scores < last, -math.inf)
    if top_p is not None and top_p < 1:  # 1 keeps all, however the sum of their shares is rounded
        ordered, places = scores.sort(dim=-1, descending=True)
        shares = ordered.softmax(dim=-1)
        enough = shares.cumsum(dim=-1) - shares >= top_p  # what stands before has the share alone
        enough[..., 0] = False
        scores = scores.masked_fill(enough.scatter(-1, places, enough), -math.inf)
    return scores


class Hypothesis(NamedTuple):
    """One output of a beam search."""

    tokens: list[int]  # without begin and end
    log_probability: float  # natural logarithm; that of the end included, if it was written
    finished: bool  # False if it was cut at the maximum length


@torch.no_grad()
def beam_search(
    model: Any,
    source: Tensor,
    vocabulary: Vocabulary,
    *,
    beam_width: int,
    max_length: int = 50,
    length_penalty: float = 0.0,
) -> list[list[Hypothesis]]:
    """Keep the most probable beginnings at each step; return the best outputs found.

    The probability of an output is the product over its tokens, and the most probable token at each
    step need not lead to the most probable output. A finished hypothesis stays in the beam with the
    probability that it has; so a beam of 1 is greedy decoding, and a beam as wide as there are
    outputs is exhaustive search.

    Parameters
    ----------
    beam_width : int
        Hypotheses that are kept for each source.
    length_penalty : float, default 0
        From 0 to 10. At the end the hypotheses are ordered by log probability divided by
        length ** length_penalty, where the length counts the end. 0 favours short outputs. The
        search itself goes by log probability.

    Returns
    -------
    list of list of Hypothesis
        For each source `beam_width` different hypotheses, or all that are possible if these are
        fewer, the best first.
    """
    width, steps = integer(beam_width, "beam_width", 1), integer(max_length, "max_length", 1)
    if (penalty := number(length_penalty, "length_penalty", 0)) > 10:
        raise ValueError(f"length_penalty must be at most 10, got {penalty}")
    begin, end, never = _ends(model, source, vocabulary)
    B, device = len(source), source.device
    if B == 0:
        return []
    with evaluating(model):
        first = torch.arange(B, device=device)[:, None] * width  # (B, 1): the beam's first row
        state = model.start(source).select(torch.arange(B, device=device).repeat_interleave(width))
        # All hypotheses of a beam begin alike; so at first only one of them is possible.
        totals = torch.full((B, width), -math.inf, device=device)
        totals[:, 0] = 0
        written = torch.full((B, width, 1), begin, device=device)
        finished = torch.zeros((B, width), dtype=torch.bool, device=device)
        for _ in range(steps):
            scores, state = model.step(written[:, :, -1].flatten(), state)
            wanted = (B * width, "V")
            scores = tensor(scores, "the scores of model.step", wanted, least=_least([*never, end]))
            alive = ~finished & (totals > -math.inf)  # (B, width)
            more = _log_shares(scores, never).reshape(B, width, -1)  # (B, width, V)
            if (more.isnan().any(dim=2) & alive).any():
                raise ValueError("model must give numbers as scores, got NaN or infinity")
            # A finished hypothesis goes on in one way only, which costs nothing.
            more = more.masked_fill(~alive[:, :, None], -math.inf)
            more[:, :, end] = more[:, :, end].masked_fill(finished, 0)
            V = more.shape[2]
            totals, best = (totals[:, :, None] + more).flatten(1).topk(width)  # (B, width)
            parent, tokens = best // V, best % V
            state = state.select((first + parent).flatten())
            written = written.gather(1, parent[:, :, None].expand_as(written))
            written = torch.cat([written, tokens[:, :, None]], dim=2)
            finished = finished.gather(1, parent) | (tokens == end)
            if (finished | totals.isinf()).all():
                break
    found = zip(written[:, :, 1:].tolist(), totals.tolist(), finished.tolist(), strict=True)
    return [_ordered(*beam, end, penalty) for beam in found]


def _log_shares(scores: Tensor, never: list[int]) -> Tensor:
    """Return log P of all tokens, minus infinity for some, and where nothing is possible."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    nothing = (scores == -math.inf).all(dim=-1, keepdim=True)
    shares = scores.log_softmax(dim=-1).masked_fill(nothing, -math.inf)
    shares[..., never] = -math.inf
    return shares


def _ordered(
    written: list[list[int]],
    totals: list[float],
    finished: list[bool],
    end: int,
    penalty: float,
) -> list[Hypothesis]:
    """Return the hypotheses that are possible, the best first."""
    found = [
        Hypothesis(tokens[: tokens.index(end)] if done else tokens, total, done)
        for tokens, total, done in zip(written, totals, finished, strict=True)
        if total > -math.inf
    ]
    if not found:
        raise ValueError("model must leave a token possible, all scores are minus infinity")
    return sorted(
        found, key=lambda one: -one.log_probability / (len(one.tokens) + one.finished) ** penalty
    )


def log_probability(model: Any, source: Tensor, target: Tensor) -> Tensor:
    """Return the log probability that a model gives to whole outputs.

    Parameters
    ----------
    model : Module
        ``model(source, target)`` returns the scores of the next tokens, (B, T_target, V); its
        attribute ``padding`` is the id of the pad token.
    source, target : Tensor of int64, shapes (B, T_source) and (B, T_target)
        Targets with their begin and, if they are to be finished, their end.

    Returns
    -------
    Tensor, shape (B,)
        The sum over all tokens after the first, padding left out.
    """
    function(model, "model", "a Module")
    for name, given in {"source": source, "target": target}.items():
        tensor(given, name, ("B", "T"), dtype=torch.int64, least=1)
    scores = tensor(model(source, target[:, :-1]), "the scores of model", ("B", "T", "V"))
    wide = torch.promote_types(scores.dtype, torch.float32)
    shares = scores.to(wide).log_softmax(dim=-1)  # (B, T_target - 1, V)
    after = ids(target, "target", shares.shape[-1])[:, 1:]
    chosen = shares.gather(2, after[:, :, None])[:, :, 0]  # (B, T_target - 1)
    return chosen.masked_fill(after == model.padding, 0).sum(dim=1)


# --- behind the door ------------------------------------------------------------------------------


def _outputs(
    model: Any, source: Tensor, vocabulary: Vocabulary, max_length: int, choose: Choose
) -> list[list[int]]:
    """Write an output for each source."""
    steps = integer(max_length, "max_length", 1)
    begin, end, never = _ends(model, source, vocabulary)
    if len(source) == 0:
        return []
    with evaluating(model):
        state, prompts = model.start(source), [[begin]] * len(source)
        return write(model, state, prompts, choose, n_tokens=steps, stop={end}, never=never)


def _most_probable(scores: Tensor) -> Tensor:
    """Return the token with the highest score, (B,), of scores (B, V)."""
    return scores.argmax(dim=-1)


def _settings(
    temperature: float, top_k: int | None, top_p: float | None
) -> tuple[float, int | None, float | None]:
    heat = number(temperature, "temperature", 0)
    if top_k is not None:
        top_k = integer(top_k, "top_k", 1)
    if top_p is not None and not 0 < (top_p := number(top_p, "top_p")) <= 1:
        raise ValueError(f"top_p must be more than 0 and at most 1, got {top_p}")
    return heat, top_k, top_p


def _chooser(
    temperature: float, top_k: int | None, top_p: float | None, generator: torch.Generator | None
) -> Choose:
    """Return what draws a token per row, after a look at the settings."""
    heat, top_k, top_p = _settings(temperature, top_k, top_p)
    if generator is not None:
        instance(generator, "generator", torch.Generator)
    if heat == 0:
        return _most_probable

    def draw(scores: Tensor) -> Tensor:
        shares = adjust(scores, temperature=heat, top_k=top_k, top_p=top_p).softmax(dim=-1)
        shares = shares if generator is None else shares.to(generator.device)
        return torch.multinomial(shares, 1, generator=generator)[:, 0]

    return draw


def _possible(scores: Tensor, never: list[int], rows: list[int]) -> Tensor:
    """Forbid what is never written in scores (n, V); refuse NaN, and rows with nothing possible."""
    scores = scores.clone()
    scores[:, never] = -math.inf
    highest = scores.amax(dim=-1)  # (n,): NaN where a NaN is
    for row, score in zip(rows, highest.tolist(), strict=True):
        if score == -math.inf:
            wanted = "model must leave a token possible, all scores are minus infinity"
            raise ValueError(f"{wanted} in row {row}")
        if not score < math.inf:
            raise ValueError(f"model must give numbers as scores, got {score} in row {row}")
    return scores


def _ends(model: Any, source: Any, vocabulary: Any) -> tuple[int, int, list[int]]:
    """Return what begins and what ends an output, and what is never written; check the door."""
    _check_model(model)
    if not isinstance(source, Tensor) or source.dim() == 0:
        got = came(source)
        raise TypeError(f"source must be a Tensor with a row for each output, got {got}")
    words = instance(vocabulary, "vocabulary", Vocabulary)
    never = {words.begin, *([words.pad] if words.has("pad") else [])}
    return words.begin, words.end, list(never - {words.end})  # GPT-2 has one token for both ends


def _check_model(model: Any) -> None:
    if not all(callable(getattr(model, name, None)) for name in ("start", "step")):
        raise TypeError(f"model must have the methods start and step, got {type(model).__name__}")


def _ids(values: Any, name: str, least: int = 0) -> list[int]:
    dense = isinstance(values, Tensor) and values.layout == torch.strided
    values = values.tolist() if dense else values
    return integers(values, name, least=least, item=lambda value, name: integer(value, name, 0))


def _least(known: Collection[int]) -> int:
    """Return how many scores there must be, so that these tokens are among them."""
    return 1 + max(known, default=0)


def _device(model: Any) -> torch.device:
    """Return where a model computes."""
    some = next(model.parameters(), None) if isinstance(model, nn.Module) else None
    return torch.device("cpu") if some is None else some.device


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a Module into evaluation mode, and each of its parts back into the mode that it had."""
    parts = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [part for part in parts if part.training]
    for part in training:
        part.training = False
    try:
        yield
    finally:
        for part in training:
            part.training = True
