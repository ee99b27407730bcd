"""Llama: a GPT after four changes, each of them in its stack: a language model of today.

For the ids of T tokens, with the vectors E of a vocabulary of V tokens and N blocks::

    x = E[ids]                                          no positions are added
    x = x + attention(RMSNorm(x))     N times           rotary positions, fewer keys than queries
    x = x + W_2 (SiLU(W_g y) * W_1 y), y = RMSNorm(x)   SwiGLU
    logits = W RMSNorm(x)                               W = E where they are tied

There are no biases anywhere. `Llama` reads and writes the folders of the transformers library, such
as SmolLM2, Llama 1 and 2; `chat` writes a conversation as SmolLM2 was taught to read it. What this
module leaves out: the stretched rotary positions of Llama 3.1 and later, and mixtures of experts.

References (in full in the chapter's bibliography): Touvron and others (2023); Zhang and Sennrich
(2019), RMSNorm; Su and others (2024), rotary positions; Shazeer (2020), SwiGLU; Ainslie and others
(2023), grouped queries; Ben Allal and others (2025), SmolLM2.

Chapter: book/pretraining/llama.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from companion.arguments import came, choice, flag, instance, listed, size
from companion.pretraining.folders import Layout
from companion.pretraining.gpt import CausalModel
from companion.transformer.attention import heads
from companion.transformer.stack import Config

SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
ROLES = ("system", "user", "assistant")
BUFFER = ".rotary_emb.inv_freq"  # how fast the hands turn, which old files hold as well


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes and settings of a `Llama`."""

    vocab_size: int  # tokens V
    d_model: int  # width D of a token
    n_layers: int  # blocks
    n_heads: int  # heads H of the queries, a divisor of D; D / H must be even
    d_hidden: int  # hidden numbers of each feed-forward network
    n_kv_heads: int | None = None  # heads of keys and values, a divisor of H; None: H
    max_length: int = 2048  # longest sequence, for the tables of positions
    rotary_base: float = 10_000.0  # the slowest hand turns by about 1 / base per position
    eps: float = 1e-5  # of the normalisations
    dropout: float = 0.0  # share of numbers set to 0 in training
    tied: bool = False  # whether the vectors of the tokens make the logits, too

    def __post_init__(self) -> None:
        size(self.vocab_size, "vocab_size")
        flag(self.tied, "tied")
        shared = heads(self.d_model, self.n_heads, self.n_kv_heads)[2]
        object.__setattr__(self, "n_kv_heads", shared)
        self.stack()  # refuses what does not fit in there

    def stack(self) -> Config:
        """Return the settings of the stack."""
        return Config(
            d_model=self.d_model,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_hidden=self.d_hidden,
            n_kv_heads=self.n_kv_heads,
            max_length=self.max_length,
            rotary_base=self.rotary_base,
            eps=self.eps,
            dropout=self.dropout,
            positions="rotary",
            rotary_halves=True,
            causal=True,
            norm="rms",
            activation="silu",
            gated=True,
            bias=False,
        )


