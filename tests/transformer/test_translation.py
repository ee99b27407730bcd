"""Tests of companion.transformer.translation."""

import json
import math
from collections import Counter
from html.parser import HTMLParser
from itertools import chain

import numpy as np
import pytest
import sacrebleu
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from companion.sequences.seq2seq import (
    BOS,
    EOS,
    PAD,
    SPECIAL_TOKENS,
    WordEmbedding,
    log_probability,
    pad,
)
from companion.sequences.tokenization import WordTokenizer
from companion.transformer.attention import KeyValueCache
from companion.transformer.blocks import LayerNorm, PositionEmbedding
from companion.transformer.translation import (
    Transformer,
    TransformerConfig,
    beam_search,
    bleu,
    greedy_decode,
    n_grams,
    pack,
    publish,
    smooth_cross_entropy,
    train_translator,
    translator_html,
    unpack,
    warm_up_rate,
)
from companion.transformer.translation.export import LEVELS, PREFIX
from companion.transformer.translation.training import _deal, _groups, _parts, rate_level

S, T, V_IN, V_OUT = 7, 5, 11, 13
F64 = torch.float64
BOTH_NORMS = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])


def settings(**changes):
    sizes = {"d_model": 6, "n_heads": 3, "n_encoder_layers": 2, "n_decoder_layers": 3}
    return TransformerConfig(V_IN, V_OUT, **{**sizes, "d_hidden": 10, "dropout": 0.0, **changes})


def small(seed=0, dtype=F64, **changes):
    torch.manual_seed(seed)
    return Transformer(settings(**changes)).to(dtype)


def sentences(seed=0):
    """Return sources of 7, 4 and 1 tokens, and targets of 5, 5 and 3."""
    random = torch.Generator().manual_seed(seed)
    source = torch.randint(4, V_IN, (3, S), generator=random)
    target = torch.randint(4, V_OUT, (3, T), generator=random)
    source[1, 4:], source[2, 1:], target[2, 3:] = PAD, PAD, PAD
    target[:, 0] = BOS
    return source, target


def torch_state(model):
    """Return our weights under the names of nn.Transformer."""
    names = {"attention": "self_attn", "cross_attention": "multihead_attn"}
    state = {}
    for side in ("encoder", "decoder"):
        kinds = list(names)[: 1 if side == "encoder" else 2]
        for number, block in enumerate(getattr(model, f"{side}_blocks")):
            place = f"{side}.layers.{number}"
            for kind in ("weight", "bias"):
                for name in kinds:
                    part = getattr(block, name)
                    joined = [getattr(getattr(part, x), kind) for x in ("query", "key", "value")]
                    state[f"{place}.{names[name]}.in_proj_{kind}"] = torch.cat(joined)
                    state[f"{place}.{names[name]}.out_proj.{kind}"] = getattr(part.output, kind)
                for number_, layer in enumerate(("inner", "outer"), 1):
                    values = getattr(getattr(block.feed_forward, layer), kind)
                    state[f"{place}.linear{number_}.{kind}"] = values
                for number_, name in enumerate([*kinds, "feed_forward"], 1):
                    state[f"{place}.norm{number_}.{kind}"] = getattr(
                        getattr(block, f"{name}_norm"), kind
                    )
            if model.config.norm_first:
                norm = getattr(model, f"{side}_norm")
                state |= {f"{side}.norm.{k}": v for k, v in norm.state_dict().items()}
    return state


# --- the whole model -----------------------------------------------------------------------------


