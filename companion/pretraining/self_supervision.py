"""Self-supervision: tasks whose answers cost nothing, because they are made from the data.

Each pretext task changes what it is given and keeps what it changed as the answer. With N images or
texts x, a random change t, an encoder f and a head g that is thrown away afterwards::

    hide a square, a word    f reads x without it;     answer: what was there
    rotate by 90 k degrees   f reads x turned;         answer: k = 0, 1, 2, 3
    jigsaw                   f reads the pieces mixed; answer: which of K orders
    contrast                 f reads x changed twice;  answer: which of 2N - 1 is the other of x

    contrast: z = g(f(x)) / |g(f(x))|,   s_ij = z_i . z_j / temperature,   j(i) the other of i
              loss = mean over i of  -log( exp s_ij(i) / sum over k != i of exp s_ik )

The loss of contrast is known as NT-Xent. Images have the shape (B, channels, height, width). All
that is random follows from the generator that is given. What this module leaves out: the loop
(`fit`), an adversarial loss that would make what is filled in sharp, and a queue or a teacher that
would spare contrast its large batches.

References (in full in the chapter's bibliography): Pathak and others (2016), hidden squares;
Noroozi and Favaro (2016), jigsaw; Gidaris, Singh and Komodakis (2018), rotation; Chen and others
(2020), contrast; He and others (2022), hidden patches.

Chapter: book/pretraining/self_supervision.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from companion.arguments import divisor, ids, instance, integer, integers, number, on, size, tensor
from companion.basics.convolution import output_size
from companion.transformer.blocks import LayerNorm

IMAGES = ("B", "channels", "height", "width")
LEAST_TEMPERATURE = 0.001  # below, exp(s) has no room in single precision


# --- hiding ---------------------------------------------------------------------------------------


def hide_square(images: Tensor, size: int, generator: Generator) -> tuple[Tensor, Tensor]:
    """Hide a square of each image, anywhere in it.

    Parameters
    ----------
    images : Tensor, shape (B, channels, height, width)
    size : int
        Height and width of the square; at most those of the images.
    generator : torch.Generator

    Returns
    -------
    hidden : Tensor, shape (B, channels, height, width)
        The images, with 0 in the square.
    mask : Tensor of bool, shape (B, 1, height, width)
        True in the square: what is to be filled in.

    Examples
    --------
    >>> hidden, mask = hide_square(torch.ones(2, 1, 4, 4), 3, torch.Generator().manual_seed(0))
    >>> hidden[0, 0].long().tolist()
    [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 1, 1]]
    >>> mask.sum(dim=(1, 2, 3)).tolist()
    [9, 9]
    """
    B, _, height, width = _images(images).shape
    integer(size, "size", 1, min(height, width))
    top, left = (_draw(n - size + 1, (B, 1), generator) for n in (height, width))
    rows, columns = torch.arange(height), torch.arange(width)
    in_rows = (rows >= top) & (rows < top + size)  # (B, height)
    in_columns = (columns >= left) & (columns < left + size)  # (B, width)
    mask = (in_rows[:, None, :, None] & in_columns[:, None, None, :]).to(images.device)
    return images.masked_fill(mask, 0), mask


def hide_patches(
    images: Tensor, patch_size: int, share: float, generator: Generator
) -> tuple[Tensor, Tensor]:
    """Hide a share of the patches of each image, as a masked autoencoder does.

    Parameters
    ----------
    images : Tensor, shape (B, channels, height, width)
    patch_size : int
        Height and width of a patch; divisors of those of the images.
    share : float
        Of the patches that are hidden; rounded, but at least one is hidden and one stays.
    generator : torch.Generator

    Returns
    -------
    hidden : Tensor, shape (B, channels, height, width)
        The images, with 0 in the hidden patches.
    mask : Tensor of bool, shape (B, patches)
        True for the hidden patches, row by row.

    Examples
    --------
    >>> random = torch.Generator().manual_seed(0)
    >>> hide_patches(torch.ones(1, 1, 4, 4), 2, 0.5, random)[1].tolist()
    [[False, False, True, True]]
    """
    B, _, height, width = _images(images).shape
    rows = height // divisor(patch_size, "patch_size", height, "height")
    columns = width // divisor(patch_size, "patch_size", width, "width")
    patches = rows * columns
    if patches < 2:
        raise ValueError(f"patch_size must leave 2 patches or more, got {patch_size} of {height}")
    if not 0 < number(share, "share") < 1:
        raise ValueError(f"share must lie between 0 and 1, both excluded, got {share}")
    count = min(max(round(share * patches), 1), patches - 1)
    chances = torch.rand(B, patches, generator=instance(generator, "generator", Generator))
    mask = (chances.argsort(dim=1).argsort(dim=1) < count).to(images.device)  # (B, patches)
    in_image = mask.view(B, 1, rows, columns)
    for axis in (2, 3):
        in_image = in_image.repeat_interleave(patch_size, dim=axis)  # (B, 1, height, width)
    return images.masked_fill(in_image, 0), mask


def hide_word(
    tokens: Tensor,
    generator: Generator,
    *,
    vocab_size: int,
    before: int = 4,
    after: int = 4,
    pad_id: int = 0,
) -> tuple[Tensor, Tensor]:
    """Hide one word of each text, and return the words around it; with ``after=0`` the next word.

    Parameters
    ----------
    tokens : Tensor of int64, shape (B, T)
        Ids of words; padding anywhere.
    generator : torch.Generator
    vocab_size : int
    before, after : int, default 4
        Words of the context to the left and to the right; one of them may be 0.
    pad_id : int, default 0
        The id of padding, which is never hidden, and stands where the context ends.

    Returns
    -------
    contexts : Tensor of int64, shape (B, before + after)
    targets : Tensor of int64, shape (B,)
        The hidden words. Each has at least one word in its context.

    Examples
    --------
    >>> saying = torch.tensor([[7, 8, 9]])
    >>> hide_word(saying, torch.Generator().manual_seed(0), vocab_size=10, before=2, after=2)
    (tensor([[0, 7, 9, 0]]), tensor([8]))
    """
    B, T = ids(tokens, "tokens", size(vocab_size, "vocab_size")).shape
    before, after = size(before, "before", 0), size(after, "after", 0)
    integer(pad_id, "pad_id", 0, vocab_size - 1)
    if before + after == 0:
        raise ValueError("before or after must be 1 or more, got 0 and 0")
    padded = functional.pad(tokens, (before, after), value=pad_id)
    windows = padded.unfold(1, before + 1 + after, 1)  # (B, T, before + 1 + after)
    around = torch.cat([windows[..., :before], windows[..., before + 1 :]], dim=-1)
    possible = (tokens != pad_id) & (around != pad_id).any(dim=-1)  # (B, T)
    if not possible.any(dim=1).all():
        row = int((~possible.any(dim=1)).nonzero()[0])
        raise ValueError(f"tokens must have a word beside another in each row, got none in {row}")
    chances = torch.rand(B, T, generator=instance(generator, "generator", Generator))
    place = chances.to(tokens.device).masked_fill(~possible, -1).argmax(dim=1)  # (B,)
    rows = torch.arange(B, device=tokens.device)
    return around[rows, place], tokens[rows, place]


# --- turning and cutting --------------------------------------------------------------------------


def rotate_quarter(images: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Turn each square image to the left by 0, 90, 180 or 270 degrees.

    Returns
    -------
    turned : Tensor, as the images
    turns : Tensor of int64, shape (B,)
        How many quarters: 0 to 3.

    Examples
    --------
    >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> rotate_quarter(image, torch.Generator().manual_seed(3))
    (tensor([[[[4., 3.],
              [2., 1.]]]]), tensor([2]))
    """
    B, _, height, width = _images(images).shape
    if height != width:
        raise ValueError(f"images must be square to be turned, got {height} x {width}")
    turns = _draw(4, (B,), generator).to(images.device)
    turned = images.clone()
    for quarters in (1, 2, 3):
        chosen = turns == quarters
        turned[chosen] = torch.rot90(images[chosen], quarters, dims=(2, 3))
    return turned, turns


