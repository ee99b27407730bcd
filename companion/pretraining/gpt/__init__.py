"""GPT: a causal stack that says what comes next.

- ``model``: the model, what it has in common with Llama, its loss, and how it writes
- ``page``: a GPT in a web page, where the reader looks inside

Chapter: book/pretraining/gpt.ipynb
"""

from companion.pretraining.gpt.model import (
    GPT,
    CausalModel,
    GPTConfig,
    State,
    generate,
    next_token_loss,
    text_windows,
    token_log_probabilities,
)
from companion.pretraining.gpt.page import language_model_html

__all__ = [
    "GPT",
    "CausalModel",
    "GPTConfig",
    "State",
    "generate",
    "language_model_html",
    "next_token_loss",
    "text_windows",
    "token_log_probabilities",
]
