"""What town-gpt can do, measured: the numbers of its card, and of the test that repeats them.

One pass through the model scores an answer, since every token of it is judged with the right tokens
before it: it is *exact* if each is the most probable one, which is what greedy writing would have
given. Where there are options, the one with the largest probability is chosen.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import islice

import torch
from torch import Tensor
from torch.nn import functional

from companion.data.corpus import ask, documents, text_of
from companion.data.episodes import Episode, episodes
from companion.data.town.stories import quizzes
from companion.pretraining.gpt import GPT
from companion.sequences.tokenization import BytePairTokenizer

END = "<|endoftext|>"
HANGUL = re.compile("[가-힣]")
SHOTS = (0, 1, 2, 4, 8, 16)
# Rows of the table: heading, how the episodes are made, and which kinds they come from.
MAPPINGS_KNOWN = ("plural", "past", "topic", "direction", "polite", "category_en", "antonym_en")
MAPPINGS_NEW = ("third_person", "two", "company", "past_polite")
LABELLED = {
    "known words and labels": {"kind": "classes_2"},
    "new labels": {"kind": "classes_2", "labels": "test"},
    "new words": {"kind": "classes_2", "words": "test"},
    "new labels and words": {"kind": "classes_2", "labels": "test", "words": "test"},
    "new labels, words and classes": {"kind": "new_classes_2", "labels": "test"},
    "new labels and words, shuffled": {
        "kind": "classes_2",
        "labels": "test",
        "words": "test",
        "control": "shuffled",
    },
    "new labels and words, random": {
        "kind": "classes_2",
        "labels": "test",
        "words": "test",
        "control": "random",
    },
}
TEXTS = ("town, ko", "town, en", "parallel", "documentation")
BATCH = 6000  # tokens that are read at once


@torch.no_grad()
def score(
    model: GPT, words: BytePairTokenizer, pairs: Sequence[tuple[str, str]]
) -> list[tuple[float, bool]]:
    """Return, for each (prompt, answer), the log-probability of the answer and whether it is exact.

    The answers are texts as documents have them: with the space before and the line break behind.
    """
    encoded = [(words.encode(prompt), words.encode(answer)) for prompt, answer in pairs]
    order = sorted(range(len(pairs)), key=lambda n: len(encoded[n][0]) + len(encoded[n][1]))
    found: list[tuple[float, bool]] = [(0.0, False)] * len(pairs)
    while order:
        T = sum(map(len, encoded[order[-1]]))
        some = [order.pop() for _ in range(min(len(order), max(1, BATCH // T)))]
        ids = torch.zeros(len(some), T, dtype=torch.int64)
        for row, n in enumerate(some):
            both = encoded[n][0] + encoded[n][1]
            ids[row, : len(both)] = torch.tensor(both)
        hidden = model.body(model.tokens(ids))  # padding comes last: nothing real sees it
        for row, n in enumerate(some):
            prompt, answer = map(len, encoded[n])
            last = hidden[row, prompt - 1 : prompt + answer - 1]  # before each token of the answer
            shares = functional.linear(last, model.tokens.weight).log_softmax(-1)
            right = torch.tensor(encoded[n][1])
            total = shares.gather(1, right[:, None]).sum().item()
            found[n] = total, bool((shares.argmax(1) == right).all())
    return found


def exact(model: GPT, words: BytePairTokenizer, some: Sequence[Episode]) -> float:
    """Return the share of episodes whose answer is what the model would write."""
    pairs = [(episode.prompt, f" {episode.answer}\n") for episode in some]
    return sum(right for _, right in score(model, words, pairs)) / len(some)


def chosen(model: GPT, words: BytePairTokenizer, some: Sequence[Episode]) -> float:
    """Return the share of episodes whose answer is the most probable of the options."""
    pairs = [(e.prompt, f" {option}\n") for e in some for option in e.options]
    shares = iter(score(model, words, pairs))
    right = 0
    for episode in some:
        of = {option: next(shares)[0] for option in episode.options}
        right += max(of, key=of.__getitem__) == episode.answer
    return right / len(some)


def in_context(
    model: GPT,
    words: BytePairTokenizer,
    *,
    n_classes: int,
    n_mappings: int,
    shots: Sequence[int] = SHOTS,
    seed: int = 1,
) -> dict[str, list[float]]:
    """Measure answers after so many examples, so many episodes for each number.

    Returns
    -------
    dict of str to list of float
        Of rows "classes: ...", the share of right choices among two labels; of rows "mapping: ..."
        (all words new, no line that names the task), the share of exact answers.
    """
    found = {}
    for name, options in LABELLED.items():
        made = [episodes(n_classes, shots=k, seed=seed, **options) for k in shots]  # type: ignore[arg-type]
        found[f"classes: {name}"] = [chosen(model, words, some) for some in made]
    for kind in (*MAPPINGS_KNOWN, *MAPPINGS_NEW, "copy", "last", "double", "lookup"):
        made = [
            episodes(n_mappings, kind, shots=k, words="test", labels="test", seed=seed)
            for k in shots
        ]
        found[f"mapping: {kind}"] = [exact(model, words, some) for some in made]
    for kind in ("plural", "topic"):
        for control in ("shuffled", "random"):
            options = {"words": "test", "control": control, "seed": seed}
            made = [episodes(n_mappings, kind, shots=k, **options) for k in shots]  # type: ignore[arg-type]
            found[f"mapping: {kind}, {control}"] = [exact(model, words, some) for some in made]
    return found


def stories(
    model: GPT,
    words: BytePairTokenizer,
    n: int,
    *,
    lengths: Sequence[int] = (3, 6, 10),
    seed: int = 1,
) -> dict[str, list[float]]:
    """Measure exact answers to questions on `n` new stories of so many sentences."""
    found = {}
    for language in ("ko", "en"):
        for steps in (False, True):
            row = []
            for length in lengths:
                told = quizzes(n, length=length, n_questions=1, seed=seed, split="test")
                pairs = []
                for story, (question,) in told:
                    asked, answer = ask(question, language, steps=steps)
                    pairs.append((" ".join(getattr(story, language)) + "\n" + asked, answer))
                row.append(sum(right for _, right in score(model, words, pairs)) / n)
            found[f"{language}{', steps' if steps else ''}"] = row
    return found


@torch.no_grad()
def bits_per_byte(
    model: GPT,
    words: BytePairTokenizer,
    n: int,
    *,
    kinds: Sequence[str] = TEXTS,
    seed: int = 1,
) -> dict[str, float]:
    """Measure the loss on `n` new documents of each kind: bits per byte of text."""
    found = {}
    for kind in kinds:
        name, _, language = kind.partition(", ")
        every = map(text_of, documents(name, seed=seed, split="test"))
        korean = language == "ko"
        fit = (x for x in every if not language or bool(HANGUL.search(x)) == korean)
        bits, size = 0.0, 0
        for text in islice(fit, n):
            ids: Tensor = torch.tensor([words.vocabulary[END], *words.encode(text)])
            ids = ids[: model.config.max_length]
            shares = model(ids[None, :-1])[0].log_softmax(-1)
            bits -= shares.gather(1, ids[1:, None]).sum().item() / math.log(2)
            size += len(words.decode(ids[1:].tolist()).encode())
        found[kind] = bits / size
    return found
