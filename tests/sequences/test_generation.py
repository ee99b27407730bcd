"""Generation: the loop, the ways to choose and the beam, against slow search and known shares."""

from __future__ import annotations

import functools
import itertools
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import nn
from torch.nn import functional
from transformers.generation import (
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from companion.sequences.generation import (
    Hypothesis,
    adjust,
    beam_search,
    complete,
    greedy_decode,
    log_probability,
    sample,
)
from companion.sequences.recurrent import RNN
from companion.sequences.seq2seq import Seq2Seq
from companion.sequences.vocabulary import Vocabulary

SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
WORDS = Vocabulary([*SPECIAL, "A", "B", "C"], special=SPECIAL)
PAD, UNK, BOS, EOS, A, B, C = range(7)
V_SOURCE = 17
BOTH = pytest.mark.parametrize("attention", [True, False])
GOOD = torch.tensor([[4, 5]])


def tokens(*shape, size, seed=0):
    """Draw ids that stand for real tokens."""
    return torch.randint(4, size, shape, generator=torch.Generator().manual_seed(seed))


def pad(rows):
    return nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


class Read(tuple):
    """A state of tensors, for the models below."""

    def select(self, rows):
        return Read(part[rows] for part in self)


class Table:
    """A model by hand: after each beginning, the probabilities of what comes next."""

    def __init__(self, table):
        self.table = table

    def start(self, source):
        # The state must follow its hypothesis: it holds all tokens read so far.
        return Read((torch.zeros(len(source), 0, dtype=torch.long), source[:, 0]))

    def step(self, tokens, state):
        read = torch.cat([state[0], tokens[:, None]], dim=1)
        rows = torch.full((len(read), 7), -math.inf)
        for row, beginning in enumerate(read.tolist()):
            for token, probability in self.table(
                state[1][row].item(), tuple(beginning[1:])
            ).items():
                rows[row, token] = math.log(probability)
        return rows, Read((read, state[1]))


def garden_path(source, beginning):
    """A looks better than B at first (0.6 against 0.4), but leads only to outputs of 0.3."""
    table = {
        (): {A: 0.6, B: 0.4},
        (A,): {B: 0.5, C: 0.5},
        (B,): {C: 0.9, EOS: 0.1},
    }
    return table.get(beginning, {EOS: 1.0})


SOURCE = torch.tensor([[A]])


def test_greedy_takes_the_garden_path_and_a_beam_does_not():
    assert greedy_decode(Table(garden_path), SOURCE, WORDS)[0][0] == A
    [best, *others] = beam_search(Table(garden_path), SOURCE, WORDS, beam_width=3)[0]
    assert best.tokens == [B, C]
    assert best.finished
    assert math.exp(best.log_probability) == pytest.approx(0.36)
    assert {tuple(one.tokens) for one in others} == {(A, B), (A, C)}
    assert [math.exp(one.log_probability) for one in others] == pytest.approx([0.3, 0.3])


def test_a_wide_beam_finds_everything_once():
    found = beam_search(Table(garden_path), SOURCE, WORDS, beam_width=7)[0]
    assert {tuple(one.tokens): round(math.exp(one.log_probability), 6) for one in found} == {
        (B, C): 0.36, (A, B): 0.3, (A, C): 0.3, (B,): 0.04,
    }  # fmt: skip
    assert len(found) == 4
    assert all(one.finished for one in found)


def test_a_finished_hypothesis_competes_with_longer_ones():
    def model(source, beginning):
        return {(): {EOS: 0.4, A: 0.6}, (A,): {A: 0.5, B: 0.5}}.get(beginning, {EOS: 1.0})

    assert beam_search(Table(model), SOURCE, WORDS, beam_width=3)[0] == [
        Hypothesis([], pytest.approx(math.log(0.4)), True),
        Hypothesis([A, A], pytest.approx(math.log(0.3)), True),
        Hypothesis([A, B], pytest.approx(math.log(0.3)), True),
    ]
    # Divided by the length: log 0.4 / 1 = -0.92, log 0.3 / 3 = -0.40.
    best = beam_search(Table(model), SOURCE, WORDS, beam_width=3, length_penalty=1.0)[0][0]
    assert len(best.tokens) == 2


def test_the_length_counts_the_end_only_where_it_was_written():
    # Per token, with the end: [A, A] has log 0.135 / 2 = -1.001, [B] with its end log 0.165 / 2 =
    # -0.901, [C, A] has log 0.125 / 2 = -1.040.
    def model(source, beginning):
        table = {(): {A: 0.5, B: 0.25, C: 0.25}, (A,): {A: 0.27, B: 0.73}}
        return table.get(beginning, {EOS: 0.66, B: 0.34} if beginning == (B,) else {A: 0.5, B: 0.5})

    found = beam_search(
        Table(model), SOURCE, WORDS, beam_width=20, max_length=2, length_penalty=1.0
    )[0]
    order = [tuple(one.tokens) for one in found if one.tokens in ([A, A], [B], [C, A])]
    assert order == [(B,), (A, A), (C, A)]


def test_each_source_has_its_own_beam():
    def model(source, beginning):
        return garden_path(source, beginning) if source == A else {EOS: 0.75, C: 0.25}

    both = torch.tensor([[A], [B]])
    beams = beam_search(Table(model), both, WORDS, beam_width=3, max_length=4)
    alone = [
        beam_search(Table(model), row[None], WORDS, beam_width=3, max_length=4)[0] for row in both
    ]
    for got, expected in zip(beams, alone, strict=True):
        assert {tuple(one.tokens) for one in got} == {tuple(one.tokens) for one in expected}
    assert [one.tokens for one in beams[1]] == [[], [C], [C, C]]
    assert greedy_decode(Table(model), both, WORDS)[1] == []


def test_what_is_cut_says_so():
    def endless(source, beginning):
        return {A: 0.9, EOS: 0.1}

    assert greedy_decode(Table(endless), SOURCE, WORDS, max_length=3) == [[A, A, A]]
    best, second = beam_search(Table(endless), SOURCE, WORDS, beam_width=2, max_length=3)[0]
    assert (best.tokens, best.finished) == ([A, A, A], False)
    assert (second.tokens, second.finished) == ([], True)
    assert math.exp(best.log_probability) == pytest.approx(0.729)


def test_padding_and_beginning_are_never_written():
    def model(source, beginning):
        return {PAD: 0.5, BOS: 0.3, C: 0.2} if not beginning else {EOS: 1.0}

    assert greedy_decode(Table(model), SOURCE, WORDS) == [[C]]
    [only] = beam_search(Table(model), SOURCE, WORDS, beam_width=2)[0]
    assert only.tokens == [C]
    assert math.exp(only.log_probability) == pytest.approx(0.2)


def test_one_token_can_be_the_beginning_and_the_end():
    """As in GPT-2, whose <|endoftext|> does both."""
    words = Vocabulary(["<|endoftext|>", "A"], special=["<|endoftext|>"])

    def model(source, beginning):
        return {0: 0.9, 1: 0.1} if beginning else {0: 0.2, 1: 0.8}

    assert greedy_decode(Table(model), SOURCE, words) == [[1]]
    beam = beam_search(Table(model), SOURCE, words, beam_width=2)[0]
    assert [one.tokens for one in beam] == [[1], []]
    assert [math.exp(one.log_probability) for one in beam] == pytest.approx([0.72, 0.2])


def sharp(seed, attention=True):
    """A small model with random weights that are large enough for clear opinions."""
    torch.manual_seed(seed)
    model = Seq2Seq(V_SOURCE, 7, embedding_size=5, hidden_size=6, attention=attention).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=1.5)
    return model


