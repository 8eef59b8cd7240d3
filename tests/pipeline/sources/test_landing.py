"""Sets that land: whole ones are used, bad ones are left out, and those that are being copied are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import SourcesConfig
from pipeline.images import encode_jpeg, encode_label_png
from pipeline.palette import Palette, PaletteClass
from pipeline.prepare import BAD_FILES, BAD_SETS, Prepared, TooManyBadInputs, prepare

COLORS = [(0, 0, 0), (0, 255, 0), (255, 255, 255)]
PALETTE = Palette(name="p", classes=tuple(PaletteClass(name=f"c{i}", color=c) for i, c in enumerate(COLORS)))


def label_map(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (10, 14), dtype=np.uint8)


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def run(root: Path, **settings: object) -> Prepared:
    work = root.parent / "work"
    sources = SourcesConfig(labels=root, photos=root, **settings)
    return prepare(sources, PALETTE, cache=work / "cache.json", quarantine=work / "_quarantine")


@pytest.fixture
def landed(tmp_path: Path) -> Path:
    """Two good sets in the landing folder, and the labels beside it."""
    root = tmp_path / "soccer"
    for seed in range(5):
        put(root / "segTrain" / f"{seed}.png", encode_label_png(label_map(seed), PALETTE))
    put(root / "realTrain" / "0.jpg", encode_jpeg(np.zeros((8, 9, 3), np.uint8), 90))
    for name, seeds in (("night", (10, 11)), ("rain", (12, 13))):
        for seed in seeds:
            put(root / "incoming" / name / f"{seed}.png", encode_label_png(label_map(seed), PALETTE))
        put(root / "incoming" / name / "_READY", b"")
    return root


def test_a_bad_set_is_left_out_with_its_reason_and_the_others_go_on(landed: Path) -> None:
    whole = run(landed)
    assert {record.source_set for record in whole.records} == {"soccer", "night", "rain"}
    put(landed / "incoming" / "rain" / "12.png", b"not a picture")
    put(landed / "incoming" / "empty" / "_READY", b"")
    prepared = run(landed)
    assert {record.source_set for record in prepared.records} == {"soccer", "night"}
    assert prepared.missing_sets == {"rain", "empty"}
    quarantined = landed.parent / "work" / "_quarantine" / BAD_SETS
    empty, rain = [json.loads(line) for line in quarantined.read_text().splitlines()]
    assert empty["set"].endswith("incoming/empty") and "no labels" in empty["reason"]
    assert rain["set"].endswith("incoming/rain") and "1 of 2 labels cannot be used" in rain["reason"]
    assert {finding.path.name for finding in prepared.findings if finding.code == "bad-set"} == {
        "rain",
        "empty",
    }
    # It was repaired, the other removed.
    put(landed / "incoming" / "rain" / "12.png", encode_label_png(label_map(12), PALETTE))
    (landed / "incoming" / "empty" / "_READY").unlink()
    (landed / "incoming" / "empty").rmdir()
    assert run(landed).records == whole.records
    assert not quarantined.exists()


def test_one_bad_label_does_not_spoil_a_large_set(landed: Path) -> None:
    put(landed / "incoming" / "rain" / "12.png", b"not a picture")
    prepared = run(landed, max_bad_fraction=0.5)
    assert [record.source_label for record in prepared.records if record.source_set == "rain"] == ["13.png"]
    assert prepared.missing_sets == frozenset()
    listed = (landed.parent / "work" / "_quarantine" / BAD_FILES).read_text()
    assert "12.png" in listed


def test_a_label_that_a_bad_set_repeats_is_not_lost(landed: Path) -> None:
    put(landed / "incoming" / "alpha" / "0.png", encode_label_png(label_map(10), PALETTE))
    put(landed / "incoming" / "alpha" / "1.png", b"not a picture")
    put(landed / "incoming" / "alpha" / "_READY", b"")
    assert [r.source_label for r in run(landed).records if r.source_set == "night"] == ["10.png", "11.png"]


def test_bad_sets_alone_leave_no_labels(landed: Path) -> None:
    for name in ("night", "rain"):
        put(landed / "incoming" / name / "0.png", b"not a picture")
    sources = SourcesConfig(labels=landed / "incoming", photos=landed)
    work = landed.parent / "work"
    with pytest.raises(TooManyBadInputs, match="there are no labels"):
        prepare(sources, PALETTE, cache=work / "cache.json", quarantine=work / "_quarantine")


def test_a_set_that_is_being_copied_is_not_touched_but_known(landed: Path) -> None:
    (landed / "incoming" / "rain" / "_READY").unlink()
    put(landed / "incoming" / "rain" / "12.png", b"half")
    prepared = run(landed)
    assert {record.source_set for record in prepared.records} == {"soccer", "night"}
    assert prepared.missing_sets == {"rain"}
    assert [finding for finding in prepared.findings if "rain" in str(finding.path)] == []
