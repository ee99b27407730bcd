"""The sentences of the town: variety, tags, one translation each, splits without leakage."""

import itertools
import random
import re
import time

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from companion.data.town import english
from companion.data.town.choices import (
    BECAUSE,
    ELDERS,
    FAR_TIMES,
    FREQUENCIES,
    LATER_TIMES,
    NEXT_TIMES,
    PAST_TIMES,
    SIZES,
    draw,
)
from companion.data.town.grammar import ALL_PATTERNS, make, sentences
from companion.data.town.inference import entailment
from companion.data.town.nouns import NOUNS
from companion.data.town.people import KIN, PAIRS, PEOPLE
from companion.data.town.tasks import (
    BY_ENGLISH,
    BY_NAME,
    SPLITS,
    parallel,
    running_text,
    sentiment,
    split_of,
    tagged,
)
from companion.data.town.verbs import (
    ACTION_VERBS,
    ACTIVITY_VERBS,
    ALL_ADJECTIVES,
    GIVING_VERBS,
    PEOPLE_VERBS,
)

TAGS = {
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT"),
    *("SCONJ", "VERB"),
}
MANY = list(itertools.islice(sentences(seed=5), 40_000))
MANY_OF_ALL = list(itertools.islice(sentences(seed=8, words="all"), 25_000))


def test_there_is_enough_variety():
    verbs = (*ACTION_VERBS, *ACTIVITY_VERBS, *PEOPLE_VERBS, *GIVING_VERBS)
    stems = {noun.ko for nouns in NOUNS.values() for noun in nouns}
    stems |= {verb.ko.stem for verb in verbs} | {adjective.ko.stem for adjective in ALL_ADJECTIVES}
    assert len(stems) >= 400
    assert len(ALL_PATTERNS) >= 60
    assert {sentence.pattern for sentence in MANY} == {pattern.name for pattern in ALL_PATTERNS}
    assert len({sentence.ko for sentence in MANY}) > 0.8 * len(MANY)


def test_a_hundred_thousand_sentences_take_less_than_ten_seconds():
    start = time.perf_counter()
    made = sum(1 for _ in itertools.islice(sentences(seed=6), 20_000))
    assert (made, time.perf_counter() - start < 2) == (20_000, True)


def test_each_sentence_has_one_translation_in_both_directions():
    there: dict[str, str] = {}
    back: dict[str, str] = {}
    for sentence in itertools.chain(MANY, MANY_OF_ALL):
        assert there.setdefault(sentence.ko, sentence.en) == sentence.en
        assert back.setdefault(sentence.en, sentence.ko) == sentence.ko


def test_texts_are_made_of_their_tokens():
    for sentence in MANY[:5000]:
        for text, tokens in ((sentence.ko, sentence.ko_tokens), (sentence.en, sentence.en_tokens)):
            assert "".join(token[0] for token in tokens) == text.replace(" ", "")
            assert {tag for _, tag, _ in tokens} <= TAGS
            before = "O"
            for _, _, entity in tokens:
                assert entity == "O" or re.fullmatch("[BI]-(PER|LOC|DATE|EVENT)", entity)
                assert entity[0] != "I" or before[2:] == entity[2:]
                before = entity
        assert re.fullmatch(r"[가-힣0-9 ,]+\.", sentence.ko), sentence.ko
        assert re.fullmatch(r"[A-Z][A-Za-zé0-9 ,'-]*\.", sentence.en), sentence.en


def test_entities_are_the_same_in_both_languages():
    for sentence in MANY[:5000]:
        kinds = [
            sorted(entity for _, _, entity in tokens if entity[0] == "B")
            for tokens in (sentence.ko_tokens, sentence.en_tokens)
        ]
        assert kinds[0] == kinds[1], sentence


@pytest.mark.parametrize(
    ("level", "ending"), [("plain", "다."), ("polite", "요."), ("formal", "니다.")]
)
def test_a_text_keeps_its_speech_level(level, ending):
    for text in itertools.islice(running_text(seed=1, level=level), 3000):
        assert text.endswith(ending), text
        if level == "plain":
            assert not text.endswith("습니다."), text


