"""The README.md that a dataset has from its first version on: without it, Hugging Face's loader takes stems
such as "test_001" for splits."""

from contextlib import suppress

from manifests.storage.store import Store

__all__ = ["CARD_NAME", "FIRST_CARD", "FRONT_MATTER", "create_card"]

CARD_NAME = "README.md"
FRONT_MATTER = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: ["metadata.parquet", "images/**", "labels/**"]
---
"""
FIRST_CARD = f"{FRONT_MATTER}# Synthetic images with labels\n\nMade with seg2real.\n"
"""What stands there until the dataset is described; see `manifests.description`."""


def create_card(store: Store) -> None:
    """Give the dataset a README.md; one that is there, whoever wrote it, stays."""
    try:
        store.status(CARD_NAME)
    except FileNotFoundError:
        with suppress(FileExistsError):
            store.create(CARD_NAME, FIRST_CARD.encode())
