"""A training step of the ViT built from our stack against that of the transformers library.

Both start with the same weights and get the same images, 64 x 64 pixels in patches of 8 x 8: the
loss, the gradients of all parameters, and a step of PyTorch's AdamW. The aim is a step that takes
no longer than the library's. Beside it, what `to_patches` and a linear map take, where the model
has a convolution.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear

from benchmarks.harness import Result, compare
from companion.pretraining.vit import ViT, ViTConfig, to_patches

B, SIZE, PATCH, CLASSES = 16, 64, 8, 10
SIZES = {"d_model": 192, "n_layers": 4, "n_heads": 3, "d_hidden": 768}


def measure() -> list[Result]:
    """Time our model and the library's in turns."""
    from transformers import ViTForImageClassification

    torch.manual_seed(0)
    images, labels = torch.randn(B, 3, SIZE, SIZE), torch.randint(CLASSES, (B,))
    ours = ViT(ViTConfig(SIZE, PATCH, 3, CLASSES, **SIZES))
    with tempfile.TemporaryDirectory() as folder:
        ours.save_pretrained(folder)
        theirs = ViTForImageClassification.from_pretrained(folder)
    assert torch.allclose(ours(images), theirs(images).logits, atol=1e-4)
    steps = (
        training_step(ours, lambda: ours(images), labels),
        training_step(theirs, lambda: theirs(images).logits, labels),
    )
    weight, bias = ours.patches.weight, ours.patches.bias
    return [
        compare("ViT: training step", *steps, against="transformers", runs=31),
        compare(
            "ViT: patches through a linear map",
            lambda: linear(to_patches(images, PATCH), weight.flatten(1), bias),
            lambda: ours.patches(images),
            against="torch, convolution",
            target=2.0,
            runs=31,
        ),
    ]


def training_step(
    model: nn.Module, scores: Callable[[], Tensor], labels: Tensor
) -> Callable[[], Any]:
    """Return what is timed: one step of training, from the images to new weights."""
    model.train()
    adam = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> None:
        loss = cross_entropy(scores(), labels)
        adam.zero_grad()
        loss.backward()
        adam.step()

    return run
