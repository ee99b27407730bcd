"""Right and wrong answers to the exercises of the chapter on convolutional networks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..harness import Answers

SPOT = [[1, -2, 1], [-2, 4, -2], [1, -2, 1]]
LAPLACE = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]


def count_with_a_loop(channels, k):
    total = 0
    for place in range(1, len(channels)):
        total += k * k * channels[place - 1] * channels[place] + channels[place]
    return total


def count_without_biases(channels, k):
    return sum(k * k * a * b for a, b in pairwise(channels))


def count_one_channel(channels, k):
    return sum((k * k + 1) * after for after in channels[1:])


def count_a_bias_per_channel(channels, k):
    return sum((k * k + 1) * a * b for a, b in pairwise(channels))


def convolve_by_loops(image, kernel, stride):
    height, width = kernel.shape
    rows = range(0, image.shape[0] - height + 1, stride)
    columns = range(0, image.shape[1] - width + 1, stride)
    return np.array(
        [[np.sum(image[i : i + height, j : j + width] * kernel) for j in columns] for i in rows]
    )


def convolve_flipped(image, kernel, stride):
    return convolve_by_loops(image, kernel[::-1, ::-1], stride)


def convolve_without_stride(image, kernel, stride):
    return convolve_by_loops(image, kernel, 1)


def convolve_with_square_kernels(image, kernel, stride):
    k = len(kernel)
    rows, columns = ((size - k) // stride + 1 for size in image.shape)
    result = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            result[i, j] = sum(
                image[top + u, left + v] * kernel[u, v] for u in range(k) for v in range(k)
            )
    return result


def convolve_one_short(image, kernel, stride):
    rows = range(0, image.shape[0] - kernel.shape[0], stride)
    columns = range(0, image.shape[1] - kernel.shape[1], stride)
    height, width = kernel.shape
    return np.array(
        [[np.sum(image[i : i + height, j : j + width] * kernel) for j in columns] for i in rows]
    )


def field_backwards(kernel_sizes, strides):
    pixels = 1  # from the neuron back to the picture
    for k, s in zip(kernel_sizes[::-1], strides[::-1], strict=True):
        pixels = (pixels - 1) * s + k
    return pixels


def field_by_own_stride(kernel_sizes, strides):
    return 1 + sum((k - 1) * s for k, s in zip(kernel_sizes, strides, strict=True))


def field_with_own_stride_too(kernel_sizes, strides):
    field, step = 1, 1
    for size, stride in zip(kernel_sizes, strides, strict=True):
        step *= stride
        field += (size - 1) * step
    return field


ANSWERS = {
    "basics.convolution.output_by_hand": Answers(
        right=[13, 13.0],
        wrong=[
            (12, "the first one is 0"),
            (13.5, "round down"),
            (14, "fully inside"),
            (26, "By how much does the window move"),
        ],
    ),
    "basics.convolution.count_parameters": Answers(
        right=[count_with_a_loop],
        wrong=[
            (count_without_biases, "every filter has a bias"),
            (count_one_channel, "every channel that comes in"),
            (count_a_bias_per_channel, "One bias for each filter"),
            (lambda channels, k: None, "gave None"),
        ],
    ),
    "basics.convolution.spot_filter": Answers(
        right=[SPOT, np.array([[-1.0, 1, 0], [1, 1, -2], [0, -2, 2]])],
        wrong=[
            (LAPLACE, "along an upright edge it answers -1"),
            ([[0, 0, 0], [-1, 2, -1], [0, 0, 0]], "along an upright edge it answers -1"),
            ([[0, -1, 0], [0, 2, 0], [0, -1, 0]], "along a level edge it answers -1"),
            ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "on a flat region of brightness 1 it answers 1"),
            ((-np.array(SPOT)).tolist(), "to a single bright pixel in the middle it answers -4"),
            ([1, -2, 1], "three rows of three numbers"),
        ],
    ),
    "basics.convolution.convolve": Answers(
        right=[convolve_by_loops],
        wrong=[
            (convolve_flipped, "The filter is flipped"),
            (convolve_without_stride, "And the stride?"),
            (convolve_with_square_kernels, "need not be square"),
            (convolve_one_short, "Count the places again"),
            (lambda x, k, s: convolve_by_loops(x, k, s).astype(int), "int"),
        ],
    ),
    "basics.convolution.field": Answers(
        right=[field_backwards],
        wrong=[
            (lambda kernel_sizes, strides: sum(kernel_sizes), "Windows overlap"),
            (
                lambda kernel_sizes, strides: sum(kernel_sizes) - len(kernel_sizes) + 1,
                "a step of the next layer is two pixels",
            ),
            (field_by_own_stride, "counts for the layers after it"),
            (field_with_own_stride_too, "from the next layer on"),
        ],
    ),
    "basics.convolution.exact_shifts": Answers(
        right=[[0, 4, 8], (0, 4, 8), np.array([0, 4, 8])],
        wrong=[
            ([0, 2, 4, 6, 8], "after one pooling"),
            (list(range(9)), "holds for a convolution"),
            ([4, 8], "the shift by 0 counts"),
        ],
    ),
}
