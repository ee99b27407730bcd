"""Fine-tuning: a step beside that of the transformers library, and the long table of the chapter.

``python -m benchmarks finetuning`` compares a step of fine-tuning, the same for both libraries:
forward, loss, backward and AdamW, on a batch of 16 sentences. ``python -m benchmarks.finetuning``
measures what the chapter names and does not compute: four tasks, three numbers of labels, two
bodies, the learning rate of each chosen on validation data, five seeds. It takes about half an hour
of one core.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.harness import Result, compare
from companion.data.town.inference import LABELS, entailment
from companion.data.town.stories import questions
from companion.data.town.tasks import sentiment
from companion.data.town.tasks import tagged as tagged_sentences
from companion.pretraining.bert import Bert, BertConfig
from companion.pretraining.finetuning import (
    Example,
    SequenceClassifier,
    SpanReader,
    TokenClassifier,
    asked,
    entity_scores,
    fine_tune,
    judged,
    tagged,
)
from companion.sequences.tokenization import WordPieceTokenizer
from companion.weights import find

KINDS = ("PER", "LOC", "DATE", "EVENT")
TAGS = ("O", *(f"{mark}-{kind}" for kind in KINDS for mark in "BI"))
TASKS = ("opinions", "names", "inference", "answers")
STEPS = {32: 40, 128: 60, 512: 120}  # the same for both bodies
RATES = (5e-4, 1e-3, 2e-3, 4e-3)
BODIES = ("pre-trained", "random")
SEEDS = 5


# --- a step, beside the library's -----------------------------------------------------------------


def measure() -> list[Result]:
    """Time a step of both libraries in turns, with the same weights and the same batch."""
    from transformers import BertForSequenceClassification

    torch.manual_seed(0)
    sizes: dict[str, Any] = {"d_model": 256, "n_layers": 4, "n_heads": 4, "d_hidden": 1024}
    ours = SequenceClassifier(Bert(BertConfig(8000, **sizes)), 2)
    with tempfile.TemporaryDirectory() as folder:
        ours.body.save_pretrained(folder)
        theirs = BertForSequenceClassification.from_pretrained(folder, num_labels=2)
    theirs.classifier.load_state_dict(ours.head.state_dict())
    ids, labels = torch.randint(5, 8000, (16, 32)), torch.randint(2, (16,))
    mask = torch.arange(32) < torch.randint(8, 33, (16, 1))
    assert torch.allclose(
        ours(ids, mask=mask), theirs(ids, attention_mask=mask.long()).logits, atol=1e-4
    )
    steps = (
        _step(ours, lambda: ours(ids, mask=mask), labels),
        _step(theirs, lambda: theirs(ids, attention_mask=mask.long()).logits, labels),
    )
    return [compare("fine-tuning: step of a classifier", *steps, against="transformers", runs=21)]


def _step(model: Any, scores: Callable[[], Any], labels: Any) -> Callable[[], None]:
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    adam = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def run() -> None:
        adam.zero_grad()
        cross_entropy(scores(), labels).backward()
        adam.step()

    return run


# --- the long table -------------------------------------------------------------------------------

FOLDER = find("town-bert")
TOKENIZER = WordPieceTokenizer.load(FOLDER / "tokenizer.json")
CONFIG = Bert.from_pretrained(FOLDER).config


def examples(task: str, n: int, *, seed: int, split: str = "train") -> list[Example]:
    """Make labelled examples of a task, as the chapter does."""
    if task == "opinions":
        some = sentiment(n, seed=seed, split=split, words="all")
        return [judged(TOKENIZER, one.ko, one.label) for one in some]
    if task == "names":
        found = tagged_sentences(n, seed=seed, split=split, words="all")
        return [tagged(TOKENIZER, o.tokens, [TAGS.index(tag) for tag in o.entities]) for o in found]
    if task == "inference":
        pairs = entailment(n, seed=seed, split=split)
        number = LABELS.index
        return [judged(TOKENIZER, p.premise_en, number(p.label), p.hypothesis_en) for p in pairs]
    stories = questions(n, seed=seed, split=split, length=4)
    return [asked(TOKENIZER, q.question_en, q.passage_en, q.start_en, q.end_en) for q in stories]


def head_for(task: str, body: Bert) -> Any:
    """Return the head of a task on a body."""
    if task == "names":
        return TokenClassifier(body, len(TAGS))
    if task == "answers":
        return SpanReader(body)
    return SequenceClassifier(body, 2 if task == "opinions" else 3, pooling="mean")


def score(task: str, model: Any, some: Sequence[Example]) -> float:
    """Return the share of right answers; of names, F1 over entities."""
    found = model.predict(some)
    if task == "names":
        true = [[TAGS[one.target[place]] for place in one.places] for one in some]
        return entity_scores(true, [[TAGS[tag] for tag in row] for row in found]).f1
    return float(np.mean([got == one.target for got, one in zip(found, some, strict=True)]))


def trained(task: str, kind: str, n: int, seed: int, lr: float) -> Any:
    """Return a head that has learnt from n examples, on one of the two bodies."""
    torch.manual_seed(1000 + seed)
    body = Bert.from_pretrained(FOLDER).float() if kind == "pre-trained" else Bert(CONFIG)
    torch.manual_seed(seed)
    model = head_for(task, body)
    some = examples(task, n, seed=10 + seed)
    options = {"steps": STEPS[n], "batch_size": 16 if task in ("opinions", "names") else 8}
    fine_tune(model, some, lr=lr, head_lr=max(lr, 3e-3), seed=seed, **options)
    return model


def chosen_rate(task: str, kind: str, n: int) -> float:
    """Return the rate with the best mean of two seeds on validation data."""
    check = examples(task, 200, seed=0, split="validation")
    found = {
        lr: np.mean([score(task, trained(task, kind, n, seed, lr), check) for seed in (90, 91)])
        for lr in RATES
    }
    return max(found, key=lambda lr: found[lr])


def main(tasks: Sequence[str]) -> None:
    """Print the table line by line."""
    torch.set_num_threads(1)
    for task in tasks or TASKS:
        test = examples(task, 300, seed=0, split="test")
        for n in STEPS:
            for kind in BODIES:
                lr = chosen_rate(task, kind, n)
                values = [
                    score(task, trained(task, kind, n, seed, lr), test) for seed in range(SEEDS)
                ]
                shown = " ".join(f"{100 * value:5.1f}" for value in values)
                mean = 100 * np.mean(values)
                print(f"{task:10}{n:4} {kind:12}{lr:.0e}  {shown}   mean {mean:5.1f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
