"""Tests of companion.transformer.stack: four published models are built from it, unchanged."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from companion.transformer.attention import padding_mask
from companion.transformer.blocks import count_positions
from companion.transformer.stack import Caches, Config, Stack

from ..twins import F64, close, disturb, draw

B, T, D, H, HIDDEN, LAYERS, V = 3, 7, 30, 3, 37, 2, 53  # heads of ten numbers
SIZES = {"d_model": D, "n_layers": LAYERS, "n_heads": H, "d_hidden": HIDDEN}
LENGTHS = [7, 4, 1]
POSITIONS = ["learned", "sinusoidal", "rotary", "linear", "none"]


def stack_of(**options):
    torch.manual_seed(0)
    stack = Stack(Config(**{**SIZES, "max_length": 19, **options})).double()
    disturb(stack)
    return stack.eval()


# --- the four models of the next chapters --------------------------------------------------------


def library(kind, config_kind, **sizes):
    """Return a small model of the transformers library, all its numbers away from 0 and 1."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    model = getattr(transformers, kind)(getattr(transformers, config_kind)(**sizes)).double().eval()
    disturb(model)
    return model


def attention_from(state, names, place="attention"):
    """Return the weights of an attention of ours, from those under four names of theirs."""
    parts = ("query", "key", "value", "output")
    return {
        f"{place}.{part}.{kind}": state[f"{name}.{kind}"]
        for part, name in zip(parts, names, strict=True)
        for kind in ("weight", "bias")
        if f"{name}.{kind}" in state
    }


def renamed(state, names):
    """Return the weights and biases of modules, under other names."""
    return {
        f"{ours}.{kind}": state[f"{theirs}.{kind}"]
        for ours, theirs in names.items()
        for kind in ("weight", "bias")
        if f"{theirs}.{kind}" in state
    }


class Bert(nn.Module):
    """BERT: token, position and segment vectors, normalised, through a stack with post-norm."""

    def __init__(self):
        super().__init__()
        self.tokens, self.segments = nn.Embedding(V, D), nn.Embedding(2, D)
        options = {"norm_first": False, "norm_embeddings": True, "eps": 1e-12}
        self.body = Stack(Config(**SIZES, max_length=19, **options))
        self.first = nn.Linear(D, D)

    def forward(self, ids, segments, mask):
        x = self.tokens(ids) + self.segments(segments)
        hidden = self.body(x, mask=mask[:, None])
        return hidden, self.first(hidden[:, 0]).tanh()


def test_bert():
    theirs = library(
        "BertModel",
        "BertConfig",
        vocab_size=V,
        hidden_size=D,
        num_hidden_layers=LAYERS,
        num_attention_heads=H,
        intermediate_size=HIDDEN,
        max_position_embeddings=19,
    )
    state, ours = theirs.state_dict(), Bert().double().eval()
    names = {"tokens": "embeddings.word_embeddings", "first": "pooler.dense"}
    names |= {"segments": "embeddings.token_type_embeddings"}
    names |= {"body.positions": "embeddings.position_embeddings"}
    names |= {"body.embedding_norm": "embeddings.LayerNorm"}
    weights = {}
    for n in range(LAYERS):
        at, block = f"encoder.layer.{n}", f"body.blocks.{n}"
        four = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        weights |= attention_from(
            state, [*four, f"{at}.attention.output.dense"], f"{block}.attention"
        )
        names |= {f"{block}.attention_norm": f"{at}.attention.output.LayerNorm"}
        names |= {f"{block}.feed_forward.inner": f"{at}.intermediate.dense"}
        names |= {f"{block}.feed_forward.outer": f"{at}.output.dense"}
        names |= {f"{block}.feed_forward_norm": f"{at}.output.LayerNorm"}
    ours.load_state_dict(weights | renamed(state, names), strict=True)
    ids, segments = torch.arange(B * T).view(B, T), torch.tensor([[0] * 3 + [1] * 4] * B)
    mask = padding_mask(LENGTHS, T)[:, 0]
    expected = theirs(ids, attention_mask=mask.long(), token_type_ids=segments)
    hidden, pooled = ours(ids, segments, mask)
    close(hidden[mask], expected.last_hidden_state[mask], 1e-9)
    close(pooled, expected.pooler_output, 1e-9)


