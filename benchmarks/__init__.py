"""Measurements, side by side with the libraries that a reader would use instead.

``python -m benchmarks`` (``make bench``) runs every module of this package that has a function
``measure``, prints one table and writes ``_build/benchmarks.json``. Name modules to run only these:
``python -m benchmarks imports``. Each chapter adds a module of its own.
"""
