"""A language model as part of a web page, where a browser computes its forward pass.

The weights travel as `companion.weights` packs them: 8 bits for each number of a matrix. The page's
part of the work is JavaScript: ``web/static/language_model.js`` computes, and ``look_inside.js``
shows tokens, attention and the next token. What this module leaves out: tokenizers other than byte
pair encoding, models with parts that were replaced.

Chapter: book/pretraining/gpt.ipynb
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import torch

from companion import pages, weights
from companion.arguments import instance, integer, listed, texts
from companion.pretraining.gpt.model import GPT
from companion.sequences.tokenization import BytePairTokenizer


def language_model_html(
    model: GPT,
    tokenizer: BytePairTokenizer,
    *,
    examples: Sequence[str] = (),
    begin: Sequence[int] = (),
) -> str:
    """Return a GPT as a piece of a web page; ``web/static/look_inside.js`` brings it to life.

    Parameters
    ----------
    model : GPT
        Of a few million parameters: each takes a byte of the page, and some 33 % more as text.
    tokenizer : BytePairTokenizer
        With the model's vocabulary.
    examples : sequence of str
        Beginnings that the page offers.
    begin : sequence of int
        Tokens that stand before every text, such as the one that ended texts in training.

    Examples
    --------
    >>> from companion.pretraining.gpt import GPTConfig
    >>> tokenizer = BytePairTokenizer.train(["소년은 뛴다."], 260)
    >>> model = GPT(GPTConfig(len(tokenizer), d_model=8, n_layers=1, n_heads=2, d_hidden=16))
    >>> language_model_html(model, tokenizer, examples=["소년은"])[:25]
    '<div class="look-inside">'
    """
    config = instance(model, "model", GPT).config
    instance(tokenizer, "tokenizer", BytePairTokenizer)
    if len(tokenizer) != config.vocab_size:
        wanted, got = config.vocab_size, len(tokenizer)
        raise ValueError(f"tokenizer must have the model's {wanted} tokens, got {got}")
    examples = texts(examples, "examples", least=0)
    first = [
        integer(one, "begin", 0, config.vocab_size - 1) for one in listed(begin, "begin", "ids")
    ]
    packed = weights.pack(_weights(model))
    everything = {
        "settings": {
            "n_layers": config.n_layers,
            "n_heads": config.n_heads,
            "max_length": config.max_length,
            "eps": config.eps,
            "activation": "gelu_tanh",
        },
        "tokenizer": {
            "tokens": list(tokenizer.tokens),
            "merges": [" ".join(pair) for pair in tokenizer.merges],
            "special": list(tokenizer.special_tokens),
        },
        "begin": first,
        "shapes": packed.shapes,
        "weights": packed.data,
    }
    buttons = "".join(
        f'<button type="button"{_language(text)} data-text="{html.escape(text)}">'
        f"{html.escape(_shortened(text))}</button>"
        for text in examples
    )
    return _FRAGMENT.format(examples=buttons, data=pages.as_json(everything))


def _weights(model: GPT) -> dict[str, torch.Tensor]:
    """Return the weights by name; a head that is the table of tokens itself travels once."""
    state = model.state_dict()
    if model.config.tied:
        state.pop("head.weight", None)
    return state


def _language(text: str) -> str:
    return ' lang="ko"' if any("가" <= letter <= "힣" for letter in text) else ""


def _shortened(text: str, most: int = 40) -> str:
    text = text.replace("\n", " ⏎ ")
    return text if len(text) <= most else text[: most - 1] + "…"


_FRAGMENT = """<div class="look-inside">
<p class="look-waits">This language model needs JavaScript, and runs in the published page.</p>
<form hidden>
<div class="look-examples" role="group" aria-label="Examples">{examples}</div>
<label class="look-beginning">Your beginning, in Korean or English
<textarea rows="2" maxlength="600" spellcheck="false" autocomplete="off"></textarea></label>
<button type="submit">Read it</button>
</form>
<div class="look-said" aria-live="polite"></div>
<div class="look-work" hidden>
<div class="look-attention"></div>
<div class="look-controls">
<label>Temperature <output data-output="temperature">1.0</output>
<input type="range" min="0" max="20" value="10" data-setting="temperature"></label>
<label>Top-k <output data-output="topK">off</output>
<input type="range" min="0" max="8" value="8" data-setting="topK"></label>
<label>Top-p <output data-output="topP">off</output>
<input type="range" min="1" max="20" value="20" data-setting="topP"></label>
</div>
<div class="look-acts" role="group" aria-label="Write">
<button type="button" data-act="one">Write one token</button>
<button type="button" data-act="on">Write on</button>
<button type="button" data-act="back">Take one back</button>
</div>
<div class="look-after"></div>
<div class="look-all-heads"></div>
</div>
<script type="application/json">{data}</script>
</div>"""
