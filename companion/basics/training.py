"""Training: splits, optimisers and the loop that lets a network learn from data.

One step takes a batch of B samples, measures the loss L, and moves every parameter w against its
gradient g = dL/dw; lr is the learning rate::

    SGD:    v = momentum * v + g,                w = w - lr * v
    Adam:   m = b1 * m + (1 - b1) * g,           s = b2 * s + (1 - b2) * g**2
            w = w - lr * (m / (1 - b1**t)) / (sqrt(s / (1 - b2**t)) + eps)
    AdamW:  w = (1 - lr * weight_decay) * w, then Adam

An epoch is ceil(N / B) steps, which show every sample once. What this module leaves out: schedules
of the learning rate, data that does not fit into memory.

References (in full in the chapter's bibliography): Robbins and Monro (1951), stochastic descent;
Kingma and Ba (2015), Adam; Pascanu, Mikolov and Bengio (2013), clipping.

Chapter: book/basics/training.ipynb
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from torch import Tensor, nn

from companion import figures, progress
from companion.arguments import between, integer
from companion.runs import Run

Data = tuple[Tensor, Tensor]  # inputs (N, ...) and targets (N, ...)
Function = Callable[[Tensor, Tensor], Any]  # of outputs and targets: a loss or a metric


def split(
    n: int, fractions: Sequence[float], *, seed: int, stratify: ArrayLike | None = None
) -> list[np.ndarray]:
    """Deal the samples 0 to n - 1 at random into parts, so that each is in exactly one part.

    Parameters
    ----------
    n : int
        Number of samples.
    fractions : sequence of float
        The share of each part, such as ``(0.8, 0.1, 0.1)``; positive, with the sum 1.
    seed : int
        The same seed gives the same parts.
    stratify : array_like, shape (n,), optional
        The class of each sample. Every part then has the classes in nearly the same shares.

    Returns
    -------
    list of ndarray of int
        One array of sample numbers per part, in random order.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong, or a part would be empty.

    Examples
    --------
    >>> [part.tolist() for part in split(5, (0.6, 0.2, 0.2), seed=0)]
    [[2, 4, 3], [0], [1]]
    """
    n = integer(n, "n", 1)
    shares = np.asarray(fractions, dtype=float)
    if shares.ndim != 1 or not (shares > 0).all() or not math.isclose(shares.sum(), 1):
        raise ValueError(f"fractions must be positive numbers with the sum 1, got {fractions!r}")
    sizes = np.diff(np.rint(n * np.cumsum(shares)).astype(int), prepend=0)
    if (sizes == 0).any():
        raise ValueError(f"n={n} samples are too few for the fractions {fractions!r}: got {sizes}")
    rng = np.random.default_rng(integer(seed, "seed", 0))
    order = rng.permutation(n)
    if stratify is None:
        return np.split(order, np.cumsum(sizes)[:-1])
    classes = np.asarray(stratify)
    if classes.shape != (n,):
        raise ValueError(f"stratify must have the shape ({n},), got {classes.shape}")
    order = order[np.argsort(classes[order], kind="stable")]  # class by class
    # Spread the parts evenly along this row, so that each takes its share of every class.
    places = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
    part = np.repeat(np.arange(len(sizes)), sizes)[np.argsort(places, kind="stable")]
    return [rng.permutation(order[part == number]) for number in range(len(sizes))]


def iterations_per_epoch(n_samples: int, batch_size: int, *, drop_last: bool = False) -> int:
    """Count the steps (updates of the parameters) that show every sample once.

    Parameters
    ----------
    n_samples, batch_size : int
        1 or more.
    drop_last : bool, default False
        Leave out a last batch that is smaller than the others.

    Returns
    -------
    int
        n_samples / batch_size, rounded up; with `drop_last`, rounded down.

    Raises
    ------
    TypeError, ValueError
        If a number is no integer of 1 or more, or no batch is left.

    Examples
    --------
    >>> iterations_per_epoch(2000, 200)
    10
    >>> iterations_per_epoch(2000, 192), iterations_per_epoch(2000, 192, drop_last=True)
    (11, 10)
    """
    full, left = divmod(integer(n_samples, "n_samples", 1), integer(batch_size, "batch_size", 1))
    if drop_last and full == 0:
        raise ValueError(
            f"with drop_last, batch_size must be {n_samples} or less, got {batch_size}"
        )
    return full if drop_last or left == 0 else full + 1


class SGD(torch.optim.Optimizer):
    """Stochastic gradient descent, with momentum if wanted.

    Parameters
    ----------
    params : iterable of Tensor
        What is to be learned, such as ``model.parameters()``.
    lr : float, default 0.001
        The learning rate; named as in ``torch.optim``, whose schedules look for it.
    momentum : float, default 0
        How much of the last movement is kept: 0 or more, less than 1.
    """

    def __init__(self, params: Iterable[Any], lr: float = 0.001, *, momentum: float = 0) -> None:
        between(0, lr, math.inf, "lr")
        if momentum != 0:
            between(0, momentum, 1, "momentum")
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every parameter that has a gradient; `closure` as in ``torch.optim``."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, parameter, gradient in _gradients(self):
            state = self.state[parameter]
            velocity = group["momentum"] * state.get("velocity", 0) + gradient
            if group["momentum"] != 0:
                state["velocity"] = velocity
            parameter -= group["lr"] * velocity
        return loss


class Adam(torch.optim.Optimizer):
    """Adam: momentum, and steps that are scaled, parameter by parameter, by recent gradients.

    Parameters
    ----------
    params, lr
        As in `SGD`; here `lr` is about how far one step moves a parameter.
    betas : tuple of two floats, default (0.9, 0.999)
        How much the means of the gradient and of its square keep: between 0 and 1.
    eps : float, default 1e-8
        Keeps the division from dividing by zero.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        **more: float,
    ) -> None:
        between(0, lr, math.inf, "lr")
        between(0, eps, math.inf, "eps")
        betas = (between(0, betas[0], 1, "betas[0]"), between(0, betas[1], 1, "betas[1]"))
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, **more})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every parameter that has a gradient; `closure` as in ``torch.optim``."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, parameter, gradient in _gradients(self):
            state, (beta1, beta2) = self.state[parameter], group["betas"]
            step = state["step"] = state.get("step", 0) + 1
            mean = state["mean"] = beta1 * state.get("mean", 0) + (1 - beta1) * gradient
            square = state["square"] = beta2 * state.get("square", 0) + (1 - beta2) * gradient**2
            parameter *= 1 - group["lr"] * group.get("weight_decay", 0)  # AdamW alone has one
            # Both means start at 0 and are too small at first; the divisions make up for it.
            scale = (square / (1 - beta2**step)).sqrt() + group["eps"]
            parameter -= group["lr"] * (mean / (1 - beta1**step)) / scale
        return loss