@BOTH
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_beam_of_one_is_greedy(attention, seed):
    model = sharp(seed, attention)
    source = pad([tokens(n, size=V_SOURCE, seed=seed + n).tolist() for n in (1, 5, 3)])
    beams = beam_search(model, source, WORDS, beam_width=1, max_length=6)
    assert [beam[0].tokens for beam in beams] == greedy_decode(model, source, WORDS, max_length=6)
    assert all(len(beam) == 1 for beam in beams)


def all_outputs(length):
    """All outputs of up to `length` tokens, [EOS] included; the longest may lack it."""
    words = [UNK, A, B, C]
    for n in range(length):
        yield from ([BOS, *some, EOS] for some in itertools.product(words, repeat=n))
    yield from ([BOS, *some] for some in itertools.product(words, repeat=length))


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_wide_beam_is_exhaustive_search(seed):
    model, source = sharp(seed), tokens(1, 3, size=V_SOURCE, seed=seed)
    outputs = list(all_outputs(3))  # 1 + 4 + 16 + 64
    scores = [log_probability(model, source, torch.tensor([output])).item() for output in outputs]
    best = np.argsort(scores)[::-1]
    beam = beam_search(model, source, WORDS, beam_width=len(outputs), max_length=3)[0]
    assert len(beam) == len(outputs) == 85
    np.testing.assert_allclose([one.log_probability for one in beam], np.array(scores)[best])
    expected = [token for token in outputs[best[0]][1:] if token != EOS]
    assert beam[0].tokens == expected


