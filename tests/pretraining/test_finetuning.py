"""Tests of companion.pretraining.finetuning: heads and scores equal to the libraries."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from companion.basics.training import AdamW, fit
from companion.pretraining.bert import IGNORED, Bert, BertConfig
from companion.pretraining.finetuning import (
    Entity,
    Example,
    SequenceClassifier,
    SpanReader,
    TokenClassifier,
    answer_scores,
    asked,
    best_span,
    collate,
    entities,
    entity_scores,
    freeze,
    head_loss,
    judged,
    layer_rates,
    source,
    tagged,
)
from companion.sequences.tokenization import WordPieceTokenizer
from companion.transformer.attention import padding_mask

from ..twins import F64, close, disturb

B, T, D, H, HIDDEN, LAYERS, V, CLASSES = 3, 7, 30, 3, 37, 2, 53, 5
IDS = torch.arange(1, B * T + 1).view(B, T)  # the library never moves the vector of token 0
SEGMENTS = torch.tensor([[0] * 3 + [1] * 4] * B)
MASK = padding_mask([7, 4, 2], T)[:, 0]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "so", "good", "bad", "##ly", "where", "?"]
TOKENS += ["Mina", "is", "at", "the", "town", "hall", ".", "박물관", "##에", "갔다"]
TOKENIZER = WordPieceTokenizer(
    TOKENS,
    special_tokens=TOKENS[:5],
    around=("[CLS]", "[SEP]"),
    lowercase=False,
)
TAGS = ["O", "B-A", "I-A", "B-B", "I-B"]


def body(pooler=False, layers=LAYERS, dtype=F64):
    torch.manual_seed(0)
    bert = Bert(BertConfig(V, D, layers, H, HIDDEN, max_length=19, pooler=pooler)).to(dtype)
    disturb(bert)
    return bert.eval()


# --- the heads against the library ----------------------------------------------------------------


def library(kind, tmp_path, **options):
    """Return a random model of the transformers library, and our body with its weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    sizes = {"hidden_size": D, "num_hidden_layers": LAYERS, "num_attention_heads": H}
    sizes |= {"intermediate_size": HIDDEN, "max_position_embeddings": 19, "vocab_size": V}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = transformers.BertConfig(**sizes, **none, **options)
    theirs = getattr(transformers, kind)(config).double().eval()
    disturb(theirs)
    theirs.save_pretrained(tmp_path)
    return theirs, Bert.from_pretrained(tmp_path)


def read(theirs, **targets):
    mask = MASK.long()
    return theirs(IDS, attention_mask=mask, token_type_ids=SEGMENTS, **targets)


def same_gradients(ours, theirs):
    """Compare the gradients of the vectors of tokens, and of the first query."""
    bert, other = ours.body, theirs.bert
    close(bert.tokens.weight.grad, other.embeddings.word_embeddings.weight.grad, 1e-9)
    theirs_query = other.encoder.layer[0].attention.self.query.weight.grad
    close(bert.body.blocks[0].attention.query.weight.grad, theirs_query, 1e-9)


def test_sentences_as_the_library_does(tmp_path):
    theirs, bert = library("BertForSequenceClassification", tmp_path, num_labels=CLASSES)
    ours = SequenceClassifier(bert, CLASSES).double()
    ours.head.load_state_dict(theirs.classifier.state_dict())
    targets = torch.tensor([4, 0, 2])
    expected = read(theirs, labels=targets)
    scores = ours(IDS, SEGMENTS, MASK)
    close(scores, expected.logits, 1e-9)
    total, count = ours.loss(scores, targets)
    close(total / count, expected.loss, 1e-9)
    (total / count).backward(), expected.loss.backward()
    same_gradients(ours, theirs)


def test_tokens_as_the_library_does(tmp_path):
    theirs, bert = library("BertForTokenClassification", tmp_path, num_labels=CLASSES)
    ours = TokenClassifier(bert, CLASSES).double()
    ours.head.load_state_dict(theirs.classifier.state_dict())
    targets = torch.full((B, T), IGNORED)
    targets[0, 1:5], targets[1, 2] = torch.tensor([4, 0, 2, 1]), 3
    expected = read(theirs, labels=targets)
    scores = ours(IDS, SEGMENTS, MASK)
    close(scores[MASK], expected.logits[MASK], 1e-9)
    total, count = ours.loss(scores, targets)
    assert count == 5
    close(total / count, expected.loss, 1e-9)
    (total / count).backward(), expected.loss.backward()
    same_gradients(ours, theirs)


