"""The model card of town-gpt: its numbers are those that `scores` measured after the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.models.scores import SHOTS

CARD = """# town-gpt

A GPT-2 of {millions:.1f} million parameters that reads Korean and English. The course
*Perceptron to PEFT* has trained it itself, from text that it makes itself, so that learning from
examples in the context, alignment and prompting can be watched on a laptop. Not for use anywhere
else: it knows one invented town, and nothing of the world.

Licence: CC BY 4.0 for the weights and this card, as the course's text (`LICENSE-TEXT`).

## What it is

- Architecture: GPT-2 as the `transformers` library has it (`GPT2LMHeadModel`): {n_layers} blocks,
  width {d_model}, {n_heads} heads, feed-forward width {d_hidden}, {max_length} positions, input and
  output tied.
- Tokenizer: byte-level BPE, {vocab_size} tokens, `<|endoftext|>` is number 0; every text can be
  written. A text begins without a token of its own.
- Weights: `model.safetensors`, float16 ({megabytes:.1f} MB). Compute in float32: `model.float()`.

## Data

Made by `companion.data.corpus` with seeds, documents of 20 to 250 tokens: sentences of
`companion.data.town` in Korean and in English, translations, questions with answers, stories with
questions (three of ten with the sentences that matter written before the answer), lists of words,
and *episodes*, `a => b` in lines (`companion.data.episodes`): forms of words, categories,
antonyms, particles, translations; labels without a meaning for classes of words; copying. A
twentieth of the documents is real English: documentation of Python, NumPy and PyTorch as they were
installed ({versions}), of which the weights keep some phrases.

Kept away, and searched for in the whole training text: a third of the words (in no episode; they do
occur in sentences and lists), four classes of words (drinks, vehicles, instruments, jobs), a
quarter of the invented labels, six kinds of tasks with their first lines, and the test sets of
sentences, stories, dialogues and documentation. News, entailment, preferences and opinions on the
adjectives of the opinion test are in no document.

## Recipe

`python -m tools.models town-gpt`, in the file `tools/models/town_gpt.py`. Two lessons: {first}
batches of lists that come twice and of labels that come back, then {then} batches of everything,
2,048 tokens each. The loss counts only what can be foreseen, about half of the tokens. Muon for the
matrices of the blocks (rate {lr}), AdamW for the vectors of the tokens and the rest ({adam_lr}); in
the second lesson the rates go down to 0. What is given
to the model, and not learnt from nothing: the table of positions is sines and cosines and stays so;
tokens that differ by a space or a capital begin alike; five heads of blocks 0 and 2 begin with
looking one, two or three tokens back; heads 0 and 1 of block 1 begin with looking for what stood
behind the same token as now, or two places behind the token before (induction heads). All but the
table go on learning. Left to chance, a model of this size did not learn to copy a word in the
time that there was. Whoever asks where copying comes from must train another model.

Float32, one thread, seed {seed}. Log: `training.json`.
On the same machine the same bits come out.

Cost: {minutes:.0f} minutes of one processor core, data included (a shared machine, {machine}).

## What it can do

Shares in %, on new episodes. Choice among two labels (chance 50; {n_classes} episodes a number, a
standard error of up to {error:.1f} points), after so many examples:

| classes of words | {heads} |
|---|{rule}
{classes}

Exact answers ({n_mappings} episodes a number), all words new, no line that names the task:

| kind | {heads} |
|---|{rule}
{mappings}

*third_person*, *two*, *company*, *past_polite*, *last* and *double* are kinds that training never
showed. Shuffled outputs (for classes) break the answer, as they must where only the examples tell
it. In *plural* and *topic* they take away less: there the examples name the task, and the forms
were learnt in training.

Exact answers to questions on new stories of 3, 6 and 10 sentences, {stories} of each:

| | 3 | 6 | 10 |
|---|---|---|---|
{told}

Bits per byte on new text: {bits}.

## Limits

- It has seen {tokens:.1f} million tokens. Sentences of the town are mostly well formed; sense over
  more than one sentence is not to be expected, and English outside the town looks like
  documentation.
- New mappings are hardly learnt from examples; what looks like it is mostly a kind that training
  showed. New classes of words with new labels are where it ends: see the table.
- Two facts that must be joined (where is a thing that somebody carried away?) are often answered
  with the wrong place.
- Positions end at {max_length}; most of the training stayed under 128.
"""


def write_card(log: Mapping[str, Any]) -> str:
    """Write the card from the log of a training, see `tools.models.town_gpt.train`."""
    found, settings = log["in_context"], dict(log["settings"])
    tokens = settings.pop("tokens")
    first, then = (epochs * log["batches_of_an_epoch"] for epochs in log["epochs"])
    classes, mappings = (
        "\n".join(
            f"| {name.partition(': ')[2]} | " + " | ".join(f"{100 * x:.0f}" for x in row) + " |"
            for name, row in found.items()
            if name.startswith(group)
        )
        for group in ("classes", "mapping")
    )
    told = "\n".join(
        f"| {name} | " + " | ".join(f"{100 * x:.0f}" for x in row) + " |"
        for name, row in log["stories"].items()
    )
    versions = log["versions"]
    return CARD.format(
        **settings,
        first=first,
        then=then,
        millions=log["parameters"] / 1e6,
        megabytes=2 * log["parameters"] / 1e6,
        versions=", ".join(f"{name} {versions[name]}" for name in ("python", "numpy", "torch")),
        minutes=log["processor_seconds"] / 60,
        machine=log["machine"],
        n_classes=log["n_classes"],
        n_mappings=log["n_mappings"],
        error=50 / log["n_classes"] ** 0.5,
        stories=log["stories_each"],
        heads=" | ".join(f"{k} examples" if k == 0 else str(k) for k in SHOTS),
        rule="---|" * len(SHOTS),
        classes=classes,
        mappings=mappings,
        told=told,
        bits=", ".join(f"{name} {x:.2f}" for name, x in log["bits_per_byte"].items()),
        tokens=tokens / 1e6,
    )
