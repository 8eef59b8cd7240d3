"""Rows are drawn again to the same bytes; what cannot be, or comes out otherwise, is told."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from manifests.commit import commit
from manifests.reader import read_records
from manifests.schema import to_table
from pipeline.config import RunConfig
from pipeline.regenerate import regenerate
from pipeline.run import run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_config: Callable, one_thread: None) -> RunConfig:
    config = tiny_config(tmp_path_factory.mktemp("regenerate"), generate={"variants": 2})
    run(config)
    return config


@pytest.fixture
def changed(whole: RunConfig) -> Callable[..., str]:
    """Publish a row with other values; its sample_id. The next test finds the rows as they were."""
    before = {row.sample_id: row for row in read_records(whole.output)}
    palette = whole.read_palette().model_dump(mode="json")

    def change(**values: object) -> str:
        row = next(iter(before.values()))
        commit(whole.output, to_table([replace(row, **values)], palette=palette), [row.sample_id])
        return row.sample_id

    yield change
    commit(whole.output, to_table(before.values(), palette=palette), before)


def test_the_same_bytes_come_out_and_nothing_changes(whole: RunConfig) -> None:
    files = {path: path.stat().st_mtime_ns for path in whole.output.rglob("*")}
    assert regenerate(whole, 5) == regenerate(whole, 1_000, seed=1) == []
    assert {path: path.stat().st_mtime_ns for path in whole.output.rglob("*")} == files


def test_other_bytes_are_told(whole: RunConfig, changed: Callable) -> None:
    sample_id = changed(image_sha256="0" * 64, torch_version="1.0")
    [finding] = regenerate(whole, 1_000)
    assert (finding.code, finding.sample_id) == ("not_reproduced", sample_id)
    assert "its image came out otherwise (it was drawn with torch 1.0" in finding.what


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"config_sha256": "0" * 64}, "other settings than those of the config"),
        ({"source_sha256": "0" * 64}, "is not among the sources"),
        ({"snapshot_name": "snapshot-1"}, "its snapshot snapshot-"),
        ({"snapshot_sha256": "0" * 64}, "its snapshot snapshot-"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_lost_lineage_is_told(whole: RunConfig, changed: Callable, values: dict, what: str) -> None:
    sample_id = changed(**values)
    [finding] = regenerate(whole, 1_000)
    assert (finding.code, finding.sample_id) == ("no_lineage", sample_id) and what in finding.what


def test_the_seed_chooses(whole: RunConfig, changed: Callable) -> None:
    changed(image_sha256=hashlib.sha256(b"").hexdigest())
    assert {len(regenerate(whole, 4, seed=seed)) for seed in range(8)} == {0, 1}
    assert regenerate(whole, 4, seed=3) == regenerate(whole, 4, seed=3)