@BOTH
def test_a_hypothesis_has_the_probability_that_the_model_gives_it(attention):
    model, source = sharp(3, attention), pad([[5, 6, 7], [8], [9, 10]])
    beams = beam_search(model, source, WORDS, beam_width=4, max_length=5)
    for row, beam in enumerate(beams):
        scores = [one.log_probability for one in beam]
        assert scores == sorted(scores, reverse=True)
        for one in beam:
            target = [BOS, *one.tokens, *([EOS] if one.finished else [])]
            alone = source[row][source[row] != PAD][None]
            expected = log_probability(model, alone, torch.tensor([target])).item()
            assert one.log_probability == pytest.approx(expected, rel=1e-10)


def test_log_probability_leaves_out_padding():
    model, source = sharp(0), tokens(2, 3, size=V_SOURCE)
    target = torch.tensor([[BOS, A, B, EOS], [BOS, C, EOS, PAD]])
    both = log_probability(model, source, target)
    alone = log_probability(model, source[1:], target[1:, :3])
    assert both.shape == (2,)
    torch.testing.assert_close(both[1], alone[0])
    logits = model(source[1:], target[1:, :2])[0]
    expected = -functional.cross_entropy(logits, torch.tensor([C, EOS]), reduction="sum")
    torch.testing.assert_close(alone[0], expected)


def test_decoding_leaves_the_mode_as_it_was():
    seen = []

    class Watched(Seq2Seq):
        def step(self, tokens, state):
            seen.append(self.training)
            return super().step(tokens, state)

    model = Watched(V_SOURCE, 7).train()
    greedy_decode(model, GOOD, WORDS, max_length=2)
    beam_search(model, GOOD, WORDS, beam_width=2, max_length=2)
    assert model.training
    assert not any(seen)


def test_parts_that_were_frozen_stay_so():
    model = sharp(0)
    model.train()
    model.decoder.eval()
    greedy_decode(model, GOOD, WORDS, max_length=2)
    assert model.training
    assert model.encoder_forward.training
    assert not model.decoder.training


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_log_probabilities_are_added_up_in_32_bits(dtype):
    class Even(nn.Module):
        padding = PAD

        def forward(self, source, target):
            return torch.zeros(*target.shape, 7, dtype=dtype)

    target = torch.full((1, 401), A)
    found = log_probability(Even(), GOOD, target)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(-400 * math.log(7), rel=1e-6)


