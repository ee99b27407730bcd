"""What the tests of several tokenizers share: texts, trained tokenizers, slow algorithms."""

import tokenizers
from hypothesis import strategies as st
from tokenizers import decoders, models, pre_tokenizers, trainers

from companion.data.town.tasks import running_text
from companion.sequences.tokenization import (
    BytePairTokenizer,
    CharacterTokenizer,
    UnigramTokenizer,
    WordPieceTokenizer,
    WordTokenizer,
    files,
)

CAFE = ["어제 카페 갔었어", "어제 카페 갔었는데요"]
WORD_PIECES = ["em", "##bed", "##ding", "##s"]
ENGLISH = list(zip(range(150), running_text(language="en", seed=1), strict=False))
KOREAN = list(zip(range(150), running_text(seed=1), strict=False))
TEXTS = [text for _, text in ENGLISH + KOREAN] + CAFE + ["It's 2 o'clock, we've  3 cafés.\n"]
ALL = "".join(chr(code) for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF)


# Any text: also what is rare in a random choice among a million characters.
RARE = "abte' .,?!#-\t\n\r\f\v\0\x1c\x85\xa0\u200b\u3000▁Ġ[]한각ㄱÅİΣςß大一\ufffd\ufeff\U00011938"
LONGER = ["[UNK]", "[CLS]", "[PAD]", "카페", "갔었어", "##", "the", "the end", "'s", " '", "don't"]
MARKS = ["e\u0301", "\u1112\u1161\u11ab", "\U0001e130\u0334", "\u302e\u0323"]
EMOJI = ["👨\u200d👩\u200d👧", "\U0001f1f0\U0001f1f7"]
PIECES = st.sampled_from([*RARE, *LONGER, *MARKS, *EMOJI])
ANY_TEXT = st.one_of(
    st.text(), st.lists(st.one_of(PIECES, st.characters(exclude_categories=["Cs"]))).map("".join)
)


def everyone():
    """One trained tokenizer of each kind, with all options somewhere."""
    return {
        "words": WordTokenizer.train(TEXTS, 300),
        "words at spaces": WordTokenizer.train(TEXTS, punctuation=False),
        "characters": CharacterTokenizer.train(TEXTS, 100),
        "bytes": BytePairTokenizer.train(TEXTS, 500),
        "bytes and special": BytePairTokenizer.train(
            TEXTS, 400, special_tokens=("[PAD]", "the", "[UNK]", "the end")
        ),
        "wordpiece": WordPieceTokenizer.train(TEXTS, 900),
        "wordpiece cased": WordPieceTokenizer.train(
            TEXTS, 1500, lowercase=False, special_tokens=("[UNK]",)
        ),
        "unigram": UnigramTokenizer.train(TEXTS, 700, special_tokens=("[PAD]", "[UNK]")),
    }


EVERYONE = everyone()


def document_of(ours):
    special = {token: ours.vocabulary[token] for token in ours.special_tokens}
    added = [
        {"id": number, "content": token, "special": True, "normalized": False}
        | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
        for token, number in special.items()
    ]
    places = dict.fromkeys((*files.PLACES, "truncation", "padding"))
    return {"version": "1.0", **places, **ours.components(), "added_tokens": added}


def merge_slowly(word, pair, token):
    """Replace a pair in a list of tokens, from the left."""
    result, place = [], 0
    while place < len(word):
        if tuple(word[place : place + 2]) == pair:
            result.append(token)
            place += 2
        else:
            result.append(word[place])
            place += 1
    return result


def all_paths(word, pieces):
    if not word:
        return [[]]
    return [
        [word[:end], *rest]
        for end in range(1, len(word) + 1)
        if word[:end] in pieces
        for rest in all_paths(word[end:], pieces)
    ]


PIECE_LIST = st.lists(st.text("ab", min_size=2, max_size=4), unique=True).map(
    lambda longer: ["a", "b", *longer]
)


def train_library(texts, size, special=()):
    library = tokenizers.Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(special),
    )
    library.train_from_iterator(texts, trainer)
    return library
