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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from companion import progress
from companion.arguments import between, flag, integer, share
from companion.runs.run import Batch, Run, fingerprint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Source = Callable[[torch.Generator], Iterable[Batch]]  # makes the batches of an epoch
Data = tuple[Tensor, Tensor] | Source  # inputs (N, ...) and targets (N, ...), or batches
Function = Callable[[Any, Any], Any]  # a loss or a metric


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
    ValueError
        Also if a part would be empty.

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
    """Count the steps that show every sample once: n_samples / batch_size, rounded up.

    With `drop_last`, which leaves out a last batch that is smaller than the others, rounded down.

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


@dataclass
class History:
    """What happened in a training.

    Attributes
    ----------
    train_loss : list of float
        Mean loss over each epoch, measured just before the updates that it led to.
    validation_loss : list of float
        Mean loss on the validation data after each epoch; empty without such data.
    metrics : dict of str to list of float
        Each metric on the validation data after each epoch.
    step_loss : list of float
        Mean loss of each step, just before its update.
    seconds : float
        How long all epochs took together.
    """

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    metrics: dict[str, list[float]] = field(default_factory=dict)
    step_loss: list[float] = field(default_factory=list)
    seconds: float = 0.0

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
    loss: Function,
    optimizer: torch.optim.Optimizer,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 32,
    schedule: Callable[[int], float] | None = None,
    accumulate: int = 1,
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
    generator and the optimiser's learning rates as they were. If ``torchrun`` starts W processes, a
    step takes W * `batch_size` samples, each process its share; dropout and batch norm apart, the
    result is that of one process with this batch. Each process has all data, and measures all
    validation data; the means count.

    Parameters
    ----------
    model, optimizer : Module and torch.optim.Optimizer
        The parameters of the model are changed; the optimiser must be made with them.
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
        If an argument is wrong, or what `model`, `loss` or a metric gives (then nothing has been
        trained); a loss, metric or parameter becomes NaN or infinite; the checkpoint is damaged,
        or belongs to a training with other data or settings.
    """
    metrics = dict(metrics or {})
    functions = {"loss": loss, **metrics}
    _check_arguments(model, optimizer, functions, schedule, checkpoint)
    if (epochs is None) == (steps is None):
        raise ValueError(f"give epochs or steps, one of them, got {epochs} and {steps}")
    if validation is None and (metrics or patience is not None or keep_best):
        raise ValueError("metrics, patience and keep_best need validation data, got None")
    last_epoch = math.inf if epochs is None else integer(epochs, "epochs", 1)
    last_step = math.inf if steps is None else integer(steps, "steps", 1)
    longest = math.inf if patience is None else integer(patience, "patience", 1)
    batch_size = integer(batch_size, "batch_size", 1)
    accumulate = integer(accumulate, "accumulate", 1)
    keep_best, resume = flag(keep_best, "keep_best"), flag(resume, "resume")
    if clip_norm is not None:
        between(0, clip_norm, math.inf, "clip_norm")

    run = Run(model, optimizer, checkpoint, seed=integer(seed, "seed", 0), device=device)
    together = batch_size * run.processes.size
    least = 2 * run.processes.size if _has_batch_norm(model) else 1
    source = _source(data, "data", together, least=least, shuffled=True)
    check = None if validation is None else _source(validation, "validation", batch_size)
    if check and callable(data) != callable(validation):
        raise TypeError("validation must be a pair of tensors if data is one, else a source")
    run.settings |= {"batch_size": batch_size, "accumulate": accumulate, "clip_norm": clip_norm}
    run.settings |= {"patience": patience, "keep_best": keep_best, "metrics": list(metrics)}
    if run.is_compared:
        run.settings |= {"data": _print(data, seed), "validation": _print(validation, seed)}

    given = _model_and_batch if callable(data) else _outputs_and_targets
    history, best = History(metrics={name: [] for name in metrics}), {}
    counts: list[float] = []  # how much each step of the present epoch has counted
    with run, progress.bar(total=steps or _length(data, epochs, together, accumulate)) as bar:
        if resume and run.exists():
            history, best, counts = _unpack(run.load())
            _check_done(history, last_epoch, last_step)
            bar.update(len(history.step_loss))
        else:
            run.save(_pack(history, best, counts))
        kept = _rehearse(run, check, given, functions) if check else set()

        while counts or (
            len(history.train_loss) < last_epoch
            and len(history.step_loss) < last_step
            and history.epochs_since_best < longest
        ):
            epoch, began = len(history.train_loss) + 1, time.perf_counter()
            start, is_over = run.order.get_state(), True
            model.train()
            groups = _groups(source(run.order), accumulate)
            for batches in itertools.islice(groups, len(counts), None):
                step, where = len(history.step_loss), f"in epoch {epoch}, step {len(counts) + 1}"
                if step >= last_step:
                    is_over = False
                    break
                if schedule is not None:
                    _set_rates(run, schedule(step), where)
                optimizer.zero_grad()
                mean, count = 0.0, 0.0
                for batch, rows in run.shares(batches):
                    value = _call("loss", loss, given(model, batch))
                    value, n = _mean("loss", value, rows, where)
                    _check_gradient(value, where)
                    if n > 0:
                        count += n
                        _scale_gradients(model, 1 - n / count)  # those of the batches before
                        (value * (n / count)).backward()
                        mean += (value.item() - mean) * (n / count)
                mean, count = run.processes.mean_gradient(model.parameters(), mean, count)
                history.step_loss.append(_finite("loss", mean, count, where))
                counts.append(count)
                if step == 0:
                    _check_learns(optimizer)
                if clip_norm is not None:
                    _clip_gradients(model, clip_norm)
                optimizer.step()
                bar.update()

            if not counts:
                raise ValueError(f"data must make one batch or more, made none in epoch {epoch}")
            run.end_epoch(epoch)
            history.seconds += time.perf_counter() - began
            if not is_over:  # of the last steps; to go on, the epoch is dealt out again
                run.order.set_state(start)
                run.save(_pack(history, best, counts))
            began = time.perf_counter()
            losses = history.step_loss[len(history.step_loss) - len(counts) :]
            history.train_loss.append(np.dot(losses, counts).item() / sum(counts))
            if check:
                found = _evaluate(run, check, given, functions, kept, epoch)
                history.validation_loss.append(found.pop("loss"))
                for name, value in found.items():
                    history.metrics[name].append(value)
            if keep_best and history.best_epoch == epoch:
                best = {name: value.clone() for name, value in model.state_dict().items()}
            history.seconds += time.perf_counter() - began
            counts = []
            if is_over:
                run.save(_pack(history, best, counts))
        if keep_best:
            model.load_state_dict(best)
    return history