class GPT(nn.Module):
    """GPT-2: token and position vectors through a causal stack, and the token vectors again."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(V, D)
        options = {"causal": True, "activation": "gelu_tanh"}
        self.body = Stack(Config(**SIZES, max_length=19, **options))

    def forward(self, ids, **options):
        return self.body(self.tokens(ids), **options) @ self.tokens.weight.T


def gpt_twins():
    theirs = library(
        "GPT2LMHeadModel",
        "GPT2Config",
        vocab_size=V,
        n_embd=D,
        n_layer=LAYERS,
        n_head=H,
        n_inner=HIDDEN,
        n_positions=19,
        bos_token_id=0,
        eos_token_id=0,
    )
    state, ours = theirs.state_dict(), GPT().double().eval()
    weights = {"tokens.weight": state["transformer.wte.weight"]}
    weights["body.positions.weight"] = state["transformer.wpe.weight"]
    names = {"body.norm": "transformer.ln_f"}
    for n in range(LAYERS):
        at, block = f"transformer.h.{n}", f"body.blocks.{n}"
        for kind in ("weight", "bias"):  # one matrix for three, and all of them transposed
            for part, rows in zip(
                ("query", "key", "value"), state[f"{at}.attn.c_attn.{kind}"].T.chunk(3), strict=True
            ):
                weights[f"{block}.attention.{part}.{kind}"] = rows
        for ours_name, its in {
            "attention.output": "attn.c_proj",
            "feed_forward.inner": "mlp.c_fc",
            "feed_forward.outer": "mlp.c_proj",
        }.items():
            weights[f"{block}.{ours_name}.weight"] = state[f"{at}.{its}.weight"].T
            weights[f"{block}.{ours_name}.bias"] = state[f"{at}.{its}.bias"]
        names |= {
            f"{block}.attention_norm": f"{at}.ln_1",
            f"{block}.feed_forward_norm": f"{at}.ln_2",
        }
    ours.load_state_dict(weights | renamed(state, names), strict=True)
    return ours, theirs


@pytest.mark.filterwarnings("ignore:The use of `x.T` on tensors of dimension other than 2")
def test_gpt_2():
    ours, theirs = gpt_twins()
    ids = torch.arange(B * T).view(B, T)
    expected = theirs(ids).logits
    close(ours(ids), expected, 1e-9)
    caches = ours.body.caches()
    parts = [ours(part, caches=caches) for part in ids.split([4, 1, 2], dim=1)]
    close(torch.cat(parts, dim=1), expected, 1e-9)


@pytest.mark.filterwarnings("ignore:The use of `x.T` on tensors of dimension other than 2")
def test_gpt_2_padded_on_the_left():
    ours, theirs = gpt_twins()
    ids = torch.arange(B * T).view(B, T)
    real = padding_mask(LENGTHS, T, left=True)[:, 0]
    positions = count_positions(real)
    got = ours(ids, mask=real[:, None], positions=positions)
    expected = theirs(ids, attention_mask=real.long(), position_ids=positions).logits
    close(got[real], expected[real], 1e-9)
    for row, length in enumerate(LENGTHS):  # and as if there were no padding
        close(got[row, T - length :], ours(ids[row : row + 1, T - length :])[0], 1e-9)


class Llama(nn.Module):
    """Llama: RMSNorm, rotary positions, SwiGLU, keys and values shared; no biases anywhere."""

    def __init__(self):
        super().__init__()
        options = {"causal": True, "norm": "rms", "eps": 1e-6, "activation": "silu", "gated": True}
        options |= {"bias": False, "positions": "rotary", "rotary_halves": True, "n_kv_heads": 1}
        self.tokens, self.last = nn.Embedding(V, D), nn.Linear(D, V, bias=False)
        self.body = Stack(Config(**SIZES, max_length=19, **options))

    def forward(self, ids, **options):
        return self.last(self.body(self.tokens(ids), **options))


def test_llama():
    theirs = library(
        "LlamaForCausalLM",
        "LlamaConfig",
        vocab_size=V,
        hidden_size=D,
        num_hidden_layers=LAYERS,
        num_attention_heads=H,
        num_key_value_heads=1,
        intermediate_size=HIDDEN,
        max_position_embeddings=19,
        rms_norm_eps=1e-6,
    )
    state, ours = theirs.state_dict(), Llama().double().eval()
    names, weights = (
        {"tokens": "model.embed_tokens", "last": "lm_head", "body.norm": "model.norm"},
        {},
    )
    for n in range(LAYERS):
        at, block = f"model.layers.{n}", f"body.blocks.{n}"
        four = [f"{at}.self_attn.{part}_proj" for part in "qkvo"]
        weights |= attention_from(state, four, f"{block}.attention")
        names |= {f"{block}.attention_norm": f"{at}.input_layernorm"}
        names |= {f"{block}.feed_forward_norm": f"{at}.post_attention_layernorm"}
        for part, its in {"gate": "gate", "inner": "up", "outer": "down"}.items():
            names |= {f"{block}.feed_forward.{part}": f"{at}.mlp.{its}_proj"}
    ours.load_state_dict(weights | renamed(state, names), strict=True)
    ids = torch.arange(B * T).view(B, T)
    expected = theirs(ids).logits
    # Theirs computes norms and angles in float32, whatever the model's type.
    torch.testing.assert_close(ours(ids), expected, rtol=1e-5, atol=1e-5)
    caches = ours.body.caches()
    parts = [ours(part, caches=caches) for part in ids.split([4, 1, 2], dim=1)]
    close(torch.cat(parts, dim=1), ours(ids), 1e-9)
    real = padding_mask(LENGTHS, T, left=True)[:, 0]
    positions = count_positions(real)
    got = ours(ids, mask=real[:, None], positions=positions)
    expected = theirs(ids, attention_mask=real.long(), position_ids=positions).logits
    torch.testing.assert_close(got[real], expected[real], rtol=1e-5, atol=1e-5)


class ViT(nn.Module):
    """ViT: patches as tokens behind one that is to know the class, through a stack."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, D, kernel_size=4, stride=4)
        self.first = nn.Parameter(torch.zeros(1, 1, D))
        self.body = Stack(Config(**SIZES, max_length=7, eps=1e-12))

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)  # (B, 6, D)
        return self.body(torch.cat([self.first.expand(len(x), -1, -1), x], dim=1))


