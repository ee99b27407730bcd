"""Attention, the model, decoding, training: against slow loops and known probabilities."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.sequences.seq2seq import (
    SPECIAL_TOKENS,
    AdditiveAttention,
    Seq2Seq,
    WordEmbedding,
    batches,
    encode_pairs,
    exact_match,
    exactly_right,
    greedy_decode,
    log_probability,
    pad,
    reverse_within,
    train_seq2seq,
    translate,
)
from companion.sequences.tokenization import BytePairTokenizer, WordTokenizer
from companion.sequences.vocabulary import Vocabulary

from ...twins import close

PAD, UNK, BOS, EOS = range(4)
V_SOURCE, V_TARGET = 17, 13


def make(seed=0, **options):
    torch.manual_seed(seed)
    options = {"embedding_size": 5, "hidden_size": 14} | options
    return Seq2Seq(V_SOURCE, V_TARGET, **options).double()


def tokens(*shape, size, seed=0):
    """Draw numbers that stand for real tokens."""
    return torch.randint(4, size, shape, generator=torch.Generator().manual_seed(seed))


BOTH = pytest.mark.parametrize("attention", [True, False])


# --- attention -----------------------------------------------------------------------------------


def attend_slowly(attention, query, memory, mask):
    """Additive attention, one number at a time."""
    W_q, W_k, b = attention.query.weight, attention.key.weight, attention.key.bias
    v = attention.score.weight[0]
    contexts, all_weights = [], []
    for row in range(len(query)):
        for position in query[row]:
            scores = {
                j: sum(
                    v[unit]
                    * torch.tanh(W_q[unit] @ position + W_k[unit] @ memory[row, j] + b[unit])
                    for unit in range(len(v))
                )
                for j in range(memory.shape[1])
                if mask[row, j]
            }
            total = sum(torch.exp(score) for score in scores.values())
            weights = {j: torch.exp(score) / total for j, score in scores.items()}
            contexts.append(sum(weight * memory[row, j] for j, weight in weights.items()))
            zero = torch.zeros((), dtype=query.dtype)
            all_weights.append(torch.stack([weights.get(j, zero) for j in range(memory.shape[1])]))
    shape = query.shape[:2]
    return torch.stack(contexts).unflatten(0, shape), torch.stack(all_weights).unflatten(0, shape)


def attention_case():
    torch.manual_seed(0)
    attention = AdditiveAttention(5, 7, 3).double()
    query = torch.randn(2, 11, 5, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(2, 13, 7, dtype=torch.float64, requires_grad=True)
    mask = torch.arange(13) < torch.tensor([[13], [4]])
    return attention, query, memory, mask


def test_attention_is_the_slow_loop_in_values_and_gradients():
    attention, query, memory, mask = attention_case()
    everything = [query, memory, *attention.parameters()]
    fast, slow = attention(query, memory, mask), attend_slowly(attention, query, memory, mask)
    random = torch.Generator().manual_seed(1)
    probes = [torch.randn(result.shape, generator=random, dtype=torch.float64) for result in fast]
    gradients = []
    for results in (fast, slow):
        loss = sum((result * probe).sum() for result, probe in zip(results, probes, strict=True))
        gradients.append(torch.autograd.grad(loss, everything))
    for got, expected in zip(fast, slow, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)
    for got, expected in zip(*gradients, strict=True):
        assert expected.abs().max() > 1e-6
        torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-12)


def test_masked_positions_get_no_weight_and_no_gradient():
    attention, query, memory, mask = attention_case()
    context, weights = attention(query, memory, mask)
    assert (weights[1, :, 4:] == 0).all()
    assert (weights[mask[:, None].expand_as(weights)] > 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 11, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(context.square().sum(), memory)
    assert (gradient[1, 4:] == 0).all()
    assert (gradient[1, :4] != 0).any()


def test_weights_by_hand():
    # Scores tanh(0), tanh(1): shares 1 / (1 + e**0.761594) and the rest.
    attention = AdditiveAttention(1, 1, 1)
    with torch.no_grad():
        for layer in (attention.query, attention.key, attention.score):
            layer.weight.fill_(1)
        attention.key.bias.zero_()
    context, weights = attention(torch.zeros(1, 1, 1), torch.tensor([[[0.0], [1.0]]]))
    assert weights.flatten().tolist() == pytest.approx([0.318300, 0.681700], abs=1e-6)
    assert context.item() == pytest.approx(0.681700, abs=1e-6)


def test_a_mask_of_true_changes_nothing_and_one_position_gets_everything():
    attention, query, memory, mask = attention_case()
    plain = attention(query, memory)
    for got, expected in zip(attention(query, memory, mask | True), plain, strict=True):
        assert torch.equal(got, expected)
    context, weights = attention(query[:1, :1], memory[:1, :1])
    assert weights.tolist() == [[[1.0]]]
    torch.testing.assert_close(context, memory[:1, :1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"query": torch.zeros(2, 11, 7)},
            r"query must have the shape \(B, T, 5\), got \(2, 11, 7\)",
        ),
        (
            {"query": torch.zeros(2, 11, 5).double()},
            "query must .* torch.float32, got torch.float64",
        ),
        ({"memory": torch.zeros(2, 7)}, r"memory must have the shape \(2, T, 7\).*got \(2, 7\)"),
        ({"memory": torch.zeros(3, 13, 7)}, r"memory must have the shape \(2, T, 7\)"),
        ({"memory": torch.zeros(2, 0, 7)}, r"each letter 1 or more, got \(2, 0, 7\)"),
        ({"memory": None}, "memory must be a Tensor of torch.float32, got NoneType"),
        ({"mask": torch.ones(2, 13)}, r"mask must be a Tensor of torch.bool, got torch.float32"),
        ({"mask": torch.ones(2, 11, dtype=torch.bool)}, r"mask must have the shape \(2, 13\)"),
        (
            {"mask": torch.arange(13) < torch.tensor([[1], [0]])},
            "mask must allow a position in each row, got none in row 1",
        ),
    ],
)
def test_attention_refuses_mistakes(change, message):
    attention, query, memory, mask = attention_case()
    arguments = {"query": query.float(), "memory": memory.float(), "mask": mask} | change
    with pytest.raises((TypeError, ValueError), match=message):
        attention.float()(**arguments)


@pytest.mark.parametrize("junk", [math.nan, math.inf, 1e300])
def test_what_stands_behind_the_mask_never_matters(junk):
    attention, query, memory, mask = attention_case()
    dirty = torch.where(mask[:, :, None], memory.detach(), junk).requires_grad_()
    leaves = [query, *attention.parameters()]
    results = []
    for some in (memory, dirty):
        context, weights = attention(query, some, mask)
        gradients = torch.autograd.grad(context.square().sum(), [some, *leaves])
        results.append([context, weights, *gradients])
    for got, expected in zip(*results, strict=True):
        assert expected.isfinite().all()
        assert torch.equal(got, expected)


def test_attention_in_half_precision():
    attention, query, memory, mask = attention_case()
    with torch.no_grad():
        attention.score.weight.mul_(30)
    exact = attention(query, memory, mask)[1]
    half = [x.detach().bfloat16() for x in (query, memory)]
    context, weights = attention.bfloat16()(*half, mask)
    assert (context.dtype, weights.dtype) == (torch.bfloat16, torch.bfloat16)
    torch.testing.assert_close(weights.double(), exact.detach(), rtol=0, atol=0.1)
    torch.testing.assert_close(
        weights.double().sum(-1), torch.ones(2, 11).double(), rtol=0, atol=0.01
    )


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, 0)])
def test_attention_needs_sizes(sizes):
    with pytest.raises(ValueError, match="_size must be 1 or more, got 0"):
        AdditiveAttention(*sizes)


# --- the model -----------------------------------------------------------------------------------


def cell_of(gru):
    """Return PyTorch's cell with the weights of a GRU."""
    cell = nn.GRUCell(gru.weight_ih_l0.shape[1], gru.weight_hh_l0.shape[1]).double()
    for name, parameter in gru.named_parameters():
        setattr(cell, name.removesuffix("_l0"), parameter)
    return cell


