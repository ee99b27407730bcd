"""Runs: a training that can be interrupted at any moment, alone or in several processes.

A `Run` puts a model on its device, sets every random number by a seed, and keeps and restores all
that the next step depends on: parameters, the optimiser's memory, the states of the generators.
What this module leaves out: the training itself (`companion.basics.training.fit`), and random
numbers that come from NumPy or Python.

Used first in book/basics/training.ipynb.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

from companion.runs import checkpoints
from companion.runs.batches import Batch, n_rows
from companion.runs.processes import Processes


class Run:
    """A training that can be interrupted: model, optimiser and random numbers, on a device.

    Inside ``with run:`` the model lies on the device, and all random numbers of PyTorch follow from
    the seed. Afterwards the model is back where it was, in evaluation mode, and the generator of
    PyTorch as it was; the optimiser has the learning rates that it came with.

    If this is one of several processes, it joins the others inside ``with run:``. They all begin
    with the parameters of process 0; each takes another share of a batch, and other random numbers,
    such as those of dropout. Process 0 alone writes checkpoints; all read them.

    `save` writes into `folder`, or nothing if there is none; `device` is as in `Processes`.

    Attributes
    ----------
    settings : dict of str to numbers, texts, None, lists
        What must be the same in all processes and after a resumption; to be filled before ``with``.
    order : torch.Generator
        For the order of the samples, the same in all processes.
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
        self.model, self.optimizer, self.folder, self.seed = model, optimizer, folder, seed
        self.processes = Processes(device)
        self.device = self.processes.device
        self.order = torch.Generator().manual_seed(seed)
        self.rates: list[Any] = [group.get("lr") for group in optimizer.param_groups]
        self._gpus = [self.device] if self.device.type == "cuda" else []
        shapes = [(name, *value.shape) for name, value in model.state_dict().items()]
        groups = [type(optimizer).__name__, *optimizer.state_dict()["param_groups"]]
        self.settings: dict[str, Any] = {"seed": seed, "model": shapes, "optimizer": groups}
        self.settings["processes"] = self.processes.size
        self._stack = contextlib.ExitStack()

    @property
    def is_compared(self) -> bool:
        """Whether other processes, or a checkpoint, will be compared with the settings."""
        return self.folder is not None or self.processes.size > 1

    def __enter__(self) -> Run:
        home = next(self.model.parameters()).device
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.processes.joined())
            stack.callback(self._place, home)
            self._compare()
            self._place(self.device)
            stack.enter_context(self.random())
            torch.manual_seed(self.seed + self.processes.rank)
            self.processes.spread([*self.model.parameters(), *self.model.buffers()])
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()
        self.model.eval()
        self._reset_rates()

    def random(self) -> contextlib.AbstractContextManager[None]:
        """Leave the random numbers after ``with`` as if nothing had been drawn inside."""
        return torch.random.fork_rng(self._gpus)

    def _compare(self) -> None:
        """Refuse to begin if the processes do not all train the same model on the same data."""
        settings = {**self.settings, "checkpoint": self.folder is None}
        digests = [hashlib.sha256(repr(value).encode()).digest() for value in settings.values()]
        rows = self.processes.gather(torch.tensor([list(digest) for digest in digests]))
        for name, column in zip(settings, rows.unbind(1), strict=True):
            if (column != column[0]).any():
                raise ValueError(f"{name} must be the same in all processes, but it differs")

    def _place(self, device: torch.device) -> None:
        if next(self.model.parameters()).device != device:
            self.model.to(device)
            self.optimizer.load_state_dict(self.optimizer.state_dict())  # follows its parameters

    def _reset_rates(self) -> None:
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            if rate is not None:
                group["lr"] = rate

    def shares(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, int]]:
        """Yield this process's rows of each batch, on its device, and how many they are.

        Where the batch has fewer rows than there are processes, the last ones get none of it.
        """
        for batch in batches:
            own = {name: self.processes.share(value) for name, value in batch.items()}
            if rows := n_rows(own):
                yield {name: value.to(self.device) for name, value in own.items()}, rows

    def end_epoch(self, epoch: int) -> None:
        """Refuse parameters that are not finite; give all processes the buffers of process 0.

        The statistics of batch norm are those of its shares.
        """
        self.processes.spread(list(self.model.buffers()))
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                what = f"{name} of model became NaN or infinite after epoch {epoch}"
                raise ValueError(f"{what}: is the learning rate too large?")

    def exists(self) -> bool:
        """Tell whether there is a checkpoint to `load`, and all processes see it."""
        found = self.folder is not None and checkpoints.exists(self.folder)
        if (n_found := int(self.processes.sum(torch.tensor(int(found))))) % self.processes.size:
            some = f"{n_found} of {self.processes.size} find a checkpoint in {self.folder}"
            raise ValueError(f"checkpoint must be a folder that all processes share, but {some}")
        return found

    def save(self, notes: Any) -> None:
        """If there is a folder, write model, optimiser, generators and `notes` into it.

        The random numbers of all processes are kept; all else is that of process 0, which writes.
        """
        if self.folder is None:
            return
        own = [torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in self._gpus)]
        generators = [self.order.get_state(), *map(self.processes.gather, own)]
        state = {"settings": self.settings, "generators": generators, "notes": notes}
        state |= {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self.processes.rank == 0:
            checkpoints.write(self.folder, state)
        self.processes.wait()

    def load(self) -> Any:
        """Put everything back as it was at `save`, with the same settings; return the notes."""
        assert self.folder is not None
        state = checkpoints.read(self.folder)
        if self.processes.rank == 0:
            checkpoints.sweep(self.folder)
        if not isinstance(state, dict) or "settings" not in state:
            raise ValueError(f"the checkpoint in {self.folder} must be one of a training, is not")
        was, now = state["settings"], self.settings
        for name in now:
            if was.get(name) != now[name]:
                change = f"was {str(was.get(name))[:200]}, now it is {str(now[name])[:200]}"
                what = f"belongs to another training: {name} {change}"
                raise ValueError(f"the checkpoint in {self.folder} {what}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._reset_rates()  # the checkpoint has those of its last step, as a schedule made them
        self.order.set_state(state["generators"][0])
        # Copies, since PyTorch misreads the state of a generator that is a view of a larger tensor.
        own = [states[self.processes.rank].clone() for states in state["generators"][1:]]
        torch.set_rng_state(own[0])
        for gpu, generator in zip(self._gpus, own[1:], strict=False):
            torch.cuda.set_rng_state(generator, gpu)
        return state["notes"]
