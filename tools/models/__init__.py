"""The recipes of the models that the course has trained itself and ships: one file, one model."""
