"""Stories of the town: retold by an independent reader, the answers must be the same."""

import re
from dataclasses import fields

import pytest

from companion.data.town.korean import LEVELS
from companion.data.town.nouns import NOUNS
from companion.data.town.stories import questions, stories


class Reader:
    """Reads an English story and remembers where everybody and everything is, and was before."""

    def __init__(self):
        self.place, self.holder, self.lies, self.before, self.dropped = {}, {}, {}, {}, {}

    def read(self, sentence):
        if match := re.fullmatch(r"(\w+) went to (?:the )?(.+)\.", sentence):
            assert self.place.get(match[1]) != match[2], "nobody goes where they are"
            self.before[match[1]] = self.place.get(match[1])
            self.place[match[1]] = match[2]
            self.dropped = {k: v for k, v in self.dropped.items() if v != match[1]}
        elif match := re.fullmatch(r"(\w+) picked up the (.+)\.", sentence):
            assert match[2] not in self.holder
            assert self.lies.pop(match[2], self.place[match[1]]) == self.place[match[1]]
            assert self.dropped.pop(match[2], "") != match[1], "put down, picked up at once"
            self.holder[match[2]] = match[1]
        elif match := re.fullmatch(r"(\w+) put down the (.+)\.", sentence):
            assert self.holder.pop(match[2]) == match[1]
            self.lies[match[2]] = self.place[match[1]]
            self.dropped[match[2]] = match[1]
        elif match := re.fullmatch(r"(\w+) handed the (.+) to (\w+)\.", sentence):
            assert self.holder[match[2]] == match[1]
            assert self.place[match[1]] == self.place[match[3]]
            assert self.dropped.get(match[2]) != match[3], "handed back at once"
            self.dropped[match[2]] = match[1]
            self.holder[match[2]] = match[3]
        else:
            raise AssertionError(sentence)

    def answer(self, question):
        if match := re.fullmatch(r"Who has the (.+)\?", question):
            return self.holder[match[1]]
        if match := re.fullmatch(r"Where was (\w+) before going to (?:the )?(.+)\?", question):
            assert self.place[match[1]] == match[2]
            return self.before[match[1]]
        match = re.fullmatch(r"Where (?:is|are) (.+)\?", question)
        assert match, question
        asked = match[1]
        if not asked.startswith("the "):
            return self.place[asked]
        thing = asked[4:]
        return self.place[self.holder[thing]] if thing in self.holder else self.lies[thing]


def sentences(passage):
    return [sentence.strip() for sentence in re.findall(r"[^.]+\.", passage)]


def test_every_story_is_possible():
    for story in stories(400, length=9):
        reader = Reader()
        for sentence in story.en:
            reader.read(sentence)
        assert len(story.ko) == len(story.en) == 9


def test_every_answer_is_right_and_stands_in_the_story():
    kinds = set()
    for question in questions(1500, length=8):
        reader = Reader()
        for sentence in sentences(question.passage_en):
            reader.read(sentence)
        assert reader.answer(question.question_en) == question.answer_en
        assert question.passage_en[question.start_en : question.end_en] == question.answer_en
        assert question.passage_ko[question.start_ko : question.end_ko] == question.answer_ko
        kinds.add(question.kind)
    assert kinds == {"person", "thing", "holder", "before"}


def test_the_answer_follows_from_the_supporting_sentences_and_is_marked_in_the_last():
    hops = {"person": 1, "holder": 1, "thing": 2, "before": 2}
    for question in questions(1500, length=8):
        assert len(set(question.supports)) == len(question.supports) == hops[question.kind]
        for passage, start, end, answer in (
            (question.passage_ko, question.start_ko, question.end_ko, question.answer_ko),
            (question.passage_en, question.start_en, question.end_en, question.answer_en),
        ):
            assert passage.count(".", 0, start) == question.supports[-1]
            before, after = passage[start - 1 : start], passage[end : end + 1]
            assert before in ("", " ")
            assert answer in sentences(passage)[question.supports[-1]]
            assert after in (".", " ", "은", "는", "에")
        told = sentences(question.passage_en)
        chosen = sorted(question.supports)
        places = [told[n] for n in chosen if " went to " in told[n]]
        assert len(places) == {"person": 1, "holder": 0, "thing": 1, "before": 2}[question.kind]
        assert question.asked is not None
        about = question.asked.en
        assert all(re.search(rf"\b{about}\b", told[n]) or question.kind == "thing" for n in chosen)
        if question.kind == "thing":  # first who has it or left it, then where that person went
            first, second = (told[n] for n in question.supports)
            assert about in first
            assert second.split()[0] in first


