"""What goes wrong in training, made measurable: one small instrument per difficulty.

Gradients pass through a network of depth K as a product of K factors, one per layer::

    dL/dh_1 = dL/dh_K * (dh_K/dh_(K-1)) * ... * (dh_2/dh_1),

so they vanish if the factors are small and explode if they are large: `DeepNetwork` shows it, with
the remedies h + f(x) (residual) and layer normalisation, and `gradient_norms` measures it. For
over- and underfitting there is `learning_curve`; for interpretability, `saliency` and
`permutation_importance`; for preprocessing, `standardise`. What this module leaves out: the search
for hyperparameters, for which the chapter uses scikit-learn; saliency of anything but a class's
score.

References (in full in the chapter's bibliography): Glorot and Bengio (2010), vanishing gradients
and initial weights; He et al. (2016), residual connections; Ba, Kiros and Hinton (2016), layer
normalisation; Goodfellow, Bengio and Courville (2016), capacity and search.

Chapter: book/basics/challenges.ipynb
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from companion.arguments import (
    array,
    came,
    finite,
    flag,
    function,
    instance,
    integer,
    integers,
    size,
    tensor,
)

INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


class DeepNetwork(nn.Module):
    """A network of many equal hidden layers, with remedies against vanishing gradients.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Numbers that go in and come out per sample.
    depth : int
        Number of hidden layers, 1 or more.
    width : int, default 32
        Neurons in each hidden layer.
    activation : callable, default torch.relu
        Applied after each hidden layer.
    residual : bool, default False
        Add each hidden layer's input to its output (the first hidden layer has none to add).
    normalise : bool, default False
        Layer normalisation before each activation.
    seed : int, default 0
        For the initial weights, the uniform ones of Glorot and Bengio; biases start at 0.

    Examples
    --------
    >>> network = DeepNetwork(2, 1, depth=3, width=5)
    >>> network(torch.zeros(4, 2)).shape
    torch.Size([4, 1])
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        *,
        depth: int,
        width: int = 32,
        activation: Callable[[Tensor], Tensor] = torch.relu,
        residual: bool = False,
        normalise: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.activation = function(activation, "activation", "a function of a tensor")
        width = size(width, "width")
        sizes = [size(n_inputs, "n_inputs")] + [width] * integer(depth, "depth", 1, 10_000)
        layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
        self.hidden = nn.ModuleList(layers)
        normalise, self.residual = flag(normalise, "normalise"), flag(residual, "residual")
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in self.hidden if normalise)
        self.output = nn.Linear(width, size(n_outputs, "n_outputs"))
        generator = torch.Generator().manual_seed(integer(seed, "seed", 0))
        for layer in (*layers, self.output):
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Send inputs of shape (N, n_inputs) through all layers; returns (N, n_outputs)."""
        width, dtype = self.hidden[0].in_features, self.output.weight.dtype
        x = tensor(x, "x", ("N", width), dtype=dtype, finite=True)
        for place, layer in enumerate(self.hidden):
            z = layer(x)  # (N, width)
            if self.norms:
                z = self.norms[place](z)
            h = self.activation(z)
            x = x + h if self.residual and place > 0 else h
        return self.output(x)


def gradient_norms(model: nn.Module) -> dict[str, float]:
    """Measure the gradient that ``loss.backward()`` has left in each layer, name to norm.

    For each module with parameters of its own, in the order of the model, it is the root of the sum
    of its squared gradients. Parameters without a gradient are left out.

    Examples
    --------
    >>> model = nn.Linear(2, 1)
    >>> model(torch.tensor([[3.0, 0.0]])).sum().backward()
    >>> {name: round(norm, 4) for name, norm in gradient_norms(model).items()}
    {'': 3.1623}
    """
    instance(model, "model", nn.Module)
    norms = {}
    for name, module in model.named_modules():
        own = [p.grad for p in module.parameters(recurse=False) if p.grad is not None]
        if own:
            norms[name] = math.sqrt(sum(float((grad.double() ** 2).sum()) for grad in own))
    if not norms:
        raise ValueError("model must have gradients: call loss.backward() first")
    return norms


class LearningCurve(NamedTuple):
    """Scores for growing amounts of training data."""

    sizes: np.ndarray  # (S,)
    train: np.ndarray  # (S, repeats)
    validation: np.ndarray  # (S, repeats)


def learning_curve(
    measure: Callable[[np.ndarray], tuple[float, float]],
    n_samples: int,
    sizes: Sequence[int],
    *,
    repeats: int = 1,
    seed: int = 0,
) -> LearningCurve:
    """Train on more and more samples, and measure on them and on others.

    Parameters
    ----------
    measure : callable
        ``measure(samples)`` gets sample numbers, trains a new model on these samples, and returns
        two numbers: its score on them and its score on validation data.
    n_samples : int
        The samples are numbered 0 to n_samples - 1.
    sizes : sequence of int
        How many samples, each from 1 to n_samples. Within a repeat, smaller sets are parts of
        larger ones.
    repeats : int, default 1
        How often to start again with another random order, which follows from `seed`.

    Examples
    --------
    >>> learning_curve(lambda samples: (1.0, len(samples) / 4), 4, [1, 4]).validation.tolist()
    [[0.25], [1.0]]
    """
    function(measure, "measure", "a function of sample numbers")
    n_samples, counts = size(n_samples, "n_samples"), integers(sizes, "sizes", least=1)
    if max(counts) > n_samples:
        raise ValueError(f"sizes must hold numbers from 1 to {n_samples}, got {counts}")
    rng = np.random.default_rng(integer(seed, "seed", 0))
    orders = [rng.permutation(n_samples) for _ in range(size(repeats, "repeats"))]
    parts = [order[:count] for count in counts for order in orders]
    scores = np.array([finite(measure(part), "what measure returns", (2,)) for part in parts])
    train, validation = scores.T.reshape(2, len(counts), len(orders))  # each (S, repeats)
    return LearningCurve(np.array(counts), train, validation)


def saliency(model: nn.Module, x: Tensor, target: int | Tensor) -> Tensor:
    """Measure how strongly a class's score reacts to each input: abs(d score / d x), 0 or more.

    Parameters
    ----------
    model : Module
        Gives scores of shape (N, classes). It is used in evaluation mode and left as it was.
    x : Tensor, shape (N, ...)
        Inputs, of a floating type.
    target : int or Tensor of int, shape (N,)
        The class whose score is looked at, for all samples or for each.

    Examples
    --------
    >>> model = nn.Linear(2, 2, bias=False)
    >>> _ = model.weight.data.copy_(torch.tensor([[1.0, 2.0], [3.0, -4.0]]))
    >>> saliency(model, torch.zeros(1, 2), 1).tolist()
    [[3.0, 4.0]]
    """
    instance(model, "model", nn.Module)
    dtype = next((parameter.dtype for parameter in model.parameters()), None)
    x = tensor(x, "x", ("N", "F", ...), dtype=dtype, least=1, finite=True)
    classes = target if isinstance(target, Tensor) else torch.tensor(integer(target, "target", 0))
    if classes.dtype not in INTEGERS or classes.shape not in ((), (len(x),)):
        raise ValueError(f"target must be one class or ({len(x)},) classes, got {came(target)}")
    inputs, training = x.detach().clone().requires_grad_(), model.training
    model.eval()
    try:
        with torch.enable_grad():
            scores = tensor(model(inputs), "what model returns", (len(x), "classes"))
            if ((classes < 0) | (classes >= scores.shape[1])).any():
                limits = f"from 0 to {scores.shape[1] - 1}"
                raise ValueError(f"target must be {limits}, got {came(target)}")
            # Samples do not influence each other, so their scores may be summed.
            chosen = scores[torch.arange(len(x)), classes.long()].sum()
    finally:
        model.train(training)
    if not chosen.requires_grad:
        raise ValueError("model must compute its scores from x, got scores without a gradient")
    return torch.autograd.grad(chosen, inputs, materialize_grads=True)[0].abs()


def permutation_importance(
    score: Callable[[np.ndarray, np.ndarray], float],
    x: ArrayLike,
    y: ArrayLike,
    *,
    repeats: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Shuffle one column at a time, and measure how much worse the trained model gets.

    Parameters
    ----------
    score : callable
        ``score(x, y)`` gives a number, larger for a better model.
    x : array_like, shape (N, F)
        Data; best such as the model has not learned from.
    y : array_like, shape (N, ...)
        Their targets.
    repeats : int, default 5
        How often each column is shuffled; the shuffles follow from `seed`.

    Returns
    -------
    ndarray, shape (F, repeats)
        The score on `x` minus the score with the column shuffled.

    Examples
    --------
    >>> x, y = np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]]), np.array([0.0, 1.0, 2.0])
    >>> def score(x, y):
    ...     return -np.abs(x[:, 0] - y).mean()
    >>> permutation_importance(score, x, y, repeats=9).mean(axis=1).round(2).tolist()
    [1.11, 0.0]
    """
    function(score, "score", "a function of x and y")
    x, y = finite(x, "x"), array(y, "y")
    if x.ndim != 2 or x.size == 0:
        raise ValueError(f"x must have shape (N, F), not empty, got {x.shape}")
    if y.shape[:1] != x.shape[:1]:
        raise ValueError(f"y must have {len(x)} targets, got shape {y.shape}")
    rng = np.random.default_rng(integer(seed, "seed", 0))
    drops = np.empty((x.shape[1], size(repeats, "repeats")))
    before = finite(score(x, y), "what score returns", ())
    for column, turn in np.ndindex(*drops.shape):
        shuffled = x.copy()
        shuffled[:, column] = rng.permutation(x[:, column])
        drops[column, turn] = before - finite(score(shuffled, y), "what score returns", ())
    return drops


