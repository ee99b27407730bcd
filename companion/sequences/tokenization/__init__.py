"""Tokenizers: from a text to the numbers that a model reads, and back. A ladder, in this order.

- ``characters``: which characters are letters, punctuation, marks
- ``pretokens``: the first cut of a text
- ``files``: the ``tokenizer.json`` format
- ``base``: what all tokenizers have in common
- ``words``: whole words, and single characters
- ``bpe``: pieces that grow by merging the most frequent pair, on bytes as in GPT-2
- ``merges``: what makes that fast
- ``scores``: the same, with the pair that raises the likelihood most
- ``wordpiece``: the longest pieces that fit, and BERT's pipeline
- ``lattices``: all ways to write a word with given pieces, and the expected count of each piece
- ``unigram``: pieces that are left over when the least useful ones are dropped

Chapter: book/sequences/tokenization.ipynb
"""

from companion.sequences.tokenization.base import Encoding, Tokenizer
from companion.sequences.tokenization.bpe import (
    BytePairTokenizer,
    apply_merges,
    learn_merges,
    merge_pairs,
)
from companion.sequences.tokenization.scores import PairScores
from companion.sequences.tokenization.unigram import UnigramTokenizer
from companion.sequences.tokenization.wordpiece import WordPieceTokenizer
from companion.sequences.tokenization.words import CharacterTokenizer, WordTokenizer

__all__ = [
    "BytePairTokenizer",
    "CharacterTokenizer",
    "Encoding",
    "PairScores",
    "Tokenizer",
    "UnigramTokenizer",
    "WordPieceTokenizer",
    "WordTokenizer",
    "apply_merges",
    "learn_merges",
    "merge_pairs",
]