def test_a_question_has_an_answer_at_every_level():
    expected = {
        "person": ("어디에 있는가? 있어요? 있습니까?", "있다. 있어요. 있습니다."),
        "thing": ("어디에 있는가? 있어요? 있습니까?", "있다. 있어요. 있습니다."),
        "holder": ("가지고 있는가? 있어요? 있습니까?", "있다. 있어요. 있습니다."),
        "before": ("어디에 있었는가? 있었어요? 있었습니까?", "있었다. 있었어요. 있었습니다."),
    }
    for question in questions(300, length=8):
        before, *asked = expected[question.kind][0].split()
        answered = expected[question.kind][1].split()
        for level, mark, end in zip(LEVELS, asked, answered, strict=True):
            assert question.ask_ko(level).endswith(f"{before} {mark}")
            reply = question.reply_ko(level)
            assert reply.endswith(end)
            assert question.answer_ko in reply
        assert question.ask_ko() == question.question_ko
        assert question.answer_en in question.reply_en()
    with pytest.raises(ValueError, match=r"level must be .*, got 'loud'"):
        question.ask_ko("loud")
    with pytest.raises(ValueError, match=r"level must be .*, got 'loud'"):
        question.reply_ko("loud")


def test_some_answers_word_for_word():
    found = {}
    for question in questions(500, length=8, seed=1):
        found.setdefault(question.kind, question)
    one = found["before"]
    assert one.question_ko == "진호는 방송국에 가기 전에 어디에 있었는가?"
    assert one.reply_ko("polite") == "진호는 방송국에 가기 전에 강가에 있었어요."
    assert one.reply_en() == "Jinho was by the riverside before going to the broadcasting station."
    one = found["holder"]
    assert one.ask_ko("formal") == "누가 상자를 가지고 있습니까?"
    assert one.reply_ko() == "영수가 상자를 가지고 있다."
    assert one.reply_en() == "Yeongsu has the box."
    one = found["thing"]
    assert one.ask_ko("polite") == "빗은 어디에 있어요?"
    assert one.reply_ko("formal") == "빗은 체육관에 있습니다."
    assert one.reply_en() == "The comb is at the gym."


def test_the_world_is_small():
    """Every place and every thing is a word of the core, so a small model can know them all."""
    core = {noun.en for kind in ("place", "thing") for noun in NOUNS[kind] if noun.core}
    large = {noun.en for kind in ("place", "thing") for noun in NOUNS[kind]} - core
    told = re.compile(r"\w+ (?:went to|picked up|put down|handed) (?:the )?(.+?)(?: to \w+)?\.")
    seen = {
        told.fullmatch(sentence)[1]  # type: ignore[index]
        for story in stories(400, seed=2, length=8)
        for sentence in story.en
    }
    assert seen <= core
    assert not seen & large
    assert len(seen) > 60
    assert not {"kitchen", "swimming pool", "pottery"} & seen


def test_levels_tell_the_same_story():
    plain, polite = stories(50), stories(50, level="polite")
    assert [story.en for story in plain] == [story.en for story in polite]
    for one, other in zip(plain, polite, strict=True):
        for text, kind in zip(one.ko, other.ko, strict=True):
            assert text[:-2] == kind[:-3]
            assert kind.endswith("어요.")


def test_splits_do_not_share_a_story():
    seen = [set(stories(150, split=split)) for split in ("train", "validation", "test")]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]
    assert stories(20, seed=1) == stories(20, seed=1) != stories(20, seed=2)
    passages = [
        {question.passage_en for question in questions(150, length=3, split=split)}
        for split in ("train", "validation", "test")
    ]
    train, validation, test = passages
    assert not train & validation | train & test | validation & test


def test_a_question_keeps_its_fields():
    names = [field.name for field in fields(questions(1)[0])]
    assert names[:5] == ["passage_ko", "question_ko", "answer_ko", "start_ko", "end_ko"]
    assert names[5:10] == ["passage_en", "question_en", "answer_en", "start_en", "end_en"]


@pytest.mark.parametrize("function", [stories, questions])
def test_wrong_lengths_are_refused(function):
    with pytest.raises(ValueError, match=r"length must be 1 or more, got 0"):
        function(1, length=0)
    with pytest.raises(TypeError, match=r"length must be an integer, got 2.5"):
        function(1, length=2.5)


def test_wrong_levels_are_refused():
    with pytest.raises(ValueError, match=r"level must be .*, got 'loud'"):
        stories(1, level="loud")
