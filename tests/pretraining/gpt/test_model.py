"""Tests of companion.pretraining.gpt: the GPT-2 of the transformers library, and its folders."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import weights
from companion.basics.training import fit
from companion.pretraining.gpt import (
    GPT,
    GPTConfig,
    generate,
    next_token_loss,
    text_windows,
    token_log_probabilities,
)
from companion.sequences.generation import complete
from companion.transformer.attention import padding_mask

from ...twins import close, disturb

B, T, V = 3, 7, 53
SIZES = {"vocab_size": V, "d_model": 33, "n_layers": 2, "n_heads": 3, "d_hidden": 37}
LENGTHS = [7, 4, 1]
IDS = torch.randint(1, V, (B, T), generator=torch.Generator().manual_seed(0))


def model_of(**changes):
    torch.manual_seed(0)
    model = GPT(GPTConfig(**{**SIZES, "max_length": 19, **changes})).double().eval()
    disturb(model)
    return model


def library(**changes):
    """Return a GPT-2 of the transformers library of the same sizes."""
    transformers = pytest.importorskip("transformers")
    sizes = {"vocab_size": V, "n_embd": 33, "n_layer": 2, "n_head": 3, "n_inner": 37}
    ends = {"n_positions": 19, "bos_token_id": None, "eos_token_id": None}
    torch.manual_seed(0)
    config = transformers.GPT2Config(**{**sizes, **ends, **changes})
    model = transformers.GPT2LMHeadModel(config).double().eval()
    disturb(model)
    return model


# --- the twin ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tied", [True, False])
def test_reads_the_library(tied, tmp_path):
    theirs = library(tie_word_embeddings=tied)
    theirs.save_pretrained(tmp_path)
    ours = GPT.from_pretrained(tmp_path)
    assert (ours.head is None) is tied
    close(ours(IDS), theirs(IDS).logits, 1e-10)
    ours(IDS).square().sum().backward()
    theirs(IDS).logits.square().sum().backward()
    close(ours.tokens.weight.grad, theirs.transformer.wte.weight.grad, 1e-8)
    joined = theirs.transformer.h[1].attn.c_attn.weight.grad.chunk(3, dim=1)
    own = ours.body.blocks[1].attention
    for layer, gradient in zip((own.query, own.key, own.value), joined, strict=True):
        close(layer.weight.grad, gradient.T, 1e-8)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("d_hidden", [37, 4 * 33])
def test_the_library_reads_ours(tied, d_hidden, tmp_path):
    transformers = pytest.importorskip("transformers")
    ours = model_of(tied=tied, d_hidden=d_hidden, dropout=0.25, eps=1e-3)
    ours.save_pretrained(tmp_path)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path, dtype=torch.float64)
    close(ours(IDS), theirs(IDS).logits, 1e-10)
    assert theirs.config.attn_pdrop == theirs.config.embd_pdrop == 0.25
    again = GPT.from_pretrained(tmp_path)
    assert again.config == ours.config
    assert not again.training
    for name, value in ours.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_a_body_without_its_head_and_old_files(tmp_path):
    theirs = library(n_inner=None)
    theirs.save_pretrained(tmp_path)
    tensors, config = weights.load(tmp_path)
    bare = {name.removeprefix("transformer."): value for name, value in tensors.items()}
    bare["h.0.attn.bias"] = torch.ones(1, 1, 19, 19).double().tril()  # the causal mask, as a number
    bare["h.0.attn.masked_bias"] = torch.tensor(-1e4).double()
    weights.save(tmp_path, bare, config)
    ours = GPT.from_pretrained(tmp_path)
    assert ours.config.d_hidden == 4 * 33
    close(ours(IDS), theirs(IDS).logits, 1e-10)
    weights.save(tmp_path, {**tensors, "lm_head.weight": tensors["transformer.wte.weight"]}, config)
    close(GPT.from_pretrained(tmp_path)(IDS), theirs(IDS).logits, 1e-10)
    weights.save(tmp_path, {**tensors, "lm_head.weight": torch.zeros(V, 33)}, config)
    with pytest.raises(ValueError, match=r"lm_head\.weight must be wte.weight in a tied model"):
        GPT.from_pretrained(tmp_path)


def test_padding_on_both_sides_and_positions_that_are_given():
    ours, theirs = model_of(), library()
    ours.load_state_dict(GPT.ours(theirs.state_dict(), ours.config))
    for left in (True, False):
        real = padding_mask(LENGTHS, T, left=left)[:, 0]
        positions = (real.long().cumsum(dim=1) - 1).clamp(min=0)
        expected = theirs(IDS, attention_mask=real.long(), position_ids=positions).logits
        close(ours(IDS, mask=real)[real], expected[real], 1e-10)
    positions = torch.tensor([3, 5, 6, 7, 11, 12, 18])
    close(ours(IDS, positions=positions), theirs(IDS, position_ids=positions[None]).logits, 1e-10)


def test_weights_of_attention():
    theirs = library(attn_implementation="eager")
    ours = model_of()
    ours.load_state_dict(GPT.ours(theirs.state_dict(), ours.config))
    logits, found = ours(IDS, need_weights=True)
    expected = theirs(IDS, output_attentions=True)
    close(logits, expected.logits, 1e-10)
    for got, wanted in zip(found, expected.attentions, strict=True):
        close(got, wanted, 1e-10)


# --- caches and generation -----------------------------------------------------------------------


@given(pieces=st.lists(st.integers(1, 4), min_size=1, max_size=4), padded=st.booleans())
@settings(deadline=None, max_examples=12)
def test_with_caches_the_same(pieces, padded):
    model, n = model_of(), sum(pieces)
    ids = torch.randint(V, (2, n), generator=torch.Generator().manual_seed(n))
    real = padding_mask([n, 1], n, left=True)[:, 0] if padded else None
    caches, parts, read = model.body.caches(), [], 0
    for part in ids.split(pieces, dim=1):
        read += part.shape[1]
        mask = None if real is None else real[:, :read]
        parts.append(model(part, mask=mask, caches=caches))
    got, whole = torch.cat(parts, dim=1), model(ids, mask=real)
    kept = torch.ones_like(ids, dtype=torch.bool) if real is None else real
    close(got[kept], whole[kept], 1e-10)


@pytest.mark.parametrize("tied", [True, False])
def test_greedy_text_is_that_of_the_library(tied, tmp_path):
    theirs = library(tie_word_embeddings=tied)
    theirs.save_pretrained(tmp_path)
    ours = GPT.from_pretrained(tmp_path)
    options = {"do_sample": False, "pad_token_id": 0, "attention_mask": torch.ones_like(IDS)}
    expected = theirs.generate(IDS, max_new_tokens=9, **options)
    assert torch.equal(generate(ours, IDS, 9, temperature=0), expected)
    end = int(expected[1, T + 4])
    expected = theirs.generate(
        IDS, max_new_tokens=9, **{**options, "pad_token_id": end, "eos_token_id": end}
    )
    assert torch.equal(generate(ours, IDS, 9, temperature=0, stop=[end]), expected)


def test_prompts_of_different_lengths_as_each_alone():
    model = model_of()
    prompts = [row[:length] for row, length in zip(IDS.tolist(), LENGTHS, strict=True)]
    together = complete(model, prompts, 8, temperature=0)
    assert together == [complete(model, [prompt], 8, temperature=0)[0] for prompt in prompts]
    starts = []
    start = model.start
    model.start = lambda *given: starts.append(given[0].shape) or start(*given)
    complete(model, prompts, 8, temperature=0, stop=[together[0][3]])  # rows end at different times
    assert starts == [(3, 6)]  # all was read at once


def test_generate_keeps_the_shape_of_what_came():
    model = model_of()
    batch = generate(model, IDS, 5, temperature=0)
    one = generate(model, IDS[0], 5, temperature=0)
    assert batch.shape == (B, T + 5)
    assert torch.equal(batch[:, :T], IDS)
    assert torch.equal(one, batch[0])
    assert torch.equal(generate(model, IDS, 0), IDS)
    end = int(one[T + 2])
    [first] = [place for place, token in enumerate(one[T:].tolist()) if token == end][:1]
    assert torch.equal(generate(model, IDS[0], 5, temperature=0, stop=[end]), one[: T + first + 1])
    # The last token need not be read: so it fits.
    assert generate(model, IDS, 13, temperature=0).shape == (B, 20)
    with pytest.raises(ValueError, match="must fit 19 positions, got 7 and 14"):
        generate(model, IDS, 14)


def test_sampling_follows_the_distribution_and_its_generator():
    model = model_of()
    shares = model(IDS[:1])[0, -1].softmax(dim=-1).detach()
    many = IDS[:1].expand(20_000, T)
    drawn = generate(model, many, 1, generator=torch.Generator().manual_seed(0))[:, -1]
    seen = torch.bincount(drawn, minlength=V) / len(many)
    assert (seen - shares).abs().max() < 4 * math.sqrt(0.25 / len(many))
    best = set(shares.topk(3).indices.tolist())
    drawn = generate(model, many[:500], 1, top_k=3, generator=torch.Generator().manual_seed(0))
    assert set(drawn[:, -1].tolist()) == best
    one, same, other = (
        generate(model, IDS, 9, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


# --- properties ----------------------------------------------------------------------------------


def test_a_later_token_never_changes_an_earlier_output():
    model = model_of()
    for place in range(T):
        other = IDS.clone()
        other[:, place] = (other[:, place] + 1) % V
        before, after = model(IDS), model(other)
        assert torch.equal(before[:, :place], after[:, :place])
        assert (before[:, place] != after[:, place]).any(dim=-1).all()


@pytest.mark.parametrize(
    ("sizes", "tied", "count"),
    [  # vocabulary, width, blocks, heads, positions; the counts are those of SOURCES, E95
        ((50257, 768, 12, 12, 1024), True, 124_439_808),
        ((50257, 1600, 48, 25, 1024), True, 1_557_611_200),
        ((50257, 12288, 96, 96, 2048), True, 174_604_259_328),
        ((50257, 768, 12, 12, 1024), False, 124_439_808 + 50257 * 768),
    ],
)
def test_parameters_of_published_models(sizes, tied, count):
    vocab_size, width, n_layers, n_heads, max_length = sizes
    config = GPTConfig(
        vocab_size, width, n_layers, n_heads, 4 * width, max_length=max_length, tied=tied
    )
    with torch.device("meta"):
        model = GPT(config)
    assert sum(p.numel() for p in model.parameters()) == count


def test_initial_weights():
    torch.manual_seed(0)
    model = GPT(GPTConfig(101, 60, 8, 3, 240, tied=False))
    found = dict(model.named_parameters())
    assert found["tokens.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert found["head.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    for part in ("attention.query", "feed_forward.inner"):
        assert found[f"body.blocks.7.{part}.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    for part in ("attention.output", "feed_forward.outer"):  # 16 parts are added
        got = found[f"body.blocks.7.{part}.weight"].std().item()
        assert got == pytest.approx(0.005, rel=0.05)
    assert all(not value.any() for name, value in found.items() if name.endswith(".bias"))
    again = GPT(GPTConfig(101, 60, 8, 3, 240, tied=False))
    assert not torch.equal(again.tokens.weight, model.tokens.weight)


# --- training and measuring ----------------------------------------------------------------------


def test_windows_hold_the_text_and_what_comes_next():
    text = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    source = text_windows(text, 6, batch_size=5, n_batches=4)
    batches = list(source(torch.Generator().manual_seed(0)))
    assert len(batches) == 4
    starts = set()
    place = text.argsort()
    for batch in batches:
        first = place[batch["inputs"]]  # (5, 6)
        assert batch["inputs"].shape == batch["targets"].shape == (5, 6)
        assert torch.equal(first, first[:, :1] + torch.arange(6))
        assert torch.equal(place[batch["targets"]], first + 1)
        starts |= set(first[:, 0].tolist())
    assert len(starts) > 5
    ends = text_windows(torch.arange(7), 6, batch_size=1, n_batches=1)  # the shortest that will do
    assert next(ends(torch.Generator()))["targets"][0, -1] == 6
    with pytest.raises(ValueError, match="ids must hold 7 tokens or more, got 6"):
        text_windows(torch.arange(6), 6, batch_size=1, n_batches=1)


def test_the_loss_is_a_sum_and_a_count():
    model, targets = model_of(), IDS.roll(-1, dims=1)
    targets[0, :2] = -100
    total, count = next_token_loss(model, {"inputs": IDS, "targets": targets})
    shares = model(IDS).log_softmax(dim=-1)
    by_hand = -sum(
        shares[b, t, targets[b, t]] for b in range(B) for t in range(T) if targets[b, t] >= 0
    )
    close(total, by_hand, 1e-10)
    assert count == B * T - 2
    real = padding_mask(LENGTHS, T, left=True)[:, 0]
    batch = {"inputs": IDS, "targets": targets, "mask": real}
    assert next_token_loss(model, batch)[0] != total


def test_it_learns_a_text_that_counts():
    torch.manual_seed(0)
    model = GPT(GPTConfig(11, 12, 1, 2, 24, max_length=8))
    text = torch.arange(220) % 11
    source = text_windows(text, 8, batch_size=8, n_batches=40)
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    history = fit(model, source, loss=next_token_loss, optimizer=adam, epochs=2)
    assert history.train_loss[0] > 0.5
    assert -token_log_probabilities(model, text).mean() < 0.1
    assert generate(model, torch.tensor([5]), 7, temperature=0).tolist() == [
        5, 6, 7, 8, 9, 10, 0, 1,
    ]  # fmt: skip


@pytest.mark.parametrize("n", [2, 5, 6, 7, 12, 13, 40])
@pytest.mark.parametrize(("length", "stride"), [(6, 3), (6, 6), (5, 1), (1, 1), (None, None)])
def test_a_long_text_is_scored_where_a_token_sees_most(n, length, stride):
    model = model_of(max_length=12)
    text = torch.randint(V, (n,), generator=torch.Generator().manual_seed(n))
    got = token_log_probabilities(model, text, length=length, stride=stride)
    T, step = length or 12, stride or 6
    T = min(T, n - 1)
    starts = [*range(0, n - 1 - T, step), n - 1 - T]
    for place in range(n - 1):
        start = next(one for one in starts if one <= place < one + T)  # the first sees most
        shares = model(text[None, start : place + 1])[0, -1].log_softmax(dim=-1)
        assert got[place].item() == pytest.approx(shares[text[place + 1]].item(), abs=1e-9)


def test_a_text_is_scored_by_hand():
    model = GPT(GPTConfig(4, 2, 1, 1, 2)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    got = token_log_probabilities(model, torch.tensor([0, 3, 1]))  # it knows nothing: 1 / 4 each
    assert got.tolist() == pytest.approx([-math.log(4)] * 2)


# --- what is refused -----------------------------------------------------------------------------


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="n_heads must divide d_model = 33, got 5"):
        GPTConfig(**{**SIZES, "n_heads": 5})
    with pytest.raises(ValueError, match="vocab_size must be 1 or more, got 0"):
        GPTConfig(**{**SIZES, "vocab_size": 0})
    with pytest.raises(TypeError, match="tied must be True or False"):
        GPTConfig(**SIZES, tied=1)
    with pytest.raises(TypeError, match="config must be a GPTConfig"):
        GPT({"vocab_size": 3})
    model = model_of()
    with pytest.raises(ValueError, match="ids must hold ids from 0 to 52, got 0 to 53"):
        model(torch.tensor([[0, 53]]))
    with pytest.raises(ValueError, match=r"mask must have the shape \(3, 7\), got \(3, 6\)"):
        model(IDS, mask=torch.ones(B, 6, dtype=torch.bool))
    with pytest.raises(ValueError, match="there are 19 positions, but x needs 20"):
        model(torch.ones(1, 20, dtype=torch.int64))
    with pytest.raises(TypeError, match="model must be a CausalModel"):
        generate(torch.nn.Linear(2, 2), IDS, 3)
    with pytest.raises(ValueError, match="ids must hold 2 tokens or more, got 1"):
        token_log_probabilities(model, torch.tensor([1]))
    with pytest.raises(ValueError, match="length must be at most 19, got 20"):
        token_log_probabilities(model, IDS[0], length=20)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model_type", "bert", "model_type must be 'gpt2', got 'bert'"),
        ("activation_function", "relu", "activation_function must be 'gelu_new' for GPT"),
        ("scale_attn_by_inverse_layer_idx", True, "scale_attn_by_inverse_layer_idx must be False"),
        ("n_head", None, "config.json must say n_head: it does not"),
    ],
)
def test_settings_that_it_cannot_follow(name, value, message, tmp_path):
    model_of().save_pretrained(tmp_path)
    tensors, config = weights.load(tmp_path)
    weights.save(tmp_path, tensors, {**config, name: value})
    with pytest.raises(ValueError, match=message):
        GPT.from_pretrained(tmp_path)


def test_weights_that_are_not_its_own(tmp_path):
    model_of().save_pretrained(tmp_path)
    tensors, config = weights.load(tmp_path)
    name = "transformer.h.1.attn.c_attn.weight"
    for broken, message in [
        ({key: value for key, value in tensors.items() if key != name}, "query.weight"),
        ({**tensors, "transformer.h.2.ln_1.weight": torch.zeros(33)}, "only, got transformer.h.2"),
        ({**tensors, name: tensors[name][:, :-1]}, "query.weight"),
        ({**tensors, name: tensors[name].mT}, "query.weight"),
        ({**tensors, name: torch.tensor(1.0)}, "query.weight"),
    ]:
        weights.save(tmp_path, broken, config)
        with pytest.raises(ValueError, match=message):
            GPT.from_pretrained(tmp_path)
