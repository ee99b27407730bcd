"""Language models: a probability for every sentence, from counts or from a network.

- ``chain``: the vocabulary, and what every model of the next word can do by the chain rule
- ``ngrams``: models that count
- ``neural``: a model that learns (Bengio et al., 2003)

Chapter: book/sequences/language_models.ipynb
"""

from companion.sequences.language_models.chain import (
    BEGIN,
    END,
    UNKNOWN,
    LanguageModel,
    Vocabulary,
)
from companion.sequences.language_models.neural import NeuralLanguageModel
from companion.sequences.language_models.ngrams import NGramModel

__all__ = [
    "BEGIN",
    "END",
    "UNKNOWN",
    "LanguageModel",
    "NGramModel",
    "NeuralLanguageModel",
    "Vocabulary",
]
