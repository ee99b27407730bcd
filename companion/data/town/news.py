"""News of the town: short articles that quote named and anonymous sources.

Each article reports on an issue, quotes two or three people, and closes. Some sources have a name
and an office, others remain anonymous ("a resident who did not want to be named"). What this module
leaves out: photographs, comments, and anything that happened.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from companion.data.town.english import indefinite
from companion.data.town.hangul import particle
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import PEOPLE
from companion.data.town.tasks import collect

# What one can say about an issue; 1 is in favour of doing something now, -1 is against it.
STATEMENTS = (
    ("{0:이} 큰 걱정이다", "The {0} worries us a lot", 1),
    ("{0:을} 빨리 논의해야 한다", "We must discuss the {0} soon", 1),
    ("{0:은} 모두에게 중요하다", "The {0} matters to everybody", 1),
    ("{0:에} 돈을 더 써야 한다", "More money must be spent on the {0}", 1),
    ("{0:은} 급하지 않다", "The {0} is not urgent", -1),
    ("{0:에} 돈을 너무 많이 쓴다", "Too much money is spent on the {0}", -1),
    ("{0:은} 다시 생각해야 한다", "The {0} must be thought over", -1),
    ("{0:보다} 학교가 더 중요하다", "Schools matter more than the {0}", -1),
)
ANONYMOUS = (
    ("이름을 밝히지 않은 주민", "A resident who did not want to be named"),
    ("익명을 요구한 시청 직원", "A town hall clerk who asked for anonymity"),
    ("한 관계자", "An insider"),
    ("근처에 사는 상인", "A shopkeeper from the neighbourhood"),
    ("어느 학부모", "A parent"),
    ("회의에 참석한 사람", "Somebody who was at the meeting"),
)
WEEKDAYS = (
    ("월요일", "Monday"),
    ("화요일", "Tuesday"),
    ("수요일", "Wednesday"),
    ("목요일", "Thursday"),
    ("금요일", "Friday"),
)


@dataclass(frozen=True)
class Article:
    """A news article in both languages.

    Attributes
    ----------
    ko, en : tuple of str
        Sentence by sentence.
    named : tuple of bool or None
        For each sentence: whether its source has a name; None if it quotes nobody.
    """

    ko: tuple[str, ...]
    en: tuple[str, ...]
    named: tuple[bool | None, ...]


def articles(n: int, *, seed: int = 0, split: str = "train") -> list[Article]:
    """Make articles with named and anonymous sources.

    Parameters
    ----------
    n : int
        How many different ones.
    seed : int, default 0
        The same seed gives the same articles.
    split : str, default "train"
        "train", "validation" or "test": told apart by issue, day and place.

    Returns
    -------
    list of Article
        In an order without meaning.

    Raises
    ------
    TypeError, ValueError
        If an argument is wrong.

    Examples
    --------
    >>> article = articles(1)[0]
    >>> len(article.ko) == len(article.en) == len(article.named)
    True
    """
    return collect(_write, n, seed=seed, split=split)


def _write(rng: random.Random) -> tuple[Article, tuple[str, ...]]:
    issue, paper = rng.choice(NOUNS["issue"]), rng.choice(NOUNS["newspaper"])
    place = rng.choice(NOUNS["landmark"])
    day_ko, day_en = rng.choice(WEEKDAYS)
    sentences: list[tuple[str, str, bool | None]] = [
        (
            f"{day_ko}에 {place.ko}에서 {issue.ko}에 대한 회의가 열렸다.",
            f"A meeting about the {issue.en} took place at {place.en} on {day_en}.",
            None,
        )
    ]
    for statement_ko, statement_en, _ in rng.sample(STATEMENTS, rng.randint(2, 3)):
        quote_ko, quote_en = _said(statement_ko, issue), statement_en.format(issue.en)
        if named := rng.random() < 0.5:
            person = rng.choice([person for person in PEOPLE if person.job])
            assert person.job is not None
            who_ko = f"{person.job.ko} {person.family_ko}{person.ko} 씨는"
            who_en = f"{person.en} {person.family_en}, {indefinite(person.job.en)},"
        else:
            anonymous_ko, who_en = rng.choice(ANONYMOUS)
            who_ko = particle(anonymous_ko, "은")
        sentences.append(
            (f"{who_ko} “{quote_ko}”라고 말했다.", f'{who_en} said: "{quote_en}."', named)
        )
    sentences.append(
        (
            f"{particle(paper.ko, '은')} {particle(issue.ko, '을')} 계속 취재할 것이다.",
            f"{paper.en} will go on reporting on the {issue.en}.",
            None,
        )
    )
    ko, en, named_sources = zip(*sentences, strict=True)
    return Article(ko, en, named_sources), (issue.ko, place.ko, day_ko)


def _said(statement: str, issue: Noun) -> str:
    """Put an issue, with its particle, into a Korean statement."""
    name = statement[statement.index(":") + 1 : statement.index("}")]
    return particle(issue.ko, name) + statement[statement.index("}") + 1 :]
