"""Convolution: a small filter that slides over an image, and the networks that are made of it.

At every place the layer multiplies the window under the filter by the filter and adds up,

    y[o, i, j] = bias[o] + sum over c, u, v of weight[o, c, u, v] * x[c, i * s + u, j * s + v]

with the stride s. Mathematicians call this cross-correlation, for nothing is flipped.
`conv2d_by_loops` says it as it stands. `conv2d` copies all windows side by side (im2col) and leaves
the sums to one matrix product; its gradient adds the windows back to where they came from. What
this module leaves out: dilation and groups as options, transposed convolution, average pooling.

References (in full in the chapter's bibliography): Fukushima (1980), the idea; LeCun and others
(1989), such networks trained by backpropagation; LeCun and others (1998), LeNet-5.

Chapter: book/basics/convolution.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion.arguments import integers, tensor
from companion.arguments import size as length

Pair = int | tuple[int, int]


def output_size(size: int, kernel_size: int, *, stride: int = 1, padding: int = 0) -> int:
    """Count the places of a window on one axis: floor((size + 2 * padding - kernel) / stride) + 1.

    The window of `kernel_size` pixels moves by `stride` from place to place; `padding` zeros are
    added at each end.

    Examples
    --------
    >>> output_size(8, 3), output_size(8, 3, padding=1), output_size(8, 3, stride=2)
    (6, 8, 3)
    """
    kernel_size, stride = length(kernel_size, "kernel_size"), length(stride, "stride")
    padded = length(size, "size") + 2 * length(padding, "padding", 0)
    if kernel_size > padded:
        raise ValueError(f"the window of {kernel_size} must fit into the padded image of {padded}")
    return (padded - kernel_size) // stride + 1


def receptive_field(
    kernel_sizes: Sequence[int],
    *,
    strides: Sequence[int] | None = None,
    dilations: Sequence[int] | None = None,
) -> int:
    """Count the pixels, along one axis, that one output of stacked layers can depend on.

    With kernel sizes k, dilations d and strides s it is 1 + the sum over l of
    (k_l - 1) * d_l * s_1 * ... * s_(l-1). The first layer, convolution or pooling, comes first;
    strides and dilations are 1 everywhere if not given.

    Examples
    --------
    >>> [receptive_field([3] * layers) for layers in (1, 2, 3, 4, 5)]
    [3, 5, 7, 9, 11]
    >>> receptive_field([3, 3, 3], dilations=[1, 2, 4])
    15
    """
    kernel_sizes = integers(kernel_sizes, "kernel_sizes")
    n_layers = len(kernel_sizes)
    strides = [1] * n_layers if strides is None else integers(strides, "strides")
    dilations = [1] * n_layers if dilations is None else integers(dilations, "dilations")
    for name, numbers in (("strides", strides), ("dilations", dilations)):
        if len(numbers) != n_layers:
            wanted = f"a number for each of {n_layers} layers"
            raise ValueError(f"{name} must have {wanted}, got {len(numbers)}")
    field, step = 1, 1
    for kernel_size, stride, dilation in zip(kernel_sizes, strides, dilations, strict=True):
        field += (kernel_size - 1) * dilation * step
        step *= stride
    return field


def conv2d_by_loops(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0
) -> Tensor:
    """Convolve as the formula says it, one output after the other: to read, and to test against.

    Parameters, result and errors are those of `conv2d`.
    """
    x, (height, width), (down, right) = _prepare(x, weight, bias, stride, padding)
    B, (out_channels, _, kernel_height, kernel_width) = len(x), weight.shape
    result = x.new_zeros(B, out_channels, height, width)
    for b in range(B):
        for o in range(out_channels):
            for i in range(height):
                for j in range(width):
                    top, left = i * down, j * right
                    window = x[b, :, top : top + kernel_height, left : left + kernel_width]
                    result[b, o, i, j] = (window * weight[o]).sum()
                    if bias is not None:
                        result[b, o, i, j] += bias[o]
    return result


def conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: Pair = 1, padding: Pair = 0
) -> Tensor:
    """Slide filters over images; values and gradients as in ``torch.nn.functional.conv2d``.

    Parameters
    ----------
    x : Tensor, shape (B, in_channels, height, width)
        Images: finite floating-point numbers. B may be 0.
    weight : Tensor, shape (out_channels, in_channels, kernel height, kernel width)
        One filter per output channel, of the dtype of `x`.
    bias : Tensor, shape (out_channels,), optional
        Added to all places of an output channel.
    stride : int or pair of int, default 1
        Steps of the window, downwards and to the right.
    padding : int or pair of int, default 0
        Zeros added above and below, and left and right.

    Returns
    -------
    Tensor, shape (B, out_channels, output height, output width)
        With the sizes that `output_size` gives. Differentiable.

    Examples
    --------
    >>> x = torch.arange(9.0).reshape(1, 1, 3, 3)
    >>> conv2d(x, torch.ones(1, 1, 2, 2), torch.tensor([100.0])).tolist()
    [[[[108.0, 112.0], [120.0, 124.0]]]]
    """
    x, (height, width), step = _prepare(x, weight, bias, stride, padding)
    B, (out_channels, in_channels, *kernel_size) = len(x), weight.shape
    windows = _Unfold.apply(x, tuple(kernel_size), step)
    columns = windows.reshape(in_channels * math.prod(kernel_size), height * width * B)
    filters = weight.reshape(out_channels, in_channels * math.prod(kernel_size))
    # (out_channels, height * width * B)
    sums = filters @ columns if bias is None else torch.addmm(bias[:, None], filters, columns)
    return sums.reshape(out_channels, height, width, B).permute(3, 0, 1, 2)


def max_pool2d(x: Tensor, size: Pair = 2, *, stride: Pair | None = None) -> Tensor:
    """Keep the largest number of each window; there is nothing to learn.

    Parameters
    ----------
    x : Tensor, shape (B, channels, height, width)
        Finite floating-point numbers. Rows and columns that fill no window are left out.
    size, stride : int or pair of int
        The window's height and width (default 2), and its steps (default: its size).

    Returns
    -------
    Tensor, shape (B, channels, output height, output width)
        Differentiable; of equal numbers in a window the first one takes the gradient.

    Examples
    --------
    >>> max_pool2d(torch.arange(16.0).reshape(1, 1, 4, 4)).tolist()
    [[[[5.0, 7.0], [13.0, 15.0]]]]
    """
    tensor(x, "x", ("B", "channels", "height", "width"), finite=True)
    window = _pair(size, "size", 1)
    step = window if stride is None else _pair(stride, "stride", 1)
    for axis in (0, 1):
        output_size(x.shape[2 + axis], window[axis], stride=step[axis])
    windows = _Unfold.apply(x, window, step).flatten(1, 2)  # (channels, numbers, height, width, B)
    return windows.max(dim=1).values.permute(3, 0, 1, 2)


class _Unfold(torch.autograd.Function):
    """Copy the windows of images side by side; the gradient is `_Fold`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, size: tuple[int, int], step: tuple[int, int]) -> Tensor:
        """Return the windows, (channels, kernel height, kernel width, height, width, B)."""
        ctx.given = (tuple(x.shape), size, step)
        x = x.permute(1, 2, 3, 0).contiguous()  # the batch last: long runs of memory to copy
        windows = x.unfold(1, size[0], step[0]).unfold(2, size[1], step[1])  # by strides, no copy
        return windows.permute(0, 4, 5, 1, 2, 3).contiguous()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Send each window's gradient back to the pixels that it was copied from."""
        return _Fold.apply(gradients[0], *ctx.given), None, None


