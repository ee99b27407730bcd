"""Floor 3, the Transformer: one module for each chapter of Part 3, in this order.

- ``attention``: every position asks all others and mixes what they answer, in several heads
- ``blocks``: positions, normalisation, residual connections; encoder and decoder block
- ``translation``: the whole Transformer, from training to beam search
"""
