"""Stories and news of the town: retold by an independent reader, the answers must be the same."""

import re

import pytest

from companion.data.town.news import ANONYMOUS, articles
from companion.data.town.stories import questions, stories


class Reader:
    """Reads an English story and remembers where everybody and everything is."""

    def __init__(self):
        self.place, self.holder, self.lies = {}, {}, {}

    def read(self, sentence):
        if match := re.fullmatch(r"(\w+) went to (?:the )?(.+)\.", sentence):
            self.place[match[1]] = match[2]
        elif match := re.fullmatch(r"(\w+) picked up the (.+)\.", sentence):
            assert match[2] not in self.holder
            assert self.lies.pop(match[2], self.place[match[1]]) == self.place[match[1]]
            self.holder[match[2]] = match[1]
        elif match := re.fullmatch(r"(\w+) put down the (.+)\.", sentence):
            assert self.holder.pop(match[2]) == match[1]
            self.lies[match[2]] = self.place[match[1]]
        elif match := re.fullmatch(r"(\w+) handed the (.+) to (\w+)\.", sentence):
            assert self.holder[match[2]] == match[1]
            assert self.place[match[1]] == self.place[match[3]]
            self.holder[match[2]] = match[3]
        else:
            raise AssertionError(sentence)

    def answer(self, question):
        if match := re.fullmatch(r"Who has the (.+)\?", question):
            return self.holder[match[1]]
        [asked] = re.fullmatch(r"Where (?:is|are) (.+)\?", question).groups()
        if not asked.startswith("the "):
            return self.place[asked]
        thing = asked[4:]
        return self.place[self.holder[thing]] if thing in self.holder else self.lies[thing]


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
        for sentence in re.findall(r"[^.]+\.", question.passage_en):
            reader.read(sentence.strip())
        assert reader.answer(question.question_en) == question.answer_en
        assert question.passage_en[question.start_en : question.end_en] == question.answer_en
        assert question.passage_ko[question.start_ko : question.end_ko] == question.answer_ko
        kinds.add(question.question_en.split()[0] + (" the " in question.question_en) * " thing")
    assert kinds == {"Where", "Where thing", "Who thing"}


def test_splits_do_not_share_a_story():
    seen = [set(stories(300, split=split)) for split in ("train", "validation", "test")]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]
    assert stories(20, seed=1) == stories(20, seed=1) != stories(20, seed=2)


@pytest.mark.parametrize("function", [stories, questions])
def test_wrong_lengths_are_refused(function):
    with pytest.raises(ValueError, match=r"length must be 1 or more, got 0"):
        function(1, length=0)
    with pytest.raises(TypeError, match=r"length must be an integer, got 2.5"):
        function(1, length=2.5)


def test_sources_are_named_or_not_in_both_languages():
    anonymous_en = tuple(en for _, en in ANONYMOUS)
    anonymous_ko = tuple(ko for ko, _ in ANONYMOUS)
    named = []
    for article in articles(200):
        assert article.named[0] is article.named[-1] is None
        for ko, en, has_name in zip(article.ko, article.en, article.named, strict=True):
            assert (has_name is None) == (" said: " not in en) == ("말했다" not in ko)
            if has_name is not None:
                assert en.startswith(anonymous_en) == ko.startswith(anonymous_ko) == (not has_name)
                assert (" 씨는 " in ko) == has_name
                named.append(has_name)
    assert 0.4 < sum(named) / len(named) < 0.6


def test_splits_do_not_share_an_article():
    seen = [set(articles(20, split=split)) for split in ("train", "validation", "test")]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]
