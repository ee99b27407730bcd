"""Training a translator: label smoothing, a warm-up, and batches that grow.

The loss of a token is the cross-entropy with a target that is not quite sure: 1 - e for the right
token, and e shared by all V tokens. The learning rate rises over the first tenth of the training
and then falls, as half a cosine each::

    rate(share of the training) = min(1, cosine(share) sqrt(B / B_0)) * highest rate

A larger batch has a less noisy gradient; so instead of making the steps smaller and smaller, the
later part takes larger batches B (B_0 is the first size), which a computer does faster. The vectors
of the tokens get a higher rate of their own: most words are rare, and their vectors get few
gradients. What this module leaves out: validation while training, checkpoints.

References (in full in the chapter's bibliography): Szegedy and others (2016), label smoothing;
Vaswani and others (2017), warm-up; Smith and others (2018), larger batches in place of smaller
steps.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from companion import progress
from companion.arguments import between, integer, real
from companion.sequences.seq2seq import PAD, pad
from companion.sequences.seq2seq.batching import EncodedPair

STAGES = ((0.20, 32), (0.20, 64), (0.25, 128), (0.35, 256))  # shares, and sizes of a batch
RISE = 0.1  # the share of the training in which the learning rate rises


def smooth_cross_entropy(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy with label smoothing, padding left out.

    Parameters
    ----------
    logits : Tensor, shape (B, T, V)
        Scores of the next tokens.
    targets : Tensor of int64, shape (B, T)
        The right tokens; `PAD` does not count.
    smoothing : float, default 0
        The share e that is taken from the right token and spread over all V: at least 0, below 1.

    Returns
    -------
    Tensor with one number

    Raises
    ------
    TypeError, ValueError
        If `smoothing` is out of range, shapes do not fit, or there is no token.

    References
    ----------
    Szegedy et al. (2016), section 7.

    Examples
    --------
    >>> logits = torch.zeros(1, 1, 4)  # each of four tokens is equally probable
    >>> round(smooth_cross_entropy(logits, torch.tensor([[3]]), 0.1).item(), 4)  # log 4
    1.3863
    """
    if not 0 <= real(smoothing, "smoothing") < 1:
        raise ValueError(f"smoothing must be at least 0 and below 1, got {smoothing}")
    if logits.dim() != 3 or logits.shape[:2] != targets.shape:
        got = f"{tuple(logits.shape)} and {tuple(targets.shape)}"
        raise ValueError(f"logits (B, T, V) and targets (B, T) do not fit: got {got}")
    if not (targets != PAD).any():
        raise ValueError("targets must hold a token, got only [PAD]")
    return functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=PAD, label_smoothing=smoothing
    )


def warm_up_rate(step: int, *, d_model: int, warm_up: int) -> float:
    """Return the learning rate of the paper: a straight rise, then a fall as 1 / sqrt(step).

    Parameters
    ----------
    step : int
        Counted from 1.
    d_model : int
        Width D of the model.
    warm_up : int
        Steps of the rise.

    Returns
    -------
    float
        min(step ** -0.5, step * warm_up ** -1.5) / sqrt(D), greatest at the step `warm_up`.

    Raises
    ------
    TypeError, ValueError
        If a number is no integer of 1 or more.

    References
    ----------
    Vaswani et al. (2017), equation 3; there D = 512 and 4,000 steps of warm-up.

    Examples
    --------
    >>> round(warm_up_rate(4000, d_model=512, warm_up=4000), 6)
    0.000699
    """
    step, rise = integer(step, "step", 1), integer(warm_up, "warm_up", 1)
    return min(step**-0.5, step * rise**-1.5) / math.sqrt(integer(d_model, "d_model", 1))


