"""The companion package of *Perceptron to PEFT*: what the chapters build, floor by floor.

Five floors, each importing only from the ones before it:

- ``companion.basics``: from the perceptron to generative networks
- ``companion.sequences``: words, language models, recurrent networks
- ``companion.transformer``: attention, blocks, translation
- ``companion.pretraining``: BERT, GPT and vision transformers
- ``companion.adaptation``: prompting, retrieval, parameter-efficient fine-tuning

Under them lie the data, ``companion.data``, and the ground: ``companion.figures`` (drawing),
``companion.explorer`` (widgets), ``companion.checks`` (exercise checking), ``companion.arguments``
(clear errors), ``companion.runs`` (trainings that survive an
interruption, and trainings on several machines); on top
``companion.exercises`` (what each exercise expects). One chapter, one module:
``book/basics/perceptron.ipynb`` builds ``companion.basics.perceptron``.

Importing this package imports none of them, and nothing else.
"""

__version__ = "0.1.0"
