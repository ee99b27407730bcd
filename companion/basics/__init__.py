"""Floor 1, deep learning basics: one module for each chapter of Part 1, in this order.

- ``perceptron``: one neuron that decides and learns (Rosenblatt 1958)
- ``networks``: activation functions, layers, the multilayer perceptron
- ``backpropagation``: automatic differentiation, of numbers and of arrays
- ``training``: splits, optimisers, and the loop that fits a PyTorch model to data
- ``evaluation``: confusion matrix, curves over thresholds, intervals, calibration
- ``convolution``: layers that see the same thing wherever it stands
- ``generative``: autoencoders and generative adversarial networks
- ``challenges``: what goes wrong in training, measured, and what helps
"""
