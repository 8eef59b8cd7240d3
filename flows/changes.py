"""The settings of a run as a flow's parameter: a form in Prefect's pages, checked before a run is made."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model

from gan.config import StrictModel
from pipeline.config import RunConfig

__all__ = ["Changes", "as_overrides"]


def _all_optional(model: type[BaseModel]) -> type[StrictModel]:
    """A model of the same sections, keys, types and limits, in which nothing needs to be set."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            kind = _all_optional(kind)
        elif field.metadata:
            kind = Annotated[kind, *field.metadata]
        fields[name] = (kind | None, Field(None, description=field.description))
    return create_model(model.__name__, __base__=StrictModel, __module__=__name__, **fields)


Changes = _all_optional(RunConfig)
"""Every setting of a run's YAML; what is left out is as the YAML has it."""


def as_overrides(changes: BaseModel) -> list[str]:
    """What is set, as on the command line: "train.batch_size=4"."""
    values = changes.model_dump(mode="json", exclude_unset=True)
    return [f"{key}={json.dumps(value)}" for key, value in _leaves(values)]


def _leaves(values: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*parents, key))
        else:
            yield ".".join((*parents, key)), value