def test_decoding_stops_when_all_have_finished():
    calls = []

    class Counting(Table):
        def step(self, tokens, state):
            calls.append(len(tokens))
            return super().step(tokens, state)

    greedy_decode(Counting(garden_path), SOURCE, WORDS)
    beam_search(Counting(garden_path), SOURCE, WORDS, beam_width=3)
    assert calls == [1, 1, 1, 3, 3, 3]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"beam_width": 0}, ValueError, "beam_width must be 1 or more, got 0"),
        ({"beam_width": 2.0}, TypeError, "beam_width must be an integer"),
        ({"max_length": 0}, ValueError, "max_length must be 1 or more, got 0"),
        ({"length_penalty": -1}, ValueError, "length_penalty must be 0 or more, got -1"),
        ({"length_penalty": math.nan}, ValueError, "length_penalty must be finite, got nan"),
    ],
)
def test_search_refuses_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        beam_search(Table(garden_path), SOURCE, WORDS, **{"beam_width": 2} | options)


def test_greedy_refuses_mistakes():
    with pytest.raises(ValueError, match="max_length must be 1 or more, got 0"):
        greedy_decode(Table(garden_path), SOURCE, WORDS, max_length=0)


# --- what stands in no table ---------------------------------------------------------------------


class Constant:
    """The same scores after everything."""

    def __init__(self, scores):
        self.scores = torch.as_tensor(scores)

    def start(self, source):
        return self

    def select(self, rows):
        return self

    def step(self, tokens, state):
        return self.scores.expand(len(tokens), -1), state


def ways(model, source=SOURCE, **options):
    """Return all ways to write an output, as functions without arguments."""
    return {
        "greedy": lambda: greedy_decode(model, source, WORDS, **options),
        "sample": lambda: sample(model, source, WORDS, **options),
        "beam": lambda: beam_search(model, source, WORDS, beam_width=3, **options),
        "beam of 1": lambda: beam_search(model, source, WORDS, beam_width=1, **options),
    }


WAYS = pytest.mark.parametrize("way", ["greedy", "sample", "beam", "beam of 1"])


@WAYS
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_scores_that_are_no_numbers_are_refused(way, bad):
    scores = torch.zeros(7)
    scores[C] = bad
    with pytest.raises(ValueError, match=r"model must give numbers as scores, got (nan|inf|NaN)"):
        ways(Constant(scores))[way]()


@WAYS
def test_nothing_is_written_where_nothing_is_possible(way):
    scores = torch.full((7,), -math.inf)
    scores[[PAD, BOS]] = 0.0
    with pytest.raises(ValueError, match="model must leave a token possible, all scores are minus"):
        ways(Constant(scores))[way]()


@WAYS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_scores_of_any_precision(way, dtype):
    scores = torch.full((7,), -math.inf, dtype=dtype)
    scores[A] = 60_000.0
    [found] = ways(Constant(scores), max_length=3)[way]()
    assert (found[0].tokens if way.startswith("beam") else found) == [A, A, A]


@WAYS
def test_no_source_no_output(way):
    class Strict(Constant):
        def start(self, source):
            raise AssertionError("nothing is to be read")

    assert ways(Strict(torch.zeros(7)), SOURCE[:0])[way]() == []


@WAYS
def test_a_dead_end_ends_a_hypothesis_only(way):
    def model(source, beginning):
        return {(): {A: 0.4, B: 0.6}, (A,): {C: 1.0}, (A, C): {EOS: 1.0}}.get(beginning, {})

    if way == "beam":
        [only] = ways(Table(model))[way]()[0]
        assert only == Hypothesis([A, C], pytest.approx(math.log(0.4)), True)
    elif way != "sample":
        with pytest.raises(ValueError, match="model must leave a token possible"):
            ways(Table(model))[way]()


