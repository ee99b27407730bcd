"""News of the town: sources found by an independent reader, spans, splits, and reported speech."""

import re

import pytest

from companion.data.town.endings import reported, reported_order
from companion.data.town.korean import Predicate
from companion.data.town.news import ANONYMOUS, CLOSING, REPORTING, articles, attributions
from companion.data.town.nouns import NOUNS
from companion.data.town.people import PEOPLE
from companion.data.town.topics import TOPICS

SPLITS = ("train", "validation", "test")
NAMES_KO = {person.family_ko + person.ko for person in PEOPLE}
NAMES_EN = {f"{person.en} {person.family_en}" for person in PEOPLE}
# Words with which a Korean sentence says that somebody said something.
SAYING = (
    *(
        "말했다.",
        "강조했다.",
        "전했다.",
        "밝혔다.",
        "설명했다.",
        "발표했다.",
        "기뻐했다.",
        "웃었다.",
    ),
    *("걱정했다.", "아쉬워했다.", "지적했다.", "털어놓았다.", "말이다.", "주장했다.", "냈다."),
    *("설명이다.", "당부했다.", "부탁했다.", "덧붙였다."),
)


def is_said(sentence):
    return sentence.split()[-1] in SAYING or "에 따르면 " in sentence


def test_every_source_stands_where_it_says():
    for article in articles(500):
        assert len(article.ko) == len(article.en) == len(article.named)
        for source in article.sources:
            assert article.text_ko[source.start_ko : source.end_ko] == source.ko
            assert article.text_en[source.start_en : source.end_en] == source.en
            before = " ".join(article.ko[: source.sentence])
            length = len(" ".join(article.ko[: source.sentence + 1]))
            assert len(before) <= source.start_ko < source.end_ko <= length
            assert source.en in article.en[source.sentence]
            assert article.named[source.sentence] is source.named
            assert source.named == (source.kind != "anonymous")
            assert (source.ko in NAMES_KO) == (source.en in NAMES_EN) == (source.kind == "person")
        assert not re.search("[\ue000\ue001{}]", article.text_ko + article.text_en)


def test_a_sentence_has_a_source_if_and_only_if_somebody_says_something():
    for article in articles(500, seed=1):
        for ko, named in zip(article.ko, article.named, strict=True):
            assert is_said(ko) == (named is not None), ko
        first = {source.sentence for source in article.sources}
        for number, (ko, named) in enumerate(zip(article.ko, article.named, strict=True)):
            if named is not None and number not in first:
                assert ko.split()[-1] in ("덧붙였다.", "말했다."), "the same source goes on"


def test_people_are_mentioned_who_are_no_sources():
    lures = quotes = 0
    for article in articles(500):
        sources = {source.ko for source in article.sources}
        mentioned = {name for name in NAMES_KO if name in article.text_ko}
        assert {source.ko for source in article.sources if source.kind == "person"} <= mentioned
        lures += bool(mentioned - sources)
        quotes += any(
            "“" in ko and named is None for ko, named in zip(article.ko, article.named, strict=True)
        )
        assert len(sources) == len(article.sources) <= 3, "each source once"
    assert lures > 300
    assert quotes > 50


def test_there_are_articles_with_none_to_three_sources_of_all_kinds():
    found = articles(600)
    counts = [len(article.sources) for article in found]
    assert all(counts.count(number) > 60 for number in range(4))
    kinds = [source.kind for article in found for source in article.sources]
    assert all(kinds.count(kind) > 100 for kind in ("person", "office", "anonymous"))
    assert {article.topic for article in found} == {topic.name for topic in TOPICS}
    general = {ko for ko, _ in ANONYMOUS}
    assert general <= {source.ko for article in found for source in article.sources}


def test_every_turn_occurs_in_both_languages():
    found = articles(1500)
    korean = "\n".join(article.text_ko for article in found)
    english = "\n".join(article.text_en for article in found)
    for turn in (*REPORTING, *CLOSING):
        for text, whole in ((turn.ko, korean), (turn.en, english)):
            pieces = [piece for piece in re.split(r"\{[^}]+\}", text) if piece.strip(' .,"“”은')]
            for piece in pieces:
                assert piece.strip(' ."“”') in whole, piece


def test_quotation_marks_come_in_pairs():
    for article in articles(500, seed=2):
        for ko, en in zip(article.ko, article.en, strict=True):
            assert re.fullmatch(r"[^“”]*(“[^“”]+”[^“”]*)*", ko)
            assert en.count('"') % 2 == 0
            assert ko.endswith((".", "”"))
            assert en[0].isupper() or en[0] in '"0123456789'
            assert en.endswith((".", '."', '?"'))
            assert not re.search(r" ,|,,|\.\.|  |,\.|(?<!\w)a [aeiou]", en), en
            assert not re.search(r"  |\.\.", ko)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("길이 막힌다", "길이 막힌다고"),
        ("꽃이 아름답다", "꽃이 아름답다고"),
        ("길을 새로 지었다", "길을 새로 지었다고"),
        ("큰 걱정이다", "큰 걱정이라고"),
        ("결과를 발표할 것이다", "결과를 발표할 것이라고"),
        ("급한 일이 아니다", "급한 일이 아니라고"),
        ("투표율은 72퍼센트였다", "투표율은 72퍼센트였다고"),
    ],
)
def test_reported_statements(sentence, expected):
    assert reported(sentence) == expected
    assert reported(sentence, "는") == expected[:-1] + "는"


