"""The answer files are data for `test_every_exercise.py`: there is nothing in them to collect."""

collect_ignore_glob = ["*/*.py"]