def cut(images: Tensor, n: int) -> Tensor:
    """Cut images into n x n pieces, row by row.

    Images of the shape (B, channels, height, width) become (B, n * n, channels, h, w), with
    h = height / n and w = width / n.
    """
    height, width = _images(images).shape[2:]
    h, w = height // divisor(n, "n", height, "height"), width // divisor(n, "n", width, "width")
    grid = images.unflatten(3, (n, w)).unflatten(2, (n, h))  # (B, channels, n, h, n, w)
    return grid.permute(0, 2, 4, 1, 3, 5).flatten(1, 2)  # (B, n * n, channels, h, w)


def put_together(pieces: Tensor) -> Tensor:
    """Lay pieces out row by row, the inverse of `cut`: (B, n * n, channels, h, w) -> images."""
    tensor(pieces, "pieces", ("B", "n * n", "channels", "h", "w"), least=1, finite=True)
    n = math.isqrt(pieces.shape[1])
    if n * n != pieces.shape[1]:
        raise ValueError(f"pieces must be 1, 4, 9, ... of an image, got {pieces.shape[1]}")
    grid = pieces.unflatten(1, (n, n))  # (B, n, n, channels, h, w)
    return (
        grid.permute(0, 3, 1, 4, 2, 5).flatten(4, 5).flatten(2, 3)
    )  # (B, channels, height, width)


