"""What the exercises of the course expect, one module per chapter.

``companion.exercises.basics.networks`` belongs to ``book/basics/networks.ipynb`` and defines
``EXERCISES``: the name of an exercise to its `companion.checks.Exercise`. Nothing is registered
anywhere else: ``check("basics.networks.softmax", answer)`` imports the module that the id names.
The right and the wrong answers that each check must tell apart are in ``tests/exercises``.

Readers: the answers are in here. Looking spoils nothing but the exercise.
"""
