"""The stages as plain functions on files and arrays. All that a flow does can be called without Prefect."""
