"""The recipe of town-gpt: a GPT-2 of two million parameters that reads Korean and English.

First lesson: lists of words that come twice, and labels that come back. What is learnt there, to
look for what stood behind the same word before (induction), is what everything else builds on. Then
all kinds of text together, half of them episodes. Muon for the matrices of the blocks, AdamW for
the rest.

Some things are given, not learnt. The table of positions is sines and cosines and stays so. Five
heads begin with looking a few tokens back, one with looking for what stood behind the same token.
With all of this left to chance, 400 batches of the first lesson and 350 of the second did not bring
a model of this size to copy a word (3 nats a token where nothing was left to guess).

Only what can be foreseen counts in the loss (`companion.data.corpus.Piece.learn`), so only there
are the scores of the next token computed.
"""

from __future__ import annotations

import json
import platform
import random
import shutil
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from companion.basics.training import History, fit
from companion.data import docstrings
from companion.data.corpus import Document, documents, text_of
from companion.pretraining.gpt import GPT, GPTConfig
from companion.sequences.tokenization import BytePairTokenizer
from tools.chapters import ROOT
from tools.models import muon, scores
from tools.models.gpt_card import write_card

SEED = 11
END = "<|endoftext|>"
IGNORED = -100
CONFIG = GPTConfig(
    vocab_size=4096, d_model=160, n_layers=5, n_heads=5, d_hidden=640, max_length=256
)
# How many documents of each kind the tokenizer learns from.
SAMPLE = {
    "town": 1500,
    "parallel": 600,
    "dialogue": 600,
    "stories": 300,
    "documentation": 700,
    "lists": 6000,
    "lookup": 300,
    "classes": 300,
    "mapping": 1500,
}
# Shares of documents in the two lessons.
FIRST = {"repeated": 5, "lookup": 5}
THEN = {
    "town": 14,
    "parallel": 6,
    "dialogue": 5,
    "stories": 14,
    "documentation": 5,
    "lists": 8,
    "repeated": 2,
    "lookup": 6,
    "copy": 6,
    "mapping": 16,
    "classes": 28,
}
PER_EPOCH = 50  # batches
FIRST_EPOCHS, THEN_EPOCHS = 3, 32
TOKENS = 2048  # of a batch: 16 rows of 128, and each fourth time 8 rows of 256
N_CLASSES, N_MAPPINGS = 120, 60  # episodes that are measured for each number of the card
STORIES = 100  # of each length
# Block, head, and how many tokens back it looks before the training.
LOOKING_BACK = ((0, 0, 1), (0, 1, 2), (0, 2, 3), (1, 1, 1), (1, 2, 2))
RATES = {"lr": 0.02, "adam_lr": 0.003, "weight_decay": 0.01}


def tokenizer() -> BytePairTokenizer:
    """Train the tokenizer, on some documents of each kind."""
    texts = [
        text_of(document)
        for kind, n in SAMPLE.items()
        for document in islice(documents(kind, seed=SEED), n)
    ]
    return BytePairTokenizer.train(texts, CONFIG.vocab_size, special_tokens=[END])