def test_a_seed_repeats_the_text():
    first, again, other = (
        list(itertools.islice(running_text(seed=seed, language="en"), 50)) for seed in (3, 3, 4)
    )
    assert first == again != other
    assert parallel(50, seed=3) == parallel(50, seed=3) != parallel(50, seed=4)


def test_articles_and_agreement_in_english():
    for sentence in (*MANY[:15_000], *MANY_OF_ALL[:15_000]):
        assert re.fullmatch(r"[A-Z][A-Za-zé0-9 ,'-]*\.", sentence.en), sentence.en
        assert not re.search(r"\ba [aeio]", sentence.en), sentence.en
        assert not re.search(r"\ban [^aeiouh]", sentence.en), sentence.en
        assert not re.search(r"\bthe the\b", sentence.en)
        assert not re.search(r"\b(shoes|socks|gloves|trousers|glasses) (is|was)\b", sentence.en)


def test_splits_do_not_share_a_sentence_or_what_it_is_about():
    sets = {split: parallel(1500, split=split) for split in SPLITS}
    texts = {split: {ko for ko, _ in pairs} for split, pairs in sets.items()}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not texts[one] & texts[other]
    for sentence in MANY[:20_000]:
        here = split_of(sentence.key)
        assert not any(sentence.ko in texts[split] for split in SPLITS if split != here)
    shares = [sum(split_of(s.key) == split for s in MANY) / len(MANY) for split in SPLITS]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.02)


def test_sentiment_follows_from_the_words():
    examples = sentiment(600, split="test")
    assert sum(example.label for example in examples) == 300
    for example in examples:
        found = [word for word in re.findall("[a-z]+", example.en) if word in BY_ENGLISH]
        opinion = BY_ENGLISH[found[-1]].opinion * (-1 if " not " in example.en else 1)
        assert opinion == (1 if example.label else -1), example


def surface(pair):
    """What a reader without any knowledge of words sees: lengths, negations, shared words."""
    found = []
    for premise, hypothesis in (
        (pair.premise_ko, pair.hypothesis_ko),
        (pair.premise_en, pair.hypothesis_en),
    ):
        one, other = (re.findall(r"\w+", text.lower()) for text in (premise, hypothesis))
        shared = len(set(one) & set(other))
        negated = [any(w in ("not", "않았다", "않는다", "않다") for w in t) for t in (one, other)]
        found += [len(one), len(other), len(other) - len(one), *negated, negated[0] != negated[1]]
        found += [shared, shared / len(set(other)), shared / len(set(one)), set(other) <= set(one)]
        found += [len(other) < len(one), len(other) == len(one)]
    return np.array(found, dtype=float)


@pytest.mark.parametrize("words", SIZES)
def test_length_negation_and_shared_words_do_not_betray_the_label(words):
    sets = [
        entailment(n, split=split, words=words) for n, split in ((3000, "train"), (1500, "test"))
    ]
    (x, y), (new_x, new_y) = (
        (np.stack([surface(pair) for pair in pairs]), [pair.label for pair in pairs])
        for pairs in sets
    )
    assert {label: new_y.count(label) for label in set(new_y)} == dict.fromkeys(new_y, 500)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    assert model.score(new_x, new_y) <= 0.45
    tree = DecisionTreeClassifier(max_depth=5, random_state=0).fit(x, y)
    assert tree.score(new_x, new_y) <= 0.48


@pytest.mark.parametrize("words", SIZES)
def test_adjectives_can_be_held_out(words):
    seen = {}
    in_nouns = {word for nouns in NOUNS.values() for n in nouns for word in n.en.split()}
    alone = {adjective.en for adjective in ALL_ADJECTIVES} - in_nouns
    for split in SPLITS:
        opinions = sentiment(300, split=split, words=words, held_out="adjectives")
        assert sum(opinion.label for opinion in opinions) == 150
        texts = " ".join(opinion.en for opinion in opinions)
        seen[split] = {a for a in alone if re.search(rf"(?<![-\w]){a}(?![-\w])", texts)}
        assert len(seen[split]) > 3
    for one, other in itertools.combinations(SPLITS, 2):
        assert not seen[one] & seen[other]
    with pytest.raises(ValueError, match=r"held_out must be .*, got 'nouns'"):
        sentiment(1, held_out="nouns")


