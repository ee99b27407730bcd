"""Networks that learn what data look like: autoencoders, and generators trained by an opponent.

An autoencoder squeezes a sample x of n numbers through a code of k < n numbers, and is trained to
give back its own input: minimise the mean of (decode(encode(x)) - x)**2. In a generative
adversarial network a generator G makes samples from random numbers z, and a discriminator D tells
them from real ones; D(x) is its probability that x is real::

    min over G, max over D:  V(D, G) = mean of log D(x) + mean of log(1 - D(G(z)))

Against a fixed generator of density q, and real data of density p, the best D is p / (p + q). The
discriminator here returns a score s, with D = sigmoid(s), since the logarithms are safe in s. What
this module leaves out: variational autoencoders, convolutions, and cures for mode collapse other
than noise and the spread of the batch.

References (in full in the chapter's bibliography): Hinton and Salakhutdinov (2006), autoencoders;
Vincent et al. (2008), denoising; Goodfellow et al. (2014), adversarial networks.

Chapter: book/basics/generative.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import (
    between,
    choice,
    finite,
    flag,
    instance,
    integer,
    integers,
    number,
    size,
    tensor,
)
from companion.progress import bar

LARGEST_RATE = 1e30  # beyond, single precision has no numbers left for a step
LOSSES = ("non-saturating", "minimax")


class Autoencoder(nn.Module):
    """Two networks in a row, an encoder and a decoder, that meet in a short code.

    With ``hidden=()`` encoder and decoder are one linear layer each: a linear autoencoder. Hidden
    layers are followed by tanh; code and output have no activation. The initial weights are
    PyTorch's, and follow ``torch.manual_seed``.

    Parameters
    ----------
    n_inputs, n_code : int
        Numbers in a sample, and in its code.
    hidden, decoder_hidden : sequence of int
        Sizes of the hidden layers, default (64,); those of the decoder, by default reversed.

    Examples
    --------
    >>> network = Autoencoder(64, 2)
    >>> samples = torch.zeros(5, 64)
    >>> network.encode(samples).shape, network(samples).shape
    (torch.Size([5, 2]), torch.Size([5, 64]))
    """

    def __init__(
        self,
        n_inputs: int,
        n_code: int,
        *,
        hidden: Sequence[int] = (64,),
        decoder_hidden: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.n_inputs, self.n_code = size(n_inputs, "n_inputs"), size(n_code, "n_code")
        there = integers(hidden, "hidden")
        back = there[::-1] if decoder_hidden is None else integers(decoder_hidden, "decoder_hidden")
        self.encoder = _layers(n_inputs, *there, n_code, activation=nn.Tanh())
        self.decoder = _layers(n_code, *back, n_inputs, activation=nn.Tanh())

    def encode(self, x: Tensor) -> Tensor:
        """Return the codes of samples, shape (B, n_code)."""
        return self.encoder(tensor(x, "x", ("B", self.n_inputs), dtype=_dtype(self), finite=True))

    def decode(self, code: Tensor) -> Tensor:
        """Return the samples that codes stand for, shape (B, n_inputs)."""
        code = tensor(code, "code", ("B", self.n_code), dtype=_dtype(self), finite=True)
        return self.decoder(code)

    def forward(self, x: Tensor) -> Tensor:
        """Encode samples and decode them again, shape (B, n_inputs)."""
        return self.decode(self.encode(x))


class Generator(nn.Module):
    """A network that turns random numbers into samples.

    Parameters
    ----------
    n_noise, n_outputs : int
        Random numbers that go in, and numbers in a sample.
    hidden : sequence of int, default (128, 128)
        Sizes of the hidden layers, each followed by ReLU.
    bounded : bool, default False
        Keep the outputs between -1 and 1 by a tanh. Without, they have no activation.

    Examples
    --------
    >>> generator = Generator(16, 64, bounded=True)
    >>> generator.sample(5, seed=0).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        n_noise: int,
        n_outputs: int,
        *,
        hidden: Sequence[int] = (128, 128),
        bounded: bool = False,
    ) -> None:
        super().__init__()
        self.n_noise, self.n_outputs = size(n_noise, "n_noise"), size(n_outputs, "n_outputs")
        self.bounded = flag(bounded, "bounded")
        sizes = (n_noise, *integers(hidden, "hidden"), n_outputs)
        self.layers = _layers(*sizes, activation=nn.ReLU())

    def forward(self, z: Tensor) -> Tensor:
        """Return one sample for each row of random numbers, shape (B, n_outputs)."""
        x = self.layers(tensor(z, "z", ("B", self.n_noise), dtype=_dtype(self), finite=True))
        return torch.tanh(x) if self.bounded else x

    @torch.no_grad()
    def sample(self, n: int, *, seed: int) -> Tensor:
        """Return `n` samples, shape (n, n_outputs), made from normally distributed numbers."""
        random = torch.Generator().manual_seed(integer(seed, "seed", 0))
        return self(torch.randn(size(n, "n"), self.n_noise, generator=random))


