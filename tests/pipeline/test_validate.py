import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml

from manifests.schema import to_table, with_version_number
from manifests.writer import table_bytes
from pipeline.config import RunConfig, as_yaml, load_config
from pipeline.images import encode_jpeg, encode_label_png
from pipeline.palette import Palette, load_palette
from pipeline.scenes.drawing import SCENES_FOLDER, draw_scenes
from pipeline.sources.findings import Finding
from pipeline.validate import validate

REPOSITORY = Path(__file__).parents[2]


def good_run(folder: Path, *overrides: str) -> RunConfig:
    """A run with nothing wrong: 4 labels with every class, 3 photographs, all 64 x 48."""
    shutil.copy(REPOSITORY / "configs" / "palettes" / "nubots.yaml", folder / "palette.yaml")
    palette = load_palette(folder / "palette.yaml")
    for seed in range(4):
        label_map = np.random.default_rng(seed).integers(0, 6, (48, 64), dtype=np.uint8)
        put(folder / "data" / "segTrain" / f"{seed}.png", encode_label_png(label_map, palette))
    for seed in range(3):
        image = np.random.default_rng(seed).integers(0, 256, (48, 64, 3), dtype=np.uint8)
        put(folder / "data" / "realTrain" / f"{seed}.jpg", encode_jpeg(image, 80))
    values = {
        "name": "test",
        "palette": "palette.yaml",
        "run_dir": "runs/test",
        "output": "out",
        "sources": {"labels": "data", "photos": "data"},
        "train": {"width": 64, "height": 48},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump(values))
    return load_config(folder / "run.yaml", overrides)


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def codes(findings: list[Finding], severity: str) -> list[str]:
    return [finding.code for finding in findings if finding.severity == severity]


def test_a_good_run_has_no_findings_and_leaves_no_trace(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert validate(config) == []
    assert sorted(tmp_path.rglob("*")) == before


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    config = good_run(tmp_path, "noise.amount=0.8", "train.width=512", "sources.max_bad_fraction=0.5")
    (tmp_path / "data" / "segTrain" / "bad.png").write_text("no image")
    (tmp_path / "out").write_text("a file where a folder should be")
    findings = validate(config)
    assert codes(findings, "error") == ["no-folder", "noise-confuses-classes"]
    assert codes(findings, "warning") == ["bad-label", "small-images", "small-images"]
    for finding in findings:
        assert str(finding.path) in str(finding) and finding.fix in str(finding)


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        (["palette=gone.yaml"], "bad-palette"),
        (["noise.amount=0.6"], "noise-confuses-classes"),
        (["sources.labels=gone"], "no-source"),
        (["sources.labels=runs"], "no-source"),
        (["sources.photos=[]"], "no-photos"),
        (["sources.labels=[]"], "no-labels"),
        (["output=runs/test"], "one-folder"),
    ],
)
def test_each_error_is_found(tmp_path: Path, overrides: list[str], code: str) -> None:
    (tmp_path / "runs").mkdir()
    findings = validate(good_run(tmp_path, *overrides))
    assert codes(findings, "error") == [code]


def test_too_many_bad_files_are_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    for path in (tmp_path / "data" / "segTrain").iterdir():
        path.write_bytes(path.read_bytes()[:-20])
    assert codes(validate(config), "error") == ["too-many-bad"]


def test_scenes_stand_in_for_missing_sources(tmp_path: Path) -> None:
    none = ["sources.labels=[]", "sources.photos=[]", "scenes.num=10", "scenes.num_photos=5"]
    assert codes(validate(good_run(tmp_path, *none)), "error") == []
    assert codes(validate(good_run(tmp_path, *none[:3])), "error") == ["no-photos"]


def test_classes_that_never_occur_are_said(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    palette = load_palette(tmp_path / "palette.yaml")
    for path in (tmp_path / "data" / "segTrain").iterdir():
        label_map = np.random.default_rng(len(path.name)).choice([0, 4, 5], (48, 64)).astype(np.uint8)
        label_map[0, 0] = int(path.stem)
        path.write_bytes(encode_label_png(label_map % 6, palette))
    (tmp_path / "data" / "segTrain" / "3.png").unlink()
    findings = validate(config)
    assert codes(findings, "warning") == ["unused-classes"]
    assert "robot" in findings[0].what and "ball" not in findings[0].what


def test_domains_of_other_shape_are_said(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    for path in (tmp_path / "data" / "realTrain").iterdir():
        image = np.random.default_rng(int(path.stem)).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        path.write_bytes(encode_jpeg(image, 80))
    assert codes(validate(config), "warning") == ["aspect-ratios"]


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_that_is_too_small_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**6, 10**6 - 60_000, 60_000))
    assert codes(validate(good_run(tmp_path)), "error") == []
    findings = validate(good_run(tmp_path, "generate.variants=3"))
    assert codes(findings, "error") == ["disk-space"]


