"""Language models: a probability for every sentence, from counts or from a network.

- ``chain``: what every model of the next word can do by the chain rule
- ``ngrams``: models that count
- ``neural``: a model that learns (Bengio et al., 2003)

The vocabulary is a `companion.sequences.vocabulary.Vocabulary` with [UNK], [EOS] and [BOS].

Chapter: book/sequences/language_models.ipynb
"""

from companion.sequences.language_models.chain import (
    BEGIN,
    END,
    SPECIAL_TOKENS,
    UNKNOWN,
    LanguageModel,
)
from companion.sequences.language_models.neural import NeuralLanguageModel
from companion.sequences.language_models.ngrams import NGramModel
from companion.sequences.vocabulary import Vocabulary

__all__ = [
    "BEGIN",
    "END",
    "SPECIAL_TOKENS",
    "UNKNOWN",
    "LanguageModel",
    "NGramModel",
    "NeuralLanguageModel",
    "Vocabulary",
]
