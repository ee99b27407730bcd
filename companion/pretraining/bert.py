"""BERT: a stack that reads in both directions, and fills in the missing word.

Three vectors for each token, of V = 30,522 tokens, 512 positions and 2 segments, are added and
normalised; N blocks follow, each of which attends to the whole sequence and normalises after each
sum::

    x_t = norm(tokens[id_t] + positions[t] + segments[segment_t])        hidden = blocks(x)

It learns from texts alone. Some positions M are chosen, 15 % of them; most of these become [MASK].
The task is to tell the tokens that stood there, from the whole corrupted text w~::

    loss = - sum over i in M of log P(w_i | w~) / |M|

Vaswani's Transformer has no norm before the first block; BERT has. What this module leaves out: the
second task of the paper, whether two sentences follow each other, which the chapter tries; and what
is put on top to judge, tag or answer, which is the next chapter's.

References (in full in the chapter's bibliography): Devlin and others (2019).

Chapter: book/pretraining/bert.ipynb
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion import arguments
from companion.arguments import (
    finite,
    flag,
    instance,
    integers,
    listed,
    on,
    readable,
    share,
    size,
    tensor,
)
from companion.pretraining.folders import Layout, Pretrained
from companion.transformer import stack
from companion.transformer.blocks import LayerNorm

IGNORED = -100  # the target where there is nothing to tell
SPREAD = 0.02  # standard deviation of the first weights


@dataclass(frozen=True)
class BertConfig:
    """The sizes of a BERT.

    Examples
    --------
    >>> base = BertConfig(30_522, d_model=768, n_layers=12, n_heads=12, d_hidden=3072)
    >>> large = BertConfig(30_522, d_model=1024, n_layers=24, n_heads=16, d_hidden=4096)
    """

    vocab_size: int  # tokens V
    d_model: int  # width D of a token
    n_layers: int  # blocks
    n_heads: int  # heads H of each attention, a divisor of D
    d_hidden: int  # hidden numbers of each feed-forward network; the paper has 4 D
    max_length: int = 512  # longest sequence, special tokens included
    n_segments: int = 2  # kinds of segments: the first sentence and the second
    eps: float = 1e-12  # of the normalisations
    dropout: float = 0.0  # share of numbers set to 0 in training; the paper has 0.1
    pooler: bool = True  # whether there is the layer of `Bert.pool`

    def __post_init__(self) -> None:
        for name in ("vocab_size", "n_segments"):
            size(getattr(self, name), name)
        flag(self.pooler, "pooler")
        self.stack()  # checks the others

    def stack(self) -> stack.Config:
        """Return the settings of the stack inside."""
        return stack.Config(
            d_model=self.d_model,
            n_layers=self.n_layers,
            n_heads=self.n_heads,
            d_hidden=self.d_hidden,
            max_length=self.max_length,
            norm_first=False,
            norm_embeddings=True,
            eps=self.eps,
            dropout=self.dropout,
        )


# Our names and theirs, of everything in a BERT.
_NAMES = {
    "tokens": "embeddings.word_embeddings",
    "segments": "embeddings.token_type_embeddings",
    "body.positions": "embeddings.position_embeddings",
    "body.embedding_norm": "embeddings.LayerNorm",
    "body.blocks.{n}.attention.query": "encoder.layer.{n}.attention.self.query",
    "body.blocks.{n}.attention.key": "encoder.layer.{n}.attention.self.key",
    "body.blocks.{n}.attention.value": "encoder.layer.{n}.attention.self.value",
    "body.blocks.{n}.attention.output": "encoder.layer.{n}.attention.output.dense",
    "body.blocks.{n}.attention_norm": "encoder.layer.{n}.attention.output.LayerNorm",
    "body.blocks.{n}.feed_forward.inner": "encoder.layer.{n}.intermediate.dense",
    "body.blocks.{n}.feed_forward.outer": "encoder.layer.{n}.output.dense",
    "body.blocks.{n}.feed_forward_norm": "encoder.layer.{n}.output.LayerNorm",
    "pooler": "pooler.dense",
}
_SETTINGS = {
    "vocab_size": "vocab_size",
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "d_hidden": "intermediate_size",
    "max_length": "max_position_embeddings",
    "n_segments": "type_vocab_size",
    "eps": "layer_norm_eps",
    "dropout": ("hidden_dropout_prob", "attention_probs_dropout_prob"),
}
_FIXED = {
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}
_DEFAULTS = {"max_length": 512, "n_segments": 2, "eps": 1e-12, "dropout": 0.1}


_POSITION_IDS = ("embeddings.position_ids", "bert.embeddings.position_ids")  # 0, 1, 2, ...


class _BertFolder(Pretrained):
    """What folders of all models with a BERT inside have in common."""

    config_class: ClassVar[type] = BertConfig

    @classmethod
    def fit_config(cls, config: BertConfig, tensors: Mapping[str, Tensor]) -> BertConfig:
        """Return the configuration; whether there is a pooler, only the weights say."""
        return replace(config, pooler=any(".pooler." in f".{name}" for name in tensors))


class Bert(_BertFolder):
    """BERT without a head: it returns a vector for each token, which knows its neighbours.

    Attributes
    ----------
    tokens, segments : nn.Embedding
        Vectors of the V tokens, and of the segments.
    body : companion.transformer.stack.Stack
        Positions, the first normalisation, and the blocks.
    pooler : nn.Linear or None
        The layer of `pool`.

    Examples
    --------
    >>> bert = Bert(BertConfig(vocab_size=11, d_model=6, n_layers=2, n_heads=3, d_hidden=12))
    >>> bert(torch.tensor([[2, 7, 5, 3]])).shape
    torch.Size([1, 4, 6])
    """

    layout: ClassVar[Layout] = Layout(
        model_type="bert",
        architecture="BertModel",
        settings=_SETTINGS,
        names=_NAMES,
        fixed=_FIXED,
        defaults=_DEFAULTS,
        optional=("cls.", "classifier.", "qa_outputs.", *_POSITION_IDS),
    )

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = instance(config, "config", BertConfig)
        D = config.d_model
        self.tokens = nn.Embedding(config.vocab_size, D)
        self.segments = nn.Embedding(config.n_segments, D)
        self.body = stack.Stack(config.stack())
        self.pooler = nn.Linear(D, D) if config.pooler else None
        self.apply(_initialize)

    def forward(
        self,
        ids: Tensor,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        need_weights: bool = False,
        all_layers: bool = False,
    ) -> Any:
        """Read sequences of tokens.

        Parameters
        ----------
        ids : Tensor of int64, shape (B, T)
            Tokens, [CLS] first.
        segments : Tensor of int64, shape (B, T), optional
            The sentence of each token: 0 for the first, 1 for the second; all 0 without it.
        mask : Tensor of bool, shape (B, T), optional
            True at real tokens, False at padding; all are real without it.
        need_weights : bool, default False
            Whether to return the weights of attention as well.
        all_layers : bool, default False
            Whether to return what goes into the first block and what comes out of each.

        Returns
        -------
        Tensor, shape (B, T, D), with `all_layers` a list of N + 1 of them; with `need_weights` a
        pair with a list of N tensors, each (B, H, T, T). What stands at padding means nothing.
        """
        ids = arguments.ids(ids, "ids", self.config.vocab_size)
        x = self.tokens(ids)  # (B, T, D)
        if segments is None:
            x = x + self.segments.weight[0]
        else:
            arguments.ids(segments, "segments", self.config.n_segments, tuple(ids.shape))
            x = x + self.segments(on(segments, "segments", ids.device))
        if mask is not None:
            mask = tensor(mask, "mask", tuple(ids.shape), dtype=torch.bool)[:, None]  # (B, 1, T)
        found = self.body(x, mask=mask, need_weights=need_weights, all_layers=all_layers)
        return (found[0], [own for (own,) in found[1]]) if need_weights else found

    def pool(self, hidden: Tensor) -> Tensor:
        """Return one vector for each sequence: that of [CLS], through a layer and a tanh.

        This is how the paper judges a sentence. The layer learns in the second task of BERT's
        training, and again with each task that it is used for; before, its result means little.

        Parameters
        ----------
        hidden : Tensor, shape (B, T, D)
            What the model returned.

        Returns
        -------
        Tensor, shape (B, D), numbers between -1 and 1
        """
        if self.pooler is None:
            raise ValueError(
                "pool needs a model with a pooler: config.pooler must be True, got False"
            )
        hidden = readable(hidden, "hidden", ("B", "T", self.config.d_model), self.pooler)
        size(hidden.shape[1], "the length T of hidden")
        return self.pooler(hidden[:, 0]).tanh()

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: BertConfig) -> dict[str, Tensor]:
        """Return the body's tensors under our names, also out of a folder with a head."""
        instance(tensors, "tensors", Mapping)
        inside = {name.removeprefix("bert."): value for name, value in tensors.items()}
        if len(inside) < len(tensors):
            raise ValueError("tensors must name each weight once, got it with and without 'bert.'")
        return super().ours(_current(inside), config)