@BOTH_NORMS
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_transformer_is_that_of_pytorch(norm_first, activation):
    ours = small(norm_first=norm_first, activation=activation)
    with torch.no_grad():
        for parameter in ours.parameters():  # norms and biases are 1 and 0 at first
            parameter += 0.2 * torch.randn(parameter.shape, dtype=F64)
    options = {"dropout": 0.0, "batch_first": True, "norm_first": norm_first}
    layers = [
        kind(6, 3, 10, activation=activation, **options)
        for kind in (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    ]
    norms = [nn.LayerNorm(6) if norm_first else None for _ in range(2)]
    stacks: dict = {  # made by hand: nn.Transformer always adds final norms, and warns
        "custom_encoder": nn.TransformerEncoder(layers[0], 2, norms[0], enable_nested_tensor=False),
        "custom_decoder": nn.TransformerDecoder(layers[1], 3, norms[1]),
    }
    twin = nn.Transformer(6, 3, batch_first=True, **stacks).double()
    twin.load_state_dict(torch_state(ours))
    source, target = sentences()
    x, y = (
        ours.positions(embedding(tokens) * 6**0.5)
        for embedding, tokens in ((ours.source_embedding, source), (ours.target_embedding, target))
    )
    masks = {"src_key_padding_mask": source == PAD, "memory_key_padding_mask": source == PAD}
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    expected = twin(x, y, tgt_mask=future, **masks) @ ours.target_embedding.weight.T
    got = ours(source, target)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    slope = torch.randn(got.shape, dtype=F64)
    mine = torch.autograd.grad(got, list(ours.parameters()), slope)
    for (name, parameter), gradient in zip(ours.named_parameters(), mine, strict=True):
        parameter.grad = gradient
        assert gradient.abs().max() > 0 or name.endswith("key.bias"), name
    theirs = dict(zip(twin.state_dict(), twin.parameters(), strict=True))
    outer = torch.autograd.grad(expected, list(theirs.values()), slope, retain_graph=True)
    wanted = dict(zip(theirs, outer, strict=True))
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(parameter.grad)
    for name, values in torch_state(ours).items():  # our gradients, under PyTorch's names
        torch.testing.assert_close(values, wanted[name], rtol=1e-9, atol=1e-9)


def test_the_base_model_has_the_parameters_of_the_paper():
    with torch.device("meta"):
        model = Transformer(TransformerConfig(37_000, 37_000, share_embeddings=True))
    assert sum(parameter.numel() for parameter in model.parameters()) == 63_082_496
    assert all(parameter.is_meta for parameter in model.parameters())
    assert model.source_embedding is model.target_embedding


@BOTH_NORMS
def test_step_by_step_is_as_all_at_once(norm_first):
    model, (source, target) = small(norm_first=norm_first), sentences()
    expected = model(source, target[:, :3])
    state = model.start(source)
    for t in range(3):
        scores, state = model.step(target[:, t], state)
        torch.testing.assert_close(scores, expected[:, t], rtol=1e-10, atol=1e-10)


@given(t=st.integers(1, T - 1), seed=st.integers(0, 100))
def test_no_position_sees_what_follows(t, seed):
    model, (source, target) = small(), sentences(seed)
    other = target.clone()
    other[:, t:] = 4 + (target[:, t:] - 3) % (V_OUT - 4)
    a, b = model(source, target), model(source, other)
    assert torch.equal(a[:, :t], b[:, :t])
    assert not torch.allclose(a[:, t:], b[:, t:])


def test_padding_changes_nothing():
    model, (source, target) = small(), sentences()
    alone = model(source[1:2, :4], target[1:2])
    torch.testing.assert_close(model(source, target)[1:2], alone, rtol=1e-10, atol=1e-10)


def test_several_tokens_with_caches_are_as_all_at_once():
    model, (source, target) = small(), sentences()
    memory, mask = model.encode(source)
    caches = [(KeyValueCache(), KeyValueCache()) for _ in model.decoder_blocks]
    parts = [model.decode(part, memory, mask, caches=caches) for part in target.split([2, 3], 1)]
    torch.testing.assert_close(torch.cat(parts, 1), model(source, target), rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match=r"caches must hold 3 pairs, one per block, got 2"):
        model.decode(target, memory, mask, caches=caches[:2])


def test_cross_attention_is_returned():
    model, (source, target) = small(), sentences()
    memory, mask = model.encode(source)
    logits, weights = model.decode(target, memory, mask, need_weights=True)
    torch.testing.assert_close(logits, model(source, target), rtol=1e-10, atol=1e-10)
    assert [tuple(one.shape) for one in weights] == [(3, 3, T, S)] * 3
    for one in weights:
        torch.testing.assert_close(one.sum(-1), torch.ones(3, 3, T, dtype=F64))
        assert one[2, :, :, 1:].abs().max() == 0  # padding


def test_a_beam_reorders_the_caches():
    model, (source, _) = small(seed=3), sentences()
    for row in source:
        row = row[row != PAD][None]
        [beam] = beam_search(model, row, beam_width=3, max_length=4)
        for found in beam:
            tokens = [BOS, *found.tokens, *([EOS] if found.finished else [])]
            expected = log_probability(model, row, torch.tensor([tokens]))
            assert found.log_probability == pytest.approx(expected.item(), abs=1e-9)


def test_greedy_is_a_beam_of_one():
    model, (source, _) = small(seed=5), sentences()
    beams = beam_search(model, source, beam_width=1, max_length=6)
    assert greedy_decode(model, source, max_length=6) == [beam[0].tokens for beam in beams]


def test_embeddings_can_be_passed_in():
    torch.manual_seed(0)
    vocabulary = {word: number for number, word in enumerate([*SPECIAL_TOKENS, *"abcdefg"])}
    words = WordEmbedding(vocabulary, 6)
    model = Transformer(settings(), source_embedding=words)
    assert model.source_embedding is words
    back = Transformer(
        TransformerConfig(V_OUT, V_IN, d_model=6, n_heads=3, dropout=0.0), target_embedding=words
    )
    source, target = sentences()
    assert back(target[:2], source[:2]).shape == (2, S, V_IN)
    table = nn.Embedding(V_IN, 6, _weight=words(torch.arange(V_IN)).detach())
    same = Transformer(
        TransformerConfig(V_OUT, V_IN, d_model=6, n_heads=3, dropout=0.0), target_embedding=table
    )
    same.load_state_dict(
        {k: v for k, v in back.state_dict().items() if "target_embedding" not in k}, strict=False
    )
    torch.testing.assert_close(same(target[:2], source[:2]), back(target[:2], source[:2]))


def test_the_scale_is_the_root_of_the_width_unless_given():
    source, target = sentences()
    by_default, given_one = small(), small(embedding_scale=1.0)
    assert torch.equal(by_default(source, target), small(embedding_scale=6**0.5)(source, target))
    assert not torch.allclose(by_default(source, target), given_one(source, target))


def test_dropout_acts_in_training_only():
    model, (source, target) = small(dropout=0.5), sentences()
    assert not torch.equal(model(source, target), model(source, target))
    model.eval()
    assert torch.equal(model(source, target), model(source, target))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"d_model": 7, "n_heads": 7}, ValueError, r"even number that n_heads = 7 divides, got 7"),
        ({"n_heads": 4}, ValueError, r"d_model must be an even number .*, got 6"),
        ({"n_encoder_layers": 0}, ValueError, r"n_encoder_layers must be .*1.*got 0"),
        ({"d_hidden": 2.0}, TypeError, r"d_hidden must be an integer.*got 2\.0"),
        ({"activation": "tanh"}, ValueError, r"activation must be 'relu' or 'gelu', got 'tanh'"),
        ({"norm_first": 1}, TypeError, r"norm_first must be True or False, got 1"),
        ({"dropout": 1.0}, ValueError, r"dropout must be .*got 1\.0"),
        ({"embedding_scale": 0.0}, ValueError, r"embedding_scale must lie .*got 0"),
        ({"share_embeddings": True}, ValueError, r"one vocabulary, got the sizes 11 and 13"),
    ],
)
def test_settings_that_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        settings(**changes)