class Llama(CausalModel):
    """A language model of the Llama family, SmolLM2 among them: a `CausalModel` as `GPT` is.

    Parameters
    ----------
    config : LlamaConfig
        Initial weights follow ``torch.manual_seed``.

    Examples
    --------
    >>> model = Llama(LlamaConfig(11, d_model=12, n_layers=2, n_heads=3, d_hidden=17, n_kv_heads=1))
    >>> model(torch.tensor([[1, 2, 3]])).shape  # after each token, scores of the next
    torch.Size([1, 3, 11])
    """

    config_class = LlamaConfig
    config: LlamaConfig
    layout = Layout(
        model_type="llama",
        architecture="LlamaForCausalLM",
        settings={
            "vocab_size": "vocab_size",
            "d_model": "hidden_size",
            "n_layers": "num_hidden_layers",
            "n_heads": "num_attention_heads",
            "d_hidden": "intermediate_size",
            "n_kv_heads": "num_key_value_heads",
            "max_length": "max_position_embeddings",
            "rotary_base": "rope_theta",
            "eps": "rms_norm_eps",
            "tied": "tie_word_embeddings",
        },
        names={
            "tokens": "model.embed_tokens",
            "body.blocks.{n}.attention_norm": "model.layers.{n}.input_layernorm",
            "body.blocks.{n}.attention.query": "model.layers.{n}.self_attn.q_proj",
            "body.blocks.{n}.attention.key": "model.layers.{n}.self_attn.k_proj",
            "body.blocks.{n}.attention.value": "model.layers.{n}.self_attn.v_proj",
            "body.blocks.{n}.attention.output": "model.layers.{n}.self_attn.o_proj",
            "body.blocks.{n}.feed_forward_norm": "model.layers.{n}.post_attention_layernorm",
            "body.blocks.{n}.feed_forward.gate": "model.layers.{n}.mlp.gate_proj",
            "body.blocks.{n}.feed_forward.inner": "model.layers.{n}.mlp.up_proj",
            "body.blocks.{n}.feed_forward.outer": "model.layers.{n}.mlp.down_proj",
            "body.norm": "model.norm",
            "head": "lm_head",
        },
        fixed={
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
            "rope_interleaved": False,
        },
        defaults={
            "n_kv_heads": None,
            "max_length": 2048,
            "rotary_base": 10_000.0,
            "eps": 1e-6,
            "tied": False,
        },
    )

    @classmethod
    def read_config(cls, settings: Mapping[str, Any]) -> LlamaConfig:
        """Return our configuration for the settings of a ``config.json``, old or new."""
        rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
        kind = rope.get("rope_type", rope.get("type", "default"))
        if kind != "default" or rope.get("partial_rotary_factor", 1) != 1:
            wanted = "rope_parameters (rope_scaling) must be plain, of rope_type 'default'"
            raise ValueError(f"{wanted}, got {came(rope)}")
        settings = {**settings, "rope_theta": rope.get("rope_theta", settings.get("rope_theta"))}
        config = super().read_config(settings)
        wanted, got = config.d_model // config.n_heads, settings.get("head_dim")
        if got not in (None, wanted):
            raise ValueError(
                f"head_dim must be hidden_size / num_attention_heads = {wanted}, got {got}"
            )
        return config

    def write_config(self) -> dict[str, Any]:
        """Return the settings of ``config.json``."""
        rope = {"rope_type": "default", "rope_theta": self.config.rotary_base}
        unset = dict.fromkeys(("bos_token_id", "eos_token_id"))  # the library has Llama's own here
        return super().write_config() | {"rope_parameters": rope} | unset

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: LlamaConfig) -> dict[str, Tensor]:
        """Return tensors of the library under our names."""
        kept = {name: x for name, x in tensors.items() if not name.endswith(BUFFER)}
        found = super().ours(kept, config)
        if config.tied and "head.weight" in found:  # some files repeat the vectors of the tokens
            head = found.pop("head.weight")
            if not torch.equal(head, found.get("tokens.weight", head)):
                wanted = "lm_head.weight must be model.embed_tokens.weight in a tied model"
                raise ValueError(f"{wanted}, got another")
        return found


def chat(messages: Iterable[Mapping[str, str]], *, system: str | None = SYSTEM) -> str:
    """Write a conversation as SmolLM2 was taught to read it, up to where its answer begins.

    Parameters
    ----------
    messages : mappings with ``role`` and ``content``
        The roles are "user" and "assistant"; the first may be "system".
    system : str or None
        What comes first where the messages do not begin with a system's.

    Returns
    -------
    str
        To be encoded by the model's tokenizer. The answer ends with ``<|im_end|>``. Contents that
        contain such marks are not refused: whoever writes them can forge a turn.

    Examples
    --------
    >>> print(chat([{"role": "user", "content": "Hello"}], system="Be brief."))
    <|im_start|>system
    Be brief.<|im_end|>
    <|im_start|>user
    Hello<|im_end|>
    <|im_start|>assistant
    <BLANKLINE>
    """
    text, turns = "", listed(messages, "messages", "a list of messages")
    for n, message in enumerate(turns):
        if not isinstance(message, Mapping) or message.keys() != {"role", "content"}:
            wanted = f"messages[{n}] must be a mapping with 'role' and 'content'"
            raise TypeError(f"{wanted}, got {came(message)}")
        role = choice(message["role"], f"the role of messages[{n}]", ROLES[n > 0 :])
        content = instance(message["content"], f"the content of messages[{n}]", str)
        if n == 0 and role != "system" and system is not None:
            text += f"<|im_start|>system\n{instance(system, 'system', str)}<|im_end|>\n"
        text += f"<|im_start|>{role}\n{content}<|im_end|>\n"
    if not text:
        raise ValueError("messages must hold 1 or more, got 0")
    return f"{text}<|im_start|>assistant\n"
