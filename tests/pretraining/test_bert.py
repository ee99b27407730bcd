"""Tests of companion.pretraining.bert: equal to the transformers library, in and out of folders."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from companion import weights
from companion.basics.training import fit
from companion.pretraining.bert import (
    Bert,
    BertConfig,
    MaskedLanguageModel,
    mask_tokens,
    masked_loss,
    mean_pool,
)
from companion.transformer.attention import padding_mask

from ..twins import F64, close, disturb, draw

B, T, D, H, HIDDEN, LAYERS, V = 3, 7, 30, 3, 37, 2, 53  # heads of ten numbers
CONFIG = BertConfig(V, D, LAYERS, H, HIDDEN, max_length=19, n_segments=3)
IDS = torch.arange(B * T).view(B, T)
SEGMENTS = torch.tensor([[0] * 3 + [1] * 2 + [2] * 2] * B)
MASK = padding_mask([7, 4, 1], T)[:, 0]


def library(kind, dtype=F64, **changes):
    """Return a small model of the transformers library, all its numbers away from 0 and 1."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {
        "vocab_size": V,
        "hidden_size": D,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": H,
        "intermediate_size": HIDDEN,
        "max_position_embeddings": 19,
        "type_vocab_size": 3,
    }
    config = transformers.BertConfig(**(sizes | changes))
    model = getattr(transformers, kind)(config).to(dtype).eval()
    disturb(model)
    return model


def model_of(kind=Bert, **changes):
    torch.manual_seed(0)
    model = kind(BertConfig(**{**vars(CONFIG), **changes})).double().eval()
    disturb(model)
    return model


def told(theirs, **options):
    return theirs(IDS, attention_mask=MASK.long(), token_type_ids=SEGMENTS, **options)


# --- equal to the library, both ways --------------------------------------------------------------


@pytest.mark.parametrize("dtype", [F64, torch.float32])
def test_equal_to_bert_model_from_its_folder(tmp_path, dtype):
    theirs = library("BertModel", dtype, attn_implementation="eager")
    theirs.save_pretrained(tmp_path)
    ours = Bert.from_pretrained(tmp_path)
    assert ours.config == BertConfig(**{**vars(CONFIG), "dropout": 0.1})
    assert not ours.training
    expected = told(theirs, output_hidden_states=True, output_attentions=True)
    tolerance = 1e-9 if dtype == F64 else 2e-5
    close(ours(IDS, SEGMENTS, MASK)[MASK], expected.last_hidden_state[MASK], tolerance)
    close(ours.pool(expected.last_hidden_state), expected.pooler_output, tolerance)
    layers, attention = ours(IDS, SEGMENTS, MASK, all_layers=True, need_weights=True)
    assert len(layers) == LAYERS + 1
    assert len(attention) == LAYERS
    for got, wanted in zip(layers, expected.hidden_states, strict=True):
        close(got[MASK], wanted[MASK], tolerance)
    for got, wanted in zip(attention, expected.attentions, strict=True):
        assert got.shape == (B, H, T, T)
        rows = MASK[:, None].expand(B, H, T)  # the queries that are real
        close(got[rows], wanted[rows], tolerance)


def test_without_segments_all_are_the_first():
    ours = model_of()
    close(ours(IDS), ours(IDS, torch.zeros_like(IDS), torch.ones_like(MASK)))
    assert not torch.allclose(ours(IDS), ours(IDS, SEGMENTS))


def test_gradients_equal_to_the_library(tmp_path):
    theirs = library("BertForMaskedLM")
    theirs.save_pretrained(tmp_path)
    ours = MaskedLanguageModel.from_pretrained(tmp_path)
    targets = torch.where(IDS % 3 == 0, IDS, -100).masked_fill(~MASK, -100)
    expected = told(theirs, labels=targets)
    expected.loss.backward()
    batch = {"inputs": IDS, "targets": targets, "segments": SEGMENTS, "mask": MASK}
    total, count = masked_loss(ours, batch)
    assert count == (targets >= 0).sum()
    (total / count).backward()
    close(total / count, expected.loss, 1e-9)
    own = {name: p.grad for name, p in theirs.named_parameters()}
    for place in ("tokens", "segments", "body.positions"):
        name = Bert.layout.names[place]
        got = ours.bert.get_submodule(place).weight.grad
        # Theirs leaves the row of the padding token, 0, without a gradient through the embedding.
        assert not got.isnan().any()
        close(got[1:], own[f"bert.{name}.weight"][1:], 1e-9)
    close(ours.bias.grad, own["cls.predictions.bias"], 1e-9)


