"""Right and wrong answers to the exercises of the chapter on GPT."""

from __future__ import annotations

import math

import numpy as np
import torch

from ..harness import Answers


def count_by_shapes(vocab_size, d_model, n_layers, max_length):
    D = d_model
    block = [(D, D), (D,)] * 4 + [(4 * D, D), (4 * D,), (D, 4 * D), (D,)] + [(D,), (D,)] * 2
    shapes = [(vocab_size, D), (max_length, D), *block * n_layers, (D,), (D,)]
    return sum(math.prod(shape) for shape in shapes)


def count_by_parts(V, D, N, T, *, biases=True, last=True, positions=True, head=False):
    attention = 4 * D * D + 4 * D * biases
    network = 8 * D * D + 5 * D * biases
    norms = 2 * 2 * D
    tables = V * D * (1 + head) + T * D * positions
    return tables + N * (attention + network + norms) + 2 * D * last


def greedy_with_torch(next_scores, ids, n_tokens, stop):
    text = ids[:]
    while n_tokens and (text == ids or text[-1] != stop):
        text = [*text, torch.tensor(next_scores(text)).argmax().item()]
        n_tokens -= 1
    return text


def greedy(next_scores, ids, n_tokens, stop, *, prompt=True, stops=True, keeps=True):
    text = list(ids)
    for _ in range(n_tokens):
        scores = next_scores(text)
        best = max(range(len(scores)), key=scores.__getitem__)
        if best == stop and stops and not keeps:
            break
        text.append(best)
        if best == stop and stops:
            break
    return text if prompt else text[len(ids) :]


def least_probable(next_scores, ids, n_tokens, stop):
    return greedy(lambda text: [-score for score in next_scores(text)], ids, n_tokens, stop)


def bits(logs, text):
    return -np.mean(logs) / np.log(2) * len(logs) / len(bytes(text, "utf-8"))


ANSWERS = {
    "pretraining.gpt.top_p_by_hand": Answers(
        right=[[0.5, 0.3125, 0.1875, 0, 0], np.array([0.4, 0.25, 0.15, 0, 0]) / 0.8],
        wrong=[
            ([0.4, 0.25, 0.15, 0, 0], "divide by their sum"),
            ([0.6154, 0.3846, 0, 0, 0], "not right"),
            ([0.4 / 0.65, 0.25 / 0.65, 0, 0, 0], "one more is needed"),
            ([0.4 / 0.92, 0.25 / 0.92, 0.15 / 0.92, 0.12 / 0.92, 0], "three will do"),
        ],
    ),
    "pretraining.gpt.count_parameters": Answers(
        right=[count_by_shapes, count_by_parts],
        wrong=[
            (lambda *sizes: count_by_parts(*sizes, head=True), "tied to them"),
            (lambda *sizes: count_by_parts(*sizes, last=False), "after the last block"),
            (lambda *sizes: count_by_parts(*sizes, positions=False), "The positions are learned"),
            (lambda *sizes: count_by_parts(*sizes, biases=False), "have biases"),
        ],
    ),
    "pretraining.gpt.write_greedily": Answers(
        right=[greedy_with_torch, greedy],
        wrong=[
            (lambda *given: greedy(*given, prompt=False), "begins with the prompt"),
            (lambda *given: greedy(*given, stops=False), "ends with the first stop token"),
            (lambda *given: greedy(*given, keeps=False), "as its last"),
            (least_probable, "least_probable gave"),
        ],
    ),
    "pretraining.gpt.bits_per_byte": Answers(
        right=[
            bits,
            lambda logs, text: sum(-math.log2(math.exp(x)) for x in logs) / len(text.encode()),
        ],
        wrong=[
            (lambda logs, text: -sum(logs) / len(text.encode()), "natural units"),
            (lambda logs, text: -sum(logs) / math.log(2) / len(text), "3 bytes"),
            (lambda logs, text: -sum(logs) / math.log(2) / len(logs), "number of tokens"),
            (lambda logs, text: -bits(logs, text), "counted positive"),
        ],
    ),
    "pretraining.gpt.work_of_the_cache": Answers(
        right=[[21900, 209], (sum(range(10, 210)), 10 + 199), np.array([21900, 209])],
        wrong=[
            ([209, 21900], "First without"),
            ([22110, 210], "need not be read"),
            ([43800, 209], "pass number k"),
            ([21900, 200], "each token is read once"),
            (21900, "expected a list"),
        ],
    ),
}
