"""The stages as plain functions on files and arrays. Everything a flow does can be called here without Prefect."""

__version__ = "0.1.0"
