"""How `town-bert` was trained: BERT's masked words, on the town in Korean and in English.

``python -m tools.models town-bert`` does it again, in under half an hour of one core: documents
(`tools.models.bert_text`), one tokenizer for both languages, a BERT of four blocks, Muon for the
matrices and AdamW for the rest. Everything random follows from one seed: repeated on the same
machine, every bit is the same. The finished folder opens as ``BertForMaskedLM`` in the transformers
library, with weights of 16 bits (float16), and holds its model card and the log of its training.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from companion.basics.training import History, fit
from companion.data.town.tasks import parallel
from companion.pretraining.bert import (
    BertConfig,
    MaskedLanguageModel,
    mask_tokens,
    masked_loss,
)
from companion.runs.batches import Batch
from companion.sequences.tokenization import WordPieceTokenizer
from tools.models import muon
from tools.models.bert_text import Document, documents

VOCABULARY = 4000  # tokens of the tokenizer
LENGTH = 128  # most tokens of a document; the rest is cut off
TO_COUNT = 40_000  # documents from which the tokenizer is learnt
LEARNT, CHECKED = -1, -2  # seeds of these documents, and of those that only measure
SEED = 2019  # of all else


@dataclass(frozen=True)
class Lesson:
    """What is chosen for one of the trainings that follow each other.

    Attributes
    ----------
    mixture : int
        Which documents are read, and how often: a place in `tools.models.bert_text.MIXTURES`.
    steps, tokens : int
        Updates, and tokens of a batch at most.
    pool : int
        Documents that are dealt out into batches together, sorted by length: an epoch.
    rate : float
        Share of the tokens that are to be told.
    lr, adam_lr, weight_decay, warmup : float
        Learning rates of the two optimisers, what shrinks the matrices, and the share of the steps
        in which the rates rise; after it they fall to 0 on a straight line.
    """

    mixture: int = 0
    steps: int = 2400
    tokens: int = 1536
    pool: int = 12_000
    rate: float = 0.2
    lr: float = 0.02
    adam_lr: float = 0.003
    weight_decay: float = 0.01
    warmup: float = 0.02

    def schedule(self, step: int) -> float:
        """Return the factor of the learning rates."""
        rising = (step + 1) / max(1, self.warmup * self.steps)
        return min(1.0, rising) * (1 - step / self.steps)


# After the first lesson the model filled "cheap but [MASK]" and "awful but [MASK]" alike: it knew
# that an adjective comes, not of which side. The second has more opinions, more that is told twice,
# and more of the small vocabulary; and it hides more words.
LESSONS = (Lesson(), Lesson(mixture=1, steps=2000, rate=0.25))


def train(folder: Path, *, checkpoint: Path | None = None) -> dict[str, Any]:
    """Train the model, write its folder, and return what was measured.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    checkpoint : Path, optional
        A folder that keeps the training after each epoch: interrupted, it goes on from there.
    """
    start = time.process_time()
    tokenizer = learn_tokenizer()
    model, histories = new_model(tokenizer), []
    for number, lesson in enumerate(LESSONS):
        place = None if checkpoint is None else checkpoint / f"lesson-{number}"
        histories.append(learn(model, tokenizer, lesson, checkpoint=place))
    seconds = round(time.process_time() - start)
    model.half().save_pretrained(folder)
    tokenizer.save(folder / "tokenizer.json")
    log = {
        "seed": SEED,
        "processor_seconds": seconds,
        "measured": measure(folder),
        "lessons": [
            {
                **vars(lesson),
                "loss_of_first_steps": history.step_loss[:5],
                "loss_of_epochs": [round(loss, 4) for loss in history.train_loss],
                "loss_on_other_documents": [round(loss, 4) for loss in history.validation_loss],
            }
            for lesson, history in zip(LESSONS, histories, strict=True)
        ],
    }
    (folder / "training.json").write_text(json.dumps(log, indent=1) + "\n", "utf-8")
    return log["measured"] | {"processor_seconds": seconds}


def learn_tokenizer() -> WordPieceTokenizer:
    """Learn one vocabulary for both languages; capital letters and Hangul stay as they are."""
    found = [text for both in islice(documents(LEARNT), TO_COUNT) for text in both if text]
    return WordPieceTokenizer.train(found, VOCABULARY, lowercase=False)


def new_model(tokenizer: WordPieceTokenizer) -> MaskedLanguageModel:
    """Make the model with its first numbers."""
    torch.manual_seed(SEED)
    sizes = {"d_model": 160, "n_layers": 4, "n_heads": 5, "d_hidden": 640, "max_length": LENGTH}
    return MaskedLanguageModel(BertConfig(len(tokenizer), **sizes, pooler=False))


def learn(
    model: MaskedLanguageModel,
    tokenizer: WordPieceTokenizer,
    lesson: Lesson,
    *,
    steps: int | None = None,
    checkpoint: Path | None = None,
    is_measured: bool = True,
) -> History:
    """Let a model take a lesson, or only the first steps of it, measured or not."""
    groups = muon.groups(
        model,
        lr=lesson.lr,
        adam_lr=lesson.adam_lr,
        inside=".blocks.",
        weight_decay=lesson.weight_decay,
    )
    return fit(
        model,
        lambda generator: batches(tokenizer, lesson, generator),
        loss=masked_loss,
        optimizer=muon.Muon(groups),
        steps=steps or lesson.steps,
        schedule=lesson.schedule,
        validation=(lambda generator: to_check(tokenizer, lesson.rate)) if is_measured else None,
        clip_norm=1.0,
        seed=SEED + lesson.mixture,
        device="cpu",
        checkpoint=checkpoint,
    )


def batches(
    tokenizer: WordPieceTokenizer, lesson: Lesson, generator: torch.Generator
) -> Iterator[Batch]:
    """Make the batches of an epoch: new documents, dealt out by length, some tokens hidden."""
    seed = int(torch.randint(2**31, (), generator=generator))
    found = encoded(tokenizer, list(islice(documents(seed, lesson.mixture), lesson.pool)))
    found.sort(key=len)  # stable, as all that follows
    rows: list[list[int]] = []
    cut: list[list[list[int]]] = []
    for ids in found:
        if (len(rows) + 1) * len(ids) > lesson.tokens:
            cut.append(rows)
            rows = []
        rows.append(ids)
    for place in torch.randperm(len(cut), generator=generator).tolist():
        yield batch(tokenizer, cut[place], lesson.rate, generator)


def to_check(tokenizer: WordPieceTokenizer, rate: float) -> Iterator[Batch]:
    """Make batches of 1,000 other documents, always the same."""
    generator = torch.Generator().manual_seed(SEED)
    found = sorted(encoded(tokenizer, list(islice(documents(CHECKED), 1000))), key=len)
    for start in range(0, len(found), 100):
        yield batch(tokenizer, found[start : start + 100], rate, generator)


def encoded(tokenizer: WordPieceTokenizer, some: list[Document]) -> list[list[int]]:
    """Turn documents into ids: [CLS] text [SEP], or [CLS] text [SEP] text [SEP]."""
    return [tokenizer.encode(*document)[:LENGTH] for document in some]


def batch(
    tokenizer: WordPieceTokenizer, rows: list[list[int]], rate: float, generator: torch.Generator
) -> Batch:
    """Make one batch: inputs, targets, segments and mask, each (B, T)."""
    vocabulary = tokenizer.vocabulary
    T = max(map(len, rows))
    ids = torch.tensor([row + [vocabulary.pad] * (T - len(row)) for row in rows])
    inputs, targets = mask_tokens(
        ids,
        mask_id=vocabulary.mask,
        vocab_size=len(vocabulary),
        special_ids=[vocabulary[token] for token in tokenizer.special_tokens],
        rate=rate,
        generator=generator,
    )
    return {
        "inputs": inputs,
        "targets": targets,
        "segments": segments_of(ids, vocabulary.sep),
        "mask": ids != vocabulary.pad,
    }


def segments_of(ids: Tensor, sep: int) -> Tensor:
    """Return 1 for what stands behind the first [SEP], 0 for the rest; padding included.

    Examples
    --------
    >>> segments_of(torch.tensor([[2, 7, 3, 8, 3, 0]]), sep=3)
    tensor([[0, 0, 0, 1, 1, 1]])
    """
    is_sep = (ids == sep).long()
    return (is_sep.cumsum(dim=1) - is_sep).clamp(max=1)


@torch.no_grad()
def measure(folder: Path, n: int = 600) -> dict[str, float]:
    """Measure how often the hidden token of a test sentence is told, first try.

    The sentences are about combinations that the model has not read. One token of each is hidden:
    alone in its language, and with the translation beside it.
    """
    model = MaskedLanguageModel.from_pretrained(folder).float()
    tokenizer = WordPieceTokenizer.load(folder / "tokenizer.json")
    pairs = parallel(n, seed=SEED, split="test", words="all")
    found: dict[str, float] = {}
    for name, documents_of in {
        "korean": [(ko, None) for ko, _ in pairs],
        "english": [(en, None) for _, en in pairs],
        "korean_beside_english": [(ko, en) for ko, en in pairs],
        "english_beside_korean": [(en, ko) for ko, en in pairs],
    }.items():
        found[name] = _share_told(model, tokenizer, documents_of)
    return found


def _share_told(
    model: MaskedLanguageModel, tokenizer: WordPieceTokenizer, some: list[Document]
) -> float:
    """Hide one token of the first text of each document; tell how often it is the most probable."""
    generator, vocabulary, told = torch.Generator().manual_seed(SEED), tokenizer.vocabulary, 0
    for start in range(0, len(some), 100):
        rows = encoded(tokenizer, some[start : start + 100])
        one = batch(tokenizer, rows, 0.0, generator)
        ids, lengths = one["inputs"], torch.tensor([row.index(vocabulary.sep) for row in rows])
        drawn = torch.rand(len(rows), generator=generator)
        places = 1 + (drawn * (lengths - 1)).long()  # behind [CLS], before [SEP]
        hidden = torch.zeros_like(ids, dtype=torch.bool)
        hidden[torch.arange(len(rows)), places] = True
        inputs = ids.masked_fill(hidden, vocabulary.mask)
        scores = model(inputs, one["segments"], one["mask"], chosen=hidden)
        told += int((scores.argmax(dim=1) == ids[hidden]).sum())
    return round(told / len(some), 3)