class AdamW(Adam):
    """Adam with weight decay: each step first multiplies the parameters by 1 - lr * weight_decay.

    Parameters
    ----------
    params, lr, **options
        As in `Adam`.
    weight_decay : float, default 0.01
        Greater than 0.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        *,
        weight_decay: float = 0.01,
        **options: Any,
    ) -> None:
        between(0, weight_decay, math.inf, "weight_decay")
        super().__init__(params, lr, weight_decay=weight_decay, **options)


def _gradients(optimizer: torch.optim.Optimizer) -> Iterator[tuple[dict[str, Any], Tensor, Tensor]]:
    """Yield every parameter that has a gradient, with its settings and the gradient."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                yield group, parameter, parameter.grad


@dataclass
class History:
    """What happened in each epoch of a training.

    Attributes
    ----------
    train_loss : list of float
        Mean loss over the samples of the epoch, each measured just before the update it led to.
    validation_loss : list of float
        Mean loss on the validation data after the epoch; empty without such data.
    metrics : dict of str to list of float
        Each metric on the validation data after the epoch.
    seconds : float
        How long all epochs took together.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the smallest validation loss (the first of equals)."""
        if not self.validation_loss:
            raise ValueError("best_epoch needs a validation loss, but none was measured")
        return int(np.argmin(self.validation_loss)) + 1

    def plot(self, ax: Axes) -> None:
        """Draw the loss over the epochs, on training and, if there is any, validation data."""
        curves = {"training": self.train_loss, "validation": self.validation_loss}
        epochs = np.arange(1, len(self.train_loss) + 1)
        figures.draw_curves(ax, epochs, {name: losses for name, losses in curves.items() if losses})
        ax.set(xlabel="epoch", ylabel="loss")