@WAYS
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": nn.Linear(2, 3)}, TypeError, "the methods start and step, got Linear"),
        ({"source": [[4]]}, TypeError, r"source must be a Tensor .* got \[\[4\]\]"),
        ({"source": torch.tensor(3)}, TypeError, "source must be a Tensor with a row"),
        ({"vocabulary": {"A": 0}}, TypeError, "vocabulary must be a Vocabulary, got dict"),
        ({"vocabulary": Vocabulary(["A"])}, ValueError, r"must have \[BOS\] .* as begin"),
        ({"max_length": 0}, ValueError, "max_length must be 1 or more, got 0"),
        ({"max_length": 1.0}, TypeError, "max_length must be an integer, got 1.0"),
        ({"model": Constant(torch.zeros(2))}, ValueError, "the scores of model.step must have"),
        ({"model": Constant(torch.ones(7).long())}, TypeError, "scores of model.step must be a"),
    ],
)
def test_mistakes_are_named(way, arguments, error, message):
    call = {"model": Constant(torch.zeros(7)), "source": SOURCE, "vocabulary": WORDS} | arguments
    function = {"greedy": greedy_decode, "sample": sample}.get(way, beam_search)
    options = {} if function is not beam_search else {"beam_width": 3 if way == "beam" else 1}
    with pytest.raises(error, match=message):
        function(**call, **options)


def test_sequences_of_a_batch_finish_separately():
    sizes = []

    class Counting(Table):
        def step(self, tokens, state):
            sizes.append(len(tokens))
            return super().step(tokens, state)

    def model(source, beginning):
        return {EOS: 1.0} if len(beginning) == source else {A: 1.0}

    source = torch.tensor([[2], [0], [4], [2]])
    found = greedy_decode(Counting(model), source, WORDS)
    assert [len(output) for output in found] == [2, 0, 4, 2]
    assert sizes == [4, 3, 3, 1, 1]  # those that have ended are not computed any more


# --- sampling ------------------------------------------------------------------------------------


def slow_shares(scores, temperature, top_k, top_p):
    """The shares of all tokens, token by token."""
    weights = [math.exp(score / temperature) for score in scores]
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    kept = order[:top_k]
    if top_p is not None:
        total, sum_so_far, few = sum(weights[i] for i in kept), 0.0, []
        for i in kept:
            few.append(i)
            sum_so_far += weights[i] / total
            if sum_so_far >= top_p:
                break
        kept = few
    total = sum(weights[i] for i in kept)
    return [weights[i] / total if i in kept else 0.0 for i in range(len(scores))]


settings_of_sampling = {
    "temperature": st.floats(0.2, 5),
    "top_k": st.none() | st.integers(1, 12),
    "top_p": st.none() | st.floats(0.01, 1),
}


@settings(max_examples=200)
@given(st.integers(0, 10**6), st.fixed_dictionaries(settings_of_sampling))
def test_adjusted_scores_are_those_of_slow_code_and_of_transformers(seed, options):
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(3, 11, generator=random, dtype=torch.float64)  # all different
    found = adjust(scores, **options)
    for row, shares in zip(scores.tolist(), found.softmax(-1).tolist(), strict=True):
        assert shares == pytest.approx(slow_shares(row, **options), abs=1e-12)
    theirs = TemperatureLogitsWarper(options["temperature"])(None, scores)
    if options["top_k"] is not None:
        theirs = TopKLogitsWarper(options["top_k"])(None, theirs)
    if options["top_p"] is not None:
        theirs = TopPLogitsWarper(options["top_p"])(None, theirs)
    torch.testing.assert_close(found.softmax(-1), theirs.softmax(-1), rtol=1e-12, atol=1e-15)


def test_top_p_by_hand():
    scores = torch.tensor([0.1, 0.5, 0.15, 0.25], dtype=torch.float64).log()
    for p, kept in ((0.3, [1]), (0.5, [1]), (0.6, [1, 3]), (0.76, [1, 2, 3]), (1.0, [0, 1, 2, 3])):
        found = adjust(scores, top_p=p)
        assert found.isfinite().nonzero()[:, 0].tolist() == kept
    both = adjust(scores, top_k=2, top_p=0.6).softmax(-1)  # 2/3 and 1/3 are left, 2/3 is enough
    assert both.tolist() == [0, 1, 0, 0]


