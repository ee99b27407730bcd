"""Part 4, Pre-trained models: what a model learns before anyone tells it its task.

- ``folders``: the shared room: models are read and written as the transformers library does
- ``self_supervision``: tasks whose labels cost nothing, and what of them transfers
- ``bert``: a stack that reads in both directions and fills in the missing word
- ``finetuning``: one body, four heads: sentences, tokens, pairs, spans
- ``gpt``: a causal stack that says what comes next
- ``llama``: the same after four changes: a model of today
- ``vit``: the stack once more, on patches of an image
"""