class MaskedLanguageModel(_BertFolder):
    """BERT with the head that tells which token stood at a position.

    The head is a layer with GELU, a normalisation, and the vectors of the tokens once more: the
    score of a token is the inner product with its vector, plus a bias of its own.

    Parameters
    ----------
    bert : BertConfig or Bert
        The body, or what to make it from. Only a body with a pooler has one afterwards; this head
        does not use it.

    Examples
    --------
    >>> config = BertConfig(11, d_model=6, n_layers=2, n_heads=3, d_hidden=12, pooler=False)
    >>> model, ids = MaskedLanguageModel(config), torch.tensor([[2, 4, 5, 3]])
    >>> model(ids).shape, model(ids, chosen=ids == 4).shape
    (torch.Size([1, 4, 11]), torch.Size([1, 11]))
    """

    layout: ClassVar[Layout] = Layout(
        model_type="bert",
        architecture="BertForMaskedLM",
        settings=_SETTINGS,
        names={f"bert.{ours}": f"bert.{theirs}" for ours, theirs in _NAMES.items()}
        | {
            "transform": "cls.predictions.transform.dense",
            "norm": "cls.predictions.transform.LayerNorm",
            "bias": "cls.predictions.bias",
        },
        fixed=_FIXED | {"tie_word_embeddings": True},
        defaults=_DEFAULTS,
        optional=("cls.seq_relationship.", *_POSITION_IDS),
    )

    def __init__(self, bert: BertConfig | Bert) -> None:
        super().__init__()
        self.bert = Bert(bert) if isinstance(bert, BertConfig) else instance(bert, "bert", Bert)
        self.config = self.bert.config
        D = self.config.d_model
        self.transform = nn.Linear(D, D)
        self.norm = LayerNorm(D, eps=self.config.eps)
        self.bias = nn.Parameter(torch.zeros(self.config.vocab_size))
        self.transform.apply(_initialize)

    def forward(
        self,
        ids: Tensor,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Score all V tokens, at all positions or at those that are chosen.

        Parameters
        ----------
        ids, segments, mask
            As of `Bert.forward`.
        chosen : Tensor of bool, shape (B, T), optional
            Where to tell the token. The head is most of the work of a small model, and a training
            asks for 15 % of the positions.

        Returns
        -------
        Tensor, shape (B, T, V), or (M, V) for M chosen positions, row by row
        """
        if chosen is not None:
            tensor(chosen, "chosen", ("B", "T"), dtype=torch.bool)
            if isinstance(ids, Tensor) and chosen.shape != ids.shape:
                wanted, got = tuple(ids.shape), tuple(chosen.shape)
                raise ValueError(f"chosen must have the shape of ids, {wanted}, got {got}")
        hidden = self.bert(ids, segments, mask)
        return self.score(hidden if chosen is None else hidden[chosen])

    def score(self, hidden: Tensor) -> Tensor:
        """Return the scores of all tokens, (..., V), for vectors of positions, (..., D)."""
        hidden = readable(hidden, "hidden", (..., self.config.d_model), self.transform)
        x = self.norm(functional.gelu(self.transform(hidden)))  # (..., D)
        return functional.linear(x, self.bert.tokens.weight, self.bias)  # (..., V)

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: BertConfig) -> dict[str, Tensor]:
        """Return tensors under our names; the library may write the tied ones twice."""
        kept = _current(tensors)
        for name, first in {
            "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
            "cls.predictions.decoder.bias": "cls.predictions.bias",
        }.items():
            copy = kept.pop(name, None)
            if copy is not None and not torch.equal(copy, kept.get(first, copy)):
                raise ValueError(f"{name} must equal {first}, with which it is tied: it does not")
        return super().ours(kept, config)


def masked_loss(model: nn.Module, batch: Mapping[str, Tensor]) -> tuple[Tensor, int]:
    """Return the loss of a masked language model, for `companion.basics.training.fit`.

    Parameters
    ----------
    model : MaskedLanguageModel
    batch : mapping
        "inputs" and "targets", (B, T), as from `mask_tokens`; "segments" and "mask" if needed.

    Returns
    -------
    The sum of the cross-entropies over the chosen positions, and how many these are
    """
    V = instance(model, "model", MaskedLanguageModel).config.vocab_size
    if missing := {"inputs", "targets"} - instance(batch, "batch", Mapping).keys():
        raise ValueError(f"batch must hold {' and '.join(sorted(missing))}, got {list(batch)}")
    targets = tensor(batch["targets"], "targets", ("B", "T"), dtype=torch.int64)
    chosen = targets != IGNORED
    arguments.ids(targets[chosen][None], "targets", V, (1, "M"))
    options = {name: batch.get(name) for name in ("segments", "mask")}
    logits = model(batch["inputs"], **options, chosen=chosen)  # (M, V)
    return functional.cross_entropy(logits, targets[chosen], reduction="sum"), len(logits)


def mask_tokens(
    ids: Tensor,
    *,
    mask_id: int,
    vocab_size: int,
    special_ids: Iterable[int],
    rate: float = 0.15,
    shares: tuple[float, float, float] = (0.8, 0.1, 0.1),
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Choose positions at random, and corrupt the input there; the targets are what stood there.

    A chosen token becomes [MASK] with probability 0.8, a random token with 0.1, and stays with 0.1.
    The task is the same in all three cases. Special tokens are never chosen, and never drawn as the
    random token (in the paper's program they may be drawn).

    Parameters
    ----------
    ids : Tensor of int64, shape (..., T)
        Any texts of the vocabulary.
    mask_id : int
        Of [MASK].
    vocab_size : int
        Number of tokens V.
    special_ids : iterable of int
        Tokens that stand for no text, such as [PAD], [CLS] and [SEP].
    rate : float, default 0.15
        Probability of a position to be chosen, independently of the others.
    shares : tuple of three float, default (0.8, 0.1, 0.1)
        Probabilities of a chosen token to become [MASK], to become a random token, and to stay.
    generator : torch.Generator, optional
        Where chance comes from.

    Returns
    -------
    inputs, targets : Tensor of int64, shape (..., T)
        The targets are -100 where nothing was chosen.

    Examples
    --------
    >>> ids, generator = torch.tensor([[2, 7, 8, 9, 3]]), torch.Generator().manual_seed(2)
    >>> options = {"mask_id": 4, "vocab_size": 11, "special_ids": [0, 1, 2, 3, 4]}
    >>> inputs, targets = mask_tokens(ids, **options, rate=0.5, generator=generator)
    >>> inputs.tolist(), targets.tolist()
    ([[2, 4, 8, 4, 3]], [[-100, 7, -100, 9, -100]])
    """
    V = size(vocab_size, "vocab_size")
    ids = arguments.ids(ids, "ids", V, (..., "T"))
    mask_id = arguments.integer(mask_id, "mask_id", 0, V - 1)
    rate = share(rate, "rate")
    to_mask, to_random, to_stay = finite(shares, "shares", (3,))
    if min(shares) < 0 or abs(to_mask + to_random + to_stay - 1) > 1e-6:
        raise ValueError(f"shares must be 0 or more with the sum 1, got {shares}")
    if generator is not None:
        instance(generator, "generator", torch.Generator)
    is_text = torch.ones(V, dtype=torch.bool)
    for number in integers(
        listed(special_ids, "special_ids", "ids"), "special_ids", item=_id_below(V)
    ):
        is_text[number] = False
    texts = is_text.nonzero()[:, 0]  # the ids of all that is text
    if not len(texts):
        raise ValueError(f"special_ids must leave a token of the {V}, got all of them")

    def uniform() -> Tensor:
        return torch.rand(ids.shape, generator=generator)

    chosen = (uniform() < rate) & is_text[ids]
    fate, drawn = uniform(), texts[(uniform() * len(texts)).long()]
    inputs = ids.masked_fill(chosen & (fate < to_mask), mask_id)
    is_random = (fate >= to_mask) & (fate >= 1 - to_random)  # town-bert was trained in this order
    inputs = torch.where(chosen & is_random, drawn, inputs)
    return inputs, ids.masked_fill(~chosen, IGNORED)


def mean_pool(hidden: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the mean of the vectors of real tokens: a vector for each sequence.

    Parameters
    ----------
    hidden : Tensor, shape (B, T, D)
    mask : Tensor of bool, shape (B, T), optional
        True at real tokens, one or more in each row.

    Returns
    -------
    Tensor, shape (B, D)

    Examples
    --------
    >>> hidden = torch.tensor([[[1.0, 4.0], [3.0, 0.0], [9.0, 9.0]]])
    >>> mean_pool(hidden, torch.tensor([[True, True, False]]))
    tensor([[2., 2.]])
    """
    B, T, _ = tensor(hidden, "hidden", ("B", "T", "D")).shape
    if mask is None:
        size(T, "the length T of hidden")
        return hidden.mean(dim=1)
    real = tensor(mask, "mask", (B, T), dtype=torch.bool)[..., None]  # (B, T, 1)
    if not real.any(dim=1).all():
        raise ValueError("mask must have a real token in each row, got a row without one")
    return hidden.masked_fill(~real, 0.0).sum(dim=1) / real.sum(dim=1)


def _initialize(module: nn.Module) -> None:
    """Draw the first weights as in the paper: small, so that at first all tokens are likely."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=SPREAD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)


def _current(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename what the first published files call gamma and beta."""
    old = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    found = {}
    for name, value in tensors.items():
        for before, after in old.items():
            if name.endswith(before):
                name = name.removesuffix(before) + after
        found[name] = value
    return found


def _id_below(vocab_size: int) -> Any:
    return lambda value, name: arguments.integer(value, name, 0, vocab_size - 1)