def run_slowly(model, source, target):
    """The whole model for one sentence pair, step by step with PyTorch's cells."""
    left, right, decoder = map(
        cell_of, (model.encoder_forward, model.encoder_backward, model.decoder)
    )
    embedded = model.source_embedding(source)  # (T, E)
    start = torch.zeros(1, left.hidden_size, dtype=torch.float64)
    states = {"left": [start], "right": [start]}
    for j in range(len(source)):
        states["left"].append(left(embedded[j][None], states["left"][-1]))
        states["right"].append(right(embedded[-1 - j][None], states["right"][-1]))
    summary = torch.cat([states["left"][-1], states["right"][-1]], dim=1)
    annotations = torch.stack(
        [
            torch.cat([states["left"][j + 1][0], states["right"][len(source) - j][0], embedded[j]])
            for j in range(len(source))
        ]
    )
    state, rows = torch.tanh(model.bridge(summary)), []
    for token in target:
        state = decoder(model.target_embedding(token)[None], state)
        if model.attention is None:
            context = summary
        else:
            context = model.attention(state[None], annotations[None])[0][0]
        word = model.readout(torch.cat([state, context], dim=1))
        rows.append(word @ model.target_embedding.weight.T + model.bias)
    return torch.cat(rows)


@BOTH
def test_the_model_is_its_slow_twin_in_values_and_gradients(attention):
    model = make(attention=attention)
    source, target = tokens(3, 7, size=V_SOURCE), tokens(3, 5, size=V_TARGET, seed=1)
    target[:, 0] = BOS
    fast = model(source, target)
    slow = torch.stack([run_slowly(model, *pair) for pair in zip(source, target, strict=True)])
    torch.testing.assert_close(fast, slow, rtol=1e-10, atol=1e-12)
    parameters = dict(model.named_parameters())
    gradients = [
        torch.autograd.grad(logits.log_softmax(-1)[..., 7].sum(), list(parameters.values()))
        for logits in (fast, slow)
    ]
    for name, got, expected in zip(parameters, *gradients, strict=True):
        assert expected.abs().max() > 1e-9, name
        torch.testing.assert_close(got, expected, rtol=1e-7, atol=1e-11, msg=name)


