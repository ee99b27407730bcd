"""GPT: a causal stack that reads a text and says after every token what comes next.

With E the vectors of the tokens, (V, D), p those of the positions, and ids i_1 ... i_T::

    x_t = E[i_t] + p[t],    h = Stack(x), causal: h_t depends on x_1 ... x_t alone
    P(i_{t+1} | i_1 ... i_t) = softmax(E h_t),    or softmax(W h_t) where the head is not tied

`CausalModel` is what GPT and Llama have in common: two matrices around a
`companion.transformer.stack.Stack`, and what generation asks of a model. `GPT` adds the settings of
GPT-2 and the names of its weights. Training shows all T answers of a window of text at once
(`text_windows`, `next_token_loss`); `token_log_probabilities` measures a text of any length.

What differs from GPT-2: `dropout` also acts on the hidden numbers of the feed-forward networks.
What this module leaves out: texts longer than the table of positions, and GPT-3's sparse attention.

References (in full in the chapter's bibliography): Radford and others (2018), GPT; Radford and
others (2019), GPT-2; Press and Wolf (2017), one matrix for input and output.

Chapter: book/pretraining/gpt.ipynb
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion import arguments
from companion.arguments import flag, function, instance, integer, listed, size, tensor
from companion.pretraining.folders import Layout, Pretrained
from companion.runs.batches import Batch, Source
from companion.sequences.generation import complete, evaluating
from companion.transformer.blocks import count_positions
from companion.transformer.stack import Caches, Config, Stack

IGNORED = -100  # a target that does not count
MOST = 2**22  # scores that are computed at once when a text is measured, which bounds the memory


class State(NamedTuple):
    """What a causal model keeps between two steps of generation."""

    caches: Caches
    mask: Tensor | None  # (B, S): True at real tokens of what was read; None: all are real

    def select(self, rows: Tensor) -> State:
        """Return the state of these rows of the batch, in this order."""
        return State(self.caches.select(rows), None if self.mask is None else self.mask[rows])


class CausalModel(Pretrained):
    """Vectors of tokens, a causal stack, and scores of the next token: GPT and Llama.

    A subclass says which configuration it takes; that one has `vocab_size`, `tied` and a method
    `stack`, which returns the settings of the `Stack`.

    Attributes
    ----------
    tokens : nn.Embedding
        The vectors of the tokens, (V, D).
    body : Stack
    head : nn.Linear or None
        From D numbers to V scores; None where the vectors of the tokens do it (tied).
    """

    reads_padding = True  # `start` takes a mask: see companion.sequences.generation

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.config = instance(config, "config", self.config_class)
        V, settings = config.vocab_size, config.stack()
        self.tokens, self.body = nn.Embedding(V, settings.d_model), Stack(settings)
        self.head = None if config.tied else nn.Linear(settings.d_model, V, bias=False)
        self._initialise()

    def _initialise(self) -> None:
        """Draw weights as GPT-2 does: small, and smaller where 2 N parts add up in one vector."""
        added = ("attention.output", "feed_forward.outer")
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                parts = 2 * len(self.body.blocks) if name.endswith(added) else 1
                nn.init.normal_(module.weight, std=0.02 / math.sqrt(parts))
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(
        self,
        ids: Tensor,
        *,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        caches: Caches | None = None,
        need_weights: bool = False,
    ) -> Any:
        """Read tokens, and score after each of them what could come next.

        Parameters
        ----------
        ids : Tensor of int64, shape (B, T)
            With caches, only what is new.
        mask : Tensor of bool, shape (B, T), optional
            True at real tokens, False at padding, which may stand on either side. With caches it
            speaks of all S tokens, those that were read before and the new ones: (B, S).
        positions : Tensor of int64, shape (T,) or (B, T), optional
            Where the tokens stand. Without them they are counted: padding does not count.
        caches : Caches, optional
            From ``model.body.caches()``: what was read before. They are extended.
        need_weights : bool, default False
            Whether to return the weights of attention as well.

        Returns
        -------
        Tensor, shape (B, T, V)
            Scores; with `need_weights` a pair with the weights, a list of (B, H, T, S) per block.
        """
        x = self._hidden(ids, mask, positions, caches, need_weights)
        if not need_weights:
            return self._scores(x)
        hidden, weights = x
        return self._scores(hidden), [of_block for (of_block,) in weights]

    def start(self, ids: Tensor, mask: Tensor | None = None) -> State:
        """Read ids (B, T), T may be 0, with padding on the left where the mask (B, T) is False."""
        state = State(self.body.caches(), mask)
        if ids.shape[1]:
            self._hidden(ids, mask, None, state.caches)
        return state

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token per row, (B,); return the scores of the next, (B, V), and the state."""
        caches, mask = state.caches.copy(), state.mask
        if mask is not None:
            mask = functional.pad(mask, (0, 1), value=True)  # (B, S + 1)
        hidden = self._hidden(tokens[:, None], mask, None, caches)  # (B, 1, D)
        return self._scores(hidden[:, 0]), State(caches, mask)

    def _scores(self, hidden: Tensor) -> Tensor:
        """Return the scores of the next token, (..., V), of what the stack made, (..., D)."""
        if self.head is not None:
            return self.head(hidden)
        return functional.linear(hidden, self.tokens.weight)

    def _hidden(
        self,
        ids: Tensor,
        mask: Tensor | None,
        positions: Tensor | None,
        caches: Caches | None,
        need_weights: bool = False,
    ) -> Any:
        """Return what the stack makes of tokens, (B, T, D)."""
        B, T = arguments.ids(ids, "ids", self.config.vocab_size).shape
        past = 0 if caches is None else len(instance(caches, "caches", Caches)[0][0])
        if mask is not None:
            tensor(mask, "mask", (B, past + T), dtype=torch.bool)
            if positions is None:
                positions = count_positions(mask)[:, past:]  # (B, T)
            mask = mask[:, None]  # (B, 1, S): the same for all queries
        options: Any = {"positions": positions, "caches": caches, "need_weights": need_weights}
        return self.body(self.tokens(ids), mask=mask, **options)