def test_vit():
    theirs = library(
        "ViTModel",
        "ViTConfig",
        hidden_size=D,
        num_hidden_layers=LAYERS,
        num_attention_heads=H,
        intermediate_size=HIDDEN,
        image_size=[8, 12],
        patch_size=4,
    )
    state, ours = theirs.state_dict(), ViT().double().eval()
    names = {"patches": "embeddings.patch_embeddings.projection", "body.norm": "layernorm"}
    weights = {"first": state["embeddings.cls_token"]}
    weights["body.positions.weight"] = state["embeddings.position_embeddings"][0]
    for n in range(LAYERS):
        at, block = f"layers.{n}", f"body.blocks.{n}"
        four = [f"{at}.attention.{part}_proj" for part in "qkvo"]
        weights |= attention_from(state, four, f"{block}.attention")
        names |= {f"{block}.attention_norm": f"{at}.layernorm_before"}
        names |= {f"{block}.feed_forward_norm": f"{at}.layernorm_after"}
        names |= {f"{block}.feed_forward.inner": f"{at}.mlp.fc1"}
        names |= {f"{block}.feed_forward.outer": f"{at}.mlp.fc2"}
    ours.load_state_dict(weights | renamed(state, names), strict=True)
    images = draw(B, 3, 8, 12)
    close(ours(images), theirs(images).last_hidden_state, 1e-9)