@BOTH
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_padding_changes_nothing(attention, data):
    lengths = data.draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    model = make(attention=attention)
    sources = [tokens(length, size=V_SOURCE, seed=i) for i, length in enumerate(lengths)]
    target = tokens(len(sources), 3, size=V_TARGET, seed=99)
    together = model(pad([source.tolist() for source in sources], PAD), target)
    for row, source in enumerate(sources):
        alone = model(source[None], target[row][None])
        torch.testing.assert_close(together[row], alone[0], rtol=1e-12, atol=1e-13)


@BOTH
def test_gradients_ignore_padding(attention):
    model = make(attention=attention)
    source = torch.tensor([[5, 6, 7, PAD, PAD], [8, 9, 10, 11, 12]])
    model(source, torch.tensor([[BOS, 5], [BOS, 6]])).square().sum().backward()
    gradient = model.source_embedding.weight.grad
    assert (gradient[PAD] == 0).all()
    assert (gradient[5:13].abs().sum(dim=1) > 0).all()


@BOTH
def test_the_decoder_does_not_look_ahead(attention):
    model = make(attention=attention)
    source, target = tokens(2, 5, size=V_SOURCE), tokens(2, 7, size=V_TARGET, seed=1)
    before = model(source, target)
    for place in range(7):
        changed = target.clone()
        changed[:, place] = UNK
        after = model(source, changed)
        assert torch.equal(after[:, :place], before[:, :place])
        assert (after[:, place] != before[:, place]).any()


@BOTH
def test_steps_give_what_the_whole_target_gives(attention):
    model = make(attention=attention)
    source = torch.tensor([[5, 6, 7], [8, PAD, PAD]])
    target = tokens(2, 5, size=V_TARGET, seed=1)
    at_once, state = model(source, target), model.start(source)
    for place in range(5):
        logits, state = model.step(target[:, place], state)
        torch.testing.assert_close(logits, at_once[:, place], rtol=1e-12, atol=1e-13)


