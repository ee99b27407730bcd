"""An encoder and a decoder, with additive attention between them or with one fixed context vector.

The encoder reads the source in both directions. Position j of the source is then described by
h_j, what was read up to j from the left, what was read up to j from the right, and the embedding of
the token itself. The decoder is a GRU; its state s_i has read the target tokens before i::

    attention:      e_ij = v . tanh(W_q s_i + W_k h_j + b),  a_i = softmax over j of e_ij
                    c_i = sum over j of a_ij h_j
    fixed context:  c_i = c, the two last states of the encoder, for every i
    output:         P(y_i | y_<i, x) = softmax(E W_o [s_i, c_i] + b_o)

E is the target's embedding matrix, which serves input and output alike. It deviates from Bahdanau
et al. (2015) in two points: the query is the state after the last token (theirs: before it), and
the context goes to the output only, not into the next state, as in Luong et al. (2015). In training
all positions of the target are then computed together. Their annotations are the two states alone.

References (in full in the chapter's bibliography): Sutskever et al. (2014) and Cho et al. (2014),
encoder and decoder; Bahdanau et al. (2015), additive attention; Luong et al. (2015).

Chapter: book/sequences/seq2seq.ipynb
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from companion import arguments
from companion.arguments import came, flag, ids, instance, integer, size, tensor
from companion.sequences.gated import GRU
from companion.sequences.seq2seq.attention import AdditiveAttention
from companion.sequences.seq2seq.batching import SPECIAL_TOKENS
from companion.sequences.vocabulary import Vocabulary


class WordEmbedding(nn.Module):
    """The vector of a word plus the vectors of its characters, so that related forms share.

    For Korean the characters are syllables. The idea is that of FastText, with single characters
    in place of longer pieces. Special tokens have a vector of their own only.

    Parameters
    ----------
    vocabulary : Vocabulary, or mapping of str to int
        Word to id, from 0 on without a gap.
    embedding_size : int
        Numbers in a vector.

    Examples
    --------
    >>> embedding = WordEmbedding({"[PAD]": 0, "나는": 1, "너는": 2}, 8)
    >>> embedding(torch.tensor([[1, 2, 0]])).shape
    torch.Size([1, 3, 8])
    """

    characters: Tensor

    def __init__(self, vocabulary: Mapping[str, int], embedding_size: int) -> None:
        super().__init__()
        instance(vocabulary, "vocabulary", Mapping)
        numbers = list(vocabulary.values())
        words = [word for word in vocabulary if isinstance(word, str)]
        if len(words) < len(numbers) or any(type(number) is not int for number in numbers):
            raise TypeError(f"vocabulary must map texts to integers, got {came(vocabulary)}")
        words.sort(key=vocabulary.__getitem__)
        if not words or [vocabulary[word] for word in words] != list(range(len(words))):
            raise ValueError("vocabulary must number its words from 0 on, without a gap")
        special = vocabulary.special if isinstance(vocabulary, Vocabulary) else SPECIAL_TOKENS
        spelled = ["" if word in special else word for word in words]
        letters = sorted(set("".join(spelled)))
        alphabet = {letter: number for number, letter in enumerate(letters, start=1)}
        longest = max(map(len, spelled))
        rows = [[alphabet[letter] for letter in word] for word in spelled]
        table = [row + [0] * (longest - len(row)) for row in rows]  # 0 stands for none
        # Which characters a word has belongs to the model, but is not learned.
        self.register_buffer("characters", torch.tensor(table, dtype=torch.long))
        self.word = _embedding(len(words), size(embedding_size, "embedding_size"))
        self.character = _embedding(len(alphabet) + 1, embedding_size, padding=0)

    @property
    def num_embeddings(self) -> int:
        """The number of words."""
        return self.word.num_embeddings

    @property
    def embedding_dim(self) -> int:
        """Numbers in a vector."""
        return self.word.embedding_dim

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors of words, shape (B, T, embedding_size), from ids (B, T)."""
        arguments.ids(ids, "ids", self.num_embeddings, (...,))
        return self.word(ids) + self.character(self.characters[ids]).sum(dim=-2)


