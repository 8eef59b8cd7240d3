"""evaluate: prints a table and leaves JSON; says what is missing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from pipeline.config import load_config

pytestmark = pytest.mark.usefixtures("one_thread", "quiet_packages")

BUDGET = {"judge_width": 4, "judge_images": 4, "num_variants": 1}


def test_a_snapshot_is_measured(seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path) -> None:
    path = tiny_file(tmp_path, evaluate=BUDGET, train={"total_images": 2})
    assert seg2real("train", path).code == 0
    said = seg2real("evaluate", path)
    assert said.code == 0
    assert "adherence (judge: generated)" in said.out
    written = tmp_path / "run" / "evaluation-snapshot-00000002.json"
    found = json.loads(written.read_text())
    assert found["budget"]["num_train_labels"] + found["budget"]["num_test_labels"] == 8
    assert str(written) in said.out

    # The same numbers, elsewhere, for the same snapshot by name.
    (snapshot,) = (tmp_path / "run" / "snapshots").glob("*.safetensors")
    elsewhere = tmp_path / "results" / "tiny.json"
    assert seg2real("evaluate", path, "--snapshot", snapshot, "--out", elsewhere).code == 0
    assert elsewhere.read_bytes() == written.read_bytes()


def test_a_fine_tuned_run_is_measured_before_and_after(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    base = tiny_file(tmp_path / "base", evaluate=BUDGET, train={"total_images": 2})
    assert seg2real("train", base).code == 0
    (snapshot,) = (tmp_path / "base" / "run" / "snapshots").glob("*.safetensors")
    train = {"total_images": 2, "from_snapshot": "../base/run/snapshots/" + snapshot.name}
    path = tiny_file(tmp_path / "venue", evaluate=BUDGET, train=train, scenes={"seed": 5})
    assert seg2real("train", path).code == 0
    said = seg2real("evaluate", path)
    assert said.code == 0
    found = [
        json.loads((tmp_path / "venue" / "run" / f"evaluation-{snapshot.stem}{when}.json").read_text())
        for when in ("-before", "")
    ]
    assert found[0]["judged"]["snapshot_sha256"] != found[1]["judged"]["snapshot_sha256"]
    assert found[0]["budget"] == found[1]["budget"]
    assert said.out.index("-before.json") < said.out.rindex("JSON:")


def test_a_missing_snapshot_is_a_wrong_call(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    path = tiny_file(tmp_path)
    for arguments in ((), ("--snapshot", tmp_path / "none.safetensors")):
        said = seg2real("evaluate", path, *arguments)
        assert said.code == 2
        assert "snapshot" in said.err
    assert sorted(found.name for found in tmp_path.iterdir()) == ["tiny.yaml"]


def test_a_dry_run_shows_the_config(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    said = seg2real("evaluate", tiny_file(tmp_path), "evaluate.judge_width=5", "--dry-run")
    assert said.code == 0
    (tmp_path / "resolved.yaml").write_text(said.out)
    assert load_config(tmp_path / "resolved.yaml").evaluate.judge_width == 5


def test_a_dry_run_of_a_comparison_shows_what_differs_and_does_nothing(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    tiny_file(tmp_path)
    path = tmp_path / "compare.yaml"
    entries = {"plain": ["train.method=cyclegan"], "quiet": ["noise.amount=0.1", "train.method=cyclegan"]}
    settings = {"config": "tiny.yaml", "folder": "compare", "total_images": 4, "entries": entries}
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    said = seg2real("compare", path, "--dry-run")
    assert said.code == 0
    assert "4 images" in said.out
    default = load_config(tmp_path / "tiny.yaml").noise.amount
    shown = [line.split() for line in said.out.splitlines()[2:] if line]
    assert shown == [["plain"], ["noise.amount", str(default)], ["quiet"], ["noise.amount", "0.1"]]
    assert not (tmp_path / "compare").exists()
