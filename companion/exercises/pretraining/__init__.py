"""The exercises of the part "Pre-trained models", one module per chapter."""