def fit(
    model: nn.Module,
    train: Data,
    *,
    loss: Function,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int = 32,
    validation: Data | None = None,
    metrics: Mapping[str, Function] | None = None,
    clip_norm: float | None = None,
    patience: int | None = None,
    keep_best: bool = False,
    seed: int = 0,
    device: str | torch.device | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = True,
) -> History:
    """Train a model, and tell how it went.

    The model comes back in evaluation mode, on the device where it was, PyTorch's own random
    generator as it was. If ``torchrun`` starts W processes, a step takes W * `batch_size` samples,
    each process its share; dropout and batch norm apart, the result is that of one process with
    this batch. Each process has all data, and measures all validation data; the means count.

    Parameters
    ----------
    model, optimizer : Module and torch.optim.Optimizer
        The parameters of the model are changed; the optimiser must be made with them.
    train : tuple of two Tensors, shapes (N, ...)
        Inputs and targets.
    loss : callable
        ``loss(outputs, targets)`` gives a tensor with one number, a mean over the batch.
    epochs, batch_size : int
        How often all samples are shown, and how many in a step; an epoch's last may have fewer.
    validation : tuple of two Tensors, optional
        Data to measure, not to learn from.
    metrics : mapping of str to callable, optional
        ``metric(outputs, targets)`` gives a number, for all validation data at once, on the CPU.
    clip_norm : float, optional
        If the norm of all gradients together is greater, they are scaled down to it.
    patience : int, optional
        Stop after so many epochs in a row without a new smallest validation loss.
    keep_best : bool, default False
        Return the parameters of the epoch with the smallest validation loss, not of the last.
    seed : int, default 0
        Everything random follows from it: the order of the samples, dropout.
    device : str or torch.device, optional
        Where to compute; the default is "cuda" where there is one, else "cpu".
    checkpoint : path, optional
        A folder. The whole state is written there before the first epoch and after each one.
    resume : bool, default True
        Go on from the checkpoint, if there is one. The run ends with the same parameters, bit for
        bit, as if it had never been interrupted. `epochs` may be greater than it was.

    Returns
    -------
    History
        The losses and metrics of all epochs, those before an interruption included.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong; a loss, metric or parameter becomes NaN or infinite; the checkpoint
        is damaged, or belongs to a training with other data or settings.
    """
    metrics = dict(metrics or {})
    for name, function in {"loss": loss, **metrics}.items():
        if not callable(function):
            raise TypeError(f"{name} must be a function of outputs and targets, got {function!r}")
    if validation is None and (metrics or patience is not None or keep_best):
        raise ValueError("metrics, patience and keep_best need validation data, got None")
    integer(epochs, "epochs", 1)
    integer(batch_size, "batch_size", 1)
    if patience is not None:
        integer(patience, "patience", 1)
    if clip_norm is not None:
        between(0, clip_norm, math.inf, "clip_norm")
    run = Run(model, optimizer, checkpoint, seed=integer(seed, "seed", 0), device=device)
    settings = {"batch_size": batch_size, "clip_norm": clip_norm, "patience": patience}
    settings |= {"keep_best": keep_best, "metrics": list(metrics)}
    run.describe({"train": train, "validation": validation}, **settings)
    n_samples, together = len(train[0]), batch_size * run.processes.size
    n_steps = iterations_per_epoch(n_samples, together)
    history, best = History(metrics={name: [] for name in metrics}), {}

    with run, progress.bar(total=epochs * n_steps) as bar:
        if resume and run.exists():
            notes, best = run.load()
            history = History(**notes)
        else:
            run.save((vars(history), best))
        if (done := len(history.train_loss)) > epochs:
            raise ValueError(f"epochs must be {done} or more, as in the checkpoint, got {epochs}")
        bar.update(done * n_steps)
        for epoch in range(done + 1, epochs + 1):
            if patience and epoch > 1 and epoch - 1 - history.best_epoch >= patience:
                break
            start, losses = time.perf_counter(), []
            model.train()
            batches = torch.randperm(n_samples, generator=run.order).split(together)
            for step, batch in enumerate(batches, 1):
                optimizer.zero_grad()
                outputs, targets = run.forward(train, batch)
                value = loss(outputs, targets)
                losses.append(run.number(value, "loss", f"in epoch {epoch}, step {step}", batch))
                run.backward(value, batch)
                if clip_norm is not None:
                    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)
                optimizer.step()
                bar.update()
            run.end_epoch(epoch)
            history.train_loss.append(np.dot(losses, list(map(len, batches))).item() / n_samples)
            if validation is not None:
                where = f"on the validation data after epoch {epoch}"
                outputs, targets = run.evaluate(validation, batch_size)
                history.validation_loss.append(run.number(loss(outputs, targets), "loss", where))
                outputs, targets = outputs.cpu(), targets.cpu()
                for name, metric in metrics.items():
                    history.metrics[name].append(run.number(metric(outputs, targets), name, where))
            if keep_best and history.best_epoch == epoch:
                best = {name: value.clone() for name, value in model.state_dict().items()}
            history.seconds += time.perf_counter() - start
            run.save((vars(history), best))
        if keep_best:
            model.load_state_dict(best)
    return history