# --- what the loop calls: losses and metrics ------------------------------------------------------


def _outputs_and_targets(model: nn.Module, batch: Batch) -> tuple[Any, Any]:
    """Return what functions are called with if the data are a pair of tensors."""
    return model(batch["inputs"]), batch["targets"]


def _model_and_batch(model: nn.Module, batch: Batch) -> tuple[Any, Any]:
    """Return what functions are called with if the data are a source."""
    return model, batch


def _call(name: str, function: Function, arguments: tuple[Any, Any]) -> Any:
    """Call a loss or a metric; if it does not understand what a model returned, say so."""
    try:
        return function(*arguments)
    except (TypeError, AttributeError) as error:
        outputs = arguments[0]
        if isinstance(outputs, Tensor | nn.Module):
            raise
        raise TypeError(
            f"{name} must take what model returns, a {type(outputs).__name__}, but: {error}"
        ) from error


def _mean(name: str, value: Any, rows: int, where: str) -> tuple[Any, float]:
    """Return the mean that a loss or a metric gave for a batch, and of how many it is one."""
    if not isinstance(value, tuple):
        _plain(name, value, where)
        return value, rows
    if len(value) != 2:
        raise TypeError(
            f"{name} must give one number or (sum, count), gave a tuple of {len(value)} {where}"
        )
    total, count = value[0], _plain(f"the count of {name}", value[1], where)
    _plain(name, total, where)
    if not 0 <= count < math.inf:
        raise ValueError(f"the count of {name} must be 0 or more and finite, got {count} {where}")
    return total / (count or 1.0), count


