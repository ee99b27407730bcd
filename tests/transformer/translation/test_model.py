"""Tests of companion.transformer.translation.model."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import nn

from companion.sequences.seq2seq import SPECIAL_TOKENS, WordEmbedding, log_probability
from companion.transformer.stack import Caches
from companion.transformer.translation import (
    Transformer,
    TransformerConfig,
    beam_search,
    greedy_decode,
)

from ...twins import F64
from .small import (
    BOS,
    EOS,
    PAD,
    V_IN,
    V_OUT,
    WORDS,
    S,
    T,
    sentences,
    settings,
    small,
)

BOTH_NORMS = pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])


def torch_state(model):
    """Return our weights under the names of nn.Transformer."""
    names = {"attention": "self_attn", "cross_attention": "multihead_attn"}
    state = {}
    for side in ("encoder", "decoder"):
        kinds = list(names)[: 1 if side == "encoder" else 2]
        for number, block in enumerate(getattr(model, side).blocks):
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
                norm = getattr(model, side).norm
                state |= {f"{side}.norm.{k}": v for k, v in norm.state_dict().items()}
    return state


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
    x = ours.encoder.positions(ours.source_embedding(source) * 6**0.5)
    y = ours.decoder.positions(ours.target_embedding(target) * 6**0.5)
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
    caches = model.decoder.caches()
    parts = [model.decode(part, memory, mask, caches=caches) for part in target.split([2, 3], 1)]
    torch.testing.assert_close(torch.cat(parts, 1), model(source, target), rtol=1e-10, atol=1e-10)
    with pytest.raises(ValueError, match=r"caches must hold 3 pairs, one per block, got 2"):
        model.decode(target, memory, mask, caches=Caches(caches[:2]))


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
        [beam] = beam_search(model, row, WORDS, beam_width=3, max_length=4)
        for found in beam:
            tokens = [BOS, *found.tokens, *([EOS] if found.finished else [])]
            expected = log_probability(model, row, torch.tensor([tokens]))
            assert found.log_probability == pytest.approx(expected.item(), abs=1e-9)


def test_greedy_is_a_beam_of_one():
    model, (source, _) = small(seed=5), sentences()
    beams = beam_search(model, source, WORDS, beam_width=1, max_length=6)
    assert greedy_decode(model, source, WORDS, max_length=6) == [beam[0].tokens for beam in beams]


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
        ({"d_model": 7, "n_heads": 7}, ValueError, r"d_model must be even for sinus.*, got 7"),
        ({"n_heads": 4}, ValueError, r"n_heads must divide d_model = 6, got 4"),
        ({"padding": 11}, ValueError, r"padding must be less than 11, got 11"),
        ({"padding": -1}, ValueError, r"padding must be 0 or more, got -1"),
        ({"padding": 1.5}, TypeError, r"padding must be an integer, got 1\.5"),
        ({"n_encoder_layers": 0}, ValueError, r"n_encoder_layers must be .*1.*got 0"),
        ({"d_hidden": 2.0}, TypeError, r"d_hidden must be an integer.*got 2\.0"),
        ({"activation": "tanh"}, ValueError, r"activation must be 'relu' or .*, got 'tanh'"),
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
        ([[5, 11]], [[2]], ValueError, r"source must hold ids from 0 to 10, got 5 to 11"),
        ([[5]], [[2, 13]], ValueError, r"target must hold ids from 0 to 12, got 2 to 13"),
        ([[0, 0]], [[2]], ValueError, r"source must hold a token in each row"),
        ([[5.0]], [[2]], TypeError, r"source must be a Tensor of torch.int64"),
        ([5], [[2]], ValueError, r"source must have the shape \(B, T\)"),
        ([[5] * 40], [[2]], ValueError, r"40"),
    ],
)
def test_sequences_that_are_refused(source, target, error, message):
    model = small(max_length=32)
    with pytest.raises(error, match=message):
        model(torch.tensor(source), torch.tensor(target))


def test_arguments_that_are_refused():
    with pytest.raises(TypeError, match=r"config must be a TransformerConfig, got int"):
        Transformer(5)
    with pytest.raises(ValueError, match=r"source_embedding must have 11 vectors of 6 numbers"):
        Transformer(settings(), source_embedding=nn.Embedding(11, 5))
    shared = TransformerConfig(9, 9, d_model=6, n_heads=3, share_embeddings=True)
    with pytest.raises(ValueError, match=r"takes target_embedding only"):
        Transformer(shared, source_embedding=nn.Embedding(9, 6))


@BOTH_NORMS
def test_weights_from_before_the_stack_still_load(norm_first):
    """The file holds weights and scores from before encoder and decoder were stacks."""
    kind = "pre" if norm_first else "post"
    stored = load_file(Path(__file__).parent / "translator_before_the_stack.safetensors")
    state = {
        name.removeprefix(f"{kind}/weights/"): value
        for name, value in stored.items()
        if name.startswith(f"{kind}/weights/")
    }
    assert "encoder_blocks.0.attention.query.weight" in state
    options = {"n_decoder_layers": 2, "activation": "gelu", "norm_first": norm_first}
    model = small(dtype=torch.float32, **options)
    # The same seed gives the same first weights as then, up to their names.
    sums = torch.stack([value.double().abs().sum() for value in model.state_dict().values()])
    assert torch.equal(sums.sort().values, stored[f"{kind}/sum"].sort().values)
    model.load_state_dict(state, strict=True)
    scores = model(stored["source"], stored["target"])
    torch.testing.assert_close(scores, stored[f"{kind}/logits"], rtol=1e-5, atol=1e-5)
    inside = nn.ModuleDict({"translator": model})  # a part of something larger
    inside.load_state_dict({f"translator.{name}": value for name, value in state.items()})


def test_another_token_can_be_the_padding():
    """With the numbers of [PAD] and of another token exchanged, everything else stays."""
    model, other = small(), small(padding=4)
    assert (model.padding, other.padding) == (PAD, 4)
    exchange = torch.arange(V_OUT)
    exchange[[PAD, 4]] = exchange[[4, PAD]]
    with torch.no_grad():
        for name, size in (("source_embedding", V_IN), ("target_embedding", V_OUT)):
            table = getattr(model, name).weight
            getattr(other, name).weight.copy_(table[exchange[:size]])
    source, target = sentences()
    expected = model(source, target)[..., exchange]
    torch.testing.assert_close(other(exchange[source], exchange[target]), expected)
    assert other.encode(exchange[source])[1].equal(model.encode(source)[1])


def test_a_state_selects_its_rows_and_is_not_changed_by_a_step():
    model, (source, target) = small(), sentences()
    _, state = model.step(target[:, 0], model.start(source))
    rows = torch.tensor([2, 0, 2])
    expected, later = model.step(target[:, 1], state)
    chosen, _ = model.step(target[rows, 1], state.select(rows))
    torch.testing.assert_close(chosen, expected[rows])
    again, _ = model.step(target[:, 1], state)
    assert torch.equal(again, expected)
    assert len(state.caches[0][0]) == 1
    assert len(later.caches[0][0]) == 2
