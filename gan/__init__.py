"""Tensors: methods, networks, losses, training and translation. Knows neither files nor flows."""

__version__ = "0.1.0"