class Discriminator(nn.Module):
    """A network that scores how real a sample looks; sigmoid(score) is its probability D.

    Parameters
    ----------
    n_inputs : int
        Numbers in a sample.
    hidden : sequence of int, default (128, 128)
        Sizes of the hidden layers, each followed by a leaky ReLU with slope 0.2.
    sees_spread : bool, default False
        Add to each sample one more input: the standard deviation over the batch, averaged over the
        n_inputs numbers. Batches whose samples are all alike then give themselves away. Such a
        network needs batches of two or more, either all real or all generated.
    """

    def __init__(
        self, n_inputs: int, *, hidden: Sequence[int] = (128, 128), sees_spread: bool = False
    ) -> None:
        super().__init__()
        self.n_inputs = size(n_inputs, "n_inputs")
        self.sees_spread = flag(sees_spread, "sees_spread")
        sizes = (n_inputs + self.sees_spread, *integers(hidden, "hidden"), 1)
        self.layers = _layers(*sizes, activation=nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the score of each sample, shape (B,): positive where it looks real."""
        x = tensor(x, "x", ("B", self.n_inputs), dtype=_dtype(self), finite=True)
        if self.sees_spread:
            if len(x) < 2:
                raise ValueError(f"with sees_spread, x must have two rows or more, got {len(x)}")
            spread = x.std(dim=0).mean()
            x = torch.cat([x, spread.expand(len(x), 1)], dim=1)  # (B, n_inputs + 1)
        return self.layers(x)[:, 0]


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Return -(mean of log D(x) + mean of log(1 - D(G(z)))), a single number.

    Both arguments are scores s of shape (B,), of real and of generated samples; D = sigmoid(s).

    Examples
    --------
    >>> round(discriminator_loss(torch.zeros(3), torch.zeros(3)).item(), 4)  # log 4
    1.3863
    """
    real_scores = tensor(real_scores, "real_scores", ("B",), least=1, finite=True)
    fake_scores = tensor(fake_scores, "fake_scores", ("B",), least=1, finite=True)
    # -log(sigmoid(s)) = softplus(-s), and 1 - sigmoid(s) = sigmoid(-s); nothing overflows
    return functional.softplus(-real_scores).mean() + functional.softplus(fake_scores).mean()


def generator_loss(fake_scores: Tensor, loss: str = "non-saturating") -> Tensor:
    """Return what the generator minimises: the mean of -log D(G(z)), or of log(1 - D(G(z))).

    The first is the loss "non-saturating", the second "minimax"; scores as in `discriminator_loss`.
    """
    fake_scores = tensor(fake_scores, "fake_scores", ("B",), least=1, finite=True)
    if choice(loss, "loss", LOSSES) == "minimax":
        return -functional.softplus(fake_scores).mean()
    return functional.softplus(-fake_scores).mean()


def best_discriminator(p: ArrayLike, q: ArrayLike) -> np.ndarray:
    """Return the best answer D(x) = p(x) / (p(x) + q(x)) of a discriminator, symbol by symbol.

    `p` and `q`, shape (n,), are the probabilities of the n symbols in the real data, and from the
    generator; each sums to 1. For a symbol that never occurs, any answer is as good: it is NaN.

    Examples
    --------
    >>> best_discriminator([0.5, 0.5, 0], [0.5, 0, 0.5]).tolist()
    [0.5, 1.0, 0.0]
    """
    real, fake = _distributions(p, q)
    both = real + fake
    return np.divide(real, both, out=np.full(real.shape, math.nan), where=both > 0)


def game_value(p: ArrayLike, q: ArrayLike, d: ArrayLike | None = None) -> float:
    """Return V = sum of p(x) log D(x) + sum of q(x) log(1 - D(x)), with natural logarithms.

    It is at most 0, and minus infinity for a discriminator that is sure and wrong.

    `d` are the answers of the discriminator, from 0 to 1, shape (n,); by default the best ones.

    Examples
    --------
    >>> round(game_value([0.5, 0.5], [0.5, 0.5]), 4)  # minus log 4
    -1.3863
    """
    real, fake = _distributions(p, q)
    if d is None:
        answers = np.nan_to_num(best_discriminator(p, q), nan=0.5)
    else:
        answers = finite(d, "d", real.shape)
        if not ((answers >= 0) & (answers <= 1)).all():
            raise ValueError(f"d must lie between 0 and 1, got {answers}")
    with np.errstate(divide="ignore"):  # log(0) is minus infinity, as it should be
        right, wrong = np.log(answers), np.log1p(-answers)
    # A symbol that never occurs counts nothing, whatever its logarithm is.
    return float((real[real > 0] @ right[real > 0]) + (fake[fake > 0] @ wrong[fake > 0]))


def train_gan(
    generator: Generator,
    discriminator: Discriminator,
    data: Tensor,
    *,
    steps: int,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    discriminator_learning_rate: float | None = None,
    loss: str = "non-saturating",
    noise: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Let generator and discriminator play: in each step one update of each, with Adam.

    Parameters
    ----------
    generator, discriminator : Generator, Discriminator
        Their parameters are changed.
    data : Tensor, shape (N, n)
        Real samples; a batch is drawn from them with replacement.
    steps, batch_size : int
        Number of steps, and of real and of generated samples in each.
    learning_rate, discriminator_learning_rate : float
        Of both networks, default 0.001; of the discriminator, if it is to differ.
    loss : {"non-saturating", "minimax"}
        See `generator_loss`.
    noise : float, default 0
        Standard deviation of random numbers that are added to all that the discriminator sees.
    seed : int, default 0
        Everything random in the game follows from it; the initial weights do not.

    Returns
    -------
    ndarray, shape (steps, 2)
        Loss of the discriminator and of the generator in each step, before its update. 2 log 2
        and log 2 are those of a discriminator that answers 1/2 to everything.
    """
    instance(generator, "generator", Generator)
    n_inputs = instance(discriminator, "discriminator", Discriminator).n_inputs
    if generator.n_outputs != n_inputs:
        got = generator.n_outputs
        raise ValueError(f"generator must make samples of {n_inputs} numbers, got {got}")
    dtype = _dtype(discriminator)
    tensor(data, "data", ("N", n_inputs), dtype=dtype, least=1, finite=True)
    size(batch_size, "batch_size", 2 if discriminator.sees_spread else 1)
    between(0, learning_rate, LARGEST_RATE, "learning_rate")
    own_rate = learning_rate if discriminator_learning_rate is None else discriminator_learning_rate
    between(0, own_rate, LARGEST_RATE, "discriminator_learning_rate")
    noise, loss = number(noise, "noise", 0), choice(loss, "loss", LOSSES)
    n_steps = integer(steps, "steps", 1)
    random = torch.Generator().manual_seed(integer(seed, "seed", 0))
    betas = (0.5, 0.999)  # less momentum than Adam's usual 0.9: the opponent moves
    optimizer_g = torch.optim.Adam(generator.parameters(), learning_rate, betas)
    optimizer_d = torch.optim.Adam(discriminator.parameters(), own_rate, betas)

    def score(x: Tensor) -> Tensor:
        if noise:
            x = x + noise * torch.randn(x.shape, generator=random)
        scores = discriminator(x)
        if not scores.isfinite().all():
            raise ValueError(f"a score became NaN or infinite in step {step}, got {scores}")
        return scores

    history: list[tuple[float, float]] = []
    for step in bar(range(1, n_steps + 1)):
        real = data[torch.randint(len(data), (batch_size,), generator=random)]  # (B, n)
        fake = generator(torch.randn(batch_size, generator.n_noise, generator=random))  # (B, n)
        if not fake.isfinite().all():
            raise ValueError(f"a sample became NaN or infinite in step {step}, got {fake}")

        loss_d = discriminator_loss(score(real), score(fake.detach()))
        optimizer_d.zero_grad()
        loss_d.backward()
        optimizer_d.step()

        loss_g = generator_loss(score(fake), loss)
        optimizer_g.zero_grad()
        loss_g.backward()
        optimizer_g.step()

        history.append((loss_d.item(), loss_g.item()))
        if not np.isfinite(history[-1]).all():
            raise ValueError(f"a loss became NaN or infinite in step {step}: {history[-1]}")
    return np.array(history)


def _dtype(network: nn.Module) -> torch.dtype:
    return next(network.parameters()).dtype


def _layers(*sizes: int, activation: nn.Module) -> nn.Sequential:
    """Return linear layers in a row, with an activation after each but the last."""
    layers: list[nn.Module] = []
    for pair in pairwise(sizes):
        layers += [nn.Linear(*pair), activation]
    return nn.Sequential(*layers[:-1])


def _distributions(p: ArrayLike, q: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return two distributions over the same symbols, checked."""
    real = finite(p, "p", ("n",))
    fake = finite(q, "q", real.shape)
    for name, shares in (("p", real), ("q", fake)):
        if (shares < 0).any() or not math.isclose(shares.sum(), 1, abs_tol=1e-9):
            raise ValueError(f"{name} must be probabilities with the sum 1, got {shares}")
    return real, fake