def test_the_fixed_context_has_one_size_and_attention_as_many_vectors_as_tokens():
    fixed, attending = make(attention=False), make(attention=True)
    for length in (1, 2, 11):
        source = tokens(1, length, size=V_SOURCE)
        assert fixed.start(source).memory.shape == (1, 1, 14)
        assert attending.start(source).memory.shape == (1, length, 19)
        assert fixed.encode(source)[2].shape == attending.encode(source)[2].shape == (1, 14)


@BOTH
def test_the_number_of_padding_is_the_models(attention):
    usual, other = make(attention=attention), make(attention=attention, padding=16)
    assert (usual.padding, other.padding) == (0, 16)
    source, target = torch.tensor([[5, 6, 7], [8, 16, 16]]), torch.tensor([[BOS], [BOS]])
    expected = usual(source.masked_fill(source == 16, 0), target)
    torch.testing.assert_close(other(source, target), expected, rtol=0, atol=0)
    with pytest.raises(ValueError, match="padding must be 0 or more, got -1"):
        make(padding=-1)
    with pytest.raises(ValueError, match="padding must be at most 16, got 17"):
        make(padding=V_SOURCE)


@BOTH
def test_nan_in_the_vector_of_padding_goes_nowhere(attention):
    model = make(attention=attention)
    source = torch.tensor([[5, 6, 7, PAD, PAD], [8, 9, 10, 11, 12]])
    with torch.no_grad():
        model.source_embedding.weight[PAD] = math.nan
    loss = model(source, torch.tensor([[BOS, 5], [BOS, 6]])).square().sum()
    loss.backward()
    assert loss.isfinite()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@BOTH
def test_a_state_selects_its_rows(attention):
    model = make(attention=attention)
    source = torch.tensor([[5, 6, 7], [8, PAD, PAD]])
    chosen = model.start(source).select(torch.tensor([1, 1, 0]))
    expected = model.start(source[[1, 1, 0]])
    read = torch.tensor([4, 5, 6])
    for got, wanted in zip(model.step(read, chosen)[1], model.step(read, expected)[1], strict=True):
        close(got, wanted)


def test_alignments_lie_on_real_tokens():
    model = make()
    source = torch.tensor([[5, 6, 7], [8, PAD, PAD]])
    weights = model.decode(torch.tensor([[BOS, 5], [BOS, 6]]), model.start(source))[2]
    assert weights.shape == (2, 2, 3)
    assert (weights[1, :, 1:] == 0).all()
    assert (weights[1, :, 0] == 1).all()
    fixed = make(attention=False)
    weights = fixed.decode(torch.tensor([[BOS, 5], [BOS, 6]]), fixed.start(source))[2]
    assert weights.tolist() == [[[1.0], [1.0]], [[1.0], [1.0]]]


@BOTH
def test_a_state_dict_carries_the_whole_model(attention, tmp_path):
    def new(seed, words):
        torch.manual_seed(seed)
        vocabulary = Vocabulary([*SPECIAL_TOKENS, *words], special=SPECIAL_TOKENS)
        embedding = WordEmbedding(vocabulary, 6)
        return Seq2Seq(
            7,
            V_TARGET,
            embedding_size=6,
            hidden_size=4,
            source_embedding=embedding,
            attention=attention,
        )

    # The second model spells its words differently until it has loaded the first one.
    first, second = new(0, ["나는", "너는", "나너"]), new(1, ["가다", "다가", "하가"])
    source, target = torch.tensor([[4, 6], [5, PAD]]), torch.tensor([[BOS], [BOS]])
    assert not torch.equal(first(source, target), second(source, target))
    torch.save(first.state_dict(), tmp_path / "model.pt")
    second.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    assert torch.equal(first(source, target), second(source, target))


