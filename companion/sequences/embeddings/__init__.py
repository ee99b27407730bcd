"""Words as vectors that are learned from their neighbours.

From the ground up:

- ``pairs``: one-hot vectors, words and the words around them
- ``vectors``: `WordVectors`, what every method returns: similarity, neighbours, analogies, files
- ``reading``: a text in blocks of words, for the methods that follow it word by word
- ``word2vec``: skip-gram and CBOW with negative sampling
- ``glove``: vectors from a table of how often words meet
- ``fasttext``: vectors from pieces of words, also for words never seen

Chapter: book/sequences/embeddings.ipynb
"""

from companion.sequences.embeddings.fasttext import (
    SubwordVectors,
    character_ngrams,
    train_fasttext,
)
from companion.sequences.embeddings.glove import cooccurrences, train_glove
from companion.sequences.embeddings.pairs import context_pairs, one_hot
from companion.sequences.embeddings.vectors import WordVectors
from companion.sequences.embeddings.word2vec import held_out_loss, train_word2vec

__all__ = [
    "SubwordVectors",
    "WordVectors",
    "character_ngrams",
    "context_pairs",
    "cooccurrences",
    "held_out_loss",
    "one_hot",
    "train_fasttext",
    "train_glove",
    "train_word2vec",
]