def standardise(train: ArrayLike, *others: ArrayLike) -> list[np.ndarray]:
    """Shift and scale each column so that on the training data its mean is 0 and its spread 1.

    Parameters
    ----------
    train : array_like, shape (N, F)
        Means and standard deviations come from these data alone. A constant column is only shifted.
    *others : array_like, shape (M, F)
        Validation and test data: shifted and scaled by the same numbers.

    Examples
    --------
    >>> [part.tolist() for part in standardise([[1.0], [3.0]], [[5.0]])]
    [[[-1.0], [1.0]], [[3.0]]]
    """
    first = finite(train, "train")
    if first.ndim != 2 or first.size == 0:
        raise ValueError(f"train must have shape (N, F), not empty, got {first.shape}")
    rest = [finite(other, "others", ("M", first.shape[1])) for other in others]
    with np.errstate(over="ignore", invalid="ignore"):
        mean, spread = first.mean(axis=0), first.std(axis=0)
        # A constant column may have a tiny spread from rounding; dividing would blow it up.
        spread[np.ptp(first, axis=0) == 0] = 1
        scaled = [(part - mean) / spread for part in (first, *rest)]
    if not np.isfinite(spread).all():
        raise ValueError(f"train is too large: a spread of {spread.max()}")
    return [finite(part, "the scaled numbers") for part in scaled]