def jigsaw(
    images: Tensor, orders: Tensor, generator: Generator, *, gap: int = 0
) -> tuple[Tensor, Tensor]:
    """Cut images into pieces, and lay these out again in one of K orders.

    Parameters
    ----------
    images : Tensor, shape (B, channels, height, width)
    orders : Tensor of int64, shape (K, n * n)
        Each row is a permutation; ``orders[k, i]`` is the piece that comes to place i.
    generator : torch.Generator
    gap : int, default 0
        Of each piece only a part is shown that is so much smaller, taken from anywhere in it: then
        what lay side by side no longer ends in the same pixels. Around it are zeros.

    Returns
    -------
    mixed : Tensor, shape (B, channels, height, width)
    which : Tensor of int64, shape (B,)
        Which of the orders; ``orders[which].argsort(dim=1)`` puts the pieces back.

    Examples
    --------
    >>> image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> jigsaw(image, torch.tensor([[3, 2, 1, 0]]), torch.Generator())[0]
    tensor([[[[4., 3.],
              [2., 1.]]]])
    """
    tensor(orders, "orders", ("K", "n * n"), dtype=torch.int64, least=1)
    n = math.isqrt(orders.shape[1])
    if n * n != orders.shape[1]:
        raise ValueError(f"orders must be of 1, 4, 9, ... pieces, got {orders.shape[1]}")
    if not torch.equal(orders.sort(dim=1).values, torch.arange(n * n).expand_as(orders)):
        raise ValueError(f"orders must hold each of 0 to {n * n - 1} once in each row")
    pieces = cut(images, n)
    B, count, _, h, w = pieces.shape
    if integer(gap, "gap", 0, min(h, w) - 1):
        top, left = (_draw(gap + 1, (B * count, 1), generator) for _ in range(2))
        rows, columns = top + torch.arange(h - gap), left + torch.arange(w - gap)
        one = torch.arange(B * count)[:, None, None]
        flat = pieces.flatten(0, 1).movedim(1, 3)  # (B * count, h, w, channels)
        part = flat[one, rows[:, :, None], columns[:, None, :]].movedim(3, 1)
        first, last = gap // 2, gap - gap // 2
        pieces = functional.pad(part, (first, last, first, last)).unflatten(0, (B, count))
    which = _draw(len(orders), (B,), generator)
    mixed = pieces[torch.arange(B)[:, None], orders[which]]  # (B, count, channels, h, w)
    return put_together(mixed), which.to(images.device)


