"""ViT, the Vision Transformer: an image as a row of patches, read by the stack that reads words.

An image of C channels is cut into N = (height / p) (width / p) squares of p x p pixels. One linear
map, the same for each, makes tokens of them; a learned token comes first, whose last vector decides
on the class; learned positions are added::

    z_0 = [class token; E x_1 + b; ...; E x_N + b] + positions      x_n: C p p numbers
    z_L = norm(block_L(... block_1(z_0)))                           pre-norm, each token sees all
    scores = W z_L[0] + w                                           of the first token alone

The map is a convolution whose stride is as large as its window. What this module leaves out: images
of another size than the model was made for (the paper stretches the table of positions), and the
layer between the class token and the scores that the paper has in pre-training.

References (in full in the chapter's bibliography): Dosovitskiy and others (2021), equations 1 to 4.

Chapter: book/pretraining/vit.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from companion.arguments import between, divisor, flag, instance, share, size, tensor
from companion.pretraining.folders import Layout, Pretrained
from companion.transformer.attention import heads
from companion.transformer.stack import Config, Stack

Pair = int | tuple[int, int]


@dataclass(frozen=True)
class ViTConfig:
    """The sizes and settings of a `ViT`.

    Examples
    --------
    >>> base = ViTConfig()  # ViT-B/16: the base model, with patches of 16 x 16 pixels
    >>> base.grid, base.n_patches
    ((14, 14), 196)
    """

    image_size: Pair = 224  # height and width in pixels; one number for a square
    patch_size: Pair = 16  # of a patch; divides the image
    n_channels: int = 3  # C: 3 for colours, 1 for grey
    n_classes: int | None = 1000  # None: no last layer, the model gives the vector of the class
    d_model: int = 768  # width D of a token
    n_layers: int = 12  # blocks
    n_heads: int = 12  # heads of each attention, a divisor of D
    d_hidden: int = 3072  # hidden numbers of each feed-forward network
    eps: float = 1e-12  # of the normalisations
    dropout: float = 0.0  # share of numbers set to 0 in training: embeddings, parts, weights

    def __post_init__(self) -> None:
        image, patch = _pair(self.image_size, "image_size"), _pair(self.patch_size, "patch_size")
        for whole, part in zip(image, patch, strict=True):
            divisor(part, "patch_size", whole, "image_size")
        object.__setattr__(self, "image_size", image)  # both as pairs from here on
        object.__setattr__(self, "patch_size", patch)
        for name in ("n_channels", "n_layers", "d_hidden"):
            size(getattr(self, name), name)
        if self.n_classes is not None:
            size(self.n_classes, "n_classes")
        heads(self.d_model, self.n_heads, None)
        between(0, self.eps, math.inf, "eps")
        share(self.dropout, "dropout")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        (height, width), (down, right) = _pair(self.image_size, ""), _pair(self.patch_size, "")
        return height // down, width // right

    @property
    def n_patches(self) -> int:
        """The number N of patches; the stack reads N + 1 tokens."""
        return math.prod(self.grid)


class ViT(Pretrained):
    """Classify images of one size.

    Attributes
    ----------
    patches : nn.Conv2d
        The linear map of each patch, as a convolution: weight (D, C, p, p).
    class_token : nn.Parameter
        Shape (1, 1, D), 0 at first, as in the paper's code.
    body : Stack
        Positions, blocks, last norm.
    head : nn.Module
        From the vector of the class token to the scores; `nn.Identity` without classes.

    Examples
    --------
    >>> sizes = {"d_model": 6, "n_layers": 2, "n_heads": 3, "d_hidden": 12}
    >>> vit = ViT(ViTConfig(8, 2, n_channels=1, n_classes=10, **sizes))
    >>> vit(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    config_class = ViTConfig
    layout = Layout(
        model_type="vit",
        architecture="ViTForImageClassification",
        settings={
            "image_size": "image_size",
            "patch_size": "patch_size",
            "n_channels": "num_channels",
            "d_model": "hidden_size",
            "n_layers": "num_hidden_layers",
            "n_heads": "num_attention_heads",
            "d_hidden": "intermediate_size",
            "eps": "layer_norm_eps",
            "dropout": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
        },
        names={
            "patches": "vit.embeddings.patch_embeddings.projection",
            "class_token": "vit.embeddings.cls_token",
            "body.positions.weight": "vit.embeddings.position_embeddings",
            "body.norm": "vit.layernorm",
            "head": "classifier",
            **{
                f"body.blocks.{{n}}.{ours}": f"vit.encoder.layer.{{n}}.{theirs}"
                for ours, theirs in {
                    "attention.query": "attention.attention.query",
                    "attention.key": "attention.attention.key",
                    "attention.value": "attention.attention.value",
                    "attention.output": "attention.output.dense",
                    "attention_norm": "layernorm_before",
                    "feed_forward.inner": "intermediate.dense",
                    "feed_forward.outer": "output.dense",
                    "feed_forward_norm": "layernorm_after",
                }.items()
            },
        },
        fixed={"hidden_act": "gelu", "qkv_bias": True},
        defaults={"image_size": 224, "patch_size": 16, "n_channels": 3, "eps": 1e-12},
        optional=("vit.pooler", "pooler"),  # a layer that the classifier has no use for
    )

    def __init__(self, config: ViTConfig) -> None:
        super().__init__()
        self.config = instance(config, "config", ViTConfig)
        D, patch = config.d_model, _pair(config.patch_size, "patch_size")
        self.patches = nn.Conv2d(config.n_channels, D, kernel_size=patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, D))
        self.body = Stack(
            Config(
                D,
                config.n_layers,
                config.n_heads,
                config.d_hidden,
                max_length=1 + config.n_patches,
                eps=config.eps,
                dropout=config.dropout,
            )
        )
        self.head = nn.Identity() if config.n_classes is None else nn.Linear(D, config.n_classes)

    def forward(self, images: Tensor, *, need_weights: bool = False) -> Any:
        """Return the scores of the classes.

        Parameters
        ----------
        images : Tensor, shape (B, C, height, width)
            Of the type of the weights.
        need_weights : bool, default False
            Whether to return the weights of attention as well.

        Returns
        -------
        Tensor, shape (B, n_classes); (B, D) if the model has no classes; with `need_weights` a
        pair with a list of (B, H, 1 + N, 1 + N), one for each block
        """
        found = self.features(images, need_weights=need_weights)
        z, *weights = found if isinstance(found, tuple) else (found,)
        scores = self.head(z[:, 0])
        return (scores, *weights) if weights else scores

    def features(self, images: Tensor, *, need_weights: bool = False) -> Any:
        """Return the last vectors, (B, 1 + N, D): of the class token, then of the patches by rows.

        Parameters are those of `forward`, and so is the pair that comes with `need_weights`.
        """
        flag(need_weights, "need_weights")
        shape = ("B", self.config.n_channels, *_pair(self.config.image_size, "image_size"))
        tensor(images, "images", shape, dtype=self.class_token.dtype)
        x = self.patches(images).flatten(2).transpose(1, 2)  # (B, N, D)
        first = self.class_token.to(x.dtype).expand(len(x), -1, -1)
        x = torch.cat([first, x], dim=1)  # (B, 1 + N, D)
        if not need_weights:
            return self.body(x)
        z, weights = self.body(x, need_weights=need_weights)
        return z, [own for (own,) in weights]

    # --- folders of the transformers library -----------------------------------------------------

    @classmethod
    def read_config(cls, settings: Mapping[str, Any]) -> ViTConfig:
        """Return our configuration; the number of classes is that of their names."""
        config = super().read_config(settings)
        if "ViTModel" in (settings.get("architectures") or ()):
            return replace(config, n_classes=None)
        labels = instance(settings.get("id2label") or {"0": "", "1": ""}, "id2label", Mapping)
        return replace(config, n_classes=len(labels))  # a file that is silent means two

    def write_config(self) -> dict[str, Any]:
        """Return the settings of ``config.json``, with names for the classes."""
        settings = super().write_config()
        for name in ("image_size", "patch_size"):
            high, wide = settings[name]
            settings[name] = high if high == wide else [high, wide]
        if self.config.n_classes is None:
            return settings | {"architectures": ["ViTModel"]}
        labels = {str(n): f"LABEL_{n}" for n in range(self.config.n_classes)}
        numbers = {label: int(n) for n, label in labels.items()}
        return settings | {"id2label": labels, "label2id": numbers}

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: Any) -> dict[str, Tensor]:
        """Return tensors of the library under our names; their table of positions has a batch."""
        if config.n_classes is None:  # a bare ViTModel: what is named is all of it
            tensors = {f"vit.{name}": value for name, value in tensors.items()}
        named = super().ours(tensors, config)
        table = named.get("body.positions.weight")
        if table is not None and table.dim() == 3:
            named["body.positions.weight"] = table[0]
        return named

    def theirs(self) -> dict[str, Tensor]:
        """Return our tensors under the names of the library."""
        named = super().theirs()
        table = self.layout.names["body.positions.weight"]
        named[table] = named[table][None]
        if self.config.n_classes is None:
            named = {name.removeprefix("vit."): value for name, value in named.items()}
        return named


