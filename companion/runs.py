"""Runs: a training that can be interrupted at any moment, and that notices when it goes wrong.

A `Run` puts a model on its device, sets every random number by a seed, and keeps and restores all
that the next step depends on: parameters, the optimiser's memory, the states of the generators. It
refuses data that cannot be learned from, and losses and parameters that are not finite. It does the
same where several processes train one model together (`companion.processes`). What this module
leaves out: the training itself (`companion.basics.training.fit`), and random numbers that come from
NumPy or Python.

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from companion import checkpoints
from companion.processes import Processes


def number(value: Any, name: str, where: str) -> float:
    """Return what a loss or a metric gave as a Python number, or say what is wrong with it.

    Parameters
    ----------
    value : Tensor or number
        What came.
    name, where : str
        Of what, and when: "loss", "in epoch 2, step 7".

    Raises
    ------
    TypeError, ValueError
        If it is not one number, or not finite.

    Examples
    --------
    >>> number(torch.tensor(0.5), "loss", "in epoch 1, step 1")
    0.5
    """
    return _finite(_plain(value, name, where), name, where)


def _plain(value: Any, name: str, where: str) -> float:
    """Return one number, finite or not."""
    if isinstance(value, Tensor):
        came = f"a tensor of shape {tuple(value.shape)}"
        value = value.item() if value.numel() == 1 else value
    else:
        came = f"{type(value).__name__} {value!r}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must give one number, gave {came} {where}")
    return float(value)


def _finite(value: float, name: str, where: str) -> float:
    """Refuse NaN and infinity."""
    if not math.isfinite(value):
        raise ValueError(
            f"{name} became {value} {where}: is the learning rate too large, "
            "or something in the data?"
        )
    return value


class Run:
    """A training that can be interrupted: model, optimiser and random numbers, on a device.

    Inside ``with run:`` the model lies on the device, and all random numbers of PyTorch follow from
    the seed. Afterwards the model is back where it was, in evaluation mode, and the generator of
    PyTorch as it was.

    If this is one of several processes, it joins the others inside ``with run:``. They all begin
    with the parameters of process 0; in each, `forward` takes another share of the batch, and other
    random numbers, such as those of dropout. Process 0 alone writes checkpoints; all read them.

    Parameters
    ----------
    model : Module
        What is trained.
    optimizer : torch.optim.Optimizer
        Made with the parameters of `model`.
    folder : path, optional
        Where `save` writes its checkpoints; without it, nothing is written.
    seed : int
        Of all random numbers.
    device : str or torch.device, optional
        The default is "cuda" where there is one, else "cpu"; see `Processes`.

    Attributes
    ----------
    processes : Processes
        With whom the model is trained.
    order : torch.Generator
        For the order of the samples, the same in all processes.

    Raises
    ------
    TypeError, ValueError
        If `model` or `optimizer` is none, or they have no parameter in common.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        folder: str | os.PathLike[str] | None = None,
        *,
        seed: int = 0,
        device: str | torch.device | None = None,
    ) -> None:
        for value, kind in ((model, nn.Module), (optimizer, torch.optim.Optimizer)):
            if not isinstance(value, kind):
                name = "model" if kind is nn.Module else "optimizer"
                raise TypeError(f"{name} must be a torch {kind.__name__}, got {value!r}")
        own = {id(parameter) for parameter in model.parameters()}
        if not any(id(p) in own for group in optimizer.param_groups for p in group["params"]):
            raise ValueError("optimizer must be made with the parameters of model, got others")
        self.model, self.optimizer, self.folder, self.seed = model, optimizer, folder, seed
        self.processes = Processes(device)
        self.device = self.processes.device
        self.order = torch.Generator().manual_seed(seed)
        self._gpus = [self.device] if self.device.type == "cuda" else []
        shapes = [(name, *value.shape) for name, value in model.state_dict().items()]
        groups = [type(optimizer).__name__, *optimizer.state_dict()["param_groups"]]
        self._settings: dict[str, Any] = {"seed": seed, "model": shapes, "optimizer": groups}
        self._settings["processes"] = self.processes.size
        self._network = model  # inside ``with``, it averages the gradients of all processes
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Run:
        home = next(self.model.parameters()).device
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.processes.joined())
            stack.callback(self._place, home)
            self._compare()
            self._place(self.device)
            stack.enter_context(torch.random.fork_rng(self._gpus))
            torch.manual_seed(self.seed + self.processes.rank)
            self._network = self.processes.wrap(self.model)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._network = self.model
        self._stack.close()
        self.model.eval()

    def _compare(self) -> None:
        """Refuse to begin if the processes do not all train the same model on the same data."""
        settings = {**self._settings, "checkpoint": self.folder is None}
        digests = [hashlib.sha256(repr(value).encode()).digest() for value in settings.values()]
        rows = self.processes.gather(torch.tensor([list(digest) for digest in digests]))
        for name, column in zip(settings, rows.unbind(1), strict=True):
            if (column != column[0]).any():
                raise ValueError(f"{name} must be the same in all processes, but it differs")

    def _place(self, device: torch.device) -> None:
        if next(self.model.parameters()).device != device:
            self.model.to(device)
            self.optimizer.load_state_dict(self.optimizer.state_dict())  # follows its parameters

    def describe(self, data: Mapping[str, Any], **settings: Any) -> None:
        """Check the data, and note all on which the training depends, so that `load` can compare.

        Parameters
        ----------
        data : mapping of str to tuple of two Tensors, or None
            Inputs and targets, under the names of their arguments.
        **settings : numbers, texts, None, lists
            What else must be the same after a resumption.

        Raises
        ------
        TypeError, ValueError
            If data is no tuple of two finite tensors of the same length, 1 or more, or there are
            fewer samples than processes.
        """
        for name, tensors in data.items():
            if tensors is not None:
                _check_data(tensors, name)
                if (n := len(tensors[0])) < self.processes.size:
                    raise ValueError(
                        f"{name} must have at least one sample for each of "
                        f"{self.processes.size} processes, got {n}"
                    )
                alone = self.folder is None and self.processes.size == 1  # then nobody compares
                settings[name] = None if alone else fingerprint(*tensors)
        self._settings |= settings

    def forward(self, data: tuple[Tensor, Tensor], index: Tensor) -> tuple[Any, Tensor]:
        """Send the samples with the numbers `index` through the model; return outputs, targets.

        One of several processes sends its `share` of them, and one sample if that is empty: it has
        to go along, since the others wait for its gradients, but its loss counts with the weight 0.
        """
        share = self.processes.share(index)
        return self._send(self._network, data, share if len(share) else index[:1])

    def _send(
        self, model: nn.Module, data: tuple[Tensor, Tensor], index: Tensor
    ) -> tuple[Any, Tensor]:
        inputs, targets = (part[index.to(part.device)].to(self.device) for part in data)
        return model(inputs), targets

    def number(self, value: Any, name: str, where: str, batch: Tensor | None = None) -> float:
        """Return what a loss or a metric gave, as `number` does; of several processes, the mean.

        Parameters
        ----------
        value, name, where
            As for `number`.
        batch : Tensor of int, optional
            The sample numbers that were given to `forward`, if `value` is the loss of the outputs.
            Each process then counts by its share, and the mean is that over the whole batch.

        Returns
        -------
        float
            The same in all processes.

        Raises
        ------
        TypeError, ValueError
            As `number`, and in all processes if one of them has NaN or infinity.
        """
        return _finite(self.processes.mean(_plain(value, name, where), batch), name, where)

    def backward(self, value: Tensor, batch: Tensor) -> None:
        """Compute the gradient of the loss of the whole batch.

        Of several processes, each counts by the samples of its share. This is exact if the loss is
        a mean over samples, and nearly so if it is one over tokens, of which samples have more or
        fewer.

        Parameters
        ----------
        value : Tensor with one number
            The mean loss over what `forward` returned.
        batch : Tensor of int
            The sample numbers that were given to `forward`.
        """
        if self.processes.size > 1:  # their gradients are added, then divided by their number
            value = value * (self.processes.weight(batch) * self.processes.size)
        value.backward()

    @torch.no_grad()
    def evaluate(self, data: tuple[Tensor, Tensor], batch_size: int) -> tuple[Tensor, Tensor]:
        """Send all samples through the model in evaluation mode; return outputs, targets.

        Each of several processes does the whole work.
        """
        self.model.eval()
        batches = torch.arange(len(data[0])).split(batch_size)
        outputs = torch.cat([self._send(self.model, data, batch)[0] for batch in batches])
        return outputs, data[1].to(self.device)

    def end_epoch(self, epoch: int) -> None:
        """Refuse parameters that are not finite, and let all processes begin the next epoch alike.

        They get the buffers of process 0; the statistics of batch norm are those of its shares. The
        model is wrapped anew, since the wrapper changes the order in which it adds the gradients
        after its first step: a training that is resumed must add in the same order.
        """
        self._network = self.processes.wrap(self.model)
        self.check_finite(f"after epoch {epoch}")

    def check_finite(self, where: str) -> None:
        """Raise ValueError if a parameter of the model is NaN or infinite."""
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                raise ValueError(
                    f"{name} of model became NaN or infinite {where}: "
                    "is the learning rate too large?"
                )

    def exists(self) -> bool:
        """Tell whether there is a checkpoint to `load`.

        Raises
        ------
        ValueError
            If some of the processes see one, and others do not.
        """
        found = self.folder is not None and checkpoints.exists(self.folder)
        if (n_found := int(self.processes.sum(torch.tensor(int(found))))) % self.processes.size:
            raise ValueError(
                f"checkpoint must be a folder that all processes share, but {n_found} of "
                f"{self.processes.size} find a checkpoint in {self.folder}"
            )
        return found

    def save(self, notes: Any) -> None:
        """If there is a folder, write model, optimiser, generators and `notes` into it.

        The random numbers of all processes are kept; all else is that of process 0, which writes.

        Parameters
        ----------
        notes : nested numbers, texts and Tensors
            What `checkpoints.write` can hold.
        """
        if self.folder is None:
            return
        own = [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in self._gpus)]
        generators = [self.order.get_state(), *map(self.processes.gather, own)]
        state = {"settings": self._settings, "generators": generators, "notes": notes}
        state |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.processes.rank == 0:
            checkpoints.write(self.folder, state)
        self.processes.wait()

    def load(self) -> Any:
        """Put everything back as it was at `save`; return the notes.

        Raises
        ------
        FileNotFoundError, ValueError
            If there is no checkpoint, it is damaged, or was written with other settings.
        """
        if self.folder is None:
            raise FileNotFoundError("no checkpoint: the run has no folder")
        state = checkpoints.read(self.folder)
        if self.processes.rank == 0:
            checkpoints.sweep(self.folder)
        was, now = state["settings"], self._settings
        for name in now:
            if was.get(name) != now[name]:
                raise ValueError(
                    f"the checkpoint in {self.folder} belongs to another training: {name} was "
                    f"{str(was.get(name))[:200]}, now it is {str(now[name])[:200]}"
                )
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.order.set_state(state["generators"][0])
        # Copies, since PyTorch misreads the state of a generator that is a view of a larger tensor.
        own = [states[self.processes.rank].clone() for states in state["generators"][1:]]
        torch.set_rng_state(own[0])
        for gpu, generator in zip(self._gpus, own[1:], strict=False):
            torch.cuda.set_rng_state(generator, gpu)
        return state["notes"]


def fingerprint(*tensors: Tensor) -> str:
    """Return the SHA-256 of tensors: their types, shapes and values."""
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
        total.update(
            tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()
        )
    return total.hexdigest()


def _check_data(value: Any, name: str) -> None:
    """Refuse what is not inputs and targets."""
    if not isinstance(value, tuple) or [isinstance(part, Tensor) for part in value] != [True, True]:
        raise TypeError(f"{name} must be a tuple of two tensors, inputs and targets, got {value!r}")
    if 0 in (value[0].ndim, value[1].ndim) or not 0 < len(value[0]) == len(value[1]):
        shapes = " and ".join(str(tuple(part.shape)) for part in value)
        raise ValueError(
            f"{name} must have as many inputs as targets, 1 or more, got the shapes {shapes}"
        )
    for part in value:
        if part.is_floating_point() and not torch.isfinite(part).all():
            raise ValueError(f"{name} must be finite, got NaN or infinity")