def distant_orders(n_pieces: int, count: int, generator: Generator, *, tries: int = 200) -> Tensor:
    """Choose orders of pieces that differ from each other in as many places as possible.

    The first is the right one. Each further one is, of `tries` that are drawn, the one whose
    nearest among those chosen is farthest: in most places another piece.

    Returns
    -------
    Tensor of int64, shape (count, n_pieces)
        No order comes twice.

    Examples
    --------
    >>> distant_orders(4, 3, torch.Generator().manual_seed(0)).tolist()
    [[0, 1, 2, 3], [2, 3, 0, 1], [3, 0, 1, 2]]
    """
    N = integer(n_pieces, "n_pieces", 2, 100)
    integer(count, "count", 1, min(math.factorial(N), 1000))
    integer(tries, "tries", 1, 10_000)
    chosen = torch.arange(N)[None]
    while len(chosen) < count:
        chances = torch.rand(tries, N, generator=instance(generator, "generator", Generator))
        drawn = chances.argsort(dim=1)  # (tries, N)
        differ = (drawn[:, None] != chosen).sum(dim=2).amin(dim=1)  # places, to the nearest
        best = differ.argmax()
        if differ[best] > 0:
            chosen = torch.cat([chosen, drawn[best, None]])
    return chosen


# --- contrast -------------------------------------------------------------------------------------


