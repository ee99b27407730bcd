"""Conversation in the town: endings checked by hand, answers against questions, splits."""

# ruff: noqa: E501 - Hangul counts double, and a row of the table stays a row

import re

import pytest

from companion.data.town import dialogue, english
from companion.data.town.choices import vocabulary
from companion.data.town.dialogue import (
    KINDS,
    Exchange,
    address,
    commands,
    exchanges,
    is_child,
    is_old,
    preferences,
    speech_name,
)
from companion.data.town.endings import (
    honorific,
    order,
    proposal,
    question,
    question_be,
    reply,
    reply_be,
    request,
)
from companion.data.town.hangul import final_consonant
from companion.data.town.korean import LEVELS, TENSES, Predicate
from companion.data.town.nouns import NOUNS
from companion.data.town.people import PEOPLE
from companion.data.town.verbs import ACTION_VERBS

SPLITS = ("train", "validation", "test")
VERBS = {
    "먹다": Predicate("먹"),
    "가다": Predicate("가"),
    "오다": Predicate("오"),
    "하다": Predicate("하"),
    "돕다": Predicate("돕", irregular="ㅂ"),
    "굽다": Predicate("굽", irregular="ㅂ"),
    "듣다": Predicate("듣", irregular="ㄷ"),
    "부르다": Predicate("부르", irregular="르"),
    "짓다": Predicate("짓", irregular="ㅅ"),
    "쓰다": Predicate("쓰"),
    "만들다": Predicate("만들"),
    "자다": Predicate("자"),
    "하얗다": Predicate("하얗", "adjective", "ㅎ"),
    "춥다": Predicate("춥", "adjective", "ㅂ"),
    "길다": Predicate("길", "adjective"),
    "있다": Predicate("있", "existence"),
}

# Past, present, future at the three levels. Checked by hand.
QUESTIONS = """
먹다: 먹었니 먹었어요 먹었습니까 / 먹니 먹어요 먹습니까 / 먹을_거니 먹을_거예요 먹을_것입니까
돕다: 도왔니 도왔어요 도왔습니까 / 돕니 도와요 돕습니까 / 도울_거니 도울_거예요 도울_것입니까
듣다: 들었니 들었어요 들었습니까 / 듣니 들어요 듣습니까 / 들을_거니 들을_거예요 들을_것입니까
부르다: 불렀니 불렀어요 불렀습니까 / 부르니 불러요 부릅니까 / 부를_거니 부를_거예요 부를_것입니까
짓다: 지었니 지었어요 지었습니까 / 짓니 지어요 짓습니까 / 지을_거니 지을_거예요 지을_것입니까
쓰다: 썼니 썼어요 썼습니까 / 쓰니 써요 씁니까 / 쓸_거니 쓸_거예요 쓸_것입니까
만들다: 만들었니 만들었어요 만들었습니까 / 만드니 만들어요 만듭니까 / 만들_거니 만들_거예요 만들_것입니까
하얗다: 하얬니 하얬어요 하얬습니까 / 하얗니 하얘요 하얗습니까 / 하얄_거니 하얄_거예요 하얄_것입니까
춥다: 추웠니 추웠어요 추웠습니까 / 춥니 추워요 춥습니까 / 추울_거니 추울_거예요 추울_것입니까
길다: 길었니 길었어요 길었습니까 / 기니 길어요 깁니까 / 길_거니 길_거예요 길_것입니까
있다: 있었니 있었어요 있었습니까 / 있니 있어요 있습니까 / 있을_거니 있을_거예요 있을_것입니까
"""
# The plain reply, the past of the plain reply, and its negation.
REPLIES = """
먹다 먹어 먹었어 먹지_않아; 돕다 도와 도왔어 돕지_않아; 듣다 들어 들었어 듣지_않아
부르다 불러 불렀어 부르지_않아; 짓다 지어 지었어 짓지_않아; 쓰다 써 썼어 쓰지_않아
하얗다 하얘 하얬어 하얗지_않아; 춥다 추워 추웠어 춥지_않아; 하다 해 했어 하지_않아
"""
# Order, request, proposal, at the three levels; the polite proposal also with respect.
COMMANDS = """
먹다: 먹어라 드세요 드십시오 / 먹어_줘 먹어_주세요 먹어_주십시오 / 먹자 먹어요 먹읍시다 드시지요
가다: 가라 가세요 가십시오 / 가_줘 가_주세요 가_주십시오 / 가자 가요 갑시다 가시지요
오다: 와라 오세요 오십시오 / 와_줘 와_주세요 와_주십시오 / 오자 와요 옵시다 오시지요
하다: 해라 하세요 하십시오 / 해_줘 해_주세요 해_주십시오 / 하자 해요 합시다 하시지요
돕다: 도와라 도우세요 도우십시오 / 도와_줘 도와_주세요 도와_주십시오 / 돕자 도와요 도웁시다 도우시지요
굽다: 구워라 구우세요 구우십시오 / 구워_줘 구워_주세요 구워_주십시오 / 굽자 구워요 구웁시다 구우시지요
듣다: 들어라 들으세요 들으십시오 / 들어_줘 들어_주세요 들어_주십시오 / 듣자 들어요 들읍시다 들으시지요
부르다: 불러라 부르세요 부르십시오 / 불러_줘 불러_주세요 불러_주십시오 / 부르자 불러요 부릅시다 부르시지요
짓다: 지어라 지으세요 지으십시오 / 지어_줘 지어_주세요 지어_주십시오 / 짓자 지어요 지읍시다 지으시지요
쓰다: 써라 쓰세요 쓰십시오 / 써_줘 써_주세요 써_주십시오 / 쓰자 써요 씁시다 쓰시지요
만들다: 만들어라 만드세요 만드십시오 / 만들어_줘 만들어_주세요 만들어_주십시오 / 만들자 만들어요 만듭시다 만드시지요
자다: 자라 주무세요 주무십시오 / 자_줘 자_주세요 자_주십시오 / 자자 자요 잡시다 주무시지요
"""