def new_model() -> GPT:
    """Return the model before its training.

    The table of positions is sines and cosines, and stays so. Some heads begin with a task.
    """
    torch.manual_seed(SEED)
    model, D = GPT(CONFIG), CONFIG.d_model
    body: Any = model.body
    speeds = torch.pi * 1000 ** -torch.linspace(0, 1, D // 2)  # radians per position
    angles = torch.arange(CONFIG.max_length)[:, None] * speeds  # (T, D/2)
    table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # (T, D)
    with torch.no_grad():
        model.tokens.weight.mul_(3)
        body.positions.weight.copy_(0.3 * table)
        body.positions.weight.requires_grad_(False)
        for block, head, back in LOOKING_BACK:
            look_back(body.blocks[block].attention, head, back, speeds)
        look_for_the_same(body)
    return model


def look_for_the_same(body: Any) -> None:
    """Set head 0 of the first two blocks so that they find what stood behind the same token.

    The first, which looks one token back, writes what it sees there into 32 directions B, taken
    from 32 others, A, in which the positions nearly vanish. The second compares A of its token with
    B of those before, and adds A of what it finds to the token: the head of Olsson and others
    (2022), In-context Learning and Induction Heads.
    """
    first, second = (body.blocks[n].attention for n in (0, 1))
    half, d = CONFIG.d_model // 2, CONFIG.d_model // CONFIG.n_heads
    # What moves with the position, nearly all in a few directions, and what normalising takes off.
    slow = body.positions.weight[:, half:].double()  # (T, D/2)
    known = torch.cat([torch.linalg.svd(slow)[2][:10], torch.ones(1, half).double()])
    drawn = torch.cat([known, torch.randn(2 * d, half).double()])
    turned = torch.linalg.qr(drawn.T)[0].T[len(known) :].float()  # (2 d, D/2), at right angles
    a, b = functional.pad(turned, (half, 0)).split(d)  # (d, D) each
    first.value.weight[:d], first.output.weight[:, :d] = a, 0.25 * b.T
    second.query.weight[:d], second.key.weight[:d] = 5 * a, 5 * b
    second.value.weight[:d], second.output.weight[:, :d] = a, 2 * a.T
    body.norm.weight.mul_(3)


def look_back(attention: Any, head: int, back: int, speeds: Tensor) -> None:
    """Set query and key of a head so that it attends to the token `back` places before.

    With the fastest pairs (sin a, cos a) of the table, a = speed * place: the query takes them as
    they are, the key turns them on by speed * back. Their product is largest where both agree.
    """
    d = CONFIG.d_model // CONFIG.n_heads
    rows = slice(head * d, (head + 1) * d)
    angles = speeds[: d // 2] * back
    turns = torch.zeros(d, CONFIG.d_model)  # (d, D)
    for n, (cos, sin) in enumerate(zip(angles.cos(), angles.sin(), strict=True)):
        at = slice(2 * n, 2 * n + 2)
        turns[at, at] = torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])])
    attention.query.weight[rows] = 1.5 * torch.eye(d, CONFIG.d_model)
    attention.key.weight[rows] = 1.5 * turns


# --- batches --------------------------------------------------------------------------------------


