"""Processes: several computers, or several copies of a program on one, that train one network.

A program that is started by ``torchrun --nproc_per_node 2 train.py`` runs twice, and each copy
finds in its environment who it is (``RANK``) and how many there are (``WORLD_SIZE``). Each takes
its share of a batch. The mean of their gradients, weighted by how much each has counted, is that of
the whole batch: all make the same step with it, and their parameters stay the same::

    gradient = (n_0 g_0 + n_1 g_1 + ...) / (n_0 + n_1 + ...)

Everything here is a sum over all processes of what each of them has; with one process, nothing is
sent and nothing costs. What this module leaves out: networks or data too large for one process,
and sending gradients while others are still being computed.

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
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, distributed, nn

from companion.arguments import came

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
        The number of this process, from 0, and how many there are; `device` is its device.
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
        default = "cuda" if self._own_gpus else "cpu"
        self.device = torch.device(default) if device is None else _device(device)
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

    def share(self, rows: Tensor) -> Tensor:
        """Cut rows (B, ...), the same in all processes, into equal parts; return this one's.

        Its length is B / size, rounded up or down: 0 for the last ones, if there are too few rows.
        """
        return rows.tensor_split(self.size)[self.rank]

    def mean_gradient(self, model: nn.Module, mean: float, count: float) -> tuple[float, float]:
        """Give all processes the gradient of the mean over what they have counted together.

        Here, `mean` is that of this process, of `count` losses (perhaps none), and the parameters
        have its gradient or none. Returned are mean and count of all processes together.
        """
        if self.size == 1:
            return mean, count
        some = list(model.parameters())
        own = [mean * count, count, *(parameter.grad is not None for parameter in some)]
        total, number, *users = self.sum(torch.tensor(own, dtype=torch.float64)).tolist()
        used = [parameter for parameter, n in zip(some, users, strict=True) if n]
        for parameter in used:
            if parameter.grad is None or count == 0:  # it has nothing to add, not even NaN
                parameter.grad = torch.zeros_like(parameter)
            elif parameter.grad.is_sparse:
                parameter.grad = parameter.grad.to_dense()
        for dtype in {parameter.dtype: None for parameter in used}:  # one message for each type
            gradients = [p.grad for p in used if p.grad is not None and p.dtype == dtype]
            message = torch.cat([gradient.flatten() for gradient in gradients])
            message = self.sum(message * (count / number if number else 0))
            parts = message.split([gradient.numel() for gradient in gradients])
            for gradient, part in zip(gradients, parts, strict=True):
                gradient.copy_(part.view_as(gradient))
        return total / (number or 1.0), number

    @torch.no_grad()
    def spread(self, tensors: Sequence[Tensor]) -> None:
        """Give all processes the values that process 0 has, such as parameters and buffers."""
        for tensor in tensors if self.size > 1 else ():
            message = self._sendable(tensor)
            distributed.broadcast(message, 0)
            tensor.copy_(message)

    def mean(self, value: float) -> float:
        """Return the mean of the numbers that the processes have; not finite if one is not."""
        if self.size == 1:
            return value
        return self.sum(torch.tensor(value / self.size, dtype=torch.float64)).item()

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, the same in all, without a gradient."""
        if self.size == 1:
            return values.detach()
        message = self._sendable(values)
        distributed.all_reduce(message)
        return message.to(values.device)

    def gather(self, values: Tensor) -> Tensor:
        """Return the tensors of all processes: row by row what the processes 0, 1, ... have."""
        rows = values.new_zeros((self.size, *values.shape))
        rows[self.rank] = values
        return self.sum(rows)  # every row is one process's, all others add 0

    def wait(self) -> None:
        """Go on when all processes have come this far."""
        self.sum(torch.zeros(1))

    def _sendable(self, values: Tensor) -> Tensor:
        """Return a copy that lies where the processes can send from."""
        place = self.device if distributed.get_backend() == "nccl" else "cpu"
        return values.detach().to(place, copy=True).contiguous()


def _device(value: Any) -> torch.device:
    try:
        return torch.device(value)
    except (RuntimeError, TypeError, ValueError):
        raise ValueError(f"device must be one of torch, got {came(value)}") from None


@functools.cache
def _meeting_place() -> Any:
    """Return where the processes find each other, at the address in the environment."""
    from torch.distributed.rendezvous import rendezvous

    return next(iter(rendezvous("env://")))[0]


def _is_grouped() -> bool:
    """Tell whether this process belongs to a process group of PyTorch."""
    return distributed.is_available() and distributed.is_initialized()
