"""Korean by rule: syllables, particles and endings, against forms checked by hand."""

# ruff: noqa: E501 - Hangul counts double, and a row of the table stays a row

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.data.town.hangul import (
    LEADS,
    TAILS,
    VOWELS,
    final_consonant,
    join_syllable,
    particle,
    split_syllable,
)
from companion.data.town.korean import KINDS, LEVELS, TENSES, Predicate, be

SYLLABLES = [chr(code) for code in range(ord("가"), ord("힣") + 1)]


def test_all_syllables_come_apart_and_together():
    assert len(SYLLABLES) == len(LEADS) * len(VOWELS) * len(TAILS) == 11172
    parts = [split_syllable(syllable) for syllable in SYLLABLES]
    assert len(set(parts)) == 11172
    assert [join_syllable(*part) for part in parts] == SYLLABLES
    assert split_syllable("뷁") == ("ㅂ", "ㅞ", "ㄺ")


@pytest.mark.parametrize("wrong", ["", "가나", "ㄱ", "a", "力", "1"])
def test_what_is_no_syllable_is_refused(wrong):
    with pytest.raises(ValueError, match=r"syllable must be one Hangul syllable, got"):
        split_syllable(wrong)


@pytest.mark.parametrize("parts", [("", "ㅏ"), ("ㄱ", ""), ("ㅏ", "ㅏ"), ("ㄱ", "ㅏ", "ㄸ")])
def test_what_makes_no_syllable_is_refused(parts):
    with pytest.raises(ValueError, match=r"no syllable has the lead"):
        join_syllable(*parts)


# Word, particle (in its form after a consonant), both together. Checked by hand.
PARTICLE_TABLE = """
학생 은 학생은; 의사 은 의사는; 물 은 물은; 3 은 3은; 2 은 2는
책 이 책이; 사과 이 사과가; 밥 을 밥을; 우유 을 우유를; 7 을 7을; 5 을 5를
형 과 형과; 누나 과 누나와; 산 과 산과; 바다 과 바다와
학교 으로 학교로; 집 으로 집으로; 서울 으로 서울로; 부엌 으로 부엌으로; 교실 으로 교실로
1 으로 1로; 3 으로 3으로; 빵 이나 빵이나; 커피 이나 커피나
지민 이라고 지민이라고; 민서 이라고 민서라고; 왕 이라는 왕이라는; 공주 이라는 공주라는
지훈 아 지훈아; 민서 아 민서야; 시장 에서 시장에서; 아이 에게 아이에게; 친구 의 친구의
"""


@pytest.mark.parametrize(
    "row", [row.strip() for row in PARTICLE_TABLE.replace("\n", ";").split(";") if row.strip()]
)
def test_particles(row):
    word, name, expected = row.split()
    assert particle(word, name) == expected


@given(st.sampled_from(SYLLABLES))
def test_a_particle_depends_on_the_last_sound_alone(syllable):
    assert particle("가힣" + syllable, "은")[-1] == particle(syllable, "은")[-1]
    closed = final_consonant(syllable) != ""
    assert particle(syllable, "을").endswith("을" if closed else "를")


@pytest.mark.parametrize("word", ["", "cat", "책!", "ㄱ"])
def test_a_particle_needs_hangul_or_a_digit(word):
    with pytest.raises(ValueError, match=r"word must end in a Hangul syllable or a digit, got"):
        particle(word, "은")


def test_an_unknown_particle_is_refused():
    with pytest.raises(ValueError, match=r"name must be a particle .*, got '는'"):
        particle("의사", "는")