def test_no_sentence_contradicts_itself():
    double = [s.words for s in MANY if s.pattern in ("is_both", "is_but")]
    assert len(double) > 500
    for words in double:
        one, other = words["a"], words.get("b") or words["but"]
        assert one is not other
        assert other.en not in (one.en, one.opposite)
        assert one.en != other.opposite


def test_tags_have_the_length_of_their_tokens():
    for language in ("ko", "en"):
        for example in tagged(300, split="validation", language=language):
            lengths = map(len, (example.tokens, example.parts_of_speech, example.entities))
            assert len(set(lengths)) == 1


def test_families_are_consistent():
    by_name = {person.ko: person for person in PEOPLE}
    assert len(by_name) == len(PEOPLE) == 40
    female = {"어머니", "딸", "아내", "할머니", "손녀", "누나"}
    for (one, other), relation in KIN.items():
        assert (by_name[other].gender == "f") == (relation in female)
        assert (other, one) in KIN
        if relation in ("아들", "딸", "손자", "손녀", "남동생"):
            assert by_name[other].age < by_name[one].age


def test_pairs_differ_in_gender_alone():
    assert ("왕", "왕비") in [(man.ko, woman.ko) for man, woman in PAIRS]
    assert all((man.gender, woman.gender) == ("m", "f") for man, woman in PAIRS)
    assert len(PAIRS) >= 10


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: parallel(0), ValueError, r"n must be 1 or more, got 0"),
        (lambda: parallel(1.5), TypeError, r"n must be an integer, got 1.5"),
        (lambda: parallel(1, split="dev"), ValueError, r"split must be .*, got 'dev'"),
        (lambda: parallel(1, seed=-1), ValueError, r"seed must be 0 or more, got -1"),
        (lambda: parallel(1, level="rude"), ValueError, r"level must be .*, got 'rude'"),
        (lambda: running_text(language="fr"), ValueError, r"language must be .*, got 'fr'"),
        (lambda: tagged(1, language="fr"), ValueError, r"language must be .*, got 'fr'"),
    ],
)
def test_wrong_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_asking_for_more_than_there_is_says_how_many_there_are():
    from companion.data.town import tasks

    with pytest.raises(ValueError, match=r"n must be at most 1: there are no more in train, got 2"):
        tasks.collect(lambda rng: ("same", ("먹", "사과", "시장")), 2, seed=0, split="train")


@pytest.mark.parametrize(
    ("function", "table"),
    [
        (english.past, "go went, study studied, play played, stop stopped, bake baked, see saw"),
        (english.participle, "go gone, write written, bake baked, take taken"),
        (english.third_person, "go goes, study studies, play plays, watch watches, have has"),
        (english.gerund, "go going, bake baking, run running, see seeing, be being"),
        (english.plural, "book books, bakery bakeries, bus buses, child children, photo photos"),
    ],
)
def test_english_forms(function, table):
    for row in table.split(", "):
        word, form = row.split()
        assert function(word) == form


@pytest.mark.parametrize("function", [english.past, english.third_person, english.gerund])
def test_no_verb_is_refused(function):
    for wrong in ("", " for", "1", "가다"):
        with pytest.raises(ValueError, match=r"verb must be an English word or phrase, got"):
            function(wrong)


def facts(name, words="all", n=1500, seed=1):
    """Draw the words of a pattern many times, with the sentence that they make."""
    rng = random.Random(seed)
    pattern = BY_NAME[name]
    drawn = [draw(pattern.slots, rng, words) for _ in range(n)]
    return [(found, make(pattern, found)) for found in drawn]