def test_a_place_that_may_not_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert codes(validate(good_run(tmp_path)), "error") == ["no-permission"] * 2


def publish_nothing(output: Path, palette: Palette) -> None:
    """Version 1 of a dataset, without rows."""
    table = to_table([], palette=palette.model_dump(mode="json"))
    table = table.cast(with_version_number(table.schema, 1))
    put(output / "metadata.parquet", table_bytes(table))
    put(output / "_versions" / "00000001.json", b"{}")


def test_an_output_of_another_palette_is_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    ours = config.read_palette()
    theirs = Palette(name="other", classes=ours.classes[::-1])
    for palette, expected in ((ours, []), (theirs, ["output-conflict"])):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        publish_nothing(tmp_path / "out", palette)
        assert codes(validate(config), "error") == expected
    (tmp_path / "out" / "metadata.parquet").write_bytes(b"no parquet")
    assert codes(validate(config), "error") == ["bad-output"]


def test_an_output_without_its_versions_is_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    publish_nothing(tmp_path / "out", config.read_palette())
    assert codes(validate(config), "error") == []
    shutil.rmtree(tmp_path / "out" / "_versions")
    assert codes(validate(config), "error") == ["output-conflict"]


def test_an_error_of_the_system_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = good_run(tmp_path)
    publish_nothing(tmp_path / "out", config.read_palette())

    def refuse(root: Path) -> None:
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr("pipeline.publish.read_schema", refuse)
    (finding,) = (finding for finding in validate(config) if finding.code == "bad-output")
    assert finding.what == "Permission denied"


def test_scenes_that_cannot_be_drawn_are_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path, "scenes.num=1", "scenes.width=32", "scenes.height=32")
    draw_scenes(config.run_dir / SCENES_FOLDER, config.scenes, config.read_palette())
    assert codes(validate(config), "error") == []
    other = good_run(tmp_path, "scenes.num=1", "scenes.width=32", "scenes.height=16")
    (finding,) = (f for f in validate(other) if f.severity == "error")
    assert (finding.code, finding.path) == ("other-scenes", config.run_dir / "scenes")
    assert "height was 32, now 16" in finding.what


def test_a_palette_that_scenes_cannot_use_is_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path, "scenes.num=1")
    text = (tmp_path / "palette.yaml").read_text()
    (tmp_path / "palette.yaml").write_text(text.replace("field", "meadow"))
    assert codes(validate(config), "error") == ["scenes-palette"]


def test_a_checkpoint_of_other_settings_is_an_error(tmp_path: Path) -> None:
    config = good_run(tmp_path)
    put(config.run_dir / "config.yaml", as_yaml(config).encode())
    changed = ["train.learning_rate=0.1", "train.loss.cycle=3", "noise.amount=0.2", "train.total_images=7"]
    other = good_run(tmp_path, *changed, "generate.variants=2")
    assert codes(validate(other), "error") == []
    put(config.run_dir / "checkpoints" / "checkpoint-00000008.pt", b"")
    assert codes(validate(config), "error") == []
    (finding,) = (f for f in validate(other) if f.severity == "error")
    assert (finding.code, finding.path) == ("other-settings", config.run_dir)
    assert "train.learning_rate was 0.0002 and is now 0.1" in finding.what
    assert "train.loss" in finding.what and "noise.amount was 0.3 and is now 0.2" in finding.what
    assert "total_images" not in finding.what
    for damaged in ("", "[]", "train: 3", "{"):
        put(config.run_dir / "config.yaml", damaged.encode())
        assert codes(validate(other), "error") == []


def test_a_base_that_is_gone_is_an_error_beside_a_checkpoint_too(tmp_path: Path) -> None:
    config = good_run(tmp_path, f"train.from_snapshot={tmp_path / 'gone.safetensors'}")
    put(config.run_dir / "checkpoints" / "checkpoint-00000008.pt", b"")
    assert codes(validate(config), "error") == ["bad-base"]


def test_validation_imports_nothing_heavy() -> None:
    heavy = ("torch", "torchvision", "pyarrow", "prefect", "datasets")
    code = f"import sys, pipeline.validate; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