@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        ([[5, 11]], [[2]], ValueError, r"source must hold numbers from 0 to 10, got 5 to 11"),
        ([[5]], [[2, 13]], ValueError, r"target must hold numbers from 0 to 12, got 2 to 13"),
        ([[0, 0]], [[2]], ValueError, r"source must hold a token in each row"),
        ([[5.0]], [[2]], TypeError, r"source must be a torch.Tensor of int64"),
        ([5], [[2]], ValueError, r"source must have the shape \(B, T\)"),
        ([[5] * 40], [[2]], ValueError, r"40"),
    ],
)
def test_sequences_that_are_refused(source, target, error, message):
    model = small(max_length=32)
    with pytest.raises(error, match=message):
        model(torch.tensor(source), torch.tensor(target))


def test_arguments_that_are_refused():
    with pytest.raises(TypeError, match=r"config must be a TransformerConfig, got 5"):
        Transformer(5)
    with pytest.raises(ValueError, match=r"source_embedding must have 11 vectors of 6 numbers"):
        Transformer(settings(), source_embedding=nn.Embedding(11, 5))
    shared = TransformerConfig(9, 9, d_model=6, n_heads=3, share_embeddings=True)
    with pytest.raises(ValueError, match=r"takes target_embedding only"):
        Transformer(shared, source_embedding=nn.Embedding(9, 6))