def rows(table):
    found = []
    for line in table.strip().splitlines():
        word, forms = line.split(": ")
        found.append(
            (word, [[form.replace("_", " ") for form in part.split()] for part in forms.split("/")])
        )
    return found


@pytest.mark.parametrize(("word", "expected"), rows(QUESTIONS))
def test_questions(word, expected):
    for tense, forms in zip(TENSES, expected, strict=True):
        assert [question(VERBS[word], tense, level) for level in LEVELS] == forms


@pytest.mark.parametrize("row", REPLIES.replace("\n", ";").strip(";").split(";"))
def test_plain_replies(row):
    word, present, past, negative = (form.replace("_", " ") for form in row.split())
    assert reply(VERBS[word], "present", "plain") == present
    assert reply(VERBS[word], "past", "plain") == past
    assert reply(VERBS[word], "present", "plain", negative=True) == negative


@pytest.mark.parametrize(("word", "expected"), rows(COMMANDS))
def test_orders_requests_and_proposals(word, expected):
    verb, (orders, requests, proposals) = VERBS[word], expected
    assert [order(verb, level) for level in LEVELS] == orders
    assert [request(verb, level) for level in LEVELS] == requests
    assert [proposal(verb, level) for level in LEVELS] == proposals[:3]
    assert proposal(verb, "polite", respect=True) == proposals[3]


def test_negative_commands_and_questions():
    hear = VERBS["듣다"]
    assert [order(hear, level, negative=True) for level in LEVELS] == [
        "듣지 마라",
        "듣지 마세요",
        "듣지 마십시오",
    ]
    assert [proposal(hear, level, negative=True) for level in LEVELS] == [
        "듣지 말자",
        "듣지 말아요",
        "듣지 맙시다",
    ]
    assert [question(hear, "past", level, negative=True) for level in LEVELS] == [
        "듣지 않았니",
        "듣지 않았어요",
        "듣지 않았습니까",
    ]