@given(lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5))
def test_reversing_within_lengths(lengths):
    x = torch.randn(len(lengths), 7, 3, generator=torch.Generator().manual_seed(0))
    back = reverse_within(x, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        assert torch.equal(back[row, :length], x[row, :length].flip(0))
        assert torch.equal(back[row, length:], x[row, length:])
    assert torch.equal(reverse_within(back, torch.tensor(lengths)), x)


def test_a_word_is_its_own_vector_and_those_of_its_characters():
    vocabulary = {word: i for i, word in enumerate([*SPECIAL_TOKENS, "나는", "너는", "나나"])}
    torch.manual_seed(0)
    embedding = WordEmbedding(vocabulary, 5)
    na, neo, neun = (embedding.character.weight[1 + "나너는".index(c)] for c in "나너는")
    vectors = embedding(torch.tensor([[4, 5, 6, PAD]]))[0]
    torch.testing.assert_close(vectors[0], embedding.word.weight[4] + na + neun)
    torch.testing.assert_close(vectors[1], embedding.word.weight[5] + neo + neun)
    torch.testing.assert_close(vectors[2], embedding.word.weight[6] + na + na)
    torch.testing.assert_close(vectors[3], embedding.word.weight[PAD])
    embedding(torch.tensor([[4]])).sum().backward()
    assert (embedding.character.weight.grad[0] == 0).all()  # "no character" is not learned
    assert (embedding.character.weight.grad[1] == 1).all()


@pytest.mark.parametrize("vocabulary", [{}, {"a": 1}, {"a": 0, "b": 2}, {"a": 0, "b": 0}])
def test_a_vocabulary_with_gaps_is_refused(vocabulary):
    with pytest.raises(ValueError, match="vocabulary must number its words from 0 on"):
        WordEmbedding(vocabulary, 5)


GOOD = torch.tensor([[4, 5]])


@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        ([[4, 5]], GOOD, TypeError, "source must be a Tensor of torch.int64, got list"),
        (GOOD.float(), GOOD, TypeError, "source must be a .* got torch.float32"),
        (GOOD[0], GOOD, ValueError, r"source must have the shape \(B, T\).* got \(2,\)"),
        (GOOD[:, :0], GOOD, ValueError, r"each letter 1 or more, got \(1, 0\)"),
        (GOOD[:0], GOOD, ValueError, r"each letter 1 or more, got \(0, 2\)"),
        (GOOD + 12, GOOD, ValueError, "source must hold ids from 0 to 16, got 16 to 17"),
        (-GOOD, GOOD, ValueError, "source must hold ids from 0 to 16, got -5 to -4"),
        (torch.tensor([[PAD, 5]]), GOOD, ValueError, r"\[PAD\] only at the end"),
        (torch.tensor([[PAD, PAD]]), GOOD, ValueError, "source must hold a token in each row"),
        (GOOD, GOOD + 8, ValueError, "target must hold ids from 0 to 12, got 12 to 13"),
        (GOOD, GOOD.int(), TypeError, "target must be a Tensor of torch.int64, got torch.int32"),
        (GOOD, GOOD[:, :0], ValueError, "target must have the shape"),
    ],
)
def test_the_model_refuses_mistakes(source, target, error, message):
    with pytest.raises(error, match=message):
        make()(source, target)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"hidden_size": 7}, ValueError, "hidden_size must be even, got 7"),
        ({"hidden_size": 0}, ValueError, "hidden_size must be 2 or more, got 0"),
        ({"embedding_size": 2.5}, TypeError, "embedding_size must be an integer, got 2.5"),
        ({"source_embedding": nn.Embedding(17, 3)}, ValueError, r"17 vectors of 5, got \(17, 3\)"),
        ({"source_embedding": nn.Embedding(11, 5)}, ValueError, r"got \(11, 5\)"),
    ],
)
def test_sizes_are_checked(options, error, message):
    with pytest.raises(error, match=message):
        make(**options)


# --- pairs, training, translating ----------------------------------------------------------------

PAIRS = [
    ("나는 학생입니다", "I am a student"),
    ("나는 머신러닝이 좋다", "I like machine learning"),
    ("너는 학생입니다", "you are a student"),
    ("나는", "I"),
    ("너는 머신러닝이 좋다", "you like machine learning"),
]
KOREAN = WordTokenizer.train([korean for korean, _ in PAIRS], special_tokens=SPECIAL_TOKENS)
ENGLISH = WordTokenizer.train([english for _, english in PAIRS], special_tokens=SPECIAL_TOKENS)
ENCODED = encode_pairs(PAIRS, KOREAN, ENGLISH)