@dataclass(frozen=True)
class GPTConfig:
    """The sizes and settings of a `GPT`.

    Examples
    --------
    >>> GPTConfig(vocab_size=50257, d_model=768, n_layers=12, n_heads=12, d_hidden=3072).tied
    True
    """

    vocab_size: int  # tokens V
    d_model: int  # width D of a token
    n_layers: int  # blocks
    n_heads: int  # heads H of each attention, a divisor of D
    d_hidden: int  # hidden numbers of each feed-forward network
    max_length: int = 1024  # longest text, for the table of positions
    eps: float = 1e-5  # of the normalisations
    dropout: float = 0.0  # share of numbers set to 0 in training: embeddings, parts, weights
    tied: bool = True  # the vectors of the tokens are the last layer, too

    def __post_init__(self) -> None:
        size(self.vocab_size, "vocab_size")
        flag(self.tied, "tied")
        self.stack()  # refuses what does not fit in there

    def stack(self) -> Config:
        """Return the settings of the stack."""
        return Config(
            d_model=self.d_model,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_hidden=self.d_hidden,
            max_length=self.max_length,
            eps=self.eps,
            dropout=self.dropout,
            causal=True,
            activation="gelu_tanh",
        )


PARTS = ("query", "key", "value")  # three matrices of ours are one of GPT-2's, side by side
LINEAR = ("c_attn.weight", "c_proj.weight", "c_fc.weight")  # which GPT-2 keeps transposed
BUFFERS = (".attn.bias", ".attn.masked_bias")  # the causal mask, which old files hold as well


