"""Training a translator: label smoothing, a warm-up, and batches that grow.

The loss of a token is the cross-entropy with a target that is not quite sure: 1 - e for the right
token, and e shared by all V tokens. The learning rate rises over the first tenth of the training
and then falls, as half a cosine each::

    rate(share of the training) = min(1, cosine(share) sqrt(B / B_0)) * highest rate

A larger batch has a less noisy gradient; so instead of making the steps smaller and smaller, the
later part takes larger batches B (B_0 is the first size), which a computer does faster. The vectors
of the tokens get a higher rate of their own: most words are rare, and their vectors get few
gradients. `train_translator` is a recipe; the loop is that of `companion.basics.training.fit`.

References (in full in the chapter's bibliography): Szegedy and others (2016), label smoothing;
Vaswani and others (2017), warm-up; Smith and others (2018), larger batches in place of smaller
steps.

Chapter: book/transformer/translation.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import between, came, ids, instance, integer, listed, share, tensor
from companion.basics.training import fit
from companion.runs.batches import Batch
from companion.sequences.seq2seq.batching import (
    EncodedPair,
    checked_pairs,
    pad_pairs,
    teacher_forcing,
)

STAGES = ((0.20, 32), (0.20, 64), (0.25, 128), (0.35, 256))  # shares, and sizes of a batch
RISE = 0.1  # the share of the training in which the learning rate rises


def smooth_cross_entropy(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, *, padding: int = 0
) -> Tensor:
    """Return the mean cross-entropy with label smoothing, padding left out.

    Parameters
    ----------
    logits, targets : Tensor, shapes (B, T, V) and (B, T)
        Scores of the next tokens, and the ids of the right ones.
    smoothing : float, default 0
        The share e that is taken from the right token and spread over all V: at least 0, below 1.
    padding : int, default 0
        The id of the pad token, which does not count.

    Examples
    --------
    >>> logits = torch.zeros(1, 1, 4)  # each of four tokens is equally probable
    >>> round(smooth_cross_entropy(logits, torch.tensor([[3]]), 0.1).item(), 4)  # log 4
    1.3863
    """
    logits = tensor(logits, "logits", ("B", "T", "V"), least=1)
    B, T, V = logits.shape
    padding = integer(padding, "padding", 0)
    ids(targets, "targets", V, (B, T))
    if not (targets != padding).any():
        raise ValueError("targets must hold a token, got only padding")
    smoothing, flat = share(smoothing, "smoothing"), (logits.flatten(0, 1), targets.flatten())
    return functional.cross_entropy(*flat, ignore_index=padding, label_smoothing=smoothing)


def warm_up_rate(step: int, *, d_model: int, warm_up: int) -> float:
    """Return the learning rate of the paper: a straight rise, then a fall as 1 / sqrt(step).

    It is min(step ** -0.5, step * warm_up ** -1.5) / sqrt(D) for a model of width D, with steps
    counted from 1, and greatest at the step `warm_up`. Vaswani et al. (2017), equation 3, have
    D = 512 and 4,000 steps of warm-up.

    Examples
    --------
    >>> round(warm_up_rate(4000, d_model=512, warm_up=4000), 6)
    0.000699
    """
    step, rise = integer(step, "step", 1), integer(warm_up, "warm_up", 1)
    return min(step**-0.5, step * rise**-1.5) / math.sqrt(integer(d_model, "d_model", 1))


def rate_level(done: float, growth: float = 1.0) -> float:
    """Return the learning rate of `train_translator` as a share of the highest.

    `done` says how much of the training is done, from 0 to 1; `growth` is the batch size in units
    of the first one.

    Examples
    --------
    >>> [round(rate_level(done), 2) for done in (0.05, 0.1, 0.55, 1.0)]
    [0.51, 1.0, 0.5, 0.0]
    """
    if not 0 <= done <= 1:
        raise ValueError(f"done must be from 0 to 1, got {done}")
    if done < RISE:
        wave = (1 - math.cos(math.pi * (done + 0.001) / (RISE + 0.001))) / 2
    else:
        wave = (1 + math.cos(math.pi * (done - RISE) / (1 - RISE))) / 2
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
    model, pairs, seed
        As of `companion.sequences.seq2seq.train_seq2seq`.
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

    Returns
    -------
    ndarray, shape (steps,)
        The loss of each batch, just before the update it led to.
    """
    instance(model, "model", nn.Module)
    rate = between(0, learning_rate, math.inf, "learning_rate")
    factor = between(0, embedding_factor, math.inf, "embedding_factor")
    pairs, smoothing = checked_pairs(pairs), share(smoothing, "smoothing")
    parts = _parts(len(pairs), passes, stages)
    sizes = np.array([size for n, size in parts for _ in range(-(-n // size))])  # of each step
    done = np.cumsum(sizes) / sizes.sum()
    groups = zip(_groups(model), (factor * rate, rate), strict=True)
    settings = [{"params": parameters, "lr": lr} for parameters, lr in groups]
    padding = integer(getattr(model, "padding", None), "model.padding", 0)
    history = fit(
        model,
        lambda generator: _deal(pairs, parts, padding, generator),
        loss=lambda model, batch: teacher_forcing(model, batch, smoothing),
        optimizer=torch.optim.Adam(settings, rate, betas=(0.9, 0.99), fused=True),
        epochs=1,
        schedule=lambda step: rate_level(done[step - 1] if step else 0, sizes[step] / sizes[0]),
        clip_norm=1.0,
        seed=seed,
    )
    return np.array(history.step_loss)


def _parts(
    n_pairs: int, passes: float, stages: Sequence[tuple[float, int]]
) -> list[tuple[int, int]]:
    """Return for each stage how many pairs it shows, and its batch size."""
    shown = round(between(0, passes, math.inf, "passes") * n_pairs)
    if shown == 0:
        raise ValueError(f"passes must show a pair, got {passes} passes of {n_pairs} pairs")
    wanted = "pairs of a share and a batch size"
    found = [listed(one, "stages", wanted) for one in listed(stages, "stages", wanted)]
    if any(len(one) != 2 for one in found):
        raise ValueError(f"stages must be {wanted}, got {came(stages)}")
    shares = [between(0, part, math.inf, "a share of stages") for part, _ in found]
    sizes = [integer(size, "a batch size of stages", 1) for _, size in found]
    if not math.isclose(sum(shares), 1):
        raise ValueError(f"stages must have shares with the sum 1, got {came(stages)}")
    counts = np.diff(np.round(np.cumsum(shares) * shown).astype(int), prepend=0)
    return list(zip(counts.tolist(), sizes, strict=True))


def _deal(
    pairs: Sequence[EncodedPair],
    parts: Sequence[tuple[int, int]],
    padding: int,
    generator: torch.Generator,
) -> Iterator[Batch]:
    """Yield the batches of all stages.

    Pairs in a batch have targets of similar lengths, not of the same: equal lengths would mean
    equal patterns, and one-sided gradients. (Sorted by length alone, 2 passes over 14,000 sentences
    of the town gave 65 % exactly right; in groups of 4 lengths, 74 to 81 % with three seeds.)
    """
    shown = sum(n for n, _ in parts)
    repeats = [
        torch.randperm(len(pairs), generator=generator) for _ in range(-(-shown // len(pairs)))
    ]
    order = torch.cat(repeats)[:shown]
    for (_, size), part in zip(parts, order.split([n for n, _ in parts]), strict=True):
        alike = sorted(part.tolist(), key=lambda number: len(pairs[number][1]) // 4)
        starts = torch.arange(0, len(alike), size)
        for start in starts[torch.randperm(len(starts), generator=generator)].tolist():
            source, target = pad_pairs([pairs[i] for i in alike[start : start + size]], padding)
            yield {"source": source, "target": target}


def _groups(model: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the parameters in two groups: those of embeddings, and all others."""
    embeddings = [module for module in model.modules() if isinstance(module, nn.Embedding)]
    first = {parameter: None for module in embeddings for parameter in module.parameters()}
    return list(first), [parameter for parameter in model.parameters() if parameter not in first]