def test_the_copula():
    assert [question_be("의사", level) for level in LEVELS] == ["의사니", "의사예요", "의사입니까"]
    assert [question_be("학생", level) for level in LEVELS] == [
        "학생이니",
        "학생이에요",
        "학생입니까",
    ]
    assert [reply_be("의사", level) for level in LEVELS] == ["의사야", "의사예요", "의사입니다"]
    assert [reply_be("학생", level) for level in LEVELS] == ["학생이야", "학생이에요", "학생입니다"]
    assert reply_be("학생", "plain", negative=True) == "학생이 아니야"
    assert reply_be("의사", "formal", negative=True) == "의사가 아닙니다"


def test_respect():
    expected = {"가다": "가세요", "돕다": "도우세요", "듣다": "들으세요", "부르다": "부르세요", "짓다": "지으세요", "쓰다": "쓰세요", "만들다": "만드세요", "먹다": "드세요", "자다": "주무세요", "있다": "계세요"}  # fmt: skip
    for word, form in expected.items():
        respected = honorific(VERBS[word])
        assert respected.sentence("present", "polite") == form
        assert respected.sentence("past", "polite") == form[:-2] + "셨어요"
        assert question(respected, "past", "formal") == form[:-2] + "셨습니까"
        assert question(respected, "future", "polite") == form[:-2] + "실 거예요"


def test_only_verbs_are_told():
    for function in (order, request, proposal):
        with pytest.raises(ValueError, match=r"predicate must be a verb, got the adjective '하얗'"):
            function(VERBS["하얗다"], "plain")
        with pytest.raises(ValueError, match=r"level must be .*, got 'loud'"):
            function(VERBS["먹다"], "loud")


def test_names_and_forms_of_address():
    by_name = {person.ko: person for person in PEOPLE}
    child, adult, old = by_name["민준"], by_name["영수"], by_name["덕구"]
    assert (is_child(child), is_old(child), is_child(adult), is_old(old)) == (
        True,
        False,
        False,
        True,
    )
    assert [speech_name(child, level) for level in LEVELS] == ["민준이"] * 3
    assert [speech_name(adult, level) for level in LEVELS] == ["영수", "영수 씨", "영수 씨"]
    assert [speech_name(old, level) for level in LEVELS] == ["덕구 할아버지"] * 3
    assert address(child, "plain") == ("민준아", "Minjun")
    assert address(by_name["지호"], "plain") == ("지호야", "Jiho")
    assert address(adult, "formal") == ("김영수 씨", "Mr Kim")
    assert address(old, "polite") == ("덕구 할아버지", "Grandpa Deokgu")
    assert address(old, "formal") == ("조덕구 어르신", "Mr Jo")


def test_every_kind_at_every_level():
    found = exchanges(3000)
    assert {(one.kind, one.level) for one in found} == {
        (kind, level) for kind in KINDS for level in LEVELS
    }
    told = commands(2000)
    assert {(one.kind, one.level) for one in told} == {
        (kind, level) for kind in ("order", "request", "proposal") for level in LEVELS
    }
    assert {one.kind for one in told if one.negative} == {"order", "proposal"}


ENDS = {
    "plain": ("니?", ("어.", "야.", "해.", "커.", "지.")),
    "polite": ("요?", ("요.",)),
    "formal": ("까?", ("다.",)),
}


def test_questions_and_answers_end_as_their_level_asks():
    for one in exchanges(2000, seed=1):
        asked, answered = ENDS[one.level]
        assert one.question_ko.endswith(asked)
        if one.level != "plain":
            assert one.answer_ko.endswith(answered)
            assert one.short_ko.endswith(answered)
        else:
            assert not one.answer_ko.endswith(("요.", "다."))
        first = {"yes": ("응", "네", "Yes, "), "no": ("아니", "아니요", "No, ")}.get(one.kind)
        if first:
            word = first[one.level != "plain"]
            for text in (one.answer_ko, one.short_ko):
                assert text.startswith(word + ", ")
            assert one.answer_en.startswith(first[2])
            assert one.short_en.startswith(first[2])
        else:
            assert not re.match("(응|네|아니|아니요), ", one.answer_ko)