class _Fold(torch.autograd.Function):
    """Add windows to where `_Unfold` takes them from; the gradient is `_Unfold`."""

    @staticmethod
    def forward(ctx: Any, windows: Tensor, shape: Any, size: Any, step: Any) -> Tensor:
        """Return images of the given shape, in which overlapping windows add up."""
        ctx.given = (size, step)
        images = windows.new_zeros(*shape[1:], shape[0])  # (channels, height, width, B)
        (down, right), (rows, columns) = step, windows.shape[3:5]
        for u in range(size[0]):
            for v in range(size[1]):
                part = images[:, u : u + down * rows : down, v : v + right * columns : right]
                part += windows[:, u, v]
        return images.permute(3, 0, 1, 2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Copy the windows again, so that second derivatives exist as well."""
        return _Unfold.apply(gradients[0], *ctx.given), None, None, None


class ConvNet(nn.Module):
    """A small convolutional network that classifies images.

    Every convolution pads so that height and width stay, and is followed by ReLU. Then:

    - with `image_size`: 2 x 2 max pooling after each convolution, and a dense layer that has a
      weight for every channel at every place (in the manner of LeNet-5);
    - without: nothing in between, at the end the maximum of each channel over all places, and a
      dense layer on these. Images may have any size, and away from the border the answer does not
      depend on where something stands.

    The layers `convolutions` and `dense` are PyTorch's, which hold the parameters and set their
    initial values (they follow ``torch.manual_seed``); the convolving is `conv2d`'s.

    Parameters
    ----------
    channels : sequence of int
        Filters of each convolution layer.
    kernel_size : int, default 3
        Height and width of the filters; odd.
    n_classes, in_channels : int
        Scores that come out (default 10), channels that go in (default 1).
    image_size : int or pair of int, optional
        Height and width of the images.

    Examples
    --------
    >>> network = ConvNet((8, 16), image_size=12)
    >>> network(torch.zeros(5, 1, 12, 12)).shape
    torch.Size([5, 10])
    """

    def __init__(
        self,
        channels: Sequence[int],
        *,
        kernel_size: int = 3,
        n_classes: int = 10,
        in_channels: int = 1,
        image_size: Pair | None = None,
    ) -> None:
        super().__init__()
        filters = integers(channels, "channels", least=1)
        if length(kernel_size, "kernel_size") % 2 == 0:
            raise ValueError(f"kernel_size must be odd, got {kernel_size}")
        sizes = [length(in_channels, "in_channels"), *filters]
        self.image_size = None if image_size is None else _pair(image_size, "image_size", 1)
        places, shrinking = 1, 2 ** len(filters)
        if self.image_size is not None:
            places = math.prod(size // shrinking for size in self.image_size)
        if places == 0:
            raise ValueError(f"image_size must be {shrinking} or more, got {image_size}")
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel_size, padding=kernel_size // 2)
            for before, after in pairwise(sizes)
        )
        self.dense = nn.Linear(sizes[-1] * places, length(n_classes, "n_classes"))

    def features(self, x: Tensor) -> Tensor:
        """Return the last maps: (B, channels[-1], height, width), pooled with `image_size`."""
        height, width = self.image_size or ("height", "width")
        tensor(x, "x", ("B", self.convolutions[0].in_channels, height, width), finite=True)
        layer: Any
        for layer in self.convolutions:
            x = functional.relu(conv2d(x, layer.weight, layer.bias, padding=layer.padding))
            if self.image_size is not None:
                x = max_pool2d(x)
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of the classes, shape (B, n_classes)."""
        x = self.features(x)
        if self.image_size is not None:
            return self.dense(x.flatten(1))
        places = x.permute(1, 2, 3, 0).flatten(1, 2)  # (channels, height * width, B), as in memory
        return self.dense(places.max(dim=1).values.T)


def _prepare(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: Pair, padding: Pair
) -> tuple[Tensor, tuple[int, int], tuple[int, int]]:
    """Check the arguments of a convolution; return the padded images, output size and stride."""
    tensor(x, "x", ("B", "in_channels", "height", "width"), finite=True)
    shape = ("out_channels", x.shape[1], "kernel height", "kernel width")
    tensor(weight, "weight", shape, dtype=x.dtype, least=1, finite=True)
    if bias is not None:
        tensor(bias, "bias", weight.shape[:1], dtype=x.dtype, finite=True)
    step, zeros = _pair(stride, "stride", 1), _pair(padding, "padding", 0)
    height, width = (
        output_size(x.shape[2 + a], weight.shape[2 + a], stride=step[a], padding=zeros[a])
        for a in (0, 1)
    )
    if zeros != (0, 0):
        x = functional.pad(x, (zeros[1], zeros[1], zeros[0], zeros[0]))
    return x, (height, width), step


def _pair(value: Any, name: str, least: int) -> tuple[int, int]:
    """Return two whole numbers, for height and width, from one or two."""
    if isinstance(value, tuple | list) and len(value) == 2:
        return length(value[0], name, least), length(value[1], name, least)
    return length(value, name, least), length(value, name, least)