# --- an image as patches, and back --------------------------------------------------------------


def to_patches(images: Tensor, patch_size: Pair) -> Tensor:
    """Cut images, (B, C, height, width), into patches, (B, N, C p p), row by row.

    The numbers of a patch are in the order of the weights of a convolution: channel by channel,
    and in each row by row.

    Examples
    --------
    >>> to_patches(torch.arange(8.0).reshape(1, 1, 2, 4), 2)
    tensor([[[0., 1., 4., 5.],
             [2., 3., 6., 7.]]])
    """
    tensor(images, "images", ("B", "C", "height", "width"), least=1)
    down, right = _pair(patch_size, "patch_size")
    divisor(down, "patch_size", images.shape[2], "height")
    divisor(right, "patch_size", images.shape[3], "width")
    x = images.unflatten(3, (-1, right)).unflatten(2, (-1, down))  # (B, C, rows, p, columns, p)
    return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)  # (B, N, C p p)


def to_images(patches: Tensor, patch_size: Pair, image_size: Pair) -> Tensor:
    """Put patches, (B, N, C p p), together to images, (B, C, height, width): undo `to_patches`.

    Examples
    --------
    >>> to_images(torch.tensor([[[0.0, 1, 4, 5], [2, 3, 6, 7]]]), 2, (2, 4))
    tensor([[[[0., 1., 2., 3.],
              [4., 5., 6., 7.]]]])
    """
    (down, right), (height, width) = (
        _pair(patch_size, "patch_size"),
        _pair(image_size, "image_size"),
    )
    rows = height // divisor(down, "patch_size", height, "image_size")
    columns = width // divisor(right, "patch_size", width, "image_size")
    numbers = tensor(patches, "patches", ("B", rows * columns, "numbers"), least=1).shape[2]
    divisor(down * right, "patch_size", numbers, "the numbers of a patch")
    x = patches.unflatten(2, (-1, down, right)).unflatten(1, (rows, columns))
    return x.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)  # (B, C, height, width)


def _pair(value: Any, name: str) -> tuple[int, int]:
    """Return height and width, from one number or two."""
    two = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    return size(two[0], name), size(two[1], name)
