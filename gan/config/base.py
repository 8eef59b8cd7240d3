"""What every section of a config is."""

from pydantic import BaseModel, ConfigDict

__all__ = ["StrictModel"]


class StrictModel(BaseModel):
    """A frozen config section that refuses unknown keys and documents each field below it."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