def toy(seed=0, **options):
    torch.manual_seed(seed)
    sizes = len(KOREAN.vocabulary), len(ENGLISH.vocabulary)
    return Seq2Seq(*sizes, **{"embedding_size": 16, "hidden_size": 16} | options)


def test_encoded_pairs():
    source, target = ENCODED[0]
    assert KOREAN.decode(source).split() == ["나는", "학생입니다"]
    assert target[0] == BOS
    assert target[-1] == EOS
    assert ENGLISH.decode(target[1:-1]).split() == ["I", "am", "a", "student"]
    assert len(ENCODED) == 5


def test_texts_without_tokens_are_refused():
    with pytest.raises(ValueError, match=r"pairs\[1\] must hold two texts with tokens, got"):
        encode_pairs([PAIRS[0], ("", "I")], KOREAN, ENGLISH)


def test_special_tokens_may_have_other_numbers_but_must_be_there():
    odd = WordTokenizer.train(["나는"], special_tokens=("[UNK]", "[EOS]", "[PAD]", "[BOS]"))
    [(source, target)] = encode_pairs([("나는", "나는")], odd, odd)
    assert (source, target) == ([4], [3, 4, 1])
    torch.manual_seed(0)
    model = Seq2Seq(5, 5, embedding_size=6, hidden_size=6, padding=2)
    train_seq2seq(model, [(source, target)], epochs=100, batch_size=1, learning_rate=0.05)
    assert translate(model, ["나는", "나는"], odd, odd) == ["나는", "나는"]
    without = WordTokenizer.train(["나는"], special_tokens=("[UNK]", "[PAD]", "[EOS]"))
    with pytest.raises(ValueError, match=r"must have \[BOS\] .* as begin"):
        encode_pairs([("나는", "나는")], odd, without)


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=5), min_size=1, max_size=5))
def test_padding_can_be_taken_off(sequences):
    padded = pad(sequences, PAD)
    assert padded.shape == (len(sequences), max(map(len, sequences)))
    for row, sequence in zip(padded.tolist(), sequences, strict=True):
        assert row[: len(sequence)] == sequence
        assert set(row[len(sequence) :]) <= {PAD}


def test_padding_needs_something():
    with pytest.raises(ValueError, match=r"sequences must be one or more .* none of them empty"):
        pad([], PAD)
    with pytest.raises(ValueError, match=r"sequences\[1\] must be .* 1 or more integers, got \[\]"):
        pad([[1], []], PAD)
    with pytest.raises(TypeError, match=r"sequences\[0\] must be an integer, got 0\.5"):
        pad([[0.5]], PAD)


@settings(deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=20),
    size=st.integers(1, 7),
    seed=st.integers(0, 3),
)
def test_each_pair_is_in_one_batch(lengths, size, seed):
    pairs = [([10 + i] * s, [BOS, *[10 + i] * t, EOS]) for i, (s, t) in enumerate(lengths)]
    found, spread = [], []
    dealt = list(batches(pairs, size, padding=PAD, seed=seed))
    for source, target in dealt:
        for s, t in zip(source.tolist(), target.tolist(), strict=True):
            found.append(([x for x in s if x != PAD], [x for x in t if x != PAD]))
        spread.append(((source != PAD).sum(dim=1), source.shape[1]))
    assert sorted(found) == sorted(pairs)
    assert len(dealt) == -(-len(pairs) // size)
    assert sorted(len(source) for source, _ in dealt)[1:] == [size] * (len(dealt) - 1)
    # Similar lengths together: no batch holds a source shorter than the longest of another's
    # unless the two meet at that length.
    ranges = sorted((lengths.min().item(), longest) for lengths, longest in spread)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(ranges))


def test_the_order_follows_the_seed():
    pairs = [([5, 6], [BOS, i, EOS]) for i in range(4, 60)]

    def order(seed):
        return [target.tolist() for _, target in batches(pairs, 4, padding=PAD, seed=seed)]

    assert order(0) == order(0) != order(1)
    assert sorted(map(sorted, order(0))) != sorted(map(sorted, order(1)))  # who is with whom
    rng = np.random.default_rng(0)
    assert order(rng) != order(rng)


