"""Right and wrong answers to the exercises of the chapter on BERT."""

from __future__ import annotations

import numpy as np

from ..harness import Answers


def pieces_of_a_pair(n_first, n_second):
    tokens = ["[CLS]", *"a" * n_first, "[SEP]", *"b" * n_second, "[SEP]"]
    end = tokens.index("[SEP]")
    return [0 if k <= end else 1 for k in range(len(tokens))], [*range(len(tokens))]


def segments_by_numpy(n_first, n_second):
    positions = np.arange(n_first + n_second + 3)
    return (positions >= n_first + 2).astype(int), positions


def first_sep_in_the_second(n_first, n_second):
    segments = [0] * (n_first + 1) + [1] * (n_second + 2)
    return segments, list(range(len(segments)))


def without_special_tokens(n_first, n_second):
    return [0] * n_first + [1] * n_second, list(range(n_first + n_second))


def positions_from_one(n_first, n_second):
    segments, positions = pieces_of_a_pair(n_first, n_second)
    return segments, [k + 1 for k in positions]


def positions_begin_again(n_first, n_second):
    segments, _ = pieces_of_a_pair(n_first, n_second)
    return segments, [*range(n_first + 2), *range(n_second + 1)]


def corrupt_by_places(ids, chosen, fate, drawn, mask_id):
    inputs, targets = ids.copy(), np.full(len(ids), -100)
    for k in np.flatnonzero(chosen):
        targets[k] = ids[k]
        inputs[k] = mask_id if fate[k] < 0.8 else (drawn[k] if fate[k] >= 0.9 else ids[k])
    return inputs, targets


def corrupt_by_masks(ids, chosen, fate, drawn, mask_id):
    inputs = ids.copy()
    to_mask, to_drawn = chosen & (fate < 0.8), chosen & (fate >= 0.9)
    inputs[to_mask] = mask_id
    inputs[to_drawn] = drawn[to_drawn]
    return list(inputs), [int(t) if c else -100 for t, c in zip(ids, chosen, strict=True)]


def with_targets(choose):
    def corrupt(ids, chosen, fate, drawn, mask_id):
        inputs, _ = corrupt_by_places(ids, chosen, fate, drawn, mask_id)
        return inputs, choose(ids, chosen, fate, inputs)

    return corrupt


def with_inputs(choose):
    def corrupt(ids, chosen, fate, drawn, mask_id):
        _, targets = corrupt_by_places(ids, chosen, fate, drawn, mask_id)
        return choose(ids, chosen, fate, drawn, mask_id), targets

    return corrupt


def count_by_parts(vocab_size, d_model, n_layers):
    linear = lambda a, b: a * b + b  # noqa: E731
    norm, d = 2 * d_model, d_model
    block = 4 * linear(d, d) + linear(d, 4 * d) + linear(4 * d, d) + 2 * norm
    return (vocab_size + 512 + 2) * d + norm + n_layers * block + linear(d, d)


def count_by_degree(vocab_size, d_model, n_layers):
    squares = 12 * n_layers + 1
    singles = vocab_size + 512 + 2 + 2 + 13 * n_layers + 1
    return np.int64(squares) * d_model**2 + singles * d_model


def particle_by_letters(word):
    import unicodedata

    return "가" if len(unicodedata.normalize("NFD", word[-1])) == 2 else "이"


def mean_with_a_loop(hidden, mask):
    return np.array(
        [
            np.mean([v for v, m in zip(*row, strict=True) if m], axis=0)
            for row in zip(hidden, mask, strict=True)
        ]
    )


def mean_by_product(hidden, mask):
    weights = mask / mask.sum(axis=1, keepdims=True)
    return np.einsum("bt,btd->bd", weights, hidden)


ANSWERS = {
    "pretraining.bert.how_many": Answers(
        right=[[60, 48, 6, 60], np.array([60, 48, 6, 60])],
        wrong=[
            ([60, 48, 6, 48], "asks at all chosen"),
            ([60, 48, 6, 54], "count as well"),
            ([60, 320, 40, 60], "of the chosen, not of all"),
            ([60, 60, 0, 60], "Not all of the chosen"),
            ([60, 48, 12, 60], "Half of the 20 %"),
        ],
    ),
    "pretraining.bert.segments_and_positions": Answers(
        right=[pieces_of_a_pair, segments_by_numpy],
        wrong=[
            (first_sep_in_the_second, "belongs to segment 0"),
            (without_special_tokens, "three special tokens"),
            (positions_from_one, "counted from 0"),
            (positions_begin_again, "do not begin again"),
        ],
    ),
    "pretraining.bert.corrupt": Answers(
        right=[corrupt_by_places, corrupt_by_masks],
        wrong=[
            (
                with_targets(lambda i, c, f, x: np.where(c & (f < 0.8), i, -100)),
                "whatever became of it",
            ),
            (
                with_targets(lambda i, c, f, x: np.where(c & ((f < 0.8) | (f >= 0.9)), i, -100)),
                "is asked about, too",
            ),
            (with_targets(lambda i, c, f, x: i), "the target is -100"),
            (with_targets(lambda i, c, f, x: np.where(c, x, -100)), "the token that stood there"),
            (
                with_inputs(lambda i, c, f, d, m: np.where(f < 0.8, m, np.where(f >= 0.9, d, i))),
                "Only chosen tokens",
            ),
            (with_inputs(lambda i, c, f, d, m: np.where(c, m, i)), "look at its fate"),
            (
                with_inputs(lambda i, c, f, d, m: np.where(c & (f < 0.8), m, i)),
                "the drawn token is read",
            ),
        ],
    ),
    "pretraining.bert.count_bert": Answers(
        right=[count_by_parts, count_by_degree],
        wrong=[
            (lambda v, d, n: count_by_parts(v, d, n) - d * d - d, "pooler is missing"),
            (lambda v, d, n: count_by_parts(v, d, n) - 2 * d, "sum has parameters"),
            (lambda v, d, n: count_by_parts(v, d, n) - 514 * d, "512 positions"),
            (lambda v, d, n: count_by_parts(v, d, n) - 4 * d * n, "two normalisations"),
            (lambda v, d, n: count_by_parts(v, d, n) - 9 * d * n - d, "have biases"),
        ],
    ),
    "pretraining.bert.subject_particle": Answers(
        right=[particle_by_letters, lambda word: "가이"[(ord(word[-1]) - 0xAC00) % 28 != 0]],
        wrong=[
            (lambda word: "이가"[(ord(word[-1]) - 0xAC00) % 28 != 0], "look at the last syllable"),
            (lambda word: "를을"[(ord(word[-1]) - 0xAC00) % 28 != 0], "of the subject"),
            (lambda word: word + particle_by_letters(word), "The particle alone"),
        ],
    ),
    "pretraining.bert.mean_pool": Answers(
        right=[mean_with_a_loop, mean_by_product],
        wrong=[
            (lambda hidden, mask: hidden.mean(axis=1), "the mean with the padding"),
            (lambda hidden, mask: (hidden * mask[..., None]).mean(axis=1), "still counted"),
            (lambda hidden, mask: (hidden * mask[..., None]).sum(axis=1), "That is the sum"),
            (lambda hidden, mask: hidden[:, 0], "the first token"),
        ],
    ),
    "pretraining.bert.nearest": Answers(
        right=[3, np.int64(3)],
        wrong=[
            (2, "measures likeness"),
            (0, "no question"),
            ("There is a cheap hotel near the station.", "index of the sentence"),
        ],
    ),
}
