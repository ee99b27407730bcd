"""The exercises of the part "Words and sequences", one module per chapter."""
