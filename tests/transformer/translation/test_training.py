"""Tests of companion.transformer.translation.training."""

import math
from collections import Counter
from itertools import chain

import numpy as np
import pytest
import torch

from companion.transformer.translation import (
    greedy_decode,
    smooth_cross_entropy,
    train_translator,
    warm_up_rate,
)
from companion.transformer.translation.training import _deal, _groups, _parts, rate_level

from ...twins import F64
from .small import BOS, EOS, PAD, V_OUT, WORDS, T, small


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.7])
def test_label_smoothing_is_the_formula(smoothing):
    random = torch.Generator().manual_seed(0)
    logits = torch.randn(3, T, V_OUT, generator=random, dtype=F64, requires_grad=True)
    targets = torch.randint(0, V_OUT, (3, T), generator=random)
    targets[0, 2:] = PAD
    total, number = torch.zeros((), dtype=F64), 0
    for row, right in zip(logits.flatten(0, 1), targets.flatten(), strict=True):
        if right != PAD:
            q = torch.full((V_OUT,), smoothing / V_OUT, dtype=F64)
            q[right] += 1 - smoothing
            total, number = total - (q * row.log_softmax(0)).sum(), number + 1
    got = smooth_cross_entropy(logits, targets, smoothing)
    torch.testing.assert_close(got, total / number)
    a, b = (torch.autograd.grad(loss, logits)[0] for loss in (got, total / number))
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("shape", "targets", "smoothing", "message"),
    [
        ((1, 2, 5), [[3, 1]], 1.0, r"smoothing must be 0 or more and less than 1, got 1\.0"),
        (
            (1, 2, 5),
            [[3, 1]],
            float("nan"),
            r"smoothing must be 0 or more and less than 1, got nan",
        ),
        ((1, 2, 5), [[3, 1, 2]], 0.0, r"targets must have the shape \(1, 2\), .*got \(1, 3\)"),
        ((1, 2, 5), [[0, 0]], 0.0, r"targets must hold a token, got only padding"),
    ],
)
def test_losses_that_are_refused(shape, targets, smoothing, message):
    with pytest.raises(ValueError, match=message):
        smooth_cross_entropy(torch.zeros(shape), torch.tensor(targets), smoothing)


def test_the_warm_up_of_the_paper():
    rates = [warm_up_rate(step, d_model=16, warm_up=10) for step in range(1, 100)]
    assert np.argmax(rates) == 9
    assert rates[9] == pytest.approx(1 / math.sqrt(16 * 10))
    assert rates[4] == pytest.approx(rates[9] / 2)  # a straight line
    assert rates[39] == pytest.approx(rates[9] / 2)  # a quarter of the square root's speed
    with pytest.raises(ValueError, match=r"step must be .*1.*got 0"):
        warm_up_rate(0, d_model=16, warm_up=10)


def test_the_rate_rises_falls_and_allows_for_the_batch():
    shares = np.linspace(0, 1, 101)
    rates = [rate_level(share) for share in shares]
    assert np.argmax(rates) == 10
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert rate_level(0.775, 4) == pytest.approx(2 * rate_level(0.775))
    assert rate_level(0.5, 64) == 1
    with pytest.raises(ValueError, match=r"done must be from 0 to 1, got 1\.5"):
        rate_level(1.5)


PAIRS = [([4 + i % 5, 4 + i % 7], [BOS, 4 + i % 5, 4 + i % 3, EOS]) for i in range(24)]


def test_training_learns():
    model = small(dtype=torch.float32)
    losses = train_translator(
        model, PAIRS, passes=60, stages=((0.5, 4), (0.5, 12)), learning_rate=0.01
    )
    assert len(losses) == 60 * 24 / 2 / 4 + 60 * 24 / 2 / 12
    assert losses[-5:].mean() < 0.1 < 1 < losses[0]
    assert not model.training
    ids = greedy_decode(model, torch.tensor([source for source, _ in PAIRS[:9]]), WORDS)
    assert ids == [target[1:-1] for _, target in PAIRS[:9]]


def test_training_follows_its_seed_and_leaves_the_pairs():
    def run(seed):
        model, pairs = small(dtype=torch.float32), [(list(a), list(b)) for a, b in PAIRS]
        losses = train_translator(model, pairs, passes=1.5, seed=seed, stages=((1.0, 5),))
        assert pairs == PAIRS
        return losses

    assert len(run(1)) == 8  # 36 pairs in batches of 5
    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def dealt(pairs, passes, stages, seed=0):
    generator = torch.Generator().manual_seed(seed)
    found = _deal(pairs, _parts(len(pairs), passes, stages), PAD, generator)
    return [batch["source"][:, 0].tolist() for batch in found]


NUMBERED = [([10 + i], [BOS, *[5] * (i % 8), EOS]) for i in range(48)]


