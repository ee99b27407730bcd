"""Measures: losses and metrics, as the mean over all that they have counted.

A measure is called with two arguments: a model's outputs and the targets, or the model and a batch.
It gives one number, the mean over the rows of the batch, or the tuple (sum, count). However the
counts n_i are spread over batches and processes, the mean is the same; it is kept without any large
sum::

    N = N + n_i,    mean = mean + (mean_i - mean) * n_i / N

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from companion.arguments import came
from companion.runs.batches import Batch, Source, n_rows
from companion.runs.run import Run

Measure = Callable[[Any, Any], Any]


@dataclass
class Mean:
    """The mean of all that has been counted so far."""

    mean: float = 0.0
    count: float = 0.0

    def add(self, mean: float, count: float) -> float:
        """Count more, of which `mean` is the mean; return its weight, the share of all so far.

        What counts nothing changes nothing, not even if its mean is NaN.
        """
        if count == 0:
            return 0.0
        self.count += count
        weight = count / self.count
        self.mean += (mean - self.mean) * weight
        return weight


def outputs_and_targets(model: nn.Module, batch: Batch) -> tuple[Any, Any]:
    """Return what measures are called with if the data are a pair of tensors."""
    return model(batch["inputs"]), batch["targets"]


def model_and_batch(model: nn.Module, batch: Batch) -> tuple[Any, Any]:
    """Return what measures are called with if the data are a source."""
    return model, batch


class Evaluation:
    """Loss and metrics on validation data, which every process measures as a whole.

    A metric that gives one number for outputs and targets is called for those of all batches
    together, which are kept on the CPU for it. `rehearse` finds out which do.
    """

    def __init__(
        self, run: Run, source: Source, measures: Mapping[str, Measure], given: Callable[..., Any]
    ) -> None:
        self.run, self.source, self.measures, self.given = run, source, measures, given
        self.whole: list[str] = []

    @torch.no_grad()
    def rehearse(self) -> None:
        """Measure one batch, so that mistakes show before anything is trained."""
        first = None
        with self.run.random():
            for first in itertools.islice(self._batches(), 1):
                for name, measure in self.measures.items():
                    value = call(name, measure, first[0])
                    mean_of(name, value, first[1], "on the validation data before epoch 1")
                    if name == "loss" or self.given is model_and_batch or type(value) is tuple:
                        continue
                    self.whole.append(name)
                    if not isinstance(outputs := first[0][0], Tensor):
                        why = f"the outputs of model are no tensor but a {type(outputs).__name__}"
                        rule = f"{name} must give (sum, count), since {why}"
                        raise TypeError(f"{rule}; it gave one number")
        if first is None:
            raise ValueError("validation must make one batch or more, made none")

    @torch.no_grad()
    def after(self, epoch: int) -> dict[str, float]:
        """Return the mean of each measure over all batches; refuse what is not finite."""
        where = f"on the validation data after epoch {epoch}"
        means = {name: Mean() for name in self.measures}
        everything: list[tuple[Tensor, Tensor]] = []
        for arguments, rows in self._batches():
            if self.whole:
                everything.append((arguments[0].cpu(), arguments[1].cpu()))
            for name, measure in self.measures.items():
                if name not in self.whole:
                    value = call(name, measure, arguments)
                    value, count = mean_of(name, value, rows, where)
                    means[name].add(plain(name, value, where), count)
        for name in self.whole:
            outputs, targets = map(torch.cat, zip(*everything, strict=True))
            value = self.measures[name](outputs, targets)
            means[name].add(plain(name, value, where), len(targets))
        return {
            name: finite_mean(name, self.run.processes.mean(total.mean), total.count, where)
            for name, total in means.items()
        }

    def _batches(self) -> Iterator[tuple[tuple[Any, Any], int]]:
        """Yield what the measures are called with, and how many rows it has."""
        self.run.model.eval()
        for batch in self.source(torch.Generator().manual_seed(self.run.seed)):
            moved = {name: value.to(self.run.device) for name, value in batch.items()}
            yield self.given(self.run.model, moved), n_rows(batch)


def call(name: str, measure: Measure, arguments: tuple[Any, Any]) -> Any:
    """Call a measure; if it does not understand what a model returned, say so."""
    try:
        return measure(*arguments)
    except (TypeError, AttributeError) as error:
        outputs = arguments[0]
        if isinstance(outputs, Tensor | nn.Module):
            raise
        came_as = type(outputs).__name__
        raise TypeError(
            f"{name} must take what model returns, a {came_as}, but: {error}"
        ) from error


def mean_of(name: str, value: Any, rows: int, where: str) -> tuple[Any, float]:
    """Return the mean that a measure gave for a batch, and of how many it is one."""
    if not isinstance(value, tuple):
        plain(name, value, where)
        return value, rows
    if len(value) != 2:
        wanted = f"{name} must give one number or (sum, count)"
        raise TypeError(f"{wanted}, gave a tuple of {len(value)} {where}")
    total, count = value[0], plain(f"the count of {name}", value[1], where)
    plain(name, total, where)
    if not 0 <= count < math.inf:
        raise ValueError(f"the count of {name} must be 0 or more and finite, got {count} {where}")
    return total / (count or 1.0), count


def plain(name: str, value: Any, where: str) -> float:
    """Return one number, finite or not, as a Python float."""
    number = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if isinstance(number, bool) or not isinstance(number, int | float | np.integer | np.floating):
        came_as = f"{type(value).__name__} {came(value)}"
        if isinstance(value, Tensor):
            came_as = f"a tensor of shape {tuple(value.shape)}"
        raise TypeError(f"{name} must give one number, gave {came_as} {where}")
    return float(number)


def finite_mean(name: str, value: float, count: float, where: str) -> float:
    """Return a mean over all that was counted; refuse NaN, infinity and a mean of nothing."""
    if count == 0:
        raise ValueError(f"{name} must count something, counted 0 {where}")
    if not math.isfinite(value):
        why = "is the learning rate too large, or something in the data?"
        raise ValueError(f"{name} became {value} {where}: {why}")
    return value