# stem kind irregular | past | present plain, polite, formal | future | before a noun | if | so
# Checked by hand, form by form.
TABLE = """
먹 verb | 먹었다 | 먹는다 먹어요 먹습니다 | 먹을 것이다 | 먹는 | 먹으면 | 먹어서
가 verb | 갔다 | 간다 가요 갑니다 | 갈 것이다 | 가는 | 가면 | 가서
오 verb | 왔다 | 온다 와요 옵니다 | 올 것이다 | 오는 | 오면 | 와서
보 verb | 봤다 | 본다 봐요 봅니다 | 볼 것이다 | 보는 | 보면 | 봐서
마시 verb | 마셨다 | 마신다 마셔요 마십니다 | 마실 것이다 | 마시는 | 마시면 | 마셔서
배우 verb | 배웠다 | 배운다 배워요 배웁니다 | 배울 것이다 | 배우는 | 배우면 | 배워서
공부하 verb | 공부했다 | 공부한다 공부해요 공부합니다 | 공부할 것이다 | 공부하는 | 공부하면 | 공부해서
쓰 verb | 썼다 | 쓴다 써요 씁니다 | 쓸 것이다 | 쓰는 | 쓰면 | 써서
모으 verb | 모았다 | 모은다 모아요 모읍니다 | 모을 것이다 | 모으는 | 모으면 | 모아서
끄 verb | 껐다 | 끈다 꺼요 끕니다 | 끌 것이다 | 끄는 | 끄면 | 꺼서
켜 verb | 켰다 | 켠다 켜요 켭니다 | 켤 것이다 | 켜는 | 켜면 | 켜서
살 verb | 살았다 | 산다 살아요 삽니다 | 살 것이다 | 사는 | 살면 | 살아서
만들 verb | 만들었다 | 만든다 만들어요 만듭니다 | 만들 것이다 | 만드는 | 만들면 | 만들어서
놀 verb | 놀았다 | 논다 놀아요 놉니다 | 놀 것이다 | 노는 | 놀면 | 놀아서
읽 verb | 읽었다 | 읽는다 읽어요 읽습니다 | 읽을 것이다 | 읽는 | 읽으면 | 읽어서
앉 verb | 앉았다 | 앉는다 앉아요 앉습니다 | 앉을 것이다 | 앉는 | 앉으면 | 앉아서
닦 verb | 닦았다 | 닦는다 닦아요 닦습니다 | 닦을 것이다 | 닦는 | 닦으면 | 닦아서
주 verb | 줬다 | 준다 줘요 줍니다 | 줄 것이다 | 주는 | 주면 | 줘서
보내 verb | 보냈다 | 보낸다 보내요 보냅니다 | 보낼 것이다 | 보내는 | 보내면 | 보내서
쉬 verb | 쉬었다 | 쉰다 쉬어요 쉽니다 | 쉴 것이다 | 쉬는 | 쉬면 | 쉬어서
되 verb | 됐다 | 된다 돼요 됩니다 | 될 것이다 | 되는 | 되면 | 돼서
듣 verb ㄷ | 들었다 | 듣는다 들어요 듣습니다 | 들을 것이다 | 듣는 | 들으면 | 들어서
걷 verb ㄷ | 걸었다 | 걷는다 걸어요 걷습니다 | 걸을 것이다 | 걷는 | 걸으면 | 걸어서
돕 verb ㅂ | 도왔다 | 돕는다 도와요 돕습니다 | 도울 것이다 | 돕는 | 도우면 | 도와서
굽 verb ㅂ | 구웠다 | 굽는다 구워요 굽습니다 | 구울 것이다 | 굽는 | 구우면 | 구워서
짓 verb ㅅ | 지었다 | 짓는다 지어요 짓습니다 | 지을 것이다 | 짓는 | 지으면 | 지어서
고르 verb 르 | 골랐다 | 고른다 골라요 고릅니다 | 고를 것이다 | 고르는 | 고르면 | 골라서
부르 verb 르 | 불렀다 | 부른다 불러요 부릅니다 | 부를 것이다 | 부르는 | 부르면 | 불러서
예쁘 adjective | 예뻤다 | 예쁘다 예뻐요 예쁩니다 | 예쁠 것이다 | 예쁜 | 예쁘면 | 예뻐서
바쁘 adjective | 바빴다 | 바쁘다 바빠요 바쁩니다 | 바쁠 것이다 | 바쁜 | 바쁘면 | 바빠서
크 adjective | 컸다 | 크다 커요 큽니다 | 클 것이다 | 큰 | 크면 | 커서
작 adjective | 작았다 | 작다 작아요 작습니다 | 작을 것이다 | 작은 | 작으면 | 작아서
길 adjective | 길었다 | 길다 길어요 깁니다 | 길 것이다 | 긴 | 길면 | 길어서
달 adjective | 달았다 | 달다 달아요 답니다 | 달 것이다 | 단 | 달면 | 달아서
맵 adjective ㅂ | 매웠다 | 맵다 매워요 맵습니다 | 매울 것이다 | 매운 | 매우면 | 매워서
춥 adjective ㅂ | 추웠다 | 춥다 추워요 춥습니다 | 추울 것이다 | 추운 | 추우면 | 추워서
새롭 adjective ㅂ | 새로웠다 | 새롭다 새로워요 새롭습니다 | 새로울 것이다 | 새로운 | 새로우면 | 새로워서
좁 adjective | 좁았다 | 좁다 좁아요 좁습니다 | 좁을 것이다 | 좁은 | 좁으면 | 좁아서
빠르 adjective 르 | 빨랐다 | 빠르다 빨라요 빠릅니다 | 빠를 것이다 | 빠른 | 빠르면 | 빨라서
게으르 adjective 르 | 게을렀다 | 게으르다 게을러요 게으릅니다 | 게으를 것이다 | 게으른 | 게으르면 | 게을러서
빨갛 adjective ㅎ | 빨갰다 | 빨갛다 빨개요 빨갛습니다 | 빨갈 것이다 | 빨간 | 빨가면 | 빨개서
하얗 adjective ㅎ | 하얬다 | 하얗다 하얘요 하얗습니다 | 하얄 것이다 | 하얀 | 하야면 | 하얘서
매 verb | 맸다 | 맨다 매요 맵니다 | 맬 것이다 | 매는 | 매면 | 매서
두르 verb 르 | 둘렀다 | 두른다 둘러요 두릅니다 | 두를 것이다 | 두르는 | 두르면 | 둘러서
썰 verb | 썰었다 | 썬다 썰어요 썹니다 | 썰 것이다 | 써는 | 썰면 | 썰어서
떨어뜨리 verb | 떨어뜨렸다 | 떨어뜨린다 떨어뜨려요 떨어뜨립니다 | 떨어뜨릴 것이다 | 떨어뜨리는 | 떨어뜨리면 | 떨어뜨려서
외롭 adjective ㅂ | 외로웠다 | 외롭다 외로워요 외롭습니다 | 외로울 것이다 | 외로운 | 외로우면 | 외로워서
목마르 adjective 르 | 목말랐다 | 목마르다 목말라요 목마릅니다 | 목마를 것이다 | 목마른 | 목마르면 | 목말라서
멀 adjective | 멀었다 | 멀다 멀어요 멉니다 | 멀 것이다 | 먼 | 멀면 | 멀어서
좋 adjective | 좋았다 | 좋다 좋아요 좋습니다 | 좋을 것이다 | 좋은 | 좋으면 | 좋아서
친절하 adjective | 친절했다 | 친절하다 친절해요 친절합니다 | 친절할 것이다 | 친절한 | 친절하면 | 친절해서
재미있 existence | 재미있었다 | 재미있다 재미있어요 재미있습니다 | 재미있을 것이다 | 재미있는 | 재미있으면 | 재미있어서
"""
ROWS = [row.split(" | ") for row in TABLE.strip().splitlines()]


