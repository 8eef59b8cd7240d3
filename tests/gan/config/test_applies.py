"""Settings that change nothing with a method are refused, and the README says which they are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan.config import TrainConfig, require_effects
from gan.config.applies import KINDS, READ_BY, SPADE, named, readers_of

README = Path(__file__).parents[3] / "README.md"


def names(settings: dict, section: str = "") -> Iterator[str]:
    for key, value in settings.items():
        yield f"{section}{key}"
        if isinstance(value, dict):
            yield from names(value, f"{section}{key}.")


SETTINGS = set(names(TrainConfig().model_dump()))


def rows() -> list[tuple[str, ...]]:
    """Cells of the README's table of options."""
    table = README.read_text(encoding="utf-8").split("| option | setting | methods |\n|---|---|---|\n")[1]
    return [
        tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in table.split("\n\n")[0].split("\n")
    ]


def settings_in(cell: str) -> Iterator[str]:
    """Full names; one that goes without its section is in that of the one before."""
    section = ""
    for quoted in re.findall("`([^`]+)`", cell):
        name = quoted.partition(":")[0]
        name = name if name in SETTINGS else f"{section}{name}"
        section = f"{name.rpartition('.')[0]}."
        yield name


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_the_readme_names_the_methods_that_read_a_setting(row) -> None:
    _, settings, methods = row
    for setting in settings_in(settings):
        assert setting in SETTINGS
        assert methods.partition(";")[0] == named(readers_of(setting), "`"), setting


def test_the_table_is_of_settings_and_methods_that_there_are() -> None:
    assert set(READ_BY) <= SETTINGS
    assert set().union(*READ_BY.values()) <= set(KINDS)
    assert {kind for kind in KINDS if kind != SPADE} == set(
        TrainConfig.model_fields["method"].annotation.__args__
    )


@pytest.mark.parametrize("method", [kind for kind in KINDS if kind != SPADE])
def test_what_comes_with_a_method_is_accepted(method) -> None:
    require_effects(TrainConfig(method=method))
    if method == "attentiongan":
        require_effects(TrainConfig(method=method, attentiongan={"variant": "v1"}))


def test_a_default_and_a_loss_that_is_off_are_accepted_with_every_method() -> None:
    weights = {"cam": 0, "nce": 0, "identity": 0, "cycle": 0, "paired": 0, "segmentation": 0}
    require_effects(TrainConfig(method="cut", loss=weights | {"nce": 2, "pixel": 0, "background": 0.5}))
    require_effects(TrainConfig(method="segback", loss={"identity": 5}))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"method": "uaggan", "fixed_background": {"detach": True}},
            "background.detach true changes nothing with method 'uaggan'; it works with all but 'uaggan';",
        ),
        (
            {"method": "cyclegan", "background": "keep"},
            "background \"keep\" changes nothing with method 'cyclegan'; it works with 'attention_cyclegan';",
        ),
        ({"method": "cyclegan", "loss": {"background": 0}}, "loss.background 0"),
        ({"method": "ugatit", "discriminator": {"num_layers": [5, 3]}}, r"discriminator.num_layers \[5, 3\]"),
        (
            {"method": "segback", "segback": {"generator": "spade"}, "generator": {"num_masks": 2}},
            "masks 2 changes nothing with method 'segback' with 'spade'; it works with all but 'segback' ",
        ),
        ({"method": "ugatit", "paired": True}, "paired true .* works with 'attention_cyclegan', 'cyclegan';"),
    ],
)
def test_what_changes_nothing_is_refused_in_a_sentence(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        require_effects(TrainConfig(**settings))


def test_a_snapshot_of_a_config_that_was_accepted_once_is_read() -> None:
    config = TrainConfig(method="cyclegan", loss={"cam": 7}, ugatit={"light": True})
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config
