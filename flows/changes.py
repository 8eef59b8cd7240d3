"""The settings of a run as a flow's parameter: a form in Prefect's pages, checked before a run is made."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Field, create_model

from gan.config import StrictModel
from pipeline.config import RunConfig, apply_override

__all__ = ["Changes", "as_changes", "as_overrides"]


def _all_optional(model: type[BaseModel]) -> type[StrictModel]:
    """A model of the same sections, keys, types and limits, in which nothing needs to be set."""
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        kind = field.annotation if section is None else _all_optional(section)
        if field.metadata:
            kind = Annotated[kind, *field.metadata]
        fields[name] = (kind | None, Field(None, description=field.description))
    return create_model(f"{model.__name__}Changes", __base__=StrictModel, __module__=__name__, **fields)


def _section(kind: Any) -> type[BaseModel] | None:
    """The model that a setting is, or may be."""
    if get_origin(kind) in (Union, UnionType):
        others = [each for each in get_args(kind) if each is not NoneType]
        kind = others[0] if len(others) == 1 else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


Changes = _all_optional(RunConfig)
"""Every setting of a run's YAML; what is left out is as the YAML has it."""


def as_changes(overrides: Sequence[str]) -> BaseModel:
    """What the command line sets, as the flow takes it.

    Raises:
        ConfigError: one is not of the form section.key=value.
        ValidationError: there is no such setting, or no such value of it.
    """
    values: dict[str, Any] = {}
    for override in overrides:
        apply_override(values, override)
    return Changes.model_validate(values)


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
