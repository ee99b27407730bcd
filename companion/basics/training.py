"""Training: splits, optimisers and the loop that lets a network learn from data.

One step takes a batch of B samples, measures the loss L, and moves every parameter w against its
gradient g = dL/dw; lr is the learning rate::

    SGD:    v = momentum * v + g,                w = w - lr * v
    Adam:   m = b1 * m + (1 - b1) * g,           s = b2 * s + (1 - b2) * g**2
            w = w - lr * (m / (1 - b1**t)) / (sqrt(s / (1 - b2**t)) + eps)
    AdamW:  w = (1 - lr * weight_decay) * w, then Adam

An epoch is ceil(N / B) steps, which show every sample once. `fit` is the one loop of the course: it
trains everything, from pairs of tensors or from any source of batches, alone or in several
processes. The loss of a step is the mean over all that it has counted, samples or tokens, however
they are spread over batches and processes::

    L = (sum of the losses) / (how many),    g = dL/dw

What this module leaves out: networks that are trained against each other, mixed precision.

References (in full in the chapter's bibliography): Robbins and Monro (1951), stochastic descent;
Kingma and Ba (2015), Adam; Pascanu, Mikolov and Bengio (2013), clipping.

Chapter: book/basics/training.ipynb
"""

from __future__ import annotations