@pytest.mark.parametrize(
    ("pairs", "size", "message"),
    [([], 1, "pairs must hold one pair or more, got none"), (ENCODED, 0, "batch_size must be 1")],
)
def test_batches_refuse_mistakes(pairs, size, message):
    with pytest.raises(ValueError, match=message):
        next(batches(pairs, size, padding=PAD))


@BOTH
def test_a_toy_is_learned_and_translated(attention):
    model = toy(attention=attention)
    assert exact_match(model, PAIRS, KOREAN, ENGLISH) < 0.5
    losses = train_seq2seq(model, ENCODED, epochs=60, batch_size=2, learning_rate=0.02)
    assert losses.shape == (180,)
    assert losses[:5].mean() > 1.5
    assert losses[-5:].mean() < 0.1
    assert not model.training
    assert exact_match(model, PAIRS, KOREAN, ENGLISH) == 1
    texts = [korean for korean, _ in PAIRS]
    for options in ({}, {"beam_width": 3}, {"batch_size": 1}, {"batch_size": 2}):
        assert translate(model, texts, KOREAN, ENGLISH, **options) == [
            english for _, english in PAIRS
        ]
    assert translate(model, [], KOREAN, ENGLISH) == []
    wrong = [(PAIRS[0][0], "I am a"), PAIRS[1], (PAIRS[2][0], "you are a teacher")]
    assert exactly_right(model, wrong, KOREAN, ENGLISH).tolist() == [False, True, False]
    assert exact_match(model, wrong, KOREAN, ENGLISH) == pytest.approx(1 / 3)
    assert exactly_right(model, PAIRS, KOREAN, ENGLISH, max_length=2).tolist() == [
        False, False, False, True, False,
    ]  # fmt: skip


def test_model_and_vocabulary_must_agree_on_padding():
    """Else the model would read what fills up the shorter sources as words."""
    model = Seq2Seq(len(KOREAN), len(ENGLISH), embedding_size=6, hidden_size=8, padding=1)
    with pytest.raises(ValueError, match=r"model\.padding must be 0, as \[PAD\] .*, got 1"):
        translate(model, [korean for korean, _ in PAIRS], KOREAN, ENGLISH)


def test_a_vocabulary_without_an_unknown_token_is_judged():
    texts = [english for _, english in PAIRS]
    words = BytePairTokenizer.train(texts, 280, special_tokens=["[PAD]", "[BOS]", "[EOS]"])
    assert not words.vocabulary.has("unknown")
    torch.manual_seed(0)
    model = Seq2Seq(len(KOREAN), len(words), embedding_size=16, hidden_size=16)
    encoded = encode_pairs(PAIRS, KOREAN, words)
    train_seq2seq(model, encoded, epochs=60, batch_size=2, learning_rate=0.02)
    assert exactly_right(model, PAIRS, KOREAN, words).all()


def test_an_unknown_word_is_never_right():
    model = toy()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.bias[UNK] = 1.0  # a model that writes [UNK] for ever
    words = Vocabulary(ENGLISH.tokens, special=SPECIAL_TOKENS)
    assert greedy_decode(model, torch.tensor([ENCODED[0][0]]), words, max_length=1) == [[UNK]]
    unknown = [(PAIRS[0][0], "university")]
    assert not exactly_right(model, unknown, KOREAN, ENGLISH, max_length=1).any()


def test_training_follows_its_seed_and_draws_nothing_else():
    torch.manual_seed(5)
    state = torch.random.get_rng_state()

    def losses(**options):
        with torch.random.fork_rng():
            model = toy()
        return train_seq2seq(model, ENCODED, **{"epochs": 2, "batch_size": 2} | options)

    np.testing.assert_array_equal(losses(), losses())
    for options in ({"seed": 1}, {"batch_size": 3}, {"learning_rate": 0.001}):
        assert losses(**options)[-1] != losses()[-1]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_cannot_be_trained_is_named():
    with pytest.raises(TypeError, match=r"model\.padding must be an integer, got None"):
        train_seq2seq(torch.nn.Linear(2, 2), ENCODED)
    with pytest.raises(TypeError, match="model must be a Module, got NoneType"):
        train_seq2seq(None, ENCODED)


