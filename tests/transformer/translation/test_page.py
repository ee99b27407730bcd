"""Tests of companion.transformer.translation.page."""

import json
from html.parser import HTMLParser

import pytest
import torch
from torch import nn

from companion.sequences.seq2seq import SPECIAL_TOKENS, WordEmbedding, pad
from companion.sequences.tokenization import WordTokenizer
from companion.transformer.blocks import LayerNorm, PositionEmbedding
from companion.transformer.translation import (
    Transformer,
    TransformerConfig,
    greedy_decode,
    pack,
    page,
    translator_html,
    unpack,
)
from companion.weights import LEVELS

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
        model.encoder.blocks[0].feed_forward.outer.weight[0] = torch.tensor(
            [0.63, -0.21, 0.104, 0.106, 0.0, 0.001, -0.63]
        )  # with the scale 0.01: 63, -21, 10, 11, 0, 0, -63
        model.encoder.blocks[0].feed_forward.outer.weight[1] = 0
    weight = unpack(packed(model)).encoder.blocks[0].feed_forward.outer.weight
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
    source = pad([KOREAN.encode(text) for text in READ], 0)
    rounded = unpack(packed(model))
    with torch.no_grad():
        target = torch.tensor([[2, 4, 5]] * 3)
        ours, theirs = (one(source, target).softmax(dim=-1) for one in (model, rounded))
    assert (ours - theirs).abs().max() < 0.02
    assert len(greedy_decode(rounded, source, ENGLISH.vocabulary, max_length=5)) == 3


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
        (replaced("encoder.blocks.1.attention.query", Scaled(12, 12)), r"query must be a Linear"),
        (replaced("decoder.blocks.0.feed_forward", nn.Identity()), r"must be a FeedForward"),
        (
            replaced("encoder.positions", PositionEmbedding(512, 12)),
            r"positions must be a Sinusoidal",
        ),
        (replaced("encoder.norm", nn.LayerNorm(12)), r"encoder.norm must be a LayerNorm"),
        (replaced("encoder.norm", LayerNorm(12, eps=1e-3)), r"encoder.norm.eps must be 1e-05"),
        (replaced("decoder.blocks.0.feed_forward.inner", nn.Linear(12, 9)), r"the shapes"),
        (
            replaced("encoder.blocks.0.attention.value", nn.Linear(12, 12, bias=False)),
            r"value must have the shapes",
        ),
    ],
)
def test_parts_that_the_page_cannot_compute_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        packed(model)


def test_settings_that_the_page_cannot_compute_are_refused():
    model = translator()
    model.encoder.blocks[0].norm_first = True
    with pytest.raises(ValueError, match=r"encoder.blocks.0.norm_first must be False"):
        packed(model)
    model = translator()
    model.decoder.blocks[0].cross_attention.n_heads = 4
    with pytest.raises(ValueError, match=r"cross_attention.n_heads must be 3 .* got 4"):
        packed(model)
    model = translator()
    model.encoder.blocks[0].feed_forward.activation = torch.tanh
    with pytest.raises(ValueError, match=r"feed_forward.activation must be 'relu'"):
        packed(model)
    model = translator()
    with torch.no_grad():
        model.encoder.blocks[0].attention.query.weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"query.weight must be finite"):
        packed(model)
    with pytest.raises(TypeError, match="model must be a Transformer, got Linear"):
        packed(nn.Linear(1, 1))


def test_a_setting_that_the_page_does_not_know_is_refused(monkeypatch):
    monkeypatch.setattr(page, "_SETTINGS", page._SETTINGS - {"activation"})
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
        ([], {}, ValueError, "sentences must hold 1 or more, got 0"),
        (["  "], {}, ValueError, "each with a word"),
        (["우주선은 뛴다."], {}, ValueError, "words of source_tokenizer only, got 우주선은"),
        (["."], {}, ValueError, "Hangul or Latin, got neither"),
        (READ[0], {}, TypeError, "sentences must be a list of texts"),
        (READ, {"examples": "소년은"}, TypeError, "examples must be a list of texts"),
        (READ, {"languages": ("Korean", "French")}, ValueError, "languages must be two of"),
        (
            READ,
            {"languages": {"Korean", "English"}},
            TypeError,
            "languages must be source and target",
        ),
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
    with pytest.raises(TypeError, match=r"models\['a'\] must be a Packed, got str"):
        translator_html({"a": "b"})


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
