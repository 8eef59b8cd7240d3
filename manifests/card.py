"""The README.md of a dataset: tells people what it is, and Hugging Face's loader which files belong to it."""

from contextlib import suppress

from manifests.storage.store import Store

__all__ = ["CARD_NAME", "create_card"]

CARD_NAME = "README.md"

# Without `data_files` the loader would make splits of its own of stems such as "test_001".
_CARD = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: ["metadata.parquet", "images/**", "labels/**"]
---
# Synthetic images with labels

Each row of `metadata.parquet` pairs an image that a network has drawn (`image_file_name`) with the label that
it was drawn for (`label_file_name`: a palette PNG whose indices are class ids), and says how it was made. The
column `split` says which rows are for training, validation and testing; rows with `accepted` false failed a
quality check.

```python
from datasets import load_dataset

rows = load_dataset("path/of/this/folder", split="train")
rows = rows.filter(lambda row: row["accepted"] and row["split"] == "train")
rows[0]["image"], rows[0]["label"]
```

Made with seg2real. `seg2real info` and `seg2real verify` summarise and check this folder.
"""


def create_card(store: Store) -> None:
    """Give the dataset a README.md; one that is there, whoever wrote it, stays."""
    with suppress(FileExistsError):
        store.create(CARD_NAME, _CARD.encode())