QUESTION_WORDS = {
    "who": "누가",
    "where": "어디",
    "when": "언제",
    "whom": "누구를",
    "why": "왜",
    "which": "무슨",
}


def test_a_question_asks_in_both_languages_for_what_its_answer_says():
    for one in exchanges(2000, seed=2):
        if one.kind in ("yes", "no"):
            assert not re.search("누가|누구|어디|언제|무엇|뭘|왜 ", one.question_ko)
            assert re.search(r"(^|, )(Did|did|Will|will|Is|Are) ", one.question_en)
            continue
        word = QUESTION_WORDS.get(one.kind) or ("뭘" if one.level == "plain" else "무엇을")
        assert word in one.question_ko
        english = {"who": "Who", "where": "here", "when": "hen", "whom": "ho ", "why": "hy "}.get(
            one.kind, "hat"
        )
        assert english in one.question_en
        # What was asked for stands in the full answer; the rest of the question as well.
        short = re.sub(r"(이요|요|입니다)?\.$", "", one.short_ko)
        if one.kind in ("what", "where", "when", "whom") and one.level == "plain":
            assert short in one.answer_ko
            words = re.sub(r"^\S+야?, ", "", one.question_ko).split()
            kept = [
                w
                for w in words[1:-1]
                if word not in w and w not in ("거니?", "할아버지는", "할머니는")
            ]
            for w in kept[:-1]:
                assert w in one.answer_ko, (one.question_ko, one.answer_ko)


def test_answers_agree_with_each_other():
    """Yes and no are recomputed from the full answer: it repeats the question, denied or not."""
    for one in exchanges(2000, seed=3):
        if one.kind == "yes":
            assert " not " not in one.answer_en
            assert not re.search("지 않|아니라", one.answer_ko)
            head = re.sub(r"^.*?, (?=did|will)", "", one.question_en)
            if head[:4].lower() in ("did ", "will"):
                rest = head[:-1].split()[-1]
                assert one.answer_en[:-1].endswith(rest)
        if one.kind == "no":
            denied = " not " in one.answer_en
            assert denied == bool(re.search("지 않|아니라", one.answer_ko))
            if not denied:  # something else instead: it is no part of the question
                instead = one.answer_ko.split(", ", 1)[1].rsplit(" ", 1)[0]
                assert instead.split()[0] not in one.question_ko.split()
            assert re.search(r"(n't|n't [\w ]+|is an? [\w ]+)\.$", one.short_en)


def test_respect_is_for_others():
    """Whoever is asked politely gets -시- or its like, and leaves it out in the answer."""
    calls = {address(person, level) for person in PEOPLE for level in ("polite", "formal")}
    checked = 0
    for one in exchanges(2000, seed=4):
        called = next((ko for ko, _ in calls if one.question_ko.startswith(ko + ", ")), None)
        if called and one.level != "plain":
            assert re.search("[시셨세실]", one.question_ko[len(called) :]), one
            verb = (
                one.answer_ko.split()[-1]
                if one.answer_ko[-4:-1] not in ("거예요", "입니다")
                else one.answer_ko.split()[-2]
            )
            verb = re.sub("마[시셨실].*|잃.*", "", verb)
            assert not re.search("[셨실](어요|습니다)?$|세요|십니", verb.rstrip(".")), one
            checked += 1
    assert checked > 200