@pytest.mark.parametrize("kind", ["BertForMaskedLM", "BertForPreTraining"])
def test_masked_language_model_from_their_folder(tmp_path, kind):
    theirs = library(kind)
    theirs.save_pretrained(tmp_path)
    ours = MaskedLanguageModel.from_pretrained(tmp_path)
    expected = told(theirs)
    logits = expected.logits if kind == "BertForMaskedLM" else expected.prediction_logits
    close(ours(IDS, SEGMENTS, MASK)[MASK], logits[MASK], 1e-9)
    chosen = MASK & (IDS % 2 == 0)
    close(ours(IDS, SEGMENTS, MASK, chosen=chosen), logits[chosen], 1e-9)
    assert ours.config.pooler is (kind == "BertForPreTraining")
    body = Bert.from_pretrained(tmp_path)
    close(body(IDS, SEGMENTS, MASK), ours.bert(IDS, SEGMENTS, MASK), 1e-12)
    assert body.config.pooler is (kind == "BertForPreTraining")


@pytest.mark.parametrize("kind", ["BertForSequenceClassification", "BertForQuestionAnswering"])
def test_body_of_a_folder_with_another_head(tmp_path, kind):
    theirs = library(kind)
    theirs.save_pretrained(tmp_path)
    body = Bert.from_pretrained(tmp_path)
    expected = told(theirs.bert)[0]
    close(body(IDS, SEGMENTS, MASK)[MASK], expected[MASK], 1e-9)


@pytest.mark.parametrize("pooler", [True, False])
def test_library_reads_our_folder(tmp_path, pooler):
    transformers = pytest.importorskip("transformers")
    ours = model_of(pooler=pooler)
    ours.save_pretrained(tmp_path)
    theirs = transformers.BertModel.from_pretrained(tmp_path, add_pooling_layer=pooler)
    assert theirs.dtype == F64
    expected = told(theirs.eval())
    close(ours(IDS, SEGMENTS, MASK)[MASK], expected.last_hidden_state[MASK], 1e-9)
    again = Bert.from_pretrained(tmp_path)
    assert again.config == ours.config
    assert torch.equal(again(IDS, SEGMENTS, MASK), ours(IDS, SEGMENTS, MASK))
    if pooler:
        close(ours.pool(expected.last_hidden_state), expected.pooler_output, 1e-9)


def test_library_reads_our_masked_language_model(tmp_path):
    transformers = pytest.importorskip("transformers")
    ours = model_of(MaskedLanguageModel, pooler=False, eps=1e-3, dropout=0.25)
    ours.save_pretrained(tmp_path)
    theirs, report = transformers.BertForMaskedLM.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert theirs.config.attention_probs_dropout_prob == theirs.config.hidden_dropout_prob == 0.25
    close(ours(IDS, SEGMENTS, MASK)[MASK], told(theirs.eval()).logits[MASK], 1e-9)
    again = MaskedLanguageModel.from_pretrained(tmp_path)
    assert again.config == ours.config
    assert torch.equal(again(IDS), ours(IDS))


def test_names_of_the_first_published_files(tmp_path):
    ours = model_of(MaskedLanguageModel)
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta"): x
        for name, x in ours.theirs().items()
    }
    old["bert.embeddings.position_ids"] = torch.arange(19)[None]
    old["cls.predictions.decoder.weight"] = ours.bert.tokens.weight
    old["cls.seq_relationship.weight"] = torch.zeros(2, D)  # of another type, and left out
    weights.save(tmp_path, old, ours.write_config())
    assert any(name.endswith("gamma") for name in old)
    close(MaskedLanguageModel.from_pretrained(tmp_path)(IDS), ours(IDS))
    close(Bert.from_pretrained(tmp_path)(IDS), ours.bert(IDS))


def test_decoder_must_be_tied(tmp_path):
    ours = model_of(MaskedLanguageModel)
    other = ours.theirs() | {"cls.predictions.decoder.weight": draw(V, D)}
    weights.save(tmp_path, other, ours.write_config())
    with pytest.raises(
        ValueError, match=r"cls\.predictions\.decoder\.weight must equal bert\.embed"
    ):
        MaskedLanguageModel.from_pretrained(tmp_path)
    weights.save(tmp_path, ours.theirs(), ours.write_config() | {"tie_word_embeddings": False})
    with pytest.raises(ValueError, match="tie_word_embeddings must be True"):
        MaskedLanguageModel.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
        ("is_decoder", True),
        ("add_cross_attention", True),
    ],
)
def test_settings_that_it_cannot_follow(tmp_path, name, value):
    ours = model_of()
    weights.save(tmp_path, ours.theirs(), ours.write_config() | {name: value})
    with pytest.raises(ValueError, match=f"{name} must be"):
        Bert.from_pretrained(tmp_path)


