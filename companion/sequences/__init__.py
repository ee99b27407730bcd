"""Floor 2, words and sequences: one module for each chapter of Part 2, in this order.

- ``tokenization``: from a text to the pieces that a model reads, and back
- ``embeddings``: words as vectors that are learned from their neighbours
- ``language_models``: the probability of a sentence, by counting and by a network
- ``recurrent``: networks that read a sequence step by step
- ``gated``: LSTM and GRU, which decide what to remember
- ``seq2seq``: from one sequence to another, and the first attention
"""
