"""Fetch the models that others published: ``python -m companion.weights [NAME ...]``."""

import sys

from companion.weights.published import main

if __name__ == "__main__":
    sys.exit(main())