class GPT(CausalModel):
    """A GPT-2: pre-norm, learned positions, GELU, biases everywhere.

    Parameters
    ----------
    config : GPTConfig
        Initial weights follow ``torch.manual_seed``.

    Examples
    --------
    >>> model = GPT(GPTConfig(vocab_size=11, d_model=6, n_layers=2, n_heads=3, d_hidden=12))
    >>> model(torch.tensor([[1, 2, 3]])).shape  # after each token, scores of the next
    torch.Size([1, 3, 11])
    """

    config_class = GPTConfig
    config: GPTConfig
    layout = Layout(
        model_type="gpt2",
        architecture="GPT2LMHeadModel",
        settings={
            "vocab_size": "vocab_size",
            "d_model": "n_embd",
            "n_layers": "n_layer",
            "n_heads": "n_head",
            "d_hidden": "n_inner",
            "max_length": "n_positions",
            "eps": "layer_norm_epsilon",
            "dropout": "resid_pdrop",
            "tied": "tie_word_embeddings",
        },
        names={
            "tokens": "transformer.wte",
            "body.positions": "transformer.wpe",
            "body.blocks.{n}.attention_norm": "transformer.h.{n}.ln_1",
            "body.blocks.{n}.attention": "transformer.h.{n}.attn",
            "body.blocks.{n}.attention.output": "transformer.h.{n}.attn.c_proj",
            "body.blocks.{n}.feed_forward_norm": "transformer.h.{n}.ln_2",
            "body.blocks.{n}.feed_forward.inner": "transformer.h.{n}.mlp.c_fc",
            "body.blocks.{n}.feed_forward.outer": "transformer.h.{n}.mlp.c_proj",
            "body.norm": "transformer.ln_f",
            "head": "lm_head",
        },
        fixed={
            "activation_function": "gelu_new",
            "scale_attn_weights": True,
            "scale_attn_by_inverse_layer_idx": False,
            "add_cross_attention": False,
        },
        defaults={"max_length": 1024, "eps": 1e-5, "dropout": 0.1, "tied": True},
    )

    @classmethod
    def read_config(cls, settings: Mapping[str, Any]) -> GPTConfig:
        """Return our configuration; GPT-2 leaves d_hidden open where it is 4 D.

        Of its three shares of dropout we have one: that of what the parts add.
        """
        width = settings.get("n_embd")
        if settings.get("n_inner") is None and isinstance(width, int):
            settings = {**settings, "n_inner": 4 * width}
        return super().read_config(settings)

    def write_config(self) -> dict[str, Any]:
        """Return the settings of ``config.json``."""
        dropout = dict.fromkeys(("embd_pdrop", "attn_pdrop"), self.config.dropout)
        unset = dict.fromkeys(("bos_token_id", "eos_token_id"))  # the library has GPT-2's own here
        return super().write_config() | dropout | unset

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: Any) -> dict[str, Tensor]:
        """Return GPT-2's tensors under our names: transposed, and one matrix in three."""
        found: dict[str, Tensor] = {}
        bare = "transformer.wte.weight" not in tensors  # a body without its head
        for name, value in tensors.items():
            name = f"transformer.{name}" if bare and name != "lm_head.weight" else name
            if name.endswith(BUFFERS):
                continue
            if name.endswith(LINEAR) and value.dim() == 2:
                value = value.mT  # (out, in), as PyTorch has it
            if ".c_attn." in name and value.dim() and len(value) % 3 == 0:
                for part, rows in zip(PARTS, value.chunk(3), strict=True):
                    found[name.replace("c_attn", part)] = rows
            else:
                found[name] = value
        found = super().ours(found, config)
        head = found.pop("head.weight", None) if config.tied else None
        if head is not None and not torch.equal(head, found.get("tokens.weight", head)):
            raise ValueError("lm_head.weight must be wte.weight in a tied model, got another")
        return found

    def theirs(self) -> dict[str, Tensor]:
        """Return our tensors under GPT-2's names: transposed, and three matrices in one."""
        named, found = super().theirs(), {}
        for name, value in named.items():
            *at, part, kind = name.split(".")
            if part == PARTS[0]:
                value = torch.cat([named[".".join([*at, one, kind])] for one in PARTS])
                name = ".".join([*at, "c_attn", kind])
            if part not in PARTS[1:]:
                found[name] = value.mT if name.endswith(LINEAR) else value
        return found