def test_each_pair_is_shown_as_often_as_said():
    batches = dealt(NUMBERED, 2.5, ((0.4, 3), (0.6, 7)))
    assert Counter(chain.from_iterable(batches)).total() == 120
    assert set(Counter(chain.from_iterable(batches)).values()) == {2, 3}
    assert sorted(len(batch) for batch in batches) == [2, *[3] * 16, *[7] * 10]
    assert sum(map(len, batches[:16])) == 48  # the first stage comes first


def test_batches_mix_lengths_that_are_similar():
    # Targets of 2 to 9 tokens: 2 and 3, 4 to 7, 8 and 9 are similar.
    batches = dealt(NUMBERED, 1, ((1.0, 6),))
    lengths = [[len(NUMBERED[number - 10][1]) for number in batch] for batch in batches]
    for some in lengths:
        assert len({length // 4 for length in some}) == 1
    middle = [set(some) for some in lengths if some[0] // 4 == 1]
    assert len(middle) == 4
    assert min(map(len, middle)) > 1
    assert dealt(NUMBERED, 1, ((1.0, 6),), seed=1) != batches


def test_embeddings_have_a_rate_of_their_own():
    model = small(dtype=torch.float32)
    embeddings, others = _groups(model)
    assert {id(p) for p in embeddings} == {
        id(model.source_embedding.weight),
        id(model.target_embedding.weight),
    }
    assert len(embeddings) + len(others) == len(list(model.parameters()))
    moved = {}
    for factor in (1.0, 5.0):
        model = small(dtype=torch.float32)
        before = [p.detach().clone() for p in (model.target_embedding.weight, embeddings[0])]
        options = {"stages": ((1.0, 24),), "embedding_factor": factor, "learning_rate": 1e-3}
        train_translator(model, PAIRS, **options)
        moved[factor] = (model.target_embedding.weight - before[0]).abs().max().item()
    assert moved[5.0] == pytest.approx(5 * moved[1.0], rel=0.01)  # Adam's first step


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pairs": []}, r"pairs must hold one pair or more, got none"),
        ({"pairs": [([], [BOS, 4, EOS])]}, r"pairs\[0\] must be a sequence of 1 or more integers"),
        ({"passes": 0.01}, r"passes must show a pair, got 0.01 passes of 24 pairs"),
        ({"stages": ((0.5, 4),)}, r"stages must have shares with the sum 1"),
        ({"stages": ((1.0, 0),)}, r"batch size of stages must be .*got 0"),
        ({"learning_rate": 0.0}, r"learning_rate must lie .*got 0"),
        ({"embedding_factor": -1.0}, r"embedding_factor must lie .*got -1"),
        ({"smoothing": 1.0}, r"smoothing must be"),
        ({"seed": -1}, r"seed must be .*got -1"),
    ],
)
def test_trainings_that_are_refused(changes, message):
    arguments = {"pairs": PAIRS, **changes}
    with pytest.raises(ValueError, match=message):
        train_translator(small(dtype=torch.float32), arguments.pop("pairs"), **arguments)


@pytest.mark.parametrize(
    ("stages", "error"), [([1, 2], TypeError), ([(1.0,)], ValueError), (3, TypeError)]
)
def test_stages_are_pairs(stages, error):
    with pytest.raises(error, match="stages must be pairs of a share and a batch size, got "):
        train_translator(small(dtype=torch.float32), PAIRS, stages=stages)


def test_what_is_no_model_or_no_pairs_is_named():
    with pytest.raises(TypeError, match=r"model\.padding must be an integer, got None"):
        train_translator(torch.nn.Linear(2, 2), PAIRS)
    with pytest.raises(TypeError, match="model must be a Module, got NoneType"):
        train_translator(None, PAIRS)
    with pytest.raises(TypeError, match=r"pairs must be a list of pairs of .*, got None"):
        train_translator(small(dtype=torch.float32), None)
    with pytest.raises(TypeError, match="padding must be an integer, got 'x'"):
        smooth_cross_entropy(torch.zeros(1, 1, 5), torch.tensor([[3]]), padding="x")


def test_ids_are_whole_numbers():
    """A tensor of integers made of 4.7 would hold 4."""
    with pytest.raises(TypeError, match=r"pairs\[1\] must be an integer, got 4\.7"):
        train_translator(small(dtype=torch.float32), [PAIRS[0], ([4.7], [BOS, 4, EOS])])


def test_a_loss_that_is_not_finite_is_reported():
    model = small(dtype=torch.float32)
    with torch.no_grad():
        model.target_embedding.weight[5] = torch.inf
    with pytest.raises(ValueError, match=r"loss became nan in epoch 1, step 1"):
        train_translator(model, PAIRS)