def test_each_garment_and_each_instrument_has_its_own_verb():
    own = {"모자": "쓰", "안경": "쓰", "장갑": "끼", "넥타이": "매", "목도리": "두르", "셔츠": "입"}
    own |= {"양말": "신", "신발": "신", "북": "치", "피아노": "치", "바이올린": "켜", "피리": "불"}
    own |= {"가야금": "타", "하모니카": "불", "허리띠": "매", "선글라스": "쓰", "벙어리장갑": "끼"}
    seen = {}
    for found, _ in facts("act", n=12_000):
        verb, noun = found["v"], found["o"]
        if (verb.en, verb.lasting) == ("put on", "wear") or (
            verb.en == "play" and noun.kind == "instrument"
        ):
            seen.setdefault(noun.ko, set()).add(verb.ko.stem)
    assert {noun: seen[noun] for noun in own} == {noun: {stem} for noun, stem in own.items()}
    assert all(len(stems) == 1 for stems in seen.values())


def test_what_one_puts_on_one_wears():
    verb = next(verb for verb in ACTION_VERBS if verb.ko.stem == "끼")
    words = {"S": PEOPLE[0], "v": verb, "o": noun_of("장갑"), "P": noun_of("정원")}
    made = {
        name: make(BY_NAME[name], words | {"T": PAST_TIMES[0], "H": FREQUENCIES[0]})
        for name in ("act", "act_now", "act_not", "act_often", "act_wish")
    }
    assert {name: sentence.en.split(" ", 1)[1] for name, sentence in made.items()} == {
        "act": "put on gloves.",
        "act_now": "is wearing gloves in the garden now.",
        "act_not": "did not wear gloves yesterday.",
        "act_often": "always wears gloves.",
        "act_wish": "wants to wear gloves.",
    }
    assert made["act_now"].ko.endswith("지금 정원에서 장갑을 끼고 있다.")


def verb_of(ko, en):
    return next(verb for verb in ACTION_VERBS if (verb.ko.stem, verb.en) == (ko, en))


def habits(verb, noun):
    """Return what Minji does with a thing: often, never, and once."""
    words = {"S": PEOPLE[0], "v": verb, "o": noun, "H": FREQUENCIES[0]}
    made = [make(BY_NAME[name], words).en for name in ("act_often", "act_never", "act")]
    return [sentence.split(" ", 1)[1] for sentence in made]


@pytest.mark.parametrize(
    ("ko", "en", "noun", "expected"),
    [
        ("치", "play", "기타", "plays the guitar|does not play the guitar|played the guitar"),
        ("켜", "play", "첼로", "plays the cello|does not play the cello|played the cello"),
        ("불", "play", "피리", "plays the pipe|does not play the pipe|played the pipe"),
        (
            "타",
            "play",
            "거문고",
            "plays the geomungo|does not play the geomungo|played the geomungo",
        ),
        ("빌리", "borrow", "기타", "borrows guitars|does not borrow guitars|borrowed a guitar"),
        ("팔", "sell", "기타", "sells guitars|does not sell guitars|sold guitars"),
        ("사", "buy", "기타", "buys guitars|does not buy guitars|bought a guitar"),
    ],
)
def test_one_plays_the_guitar_and_sells_guitars(ko, en, noun, expected):
    often, never, once = expected.split("|")
    made = habits(verb_of(ko, en), noun_of(noun))
    assert made == [f"always {often}.", f"{never}.", f"{once}."]


def test_judo_is_done_and_football_is_played():
    assert habits(verb_of("하", "do"), noun_of("요가")) == [
        "always does yoga.",
        "does not do yoga.",
        "did yoga.",
    ]
    done = ["taekwondo", "judo", "yoga", "gymnastics", "fencing", "kendo", "wrestling"]
    seen = {"do": set(), "play": set()}
    for sentence in MANY_OF_ALL:
        if "v" in sentence.words:
            verb, noun = sentence.words["v"], sentence.words["o"]
            if noun.kind == "sport" and verb.en in seen:
                seen[verb.en].add(noun.en.split()[-1])
    assert seen["do"] == {*done}
    assert {"football", "dodgeball", "volleyball"} <= seen["play"]
    assert not seen["play"] & {*done}