def generate(
    model: CausalModel,
    ids: Tensor,
    n_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    stop: Collection[int] | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Continue texts, token by token; for prompts of different lengths see `complete`.

    Parameters
    ----------
    model : CausalModel
    ids : Tensor of int64, shape (B, T) or (T,)
        The prompts.
    n_tokens : int
        Tokens that each text gets, at most.
    temperature, top_k, top_p, generator
        As in `companion.sequences.generation.sample`; the temperature 0 takes the most probable.
    stop : collection of int, optional
        A text ends with the first of these that it writes. Where others go on, it is filled up with
        the first token of `stop`.

    Returns
    -------
    Tensor of int64, shape (B, T + at most n_tokens), or one axis less
        The prompts and what comes after them.

    Examples
    --------
    >>> model = GPT(GPTConfig(vocab_size=11, d_model=6, n_layers=2, n_heads=3, d_hidden=12))
    >>> generate(model, torch.tensor([[1, 2, 3]]), 4, temperature=0).shape
    torch.Size([1, 7])
    """
    instance(model, "model", CausalModel)
    one = isinstance(ids, Tensor) and ids.dim() == 1
    rows = ids[None] if one else ids
    T = arguments.ids(rows, "ids", model.config.vocab_size).shape[1]
    n_tokens = integer(n_tokens, "n_tokens", 0)
    if T + n_tokens - 1 > (most := model.config.max_length):  # the last one is not read
        raise ValueError(f"ids and n_tokens must fit {most} positions, got {T} and {n_tokens}")
    ends = [] if stop is None else listed(stop, "stop", "token ids")
    options: Any = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    written = complete(model, rows.tolist(), n_tokens, stop=ends, generator=generator, **options)
    lengths = [len(row) + (len(row) < n_tokens) for row in written]  # with the token that ended it
    padded = [row + ends[:1] * (max(lengths) - len(row)) for row in written]
    after = torch.tensor(padded, dtype=ids.dtype, device=ids.device).reshape(len(rows), -1)
    texts = torch.cat([rows, after], dim=1)
    return texts[0] if one else texts


# --- training and measuring -----------------------------------------------------------------------


def text_windows(ids: Tensor, length: int, *, batch_size: int, n_batches: int) -> Source:
    """Return a source for `fit`: windows of a text, each with the token after every token.

    Parameters
    ----------
    ids : Tensor of int64, shape (N,)
        One long text, at least `length` + 1 tokens.
    length : int
        Tokens T of a window, which begins anywhere.
    batch_size, n_batches : int
        Windows of a batch, and batches of an epoch.

    Examples
    --------
    >>> source = text_windows(torch.arange(9), 3, batch_size=2, n_batches=1)
    >>> [batch] = source(torch.Generator().manual_seed(0))
    >>> torch.equal(batch["targets"], batch["inputs"] + 1)  # of a text that counts
    True
    """
    T, rows = size(length, "length"), size(batch_size, "batch_size")
    n_batches = size(n_batches, "n_batches")
    tensor(ids, "ids", ("N",), dtype=torch.int64)
    if len(ids) <= T:
        raise ValueError(f"ids must hold {T + 1} tokens or more, got {len(ids)}")

    def source(generator: torch.Generator) -> Iterator[Batch]:
        for _ in range(n_batches):
            starts = torch.randint(len(ids) - T, (rows, 1), generator=generator)
            places = starts + torch.arange(T + 1)  # (B, T + 1)
            windows = ids[places]
            yield {"inputs": windows[:, :-1], "targets": windows[:, 1:]}

    return source


def next_token_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, float]:
    """Return the sum of -log P of the targets, and how many they are: a loss for `fit`.

    The batch has "inputs" and "targets", (B, T) each; a target of -100 does not count. Where it has
    a "mask", (B, T), the model gets it, too.
    """
    if not {"inputs", "targets"} <= set(instance(batch, "batch", Mapping)):
        raise ValueError(f"batch must have inputs and targets, got {sorted(map(str, batch))}")
    extra = {"mask": batch["mask"]} if "mask" in batch else {}
    scores = function(model, "model", "a model")(batch["inputs"], **extra)
    tensor(scores, "the scores of model", ("B", "T", "V"))
    targets = tensor(batch["targets"], "targets", scores.shape[:2], dtype=torch.int64)
    flat = scores.flatten(0, 1), targets.flatten()  # (B T, V), (B T,)
    total = functional.cross_entropy(*flat, ignore_index=IGNORED, reduction="sum")
    return total, float((targets != IGNORED).sum())


@torch.no_grad()
def token_log_probabilities(
    model: CausalModel, ids: Tensor, *, length: int | None = None, stride: int | None = None
) -> Tensor:
    """Return log P of each token of a text but the first, (N - 1,), given what stands before it.

    A text longer than a window is measured in windows that overlap: each begins `stride` tokens
    after the one before, and every token is scored where it sees most, so that it sees at least
    `length` - `stride` tokens, or all there are.

    Parameters
    ----------
    ids : Tensor of int64, shape (N,)
        Two tokens or more.
    length : int, optional
        Tokens of a window; as many as the model can read without it.
    stride : int, optional
        From 1 to `length`; half of it without it.
    """
    config = instance(model, "model", CausalModel).config
    ids = arguments.ids(ids, "ids", config.vocab_size, ("N",))
    if len(ids) < 2:
        raise ValueError(f"ids must hold 2 tokens or more, got {len(ids)}")
    most = config.max_length
    T = most if length is None else integer(length, "length", 1, most)
    step = max(1, T // 2) if stride is None else integer(stride, "stride", 1, T)
    N = len(ids) - 1
    T = min(T, N)
    starts = torch.tensor([*range(0, N - T, step), N - T], device=ids.device)
    found = torch.empty(N, dtype=model.tokens.weight.dtype, device=ids.device)
    with evaluating(model):
        # From the last window to the first: where two overlap, the earlier has seen more.
        for some in starts.flip(0).split(max(1, MOST // (T * config.vocab_size))):
            places = some[:, None] + torch.arange(T, device=ids.device)  # (B, T)
            shares = model(ids[places]).log_softmax(dim=-1)  # (B, T, V)
            scored = shares.gather(2, ids[places + 1][:, :, None])[:, :, 0]  # (B, T)
            for where, values in zip(places, scored, strict=True):
                found[where] = values
    return found