# --- training ------------------------------------------------------------------------------------


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
    ids = greedy_decode(model, torch.tensor([source for source, _ in PAIRS[:9]]))
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


def test_a_loss_that_is_not_finite_is_reported():
    model = small(dtype=torch.float32)
    with torch.no_grad():
        model.target_embedding.weight[5] = torch.inf
    with pytest.raises(ValueError, match=r"loss became nan in epoch 1, step 1"):
        train_translator(model, PAIRS)


# --- BLEU ----------------------------------------------------------------------------------------

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "."]), min_size=1, max_size=9)
CORPUS = st.lists(st.tuples(WORDS, st.lists(WORDS, min_size=2, max_size=2)), min_size=1, max_size=6)


@given(CORPUS)
def test_bleu_is_that_of_sacrebleu(corpus):
    translations, references = [pair[0] for pair in corpus], [pair[1] for pair in corpus]
    texts = [" ".join(tokens) for tokens in translations]
    streams = [[" ".join(given[i]) for given in references] for i in range(2)]
    for smooth, method in ((True, "exp"), (False, "none")):
        theirs = sacrebleu.metrics.BLEU(tokenize="none", smooth_method=method, force=True)
        expected = theirs.corpus_score(texts, streams)
        got = bleu(translations, references, smooth=smooth)
        assert got.score == pytest.approx(expected.score, abs=1e-9)
        assert got.precisions == pytest.approx(tuple(expected.precisions), abs=1e-9)
        assert got.brevity_penalty == pytest.approx(expected.bp, abs=1e-12)
        assert (got.length, got.reference_length) == (expected.sys_len, expected.ref_len)


def test_bleu_by_hand():
    # "the the the the the the the" against "the cat is on the mat": 2 of 7, as in the paper.
    [the, reference] = ["the"] * 7, ["the", "cat", "is", "on", "the", "mat"]
    found = bleu([the], [[reference]], max_order=1)
    assert found.precisions == pytest.approx((200 / 7,))
    assert found.brevity_penalty == 1
    half = bleu([reference[:3]], [[reference]], max_order=2)
    assert half.brevity_penalty == pytest.approx(math.exp(1 - 6 / 3))
    assert half.score == pytest.approx(100 * math.exp(-1))
    assert bleu([reference], [[reference]]).score == pytest.approx(100)
    assert bleu([[]], [[reference]]).score == 0


def test_bleu_counts_n_grams():
    assert n_grams(["a", "b", "a", "b"], 2) == {("a", "b"): 2, ("b", "a"): 1}
    assert n_grams(["a"], 2) == {}


@pytest.mark.parametrize(
    ("translations", "references", "error", "message"),
    [
        ([], [], ValueError, r"must be as many, 1 or more, got 0 and 0"),
        ([["a"]], [], ValueError, r"must be as many, 1 or more, got 1 and 0"),
        ([["a"]], [[]], ValueError, r"references\[0\] must hold one reference or more, got none"),
        (
            ["a b"],
            [[["a"]]],
            TypeError,
            r"translations\[0\] must be a list of tokens, got the text",
        ),
        ([["a"]], [["a b"]], TypeError, r"references\[0\]\[0\] must be a list of tokens"),
    ],
)
def test_scores_that_are_refused(translations, references, error, message):
    with pytest.raises(error, match=message):
        bleu(translations, references)


# --- packed for a page ----------------------------------------------------------------------------

PACKED_PAIRS = [
    ("소년은 뛴다.", "The boy runs."),
    ("소년은 사과를 먹는다.", "The boy eats an apple."),
    ("소녀는 사과를 좋아한다.", "The girl likes apples."),
]
KOREAN, ENGLISH = (
    WordTokenizer.train([pair[side] for pair in PACKED_PAIRS], special_tokens=SPECIAL_TOKENS)
    for side in (0, 1)
)
READ = [korean for korean, _ in PACKED_PAIRS]