# --- what every model relies on ------------------------------------------------------------------


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize("cross_attention", [False, True])
@given(pieces=st.lists(st.integers(1, 4), min_size=1, max_size=4))
@settings(deadline=None, max_examples=8)
def test_with_caches_the_same(positions, cross_attention, pieces):
    stack = stack_of(positions=positions, causal=True, cross_attention=cross_attention)
    x = draw(B, sum(pieces), D)
    given_ = (draw(B, 5, D, seed=1),) if cross_attention else ()
    whole = stack(x, *given_)
    caches = stack.caches()
    parts = [stack(part, *given_, caches=caches) for part in x.split(pieces, dim=1)]
    close(torch.cat(parts, dim=1), whole, 1e-9)
    assert len(caches[0][0]) == sum(pieces)


@pytest.mark.parametrize("positions", POSITIONS)
def test_causal_sees_nothing_from_later_and_order_matters(positions):
    stack, x = stack_of(positions=positions, causal=True), draw(B, T, D)
    other = x.clone()
    other[:, 4] += draw(D)  # not the same for all: a norm would not see it
    before, after = stack(x), stack(other)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 4:], after[:, 4:])
    free = stack_of(positions=positions)
    order = torch.tensor([2, 0, 1, 6, 3, 5, 4])
    assert torch.allclose(free(x[:, order]), free(x)[:, order]) is (positions == "none")


def test_caches_select_their_rows():
    stack = stack_of(positions="rotary", causal=True, cross_attention=True)
    x, context = draw(B, T, D), draw(B, 5, D, seed=1)
    caches = stack.caches()
    stack(x[:, :4], context, caches=caches)
    rows = torch.tensor([2, 0, 2])
    chosen, copy = caches.select(rows), caches.copy()
    close(stack(x[rows, 4:], context[rows], caches=chosen), stack(x, context)[rows, 4:], 1e-9)
    stack(x[:, 4:], context, caches=copy)
    assert [len(one[0][0]) for one in (caches, chosen, copy)] == [4, T, T]
    assert isinstance(chosen, Caches)


def test_weights_of_all_blocks():
    stack = stack_of(causal=True, cross_attention=True)
    x, context = draw(B, T, D), draw(B, 5, D, seed=1)
    real = padding_mask([5, 2, 1], 5)
    y, weights = stack(x, context, context_mask=real, need_weights=True)
    close(y, stack(x, context, context_mask=real), 1e-9)
    assert len(weights) == LAYERS
    for own, cross in weights:
        assert (own.triu(1) == 0).all()
        assert (cross[2, :, :, 1:] == 0).all()
    _, alone = stack_of()(x, need_weights=True)
    assert [len(found) for found in alone] == [1] * LAYERS


@pytest.mark.parametrize("norm_first", [True, False])
def test_what_goes_into_each_block_and_comes_out(norm_first):
    stack, x = stack_of(norm_first=norm_first, norm_embeddings=True), draw(B, T, D)
    layers = stack(x, all_layers=True)
    assert len(layers) == LAYERS + 1
    close(layers[0], stack.embedding_norm(stack.positions(x)))
    close(layers[1], stack.blocks[0](layers[0]))
    close(layers[2], stack.norm(stack.blocks[1](layers[1])))
    close(layers[2], stack(x))
    again, weights = stack(x, all_layers=True, need_weights=True)
    assert len(weights) == LAYERS
    for got, expected in zip(again, layers, strict=True):
        close(got, expected)
    with pytest.raises(TypeError, match="all_layers must be True or False, got 1"):
        stack(x, all_layers=1)