def test_the_loss_is_the_mean_over_real_tokens():
    source, target = (pad(ids, PAD) for ids in zip(*ENCODED, strict=True))
    model = toy()
    with torch.no_grad():
        expected = -log_probability(model, source, target).sum() / (target[:, 1:] != PAD).sum()
    assert (target == PAD).any()
    losses = train_seq2seq(model, ENCODED, batch_size=5)
    assert losses.tolist() == pytest.approx([expected.item()], rel=1e-5)


def test_gradients_are_clipped():
    norms = []

    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            gradients = [p.grad for group in self.param_groups for p in group["params"]]
            norms.append(math.sqrt(sum(g.square().sum().item() for g in gradients)))
            return super().step(closure)

    model = toy()
    with torch.no_grad():
        model.target_embedding.weight.mul_(100)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Watched)
        train_seq2seq(model, ENCODED, batch_size=5)
    assert norms == pytest.approx([1.0], rel=1e-4)


def test_one_pair_is_enough():
    losses = train_seq2seq(toy(), ENCODED[3:4], batch_size=1)
    assert losses.shape == (1,)
    assert 0 < losses[0] < 10


def test_the_learning_rate_rises_and_falls():
    rates = []

    class Watched(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "Adam", Watched)
        train_seq2seq(toy(), ENCODED, epochs=40, batch_size=2, learning_rate=0.03)
    assert len(rates) == 120
    assert np.argmax(rates) in (17, 18)
    assert max(rates) == pytest.approx(0.03, rel=0.02)
    assert all(before < after for before, after in itertools.pairwise(rates[:18]))
    assert all(before > after for before, after in itertools.pairwise(rates[19:]))
    assert 0 < rates[-1] < 1e-5
    assert rates[0] > 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"pairs": []}, ValueError, "pairs must hold one pair or more, got none"),
        ({"epochs": 0}, ValueError, "epochs must be 1 or more, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        ({"learning_rate": 0}, ValueError, "learning_rate must lie between 0 and inf"),
        ({"seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
        (
            {"learning_rate": 1e30, "epochs": 9},
            ValueError,
            r"loss became (nan|inf) in epoch \d, step",
        ),
    ],
)
def test_training_refuses_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        train_seq2seq(toy(), **{"pairs": ENCODED} | options)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (translate, {"texts": ["나는", ""]}, r"texts\[1\] must have a token, got ''"),
        (translate, {"texts": ["나는"], "beam_width": 0}, "beam_width must be 1 or more, got 0"),
        (translate, {"texts": ["나는"], "batch_size": 0}, "batch_size must be 1 or more, got 0"),
        (exactly_right, {"pairs": []}, "pairs must hold one pair or more, got none"),
        (exact_match, {"pairs": []}, "pairs must hold one pair or more, got none"),
    ],
)
def test_translating_refuses_mistakes(function, options, message):
    with pytest.raises(ValueError, match=message):
        function(toy(), source_tokenizer=KOREAN, target_tokenizer=ENGLISH, **options)


def test_a_text_is_no_list_of_texts():
    with pytest.raises(TypeError, match="texts must be a list of texts, got one text, '나는'"):
        translate(toy(), "나는", KOREAN, ENGLISH)


def test_a_decoder_that_gives_nan_is_named():
    model = toy()
    with torch.no_grad():
        model.bias[7] = math.nan
    for options in ({}, {"beam_width": 3}):
        with pytest.raises(ValueError, match="model must give numbers as scores, got"):
            translate(model, ["나는"], KOREAN, ENGLISH, **options)


def test_importing_the_package_loads_nothing_that_draws():
    program = (
        "import sys, torch; before = set(sys.modules); import companion.sequences.seq2seq; "
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    loaded = set(found.stdout.split())
    assert "companion" in loaded
    assert not loaded & {"IPython", "ipywidgets", "PIL", "matplotlib", "tqdm", "sklearn", "scipy"}
