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

Kept away: a third of the words (in no episode; they do occur in sentences and lists), four classes
of words (drinks, vehicles, instruments, jobs), a quarter of the invented labels, six kinds of tasks
with their first lines, and the test sets of sentences, stories, dialogues and documentation. News,
entailment, preferences and opinions on the adjectives of the opinion test are in no document. All
ten megabytes of town text and episodes were searched for samples of these (thousands of each): one
test story of three sentences was found, as the beginning of a longer story.

## Recipe

`python -m tools.models town-gpt`, in the file `tools/models/town_gpt.py`. Two lessons: {first}
batches of lists that come twice and of labels that come back, then {then} batches of everything,
2,048 tokens each. The loss counts only what can be foreseen, about half of the tokens. Muon for the
matrices of the blocks (rate {lr}), AdamW for the vectors of the tokens and the rest ({adam_lr}); in
the second lesson the rates go down to 0. What is given to
the model, and not learnt from nothing: the table of positions is sines and cosines and stays so;
five heads of blocks 0 and 1 begin with looking one, two or three tokens back; head 0 of block 1
begins with looking for what stood behind the same token as now (an induction head). All but the
table go on learning. Whoever asks where copying comes from must train another model.

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
showed; in the rows that end in *shuffled* or *random* the outputs of the examples were wrong.

Exact answers to questions on new stories of 3, 6 and 10 sentences, {stories} of each:

| | 3 | 6 | 10 |
|---|---|---|---|
{told}

Bits per byte on new text: {bits}.

## Limits

- It has seen {tokens:.1f} million tokens, too few. **What it was made for it hardly does**: aims
  were 95 % for new labels and 85 % for new labels and words, at 8 examples; where the table is near
  50, it tells two labels apart no better than chance. It writes the form of an answer (a label of
  the episode, an ending, a particle) and often gets the first piece of the word wrong: a word at
  the beginning of a line and the same word behind a space are different tokens, and to copy the
  one to the other is not learnt. Do not show learning in context with it.
- In its training episodes the classes came equally often with the last line counted, so the rarer
  label was right more often: a flaw of the data that it may have learnt.
- Sentences of the town are mostly well formed; their sense is often odd (somebody drinks a blouse).
  English outside the town looks like documentation and means nothing.
- Written steps do not help it to answer: compare the rows.
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