def test_settings_reach_the_parts():
    stack = Stack(Config(**SIZES, dropout=0.25, norm_embeddings=True, eps=1e-3, n_kv_heads=1))
    block = stack.blocks[1]
    assert block.dropout.p == block.attention.dropout == block.feed_forward.dropout.p == 0.25
    assert stack.dropout.p == 0.25
    assert stack.norm.eps == stack.embedding_norm.eps == block.attention_norm.eps == 1e-3
    assert block.attention.n_kv_heads == 1
    plain = Stack(Config(**SIZES, bias=False, norm="rms", positions="none"))
    assert not [name for name, _ in plain.named_parameters() if name.endswith("bias")]
    assert isinstance(Stack(Config(**SIZES, norm_first=False)).norm, nn.Identity)
    x = draw(B, T, D, dtype=torch.float32)
    assert not torch.equal(stack(x), stack(x))
    assert torch.equal(stack.eval()(x), stack(x))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"d_model": 0}, ValueError, "d_model must be 1 or more, got 0"),
        ({"n_layers": 1.0}, TypeError, r"n_layers must be an integer, got 1\.0"),
        ({"n_heads": 4}, ValueError, "n_heads must divide d_model = 30, got 4"),
        ({"n_kv_heads": 2}, ValueError, "n_kv_heads must divide n_heads = 3, got 2"),
        ({"positions": "relative"}, ValueError, "positions must be 'learned' or .* got 'relative'"),
        ({"norm": "batch"}, ValueError, "norm must be 'layer' or 'rms', got 'batch'"),
        ({"activation": "swish"}, ValueError, "activation must be .* got 'swish'"),
        ({"causal": 1}, TypeError, "causal must be True or False, got 1"),
        ({"eps": 0}, ValueError, "eps must lie between 0 and inf"),
        ({"dropout": 1}, ValueError, "dropout must be 0 or more and less than 1, got 1"),
        (
            {"positions": "rotary", "n_heads": 6},
            ValueError,
            "d_model / n_heads must be even for rotary positions, got 5",
        ),
        ({"rotary_base": 5e5}, ValueError, "rotary settings need rotary positions, got 'learned'"),
    ],
)
def test_settings_that_are_refused(changes, error, message):
    with pytest.raises(error, match=message):
        Config(**{**SIZES, **changes})


def test_calls_that_are_refused():
    stack, x = stack_of(positions="rotary"), draw(B, T, D)
    with pytest.raises(TypeError, match="config must be a Config, got int"):
        Stack(3)
    with pytest.raises(ValueError, match=r"x must have the shape \(B, T, 30\), got \(3, 7, 29\)"):
        stack(x[..., 1:])
    with pytest.raises(ValueError, match="caches must hold 2 pairs, one per block, got 1"):
        stack(x, caches=Caches(stack.caches()[:1]))
    for caches, got in ((3, "int"), ([1, 2], "list")):
        with pytest.raises(TypeError, match=f"caches must be a Caches, got {got}"):
            stack(x, caches=caches)
    for positions in ("rotary", "learned", "sinusoidal"):
        with pytest.raises(ValueError, match="there are 19 positions, but x needs 20"):
            stack_of(positions=positions)(draw(1, 20, D))
    assert stack_of(positions="linear")(draw(1, 20, D)).shape == (1, 20, D)
    with pytest.raises(ValueError, match="positions have no use in this stack, 'none': got some"):
        stack_of(positions="none")(x, positions=torch.arange(T))
    with pytest.raises(ValueError, match="context belongs to cross-attention"):
        stack(x, x)
    with pytest.raises(ValueError, match="context_mask belongs to a context: got none"):
        stack(x, context_mask=padding_mask(LENGTHS, T))
    with pytest.raises(TypeError, match="context must be a Tensor"):
        stack_of(cross_attention=True)(x)
    assert draw(1).dtype == F64
