"""Fine-tuning: one pre-trained body, four heads: sentences, pairs, tokens, spans.

The body gives hidden states h_1 ... h_T of width D. A head is one linear layer, or two vectors::

    sentence, pair   softmax(W h + b)          h is h_[CLS], or the mean of all h_t;   (B, classes)
    tokens           softmax(W h_t + b)        for every t;                         (B, T, tags)
    spans            s_t = S h_t,  e_t = E h_t     two softmaxes over t;          (B, T) and (B, T)
                     answer: the pair i <= j with the largest s_i + e_j

Body and head learn together, from few labelled examples, at a small learning rate. The module also
has what the field measures: entities that are right as a whole, exact match and F1 of answers. What
it leaves out: adapters that leave the body alone (Part 5), and answers that are not in the text.

References (in full in the chapter's bibliography): Devlin and others (2019); Howard and Ruder
(2018), learning rates by layer; Tjong Kim Sang and De Meulder (2003), entities; Rajpurkar and
others (2016), answers as spans.

Chapter: book/pretraining/finetuning.ipynb
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from companion.arguments import (
    between,
    came,
    choice,
    instance,
    integer,
    listed,
    number,
    sentences,
    size,
    tensor,
    texts,
)
from companion.basics.training import History, fit
from companion.pretraining.bert import IGNORED, Bert, mean_pool
from companion.runs.batches import Batch, Source
from companion.sequences.tokenization.base import Tokenizer

AT_ONCE = 64  # examples that are judged together


# --- the heads ------------------------------------------------------------------------------------


class SequenceClassifier(nn.Module):
    """A body that judges a sentence, or a pair of sentences: one vector, one linear layer.

    Parameters
    ----------
    body : Bert
        It learns with the head, unless it is frozen.
    n_classes : int
        2 or more.
    pooling : str, default "cls"
        What stands for the sentence: "cls", the vector at [CLS] (through `Bert.pool` if the body
        has a pooler), or "mean", the mean over the real tokens.

    Examples
    --------
    >>> from companion.pretraining.bert import BertConfig
    >>> body = Bert(BertConfig(11, d_model=6, n_layers=2, n_heads=3, d_hidden=12))
    >>> SequenceClassifier(body, 3)(torch.tensor([[2, 7, 5, 3]])).shape
    torch.Size([1, 3])
    """

    def __init__(self, body: Bert, n_classes: int, *, pooling: str = "cls") -> None:
        super().__init__()
        self.body = instance(body, "body", Bert)
        self.pooling = choice(pooling, "pooling", ("cls", "mean"))
        self.head = nn.Linear(body.config.d_model, integer(n_classes, "n_classes", 2))

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return the scores of the classes, (B, n_classes); the arguments are those of the body."""
        hidden = self.body(ids, segments, mask)  # (B, T, D)
        if self.pooling == "mean":
            return self.head(mean_pool(hidden, mask))
        return self.head(hidden[:, 0] if self.body.pooler is None else self.body.pool(hidden))

    def loss(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        """Return the sum of the cross-entropies of B classes, and B."""
        return cross_entropy(scores, targets, reduction="sum"), len(targets)

    def predict(self, examples: Sequence[Example]) -> list[int]:
        """Return the most probable class of each example."""
        found: list[int] = []
        for _, scores in _scores(self, examples):
            found += scores.argmax(dim=1).tolist()
        return found


class TokenClassifier(nn.Module):
    """A body that tags every token: the same linear layer at every position.

    Parameters
    ----------
    body : Bert
    n_tags : int
        2 or more.
    """

    def __init__(self, body: Bert, n_tags: int) -> None:
        super().__init__()
        self.body = instance(body, "body", Bert)
        self.head = nn.Linear(body.config.d_model, integer(n_tags, "n_tags", 2))

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return the scores of the tags, (B, T, n_tags); the arguments are those of the body."""
        return self.head(self.body(ids, segments, mask))

    def loss(self, scores: Tensor, targets: Tensor) -> tuple[Tensor, int]:
        """Return the sum of the cross-entropies of the tags, (B, T), and how many count."""
        count = int((targets != IGNORED).sum())
        both = scores.flatten(0, 1), targets.flatten()
        return cross_entropy(*both, ignore_index=IGNORED, reduction="sum"), count

    def predict(self, examples: Sequence[Example]) -> list[list[int]]:
        """Return the most probable tag of each word: of the first piece that it is cut into."""
        found = []
        for some, scores in _scores(self, examples):
            for example, row in zip(some, scores.argmax(dim=2).tolist(), strict=True):
                found.append([row[place] for place in example.places])
        return found


class SpanReader(nn.Module):
    """A body that finds the answer in the text: where it starts and where it ends.

    Parameters
    ----------
    body : Bert

    Attributes
    ----------
    head : nn.Linear
        Its two rows are the vectors S and E: a token's scores as start and as end are its inner
        products with them (and two biases, which change nothing).
    """

    def __init__(self, body: Bert) -> None:
        super().__init__()
        self.body = instance(body, "body", Bert)
        self.head = nn.Linear(body.config.d_model, 2)

    def forward(
        self, ids: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the scores of all tokens as start and as end, (B, T) and (B, T).

        At padding both are minus infinity: no softmax gives it a share.
        """
        start, end = self.head(self.body(ids, segments, mask)).unbind(dim=2)  # (B, T) each
        if mask is not None:
            start, end = (scores.masked_fill(~mask, -torch.inf) for scores in (start, end))
        return start, end

    def loss(self, scores: tuple[Tensor, Tensor], targets: Tensor) -> tuple[Tensor, int]:
        """Return the sum over B texts of the mean of both cross-entropies, and B."""
        ends = zip(scores, targets.unbind(dim=1), strict=True)
        total = torch.stack([cross_entropy(one, at, reduction="sum") for one, at in ends])
        return total.mean(), len(targets)

    def predict(self, examples: Sequence[Example], max_length: int = 8) -> list[tuple[int, int]]:
        """Return the best span of each text: first and last token, both within the passage."""
        found = []
        for some, (starts, ends) in _scores(self, examples):
            for example, start, end in zip(some, starts, ends, strict=True):
                first, last = example.places[0], example.places[-1] + 1
                i, j = best_span(start[first:last], end[first:last], max_length)
                found.append((first + i, first + j))
        return found


def best_span(start_scores: Tensor, end_scores: Tensor, max_length: int) -> tuple[int, int]:
    """Return the span i to j, both included, with the largest start_scores[i] + end_scores[j].

    Parameters
    ----------
    start_scores, end_scores : Tensor, shape (T,)
        Scores of the tokens of a passage; minus infinity where no answer may begin or end.
    max_length : int
        Longest answer, in tokens: i <= j < i + max_length.

    Examples
    --------
    >>> best_span(torch.tensor([1.0, 5.0, 2.0]), torch.tensor([4.0, 0.0, 3.0]), 2)  # not 1 to 0
    (1, 2)
    """
    (T,) = tensor(start_scores, "start_scores", ("T",)).shape
    tensor(end_scores, "end_scores", (size(T, "the length T of start_scores"),))
    integer(max_length, "max_length", 1)
    both = start_scores[:, None] + end_scores[None, :]  # (T, T): row i, column j
    if both.isnan().any():
        raise ValueError("start_scores and end_scores must not give NaN, got some")
    allowed = torch.ones(T, T, dtype=torch.bool, device=both.device).triu()
    allowed &= ~allowed.triu(max_length)
    i, j = divmod(int(both.masked_fill(~allowed, -torch.inf).argmax()), T)
    if both[i, j] == -torch.inf:
        raise ValueError("start_scores and end_scores must leave a span possible, they leave none")
    return i, j


# --- examples, and what makes batches of them -----------------------------------------------------


@dataclass(frozen=True)
class Example:
    """What a head reads, and what it should say.

    Attributes
    ----------
    ids, segments : list of int
        T tokens, and the sentence of each.
    target : int, list of int, or (int, int)
        A class; a tag for each token, -100 where none counts; or first and last token of a span.
    places : sequence of int
        Where the words begin that are tagged; or where the passage is; empty for a class.
    """

    ids: list[int]
    segments: list[int]
    target: Any
    places: Sequence[int] = ()


def judged(tokenizer: Tokenizer, text: str, label: int, pair: str | None = None) -> Example:
    """Make an example of a sentence, or of a pair, with its class.

    Examples
    --------
    >>> from companion.sequences.tokenization import WordPieceTokenizer
    >>> tokens = ["[UNK]", "[CLS]", "[SEP]", "so", "good"]
    >>> tokenizer = WordPieceTokenizer(tokens, around=("[CLS]", "[SEP]"))
    >>> judged(tokenizer, "so good", 1)
    Example(ids=[1, 3, 4, 2], segments=[0, 0, 0, 0], target=1, places=())
    """
    label = integer(label, "label", 0)
    encoding = instance(tokenizer, "tokenizer", Tokenizer).encode_pair(text, pair)
    return Example(encoding.ids, encoding.segments, label)


def tagged(tokenizer: Tokenizer, words: Sequence[str], tags: Sequence[int]) -> Example:
    """Make an example of words, each with a tag; of its pieces, the first one bears the tag.

    Parameters
    ----------
    tokenizer : Tokenizer
        With [CLS] and [SEP] around.
    words : sequence of str
        One or more.
    tags : sequence of int
        As many.
    """
    instance(tokenizer, "tokenizer", Tokenizer)
    words, numbers = texts(words, "words"), listed(tags, "tags", "integers")
    if len(words) != len(numbers):
        raise ValueError(f"tags must be one for each of {len(words)} words, got {len(numbers)}")
    before, after = tokenizer.encode("")[:1], tokenizer.encode("")[1:]
    ids, target, places = list(before), [IGNORED] * len(before), []
    for word, tag in zip(words, numbers, strict=True):
        pieces = tokenizer.text_ids(word)
        if not pieces:
            raise ValueError(f"words must have a token each, {word!r} has none")
        places.append(len(ids))
        target += [integer(tag, "tags", 0), *[IGNORED] * (len(pieces) - 1)]
        ids += pieces
    ids, target = ids + after, target + [IGNORED] * len(after)
    return Example(ids, [0] * len(ids), target, places)


def asked(tokenizer: Tokenizer, question: str, passage: str, start: int, end: int) -> Example:
    """Make an example of a question and a passage, whose answer is ``passage[start:end]``.

    Its span is that of all tokens which hold a part of the answer; in Korean the last of them may
    hold a particle, too.
    """
    encoding = instance(tokenizer, "tokenizer", Tokenizer).encode_pair(
        instance(question, "question", str), instance(passage, "passage", str)
    )
    integer(start, "start", 0, len(passage) - 1)
    integer(end, "end", start + 1, len(passage))
    places = [
        place
        for place, (segment, special) in enumerate(
            zip(encoding.segments, encoding.special, strict=True)
        )
        if segment == 1 and not special
    ]
    inside = [
        place
        for place in places
        if encoding.offsets[place][0] < end and encoding.offsets[place][1] > start
    ]
    if not inside:
        raise ValueError(f"the answer must hold a token, got {passage[start:end]!r}")
    span = inside[0], inside[-1]
    return Example(encoding.ids, encoding.segments, span, range(places[0], places[-1] + 1))


def source(examples: Sequence[Example], batch_size: int, *, pad: int = 0) -> Source:
    """Return a source for `companion.basics.training.fit`: shuffled batches, padded to the longest.

    Parameters
    ----------
    examples : sequence of Example
        All for the same head.
    batch_size : int
        Rows of a batch; the last may have fewer.
    pad : int, default 0
        The id that fills up.
    """
    examples = _examples(examples)
    integer(batch_size, "batch_size", 1)

    def make(generator: torch.Generator) -> Iterator[Batch]:
        order = torch.randperm(len(examples), generator=generator)
        for rows in order.split(batch_size):
            yield collate([examples[row] for row in rows.tolist()], pad=pad)

    return make


def collate(examples: Sequence[Example], *, pad: int = 0) -> Batch:
    """Put examples into one batch: "ids", "segments", "mask", "targets"."""
    T = max(len(example.ids) for example in _examples(examples))
    integer(pad, "pad", 0)
    gaps = [T - len(example.ids) for example in examples]
    pairs = list(zip(examples, gaps, strict=True))
    is_tagged = isinstance(examples[0].target, list)
    return {
        "ids": torch.tensor([one.ids + [pad] * gap for one, gap in pairs]),
        "segments": torch.tensor([one.segments + [0] * gap for one, gap in pairs]),
        "mask": torch.tensor([[True] * (T - gap) + [False] * gap for gap in gaps]),
        "targets": torch.tensor(
            [one.target + [IGNORED] * gap if is_tagged else one.target for one, gap in pairs]
        ),
    }


def head_loss(model: Any, batch: Mapping[str, Tensor]) -> tuple[Tensor, int]:
    """Return the loss of a head for `fit`: what `model.loss` says of its scores, (sum, count)."""
    scores = model(batch["ids"], batch["segments"], batch["mask"])
    return model.loss(scores, batch["targets"])


@torch.no_grad()
def _scores(model: Any, examples: Sequence[Example]) -> Iterator[tuple[list[Example], Any]]:
    """Yield examples with their scores, some at a time, in their order."""
    examples = _examples(examples)
    training = model.training
    model.eval()
    for start in range(0, len(examples), AT_ONCE):
        some = list(examples[start : start + AT_ONCE])
        batch = collate(some)
        yield some, model(batch["ids"], batch["segments"], batch["mask"])
    model.train(training)


def _examples(examples: Any) -> Sequence[Example]:
    found = listed(examples, "examples", "a list of Example")
    if not found or not all(isinstance(one, Example) for one in found):
        raise ValueError(f"examples must be one Example or more, got {came(examples)}")
    return found


# --- what learns, and how fast --------------------------------------------------------------------


def freeze(body: Bert, n_blocks: int | None = None) -> None:
    """Let the embeddings and the first `n_blocks` blocks of a body learn no more; by default all.

    Examples
    --------
    >>> from companion.pretraining.bert import BertConfig
    >>> body = Bert(BertConfig(11, d_model=6, n_layers=2, n_heads=3, d_hidden=12, pooler=False))
    >>> freeze(body, 1)
    >>> {name.split(".")[2] for name, p in body.named_parameters() if p.requires_grad}
    {'1'}
    """
    blocks = instance(body, "body", Bert).body.blocks
    n = len(blocks) if n_blocks is None else integer(n_blocks, "n_blocks", 0, len(blocks))
    kept = [blocks[place] for place in range(n, len(blocks))]
    learning = {id(p) for block in kept for p in block.parameters()}
    for parameter in body.parameters():
        parameter.requires_grad_(id(parameter) in learning)


def layer_rates(
    model: nn.Module, lr: float, *, decay: float = 1.0, head_lr: float | None = None
) -> list[dict[str, Any]]:
    """Return groups of parameters for an optimiser: the nearer to the input, the slower.

    The last block learns at `lr`, the one below at ``decay * lr``, and so on; the embeddings come
    below the first block.

    Parameters
    ----------
    model : SequenceClassifier, TokenClassifier or SpanReader
        Parameters that are frozen are left out.
    lr : float
        Of the last block.
    decay : float, default 1
        Between 0 (excluded) and 1.
    head_lr : float, optional
        Of the head; `lr` without it.
    """
    body = instance(getattr(model, "body", None), "model.body", Bert)
    between(0, lr, torch.inf, "lr")
    if not 0 < number(decay, "decay") <= 1:
        raise ValueError(f"decay must be above 0, and 1 at most, got {decay}")
    if head_lr is not None:
        between(0, head_lr, torch.inf, "head_lr")
    blocks = body.body.blocks
    groups = [
        {"params": list(block.parameters()), "lr": lr * decay ** (len(blocks) - 1 - place)}
        for place, block in enumerate(blocks)
    ]
    below = [body.tokens, body.segments, body.body.positions, body.body.embedding_norm]
    lowest = [parameter for part in below for parameter in part.parameters()]
    groups.insert(0, {"params": lowest, "lr": lr * decay ** len(blocks)})
    seen = {id(parameter) for group in groups for parameter in group["params"]}
    rest = [parameter for parameter in model.parameters() if id(parameter) not in seen]
    groups.append({"params": rest, "lr": lr if head_lr is None else head_lr})
    for group in groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]
    return [group for group in groups if group["params"]]


