"""Pretext tasks: what is hidden, turned, mixed and changed, and the loss of contrast."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.pretraining.self_supervision import (
    ImageEncoder,
    TextEncoder,
    augment,
    contrastive_loss,
    cut,
    distant_orders,
    freeze,
    hide_patches,
    hide_square,
    hide_word,
    jigsaw,
    put_together,
    rotate_quarter,
)

from ..twins import F64, close, draw


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(B, channels, height, width):
    """Images in which every pixel has a number of its own, none of them 0."""
    return torch.arange(1.0, B * channels * height * width + 1).view(B, channels, height, width)


# --- hiding ---------------------------------------------------------------------------------------


def test_exactly_one_square_is_hidden_and_the_rest_stays():
    images = numbered(50, 3, 7, 5)
    hidden, mask = hide_square(images, 2, random())
    assert mask.shape == (50, 1, 7, 5)
    assert torch.equal(hidden == 0, mask.expand_as(images))
    assert torch.equal(hidden[hidden != 0], images[hidden != 0])
    for one in mask[:, 0]:
        rows, columns = one.nonzero().T
        assert one.sum() == 4
        assert rows.max() - rows.min() == columns.max() - columns.min() == 1


def test_a_square_may_be_anywhere():
    mask = hide_square(torch.ones(4000, 1, 5, 4), 2, random())[1][:, 0]
    top, left = mask.any(dim=2).int().argmax(dim=1), mask.any(dim=1).int().argmax(dim=1)
    counts = torch.zeros(4, 3)
    for row, column in zip(top.tolist(), left.tolist(), strict=True):
        counts[row, column] += 1
    assert (counts / 4000 - 1 / 12).abs().max() < 0.02  # about 5 standard deviations


def test_a_square_of_the_whole_image_hides_it():
    assert hide_square(torch.ones(2, 1, 3, 3), 3, random())[1].all()


def test_hidden_patches_are_whole_and_as_many_as_asked():
    images = numbered(30, 2, 6, 8)
    hidden, mask = hide_patches(images, 2, 0.75, random())
    assert mask.shape == (30, 12)
    assert (mask.sum(dim=1) == 9).all()
    for b, place in itertools.product(range(30), range(12)):
        row, column = divmod(place, 4)
        patch = hidden[b, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert (patch == 0).all() == mask[b, place]
        assert (patch == 0).any() == mask[b, place]
    assert torch.equal(hidden[hidden != 0], images[hidden != 0])
    assert len({tuple(row.tolist()) for row in mask}) > 20  # each image its own


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.5, 2), (0.99, 3)])
def test_one_patch_is_hidden_and_one_stays(share, count):
    assert hide_patches(torch.ones(1, 1, 4, 4), 2, share, random())[1].sum() == count


def test_the_saying_of_the_notes():
    saying = torch.tensor([[1, 2, 3]])  # 티끌 모아 태산
    found = set()
    for seed in range(40):
        contexts, targets = hide_word(saying, random(seed), vocab_size=4, before=2, after=2)
        found.add((*contexts[0].tolist(), targets.item()))
    assert found == {(0, 0, 2, 3, 1), (0, 1, 3, 0, 2), (1, 2, 0, 0, 3)}
    found = set()
    for seed in range(40):
        contexts, targets = hide_word(saying, random(seed), vocab_size=4, before=2, after=0)
        found.add((*contexts[0].tolist(), targets.item()))
    assert found == {(0, 1, 2), (1, 2, 3)}  # the first word has nothing before it


def test_the_next_word_is_never_seen():
    tokens = torch.randint(1, 97, (200, 11), generator=random())
    contexts, targets = hide_word(tokens, random(1), vocab_size=97, before=10, after=0)
    for row, context, target in zip(tokens.tolist(), contexts.tolist(), targets, strict=True):
        seen = [word for word in context if word]
        assert row[: len(seen)] == seen
        assert row[len(seen)] == target


def test_padding_is_never_the_word():
    tokens = torch.tensor([[5, 6, 0, 0, 0], [0, 0, 5, 6, 0]]).repeat(100, 1)
    contexts, targets = hide_word(tokens, random(), vocab_size=7)
    assert set(targets.tolist()) == {5, 6}
    assert ((contexts != 0).sum(dim=1) == 1).all()


# --- turning and cutting --------------------------------------------------------------------------


def test_turning_back_restores_the_images():
    images = numbered(40, 2, 5, 5)
    turned, turns = rotate_quarter(images, random())
    assert set(turns.tolist()) == {0, 1, 2, 3}
    for image, one, k in zip(images, turned, turns.tolist(), strict=True):
        assert torch.equal(torch.rot90(one, -k, dims=(1, 2)), image)
    assert torch.equal(images, numbered(40, 2, 5, 5))  # not changed in place


def test_a_quarter_turns_to_the_left():
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    by_turns = {}
    for seed in range(20):
        turned, turns = rotate_quarter(image, random(seed))
        by_turns[turns.item()] = turned[0, 0].flatten().tolist()
    assert by_turns == {0: [1, 2, 3, 4], 1: [2, 4, 1, 3], 2: [4, 3, 2, 1], 3: [3, 1, 4, 2]}


def test_pieces_are_cut_row_by_row():
    pieces = cut(numbered(1, 1, 4, 6), 2)
    assert pieces.shape == (1, 4, 1, 2, 3)
    assert pieces[0, 1, 0].tolist() == [[4, 5, 6], [10, 11, 12]]
    assert pieces[0, 2, 0].tolist() == [[13, 14, 15], [19, 20, 21]]


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_cut_and_put_together_are_inverse(n, channels, h, w):
    images = numbered(2, channels, n * h, n * w)
    assert torch.equal(put_together(cut(images, n)), images)


def test_a_puzzle_is_solved_by_the_inverse_order():
    images = numbered(20, 2, 6, 9)
    orders = distant_orders(9, 7, random())
    mixed, which = jigsaw(images, orders, random(1))
    assert set(which.tolist()) == set(range(7))
    for b, k in enumerate(which.tolist()):
        pieces, mixed_pieces = cut(images[b, None], 3)[0], cut(mixed[b, None], 3)[0]
        for place, piece in enumerate(orders[k].tolist()):
            assert torch.equal(mixed_pieces[place], pieces[piece])
        back = mixed_pieces[orders[k].argsort()]
        assert torch.equal(put_together(back[None])[0], images[b])


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_gap_shows_a_part_of_each_piece(gap):
    images = numbered(60, 2, 8, 8)
    stay = torch.arange(4)[None]
    mixed, _ = jigsaw(images, stay, random(), gap=gap)
    side, first = 4 - gap, gap // 2
    places = set()
    for piece, shown in zip(cut(images, 2).flatten(0, 1), cut(mixed, 2).flatten(0, 1), strict=True):
        inner = shown[:, first : first + side, first : first + side]
        assert (inner != 0).all()
        assert (shown != 0).sum() == 2 * side**2  # and zeros around it
        top, left = (piece[0] == inner[0, 0, 0]).nonzero()[0].tolist()
        assert torch.equal(piece[:, top : top + side, left : left + side], inner)
        places.add((top, left))
    assert places == set(itertools.product(range(gap + 1), repeat=2))


def test_distant_orders_are_permutations_far_apart():
    orders = distant_orders(9, 20, random())
    assert orders[0].tolist() == list(range(9))
    assert torch.equal(orders.sort(dim=1).values, torch.arange(9).expand(20, 9))
    differ = (orders[:, None] != orders).sum(dim=2) + 9 * torch.eye(20, dtype=torch.int64)
    by_chance = torch.rand(20, 9, generator=random()).argsort(dim=1)
    chance = (by_chance[:, None] != by_chance).sum(dim=2) + 9 * torch.eye(20, dtype=torch.int64)
    assert differ.min() >= 7 > chance.min()


def test_all_orders_can_be_asked_for():
    orders = distant_orders(4, 24, random())
    assert len(orders.unique(dim=0)) == 24 == math.factorial(4)


# --- contrast -------------------------------------------------------------------------------------


def slow_contrastive_loss(first, second, temperature):
    """The formula, number by number."""
    z = [row / row.norm() for row in torch.cat([first, second])]
    N, losses = len(first), []
    for i in range(2 * N):
        other = (i + N) % (2 * N)
        terms = {k: math.exp(z[i] @ z[k] / temperature) for k in range(2 * N) if k != i}
        losses.append(-math.log(terms[other] / sum(terms.values())))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 2.0])
def test_the_contrastive_loss_is_its_formula(temperature):
    first, second = draw(7, 5), draw(7, 5, seed=1)
    slow = slow_contrastive_loss(first, second, temperature)
    assert contrastive_loss(first, second, temperature).item() == pytest.approx(slow, rel=1e-12)


def test_the_contrastive_loss_by_hand():
    # Two things, four vectors: the other is alike (1), the two of the other thing are not (0).
    expected = -math.log(math.e / (math.e + 2))
    got = contrastive_loss(torch.eye(2, dtype=F64), torch.eye(2, dtype=F64), 1.0)
    assert got.item() == pytest.approx(expected, rel=1e-12)
    same = torch.ones(5, 3, dtype=F64)
    assert contrastive_loss(same, same).item() == pytest.approx(math.log(9), rel=1e-12)


def test_the_contrastive_loss_has_the_right_slopes():
    first, second = draw(3, 5).requires_grad_(), draw(3, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(contrastive_loss, (first, second, 0.5))


@given(st.floats(1e-3, 1e3), st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_only_directions_count_and_neither_side_is_first(scale, N):
    first, second = draw(N, 3), draw(N, 3, seed=1)
    loss = contrastive_loss(first, second)
    close(contrastive_loss(scale * first, second), loss, 1e-9)
    close(contrastive_loss(second, first), loss, 1e-9)
    order = torch.arange(N).roll(1)
    close(contrastive_loss(first[order], second[order]), loss, 1e-9)


def test_large_and_vanishing_vectors_are_no_trouble():
    first, second = torch.eye(3) * 1e30, torch.eye(3) * 1e-30
    assert contrastive_loss(first, second, 1.0).item() == pytest.approx(
        contrastive_loss(torch.eye(3), torch.eye(3), 1.0).item(), rel=1e-6
    )
    assert contrastive_loss(torch.zeros(2, 3), torch.zeros(2, 3)).item() == pytest.approx(
        math.log(3), rel=1e-6
    )


def test_augmenting_by_known_amounts():
    image = torch.zeros(1, 1, 8, 8, dtype=F64)
    image[0, 0, 3, 5] = 1
    moved = augment(image.expand(500, 1, 8, 8), random(), turn=0, zoom=0, shear=0, shift=0.125)
    rows, columns = torch.arange(8.0, dtype=F64)[:, None], torch.arange(8.0, dtype=F64)
    down = (moved[:, 0] * rows).sum(dim=(1, 2)) - 3
    right = (moved[:, 0] * columns).sum(dim=(1, 2)) - 5
    for way in (down, right):
        assert 0.95 < way.max() < 1 + 1e-6  # one pixel of eight at most
        assert -1 - 1e-6 < way.min() < -0.95
    close(moved.sum(dim=(1, 2, 3)), torch.ones(500, dtype=F64), 1e-6)  # nothing is lost


def test_turning_by_augmentation_turns():
    image = draw(1, 2, 7, 7)
    turned = augment(image.expand(400, 2, 7, 7), random(), turn=math.pi, zoom=0, shear=0, shift=0)
    for quarters in range(4):
        goal = torch.rot90(image, quarters, dims=(2, 3))
        nearest = (turned - goal).abs().mean(dim=(1, 2, 3)).min()
        assert nearest < 0.1 * goal.abs().mean()


def test_each_image_is_changed_in_its_own_way_and_again_with_the_seed():
    images = draw(1, 1, 8, 8).expand(20, 1, 8, 8)
    changed = augment(images, random(3))
    assert len(changed.flatten(1).unique(dim=0)) == 20
    assert torch.equal(changed, augment(images, random(3)))
    assert not torch.equal(changed, augment(images, random(4)))


# --- encoders -------------------------------------------------------------------------------------


def test_an_image_encoder_of_odd_sizes():
    encoder = ImageEncoder(5, image_size=7, in_channels=3, channels=(2, 11)).double()
    x = encoder(draw(13, 3, 7, 7))
    assert x.shape == (13, 5)
    close(x.mean(dim=1), torch.zeros(13, dtype=F64), 1e-12)  # it ends with a normalisation
    assert encoder.dense.in_features == 11 * 2 * 2


def test_an_image_encoder_is_its_layers():
    encoder, images = ImageEncoder(5, channels=(3,)).double(), draw(2, 1, 8, 8)
    layer = encoder.convolutions[0]
    assert isinstance(layer, nn.Conv2d)
    maps = nn.functional.conv2d(images, layer.weight, layer.bias, stride=2, padding=1).relu()
    expected = nn.functional.layer_norm(encoder.dense(maps.flatten(1)), (5,))
    close(encoder(images), expected)


def test_a_text_encoder_takes_means_without_padding_in_any_order():
    encoder = TextEncoder(11, 3, pad_id=2)
    tokens = torch.tensor([[7, 4, 9, 2, 2], [2, 9, 7, 2, 4]])
    expected = encoder.embedding.weight[[4, 7, 9]].mean(dim=0)
    for row in encoder(tokens):
        torch.testing.assert_close(row, expected)
    assert torch.equal(encoder(torch.tensor([[2, 2]])), torch.zeros(1, 3))


def test_what_is_frozen_stays():
    encoder = freeze(ImageEncoder(4))
    model = nn.Sequential(encoder, nn.Linear(4, 2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert sum(parameter.numel() for parameter in trained) == 4 * 2 + 2
    optimizer = torch.optim.SGD(trained, lr=0.1)
    model(torch.rand(3, 1, 8, 8, generator=random())).square().sum().backward()
    optimizer.step()
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("0.")


# --- what is refused ------------------------------------------------------------------------------

IMAGES = torch.rand(2, 1, 6, 6, generator=random())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: hide_square(IMAGES[0], 2, random()),
            r"images must have the shape \(B, channels, h",
        ),
        (lambda: hide_square(IMAGES[:0], 2, random()), "images must have the shape"),
        (lambda: hide_square(IMAGES, 7, random()), "size must be at most 6, got 7"),
        (lambda: hide_square(IMAGES * math.nan, 2, random()), "images must be finite"),
        (lambda: hide_square(IMAGES, 2, 0), "generator must be a Generator, got int"),
        (
            lambda: hide_patches(IMAGES, 4, 0.5, random()),
            "patch_size must divide height = 6, got 4",
        ),
        (lambda: hide_patches(IMAGES, 6, 0.5, random()), "patch_size must leave 2 patches"),
        (lambda: hide_patches(IMAGES, 2, 1.0, random()), "share must lie between 0 and 1"),
        (lambda: rotate_quarter(IMAGES[..., :4], random()), "images must be square"),
        (lambda: cut(IMAGES, 4), "n must divide height = 6, got 4"),
        (lambda: put_together(torch.ones(2, 5, 1, 2, 2)), "pieces must be 1, 4, 9"),
        (lambda: jigsaw(IMAGES, torch.tensor([[0, 1, 2]]), random()), "orders must be of 1, 4, 9"),
        (lambda: jigsaw(IMAGES, torch.tensor([[0, 1, 1, 3]]), random()), "each of 0 to 3 once"),
        (
            lambda: jigsaw(IMAGES, torch.arange(4)[None], random(), gap=3),
            "gap must be at most 2, got 3",
        ),
        (lambda: distant_orders(3, 7, random()), "count must be at most 6, got 7"),
        (lambda: augment(IMAGES, random(), zoom=1), "zoom must be 0 or more and less than 1"),
        (lambda: augment(IMAGES, random(), turn=-1), "turn must lie between 0 and 10"),
        (lambda: contrastive_loss(torch.ones(1, 3), torch.ones(1, 3)), "first must hold 2 vectors"),
        (
            lambda: contrastive_loss(torch.ones(2, 3), torch.ones(3, 3)),
            "second must have the shape",
        ),
        (lambda: contrastive_loss(torch.ones(2, 3), torch.ones(2, 3), 0), "temperature must be"),
        (lambda: ImageEncoder()(torch.ones(2, 1, 9, 8)), "images must have the shape"),
        (lambda: TextEncoder(5, 2)(torch.tensor([[5]])), "tokens must hold ids from 0 to 4"),
        (lambda: freeze([1]), "module must be a Module, got list"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_words_without_a_neighbour_are_named():
    tokens = torch.tensor([[1, 2], [0, 1]])
    with pytest.raises(ValueError, match="a word beside another in each row, got none in 1"):
        hide_word(tokens, random(), vocab_size=3)
    with pytest.raises(ValueError, match="before or after must be 1 or more"):
        hide_word(tokens[:1], random(), vocab_size=3, before=0, after=0)