def rate_level(share: float, growth: float = 1.0) -> float:
    """Return the learning rate of `train_translator` as a share of the highest.

    Parameters
    ----------
    share : float
        How much of the training is done, from 0 to 1.
    growth : float, default 1
        The batch size in units of the first one.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If `share` is not from 0 to 1.

    Examples
    --------
    >>> [round(rate_level(share), 2) for share in (0.05, 0.1, 0.55, 1.0)]
    [0.51, 1.0, 0.5, 0.0]
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must be from 0 to 1, got {share}")
    if share < RISE:
        wave = (1 - math.cos(math.pi * (share + 0.001) / (RISE + 0.001))) / 2
    else:
        wave = (1 + math.cos(math.pi * (share - RISE) / (1 - RISE))) / 2
    return min(1.0, wave * math.sqrt(growth))


def train_translator(
    model: nn.Module,
    pairs: Sequence[EncodedPair],
    *,
    passes: float = 1.0,
    stages: Sequence[tuple[float, int]] = STAGES,
    learning_rate: float = 0.003,
    embedding_factor: float = 4.0,
    smoothing: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Train a model on encoded pairs with teacher forcing, in batches that grow.

    Parameters
    ----------
    model : Module
        ``model(source, target)`` returns the scores of the next tokens, (B, T_target, V). Its
        parameters are changed; it comes back in evaluation mode.
    pairs : sequence of (list of int, list of int)
        As from `companion.sequences.seq2seq.encode_pairs`.
    passes : float, default 1
        How often the pairs are shown; 1.5 shows each once, and half of them twice.
    stages : sequence of (float, int)
        Shares of the training, with the sum 1, and the batch size in each.
    learning_rate : float
        The highest, for all parameters but the embeddings.
    embedding_factor : float, default 4
        By how much the rate of embeddings is higher: of all parameters of `nn.Embedding` modules.
    smoothing : float, default 0
        See `smooth_cross_entropy`.
    seed : int, default 0
        The order of the pairs.

    Returns
    -------
    ndarray, shape (steps,)
        The loss of each batch, just before the update it led to.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the loss becomes NaN or infinite.
    """
    rate = between(0, learning_rate, math.inf, "learning_rate")
    factor = between(0, embedding_factor, math.inf, "embedding_factor")
    plan = _plan(pairs, passes, stages, integer(seed, "seed", 0))
    device = next(model.parameters()).device
    optimizer = torch.optim.Adam(_groups(model), rate, betas=(0.9, 0.99), fused=True)
    total, seen, losses = sum(len(batch) for _, batch in plan), 0, []
    model.train()
    with progress.bar(total=total) as bar:
        for size, batch in plan:
            level = rate_level(seen / total, size / plan[0][0])
            for group, times in zip(optimizer.param_groups, (factor, 1.0), strict=True):
                group["lr"] = times * rate * level
            source = pad([pairs[number][0] for number in batch]).to(device)
            target = pad([pairs[number][1] for number in batch]).to(device)
            loss = smooth_cross_entropy(model(source, target[:, :-1]), target[:, 1:], smoothing)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
            if not math.isfinite(losses[-1]):
                raise ValueError(f"the loss became {losses[-1]} in step {len(losses)}")
            seen += len(batch)
            bar.update(len(batch))
    model.eval()
    return np.array(losses)


def _plan(
    pairs: Sequence[EncodedPair], passes: float, stages: Sequence[tuple[float, int]], seed: int
) -> list[tuple[int, list[int]]]:
    """Deal the numbers of the pairs into batches; return each with the batch size of its stage.

    Pairs in a batch have targets of similar lengths, not of the same: equal lengths would mean
    equal patterns, and one-sided gradients.
    """
    if len(pairs) == 0:
        raise ValueError("pairs must hold one pair or more, got none")
    shown = round(between(0, passes, math.inf, "passes") * len(pairs))
    shares = [between(0, share, math.inf, "a share of stages") for share, _ in stages]
    if shown == 0 or not math.isclose(sum(shares), 1):
        raise ValueError(f"stages must have shares with the sum 1, got {stages!r}, {passes} passes")
    rng = np.random.default_rng(seed)
    repeats = [rng.permutation(len(pairs)) for _ in range(math.ceil(passes))]
    order = np.concatenate(repeats)[:shown]
    ends = np.round(np.cumsum(shares) * shown).astype(int)[:-1]
    plan = []
    for part, (_, batch_size) in zip(np.split(order, ends), stages, strict=True):
        size = integer(batch_size, "a batch size of stages", 1)
        alike = sorted(part.tolist(), key=lambda number: len(pairs[number][1]) // 4)
        for start in rng.permutation(range(0, len(alike), size)).tolist():
            plan.append((size, alike[start : start + size]))
    return plan


def _groups(model: nn.Module) -> list[dict[str, list[nn.Parameter]]]:
    """Return the parameters in two groups: those of embeddings, and all others."""
    embeddings = [m for m in model.modules() if isinstance(m, nn.Embedding)]
    chosen = {id(parameter) for module in embeddings for parameter in module.parameters()}
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in model.parameters():
        groups[id(parameter) not in chosen].append(parameter)
    return [{"params": group} for group in groups]