import inspect
import itertools
import math
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from companion import progress
from companion.arguments import (
    between,
    came,
    class_labels,
    finite,
    flag,
    function,
    instance,
    integer,
    number,
    share,
)
from companion.runs.batches import Batch, Data, fingerprint, groups, source_of
from companion.runs.measures import (
    Evaluation,
    Mean,
    Measure,
    call,
    finite_mean,
    mean_of,
    model_and_batch,
    outputs_and_targets,
    plain,
)
from companion.runs.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
        The sample numbers of each part, in random order; no part is empty.

    Examples
    --------
    >>> [part.tolist() for part in split(5, (0.6, 0.2, 0.2), seed=0)]
    [[2, 4, 3], [0], [1]]
    """
    n = integer(n, "n", 1)
    shares = finite(fractions, "fractions", ("parts",)).astype(float)
    if not (shares > 0).all() or not math.isclose(shares.sum(), 1):
        raise ValueError(f"fractions must be positive numbers with the sum 1, got {fractions!r}")
    sizes = np.diff(np.rint(n * np.cumsum(shares)).astype(int), prepend=0)
    if (sizes == 0).any():
        raise ValueError(f"n={n} samples are too few for the fractions {fractions!r}: got {sizes}")
    rng = np.random.default_rng(integer(seed, "seed", 0))
    order = rng.permutation(n)
    if stratify is None:
        return np.split(order, np.cumsum(sizes)[:-1])
    classes = np.array(class_labels(stratify, "stratify"))
    if len(classes) != n:
        raise ValueError(f"stratify must have the shape ({n},), got {classes.shape}")
    order = order[np.argsort(classes[order], kind="stable")]  # class by class
    # Spread the parts evenly along this row, so that each takes its share of every class.
    places = np.concatenate([(np.arange(size) + 0.5) / size for size in sizes])
    part = np.repeat(np.arange(len(sizes)), sizes)[np.argsort(places, kind="stable")]
    return [rng.permutation(order[part == number]) for number in range(len(sizes))]


def iterations_per_epoch(n_samples: int, batch_size: int, *, drop_last: bool = False) -> int:
    """Count the steps that show every sample once: n_samples / batch_size, rounded up.

    Rounded down with `drop_last`, which leaves out a last batch that is smaller than the others.

    Examples
    --------
    >>> iterations_per_epoch(2000, 200)
    10
    >>> iterations_per_epoch(2000, 192), iterations_per_epoch(2000, 192, drop_last=True)
    (11, 10)
    """
    full, left = divmod(integer(n_samples, "n_samples", 1), integer(batch_size, "batch_size", 1))
    if flag(drop_last, "drop_last") and full == 0:
        most = f"batch_size must be {n_samples} or less"
        raise ValueError(f"with drop_last, {most}, got {batch_size}")
    return full if drop_last or left == 0 else full + 1


# --- optimisers -----------------------------------------------------------------------------------


class SGD(torch.optim.Optimizer):
    """Stochastic gradient descent, with momentum if wanted; gradients may be sparse.

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
        _begin(self, params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every parameter that has a gradient; `closure` as in ``torch.optim``."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, parameter, velocity in _gradients(self):
            if group["momentum"] != 0:
                state = self.state[parameter]
                if "velocity" in state:
                    velocity = group["momentum"] * state["velocity"] + velocity
                state["velocity"] = velocity.clone()
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

    _more: Mapping[str, Any] = MappingProxyType({})  # what `AdamW` adds

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        _begin(self, params, {"lr": lr, "betas": betas, "eps": eps, **self._more})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move every parameter that has a gradient; `closure` as in ``torch.optim``."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        for group, parameter, gradient in _gradients(self, dense=True):
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
    params, lr, betas, eps
        As in `Adam`.
    weight_decay : float, default 0.01
        0 or more; biases often get a group with 0.
    """

    def __init__(
        self, params: Iterable[Any], lr: float = 0.001, *, weight_decay: float = 0.01, **more: Any
    ) -> None:
        self._more = {"weight_decay": weight_decay}
        super().__init__(params, lr, **more)


def _betas(betas: Any, name: str) -> tuple[float, ...]:
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise TypeError(f"{name} must be two numbers, got {came(betas)}")
    return tuple(between(0, beta, 1, f"{name}[{i}]") for i, beta in enumerate(betas))


RULES: dict[str, Callable[[Any, str], Any]] = {  # for an optimiser, and for each of its groups
    "lr": lambda value, name: between(0, value, math.inf, name),
    "momentum": share,
    "betas": _betas,
    "eps": lambda value, name: between(0, value, math.inf, name),
    "weight_decay": lambda value, name: number(value, name, 0),  # 0 for biases: a group of its own
}


def _begin(optimizer: torch.optim.Optimizer, params: Any, defaults: dict[str, Any]) -> None:
    """Give an optimiser its parameters; refuse settings that are wrong, or not its own."""
    defaults = {name: RULES[name](value, name) for name, value in defaults.items()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # a parameter that comes twice
            torch.optim.Optimizer.__init__(optimizer, params, defaults)
    except (TypeError, ValueError, RuntimeError, UserWarning) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        wanted = "params must be tensors to be learned, each once"
        raise kind(f"{wanted}, got {came(params)}: {error}") from None
    for group in optimizer.param_groups:
        for key in set(group) - {"params", "param_names", "initial_lr", *optimizer.defaults}:
            raise TypeError(f"{type(optimizer).__name__} knows no {key!r}, got a group with it")
        group |= {name: RULES[name](group[name], name) for name in defaults}


def _gradients(
    optimizer: torch.optim.Optimizer, *, dense: bool = False
) -> list[tuple[dict[str, Any], Tensor, Tensor]]:
    """Return every parameter that has a gradient, with its settings and the gradient."""
    found = [(g, p, p.grad) for g in optimizer.param_groups for p in g["params"]]
    found = [(group, p, gradient) for group, p, gradient in found if gradient is not None]
    if dense and any(gradient.is_sparse for *_, gradient in found):
        raise TypeError(
            f"{type(optimizer).__name__} needs dense gradients, got a sparse one: take SGD, "
            "torch.optim.SparseAdam, or an embedding without sparse=True"
        )
    return found


# --- the loop -------------------------------------------------------------------------------------


@dataclass
class History:
    """What happened in a training: mean losses, and metrics, of its epochs and steps."""

    train_loss: list[float] = field(default_factory=list)  # of each epoch, before its updates
    validation_loss: list[float] = field(default_factory=list)  # after each epoch; may be empty
    metrics: dict[str, list[float]] = field(default_factory=dict)  # after each epoch
    step_loss: list[float] = field(default_factory=list)  # of each step, before its update
    seconds: float = 0.0  # that all epochs took together

    @property
    def best_epoch(self) -> int:
        """The epoch, counted from 1, with the smallest validation loss (the first of equals)."""
        if not self.validation_loss:
            raise ValueError("best_epoch needs a validation loss, but none was measured")
        return int(np.argmin(self.validation_loss)) + 1

    @property
    def epochs_since_best(self) -> int:
        """How many epochs in a row have not given a new smallest validation loss."""
        return len(self.validation_loss) - self.best_epoch if self.validation_loss else 0

    def plot(self, ax: Axes) -> None:
        """Draw the loss over the epochs, on training and, if there is any, validation data."""
        from companion import figures  # matplotlib is loaded where something is drawn

        curves = {"training": self.train_loss, "validation": self.validation_loss}
        epochs = np.arange(1, len(self.train_loss) + 1)
        figures.draw_curves(ax, epochs, {name: losses for name, losses in curves.items() if losses})
        ax.set(xlabel="epoch", ylabel="loss")


def fit(
    model: nn.Module,
    data: Data,
    *,
    loss: Measure,
    optimizer: torch.optim.Optimizer,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 32,
    schedule: Callable[[int], float] | None = None,
    accumulate: int = 1,
    validation: Data | None = None,
    metrics: Mapping[str, Measure] | None = None,
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
    generator and the optimiser's learning rates as they were. If ``torchrun`` starts W processes, a
    step takes W * `batch_size` samples, each process its share; dropout and batch norm apart, the
    result is that of one process with this batch. Each process has all data, and measures all
    validation data; the means count.

    Parameters
    ----------
    model, optimizer : Module and torch.optim.Optimizer
        The parameters of the model are changed; the optimiser must be made with them, or some.
    data : tuple of two Tensors, shapes (N, ...), or callable
        Inputs and targets. Or a source: ``data(generator)`` gives the batches of an epoch, each a
        dict of tensors with the same first axis; all that is random in it follows from the
        torch.Generator. Of several processes, each takes its rows of each batch.
    loss : callable
        ``loss(outputs, targets)``; with a source, ``loss(model, batch)``. It gives a tensor with
        one number, a mean over the samples; or the tuple (sum, count), such as the loss of all
        tokens and their number, whose mean is exact for any batches and processes.
    epochs, steps : int
        How often all data are shown, or how many updates are made. One of them.
    batch_size : int, default 32
        Samples of a pair of tensors in a batch; an epoch's last may have fewer. If the model has
        batch norm, which cannot learn from one sample, a last batch that leaves a process with less
        than two joins the batch before it. A source makes its own batches.
    schedule : callable, optional
        ``schedule(step)``, counted from 0, gives the factor of the optimiser's learning rates.
    accumulate : int, default 1
        So many batches make one step, with the gradient of them all.
    validation : as `data`, optional
        What to measure after each epoch, not to learn from. A source always gets the same numbers.
    metrics : mapping of str to callable, optional
        Measured on the validation data. Called as `loss`, they may give (sum, count) for a batch;
        what gives one number is, with a source, the mean over the rows of a batch, and with a pair
        of tensors called for all outputs and targets together, which are kept on the CPU for it.
    clip_norm : float, optional
        If the norm of all gradients that the optimiser uses is greater, they are scaled down to it.
    patience : int, optional
        Stop after so many epochs in a row without a new smallest validation loss.
    keep_best : bool, default False
        Return the parameters of the epoch with the smallest validation loss, not of the last.
    seed : int, default 0
        Everything random follows from it: the order of the samples, dropout.
    device : str or torch.device, optional
        Where to compute; the default is "cuda" where there is one, else "cpu".
    checkpoint : path, optional
        A folder. The whole state is written there before the first epoch, after each one, and after
        the last of `steps`. Other files in it stay as they are.
    resume : bool, default True
        Go on from the checkpoint, if there is one, even in the middle of an epoch. The run ends
        with the same parameters, bit for bit, as if it had never been interrupted. `epochs` or
        `steps` may be greater than it was. Functions and sources are not compared, but the first
        batch is.

    Returns
    -------
    History
        The losses and metrics of all epochs, those before an interruption included. If `steps` end
        within an epoch, it counts as one.

    Raises
    ------
    TypeError, ValueError
        Also if a loss, metric or parameter becomes NaN or infinite, or the checkpoint is damaged or
        belongs to a training with other data or settings.
    """
    measures = {"loss": loss, **_checked_metrics(metrics)}
    _check_arguments(model, optimizer, measures, schedule, checkpoint)
    if (epochs is None) == (steps is None):
        raise ValueError(f"give epochs or steps, one of them, got {epochs} and {steps}")
    if validation is None and (metrics or patience is not None or keep_best):
        raise ValueError("metrics, patience and keep_best need validation data, got None")
    batch_size = integer(batch_size, "batch_size", 1)
    accumulate = integer(accumulate, "accumulate", 1)
    keep_best, resume = flag(keep_best, "keep_best"), flag(resume, "resume")
    if clip_norm is not None:
        between(0, clip_norm, math.inf, "clip_norm")

    run = Run(model, optimizer, checkpoint, seed=integer(seed, "seed", 0), device=device)
    given = model_and_batch if callable(data) else outputs_and_targets
    together = batch_size * run.processes.size
    least = 2 * run.processes.size if _has_batch_norm(model) else 1
    source = source_of(data, "data", together, least=least, shuffled=True)
    evaluation = None
    if validation is not None:
        check = source_of(validation, "validation", batch_size)
        evaluation = Evaluation(run, check, measures, given)
        if callable(data) != callable(validation):
            raise TypeError("validation must be a pair of tensors if data is one, else a source")
    run.settings |= {"batch_size": batch_size, "accumulate": accumulate, "clip_norm": clip_norm}
    run.settings |= {"patience": patience, "keep_best": keep_best, "metrics": list(measures)[1:]}
    if run.is_compared:
        for name, given_data in {"data": data, "validation": validation}.items():
            run.settings[name] = fingerprint(given_data, seed, name=name)

    course = _Course(run, evaluation, epochs, steps, patience, keep_best)
    total = steps or _length(data, epochs, together, accumulate)
    with run, progress.bar(total=total) as bar:
        course.begin(resume)
        bar.update(len(course.history.step_loss))
        for epoch in course.epochs():
            model.train()
            for step, batches in course.steps(groups(source(run.order), accumulate)):
                where = f"in epoch {epoch}, step {len(course.counts) + 1}"
                if schedule is not None:
                    _set_rates(run, schedule(step), where)
                optimizer.zero_grad()
                found = Mean()
                for batch, rows in run.shares(batches):
                    value, count = _forward(loss, given(model, batch), rows, where)
                    if count > 0:
                        weight = found.add(value.item(), count)
                        _scale_gradients(model, 1 - weight)  # those of the batches before
                        (value * weight).backward()
                mean, count = run.processes.mean_gradient(model, found.mean, found.count)
                course.add(finite_mean("loss", mean, count, where), count)
                if step == 0:
                    _check_learns(optimizer)
                if clip_norm is not None:
                    _clip_gradients(optimizer, clip_norm)
                optimizer.step()
                bar.update()
            course.end_epoch(epoch)
        if keep_best:
            model.load_state_dict(course.best)
    return course.history


# --- what the loop calls: where it is, and what a checkpoint keeps --------------------------------


class _Course:
    """Where a training is: its history, and the steps of the present epoch.

    A checkpoint keeps it between two epochs, or within one after the last of all steps. To go on
    there, the epoch is dealt out again, and the steps that were made are left out.
    """

    def __init__(
        self,
        run: Run,
        evaluation: Evaluation | None,
        epochs: int | None,
        steps: int | None,
        patience: int | None,
        keep_best: bool,
    ) -> None:
        self.run, self.evaluation, self.keep_best = run, evaluation, keep_best
        self.last_epoch = math.inf if epochs is None else integer(epochs, "epochs", 1)
        self.last_step = math.inf if steps is None else integer(steps, "steps", 1)
        self.patience = math.inf if patience is None else integer(patience, "patience", 1)
        metrics = list(evaluation.measures)[1:] if evaluation else []
        self.history = History(metrics={name: [] for name in metrics})
        self.best: dict[str, Tensor] = {}
        self.counts: list[float] = []  # how much each step of the present epoch has counted

    def begin(self, resume: bool) -> None:
        """Go on from the checkpoint, if wanted and there is one; else write the first."""
        if resume and self.run.exists():
            notes = self.run.load()
            notes["history"]["step_loss"] = notes["history"]["step_loss"].tolist()
            self.history = History(**notes["history"])
            self.best, self.counts = notes["best"], notes["counts"]
            for name, last, done in (
                ("epochs", self.last_epoch, len(self.history.train_loss)),
                ("steps", self.last_step, len(self.history.step_loss)),
            ):
                if last < done:
                    wanted = f"{done} or more, as in the checkpoint"
                    raise ValueError(f"{name} must be {wanted}, got {last}")
        else:
            self._save()
        if self.evaluation:
            self.evaluation.rehearse()

    def epochs(self) -> Iterator[int]:
        """Yield the number of each epoch that is still to come, from 1."""
        while self.counts or (
            len(self.history.train_loss) < self.last_epoch
            and len(self.history.step_loss) < self.last_step
            and self.history.epochs_since_best < self.patience
        ):
            self.start, self.is_cut = self.run.order.get_state(), False
            self.clock = time.perf_counter()
            yield len(self.history.train_loss) + 1

    def steps(self, groups: Iterable[list[Batch]]) -> Iterator[tuple[int, list[Batch]]]:
        """Yield the batches of the steps of this epoch that are still to come, and their number."""
        for batches in itertools.islice(groups, len(self.counts), None):
            step = len(self.history.step_loss)
            self.is_cut = step >= self.last_step
            if self.is_cut:
                return
            yield step, batches

    def add(self, loss: float, count: float) -> None:
        self.history.step_loss.append(loss)
        self.counts.append(count)

    def end_epoch(self, epoch: int) -> None:
        """Write down what the epoch has brought, and keep it."""
        history = self.history
        if not self.counts:
            raise ValueError(f"data must make one batch or more, made none in epoch {epoch}")
        self.run.end_epoch(epoch)
        if self.is_cut:
            self.run.order.set_state(self.start)
            self._tick()
            self._save()
        losses = history.step_loss[-len(self.counts) :]
        history.train_loss.append(np.dot(losses, self.counts).item() / sum(self.counts))
        if self.evaluation:
            found = self.evaluation.after(epoch)
            history.validation_loss.append(found.pop("loss"))
            for name, value in found.items():
                history.metrics[name].append(value)
        if self.keep_best and history.best_epoch == epoch:
            state = self.run.model.state_dict()
            self.best = {name: value.clone() for name, value in state.items()}
        self.counts = []
        self._tick()
        if not self.is_cut:
            self._save()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.history.seconds, self.clock = self.history.seconds + now - self.clock, now

    def _save(self) -> None:
        steps = torch.tensor(self.history.step_loss, dtype=torch.float64)  # shorter than as text
        history = {**vars(self.history), "step_loss": steps}
        self.run.save({"history": history, "best": self.best, "counts": self.counts})


def _set_rates(run: Run, factor: Any, where: str) -> None:
    """Multiply the learning rates that the optimiser came with."""
    number = plain("schedule", factor, where)
    if not 0 <= number < math.inf:
        raise ValueError(f"schedule must give 0 or more and finite, gave {number} {where}")
    for group, rate in zip(run.optimizer.param_groups, run.rates, strict=True):
        group["lr"] = number * rate


def _scale_gradients(model: nn.Module, factor: float) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(factor)


def _clip_gradients(optimizer: torch.optim.Optimizer, clip_norm: float) -> None:
    learned = [p for group in optimizer.param_groups for p in group["params"]]
    if any(p.grad is not None and p.grad.is_sparse for p in learned):
        raise ValueError("clip_norm needs dense gradients, got a sparse one (sparse=True?)")
    nn.utils.clip_grad_norm_(learned, clip_norm)


def _forward(
    loss: Measure, arguments: tuple[Any, Any], rows: int, where: str
) -> tuple[Tensor, float]:
    """Return the mean loss of a batch, from which a gradient leads back, and what it counts."""
    value, count = mean_of("loss", call("loss", loss, arguments), rows, where)
    if not isinstance(value, Tensor):
        came = f"{type(value).__name__} {value!r:.60} {where}"
        raise TypeError(f"loss must give a tensor, gave {came}: leave out .item()")
    if not value.requires_grad:
        raise ValueError(
            f"loss must follow from the parameters of model, gave a tensor without a gradient "
            f"{where}: was it detached?"
        )
    return value, count


def _check_learns(optimizer: torch.optim.Optimizer) -> None:
    if all(p.grad is None for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("loss must follow from the parameters of optimizer, it gives them no grad")


def _has_batch_norm(model: nn.Module) -> bool:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return any(isinstance(module, kinds) for module in model.modules())


def _length(data: Data, epochs: int | None, batch_size: int, accumulate: int) -> int | None:
    """Return how many steps there will be, if that is known."""
    if callable(data) or epochs is None:
        return None
    batches = iterations_per_epoch(len(data[0]), batch_size)
    return epochs * iterations_per_epoch(batches, accumulate)


def _checked_metrics(metrics: Any) -> dict[str, Measure]:
    found = dict(instance({} if metrics is None else metrics, "metrics", Mapping))
    if not all(isinstance(name, str) and name != "loss" for name in found):
        raise ValueError(f"metrics must have names other than 'loss', got {came(list(found))}")
    return found


def _check_arguments(
    model: Any, optimizer: Any, measures: Mapping[str, Any], schedule: Any, checkpoint: Any
) -> None:
    """Refuse what cannot be trained, or not by this loop."""
    instance(model, "model", nn.Module)
    instance(optimizer, "optimizer", torch.optim.Optimizer)
    own = {id(parameter) for parameter in model.parameters()}
    # What the model does not have would be in no checkpoint, and in no sum over processes.
    if not all(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("optimizer must be made with the parameters of model, got others")
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        name = type(optimizer).__name__
        raise ValueError(f"optimizer must make a step without a closure, {name} needs one")
    for name, measure in measures.items():
        function(measure, name, "a function of outputs and targets")
    if schedule is not None:
        function(schedule, "schedule", "a function of the step")
    if checkpoint is not None and not isinstance(checkpoint, str | os.PathLike):
        raise TypeError(f"checkpoint must be the path of a folder, got {came(checkpoint)}")
    if checkpoint is not None and (not os.fspath(checkpoint) or os.path.isfile(checkpoint)):
        raise ValueError(f"checkpoint must be the path of a folder, got {str(checkpoint)!r}")
