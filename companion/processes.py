"""Processes: several computers, or several copies of a program on one, that train one network.

A program that is started by ``torchrun --nproc_per_node 2 train.py`` runs twice, and each copy
finds in its environment who it is (``RANK``) and how many there are (``WORLD_SIZE``). Each takes
its share of a batch. The mean of their gradients, weighted by the sizes of the shares, is that of
the whole batch: all make the same step with it, and their parameters stay the same.

Everything here is a sum over all processes of what each of them has; with one process, nothing is
sent and nothing costs. What this module leaves out: networks or data too large for one process.

References: Li et al. (2020), PyTorch Distributed: Experiences on Accelerating Data Parallel
Training; Patarasuk and Yuan (2009), Bandwidth Optimal All-reduce Algorithms.

Used first in book/transformer/translation.ipynb.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, distributed, nn

_groups = itertools.count()  # those that this process has joined: each needs its own name


class Processes:
    """The processes that work together, seen from one of them.

    They work together if a process group of `torch.distributed` exists already, or if the
    environment says so, as torchrun sets it. Otherwise there is one.

    Parameters
    ----------
    device : str or torch.device, optional
        Where to compute. The default is "cuda" where there is one, else "cpu"; of several
        processes, each takes its own GPU, and the CPU where there are fewer GPUs than processes.

    Attributes
    ----------
    rank, size : int
        The number of this process, from 0, and how many there are.
    device : torch.device
        Of this process.
    """

    def __init__(self, device: str | torch.device | None = None) -> None:
        self.rank, self.size, n_gpus = 0, int(os.environ.get("WORLD_SIZE", 1)), 0
        if _is_grouped():
            self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        elif self.size > 1:
            self.rank = int(os.environ.get("RANK", 0))
        if torch.cuda.is_available():
            n_gpus = torch.cuda.device_count()
        # On this machine alone:
        local_rank = int(os.environ.get("LOCAL_RANK", self.rank))
        self._own_gpus = n_gpus >= int(os.environ.get("LOCAL_WORLD_SIZE", self.size))
        self.device = torch.device(device or ("cuda" if self._own_gpus else "cpu"))
        if self.size > 1 and n_gpus and self.device == torch.device("cuda"):
            self.device = torch.device("cuda", local_rank % n_gpus)

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Join the others inside ``with``, where there are any, and leave them afterwards.

        A group that exists already is used, and left as it is.
        """
        if self.size == 1 or _is_grouped():
            yield
            return
        from torch.distributed.distributed_c10d import PrefixStore

        backend = "nccl" if self.device.type == "cuda" and self._own_gpus else "gloo"
        # No group must find the addresses of an earlier one, not even after torchrun's restart.
        name = f"companion/{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}/{next(_groups)}"
        store = PrefixStore(name, _meeting_place())
        excepthook = sys.excepthook
        distributed.init_process_group(backend, store=store, rank=self.rank, world_size=self.size)
        try:
            with contextlib.nullcontext() if backend == "gloo" else torch.cuda.device(self.device):
                yield
        finally:
            distributed.destroy_process_group()
        sys.excepthook = excepthook  # after an error, PyTorch's own: it names the process

    def share(self, batch: Tensor) -> Tensor:
        """Cut a batch into parts, as equal as possible, and return that of this process.

        Parameters
        ----------
        batch : Tensor, shape (B, ...)
            The same in all processes.

        Returns
        -------
        Tensor, shape (B / size, ...), rounded up or down
            Empty for the last processes, if the batch has fewer samples than there are processes.
        """
        return batch.tensor_split(self.size)[self.rank]

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return a module that averages the gradients over the processes in each backward pass.

        All processes get the parameters and buffers of process 0. A single one gets its model back.
        """
        return model if self.size == 1 else nn.parallel.DistributedDataParallel(model)

    def weight(self, batch: Tensor | None = None) -> float:
        """Return how much this process counts in a mean: by its `share` of the batch, if any.

        Parameters
        ----------
        batch : Tensor, shape (B, ...), optional
            Without it, all processes count the same.

        Returns
        -------
        float
            From 0 to 1; the weights of all processes have the sum 1.
        """
        return 1 / self.size if batch is None else len(self.share(batch)) / len(batch)

    def mean(self, value: float, batch: Tensor | None = None) -> float:
        """Return the mean of the numbers that the processes have, by their `weight`.

        Parameters
        ----------
        value : float
            What this process has measured, on its share of the batch if there is one.
        batch : Tensor, shape (B, ...), optional
            As for `weight`.

        Returns
        -------
        float
            The same in all processes; not finite if one of them has NaN or infinity.
        """
        if self.size == 1:
            return value
        return self.sum(torch.tensor(self.weight(batch) * value, dtype=torch.float64)).item()

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, the same in all of them.

        Parameters
        ----------
        values : Tensor, any shape
            Of the same shape and type in all processes.

        Returns
        -------
        Tensor, shape of `values`
            On the same device, without a gradient.
        """
        if self.size == 1:
            return values.detach()
        place = self.device if distributed.get_backend() == "nccl" else "cpu"
        total = values.detach().to(place, copy=True).contiguous()
        distributed.all_reduce(total)
        return total.to(values.device)

    def gather(self, values: Tensor) -> Tensor:
        """Return the tensors of all processes.

        Parameters
        ----------
        values : Tensor, any shape
            Of the same shape and type in all processes.

        Returns
        -------
        Tensor, shape (size, ...)
            Row by row what the processes 0, 1, ... have.
        """
        rows = values.new_zeros((self.size, *values.shape))
        rows[self.rank] = values
        return self.sum(rows)  # every row is one process's, all others add 0

    def wait(self) -> None:
        """Go on when all processes have come this far."""
        self.sum(torch.zeros(1))


@functools.cache
def _meeting_place() -> Any:
    """Return where the processes find each other, at the address in the environment."""
    from torch.distributed.rendezvous import rendezvous

    return next(iter(rendezvous("env://")))[0]


def _is_grouped() -> bool:
    """Tell whether this process belongs to a process group of PyTorch."""
    return distributed.is_available() and distributed.is_initialized()