class Rows:
    """A source for `fit`: documents in rows of equal length, each of which begins with one.

    Parameters
    ----------
    words : BytePairTokenizer
    shares : mapping of str to number
        How often each kind of documents is drawn.
    n_batches : int
        In an epoch.
    """

    def __init__(
        self, words: BytePairTokenizer, shares: Mapping[str, float], n_batches: int
    ) -> None:
        self.words, self.shares, self.n_batches = words, shares, n_batches
        self.end = words.vocabulary[END]

    def __call__(self, generator: torch.Generator) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch: "inputs" and "targets", (B, T) each."""
        seed = int(torch.randint(2**30, (), generator=generator))
        rng = random.Random(seed)
        streams = {kind: documents(kind, seed=seed) for kind in self.shares}
        kinds, weights = zip(*self.shares.items(), strict=True)
        waiting: list[tuple[list[int], list[int]]] = []
        for number in range(self.n_batches):
            T = 256 if number % 4 == 3 else 128
            rows = []
            for _ in range(TOKENS // T):
                while len(waiting) < 12:
                    kind = rng.choices(kinds, weights)[0]
                    waiting.append(self.encoded(next(streams[kind])))
                rows.append(self._row(waiting, T))
            inputs, targets = torch.tensor(rows).unbind(1)
            yield {"inputs": inputs, "targets": targets}

    def encoded(self, document: Document) -> tuple[list[int], list[int]]:
        """Return the ids of a document and its end, and the target of each: the next id, or -100.

        The target of the last is not known yet: it is whatever comes next, so it does not count.
        """
        ids: list[int] = []
        learnt: list[bool] = []
        for piece in document:
            new = self.words.encode(piece.text)
            ids += new
            learnt += [piece.learn] * len(new)
        ids.append(self.end)
        learnt.append(learnt[-1])
        after = zip(ids[1:], learnt[1:], strict=True)
        return ids, [number if learn else IGNORED for number, learn in after] + [IGNORED]

    def _row(self, waiting: list[tuple[list[int], list[int]]], T: int) -> list[list[int]]:
        """Take documents that fit into a row of T tokens; a first one that is longer is cut."""
        ids, targets = waiting.pop(0)
        ids, targets = ids[:T], targets[:T]
        while place := [n for n, (more, _) in enumerate(waiting) if len(ids) + len(more) <= T]:
            more, its = waiting.pop(place[0])
            ids, targets = ids + more, targets + its
        rest = T - len(ids)
        return [ids + [self.end] * rest, targets + [IGNORED] * rest]


def loss(model: GPT, batch: Mapping[str, Tensor]) -> tuple[Tensor, float]:
    """Return the sum of -log P of the targets that count, and their number."""
    targets = batch["targets"]
    counts = targets != IGNORED
    hidden = model.body(model.tokens(batch["inputs"]))  # (B, T, D)
    scores = functional.linear(hidden[counts], model.tokens.weight)  # (n, V)
    total = functional.cross_entropy(scores, targets[counts], reduction="sum")
    return total, float(counts.sum())


# --- the training ---------------------------------------------------------------------------------


def rising(step: int) -> float:
    """Return the factor of the rates in the first lesson: up within 50 batches, then 1."""
    return min(1.0, (step + 1) / 50)


def falling(step: int) -> float:
    """Return the factor of the rates in the second lesson: 1, then down, slowly, and faster."""
    return max(0.0, min(1.0, (2100 - step) / 1680, 0.8 * (THEN_EPOCHS * PER_EPOCH - step) / 850))


def learning(model: GPT) -> list[dict[str, Any]]:
    """Return the groups of parameters that are learnt: all but the table of positions."""
    groups = muon.groups(model, inside=".blocks.", **RATES)
    return [
        {**group, "params": [p for p in group["params"] if p.requires_grad]} for group in groups
    ]


def lessons(words: BytePairTokenizer, model: GPT, checkpoint: Path | None) -> list[History]:
    """Give the model both lessons; with a checkpoint a training that was cut goes on."""
    optimizer = muon.Muon(learning(model))
    found = []
    for number, (shares, epochs, factor) in enumerate(
        [(FIRST, FIRST_EPOCHS, rising), (THEN, THEN_EPOCHS, falling)]
    ):
        history = fit(
            model,
            Rows(words, shares, PER_EPOCH),
            loss=loss,
            optimizer=optimizer,
            epochs=epochs,
            schedule=factor,
            clip_norm=1.0,
            seed=SEED + number,
            device="cpu",
            checkpoint=None if checkpoint is None else checkpoint / str(number),
        )
        found.append(history)
    return found


def train(folder: Path) -> dict[str, Any]:
    """Train the model, measure it, and write its folder; return the log that stays in it.

    A training that was interrupted goes on from its last epoch, in ``_build/models/town-gpt``.
    """
    began, checkpoint = time.process_time(), ROOT / "_build" / "models" / "town-gpt"
    torch.set_num_threads(1)
    words, model = tokenizer(), new_model()
    histories = lessons(words, model, checkpoint)
    log = finish(folder, words, model, histories, time.process_time() - began)
    shutil.rmtree(checkpoint)
    return log


def finish(
    folder: Path, words: BytePairTokenizer, model: GPT, histories: list[History], seconds: float
) -> dict[str, Any]:
    """Measure a model that is trained, and write its folder."""
    model = model.half().float()  # as the folder has it
    read = docstrings.read()
    n_steps = sum(len(history.step_loss) for history in histories)
    log: dict[str, Any] = {
        "settings": vars(CONFIG) | RATES | {"seed": SEED, "tokens": n_steps * TOKENS},
        "epochs": [FIRST_EPOCHS, THEN_EPOCHS],
        "batches_of_an_epoch": PER_EPOCH,
        "processor_seconds": round(seconds),
        "machine": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
        "versions": {"torch": torch.__version__, **read.versions},
        "documentation": read.fingerprint,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epoch_loss": [round(x, 4) for history in histories for x in history.train_loss],
        "first_losses": histories[0].step_loss[:20],
        "n_classes": N_CLASSES,
        "n_mappings": N_MAPPINGS,
        "in_context": rounded(
            scores.in_context(model, words, n_classes=N_CLASSES, n_mappings=N_MAPPINGS)
        ),
        "stories_each": STORIES,
        "stories": rounded(scores.stories(model, words, STORIES)),
        "bits_per_byte": rounded(scores.bits_per_byte(model, words, 100)),
    }
    card = write_card(log)
    model.half().save_pretrained(folder)
    model.float()
    words.save(folder / "tokenizer.json")
    (folder / "training.json").write_text(json.dumps(log, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text(card, "utf-8")
    return log


def rounded(found: Any) -> Any:
    """Round all numbers to four digits."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    return [rounded(x) for x in found] if isinstance(found, list) else round(found, 4)