def test_all_of_the_probability_is_all_tokens():
    generator = torch.Generator().manual_seed(0)
    scores = 3 * torch.randn(20, 5000, generator=generator)  # rounded sums reach 1 before the last
    assert torch.equal(adjust(scores, top_p=1.0), adjust(scores))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_scores_without_a_highest_are_refused(bad):
    scores = torch.zeros(2, 3)
    scores[1] = bad
    with pytest.raises(ValueError, match="scores must hold a finite highest score in each row"):
        adjust(scores)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_shares_are_added_up_in_32_bits(dtype):
    found = adjust(torch.zeros(1000, dtype=dtype), top_p=0.9)
    assert found.dtype == torch.float32
    assert int(found.isfinite().sum()) in (900, 901)


def test_scores_of_the_last_kept_token_all_stay():
    assert adjust(torch.tensor([1.0, 0.0, 1.0, 1.0]), top_k=2).isfinite().tolist() == [
        True, False, True, True,
    ]  # fmt: skip


def frequencies(model, n, **options):
    source = torch.zeros(n, 1, dtype=torch.long)
    random = torch.Generator().manual_seed(0)
    outputs = sample(model, source, WORDS, max_length=1, generator=random, **options)
    return Counter(output[0] if output else EOS for output in outputs)


@pytest.mark.parametrize(
    "options", [{}, {"temperature": 2.0}, {"temperature": 0.5, "top_k": 3}, {"top_p": 0.8}]
)
def test_frequencies_are_the_shares(options):
    scores = torch.tensor([9.0, 0.3, 9.0, -0.5, 1.0, 0.1, -1.0], dtype=torch.float64)
    n = 20_000
    counts = frequencies(Constant(scores), n, **options)
    possible = [UNK, EOS, A, B, C]  # neither [PAD] nor [BOS], whatever their scores
    settings_given = {"temperature": 1.0, "top_k": None, "top_p": None} | options
    shares = slow_shares([scores[i].item() for i in possible], **settings_given)
    assert sum(counts.values()) == n
    assert all(counts[i] == 0 for i, share in zip(possible, shares, strict=True) if share == 0)
    kept = [(counts[i], n * share) for i, share in zip(possible, shares, strict=True) if share]
    assert len(kept) >= 2
    assert chisquare(*zip(*kept, strict=True)).pvalue > 0.01
    others = [(counts[i], n / len(possible)) for i in possible]  # the test sees a wrong share
    assert chisquare(*zip(*others, strict=True)).pvalue < 1e-6


def test_whole_outputs_have_their_probabilities():
    source = torch.full((9_000, 1), A)
    random = torch.Generator().manual_seed(1)
    found = Counter(map(tuple, sample(Table(garden_path), source, WORDS, generator=random)))
    shares = {(B, C): 0.36, (A, B): 0.3, (A, C): 0.3, (B,): 0.04}
    assert found.keys() == shares.keys()
    observed = [found[output] for output in shares]
    assert chisquare(observed, [9_000 * share for share in shares.values()]).pvalue > 0.01


@settings(max_examples=15)
@given(seed=st.integers(0, 1000))
def test_cold_sampling_and_a_choice_of_one_are_greedy(seed):
    model = sharp(seed)
    source = pad([tokens(n, size=V_SOURCE, seed=seed + n).tolist() for n in (1, 5, 3)])
    greedy = greedy_decode(model, source, WORDS, max_length=6)
    for options in ({"temperature": 0}, {"temperature": 1e-9}, {"top_k": 1}, {"top_p": 1e-9}):
        assert sample(model, source, WORDS, max_length=6, **options) == greedy