class State(NamedTuple):
    """All that the decoder needs to write on; the batch axis comes first everywhere."""

    memory: Tensor  # (B, T_source, memory_size); with a fixed context (B, 1, hidden_size)
    mask: Tensor  # (B, T_source): True at real tokens
    hidden: Tensor  # (B, hidden_size): the decoder's state

    def select(self, rows: Tensor) -> State:
        """Return the state of the given rows, (n,)."""
        return State(*(part.index_select(0, rows) for part in self))


class Seq2Seq(nn.Module):
    """A recurrent encoder and decoder, from a source sequence to a target sequence.

    Sequences are ids, with padding only at the end. Initial weights follow ``torch.manual_seed``.

    Parameters
    ----------
    source_vocab_size, target_vocab_size : int
        Tokens of the two languages, special ones included.
    embedding_size : int, default 64
        Numbers in the vector of a token.
    hidden_size : int, default 128
        Numbers in the decoder's state and in the fixed context; even, as each of the encoder's two
        directions takes half.
    attention : bool, default True
        Whether the decoder attends to all positions of the source, or has a fixed context.
    source_embedding : Module, optional
        Takes the place of the source's embedding matrix, such as a `WordEmbedding`; must have
        ``num_embeddings`` and ``embedding_dim``.
    padding : int, default 0
        The id of the token that fills up sequences.

    Examples
    --------
    >>> model = Seq2Seq(11, 13)
    >>> source, target = torch.tensor([[5, 6, 7], [8, 0, 0]]), torch.tensor([[2, 4], [2, 5]])
    >>> model(source, target).shape  # for each target token, scores of the next
    torch.Size([2, 2, 13])
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        *,
        embedding_size: int = 64,
        hidden_size: int = 128,
        attention: bool = True,
        source_embedding: nn.Module | None = None,
        padding: int = 0,
    ) -> None:
        super().__init__()
        V = self.source_vocab_size = size(source_vocab_size, "source_vocab_size")
        self.padding = integer(padding, "padding", 0, V - 1)
        D = size(embedding_size, "embedding_size")
        if size(hidden_size, "hidden_size", 2) % 2:
            raise ValueError(f"hidden_size must be even, got {hidden_size}")
        flag(attention, "attention")
        self.source_embedding = _embedding(V, D) if source_embedding is None else source_embedding
        names = ("num_embeddings", "embedding_dim")
        got = tuple(getattr(self.source_embedding, name, None) for name in names)
        if got != (V, D):
            raise ValueError(f"source_embedding must have {V} vectors of {D}, got {got}")
        self.encoder_forward = GRU(embedding_size, hidden_size // 2)
        self.encoder_backward = GRU(embedding_size, hidden_size // 2)
        self.bridge = nn.Linear(hidden_size, hidden_size)
        self.target_embedding = _embedding(size(target_vocab_size, "target_vocab_size"), D)
        self.decoder = GRU(embedding_size, hidden_size)
        memory_size = hidden_size + embedding_size if attention else hidden_size
        self.attention = (
            AdditiveAttention(hidden_size, memory_size, hidden_size // 4) if attention else None
        )
        self.readout = nn.Linear(hidden_size + memory_size, embedding_size)
        self.bias = nn.Parameter(torch.zeros(target_vocab_size))

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read sources (B, T_source), with padding only at the end.

        Returns
        -------
        annotations : Tensor, shape (B, T_source, hidden_size + embedding_size)
            h_j: each position as seen from the left, as seen from the right, and the token itself.
        mask : Tensor of bool, shape (B, T_source)
            True at real tokens.
        context : Tensor, shape (B, hidden_size)
            The last state of both directions: the whole source in one vector.
        """
        source = ids(source, "source", self.source_vocab_size)
        mask = source != self.padding  # (B, T_source)
        lengths = mask.sum(dim=1)
        if (lengths == 0).any() or (mask[:, 1:] & ~mask[:, :-1]).any():
            raise ValueError("source must hold a token in each row, and [PAD] only at the end")
        embedded = self.source_embedding(source).masked_fill(~mask[:, :, None], 0)
        from_left = self.encoder_forward(embedded)[0]  # (B, T_source, hidden_size / 2)
        from_right = self.encoder_backward(reverse_within(embedded, lengths))[0]
        # Padding was read after the real tokens in both cases, and is not looked at.
        last = (lengths - 1)[:, None, None].expand(-1, 1, from_left.shape[2])
        ends = [states.gather(1, last)[:, 0] for states in (from_left, from_right)]
        annotations = torch.cat([from_left, reverse_within(from_right, lengths), embedded], dim=2)
        return annotations, mask, torch.cat(ends, dim=1)

    def start(self, source: Tensor) -> State:
        """Encode sources (B, T_source); return the decoder's state before the first token."""
        annotations, mask, context = self.encode(source)
        hidden = torch.tanh(self.bridge(context))
        if self.attention is None:  # a memory with one place
            return State(context[:, None], mask[:, :1], hidden)
        return State(annotations, mask, hidden)

    def decode(self, target: Tensor, state: State) -> tuple[Tensor, State, Tensor]:
        """Read given target tokens, and say after each of them what should come next.

        Parameters
        ----------
        target : Tensor of int64, shape (B, T_target)
            What the decoder reads, [BOS] first; padding may follow.
        state : State
            From `start`, or from an earlier call that read the tokens before.

        Returns
        -------
        logits : Tensor, shape (B, T_target, target_vocab_size)
            The scores of the next token.
        state : State
            After the last token.
        weights : Tensor, shape (B, T_target, T_source)
            Of attention; all 1, of shape (B, T_target, 1), where the context is fixed.
        """
        target = ids(target, "target", self.target_embedding.num_embeddings)
        outputs, hidden = self.decoder(self.target_embedding(target), state.hidden[None])
        if self.attention is None:
            context = state.memory.expand(-1, outputs.shape[1], -1)
            weights = outputs.new_ones(*outputs.shape[:2], 1)
        else:
            context, weights = self.attention(outputs, state.memory, state.mask)
        words = self.readout(torch.cat([outputs, context], dim=2))  # (B, T_target, embedding_size)
        logits = functional.linear(words, self.target_embedding.weight, self.bias)
        return logits, state._replace(hidden=hidden[0]), weights

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token per row, (B,); return the scores of the next, (B, V), and the state."""
        logits, state, _ = self.decode(tokens[:, None], state)
        return logits[:, 0], state

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the scores of all next tokens, (B, T_target, V), with teacher forcing."""
        return self.decode(target, self.start(source))[0]


def reverse_within(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence of x, (B, T, D), within its own length, (B,), from 0 to T.

    What lies behind its end stays where it is; doing it twice gives x again.

    Examples
    --------
    >>> x = torch.arange(4.0).reshape(1, 4, 1)
    >>> reverse_within(x, torch.tensor([3]))[0, :, 0]
    tensor([2., 1., 0., 3.])
    """
    B, T, _ = tensor(x, "x", ("B", "T", "D")).shape
    last = arguments.lengths(lengths, "lengths", T)[:, None].to(x.device) - 1  # (B, 1)
    if len(last) != B:
        raise ValueError(f"lengths must be {B} integers, got {len(last)}")
    place = torch.arange(T, device=x.device)[None]  # (1, T)
    source = torch.where(place <= last, last - place, place)  # (B, T)
    return x.gather(1, source[:, :, None].expand_as(x))


def _embedding(n: int, size: int, *, padding: int | None = None) -> nn.Embedding:
    """Return an embedding matrix with small initial numbers, which a few steps can change."""
    embedding = nn.Embedding(n, size, padding_idx=padding)
    nn.init.normal_(embedding.weight, std=0.1)
    if padding is not None:
        nn.init.zeros_(embedding.weight[padding])
    return embedding