def test_no_object_repeats_its_verb():
    actions = 0
    for sentence in (*MANY, *MANY_OF_ALL):
        for verb, noun in (("v", "o"), ("v2", "o2")):
            if verb in sentence.words:
                actions += 1
                english_verb, thing = sentence.words[verb].en, sentence.words[noun].en
                assert english_verb not in thing.split(), sentence.en
    assert actions > 10_000
    filmed = {words["o"].en for words, _ in facts("act", n=12_000) if words["v"].en == "film"}
    assert "musical" in filmed


def noun_of(ko):
    return next(noun for nouns in NOUNS.values() for noun in nouns if noun.ko == ko)


def test_states_have_neither_place_nor_time():
    states = {verb.ko.stem for verb in PEOPLE_VERBS if verb.flags == "s"}
    assert {"사랑하", "믿", "존경하", "그리워하", "부러워하"} <= states
    for name in ("meet", "meet_time", "meet_wish"):
        for found, _ in facts(name):
            verb = found.get("h") or found["h1"]
            assert verb.ko.stem not in states
    assert not any(found["h"].ko.stem == "찾아가" for found, _ in facts("meet"))


@pytest.mark.parametrize("name", ["is_so", "is_now", "food_place", "service", "person_is"])
def test_degrees_fit_their_adjectives(name):
    for found, sentence in facts(name):
        adjective = next(found[slot] for slot in ("a", "u", "s", "p") if slot in found)
        if found["d"].ko == "조금":
            assert (adjective.opinion <= 0, adjective.sign) == (True, ""), sentence.ko
        if adjective.en in ("excellent", "terrible", "poor", "delicious", "awful"):
            assert found["d"].ko == "정말", sentence.ko


def test_nothing_is_said_twice_or_against_itself():
    for name, second in (("is_both", "b"), ("is_but", "but")):
        for found, sentence in facts(name):
            assert found["a"].about != found[second].about, sentence.ko
            product = found["a"].opinion * found[second].opinion
            assert (product == -1) == (name == "is_but"), sentence.ko


def test_a_cause_is_a_cause_in_both_languages():
    for sentence in MANY:
        if re.search(r"[가-힣](아서|어서|해서|와서|워서|퍼서|라서) ", sentence.ko):
            assert ", so " in sentence.en, sentence
    for found, sentence in facts("do_so"):
        assert found["w"].ko.stem in BECAUSE[found["p"].ko.stem].split(), sentence.ko


def test_relatives_are_somebodys_in_both_languages():
    kin = {role.ko: role.en for role in (*NOUNS["role_m"], *NOUNS["role_f"]) if role.mine}
    assert len(kin) == 14
    for sentence in MANY[:20_000]:
        if sentence.pattern == "kin":
            continue
        mine = len(re.findall(r"우리 ", sentence.ko))
        assert mine == len(re.findall(r"\b[Mm]y ", sentence.en)), sentence
        assert not re.search(rf"\b[Tt]he ({'|'.join(kin.values())})\b", sentence.en), sentence.en


# Pattern, Korean at the polite level, for a subject who is an elder relative: who is who, and what
# is done, is in `RESPECTED` below. Checked by hand.
ELDER_TABLE = """
act | 우리 할머니는 사과를 드셨어요.
act_future | 우리 할머니는 내일 부엌에서 사과를 드실 거예요.
act_now | 우리 할머니는 지금 부엌에서 사과를 드시고 계세요.
act_often | 우리 할머니는 항상 사과를 드세요.
act_not | 우리 할머니는 어제 사과를 드시지 않으셨어요.
act_wish | 우리 할머니는 사과를 드시고 싶어 하세요.
act_before | 우리 할머니는 사과를 드시기 전에 손을 씻으셨어요.
act_purpose | 우리 할머니는 사과를 드시러 부엌에 가셨어요.
act_but_not | 우리 할머니는 사과를 드셨지만 민준은 먹지 않았어요.
act_said | 민준은 우리 할머니가 사과를 드셨다고 말했어요.
do_so | 우리 할머니는 편찮으셔서 거실에서 주무셨어요.
do_together | 우리 할머니와 민준은 거실에서 함께 주무셨어요.
person_not | 우리 할머니는 바쁘지 않으세요.
person_thought | 우리 할머니는 민준이 바쁘다고 생각하세요.
where | 사과는 거실에 있어요.
"""