def test_a_generator_makes_draws_repeatable():
    model, source = Constant(torch.zeros(7)), torch.zeros(5, 1)

    def drawn(seed):
        return sample(model, source, WORDS, generator=torch.Generator().manual_seed(seed))

    assert drawn(3) == drawn(3) != drawn(4)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"temperature": -0.1}, ValueError, "temperature must be 0 or more, got -0.1"),
        (
            {"temperature": math.inf},
            ValueError,
            "temperature must be finite, got inf",
        ),
        ({"temperature": "hot"}, TypeError, "temperature must be a number, got 'hot'"),
        ({"top_k": 0}, ValueError, "top_k must be 1 or more, got 0"),
        ({"top_k": 2.0}, TypeError, "top_k must be an integer"),
        ({"top_p": 0}, ValueError, "top_p must be more than 0 and at most 1, got 0"),
        ({"top_p": 1.1}, ValueError, "top_p must be more than 0 and at most 1, got 1.1"),
        ({"top_p": math.nan}, ValueError, "top_p must be .* got nan"),
        ({"generator": 3}, TypeError, "generator must be a Generator, got int"),
    ],
)
def test_settings_of_sampling_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        sample(Constant(torch.zeros(7)), SOURCE, WORDS, **options)
    with pytest.raises(error, match=message):
        complete(Constant(torch.zeros(7)), [[A]], 3, **options)


# --- a model that continues what it has read -----------------------------------------------------

V = 5


