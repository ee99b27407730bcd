"""The exercises of the part "The Transformer", one module per chapter."""