def test_commands_are_addressed_to_those_who_may_be_told_so():
    for one in commands(2000, seed=1):
        end = one.ko.rsplit(" ", 1)[-1]
        if one.level == "formal":
            assert end.endswith(("십시오.", "시다.")), one.ko
        elif one.level == "polite":
            assert end.endswith("요."), one.ko
        else:
            assert end.endswith({"order": "라.", "request": "줘.", "proposal": "자."}[one.kind]), (
                one.ko
            )
        assert not (one.kind == "proposal" and one.level == "formal" and "어르신" in one.ko)
        if one.kind == "order" and re.search("(할아버지|할머니|어르신), ", one.ko):
            assert re.search("시지 마|[시세]요?|십시오", one.ko.split(", ")[1])
            assert not one.negative or "시지 마" in one.ko, one.ko
        assert (
            one.negative
            == bool(re.search(r"지 (마|말|맙)", one.ko))
            == bool(re.search(r"[Dd]o not|[Dd]on't|[Ll]et's not", one.en))
        )
        assert one.en[0].isupper()


def test_particles_agree():
    texts = " ".join(
        text for one in exchanges(1500, seed=5) for text in (one.question_ko, one.answer_ko)
    )
    texts += " ".join(one.ko for one in commands(1000, seed=5))
    for word, particle_ in re.findall(r"([가-힣])(을|를) (?!거|것)", texts):
        assert (final_consonant(word) != "") == (particle_ == "을"), word + particle_


SINGULAR = {n.en: n.en for kind in NOUNS for n in NOUNS[kind]}
SINGULAR |= {
    english.plural(n.en): n.en for kind in NOUNS for n in NOUNS[kind] if n.number == "count"
}
NOUN = "|".join(sorted(map(re.escape, SINGULAR), key=len)[::-1])


FORMS = {
    form: base for base in {verb.en for verb in ACTION_VERBS} for form in (base, english.past(base))
}
VERB = "|".join(sorted(FORMS, key=len)[::-1])
DEED = re.compile(rf"\b({VERB}) (?:a |an |the |your )?({NOUN})\b")


def deeds(texts):
    """Read verbs with their objects out of English sentences, by the forms of the verbs alone."""
    return {(FORMS[verb], SINGULAR[noun]) for verb, noun in DEED.findall("\n".join(texts))}


def test_what_is_asked_or_told_in_one_split_is_asked_or_told_in_no_other():
    seen = []
    for split in SPLITS:
        told = [one.en for one in commands(400, split=split)]
        said = [
            text
            for one in exchanges(600, split=split)
            for text in (one.question_en, one.answer_en, one.short_en)
        ]
        seen.append(deeds(told) | deeds(said))
        assert deeds(told) & deeds(said), "both speak of the same things"
    train, validation, test = seen
    assert min(map(len, seen)) > 50
    assert not train & validation | train & test | validation & test


def test_the_tables_name_only_words_of_the_small_town():
    """A renamed word would silently drop out of what can be told; so it is refused at import."""
    for read, wrong in (
        (dialogue._verbs, "먹 연주하"),
        (dialogue._verbs, "켜/open"),
        (dialogue._nouns, "사과 망고"),
        (dialogue._heads, "look launder"),
    ):
        with pytest.raises(AssertionError, match=r"no (verbs|nouns) of the small town"):
            read(wrong)
    assert dialogue._verbs("켜 켜/play") == ("켜", "켜/play")


def test_every_verb_that_is_listed_is_told():
    """So that no combination of the tables leaves a verb out."""
    found = commands(3000, seed=6)
    for kind, listed in (("order", dialogue.ORDERS), ("request", dialogue.REQUESTS)):
        texts = [one.ko for one in found if one.kind == kind and not one.negative]
        ending = order if kind == "order" else request
        for verb in dialogue.VERBS:
            if verb.ko.stem in listed:
                forms = {ending(verb.ko, level) for level in LEVELS}
                assert any(text[:-1].endswith(tuple(forms)) for text in texts), verb.ko.stem


ENDINGS = ("", *"은는이가을를에요", "에서", "이요", "입니다")
LARGE, CORE = (
    {
        noun.ko + ending
        for kind in NOUNS
        for noun in NOUNS[kind]
        for ending in ENDINGS
        if noun.core == core and len(noun.ko) > 1
    }
    for core in (False, True)
)


