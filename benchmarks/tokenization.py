"""Byte-level byte pair encoding against the Rust library ``tokenizers``: training and encoding.

On 1 MB of English (documentation) and 1 MB of Korean (the town), cut into sentences, vocabulary
4000, both sides from the same list of texts in memory. The aims: training within 2 times (English)
and 4 times (Korean) of the library's time; encoding one document, as one string, at least twice as
fast as its ``encode``, which also notes where each token stands (we do not). *Warm*: both sides
have encoded the document before, and remember the words. *Cold*: both have forgotten all words.
The library may use as many threads as this run has, two (it does so in training; one document is
encoded by one thread); ours uses one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.harness import Result, compare
from companion.data.docstrings import sentences
from companion.data.town.tasks import running_text
from companion.sequences.tokenization import BytePairTokenizer

SIZE = 1_000_000  # bytes
VOCABULARY = 4000
SHORT = 2_000  # characters of a short document
REPEATS = 200  # a single short document is too fast to be timed


def corpora() -> dict[str, tuple[list[str], float]]:
    """Return for each language 1 MB of sentences and the ratio that training must not exceed."""
    return {
        "English": (list(megabyte(sentences())), 2.0),
        "Korean": (list(megabyte(running_text(seed=0))), 4.0),
    }


def megabyte(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts until there are 1 MB of them."""
    total = 0
    for text in texts:
        total += len(text.encode())
        if total > SIZE:
            return
        yield text


def library(texts: list[str]) -> Tokenizer:
    """Train the library's tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def measure() -> list[Result]:
    """Time both sides in turns."""
    # The library reads these at its first use of threads.
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    os.environ["RAYON_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"]
    results = []
    for language, (texts, target) in corpora().items():
        results.append(
            compare(
                f"byte-level BPE, training: 1 MB of {language}",
                lambda texts=texts: BytePairTokenizer.train(texts, VOCABULARY),
                lambda texts=texts: library(texts),
                against="tokenizers",
                target=target,
                runs=9,
            )
        )
        ours, other = BytePairTokenizer.train(texts, VOCABULARY), library(texts)
        document = "\n".join(texts)
        assert ours.encode(document) == other.encode(document).ids, "not the same ids"
        short = document[:SHORT]
        tasks: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
            "one document of 1 MB, warm": (
                lambda ours=ours, text=document: ours.encode(text),
                lambda other=other, text=document: other.encode(text),
            ),
            "one document of 1 MB, cold": (
                lambda ours=ours, text=document: cold(ours, text),
                lambda other=other, text=document: cold_library(other, text),
            ),
            "one document of 2000 characters, warm": (
                lambda ours=ours, text=short: [ours.encode(text) for _ in range(REPEATS)],
                lambda other=other, text=short: [other.encode(text) for _ in range(REPEATS)],
            ),
        }
        for name, (our_action, other_action) in tasks.items():
            results.append(
                compare(
                    f"byte-level BPE, encoding, {language}: {name}",
                    our_action,
                    other_action,
                    against="tokenizers",
                    target=0.5,
                    runs=9,
                )
            )
    return results


def cold(tokenizer: BytePairTokenizer, text: str) -> None:
    """Encode with an empty cache of words."""
    tokenizer._cache.clear()
    tokenizer.encode(text)


def cold_library(tokenizer: Tokenizer, text: str) -> None:
    """Do the same with the library's tokenizer."""
    tokenizer.model._clear_cache()
    tokenizer.encode(text)
