"""Several ways to train, measured beside each other."""
