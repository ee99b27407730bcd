"""Floor 1, deep learning basics: one module for each chapter of Part 1, in this order.

- ``perceptron``: one neuron that decides and learns (Rosenblatt 1958)
- ``networks``: activation functions, layers, the multilayer perceptron
- ``backpropagation``: automatic differentiation, of numbers and of arrays
"""