@pytest.mark.parametrize("row", ROWS, ids=[row[0].split()[0] for row in ROWS])
def test_forms_checked_by_hand(row):
    word, past, present, future, noun, if_form, so_form = row
    predicate = Predicate(*word.split())
    assert predicate.sentence("past") == past
    assert [predicate.sentence("present", level) for level in LEVELS] == present.split()
    assert predicate.sentence("future") == future
    assert predicate.adnominal() == noun
    assert predicate.connective("으면") == if_form
    assert predicate.connective("어서") == so_form


def test_other_forms_checked_by_hand():
    eat, live, cook = Predicate("먹"), Predicate("살"), Predicate("요리하")
    assert [eat.sentence("past", level) for level in LEVELS] == ["먹었다", "먹었어요", "먹었습니다"]
    assert eat.sentence("future", "polite") == "먹을 거예요"
    assert eat.sentence("past", negative=True) == "먹지 않았다"
    assert eat.sentence("present", negative=True) == "먹지 않는다"
    assert eat.sentence("future", "formal", negative=True) == "먹지 않을 것입니다"
    assert Predicate("춥", "adjective", "ㅂ").sentence("present", negative=True) == "춥지 않다"
    assert (eat.adnominal("past"), live.adnominal("past")) == ("먹은", "산")
    assert (eat.connective("으러"), live.connective("으러")) == ("먹으러", "살러")
    assert cook.connective("지만", tense="past") == "요리했지만"
    assert eat.connective("고", tense="past") == "먹었고"


@pytest.mark.parametrize(
    ("noun", "forms"),
    [
        ("의사", "의사였다 의사다 의사예요 의사입니다 의사가 아니다 의사일 것이다"),
        ("학생", "학생이었다 학생이다 학생이에요 학생입니다 학생이 아니다 학생일 것이다"),
    ],
)
def test_the_copula(noun, forms):
    assert be(noun, "past") == forms.split()[0]
    assert [be(noun, "present", level) for level in LEVELS] == forms.split()[1:4]
    assert be(noun, "present", negative=True) == " ".join(forms.split()[4:6])
    assert be(noun, "future") == " ".join(forms.split()[6:])
    assert be(noun, "past", "polite", negative=True).endswith(" 아니었어요")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Predicate("먹", "noun"), f"kind must be one of {KINDS}".replace("(", r"\(")[:20]),
        (lambda: Predicate("먹", irregular="ㅁ"), "irregular must be one of"),
        (lambda: Predicate("먹", irregular="ㅂ"), "stem must end in ㅂ, got '먹'"),
        (lambda: Predicate(""), "stem must be empty for the copula alone, got ''"),
        (lambda: Predicate("", "copula").sentence("past"), "the copula needs a noun"),
        (
            lambda: Predicate("먹").sentence("perfect"),
            f"tense must be {TENSES[0]!r} or .*, got 'perfect'",
        ),
        (lambda: Predicate("먹").sentence("past", "rude"), "level must be .*, got 'rude'"),
        (lambda: Predicate("크", "adjective").adnominal("past"), "tense must be one that a adject"),
        (lambda: Predicate("먹").connective("어서", tense="past"), "must be those of a connective"),
        (lambda: be("의사", "soon"), "tense must be .*, got 'soon'"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