def augment(
    images: Tensor,
    generator: Generator,
    *,
    turn: float = 0.3,
    zoom: float = 0.15,
    shear: float = 0.3,
    shift: float = 0.125,
) -> Tensor:
    """Change each image a little, in a way of its own that leaves its meaning as it was.

    Every change is drawn evenly between minus and plus its largest value. Pixels between those of
    the image are interpolated; what lies outside is 0.

    Parameters
    ----------
    images : Tensor, shape (B, channels, height, width)
    generator : torch.Generator
    turn : float, default 0.3
        The largest turn, in radians.
    zoom : float, default 0.15
        The largest change of size, as a share; less than 1.
    shear : float, default 0.3
        How far the top may be pushed aside, as a share of half the height.
    shift : float, default 0.125
        The largest shift, as a share of height and width: one pixel of eight.

    Returns
    -------
    Tensor, shape (B, channels, height, width)

    Examples
    --------
    >>> images = torch.rand(5, 1, 8, 8)
    >>> random = torch.Generator()
    >>> same = augment(images, random, turn=0, zoom=0, shear=0, shift=0)
    >>> torch.allclose(same, images, atol=1e-6)
    True
    """
    B = len(_images(images))
    if not 0 <= number(zoom, "zoom") < 1:
        raise ValueError(f"zoom must be 0 or more and less than 1, got {zoom}")
    largest = {"turn": turn, "zoom": zoom, "shear": shear, "right": shift, "down": shift}
    for name, value in {"turn": turn, "shear": shear, "shift": shift}.items():
        if not 0 <= number(value, name) <= 10:
            raise ValueError(f"{name} must lie between 0 and 10, got {value}")
    chances = torch.rand(B, 5, generator=instance(generator, "generator", Generator)) * 2 - 1
    angle, change, slant, right, down = (chances * torch.tensor([*largest.values()])).unbind(1)
    cos, sin = angle.cos() * (1 + change), angle.sin() * (1 + change)
    # Where each pixel of the new image is read in the old one; both run from -1 to 1.
    place = torch.stack([cos, slant - sin, 2 * right, sin, cos, 2 * down], dim=1).view(B, 2, 3)
    grid = functional.affine_grid(place.to(images), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def contrastive_loss(first: Tensor, second: Tensor, temperature: float = 0.5) -> Tensor:
    """Ask each of 2N vectors which of the others was made from the same thing (NT-Xent).

    Parameters
    ----------
    first, second : Tensor, shape (N, D)
        Row i of both was made from thing i; N is 2 or more. Only directions count.
    temperature : float, default 0.5
        The smaller, the more a vector has to do with the most similar of the wrong ones.

    Returns
    -------
    Tensor, shape ()
        The mean of 2N cross-entropies, each over 2N - 1 candidates; log(2N - 1) if all vectors are
        the same.

    Examples
    --------
    >>> contrastive_loss(torch.eye(2), torch.eye(2), temperature=1.0)
    tensor(0.5514)
    """
    N, D = tensor(first, "first", ("N", "D"), least=1, finite=True).shape
    tensor(second, "second", (N, D), dtype=first.dtype, finite=True)
    on(second, "second", first.device)
    if N < 2:
        raise ValueError(f"first must hold 2 vectors or more to tell apart, got {N}")
    temperature = number(temperature, "temperature", LEAST_TEMPERATURE)
    x = torch.cat([first, second])  # (2N, D)
    largest = x.detach().abs().amax(dim=1, keepdim=True)
    x = x / torch.where(largest > 0, largest, 1)  # so that no square overflows
    z = functional.normalize(x, dim=1)
    scores = z @ z.T / temperature  # (2N, 2N)
    scores = scores.masked_fill(torch.eye(2 * N, dtype=torch.bool, device=x.device), -math.inf)
    partner = torch.arange(2 * N, device=x.device).roll(N)  # N ... 2N - 1, 0 ... N - 1
    return functional.cross_entropy(scores, partner)


# --- encoders -------------------------------------------------------------------------------------


class ImageEncoder(nn.Module):
    """From an image to D numbers: convolutions that halve it, a dense layer, a normalisation.

    The body that every task on images shares. A head on top, such as ``nn.Linear(D, 10)``, belongs
    to one task and is thrown away with it.

    Parameters
    ----------
    n_features : int, default 64
        D, numbers that come out.
    image_size, in_channels : int
        Height and width of the square images (default 8), and their channels (default 1).
    channels : sequence of int, default (16, 64)
        Filters of the convolutions, 3 x 3 with stride 2, each followed by ReLU.

    Examples
    --------
    >>> ImageEncoder()(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 64])
    """

    def __init__(
        self,
        n_features: int = 64,
        *,
        image_size: int = 8,
        in_channels: int = 1,
        channels: Sequence[int] = (16, 64),
    ) -> None:
        super().__init__()
        self.n_features = size(n_features, "n_features")
        self.image_size = side = size(image_size, "image_size")
        self.in_channels = before = size(in_channels, "in_channels")
        layers: list[nn.Module] = []
        for after in integers(channels, "channels", least=1):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
            before, side = after, output_size(side, 3, stride=2, padding=1)
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Linear(before * side * side, n_features)
        self.norm = LayerNorm(n_features)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images, (B, channels, height, width) -> (B, D)."""
        shape = ("B", self.in_channels, self.image_size, self.image_size)
        x = self.convolutions(tensor(images, "images", shape, dtype=self.dense.weight.dtype))
        return self.norm(self.dense(x.flatten(1)))


class TextEncoder(nn.Module):
    """From words to D numbers: the mean of their vectors, in no order.

    Parameters
    ----------
    vocab_size, n_features : int
        Words, and D, the numbers of each.
    pad_id : int, default 0
        The id of padding, which does not count.

    Examples
    --------
    >>> TextEncoder(10, 3)(torch.tensor([[7, 8, 0], [9, 0, 0]])).shape
    torch.Size([2, 3])
    """

    def __init__(self, vocab_size: int, n_features: int, *, pad_id: int = 0) -> None:
        super().__init__()
        self.pad_id = integer(pad_id, "pad_id", 0, size(vocab_size, "vocab_size") - 1)
        self.embedding = nn.Embedding(vocab_size, size(n_features, "n_features"))
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the mean vectors of texts, (B, T) -> (B, D); 0 for a text of padding alone."""
        ids(tokens, "tokens", self.embedding.num_embeddings)
        real = (tokens != self.pad_id)[:, :, None]  # (B, T, 1)
        total = (self.embedding(tokens) * real).sum(dim=1)
        return total / real.sum(dim=1).clamp(min=1)


def freeze(module: Any) -> Any:
    """Let no parameter of a module learn any more, and return the module."""
    return instance(module, "module", nn.Module).requires_grad_(False)


# --- behind the door ------------------------------------------------------------------------------


def _images(images: Tensor) -> Tensor:
    return tensor(images, "images", IMAGES, least=1, finite=True)


def _draw(n: int, shape: tuple[int, ...], generator: Generator) -> Tensor:
    """Draw whole numbers from 0 to n - 1."""
    return torch.randint(n, shape, generator=instance(generator, "generator", Generator))
