"""Trainings that can be interrupted, and that several processes can do together.

- ``batches``: what a training shows in one go, from a pair of tensors or from any source
- ``measures``: losses and metrics, as the mean over all that they have counted
- ``run``: `Run`, model, optimiser and random numbers on a device, kept and put back
- ``checkpoints``: a program's state on disk, which a kill in the middle of a write cannot harm
- ``processes``: `Processes`, several copies of a program that train one network

The training itself is `companion.basics.training.fit`.
"""
