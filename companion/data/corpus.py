"""The text that the course's own language models learn from, in documents.

Sentences of the town in Korean and in English, translations, questions and answers, stories with
questions, documentation, lists of words, and episodes (`companion.data.episodes`). A document is a
row of pieces, each with whether it is worth learning: what somebody picks up in a story cannot be
foreseen, the answer to a question can. What experiments measure belongs to the split "test", of
which no training document has anything: see `documents`. What this module leaves out: news,
entailment, opinions on new adjectives, preferences; they are for later experiments alone.

Used first in book/pretraining/gpt.ipynb.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from companion.arguments import choice, integer
from companion.data import docstrings
from companion.data.episodes import KINDS, SPLITS, Episode, class_words, classes, episodes
from companion.data.town.dialogue import exchanges
from companion.data.town.korean import LEVELS
from companion.data.town.stories import Question, Story, quizzes
from companion.data.town.tasks import KEYS, adjective_split, collect, draw_sentence
from companion.data.town.verbs import Adjective

LANGUAGES = ("ko", "en")
BLOCK = 50  # sentences of documentation that stay together; every tenth block is for tests
# Patterns of the sentences that praise and blame; see `companion.data.town.tasks.sentiment`.
OPINIONS = {"is_so", "is_now", "is_not", "is_both", "is_but", "food_place", "service", "person_is"}
ASK = {"ko": ("질문: ", "풀이: ", "답: "), "en": ("Question: ", "Steps: ", "Answer: ")}
TRANSLATE = {
    "en": "Translate Korean to English:",
    "ko": "Translate English to Korean:",
}


class Piece(NamedTuple):
    """A part of a document, and whether a model should learn to write it."""

    text: str
    learn: bool = True


Document = tuple[Piece, ...]


def text_of(document: Document) -> str:
    """Return the text of a document.

    Examples
    --------
    >>> text_of((Piece("cat =>", False), Piece(" cats")))
    'cat => cats'
    """
    return "".join(piece.text for piece in document)


def sentences(n: int, *, seed: int = 0, split: str = "train", level: str = "plain"):
    """Make sentences of the town as pairs (Korean, English), of all its words.

    As `companion.data.town.tasks.parallel`, but without opinions that hold an adjective which the
    test of opinions keeps for itself.

    Examples
    --------
    >>> len(sentences(2))
    2
    """
    choice(level, "level", LEVELS)

    def make_one(rng: random.Random) -> tuple[tuple[str, str], tuple[str, ...]]:
        made = draw_sentence(rng, level=level, words="all")
        judged = [word for word in made.words.values() if isinstance(word, Adjective)]
        if made.pattern in OPINIONS and any(adjective_split(word) != "train" for word in judged):
            return (made.ko, made.en), KEYS["validation"]
        return (made.ko, made.en), made.key

    return collect(make_one, n, seed=seed, split=split)


@functools.cache
def documentation(split: str) -> tuple[str, ...]:
    """Return the sentences of the installed documentation that belong to a split."""
    every = docstrings.sentences()
    new = choice(split, "split", SPLITS) == "test"
    return tuple(s for place, s in enumerate(every) if (place // BLOCK % 10 == 9) == new)


# --- the kinds of documents: from a seed for each portion, without end --------------------------

PORTION = 200  # that are made at a time
Maker = Callable[[int, str, random.Random], Iterator[Document]]


def _town(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    level = rng.choice(("plain", "plain", "plain", "polite", "formal"))
    made = iter(sentences(5 * PORTION, seed=seed, split=split, level=level))
    for _ in range(PORTION):
        language = rng.randrange(2)
        yield (Piece(" ".join(pair[language] for pair in itertools.islice(made, 5)) + "\n"),)


def _parallel(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    made = iter(sentences(2 * PORTION, seed=10**6 + seed, split=split))
    for _ in range(PORTION):
        to = rng.choice(LANGUAGES)
        pieces = [Piece(TRANSLATE[to] + "\n", False)] * (rng.random() < 0.7)
        for ko, en in itertools.islice(made, 2):
            source, target = (ko, en) if to == "en" else (en, ko)
            pieces += [Piece(f"{source} =>", False), Piece(f" {target}\n")]
        yield tuple(pieces)


def _dialogue(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    for one in exchanges(PORTION, seed=seed, split=split):
        language = rng.choice(LANGUAGES)
        answer = getattr(one, f"{rng.choice(('answer', 'short'))}_{language}")
        asked = getattr(one, f"question_{language}")
        yield Piece(f"{asked}\n", rng.random() < 0.5), Piece(f"{answer}\n")


def ask(question: Question, language: str, *, steps: bool = False) -> tuple[str, str]:
    r"""Write a question on a story as the models read it, and the answer as they write it.

    Parameters
    ----------
    question : Question
        Its story comes before it, in a line.
    language : str
        "ko" or "en".
    steps : bool, default False
        Whether the sentences from which the answer follows are written before it.

    Returns
    -------
    tuple of str
        The question up to "Answer:" or "Steps:"; the rest, which begins with a space.

    Examples
    --------
    >>> from companion.data.town.stories import questions
    >>> ask(questions(1)[0], "en")
    ('Question: Where is the box?\nAnswer:', ' town hall\n')
    """
    asking, solving, answering = ASK[choice(language, "language", LANGUAGES)]
    asked, answer = (getattr(question, f"{what}_{language}") for what in ("question", "answer"))
    if not steps:
        return f"{asking}{asked}\n{answering[:-1]}", f" {answer}\n"
    told = getattr(question, f"passage_{language}").split(". ")
    why = ". ".join(told[place].rstrip(".") for place in question.supports)
    return f"{asking}{asked}\n{solving[:-1]}", f" {why}.\n{answering}{answer}\n"


def _stories(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    length = rng.choice((3, 4, 5, 6, 6, 8, 10))
    level = rng.choice(("plain", "plain", "polite"))
    for story, asked in quizzes(PORTION // 4, length=length, seed=seed, split=split, level=level):
        yield _quiz(story, asked, rng.choice(LANGUAGES), rng)


def _quiz(story: Story, asked: tuple[Question, ...], language: str, rng: random.Random) -> Document:
    pieces = [Piece(" ".join(getattr(story, language)) + "\n", rng.random() < 0.25)]
    for one in asked:
        question, answer = ask(one, language, steps=rng.random() < 0.3)
        pieces += [Piece(question, False), Piece(answer)]
    return tuple(pieces)


def _documentation(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    every = documentation(split)
    for _ in range(PORTION):
        start = rng.randrange(len(every) - 4)
        yield (Piece(" ".join(every[start : start + 4]) + "\n"),)


def _lists(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    """Yield words of one class, one in each line: what goes together, without being named."""
    for _ in range(PORTION):
        name, language = rng.choice(list(classes())), rng.choice(LANGUAGES)
        words = [w for part in SPLITS for w in class_words(name, part, language)]
        head, *rest = rng.sample(words, min(len(words), rng.randint(5, 10)))
        yield Piece(f"{head}\n", False), Piece("\n".join(rest) + "\n")


def _repeated(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
    """Yield lists of words that go together by nothing, and once more, in the same order."""
    pools = {
        language: [
            w for name in classes() for part in SPLITS for w in class_words(name, part, language)
        ]
        for language in LANGUAGES
    }
    for _ in range(PORTION):
        words = rng.sample(pools[rng.choice(LANGUAGES)], rng.randint(4, 16))
        between = rng.choice(("\n", "\n", " ", ", "))
        end = "\n" if between == "\n" else between.rstrip() + "\n"
        first, *rest = words
        yield (
            Piece(between.join(words) + end, False),
            Piece(first, False),
            Piece(between + between.join(rest) + "\n"),
        )


def document_of(episode: Episode) -> Document:
    """Return an episode as a document, of which the answers that could be known are to be learnt.

    Examples
    --------
    >>> text_of(document_of(episodes(1, "plural", shots=1)[0])).count(" => ")
    2
    """
    pieces = [Piece(f"{episode.task}\n", False)] * bool(episode.task)
    rows = [*episode.examples, (episode.query, episode.answer)]
    for (a, b), known in zip(rows, episode.known, strict=True):
        pieces += [Piece(f"{a} =>", False), Piece(f" {b}\n", known)]
    return tuple(pieces)


def _episodes(names: tuple[str, ...], most: int) -> Maker:
    def make(seed: int, split: str, rng: random.Random) -> Iterator[Document]:
        assert split == "train", "tests make their episodes themselves"
        for number in range(PORTION // 4):
            name = rng.choice(names)
            shots, told = rng.randint(3, most), rng.random() < 0.5
            options = {"shots": shots, "with_task": told, "seed": seed * PORTION + number}
            yield document_of(episodes(1, name, even=True, **options)[0])

    return make


MAKERS: dict[str, Maker] = {
    "town": _town,
    "parallel": _parallel,
    "dialogue": _dialogue,
    "stories": _stories,
    "documentation": _documentation,
    "lists": _lists,
    "repeated": _repeated,
    "lookup": _episodes(("lookup",), 15),
} | {
    group: _episodes(
        tuple(k.name for k in KINDS.values() if (k.group, k.held_out) == (group, False)), most
    )
    for group, most in {"mapping": 9, "classes": 16, "copy": 7}.items()
}


def documents(kind: str, *, seed: int = 0, split: str = "train") -> Iterator[Document]:
    """Make documents of one kind without end.

    Parameters
    ----------
    kind : str
        "town", "parallel", "dialogue", "stories", "documentation", "lists"; "repeated" lists,
        "lookup", "copy", "classes", "mapping": episodes, of "train" alone.
    seed : int, default 0
        The same seed gives the same documents.
    split : str, default "train"
        "train" or "test". Sentences are told apart by what they are about, stories as a whole,
        documentation by blocks; lists are not split.

    Yields
    ------
    Document
        A tuple of `Piece`.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> text_of(next(documents("copy"))).count(" => ") > 3
    True
    """
    choice(kind, "kind", MAKERS)
    choice(split, "split", SPLITS)
    if split == "test" and kind in ("lookup", "copy", "classes", "mapping"):
        raise ValueError(f"split must be 'train' for {kind}, got 'test': see `episodes`")
    return _without_end(kind, integer(seed, "seed", 0), split)


def _without_end(kind: str, seed: int, split: str) -> Iterator[Document]:
    for portion in itertools.count(1000 * seed):
        rng = random.Random(f"{kind} {portion} {split}")
        yield from MAKERS[kind](portion, split, rng)