def test_elder_relatives_are_spoken_of_with_respect():
    grandmother, kitchen = noun_of("할머니"), noun_of("부엌")
    eat = next(verb for verb in ACTION_VERBS if verb.ko.stem == "먹")
    sleep = next(verb for verb in ACTIVITY_VERBS if verb.ko.stem == "자")
    adjectives = {adjective.ko.stem: adjective for adjective in ALL_ADJECTIVES}
    drawn = {"S": grandmother, "U": PEOPLE[3], "v": eat, "o": noun_of("사과"), "P": kitchen}
    drawn |= {"w": sleep, "Q": noun_of("거실"), "x1": noun_of("사과"), "Dr": noun_of("거실")}
    drawn |= {"T": PAST_TIMES[0], "F": NEXT_TIMES[0], "H": FREQUENCIES[0]}
    for row in ELDER_TABLE.strip().splitlines():
        name, expected = row.split(" | ")
        words = drawn | {"p": adjectives["아프" if name == "do_so" else "바쁘"]}
        assert make(BY_NAME[name], words, "polite").ko == expected
        plain = make(BY_NAME[name], words).ko
        assert not re.search("[시셔셨]|드시|주무", plain), plain


def test_nothing_that_asks_for_other_words_is_done_to_elder_relatives():
    for name in ("give", "receive", "meet", "meet_time", "feel"):
        others = {found["U"].ko for found, _ in facts(name)}
        assert len(others) > 20
        assert not others & ELDERS


def test_what_lasts_for_months_is_not_done_yesterday():
    for name, slot, times in (("act_time", "T", FAR_TIMES), ("act_future", "F", LATER_TIMES)):
        lasting = [f for f, _ in facts(name, n=4000) if "d" in f["v"].flags]
        assert len(lasting) > 20
        assert {found[slot].ko for found in lasting} <= {time.ko for time in times}


def test_the_large_vocabulary_holds_more_than_twice_the_small_one():
    counts = {}
    for size in SIZES:
        words = {noun for nouns in NOUNS.values() for noun in nouns}
        words |= {*ACTION_VERBS, *ACTIVITY_VERBS, *PEOPLE_VERBS, *GIVING_VERBS, *ALL_ADJECTIVES}
        counts[size] = len({word for word in words if word.core or size == "all"})
    assert counts["all"] > 2 * counts["core"]
    assert parallel(300) == parallel(300, words="core") != parallel(300, words="all")
    large, small = (
        {token for s in made[:25_000] for token in s.ko.split()} for made in (MANY_OF_ALL, MANY)
    )
    assert len(large) > 1.7 * len(small)


def test_the_large_vocabulary_keeps_its_splits():
    sets = {split: parallel(1000, split=split, words="all") for split in SPLITS}
    for one, other in itertools.combinations(SPLITS, 2):
        assert not set(sets[one]) & set(sets[other])


def test_an_unknown_vocabulary_is_refused():
    for function in (parallel, sentiment, tagged, entailment):
        with pytest.raises(ValueError, match=r"words must be .*, got 'many'"):
            function(1, words="many")
    with pytest.raises(ValueError, match=r"words must be .*, got 'many'"):
        next(running_text(words="many"))


def test_a_noun_within_a_predicate_is_tagged_as_one():
    found = {
        tuple(zip(one.tokens, one.parts_of_speech, strict=True))[-4:-1]
        for one in tagged(4000)
        if "겁이" in one.tokens
    }
    assert found
    for words in found:
        tags = dict(words)
        if "겁이" in tags:
            assert tags["겁이"] == "NOUN"
            [after] = [tag for word, tag in words if word.startswith("많")]
            assert after == "ADJ"