def test_with_and_without_the_prefix(tmp_path):
    ours = model_of()
    twice = ours.theirs() | {f"bert.{name}": x for name, x in ours.theirs().items()}
    weights.save(tmp_path, twice, ours.write_config())
    with pytest.raises(ValueError, match=r"with and without 'bert\.'"):
        Bert.from_pretrained(tmp_path)


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("d_model", "n_layers", "n_heads", "total"),
    [(768, 12, 12, 109_482_240), (1024, 24, 16, 335_141_888)],
)
def test_parameters_of_the_paper(d_model, n_layers, n_heads, total):  # E86
    with torch.device("meta"):
        bert = Bert(BertConfig(30_522, d_model, n_layers, n_heads, 4 * d_model))
    assert sum(p.numel() for p in bert.parameters()) == total


def test_first_weights():
    torch.manual_seed(0)
    model = MaskedLanguageModel(BertConfig(997, 64, 2, 4, 128, pooler=False))
    model(IDS)
    spread = [p.std().item() for p in model.parameters() if p.dim() == 2]
    assert all(0.018 < value < 0.022 for value in spread)
    loss = torch.nn.functional.cross_entropy(model(IDS)[0], IDS[0])
    assert abs(loss.item() - math.log(997)) < 0.1
    assert model.bert.pooler is None


# --- what a body must do --------------------------------------------------------------------------


def test_padding_and_neighbours_in_the_batch_change_nothing():
    ours = model_of()
    got = ours(IDS, SEGMENTS, MASK)
    for row, length in enumerate(MASK.sum(dim=1)):
        one = ours(IDS[row : row + 1, :length], SEGMENTS[row : row + 1, :length])
        close(got[row, :length], one[0], 1e-12)


def test_reads_both_ways():
    ours = model_of()
    before = ours(IDS)
    for place in (0, T - 1):
        other = IDS.clone()
        other[:, place] = V - 1
        assert ((ours(other) - before).abs().amax(dim=-1) > 1e-6).all()  # at every position


def test_chosen_positions_only():
    model = model_of(MaskedLanguageModel)
    chosen = IDS % 5 == 0
    close(model(IDS, chosen=chosen), model(IDS)[chosen], 1e-12)
    assert model(IDS, chosen=torch.zeros_like(chosen)).shape == (0, V)


def test_from_a_body_that_is_shared():
    bert = model_of()
    model = MaskedLanguageModel(bert)
    assert model.bert is bert
    assert model.config is bert.config


# --- masking --------------------------------------------------------------------------------------

SPECIAL = [0, 2, 3, 4]
OPTIONS = {"mask_id": 4, "vocab_size": V, "special_ids": SPECIAL}


def test_80_10_10():  # E90
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(5, V, (1000, 200), generator=random)
    inputs, targets = mask_tokens(ids, **OPTIONS, generator=random)
    chosen = targets != -100
    n = ids.numel()
    assert torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])
    is_mask, same = inputs == 4, inputs == ids
    spread = 4 * math.sqrt(0.15 / n)
    assert abs(chosen.sum() / n - 0.15) < spread
    assert abs(is_mask.sum() / n - 0.12) < spread
    # A random token is by chance the same one in one case of 49 (53 less 4 special ones).
    assert abs((chosen & ~is_mask & same).sum() / n - 0.015 * (1 + 1 / 49)) < spread
    drawn = inputs[chosen & ~is_mask & ~same]
    assert set(drawn.tolist()) == set(range(V)) - set(SPECIAL)
    counts = drawn.bincount(minlength=V).double()
    assert (counts[counts > 0] / counts[counts > 0].mean() - 1).abs().max() < 5 / 60**0.5


@pytest.mark.parametrize("shares", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0)])
def test_other_shares(shares):
    ids = torch.full((100, 100), 7)
    inputs, targets = mask_tokens(
        ids, **OPTIONS, shares=shares, generator=torch.Generator().manual_seed(0)
    )
    found = inputs[targets == 7]
    kinds = (found == 4, (found != 4) & (found != 7), found == 7)
    for share, kind in zip(shares, kinds, strict=True):
        assert abs(kind.double().mean() - share) < 0.06  # a drawn token may be the same one


@given(
    rate=st.floats(0, 0.99),
    seed=st.integers(0, 99),
    shape=st.sampled_from([(1, 1), (9,), (2, 3, 5)]),
)
@settings(deadline=None, max_examples=30)
def test_special_tokens_are_never_chosen(rate, seed, shape):
    random = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, V, shape, generator=random)
    before = ids.clone()
    inputs, targets = mask_tokens(ids, **OPTIONS, rate=rate, generator=random)
    assert torch.equal(ids, before)
    special = torch.isin(ids, torch.tensor(SPECIAL))
    assert (targets[special] == -100).all()
    assert torch.equal(inputs[targets == -100], ids[targets == -100])
    if rate == 0:
        assert (targets == -100).all()