class DecoderOnly(nn.Module):
    """A recurrent network that reads ids and predicts the next, as a GPT will."""

    def __init__(self, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding, self.network = nn.Embedding(V, 7), RNN(7, 11)
        self.readout = nn.Linear(11, V)
        self.double()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.normal_(std=0.8)

    def forward(self, ids):  # (B, T) to (B, T, V)
        return self.readout(self.network(self.embedding(ids))[0])

    def start(self, ids):
        state = torch.zeros(1, len(ids), 11, dtype=torch.float64)
        if ids.shape[1]:
            state = self.network(self.embedding(ids))[1]
        return Read((state[0],))

    def step(self, tokens, state):
        _, last = self.network(self.embedding(tokens[:, None]), state[0][None])
        return self.readout(last[0]), Read((last[0],))


def generate(model, ids, n_tokens, **options):
    """What the chapter on GPT will have: ids with the prompt; four lines over `complete`."""
    prompts = ids.tolist()
    written = complete(model, prompts, n_tokens, **options)
    return [prompt + more for prompt, more in zip(prompts, written, strict=True)]


def test_generate_is_the_chain_of_the_most_probable_tokens():
    model = DecoderOnly()
    ids = torch.tensor([[1, 4, 2], [3, 0, 0]])
    expected = ids
    for _ in range(8):
        expected = torch.cat([expected, model(expected)[:, -1].argmax(-1, keepdim=True)], dim=1)
    assert generate(model, ids, 8, temperature=0) == expected.tolist()


def test_prompts_of_different_lengths_are_continued_as_if_alone():
    model = DecoderOnly(3)
    prompts = [[1, 4, 2, 0], [3], [2, 2], [0, 1, 2, 3, 4, 1]]
    together = complete(model, prompts, 7, temperature=0, stop=[4])
    alone = [complete(model, [prompt], 7, temperature=0, stop=[4])[0] for prompt in prompts]
    assert together == alone
    assert len({len(written) for written in together}) > 1
    assert complete(model, torch.tensor(prompts[:1]), 7, temperature=0, stop=[4]) == alone[:1]


def test_samples_have_the_probability_that_the_model_gives_them():
    model, n = DecoderOnly(1), 20_000
    random = torch.Generator().manual_seed(0)
    for prompt in ([2], [1, 0, 3]):
        found = Counter(map(tuple, complete(model, [prompt] * n, 2, generator=random)))
        with torch.no_grad():
            shares = {
                (a, b): (
                    model(torch.tensor([[*prompt, a]]))[0, -2:].softmax(-1)[[0, 1], [a, b]].prod()
                ).item()
                for a, b in itertools.product(range(V), repeat=2)
            }
        assert sum(shares.values()) == pytest.approx(1)
        assert found.keys() <= shares.keys()
        often = [pair for pair, share in shares.items() if share * n > 5]
        rest = n - sum(found[pair] for pair in often)
        observed = [*(found[pair] for pair in often), rest]
        expected = [*(n * shares[pair] for pair in often)]
        expected.append(n - sum(expected))
        assert chisquare(observed, expected).pvalue > 0.01


def test_different_prompts_of_one_batch_are_sampled_each_by_its_own():
    model, n = DecoderOnly(2), 8_000
    prompts = [[2], [1, 0, 3]] * n
    written = complete(model, prompts, 1, generator=torch.Generator().manual_seed(0))
    for start, prompt in enumerate(prompts[:2]):
        counts = Counter(token for [token] in written[start::2])
        shares = model(torch.tensor([prompt]))[0, -1].softmax(-1).tolist()
        observed = [counts[token] for token in range(V)]
        assert chisquare(observed, [n * share for share in shares]).pvalue > 0.01


def test_stop_tokens_end_a_text_and_are_not_part_of_it():
    class Counting(Constant):
        def step(self, tokens, state):
            return (torch.arange(10) == tokens[:, None] + 1).double().log(), state

    prompts = [[1], [6, 7], [3, 4, 5]]
    model = Counting(torch.zeros(1))
    assert complete(model, prompts, 4, stop=[5, 9]) == [[2, 3, 4], [8], [6, 7, 8]]
    assert complete(model, prompts, 2) == [[2, 3], [8, 9], [6, 7]]
    assert complete(model, prompts, 0) == [[], [], []]
    assert complete(model, [], 3) == []


def test_scores_inside_a_prompt_do_not_matter():
    class Picky(Constant):
        def step(self, tokens, state):
            scores = torch.zeros(len(tokens), 7)
            scores[tokens == A] = math.nan  # nobody asks what follows an A
            return scores, state

    written = complete(Picky(torch.zeros(1)), [[A, B], [B]], 1, temperature=0)
    assert [len(row) for row in written] == [1, 1]


@pytest.mark.parametrize(
    ("prompts", "n_tokens", "error", "message"),
    [
        ("ab", 3, TypeError, "prompts must be token ids, got the text 'ab'"),
        (["ab"], 3, TypeError, "prompts must be a sequence of 1 or more integers, got 'ab'"),
        (3, 3, TypeError, "prompts must be token ids, got 3"),
        ([3], 3, TypeError, "prompts must be a sequence of 1 or more integers, got 3"),
        ([[0.5]], 3, TypeError, "prompts must be an integer, got 0.5"),
        ([[-1]], 3, ValueError, "prompts must be 0 or more, got -1"),
        ([[1], []], 3, ValueError, r"prompts must be a sequence of 1 or more integers, got \[\]"),
        ([[1]], -1, ValueError, "n_tokens must be 0 or more, got -1"),
        ([[1]], 1.5, TypeError, "n_tokens must be an integer"),
    ],
)
def test_prompts_are_checked(prompts, n_tokens, error, message):
    with pytest.raises(error, match=message):
        complete(Constant(torch.zeros(7)), prompts, n_tokens)


def test_stop_is_checked():
    with pytest.raises(TypeError, match="stop must be token ids, got 3"):
        complete(Constant(torch.zeros(7)), [[1]], 2, stop=3)


class Narrow:
    """A model with fewer scores than the vocabulary has tokens: it can never end."""

    def start(self, source):
        return self

    def step(self, tokens, state):
        return torch.zeros(len(tokens), 3), state

    def select(self, rows):
        return self


def test_a_model_must_have_a_score_for_the_end():
    words = Vocabulary(["[PAD]", "[BOS]", "a", "[EOS]"], special=["[PAD]", "[BOS]", "[EOS]"])
    source = torch.zeros(2, 1, dtype=torch.int64)
    for decode in (greedy_decode, functools.partial(beam_search, beam_width=2)):
        with pytest.raises(ValueError, match=r"scores of model.step must .*4 or more, got \(.*3\)"):
            decode(Narrow(), source, words)
