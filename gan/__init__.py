"""Tensors: methods, networks, losses, training and translation. Knows neither files nor flows."""