def _plain(name: str, value: Any, where: str) -> float:
    """Return one number, finite or not, as a Python float."""
    number = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if isinstance(number, bool) or not isinstance(number, int | float | np.integer | np.floating):
        came = f"{type(value).__name__} {value!r:.60}"
        if isinstance(value, Tensor):
            came = f"a tensor of shape {tuple(value.shape)}"
        raise TypeError(f"{name} must give one number, gave {came} {where}")
    return float(number)


def _finite(name: str, value: float, count: float, where: str) -> float:
    """Return a mean over all that was counted; refuse NaN, infinity and a mean of nothing."""
    if count == 0:
        raise ValueError(f"{name} must count something, counted 0 {where}")
    if not math.isfinite(value):
        raise ValueError(
            f"{name} became {value} {where}: is the learning rate too large, "
            "or something in the data?"
        )
    return value


@torch.no_grad()
def _rehearse(
    run: Run, check: Source, given: Function, functions: Mapping[str, Function]
) -> set[str]:
    """Call loss and metrics once, so that mistakes show before anything is trained.

    Returns the metrics that give one number for outputs and targets, and so want them all.
    """
    kept = set()
    run.model.eval()
    with run.random():
        for batch, rows in _validation_batches(run, check):
            arguments = given(run.model, batch)
            for name, function in functions.items():
                value = _call(name, function, arguments)
                _mean(name, value, rows, "on the validation data before epoch 1")
                if name != "loss" and given is _outputs_and_targets and type(value) is not tuple:
                    kept.add(name)
                    if not isinstance(outputs := arguments[0], Tensor):
                        raise TypeError(
                            f"{name} must give (sum, count), since the outputs of model are no "
                            f"tensor but a {type(outputs).__name__}; it gave one number"
                        )
            return kept
    raise ValueError("validation must make one batch or more, made none")


@torch.no_grad()
def _evaluate(
    run: Run,
    check: Source,
    given: Function,
    functions: Mapping[str, Function],
    kept: set[str],
    epoch: int,
) -> dict[str, float]:
    """Return loss and metrics on the validation data, the means over all that they count.

    Each of several processes does the whole work.
    """
    run.model.eval()
    where = f"on the validation data after epoch {epoch}"
    means, counts = dict.fromkeys(functions, 0.0), dict.fromkeys(functions, 0.0)
    everything: list[tuple[Tensor, Tensor]] = []
    for batch, rows in _validation_batches(run, check):
        arguments = given(run.model, batch)
        if kept:
            everything.append((arguments[0].cpu(), arguments[1].cpu()))
        for name, function in functions.items():
            if name in kept:
                continue
            value, n = _mean(name, _call(name, function, arguments), rows, where)
            if n > 0:
                counts[name] += n
                means[name] += (_plain(name, value, where) - means[name]) * (n / counts[name])
    if kept:
        outputs, targets = map(torch.cat, zip(*everything, strict=True))
        for name in sorted(kept):
            means[name] = _plain(name, functions[name](outputs, targets), where)
            counts[name] = len(targets)
    means = {name: run.processes.mean(value) for name, value in means.items()}
    return {name: _finite(name, value, counts[name], where) for name, value in means.items()}


def _validation_batches(run: Run, check: Source) -> Iterator[tuple[Batch, int]]:
    for batch in check(torch.Generator().manual_seed(run.seed)):
        yield {name: value.to(run.device) for name, value in batch.items()}, len(_first(batch))


# --- what the loop calls: gradients and rates -----------------------------------------------------


def _set_rates(run: Run, factor: Any, where: str) -> None:
    """Multiply the learning rates that the optimiser came with."""
    number = _plain("schedule", factor, where)
    if not 0 <= number < math.inf:
        raise ValueError(f"schedule must give 0 or more and finite, gave {number} {where}")
    for group, rate in zip(run.optimizer.param_groups, run.rates, strict=True):
        group["lr"] = number * rate


