"""The measure: what generated images are worth as training data, in numbers."""
