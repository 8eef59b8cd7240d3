"""What people say of a dataset, which no row knows; kept beside the versions for every description."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from manifests.storage.store import Store

__all__ = ["ABOUT_NAME", "About", "read_about", "write_about"]

ABOUT_NAME = "_versions/about.json"


class About(BaseModel):
    """Words for the dataset card and croissant.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: str = "synthetic-images"
    description: str = "Synthetic images with segmentation labels: a network drew each image for its label."
    licence: str = Field("", max_length=200)
    """Of the dataset as a whole, which depends on that of its sources: an SPDX id such as "CC-BY-4.0", or a
    sentence; empty = not stated."""
    sources: str = ""
    """Where labels and photographs came from, and their licences; Markdown."""
    url: str = ""
    """Where the dataset can be found."""


def read_about(store: Store) -> About:
    """What was last written; plain words where nothing was, or where it cannot be read."""
    try:
        return About.model_validate_json(store.read(ABOUT_NAME))
    except (FileNotFoundError, ValidationError):
        return About()


def write_about(store: Store, about: About) -> None:
    """Remember it, unless it is what is there."""
    if read_about(store) != about or ABOUT_NAME not in store.names("_versions"):
        store.replace(ABOUT_NAME, about.model_dump_json(indent=1).encode() + b"\n")