def fine_tune(
    model: Any,
    examples: Sequence[Example],
    *,
    lr: float,
    steps: int,
    batch_size: int = 16,
    decay: float = 1.0,
    head_lr: float | None = None,
    seed: int = 0,
) -> History:
    """Train a head with its body in the usual way, and tell how it went.

    AdamW; the rates of `layer_rates` rise during the first tenth of the steps and then fall to 0 on
    a straight line; gradients longer than 1 are cut to that length.

    Parameters
    ----------
    model : SequenceClassifier, TokenClassifier or SpanReader
        Its parameters are changed, except the frozen ones.
    examples : sequence of Example
        What to learn from.
    lr, decay, head_lr : float
        As in `layer_rates`.
    steps, batch_size : int
        Updates, and examples of each.
    seed : int, default 0
        The order of the examples follows from it.
    """
    integer(steps, "steps", 1)
    rising = max(1, steps // 10)
    groups = layer_rates(model, lr, decay=decay, head_lr=head_lr)
    return fit(
        model,
        source(examples, batch_size),
        loss=head_loss,
        optimizer=torch.optim.AdamW(groups, fused=True),  # as ours, in one pass: six times as fast
        steps=steps,
        schedule=lambda step: min(1.0, (step + 1) / rising) * (1 - step / steps),
        clip_norm=1.0,
        seed=seed,
    )


# --- what is measured -----------------------------------------------------------------------------


class Entity(NamedTuple):
    """What is named, from a first word to a last, both included."""

    kind: str
    start: int
    end: int


class Scores(NamedTuple):
    """Precision, recall and F1: shares between 0 and 1."""

    precision: float
    recall: float
    f1: float


def entities(tags: Sequence[str]) -> list[Entity]:
    """Read the entities out of BIO tags.

    B- begins an entity, I- continues one, O is outside. An I- that continues nothing of its kind
    begins an entity, too: so the field counts.

    Examples
    --------
    >>> entities(["B-PER", "O", "B-LOC", "I-LOC", "I-PER"])
    [Entity(kind='PER', start=0, end=0), Entity(kind='LOC', start=2, end=3), \
Entity(kind='PER', start=4, end=4)]
    """
    found: list[Entity] = []
    for place, tag in enumerate(texts(tags, "tags", least=0)):
        mark, _, kind = tag.partition("-")
        if tag != "O" and (mark not in ("B", "I") or not kind):
            raise ValueError(f"tags must be O, B-... or I-..., got {tag!r}")
        if tag == "O":
            continue
        last = found[-1] if found else None
        if mark == "I" and last and (last.kind, last.end) == (kind, place - 1):
            found[-1] = last._replace(end=place)
        else:
            found.append(Entity(kind, place, place))
    return found


def entity_scores(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Scores:
    """Count entities that are right as a whole: kind, first and last word.

    Parameters
    ----------
    true, predicted : sequence of sequences of str
        The BIO tags of the same sentences.

    Returns
    -------
    Scores
        Over all entities of all sentences; 0 where there is nothing to divide by.

    Examples
    --------
    >>> scores = entity_scores([["B-PER", "O", "B-LOC", "I-LOC"]], [["B-PER", "O", "B-LOC", "O"]])
    >>> scores.precision, scores.recall, scores.f1
    (0.5, 0.5, 0.5)
    """
    true, predicted = sentences(true, "true"), sentences(predicted, "predicted")
    if [len(tags) for tags in true] != [len(tags) for tags in predicted]:
        raise ValueError("predicted must have a tag for each tag of true, got other lengths")
    right = n_true = n_predicted = 0
    for one, other in zip(true, predicted, strict=True):
        wanted, got = set(entities(one)), set(entities(other))
        right += len(wanted & got)
        n_true, n_predicted = n_true + len(wanted), n_predicted + len(got)
    return _scored(right, n_true, n_predicted)


def answer_scores(true: Sequence[str], predicted: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1 of answers: means over all questions, between 0 and 1.

    Capital letters, punctuation, spaces and the articles a, an, the do not count. F1 is that of the
    words which an answer shares with the true one.

    Parameters
    ----------
    true, predicted : sequence of str
        As many of both, one or more.

    Examples
    --------
    >>> answer_scores(["town hall", "school"], ["The town hall.", "town hall"])
    (0.5, 0.5)
    """
    true, predicted = texts(true, "true"), texts(predicted, "predicted")
    if len(true) != len(predicted):
        wanted = f"as many as true, {len(true)}"
        raise ValueError(f"predicted must be {wanted}, got {len(predicted)}")
    exact, f1 = 0, 0.0
    for one, other in zip(map(_words, true), map(_words, predicted), strict=True):
        exact += one == other
        shared = (Counter(one) & Counter(other)).total()
        f1 += _scored(shared, len(one), len(other)).f1 if one or other else 1.0
    return exact / len(true), f1 / len(true)


def _words(answer: str) -> list[str]:
    kept = "".join(sign for sign in answer.lower() if sign not in string.punctuation)
    return [word for word in kept.split() if word not in ("a", "an", "the")]


def _scored(right: int, n_true: int, n_predicted: int) -> Scores:
    precision = right / n_predicted if n_predicted else 0.0
    recall = right / n_true if n_true else 0.0
    return Scores(precision, recall, 2 * right / (n_true + n_predicted) if right else 0.0)