def test_people_speak_of_the_small_town_and_of_what_is_near():
    texts = [one.question_ko + " " + one.answer_ko for one in exchanges(2000, seed=7)]
    texts += [one.ko for one in commands(1500, seed=7)]
    for text in texts:
        assert not (LARGE - CORE) & set(re.findall("[가-힣]+(?= )", text)), text
        assert not re.search("작년|지난달|지난여름|내년|다음 달", text)
        assert not re.search("(어젯밤|오늘 밤)에 (은행|학교|우체국|도서관)에", text)


def test_what_it_was_instead_goes_with_the_verb():
    """Nobody answers that they blew a violin, or drew gloves on like a coat."""
    takes = {}
    for verb in dialogue.ACTION_VERBS:
        if verb.core:
            nouns = {n.ko for kinds, _ in verb.uses for n in vocabulary("core").nouns(*kinds)}
            for one in (verb.ko, honorific(verb.ko)):
                for form in (
                    reply(one, tense, lv) for tense in ("past", "future") for lv in LEVELS
                ):
                    takes.setdefault(form, set()).update(nouns)
    checked = 0
    for one in exchanges(4500, seed=9):
        if one.kind == "no" and " not " not in one.answer_en:
            said = re.fullmatch(r"(?:아니|아니요), ([가-힣 ]+?)[을를] ([가-힣 ]+)\.", one.answer_ko)
            if said and said[2] in takes:
                assert said[1] in takes[said[2]], one.answer_ko
                checked += 1
    assert checked > 80


def test_what_people_do_fits_their_age():
    """Checked on what is said of somebody by name."""
    grown_up = {speech_name(p, level) for p in PEOPLE for level in LEVELS if not is_child(p)}
    children = {speech_name(p, "plain") for p in PEOPLE if is_child(p)}
    said = {True: 0, False: 0}
    for one in exchanges(4000, seed=8):
        who = re.sub("(은|는)$", "", re.split("(?<=[은는]) ", one.question_ko)[0])
        for names, never in (
            (children, "운전하|운전한|팔았|파는|오토바이를 [탔타탈]|커피를 마[시셨]"),
            (grown_up, "유치원에서 놀|놀이터에서 놀"),
        ):
            if who in names:
                said[names is children] += 1
                assert not re.search(never, one.question_ko), one.question_ko
    assert min(said.values()) > 200


def test_a_polite_and_a_plain_answer_say_the_same():
    found = preferences(300)
    assert found == preferences(300) != preferences(300, seed=1)
    for one in found:
        assert one.question_ko.endswith("요?")
        assert one.polite_ko.endswith("요.")
        assert not one.plain_ko.endswith(("요.", "다."))
        polite = re.sub("[가-힣]+ 씨|아니요|네,", "", one.polite_ko)
        plain = re.sub("아니,|응,", "", one.plain_ko)
        shared = set(polite.split()[:-1]) - {","}
        assert len(shared - set(plain.split())) <= 2
    train, validation, test = (
        {(one.question_en, one.answer_en) for one in preferences(150, split=split)}
        for split in SPLITS
    )
    assert not train & validation | train & test | validation & test


def test_a_seed_repeats_and_levels_ask_the_same():
    assert exchanges(50, seed=3) == exchanges(50, seed=3) != exchanges(50, seed=4)
    assert commands(50, seed=3) == commands(50, seed=3) != commands(50, seed=4)
    assert {one.level for one in exchanges(50, level="polite")} == {"polite"}
    assert {one.level for one in commands(50, level="formal")} == {"formal"}
    assert isinstance(exchanges(1)[0], Exchange)


@pytest.mark.parametrize("function", [exchanges, commands])
def test_wrong_arguments_are_refused(function):
    with pytest.raises(ValueError, match=r"level must be .*, got 'loud'"):
        function(1, level="loud")
    with pytest.raises(ValueError, match=r"split must be .*, got 'all'"):
        function(1, split="all")
    with pytest.raises(TypeError, match=r"n must be an integer, got '3'"):
        function("3")