def test_only_plain_statements_are_reported():
    with pytest.raises(ValueError, match=r"sentence must end in -다, got '가요'"):
        reported("가요")


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (("돕", "verb", "ㅂ"), "도우라고"),
        (("듣", "verb", "ㄷ"), "들으라고"),
        (("부르", "verb", "르"), "부르라고"),
        (("짓", "verb", "ㅅ"), "지으라고"),
        (("쓰",), "쓰라고"),
        (("열",), "열라고"),
        (("말",), "말라고"),
    ],
)
def test_reported_orders(verb, expected):
    assert reported_order(Predicate(*verb)) == expected


def test_particles_follow_the_title_not_the_age():
    text = " ".join(article.text_ko for article in articles(1000))
    assert re.search(r" 씨\(\d+\)는 ", text)
    assert re.search(r" 군\(\d+\)은 ", text)
    assert re.search(r" 양\(\d+\)은 ", text)
    assert not re.search(r" 씨(\(\d+\))?(은|이|과)[ .]", text)
    assert not re.search(r" [군양](\(\d+\))?(는|가|와)[ .]", text)


def test_splits_do_not_share_an_event():
    seen = []
    for split in SPLITS:
        found = articles(150, split=split)
        events = set()
        for article in found:
            day = re.findall(r"\d+월 \d+일|[월화수목금토일]요일", article.ko[0])[0]
            place = re.findall("|".join(place for t in TOPICS for place in t.places), article.ko[0])
            issue = [noun.ko for noun in NOUNS["issue"] if noun.ko in article.ko[0]]
            events.add((article.topic, *issue, place[0], day))
        seen.append(events)
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]


def test_the_day_and_the_place_stand_in_the_first_sentence():
    seasons = {topic.name: topic.months for topic in TOPICS}
    dated = 0
    for article in articles(400, seed=5):
        for language, first in enumerate((article.ko[0], article.en[0])):
            assert article.day[language] in first
            assert article.place[language] in first
            assert article.issue is None or article.issue[language] in first
        assert (article.issue is not None) == (article.topic == "council")
        if month := re.match(r"(\d+)월 \d+일", article.day[0]):
            assert int(month[1]) in seasons[article.topic]
            dated += 1
    assert 120 < dated < 280
    assert seasons["harvest"] == (9, 10, 11)


def test_a_child_does_nothing_that_only_adults_do():
    adult = [ko.split("} ", 1)[-1] for t in TOPICS for ko, _ in t.lines.get("adult", ())]
    adult.append("인터뷰를 정중히 거절했다.")
    found = [ko for article in articles(1500, seed=6) for ko in article.ko]
    assert any(ko.endswith(tuple(adult)) for ko in found)
    assert any(ko.startswith(("초등학생", "중학생")) for ko in found)
    for ko in found:
        if ko.startswith(("초등학생", "중학생")):
            assert not ko.endswith(tuple(adult)), ko


def test_attributions_differ_in_the_source_alone():
    found = attributions(300)
    assert found == attributions(300) != attributions(300, seed=1)
    for one in found:
        assert [name for name in NAMES_KO if name in one.named_ko]
        assert [name for name in NAMES_EN if name in one.named_en]
        assert not [name for name in NAMES_KO if name in one.anonymous_ko]
        assert not [name for name in NAMES_EN if name in one.anonymous_en]
        assert not re.search("관계자|직원", one.anonymous_ko.split("“")[0]), (
            "no opinion of an office"
        )
        assert is_said(one.named_ko)
        assert is_said(one.anonymous_ko)
        quoted, other = (re.findall("“(.+?)”", ko) for ko in (one.named_ko, one.anonymous_ko))
        assert quoted == other
        assert one.named_ko.split()[-1] == one.anonymous_ko.split()[-1]
        assert one.lead_ko.endswith("다.")
    leads = [{one.lead_ko for one in attributions(100, split=split)} for split in SPLITS]
    assert not leads[0] & leads[1] | leads[0] & leads[2] | leads[1] & leads[2]


def test_a_seed_repeats():
    assert articles(20, seed=3) == articles(20, seed=3) != articles(20, seed=4)


def test_every_topic_is_complete():
    assert len(TOPICS) >= 14
    for topic in TOPICS:
        assert len(topic.statements) >= 7
        assert {statement.sign for statement in topic.statements} == {-1, 0, 1}
        assert all(statement.ko.endswith("다") for statement in topic.statements)
        assert len(topic.lines["lead"]) >= 2
        assert len(topic.lines["fact"]) >= 2
        assert len(topic.lines["office"]) >= 2
        assert topic.lines["act"]
        assert topic.lines["anon"]
        assert topic.appeals