def test_masking_follows_its_generator():
    results = [
        mask_tokens(IDS, **OPTIONS, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)
    ]
    assert torch.equal(results[0][0], results[1][0])
    assert not torch.equal(results[0][1], results[2][1])


def test_it_learns_to_fill_in():
    """Sentences of two kinds, a a a and b b b: the hidden one follows from the others."""
    torch.manual_seed(0)
    a, b, mask = 5, 6, 4
    rows = torch.tensor([[2, a, a, a, 3], [2, b, b, b, 3]]).repeat(8, 1)

    def source(generator):
        for _ in range(4):
            inputs, targets = mask_tokens(
                rows, **OPTIONS | {"vocab_size": 7}, rate=0.3, generator=generator
            )
            yield {"inputs": inputs, "targets": targets}

    model = MaskedLanguageModel(BertConfig(7, 16, 1, 2, 32, max_length=5, pooler=False))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    history = fit(model, source, loss=masked_loss, optimizer=optimizer, epochs=60)
    assert history.train_loss[0] > 1.0
    asked = torch.tensor([[2, a, a, mask, 3], [2, mask, b, b, 3]])
    assert model.eval()(asked, chosen=asked == mask).argmax(dim=-1).tolist() == [a, b]


# --- one vector for a sentence --------------------------------------------------------------------


def test_mean_pool_leaves_padding_out():
    hidden = draw(B, T, D)
    got = mean_pool(hidden, MASK)
    for row, length in enumerate(MASK.sum(dim=1)):
        close(got[row], hidden[row, :length].mean(dim=0), 1e-12)
    nan = hidden.masked_fill(~MASK[..., None], torch.nan)
    close(mean_pool(nan, MASK), got)
    close(mean_pool(hidden), hidden.mean(dim=1))


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: BertConfig(0, D, 1, H, 4), ValueError, "vocab_size must be 1 or more, got 0"),
        (lambda: BertConfig(V, D, 1, 7, 4), ValueError, "n_heads must divide d_model = 30, got 7"),
        (lambda: BertConfig(V, D, 1, H, 4, pooler=1), TypeError, "pooler must be True or False"),
        (lambda: Bert({}), TypeError, "config must be a BertConfig, got dict"),
        (lambda: MaskedLanguageModel("x"), TypeError, "bert must be a Bert, got str"),
        (lambda: model_of()(IDS.float()), TypeError, "ids must be a Tensor of torch.int64"),
        (lambda: model_of()(IDS + V), ValueError, "ids must hold ids from 0 to 52, got 53 to 73"),
        (lambda: model_of()(IDS[:, :0]), ValueError, "ids must have the shape"),
        (lambda: model_of()(IDS, SEGMENTS + 1), ValueError, "segments must hold ids from 0 to 2"),
        (lambda: model_of()(IDS, SEGMENTS[:, 1:]), ValueError, "segments must have the shape"),
        (
            lambda: model_of()(IDS, None, MASK.long()),
            TypeError,
            "mask must be a Tensor of torch.bool",
        ),
        (lambda: model_of()(IDS, None, MASK[:, 1:]), ValueError, "mask must have the shape"),
        (lambda: model_of()(IDS.repeat(1, 3)), ValueError, "19 positions"),
        (
            lambda: model_of(pooler=False).pool(draw(B, T, D)),
            ValueError,
            "needs a model with a pooler",
        ),
        (lambda: model_of().pool(draw(B, T, D + 1)), ValueError, "hidden must have the shape"),
        (
            lambda: model_of(MaskedLanguageModel)(IDS, chosen=MASK[:, 1:]),
            ValueError,
            "chosen must have",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS | {"mask_id": V}),
            ValueError,
            "mask_id must be at most 52",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS | {"special_ids": [V]}),
            ValueError,
            "special_ids must be at",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS | {"special_ids": range(V)}),
            ValueError,
            "leave a token",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS, rate=1.0),
            ValueError,
            "rate must be 0 or more and less",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS, shares=(0.8, 0.1, 0.2)),
            ValueError,
            "shares must be 0 or more with the sum 1",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS, shares=(0.8, 0.2)),
            ValueError,
            r"shares must have shape \(3,\)",
        ),
        (
            lambda: mask_tokens(IDS, **OPTIONS | {"vocab_size": 9}),
            ValueError,
            "ids must hold ids from",
        ),
        (lambda: mean_pool(draw(B, T, D), MASK & False), ValueError, "mask must have a real token"),
        (lambda: mean_pool(draw(B, 0, D)), ValueError, "the length T of hidden"),
        (lambda: masked_loss(model_of(), {}), TypeError, "model must be a MaskedLanguageModel"),
        (
            lambda: masked_loss(model_of(MaskedLanguageModel), {"inputs": IDS}),
            ValueError,
            "batch must hold targets",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