def translator(*, embedding=None, **changes):
    """Return a small Transformer for these sentences."""
    sizes = {"d_model": 12, "n_heads": 3, "n_encoder_layers": 2, "n_decoder_layers": 1}
    config = TransformerConfig(len(KOREAN), len(ENGLISH), **{**sizes, "d_hidden": 7, **changes})
    torch.manual_seed(0)
    return Transformer(config, source_embedding=embedding).eval()


def packed(model=None, **changes):
    return pack(model or translator(), KOREAN, ENGLISH, READ, **changes)


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_rounding_changes_each_weight_by_half_a_step_at_most(norm_first, activation):
    model = translator(norm_first=norm_first, activation=activation)
    rounded = unpack(packed(model))
    assert rounded.config == model.config
    assert not rounded.training
    state = rounded.state_dict()
    assert state.keys() == model.state_dict().keys()
    for name, weight in model.state_dict().items():
        if weight.dim() == 2:
            step = weight.abs().amax(dim=1, keepdim=True) / LEVELS
            assert ((state[name] - weight).abs() <= step * 0.5001).all(), name
            levels = (state[name] / step.clamp(min=1e-12)).round().abs()
            assert levels.max() <= LEVELS
        else:
            assert torch.equal(state[name], weight), name


def test_a_row_by_hand():
    model = translator()
    with torch.no_grad():
        model.encoder_blocks[0].feed_forward.outer.weight[0] = torch.tensor(
            [0.63, -0.21, 0.104, 0.106, 0.0, 0.001, -0.63]
        )  # with the scale 0.01: 63, -21, 10, 11, 0, 0, -63
        model.encoder_blocks[0].feed_forward.outer.weight[1] = 0
    weight = unpack(packed(model)).encoder_blocks[0].feed_forward.outer.weight
    wanted = torch.tensor([0.63, -0.21, 0.10, 0.11, 0.0, 0.0, -0.63])
    assert torch.allclose(weight[0], wanted, atol=1e-6)
    assert (weight[1] == 0).all()


def test_packing_twice_changes_nothing_more():
    once = unpack(packed())
    twice = unpack(packed(once))
    for name, weight in once.state_dict().items():
        assert torch.allclose(twice.state_dict()[name], weight, rtol=1e-6, atol=0), name


def test_an_embedding_of_words_and_syllables_becomes_a_table():
    embedding = WordEmbedding(KOREAN.vocabulary, 12)
    model = translator(embedding=embedding)
    table = unpack(packed(model)).source_embedding.weight
    assert table.shape == (len(KOREAN), 12)
    wanted = embedding(torch.arange(len(KOREAN)))
    assert torch.allclose(table, wanted, atol=float(wanted.detach().abs().max() / LEVELS))


def test_shared_embeddings_travel_once():
    config = TransformerConfig(
        len(KOREAN), len(KOREAN), d_model=12, n_heads=3, share_embeddings=True
    )
    model = Transformer(config)
    one = pack(model, KOREAN, KOREAN, READ)
    assert "source_embedding.weight" not in one.shapes
    rounded = unpack(one)
    assert rounded.source_embedding is rounded.target_embedding


def test_rounded_weights_translate_alike():
    torch.manual_seed(1)
    model = translator(norm_first=True)
    source = pad([KOREAN.encode(text) for text in READ], PAD)
    rounded = unpack(packed(model))
    with torch.no_grad():
        target = torch.tensor([[2, 4, 5]] * 3)
        ours, theirs = (one(source, target).softmax(dim=-1) for one in (model, rounded))
    assert (ours - theirs).abs().max() < 0.02
    assert len(greedy_decode(rounded, source, max_length=5)) == 3


def test_what_the_page_is_told_about_the_training_sentences():
    one = packed(examples=["소녀는 뛴다."])
    count = dict(zip(one.source_words, one.counts, strict=True))
    assert count["소년은"] == count["사과를"] == 2
    assert count["소녀는"] == 1
    assert count["."] == 3
    assert [count[token] for token in SPECIAL_TOKENS] == [0] * 4
    assert (one.longest, one.sentences, one.ending, one.script) == (4, 1, ".", "Hangul")
    assert one.examples == ("소녀는 뛴다.",)
    two = pack(translator(), KOREAN, ENGLISH, [f"{READ[0]} {READ[1]}", "소녀는"])
    assert (two.longest, two.sentences, two.ending) == (7, 2, "")


