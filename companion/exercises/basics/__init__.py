"""The exercises of the part "Deep learning basics", one module per chapter."""