def test_spans_as_the_library_does(tmp_path):
    theirs, bert = library("BertForQuestionAnswering", tmp_path)
    ours = SpanReader(bert).double()
    ours.head.load_state_dict(theirs.qa_outputs.state_dict())
    expected = read(theirs)
    start, end = ours(IDS, SEGMENTS, MASK)
    close(start[MASK], expected.start_logits[MASK], 1e-9)
    close(end[MASK], expected.end_logits[MASK], 1e-9)
    assert torch.isneginf(start[~MASK]).all()
    assert torch.isneginf(end[~MASK]).all()
    # Without padding the losses are equal, too; with it, the library's counts padding.
    first = theirs(
        IDS, token_type_ids=SEGMENTS, start_positions=IDS[:, 0] % 5, end_positions=IDS[:, 0] % 7
    )
    targets = torch.stack([IDS[:, 0] % 5, IDS[:, 0] % 7], dim=1)
    total, count = ours.loss(ours(IDS, SEGMENTS), targets)
    close(total / count, first.loss, 1e-9)
    (total / count).backward(), first.loss.backward()
    same_gradients(ours, theirs)


def test_the_mean_and_a_body_without_pooler():
    bert = body()
    hidden = bert(IDS, SEGMENTS, MASK)
    mean = SequenceClassifier(bert, 2, pooling="mean").double()
    by_hand = torch.stack([row[real].mean(dim=0) for row, real in zip(hidden, MASK, strict=True)])
    close(mean(IDS, SEGMENTS, MASK), mean.head(by_hand))
    first = SequenceClassifier(bert, 2).double()
    close(first(IDS, SEGMENTS, MASK), first.head(hidden[:, 0]))


@given(st.integers(1, 6), st.integers(0, 10))
@settings(max_examples=20, deadline=None)
def test_padding_changes_nothing(length, more):
    bert = body()
    ids = IDS[:1, :length]
    padded = torch.cat([ids, torch.zeros(1, more, dtype=torch.long)], dim=1)
    mask = torch.arange(length + more)[None] < length
    for head in (SequenceClassifier(bert, 3, pooling="mean"), TokenClassifier(bert, 3)):
        alone, beside = head.double()(ids), head.double()(padded, mask=mask)
        close(beside if beside.dim() == 2 else beside[:, :length], alone, 1e-9)
    for alone, beside in zip(
        SpanReader(bert).double()(ids), SpanReader(bert).double()(padded, mask=mask), strict=True
    ):
        assert alone.shape == (1, length)
        assert torch.isneginf(beside[:, length:]).all()


# --- the best span --------------------------------------------------------------------------------


def slow_best(start, end, most):
    spans = [(i, j) for i in range(len(start)) for j in range(i, min(len(start), i + most))]
    return max(spans, key=lambda span: (start[span[0]] + end[span[1]]).item())


