"""Write the page of the book that shows the town: what there is, how much of it, and samples.

``python -m tools.town_page`` (part of ``make notebooks``). A test compares the page with what the
code says.
"""

from __future__ import annotations

import itertools
import sys
from collections import Counter
from pathlib import Path

from companion.data.town.dialogue import KINDS, commands, exchanges, preferences
from companion.data.town.grammar import ALL_PATTERNS, sentences
from companion.data.town.inference import entailment
from companion.data.town.korean import LEVELS
from companion.data.town.news import ADDING, REPORTING, articles, attributions
from companion.data.town.nouns import NOUNS
from companion.data.town.people import PEOPLE
from companion.data.town.stories import questions, stories
from companion.data.town.tasks import parallel, sentiment, tagged
from companion.data.town.topics import TOPICS
from companion.data.town.verbs import (
    ACTION_VERBS,
    ACTIVITY_VERBS,
    ALL_ADJECTIVES,
    GIVING_VERBS,
    PEOPLE_VERBS,
)

PAGE = Path(__file__).resolve().parent.parent / "book" / "reference" / "town.md"
SAMPLE = 100_000


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def page() -> str:
    """Return the text of the page."""
    verbs = (*ACTION_VERBS, *ACTIVITY_VERBS, *PEOPLE_VERBS, *GIVING_VERBS)
    nouns = [noun for group in NOUNS.values() for noun in group]
    stems = {noun.ko for noun in nouns} | {verb.ko.stem for verb in verbs}
    stems |= {adjective.ko.stem for adjective in ALL_ADJECTIVES}
    sample = list(itertools.islice(sentences(seed=0), SAMPLE))
    distinct = len({sentence.ko for sentence in sample})
    words_ko = {word for sentence in sample for word, *_ in sentence.ko_tokens}
    words_en = {word.lower() for sentence in sample for word, *_ in sentence.en_tokens}
    counts = [
        ("sentence patterns", len(ALL_PATTERNS)),
        ("Korean stems of nouns, verbs and adjectives", len(stems)),
        ("people, in eight families", len(PEOPLE)),
        (f"different sentences among {SAMPLE:,}", f"{distinct:,}"),
        ("different Korean words (between spaces) in them", f"{len(words_ko):,}"),
        ("different English words in them", f"{len(words_en):,}"),
        ("kinds of questions in conversation", len(KINDS)),
        ("topics of the news", len(TOPICS)),
        ("statements on them", sum(len(topic.statements) for topic in TOPICS)),
        ("turns of reporting", len(REPORTING) + len(ADDING)),
    ]
    firsts = {sentence.pattern: sentence for sentence in reversed(sample)}
    patterns = [(name.name, firsts[name.name].ko, firsts[name.name].en) for name in ALL_PATTERNS]
    example = tagged(1, seed=2, split="test")[0]
    tags = list(zip(example.tokens, example.parts_of_speech, example.entities, strict=True))
    story = stories(1, seed=1)[0]
    question = next(one for one in questions(50, seed=4) if len(one.supports) > 1)
    article = next(one for one in articles(50, seed=3) if len(one.sources) == 3)
    named = {True: "named", False: "anonymous", None: ""}
    news = [
        (ko, en, named[source])
        for ko, en, source in zip(article.ko, article.en, article.named, strict=True)
    ]
    gold = [(s.kind, s.ko, f"{s.start_ko}:{s.end_ko}", s.en) for s in article.sources]
    answered = [
        ("passage", question.passage_ko, question.passage_en),
        ("question", question.question_ko, question.question_en),
        ("answer, in the passage", question.answer_ko, question.answer_en),
        *((f"{level} answer", question.reply_ko(level), question.reply_en()) for level in LEVELS),
    ]
    talk = exchanges(500, seed=1)
    conversation = [
        (one.kind, f"{one.question_ko}<br>{one.answer_ko}", f"{one.question_en}<br>{one.answer_en}")
        for kind in KINDS
        for one in [next(one for one in talk if one.kind == kind)]
    ]
    said = {(one.kind, one.negative, one.level): one for one in reversed(commands(500, seed=1))}
    told = [
        (f"{'negative ' * negative}{kind}, {level}", one.ko, one.en)
        for negative in (False, True)
        for kind in ("order", "request", "proposal")
        for level in LEVELS
        if (one := said.get((kind, negative, level)))
    ]
    preferred = [(o.question_ko, o.polite_ko, o.plain_ko) for o in preferences(4, seed=2)]
    attributed = [(o.named_en, o.anonymous_en) for o in attributions(3, seed=2)]
    opinions = [(o.ko, o.en, o.label) for o in sentiment(6, seed=1)]
    pairs = [(p.premise_en, p.hypothesis_en, p.label) for p in entailment(6, seed=1)]
    plain = parallel(20, seed=5)
    longest = max(range(20), key=lambda number: len(plain[number][0]))
    levels = [(level, parallel(20, seed=5, level=level)[longest][0]) for level in LEVELS]
    kinds = Counter(noun.kind for noun in nouns).most_common(5)
    largest = ", ".join(f"{kind} ({count})" for kind, count in kinds)
    return f"""# The town

For everything that needs text, the course makes its own: a small invented Korean town, in the
tradition of the bAbI tasks {{cite}}`weston2015`. A grammar draws words that fit each other and puts
them into their forms, in Korean and in English at once. So there is as much text as a chapter
needs, every sentence has exactly one translation, all tags are known, and nothing is downloaded.
The code is documented under {{doc}}`/book/reference/api/data`; a seed repeats every text.

It is a toy, and it shows: nobody in the town doubts, promises or jokes, and some do odd things in
odd places. What a model learns here, it learns about this town.

## How much there is

{table(("what", "how many"), counts)}

The largest groups of nouns: {largest}. The numbers of different sentences and words are those of
one run, with seed 0.

## Splits

A sentence belongs to the training, validation or test set by *what it is about*: the verb, the
object, the place, the adjective, whoever it is and whenever. If somebody eats an apple at the
market in the test set, nobody eats an apple at the market in the training set, in no pattern. (The
apple and the market occur there, with other verbs.) Eight of ten combinations are for training, one
each for validation and test. Questions, answers and commands are told apart in the same way, by the
verb and its object; stories as wholes; articles by topic, place and day.

## All patterns, one example each

{table(("pattern", "Korean", "English"), list(patterns))}

## The same sentence at three speech levels

{table(("level", "Korean"), list(levels))}

## Sentiment

{table(("Korean", "English", "label"), list(opinions))}

## Parts of speech and entities

{table(("token", "part of speech", "entity"), list(tags))}

## Entailment

{table(("premise", "hypothesis", "label"), list(pairs))}

## Questions and answers

One of each kind; all of them are made at all three speech levels. The plain level is that of
friends (-니? and -어) here, where a text would say -다. Politely and formally, whoever is addressed
gets -시-; old people get it always.

{table(("asks for", "Korean", "English"), list(conversation))}

A polite question can have an answer that is polite and one that is not (in English they are the
same):

{table(("question", "polite answer", "plain answer"), list(preferred))}

## Orders, requests, proposals

{table(("kind, level", "Korean", "English"), list(told))}

## A story

{table(("Korean", "English"), list(zip(story.ko, story.en, strict=True)))}

## A question on a story

{table(("", "Korean", "English"), list(answered))}

The answer follows from {len(question.supports)} sentences of the passage, which are known:
numbers {", ".join(map(str, question.supports))}, counted from 0.

## A news article

{table(("Korean", "English", "source"), list(news))}

It is known when and where that was ({article.day[1]}, {article.place[1]}), and who is quoted. The
sources, and where they stand in the Korean text:

{table(("kind", "Korean", "characters", "English"), list(gold))}

The same words in the mouth of somebody with a name, and of somebody without one:

{table(("named", "anonymous"), list(attributed))}
"""


def main() -> int:
    """Write the page if it has changed; return the exit code."""
    text = page()
    if not PAGE.exists() or PAGE.read_text("utf-8") != text:
        PAGE.write_text(text, "utf-8", newline="\n")
        print(f"wrote {PAGE.relative_to(PAGE.parents[2])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