def test_packing_does_not_touch_random_numbers():
    model = translator()
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    unpack(packed(model))
    assert torch.equal(torch.rand(1), wanted)


class Scaled(nn.Linear):
    """A layer that the page does not know."""


def replaced(path, part):
    model = translator(norm_first=True)
    owner, _, name = path.rpartition(".")
    setattr(model.get_submodule(owner), name, part)
    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (replaced("encoder_blocks.1.attention.query", Scaled(12, 12)), r"query must be a Linear"),
        (replaced("decoder_blocks.0.feed_forward", nn.Identity()), r"must be a FeedForward"),
        (replaced("positions", PositionEmbedding(512, 12)), r"positions must be a Sinusoidal"),
        (replaced("encoder_norm", nn.LayerNorm(12)), r"encoder_norm must be a LayerNorm"),
        (replaced("encoder_norm", LayerNorm(12, eps=1e-3)), r"encoder_norm.eps must be 1e-05"),
        (replaced("decoder_blocks.0.feed_forward.inner", nn.Linear(12, 9)), r"the shapes"),
        (
            replaced("encoder_blocks.0.attention.value", nn.Linear(12, 12, bias=False)),
            r"value must have the shapes",
        ),
    ],
)
def test_parts_that_the_page_cannot_compute_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        packed(model)


def test_settings_that_the_page_cannot_compute_are_refused():
    model = translator()
    model.encoder_blocks[0].norm_first = True
    with pytest.raises(ValueError, match=r"encoder_blocks.0.norm_first must be False"):
        packed(model)
    model = translator()
    model.decoder_blocks[0].cross_attention.n_heads = 4
    with pytest.raises(ValueError, match=r"cross_attention.n_heads must be 3 .* got 4"):
        packed(model)
    model = translator()
    model.encoder_blocks[0].feed_forward.activation = torch.tanh
    with pytest.raises(ValueError, match=r"feed_forward.activation must be 'relu'"):
        packed(model)
    model = translator()
    with torch.no_grad():
        model.encoder_blocks[0].attention.query.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"query.weight must be finite"):
        packed(model)
    with pytest.raises(TypeError, match="model must be a Transformer, got Linear"):
        packed(nn.Linear(1, 1))


def test_a_setting_that_the_page_does_not_know_is_refused(monkeypatch):
    from companion.transformer.translation import export

    monkeypatch.setattr(export, "_SETTINGS", export._SETTINGS - {"activation"})
    packed(translator(activation="relu"))  # the default changes nothing
    with pytest.raises(ValueError, match=r"model.config.activation must be relu, got gelu"):
        packed(translator(activation="gelu"))


def test_tokenizers_that_do_not_fit_are_refused():
    model = translator()
    with pytest.raises(ValueError, match=r"source_tokenizer must have the model's"):
        pack(model, ENGLISH, ENGLISH, READ)
    with pytest.raises(ValueError, match=r"target_tokenizer must have the model's"):
        pack(model, KOREAN, KOREAN, READ)
    with pytest.raises(TypeError, match="source_tokenizer must be a WordTokenizer, got list"):
        pack(model, [], ENGLISH, READ)
    with pytest.raises(ValueError, match=r"the numbers 0 to 3"):
        pack(model, WordTokenizer.train(READ), ENGLISH, READ)
    cut = WordTokenizer(KOREAN.vocabulary, special_tokens=SPECIAL_TOKENS, punctuation=False)
    with pytest.raises(ValueError, match="cut at punctuation"):
        pack(model, cut, ENGLISH, READ)
    plain = WordTokenizer(KOREAN.vocabulary, special_tokens=["[PAD]"])
    with pytest.raises(ValueError, match="must have the special tokens"):
        pack(model, plain, ENGLISH, READ)
    apart = {**KOREAN.vocabulary}
    apart["\u1112\u1161"] = apart.pop("소녀는")  # a syllable in two jamo, as in NFD
    decomposed = WordTokenizer(apart, special_tokens=SPECIAL_TOKENS)
    with pytest.raises(ValueError, match="normal form NFC"):
        pack(model, decomposed, ENGLISH, READ[:2])