@given(st.integers(1, 11), st.integers(1, 13), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_the_best_span_is_that_of_a_search(length, most, seed):
    start, end = torch.randn(2, length, generator=torch.Generator().manual_seed(seed))
    assert best_span(start, end, most) == slow_best(start, end, most)


def test_best_span_by_hand():
    start, end = torch.tensor([1.0, 5.0, 2.0, 0.0]), torch.tensor([9.0, 0.0, 3.0, 4.0])
    assert best_span(start, end, 4) == (0, 0)  # 10; the best start 1 and end 0 are no span
    assert best_span(start[1:], end[1:], 3) == (0, 2)  # 5 + 4
    assert best_span(start[1:], end[1:], 2) == (0, 1)  # 5 + 3
    assert best_span(torch.zeros(1), torch.zeros(1), 1) == (0, 0)
    no_start = start.masked_fill(torch.tensor([True, True, False, True]), -torch.inf)
    assert best_span(no_start, end, 4) == (2, 3)


def test_best_span_refuses():
    scores = torch.zeros(3)
    with pytest.raises(ValueError, match="NaN"):
        best_span(torch.tensor([0.0, torch.nan, 0.0]), scores, 3)
    with pytest.raises(ValueError, match="leave none"):
        best_span(torch.full((3,), -torch.inf), scores, 3)
    with pytest.raises(ValueError, match="length T"):
        best_span(torch.zeros(0), torch.zeros(0), 1)
    with pytest.raises(ValueError, match=r"end_scores must have the shape \(3,\), got \(2,\)"):
        best_span(scores, torch.zeros(2), 3)
    with pytest.raises(ValueError, match="max_length must be 1 or more, got 0"):
        best_span(scores, scores, 0)


# --- examples and batches -------------------------------------------------------------------------


def test_examples_of_a_sentence_and_a_pair():
    one = judged(TOKENIZER, "so good", 1)
    assert one == Example([2, 5, 6, 3], [0] * 4, 1)
    two = judged(TOKENIZER, "so good", 0, "badly")
    assert (two.ids, two.segments) == ([2, 5, 6, 3, 7, 8, 3], [0, 0, 0, 0, 1, 1, 1])


def test_the_first_piece_bears_the_tag():
    one = tagged(TOKENIZER, ["so", "badly", "."], [3, 4, 0])
    assert one.ids == [2, 5, 7, 8, 17, 3]
    assert one.target == [IGNORED, 3, 4, IGNORED, 0, IGNORED]
    assert one.places == [1, 2, 4]
    with pytest.raises(ValueError, match="tags must be one for each of 2 words, got 1"):
        tagged(TOKENIZER, ["so", "good"], [1])
    with pytest.raises(ValueError, match="words must have a token each, ' ' has none"):
        tagged(TOKENIZER, ["so", " "], [1, 1])


def test_an_answer_becomes_tokens():
    passage = "Mina is at the town hall."
    one = asked(TOKENIZER, "where is Mina?", passage, 15, 24)
    i, j = one.target
    assert [TOKENS[number] for number in one.ids[i : j + 1]] == ["town", "hall"]
    assert [TOKENS[one.ids[place]] for place in one.places][::6] == ["Mina", "."]
    korean = asked(TOKENIZER, "where?", "박물관에 갔다", 0, 3)
    i, j = korean.target
    assert (TOKENS[korean.ids[i]], i == j) == ("박물관", True)
    with pytest.raises(ValueError, match="end must be 16 or more, got 15"):
        asked(TOKENIZER, "where?", passage, 15, 15)
    with pytest.raises(ValueError, match="must hold a token, got ' '"):
        asked(TOKENIZER, "where?", passage, 4, 5)


def test_batches_are_padded_and_hold_every_example_once():
    some = [judged(TOKENIZER, text, n) for n, text in enumerate(["so", "so good .", "bad", "so"])]
    made = list(source(some, 3)(torch.Generator().manual_seed(0)))
    assert [len(batch["ids"]) for batch in made] == [3, 1]
    assert sorted(torch.cat([batch["targets"] for batch in made]).tolist()) == [0, 1, 2, 3]
    other = list(source(some, 3)(torch.Generator().manual_seed(1)))
    assert made[0]["targets"].tolist() != other[0]["targets"].tolist()
    both = collate(some[:2], pad=0)
    assert both["ids"].tolist() == [[2, 5, 3, 0, 0], [2, 5, 6, 17, 3]]
    assert both["mask"].tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    tags = collate([tagged(TOKENIZER, ["so"], [1]), tagged(TOKENIZER, ["so", "bad"], [1, 2])])
    assert tags["targets"].tolist() == [[-100, 1, -100, -100], [-100, 1, 2, -100]]
    with pytest.raises(ValueError, match="examples must be one Example or more"):
        source([], 3)
    with pytest.raises(ValueError, match="batch_size must be 1 or more"):
        source(some, 0)


def test_predictions_do_not_depend_on_the_company():
    bert = body(dtype=torch.float32)
    texts = ["so good", "bad", "so bad . so bad .", "where is Mina ?"]
    some = [judged(TOKENIZER, text, 0) for text in texts]
    model = SequenceClassifier(bert, 4, pooling="mean").train()
    assert model.predict(some) == [model.predict([one])[0] for one in some]
    assert model.training
    words = [tagged(TOKENIZER, text.split(), [0] * len(text.split())) for text in texts]
    found = TokenClassifier(bert, 5).predict(words)
    assert [len(tags) for tags in found] == [2, 1, 6, 4]
    stories = [asked(TOKENIZER, "where?", "Mina is at the town hall.", 15, 24)] * 2
    reader = SpanReader(bert)
    for first, last in reader.predict(stories, max_length=2):
        assert stories[0].places[0] <= first <= last <= stories[0].places[-1]
        assert last - first < 2


# --- learning -------------------------------------------------------------------------------------


def test_each_head_learns_what_it_is_shown():
    texts = ["so good", "so bad", "good", "bad", "so so good .", "so so bad ."]
    classes = [judged(TOKENIZER, text, int("good" in text)) for text in texts]
    tags = [tagged(TOKENIZER, t.split(), [int(w == "so") for w in t.split()]) for t in texts]
    passages = ["Mina is at the town hall.", "the town hall is bad.", "so Mina is at the hall."]
    spans = []
    for passage in passages:
        start = passage.index("hall")
        spans.append(asked(TOKENIZER, "where?", passage, start, start + 4))
    for model, some in (
        (lambda bert: SequenceClassifier(bert, 2), classes),
        (lambda bert: TokenClassifier(bert, 2), tags),
        (SpanReader, spans),
    ):
        torch.manual_seed(0)
        head = model(Bert(BertConfig(V, D, 1, H, HIDDEN, max_length=19, pooler=False)))
        adam = AdamW(layer_rates(head, 3e-3, decay=0.9))
        fit(head, source(some, 3), loss=head_loss, optimizer=adam, epochs=40)
        found = head.predict(some)
        for example, got in zip(some, found, strict=True):
            target = example.target
            if isinstance(target, list):
                target = [target[place] for place in example.places]
            assert got == target


def test_frozen_parts_stay():
    head = SequenceClassifier(body(layers=3, dtype=torch.float32), 2)
    freeze(head.body, 2)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    adam = torch.optim.AdamW(layer_rates(head, 1e-2))
    data = source([judged(TOKENIZER, "so good", 1)], 1)
    fit(head, data, loss=head_loss, optimizer=adam, steps=1)
    moved = {name for name, value in head.state_dict().items() if not value.equal(before[name])}
    assert {name.split(".")[3] for name in moved if name.startswith("body")} == {"2"}
    assert "head.weight" in moved
    freeze(head.body)
    assert not any(parameter.requires_grad for parameter in head.body.parameters())
    freeze(head.body, 0)
    names = {name for name, p in head.body.named_parameters() if p.requires_grad}
    assert {name.split(".")[2] for name in names} == {"0", "1", "2"}
    with pytest.raises(ValueError, match="n_blocks must be at most 3, got 4"):
        freeze(head.body, 4)


def test_rates_fall_towards_the_input():
    head = SequenceClassifier(body(pooler=True, layers=3), 2)
    groups = layer_rates(head, 0.1, decay=0.5, head_lr=0.7)
    rates = [group["lr"] for group in groups]
    assert rates == pytest.approx([0.0125, 0.025, 0.05, 0.1, 0.7])
    counted = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(counted) == sorted(map(id, head.parameters()))
    assert next(id(p) for p in groups[0]["params"]) == id(head.body.tokens.weight)
    last = {id(p) for p in (*head.head.parameters(), *head.body.pooler.parameters())}
    assert {id(p) for p in groups[-1]["params"]} == last
    freeze(head.body)
    assert [len(group["params"]) for group in layer_rates(head, 0.1)] == [2]
    with pytest.raises(ValueError, match="decay must be above 0, and 1 at most, got 0"):
        layer_rates(head, 0.1, decay=0)
    with pytest.raises(TypeError, match=r"model\.body must be a Bert"):
        layer_rates(torch.nn.Linear(2, 2), 0.1)


def test_heads_refuse():
    with pytest.raises(TypeError, match="body must be a Bert"):
        SequenceClassifier(torch.nn.Linear(2, 2), 3)
    with pytest.raises(ValueError, match="n_classes must be 2 or more, got 1"):
        SequenceClassifier(body(), 1)
    with pytest.raises(ValueError, match="pooling must be"):
        SequenceClassifier(body(), 3, pooling="max")
    with pytest.raises(ValueError, match="n_tags must be 2 or more, got 0"):
        TokenClassifier(body(), 0)
    with pytest.raises(ValueError, match="label must be 0 or more, got -1"):
        judged(TOKENIZER, "so", -1)


# --- scores ---------------------------------------------------------------------------------------


def test_entities_of_odd_tags():
    assert entities(["I-A", "I-A", "B-A", "O", "I-B", "I-A"]) == [
        Entity("A", 0, 1),
        Entity("A", 2, 2),
        Entity("B", 4, 4),
        Entity("A", 5, 5),
    ]
    assert entities([]) == []
    with pytest.raises(ValueError, match=r"tags must be O, B-\.\.\. or I-\.\.\., got 'PER'"):
        entities(["O", "PER"])
    with pytest.raises(ValueError, match="got 'B-'"):
        entities(["B-"])


TAGGED = st.lists(st.lists(st.sampled_from(TAGS), min_size=1, max_size=9), min_size=1, max_size=5)


@given(TAGGED, st.integers(0, 10**6), st.sampled_from([0.0, 0.2, 0.6]))
@settings(max_examples=60, deadline=None)
def test_entity_scores_as_the_library_counts(true, seed, noise):
    nervaluate = pytest.importorskip("nervaluate")
    generator = torch.Generator().manual_seed(seed)

    def changed(tag):
        drawn = torch.rand(2, generator=generator)
        return TAGS[int(drawn[1] * len(TAGS))] if drawn[0] < noise else tag

    predicted = [[changed(tag) for tag in tags] for tags in true]
    scores = entity_scores(true, predicted)
    theirs = nervaluate.Evaluator(true, predicted, tags=["A", "B"], loader="list").evaluate()
    strict = theirs["overall"]["strict"]
    assert scores.precision == pytest.approx(strict.precision, abs=1e-12)
    assert scores.recall == pytest.approx(strict.recall, abs=1e-12)
    assert scores.f1 == pytest.approx(strict.f1, abs=1e-12)


def test_entity_scores_by_hand():
    # 3 true, 4 told, 2 right: 2/4, 2/3, 4/7
    true = [["B-A", "I-A", "O", "B-B"], ["B-A"]]
    told = [["B-A", "I-A", "B-A", "I-B"], ["B-B"]]
    scores = entity_scores(true, told)
    assert scores == pytest.approx((2 / 4, 2 / 3, 4 / 7))
    assert entity_scores([["O"]], [["O"]]) == (0, 0, 0)
    with pytest.raises(ValueError, match="other lengths"):
        entity_scores([["O", "O"]], [["O"]])


def test_answer_scores_by_hand():
    # "the old town hall" / "town hall": 2 of 3 and 2 of 2 words: F1 = 2 * 2 / 5
    assert answer_scores(["town hall"], ["The old town hall!"]) == pytest.approx((0, 0.8))
    assert answer_scores(["학교"], ["학교"]) == (1, 1)
    assert answer_scores(["the"], [""]) == (1, 1)  # nothing, and nothing
    assert answer_scores(["a b b"], ["b b b"]) == pytest.approx((0, 0.8))  # 2 of 2 and of 3
    with pytest.raises(ValueError, match="as many as true, 1, got 2"):
        answer_scores(["a"], ["a", "b"])


def test_losses_are_exact_for_any_batches():
    bert = body()
    model = TokenClassifier(bert, 3).double()
    some = [tagged(TOKENIZER, ["so"] * n, [1] * n) for n in (1, 4, 2)]
    whole, count = head_loss(model, collate(some))
    parts = [head_loss(model, collate([one])) for one in some]
    assert count == sum(n for _, n in parts) == 7
    close(torch.stack([part for part, _ in parts]).sum(), whole, 1e-9)
    batch = collate(some)
    scores = model(batch["ids"], batch["segments"], batch["mask"])
    kept = batch["targets"] != IGNORED
    close(cross_entropy(scores[kept], batch["targets"][kept]), whole / count, 1e-9)