def _scale_gradients(model: nn.Module, factor: float) -> None:
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(factor)


def _clip_gradients(model: nn.Module, clip_norm: float) -> None:
    if any(p.grad is not None and p.grad.is_sparse for p in model.parameters()):
        raise ValueError("clip_norm needs dense gradients, got a sparse one (sparse=True?)")
    nn.utils.clip_grad_norm_(model.parameters(), clip_norm)


def _check_gradient(value: Any, where: str) -> None:
    """Refuse a loss from which no gradient leads back to the parameters."""
    if not isinstance(value, Tensor):
        came = f"{type(value).__name__} {value!r:.60} {where}"
        raise TypeError(f"loss must give a tensor, gave {came}: leave out .item()")
    if not value.requires_grad:
        raise ValueError(
            f"loss must follow from the parameters of model, gave a tensor without a gradient "
            f"{where}: was it detached?"
        )


def _check_learns(optimizer: torch.optim.Optimizer) -> None:
    if all(p.grad is None for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("loss must follow from the parameters of optimizer, it gives them no grad")


# --- batches --------------------------------------------------------------------------------------


def _source(
    data: Data, name: str, batch_size: int, *, least: int = 1, shuffled: bool = False
) -> Source:
    """Return what makes the batches of an epoch; a last one with fewer than `least` joins."""
    if callable(data):
        return lambda generator: _checked(data(generator), name)
    _check_pair(data, name)
    n = len(data[0])

    def source(generator: torch.Generator) -> Iterator[Batch]:
        order = torch.randperm(n, generator=generator) if shuffled else torch.arange(n)
        parts = list(order.split(batch_size))
        if len(parts) > 1 and len(parts[-1]) < least:
            parts[-2:] = [torch.cat(parts[-2:])]
        for part in parts:
            inputs, targets = (tensor[part.to(tensor.device)] for tensor in data)
            yield {"inputs": inputs, "targets": targets}

    return source


def _checked(batches: Any, name: str) -> Iterator[Batch]:
    """Yield the batches of a source, or say what is wrong with one."""
    if not isinstance(batches, Iterable):
        raise TypeError(f"{name} must return batches, returned {batches!r:.60}")
    for batch in batches:
        if not isinstance(batch, Mapping) or not all(isinstance(v, Tensor) for v in batch.values()):
            raise TypeError(
                f"{name} must make batches that are dicts of tensors, got {batch!r:.60}"
            )
        shapes = {key: tuple(value.shape) for key, value in batch.items()}
        rows = {shape[:1] for shape in shapes.values()}
        if len(rows) != 1 or rows & {(), (0,)}:
            raise ValueError(
                f"{name} must make batches of tensors with the same first axis, 1 or more, "
                f"got {shapes}"
            )
        yield dict(batch)


def _groups(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Yield the batches of each step; the last may have fewer."""
    rest = iter(batches)
    while group := list(itertools.islice(rest, size)):
        yield group


def _first(batch: Batch) -> Tensor:
    return next(iter(batch.values()))


def _length(data: Data, epochs: int | None, batch_size: int, accumulate: int) -> int | None:
    """Return how many steps there will be, if that is known."""
    if callable(data) or epochs is None:
        return None
    batches = iterations_per_epoch(len(data[0]), batch_size)
    return epochs * iterations_per_epoch(batches, accumulate)


def _print(data: Data | None, seed: int) -> str | None:
    """Return the fingerprint of a pair of tensors, or of the first batch of a source."""
    if not callable(data):
        return None if data is None else fingerprint(*data)
    batches = _checked(data(torch.Generator().manual_seed(seed)), "data")
    return fingerprint(*next(iter(batches), {}).values())


def _has_batch_norm(model: nn.Module) -> bool:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    return any(isinstance(module, kinds) for module in model.modules())


# --- the door, and checkpoints --------------------------------------------------------------------


def _check_arguments(
    model: Any,
    optimizer: Any,
    functions: Mapping[str, Any],
    schedule: Any,
    checkpoint: Any,
) -> None:
    """Refuse what cannot be trained, or not by this loop."""
    for name, value, kind in (
        ("model", model, nn.Module),
        ("optimizer", optimizer, torch.optim.Optimizer),
    ):
        if not isinstance(value, kind):
            raise TypeError(f"{name} must be a torch {kind.__name__}, got {value!r}")
    own = {id(parameter) for parameter in model.parameters()}
    if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
        raise ValueError("optimizer must be made with the parameters of model, got others")
    closure = inspect.signature(optimizer.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        name = type(optimizer).__name__
        raise ValueError(f"optimizer must make a step without a closure, {name} needs one")
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{name} must be a function of outputs and targets, got {function!r}")
    if schedule is not None and not callable(schedule):
        raise TypeError(f"schedule must be a function of the step, got {schedule!r}")
    if checkpoint is not None and not isinstance(checkpoint, str | os.PathLike):
        raise TypeError(f"checkpoint must be the path of a folder, got {checkpoint!r}")
    if checkpoint is not None and (not os.fspath(checkpoint) or os.path.isfile(checkpoint)):
        raise ValueError(f"checkpoint must be the path of a folder, got {str(checkpoint)!r}")


def _check_pair(value: Any, name: str) -> None:
    """Refuse what is not inputs and targets."""
    if not isinstance(value, tuple) or [isinstance(part, Tensor) for part in value] != [True, True]:
        raise TypeError(
            f"{name} must be a tuple of two tensors, inputs and targets, or a function that makes "
            f"batches, got {value!r:.60}"
        )
    if 0 in (value[0].ndim, value[1].ndim) or not 0 < len(value[0]) == len(value[1]):
        shapes = " and ".join(str(tuple(part.shape)) for part in value)
        raise ValueError(
            f"{name} must have as many inputs as targets, 1 or more, got the shapes {shapes}"
        )
    for part in value:
        if part.is_floating_point() and not torch.isfinite(part).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")


def _check_done(history: History, last_epoch: float, last_step: float) -> None:
    """Refuse to go on to where a checkpoint has already been."""
    for name, last, done in (
        ("epochs", last_epoch, len(history.train_loss)),
        ("steps", last_step, len(history.step_loss)),
    ):
        if last < done:
            raise ValueError(f"{name} must be {done} or more, as in the checkpoint, got {last}")


def _pack(history: History, best: dict[str, Tensor], counts: list[float]) -> dict[str, Any]:
    steps = torch.tensor(history.step_loss, dtype=torch.float64)  # many: shorter than as text
    return {"history": {**vars(history), "step_loss": steps}, "best": best, "counts": counts}


def _unpack(notes: dict[str, Any]) -> tuple[History, dict[str, Tensor], list[float]]:
    history = notes["history"]
    history["step_loss"] = history["step_loss"].tolist()
    return History(**history), notes["best"], notes["counts"]


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
        defaults = {"lr": between(0, lr, math.inf, "lr"), "momentum": share(momentum, "momentum")}
        super().__init__(params, defaults)
        _check_groups(self)

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
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas must be two numbers, got {betas!r}")
        both = (between(0, betas[0], 1, "betas[0]"), between(0, betas[1], 1, "betas[1]"))
        defaults = {"lr": between(0, lr, math.inf, "lr"), "betas": both}
        defaults |= {"eps": between(0, eps, math.inf, "eps"), **self._more}
        super().__init__(params, defaults)
        _check_groups(self)

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
        Greater than 0.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        self._more = {"weight_decay": between(0, weight_decay, math.inf, "weight_decay")}
        super().__init__(params, lr, betas=betas, eps=eps)


def _check_groups(optimizer: torch.optim.Optimizer) -> None:
    """Refuse settings of parameter groups that the optimiser would not look at."""
    for group in optimizer.param_groups:
        for key in set(group) - {"params", "param_names", "initial_lr", *optimizer.defaults}:
            raise TypeError(f"{type(optimizer).__name__} knows no {key!r}, got a group with it")


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