@pytest.mark.parametrize(
    ("sentences", "changes", "error", "message"),
    [
        ([], {}, ValueError, "one sentence or more"),
        (["  "], {}, ValueError, "each with a word"),
        (["우주선은 뛴다."], {}, ValueError, "words of source_tokenizer only, got 우주선은"),
        (["."], {}, ValueError, "Hangul or Latin, got neither"),
        (READ[0], {}, TypeError, "sentences must be a list of texts"),
        (READ, {"examples": "소년은"}, TypeError, "examples must be a list of texts"),
        (READ, {"languages": ("Korean", "French")}, ValueError, "languages must be two of"),
    ],
)
def test_other_wrong_arguments_are_refused(sentences, changes, error, message):
    with pytest.raises(error, match=message):
        pack(translator(), KOREAN, ENGLISH, sentences, **changes)


class Scripts(HTMLParser):
    """Collect the scripts of a fragment."""

    def __init__(self, text):
        super().__init__()
        self.scripts, self.kinds = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "script":
            self.kinds.append(dict(attrs).get("type"))

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts.append(data)


def test_the_fragment_holds_data_and_no_code():
    nasty = '</script><script>alert(1)</script> & "q" <!-- \'소년은'
    one = packed(examples=[nasty])
    text = translator_html({"Korean <to> English": one, "again": one}, limit=9)
    found = Scripts(text)
    assert found.kinds == ["application/json"]
    data = json.loads("".join(found.scripts))
    assert data["limit"] == 9
    assert len(data["models"]) == 2
    assert [tuple(words) for words in data["vocabularies"]] == [one.source_words, one.target_words]
    assert data["models"][0]["source_words"] == 0
    assert data["models"][0]["target_words"] == 1
    assert data["models"][0]["marks"] == ["ko", "en"]
    assert data["models"][0]["examples"] == [nasty]
    assert data["models"][0]["counts"] == list(one.counts)
    assert "Korean &lt;to&gt; English" in text
    assert "<!--" not in text
    assert "alert(1)</script>" not in text
    with pytest.raises(ValueError, match="one model or more"):
        translator_html({})
    with pytest.raises(TypeError, match=r"models\['a'\] must be Packed, got str"):
        translator_html({"a": "b"})


def test_publishing_shows_nothing_and_names_the_output(monkeypatch):
    from companion.transformer.translation import export

    seen = []
    monkeypatch.setattr(export, "display", lambda *given, **options: seen.append((given, options)))
    one = packed()
    publish({"Korean to English": one}, name="own")
    [((data,), options)] = seen
    assert data == {PREFIX + "text/html": translator_html({"Korean to English": one})}
    assert options["raw"] is True
    assert options["metadata"] == {"scrapbook": {"name": "own", "mime_prefix": PREFIX}}


def test_two_translators_fit_a_page():
    """4,000 vectors of 96 numbers and 300,000 others each: under 1.9 MB, even if all is noise."""
    korean, english = (
        WordTokenizer(
            {
                word: n
                for n, word in enumerate([*SPECIAL_TOKENS, *(f"{stem}{i}" for i in range(size))])
            },
            special_tokens=SPECIAL_TOKENS,
        )
        for stem, size in (("도서관에서", 2850), ("library", 1150))
    )
    models = {}
    for source, target in ((korean, english), (english, korean)):
        config = TransformerConfig(
            len(source),
            len(target),
            d_model=96,
            n_heads=4,
            n_encoder_layers=2,
            n_decoder_layers=2,
            d_hidden=96,
        )
        model = Transformer(config)
        others = sum(
            parameter.numel()
            for name, parameter in model.named_parameters()
            if "_embedding" not in name
        )
        assert 295_000 < others < 305_000
        sentences = [word for word in source.tokens if word not in SPECIAL_TOKENS]
        models[f"{len(models)}"] = pack(model, source, target, sentences)
    size = len(translator_html(models).encode())
    assert 1_000_000 < size < 1_900_000
