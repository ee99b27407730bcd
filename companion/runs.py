"""Runs: a training that can be interrupted at any moment, and that notices when it goes wrong.

A `Run` puts a model on its device, sets every random number by a seed, and keeps and restores all
that the next step depends on: parameters, the optimiser's memory, the states of the generators. It
refuses data that cannot be learned from, and losses and parameters that are not finite. What this
module leaves out: the training itself (`companion.basics.training.fit`), and random numbers that
come from NumPy or Python.

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
    if isinstance(value, Tensor):
        came = f"a tensor of shape {tuple(value.shape)}"
        value = value.item() if value.numel() == 1 else value
    else:
        came = f"{type(value).__name__} {value!r}"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} must give one number, gave {came} {where}")
    if not math.isfinite(value):
        raise ValueError(
            f"{name} became {float(value)} {where}: is the learning rate too large, "
            "or something in the data?"
        )
    return float(value)


class Run:
    """A training that can be interrupted: model, optimiser and random numbers, on a device.

    Inside ``with run:`` the model lies on the device, and all random numbers of PyTorch follow from
    the seed. Afterwards the model is back where it was, in evaluation mode, and the generator of
    PyTorch as it was.

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
        The default is "cuda" where there is one, else "cpu".

    Attributes
    ----------
    order : torch.Generator
        For the order of the samples.

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
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.order = torch.Generator().manual_seed(seed)
        self._gpus = [self.device] if self.device.type == "cuda" else []
        shapes = [(name, *value.shape) for name, value in model.state_dict().items()]
        groups = [type(optimizer).__name__, *optimizer.state_dict()["param_groups"]]
        self._settings: dict[str, Any] = {"seed": seed, "model": shapes, "optimizer": groups}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Run:
        home = next(self.model.parameters()).device
        self._stack.callback(self._place, home)
        self._place(self.device)
        self._stack.enter_context(torch.random.fork_rng(self._gpus))
        torch.manual_seed(self.seed)
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
        self.model.eval()

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
            If data is no tuple of two finite tensors of the same length, 1 or more.
        """
        for name, tensors in data.items():
            if tensors is not None:
                _check_data(tensors, name)
                settings[name] = None if self.folder is None else fingerprint(*tensors)
        self._settings |= settings

    def forward(self, data: tuple[Tensor, Tensor], index: Tensor) -> tuple[Any, Tensor]:
        """Send the samples with the numbers `index` through the model; return outputs, targets."""
        inputs, targets = (part[index.to(part.device)].to(self.device) for part in data)
        return self.model(inputs), targets

    @torch.no_grad()
    def evaluate(self, data: tuple[Tensor, Tensor], batch_size: int) -> tuple[Tensor, Tensor]:
        """Send all samples through the model in evaluation mode; return outputs, targets."""
        self.model.eval()
        batches = torch.arange(len(data[0])).split(batch_size)
        outputs = torch.cat([self.forward(data, batch)[0] for batch in batches])
        return outputs, data[1].to(self.device)

    def check_finite(self, where: str) -> None:
        """Raise ValueError if a parameter of the model is NaN or infinite."""
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                raise ValueError(
                    f"{name} of model became NaN or infinite {where}: "
                    "is the learning rate too large?"
                )

    def exists(self) -> bool:
        """Tell whether there is a checkpoint to `load`."""
        return self.folder is not None and checkpoints.exists(self.folder)

    def save(self, notes: Any) -> None:
        """If there is a folder, write model, optimiser, generators and `notes` into it.

        Parameters
        ----------
        notes : nested numbers, texts and Tensors
            What `checkpoints.write` can hold.
        """
        if self.folder is None:
            return
        generators = [self.order.get_state(), torch.get_rng_state()]
        generators += [torch.cuda.get_rng_state(gpu) for gpu in self._gpus]
        state = {"settings": self._settings, "generators": generators, "notes": notes}
        state |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        checkpoints.write(self.folder, state)

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
        torch.set_rng_state(state["generators"][1])
        for gpu, generator in zip(self._gpus, state["generators"][2:], strict=False):
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
