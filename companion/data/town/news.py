"""News of the town: short articles with named and anonymous sources, and people who say nothing.

An article reports on a topic (`companion.data.town.topics`) and quotes up to three sources: people
with their names, offices, and others who remain anonymous ("a resident who asked not to be named").
What they say is quoted, or reported, or told "according to" them. Not everybody who occurs is a
source: some only do something, some do not answer, and banners say something, too. What this module
leaves out: photographs, comments, and anything that happened.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from companion.data.town.choices import MONTHS
from companion.data.town.endings import reported, reported_order
from companion.data.town.english import indefinite
from companion.data.town.hangul import particle
from companion.data.town.nouns import NOUNS, Noun
from companion.data.town.people import PEOPLE, Person
from companion.data.town.tasks import collect
from companion.data.town.topics import TOPICS, Statement, Topic

# Who may say what they think about any topic, without a name.
ANONYMOUS = (
    ("한 주민", "a resident"),
    ("이름을 밝히지 않은 한 주민", "a resident who did not want to be named"),
    ("익명을 요구한 시청 직원", "a town hall clerk who asked not to be named"),
    ("근처에서 가게를 하는 한 상인", "a shopkeeper from the neighbourhood"),
    ("이곳에서 30년을 산 한 주민", "a resident who has lived here for thirty years"),
    ("이름을 밝히기를 꺼린 한 관계자", "an insider who would not give a name"),
)
WEEKDAYS = (
    ("월요일", "Monday"),
    ("화요일", "Tuesday"),
    ("수요일", "Wednesday"),
    ("목요일", "Thursday"),
    ("금요일", "Friday"),
    ("토요일", "Saturday"),
    ("일요일", "Sunday"),
)
# Turns of reporting, in both languages. {S} is the source (in English with what stands after a
# name between commas; {S.} without the last comma), {Q} what it says, {Q고} and {Q는} the same
# reported, {q} the same inside an English sentence, {R} a second statement, {A} an appeal.
# The last word tells who speaks so, and the signs of statements that are told so.
TURNS = """
{S:은} “{Q}”라고 말했다. | {S} said: "{Q}." | all -0+
{S:은} “{Q}”라고 강조했다. | {S} stressed: "{Q}." | all -0+
{S:은} “{Q}”라고 전했다. | "{Q}," {S} reported. | all 0
{S:은} “{Q}”라고 밝혔다. | {S} announced: "{Q}." | office 0
{S:은} “{Q}”라고 설명했다. | {S} explained: "{Q}." | all 0
{S:은} 보도자료를 통해 “{Q}”라고 발표했다. | {S} said in a press release: "{Q}." | office 0
{S:은} “{Q}”라며 기뻐했다. | {S} was pleased: "{Q}." | person +
{S:은} “{Q}”라며 웃었다. | {S} said with a smile: "{Q}." | person +
{S:은} “{Q}”라며 걱정했다. | {S} was worried: "{Q}." | person -
{S:은} “{Q}”라며 아쉬워했다. | {S} said with regret: "{Q}." | person -
{S:은} “{Q}”라고 지적했다. | {S} pointed out: "{Q}." | person -
{S:은} “{Q}”라고 털어놓았다. | {S} confided: "{Q}." | anonymous -
{S:은} {paper:과}의 통화에서 “{Q}”라고 말했다. | {S} told {paper} on the telephone: "{Q}." | all -0+
{S:은} {paper} 기자에게 “{Q}”라고 말했다. | {S} told a reporter from {paper}: "{Q}." | person -+
“{Q}.” {S}의 말이다. | "{Q}." These are the words of {S.}. | person -+
{S:은} “{Q}”라며 “{R}”라고 말했다. | "{Q}," said {S.}. "{R}." | all -0+
{S:은} {Q고} 말했다. | {S} said that {q}. | all -0+
{S:은} {Q고} 설명했다. | {S} explained that {q}. | all 0
{S:은} {Q고} 밝혔다. | {S} confirmed that {q}. | office 0
{S:은} {Q고} 주장했다. | {S} claimed that {q}. | person -
{S:은} {Q는} 생각을 밝혔다. | {S} was of the opinion that {q}. | person -+
{S}에 따르면 {Q}. | According to {S.}, {q}. | all 0
“{Q}.” {S}의 설명이다. | "{Q}," {S} explained. | all 0
{S:은} 주민들에게 {A} 당부했다. | {S} asked residents to {A}. | office !
{S:은} 모두에게 {A} 부탁했다. | {S} urged everybody to {A}. | office !
"""
# The same source goes on: {H} is 그, or what it is called.
MORE = """
{H:은} “{Q}”라고 덧붙였다. | {H} added: "{Q}."
{H:은} 이어 “{Q}”라고 말했다. | {H} went on: "{Q}."
{H:은} 또 {Q고} 말했다. | {H} also said that {q}.
"""
CLOSINGS = """
{paper:은} 이 소식을 계속 전할 예정이다. | {paper} will go on reporting on this.
{paper:은} 다음 주에 후속 기사를 싣는다. | {paper} will publish a follow-up next week.
{who:은} 취재진의 질문에 답하지 않았다. | {who} did not answer the reporters' questions.
{who:은} 인터뷰를 정중히 거절했다. | {who} politely declined to be interviewed.
{office:은} 이에 대한 질문에 아직 답하지 않았다. | So far there is no comment on this from {office}.
"""
NAME, END = "\ue000", "\ue001"  # stand around the source in a sentence that is being made
TITLES = {"선생님": "교사", "시장님": "시장"}


@dataclass(frozen=True)
class Turn:
    """A turn of reporting: its texts, who speaks so ("all", ...), and signs of what is said."""

    ko: str
    en: str
    speaker: str = "all"
    signs: tuple[int, ...] = (-1, 0, 1)
    appeal: bool = False


def _turns(text: str) -> tuple[Turn, ...]:
    found = []
    for line in text.strip().splitlines():
        ko, en, *rest = line.split(" | ")
        speaker, _, marks = rest[0].partition(" ") if rest else ("all", "", "-0+")
        signs = tuple({"-": -1, "0": 0, "+": 1}[mark] for mark in marks if mark != "!")
        found.append(Turn(ko, en, speaker, signs, "!" in marks))
    return tuple(found)


REPORTING, ADDING, CLOSING = _turns(TURNS), _turns(MORE), _turns(CLOSINGS)


@dataclass(frozen=True)
class Source:
    """Somebody who is quoted in an article, as it stands there when it is first quoted.

    Attributes
    ----------
    ko, en : str
        A person's name without title, the name of an office, or the whole description of somebody
        who remains anonymous.
    start_ko, end_ko, start_en, end_en : int
        ``article.text_ko[start_ko:end_ko] == ko``, and the same in English.
    kind : str
        "person", "office" or "anonymous".
    sentence : int
        The number of the sentence.
    """

    ko: str
    en: str
    start_ko: int
    end_ko: int
    start_en: int
    end_en: int
    kind: str
    sentence: int

    @property
    def named(self) -> bool:
        """Whether it has a name."""
        return self.kind != "anonymous"


@dataclass(frozen=True)
class Article:
    """A news article in both languages.

    Attributes
    ----------
    ko, en : tuple of str
        Sentence by sentence; only “...” of two sentences stay together.
    named : tuple of bool or None
        For each sentence: whether its source has a name; None if it has no source.
    topic : str
        The name of its `Topic`.
    day, place : (str, str)
        When and where it happened, in Korean and in English, as the first sentence says:
        ("5월 11일", "May 11"), or a day of the week.
    issue : (str, str) or None
        What was discussed, if it tells of a meeting.
    sources : tuple of Source
        In the order of the article; each once, none to three.
    """

    ko: tuple[str, ...]
    en: tuple[str, ...]
    named: tuple[bool | None, ...]
    topic: str
    day: tuple[str, str]
    place: tuple[str, str]
    issue: tuple[str, str] | None
    sources: tuple[Source, ...]

    @property
    def text_ko(self) -> str:
        """The Korean article as one text."""
        return " ".join(self.ko)

    @property
    def text_en(self) -> str:
        """The English article as one text."""
        return " ".join(self.en)


@dataclass(frozen=True)
class Attribution:
    """What somebody said, once with a name and once without.

    Attributes
    ----------
    lead_ko, lead_en : str
        The first sentence of an article.
    named_ko, named_en : str
        The next one, in which somebody with a name says something.
    anonymous_ko, anonymous_en : str
        The same in the mouth of somebody who remains anonymous.
    """

    lead_ko: str
    lead_en: str
    named_ko: str
    named_en: str
    anonymous_ko: str
    anonymous_en: str


@dataclass(frozen=True)
class Speaker:
    """Somebody who may be quoted or mentioned: phrases in both languages, and later mentions."""

    ko: str  # with NAME and END around the source
    en: str
    kind: str
    again_ko: str
    again_en: str
    comma: bool = False  # whether English adds something between commas
    grown_up: bool = True


def articles(n: int, *, seed: int = 0, split: str = "train") -> list[Article]:
    """Make articles with named and anonymous sources.

    Parameters
    ----------
    n : int
        How many different ones.
    seed : int, default 0
        The same seed gives the same articles.
    split : str, default "train"
        "train", "validation" or "test": told apart by topic, day and place.

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
    >>> all(article.text_en[s.start_en : s.end_en] == s.en for s in article.sources)
    True
    """
    return collect(_write, n, seed=seed, split=split)


def attributions(n: int, *, seed: int = 0, split: str = "train") -> list[Attribution]:
    """Make pairs of sentences that differ in the source alone: with a name, or without.

    Parameters
    ----------
    n, seed, split
        As in `articles`, with the same splits.

    Returns
    -------
    list of Attribution
        In an order without meaning.

    Examples
    --------
    >>> one = attributions(1)[0]
    >>> one.named_en != one.anonymous_en
    True
    """
    return collect(_attribute, n, seed=seed, split=split)


def _person(person: Person, rng: random.Random) -> Speaker:
    """Describe a person by work or by age."""
    ko = f"{NAME}{person.family_ko}{person.ko}{END}"
    en = f"{NAME}{person.en} {person.family_en}{END}"
    if person.age < 20:
        school = "초등학생" if person.age < 13 else "중학생"
        title = "군" if person.gender == "m" else "양"
        ko, en = f"{school} {ko} {title}({person.age})", f"{en}, {person.age}"
    elif person.job and rng.random() < 0.7:
        job = TITLES.get(person.job.ko, person.job.ko)
        ko, en = f"{job} {ko} 씨", f"{en}, {indefinite(person.job.en)}"
    else:
        ko, en = f"주민 {ko} 씨({person.age})", f"{en}, {person.age}"
    he = "He" if person.gender == "m" else "She"
    return Speaker(ko, en, "person", "그", he, comma=True, grown_up=person.age >= 20)


def _surname_only(rng: random.Random) -> Speaker:
    """Describe somebody whose given name is not told: 주민 김모 씨."""
    person = rng.choice(PEOPLE)
    ko, en = f"{person.family_ko}모 씨", f"a resident by the name of {person.family_en}"
    return Speaker(f"주민 {NAME}{ko}{END}", f"{NAME}{en}{END}", "anonymous", ko, "The resident")


def _nobody(ko: str, en: str) -> Speaker:
    """Describe somebody anonymous: "a parent" is later "the parent"."""
    noun_ko = ko.split()[-1]
    noun_en = re.split(r" (?:who|from|at|of|by|in|to|next) ", en)[0].split(" ", 1)[1]
    again = f"이 {noun_ko}" if noun_ko != "관계자" else "그"
    return Speaker(f"{NAME}{ko}{END}", f"{NAME}{en}{END}", "anonymous", again, f"The {noun_en}")


def _is_official(speaker: Speaker) -> bool:
    """Tell whether somebody speaks for an office, and has no opinion."""
    return speaker.kind == "office" or "관계자" in speaker.ko or "직원" in speaker.ko


def _office(ko: str, en: str) -> Speaker:
    again = en[4:] if en.startswith("the ") else en
    again = f"The {again}" if en.startswith("the ") else again
    return Speaker(f"{NAME}{ko}{END}", f"{NAME}{en}{END}", "office", ko, again)


def _speakers(topic: Topic, rng: random.Random) -> list[Speaker]:
    """Draw different people, offices and others who might be sources or lures of an article."""
    people = [person for person in PEOPLE if person.job is None or person.job.ko != "기자"]
    if topic.name not in ("school", "festival", "theatre", "sports", "museum", "animals"):
        people = [person for person in people if person.age >= 20]
    some = rng.sample(people, 6)
    while sum(person.age >= 20 for person in some) < 5:  # three may be quoted, one acts, one closes
        some = rng.sample(people, 6)
    found = [_person(person, rng) for person in some]
    found += [_office(ko, en) for ko, en in topic.lines["office"]]
    others = rng.sample((*ANONYMOUS, *topic.lines["anon"], *topic.lines["anon"]), 3)
    found += [_nobody(ko, en) for ko, en in dict.fromkeys(others)]
    office_ko, office_en = rng.choice(topic.lines["office"])
    insider = f"{office_ko}의 한 관계자", f"an official of {office_en}"
    found += [_nobody(*insider), _surname_only(rng)]
    return found


def _fill(text: str, words: dict[str, tuple[str, str]], language: int) -> str:
    """Put words into braces; {word:particle} in Korean."""

    def put(match: re.Match[str]) -> str:
        word = words[match[1]][language]
        return _with_particle(word, match[2]) if match[2] else word

    return re.sub(r"\{([A-Za-z고는.]+)(?::([^}]+))?\}", put, text)


def _with_particle(word: str, name: str) -> str:
    """Put a particle behind a word, whatever stands in brackets or around it."""
    spoken = re.sub(r"\(.*?\)|[\ue000\ue001]", "", word)
    return word + particle(spoken, name)[len(spoken) :]


def _say(
    turn: Turn,
    speaker: Speaker,
    said: list[Statement],
    words: dict[str, tuple[str, str]],
) -> tuple[str, str]:
    """Put a source and what it says into a turn of reporting."""
    ko, en = [statement.ko for statement in said], [statement.en for statement in said]
    words = dict(words)
    words["S"] = speaker.ko, speaker.en + ("," if speaker.comma else "")
    words["S."] = speaker.ko, speaker.en
    words["H"] = speaker.again_ko, speaker.again_en
    if said:
        words["Q"] = ko[0], en[0]
        words["Q고"], words["Q는"] = (reported(ko[0]), ""), (reported(ko[0], "는"), "")
        words["q"] = "", en[0][0].lower() + en[0][1:]
        words["R"] = ko[-1], en[-1]
    text = _fill(turn.en, words, 1)
    first = 1 if text[0] in (NAME, '"') else 0
    return _fill(turn.ko, words, 0), text[:first] + text[first].upper() + text[first + 1 :]


def _setting(rng: random.Random) -> tuple[Topic, dict[str, tuple[str, str]], tuple[str, ...]]:
    """Draw a topic, the words of its lines, and the key by which it is split."""
    topic = rng.choice(TOPICS)
    issue: Noun = rng.choice(NOUNS["issue"])
    place = rng.choice([noun for noun in NOUNS["landmark"] if noun.ko in topic.places])
    paper, month = rng.choice(NOUNS["newspaper"]), MONTHS[rng.choice(topic.months) - 1]
    number = rng.randint(1, 28)
    date = f"{month.ko} {number}일", f"{month.en} {number}"
    day = rng.choice((rng.choice(WEEKDAYS), date))
    words = {
        "day": day,
        "place": (place.ko, place.en),
        "issue": (issue.ko, issue.en),
        "paper": (paper.ko, paper.en),
    }
    key = (issue.ko if topic.name == "council" else topic.name, place.ko, day[0])
    return topic, words, key


def _statements(
    topic: Topic, words: dict[str, tuple[str, str]], rng: random.Random
) -> list[Statement]:
    """Return what is said about a topic, in random order."""
    return [
        Statement(_fill(one.ko, words, 0), _fill(one.en, words, 1), one.sign)
        for one in rng.sample(topic.statements, len(topic.statements))
    ]


def _attribute(rng: random.Random) -> tuple[Attribution, tuple[str, ...]]:
    topic, words, key = _setting(rng)
    speakers = _speakers(topic, rng)
    rng.shuffle(speakers)
    kinds = ("person", "anonymous")
    sources = [
        next(one for one in speakers if one.kind == kind and not _is_official(one))
        for kind in kinds
    ]
    statement = next(one for one in _statements(topic, words, rng) if one.sign)
    turn = rng.choice(
        [
            turn
            for turn in REPORTING
            if turn.speaker in ("all", "person")
            and statement.sign in turn.signs
            and "{R}" not in turn.ko
        ]
    )
    lead = rng.choice(topic.lines["lead"])
    texts = [
        re.sub(f"[{NAME}{END}]", "", text)
        for source in sources
        for text in _say(turn, source, [statement], words)
    ]
    return Attribution(_fill(lead[0], words, 0), _fill(lead[1], words, 1), *texts), key


def _write(rng: random.Random) -> tuple[Article, tuple[str, ...]]:
    topic, words, key = _setting(rng)
    statements = _statements(topic, words, rng)
    speakers = _speakers(topic, rng)
    rng.shuffle(speakers)
    quoted = rng.choices((0, 1, 2, 3), weights=(15, 25, 35, 25))[0]
    facts = rng.sample(topic.lines["fact"], rng.randint(1, 2) if quoted else 2)
    sentences: list[tuple[str, str, Speaker | None]] = []

    def tell(lines: tuple[str, str], **more: Speaker) -> None:
        plain = {name: (who.ko, who.en + "," * who.comma) for name, who in more.items()}
        ko, en = _fill(lines[0], words | plain, 0), _fill(lines[1], words | plain, 1)
        ko, en = (re.sub(f"[{NAME}{END}]", "", text) for text in (ko, en))
        sentences.append((ko, en[0].upper() + en[1:], None))

    tell(rng.choice(topic.lines["lead"]))
    tell(facts[0])
    middle: list[list[tuple[str, str, Speaker | None]]] = []
    for speaker in speakers[:quoted]:
        middle.append(_paragraph(topic, speaker, statements, words, rng))
    rest = speakers[quoted:]
    people = [speaker for speaker in rest if speaker.kind == "person"]
    offices = [speaker for speaker in rest if speaker.kind == "office"]
    begun = len(sentences)
    if rng.random() < 0.6 or not quoted:
        adult = topic.lines.get("adult", ()) if people[0].grown_up else ()
        tell(rng.choice((*topic.lines.get("act", ()), *adult)), who=people[0])
    if len(facts) > 1:
        tell(facts[1])
    middle += [[sentence] for sentence in sentences[begun:]]
    del sentences[begun:]
    rng.shuffle(middle)
    sentences += [sentence for paragraph in middle for sentence in paragraph]
    if rng.random() < 0.7:
        possible = [one for one in CLOSING if "{office" not in one.ko or (offices and quoted)]
        closing = rng.choice(possible)
        lure = {"office": offices[0]} if offices else {}
        who = next(one for one in people[1:] if one.grown_up)
        tell((closing.ko, closing.en), who=who, **lure)
    (ko, en), named, sources = _annotate(sentences)
    discussed = words["issue"] if topic.name == "council" else None
    day, place = words["day"], words["place"]
    return Article(ko, en, named, topic.name, day, place, discussed, sources), key


def _paragraph(
    topic: Topic,
    speaker: Speaker,
    statements: list[Statement],
    words: dict[str, tuple[str, str]],
    rng: random.Random,
) -> list[tuple[str, str, Speaker | None]]:
    """Let a source say something, and perhaps something more; take that from the statements."""
    signs = (0,) if _is_official(speaker) else (-1, 1)
    left = [one for one in statements if one.sign in signs]
    if not left:  # everything has been said
        return []
    sign = rng.choice(left).sign
    left = [one for one in left if one.sign == sign]
    kind = "person" if speaker.kind != "office" else "office"
    turns = [
        turn
        for turn in REPORTING
        if turn.speaker in ("all", kind, speaker.kind)
        and (sign in turn.signs or (turn.appeal and speaker.kind == "office"))
        and (len(left) > 1 or "{R}" not in turn.ko)
    ]
    turn = rng.choice(turns)
    said = left[: 2 if "{R}" in turn.ko else 1]
    if turn.appeal:
        said = []
        before, verb, en = rng.choice(topic.appeals)
        words = words | {"A": (f"{before} {reported_order(verb)}", en)}
    for one in said:
        statements.remove(one)
    paragraph: list[tuple[str, str, Speaker | None]] = [
        (*_say(turn, speaker, said, words), speaker)
    ]
    more = [one for one in left if one not in said]
    if more and rng.random() < 0.3:
        statements.remove(more[0])
        paragraph.append((*_say(rng.choice(ADDING), speaker, more[:1], words), speaker))
    return paragraph


def _annotate(
    sentences: list[tuple[str, str, Speaker | None]],
) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], tuple[bool | None, ...], tuple[Source, ...]]:
    """Return the texts without marks, whether each has a named source, and where sources stand."""
    texts: tuple[list[str], list[str]] = [], []
    sources: list[Source] = []
    for number, (ko, en, speaker) in enumerate(sentences):
        spans = []
        for language, text in enumerate((ko, en)):
            offset = sum(len(before) + 1 for before in texts[language])
            if NAME in text:
                start, end = text.index(NAME), text.index(END) - 1
                text = text.replace(NAME, "").replace(END, "")
                spans.append((text[start:end], offset + start, offset + end))
            texts[language].append(text)
        if spans:
            assert speaker is not None, "only a source is marked"
            (name_ko, from_ko, to_ko), (name_en, from_en, to_en) = spans
            source = name_ko, name_en, from_ko, to_ko, from_en, to_en
            sources.append(Source(*source, kind=speaker.kind, sentence=number))
    named = tuple(
        None if speaker is None else speaker.kind != "anonymous" for *_, speaker in sentences
    )
    return (tuple(texts[0]), tuple(texts[1])), named, tuple(sources)
