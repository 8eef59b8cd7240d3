"""The whole job: killed anywhere and started again, it ends the same; run again, it does nothing."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from manifests.reader import read_records
from manifests.verification.verify import verify
from manifests.versions import version_numbers
from pipeline.config import load_config
from pipeline.images import encode_jpeg, encode_png
from pipeline.run import hold_output


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_file: Callable, seg2real: Callable) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    outcome = seg2real("run", tiny_file(folder))
    assert outcome.code == 0, outcome.text
    return folder


def copy_of(whole: Path, folder: Path) -> Path:
    """The same run elsewhere; its config."""
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    return folder / "tiny.yaml"


def times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


KILLS = {
    "drawing a label": ("pipeline.scenes.drawing:write_file", 8),
    "checking": ("pipeline.sources.inspection:_inspect_photo", 2),
    "remembering what was checked": ("pipeline.sources.inspection_cache:write_durable", 1),
    "training, before the first checkpoint": ("pipeline.training_images:TrainingImages.batch", 2),
    "training, after a checkpoint": ("pipeline.run_dir:RunDir.report", 3),
    "writing a checkpoint": ("gan.training_state:TrainingState.state_dict", 2),
    "between the last snapshot and its checkpoint": ("pipeline.run_dir:RunDir.save_checkpoint", 2),
    "measuring a snapshot": ("pipeline.evaluation.meter:AdherenceMeter.measure", 1),
    "between a snapshot's description and itself": ("gan.snapshot:Snapshot.to_bytes", 1),
    "between training and generation": ("pipeline.run:plan_stage", 1),
    "the first shard": ("pipeline.generate:encode_label_png", 2),
    "between a picture and its label": ("pipeline.generate:write_durable", 10),
    "between two shards": ("pipeline.generate:Generation.run", 2),
    "staging a shard": ("pipeline.staging:write_durable", 2),
    "between staging and commit": ("pipeline.publish:commit", 1),
    "between the table and its record": ("manifests.storage.folder:FolderStore.create", 1),
    "between the record and publishing": ("manifests.commit:publish_newest", 1),
    "between commit and tidying up": ("pipeline.publish:unstage_shard", 2),
    "drawing the contact sheet": ("pipeline.run:draw_contact_sheet", 1),
    "making the page": ("pipeline.run:write_page", 1),
    "describing the dataset": ("pipeline.run:describe_dataset", 1),
}


@pytest.mark.parametrize("moment", KILLS)
def test_killed_and_started_again_it_ends_in_the_same_dataset(
    moment: str, whole: Path, tmp_path: Path, tiny_file: Callable, seg2real: Callable, published: Callable
) -> None:
    config = tiny_file(tmp_path)
    outcome = seg2real("run", config, signals=[(*KILLS[moment], "SIGKILL")])
    assert outcome.code == -signal.SIGKILL, outcome.text
    outcome = seg2real("run", config)
    assert outcome.code == 0, outcome.text
    assert published(tmp_path / "out") == published(whole / "out")
    assert verify(tmp_path / "out").is_ok
    assert [path.name for path in (tmp_path / "out" / "_staging").iterdir()] == ["run.lock"]
    sheet = Path("out", "report", "contact-sheet.png")
    for described in (sheet, Path("out", "README.md")):
        assert (tmp_path / described).exists()
    assert (tmp_path / sheet).read_bytes() == (whole / sheet).read_bytes()
    page = (tmp_path / "out" / "report" / "index.html").read_text()
    assert page.count("<article") == len(read_records(tmp_path / "out")) > 0
    assert 'id="training"' in page and "training preview" in page


def test_run_again_it_does_nothing(whole: Path, tmp_path: Path, seg2real: Callable) -> None:
    config = copy_of(whole, tmp_path)
    assert seg2real("run", config).code == 0  # the copies of the sources have new times
    before = times(tmp_path / "out")
    outcome = seg2real("run", config)
    assert outcome.code == 0 and "Nothing new to generate" in outcome.text
    assert "train:" not in outcome.text
    lock = tmp_path / "out" / "_staging" / "run.lock"
    assert {**times(tmp_path / "out"), lock: 0} == {**before, lock: 0}


def test_new_labels_and_variants_are_added_and_a_new_snapshot_replaces(
    whole: Path, tmp_path: Path, seg2real: Callable
) -> None:
    config = copy_of(whole, tmp_path)
    old = {row.sample_id: row for row in read_records(tmp_path / "out")}

    # Labels that join the sources are drawn with the snapshot that there is.
    assert seg2real("run", config, "scenes.num=10").code == 0
    rows = {row.sample_id: row for row in read_records(tmp_path / "out")}
    assert len(rows) == 10 and rows.items() >= old.items()
    assert len({row.snapshot_sha256 for row in rows.values()}) == 1

    # So are more variants.
    assert seg2real("run", config, "scenes.num=10", "generate.variants=2").code == 0
    more = {row.sample_id: row for row in read_records(tmp_path / "out")}
    assert len(more) == 20 and more.items() >= rows.items()

    # Training that went on draws everything anew, in one version.
    settings = ("scenes.num=10", "generate.variants=2", "train.total_images=10")
    outcome = seg2real("run", config, *settings)
    assert outcome.code == 0 and "20 images, 20 superseded" in outcome.text
    renewed = {row.sample_id: row for row in read_records(tmp_path / "out")}
    assert len(renewed) == 20 and not renewed.keys() & more.keys()
    assert {row.snapshot_name for row in renewed.values()} == {"snapshot-00000010"}
    assert version_numbers(tmp_path / "out") == [1, 2, 3, 4]
    assert verify(tmp_path / "out").is_ok


def test_what_a_killed_run_left_behind_goes_when_its_settings_change(
    whole: Path, tmp_path: Path, tiny_file: Callable, seg2real: Callable
) -> None:
    shutil.copytree(whole / "run", tmp_path / "run")
    config = tiny_file(tmp_path)
    outcome = seg2real("run", config, signals=[("pipeline.generate:write_durable", 12, "SIGKILL")])
    assert outcome.code == -signal.SIGKILL
    assert list((tmp_path / "out" / "_staging").glob("shard-*"))
    outcome = seg2real("run", config, "generate.image_format=jpg", "generate.shard_labels=100")
    assert outcome.code == 0, outcome.text
    assert verify(tmp_path / "out").is_ok
    assert len(read_records(tmp_path / "out")) == 8


def test_a_second_run_on_the_same_output_is_refused(whole: Path, tmp_path: Path, seg2real: Callable) -> None:
    config = copy_of(whole, tmp_path)
    with hold_output(load_config(config)):
        before = times(tmp_path)
        outcome = seg2real("run", config)
        assert outcome.code == 1
        assert f"out is in use by process {os.getpid()}" in outcome.text and "Traceback" not in outcome.text
        assert times(tmp_path) == before
    assert seg2real("run", config).code == 0


def test_a_full_disk_while_generating_keeps_what_was_committed(
    whole: Path, tmp_path: Path, seg2real: Callable
) -> None:
    config = copy_of(whole, tmp_path)
    before = read_records(tmp_path / "out")
    settings = ("generate.variants=2", "generate.seed=1")
    outcome = seg2real("run", config, *settings, limits=[("pipeline.generate:write_durable", 14, 60)])
    assert outcome.code == 1
    errors = [line for line in outcome.text.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and "No space to write" in errors[0]
    assert "/out/images/0004/" in errors[0] or "/out/labels/0004/" in errors[0]
    assert "make room and run the same command again" in errors[0]
    assert "Traceback" not in outcome.text
    assert read_records(tmp_path / "out") == before
    assert seg2real("run", config, *settings).code == 0
    assert len(read_records(tmp_path / "out")) == 8 + 16
    assert verify(tmp_path / "out").is_ok


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
@pytest.mark.parametrize("moment", [1, 4])
def test_asked_to_stop_it_saves_a_checkpoint_and_later_ends_the_same(
    name: str,
    code: int,
    moment: int,
    whole: Path,
    tmp_path: Path,
    tiny_file: Callable,
    seg2real: Callable,
    published: Callable,
) -> None:
    """In the midst of training, where no checkpoint was due, and in its last step."""
    config = tiny_file(tmp_path)
    step = ("gan.training_state:TrainingState.count", moment, name)
    outcome = seg2real("run", config, signals=[step])
    assert outcome.code == code, outcome.text
    assert "saving a checkpoint" in outcome.text and "Error: Training stopped with" in outcome.text
    assert "Traceback" not in outcome.text
    assert (tmp_path / "run" / "checkpoints" / f"checkpoint-{2 * moment:08d}.pt").exists()
    assert not (tmp_path / "out" / "metadata.parquet").exists()

    assert seg2real("run", config).code == 0
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["num_images_seen"] for line in lines] == [2, 4, 6, 8, 8]  # and the last snapshot
    for suffix in ("safetensors", "json"):
        snapshot = Path("run", "snapshots", f"snapshot-00000008.{suffix}")
        assert (tmp_path / snapshot).read_bytes() == (whole / snapshot).read_bytes()
    assert published(tmp_path / "out") == published(whole / "out")


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGINT", 130)])
def test_asked_to_stop_while_generating_it_later_ends_the_same(
    name: str,
    code: int,
    whole: Path,
    tmp_path: Path,
    tiny_file: Callable,
    seg2real: Callable,
    published: Callable,
) -> None:
    config = tiny_file(tmp_path)
    outcome = seg2real("run", config, signals=[("pipeline.generate:encode_label_png", 4, name)])
    assert outcome.code == code and "Traceback" not in outcome.text
    assert seg2real("run", config).code == 0
    assert published(tmp_path / "out") == published(whole / "out")


LABEL = np.repeat(np.array([[0, 4, 4, 5, 4, 1]], np.uint8), 4, axis=0).repeat(3, axis=0).repeat(4, axis=1)
COLORS = 255 * np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 0], [1, 1, 1]], np.uint8)


def put_sources(root: Path) -> dict[str, str]:
    """Twelve good labels, ten good photographs, and bad files of every kind; name -> a word of the reason."""
    for folder in ("segTrain", "realTrain"):
        (root / folder).mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(12):
        label = np.roll(LABEL, number, axis=1)
        (root / "segTrain" / f"good-{number}.png").write_bytes(encode_png(COLORS[label]))
    for number in range(10):
        photo = random.integers(0, 256, (12, 24, 3), dtype=np.uint8)
        (root / "realTrain" / f"good-{number}.jpg").write_bytes(encode_jpeg(photo, 90))

    good = encode_png(COLORS[LABEL])
    photo = random.integers(0, 256, (40, 30, 3), dtype=np.uint8)
    bad = {
        "segTrain/truncated.png": (good[: len(good) // 2], ""),
        "segTrain/empty.png": (b"", "the file is empty"),
        "segTrain/deep.png": (cv2.imencode(".png", LABEL.astype(np.uint16) * 1000)[1].tobytes(), "16 bits"),
        "segTrain/wrong-palette.png": (encode_png(COLORS[LABEL] // 2 + 20), "colour"),
        "realTrain/truncated.jpg": (encode_jpeg(photo, 90)[:300], ""),
        "realTrain/empty.jpg": (b"", "the file is empty"),
        "realTrain/text.jpg": (b"not a picture at all", "no image"),
        "realTrain/large.png": (encode_png(np.zeros((1001, 1000, 3), np.uint8)), "over the limit"),
    }
    for name, (data, _) in bad.items():
        (root / name).write_bytes(data)

    rgb = Image.fromarray(photo)
    rgb.convert("CMYK").save(root / "realTrain" / "cmyk.jpg")
    rgb.convert("RGBA").save(root / "realTrain" / "opaque.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.save(root / "realTrain" / "rotated.jpg", exif=exif)
    Image.fromarray(COLORS[LABEL]).convert("RGBA").save(root / "segTrain" / "opaque.png")
    return {name: reason for name, (_, reason) in bad.items()}


def test_bad_files_are_named_and_the_run_goes_on(
    tmp_path: Path, tiny_file: Callable, seg2real: Callable
) -> None:
    reasons = put_sources(tmp_path / "soccer")
    sources = {"labels": "soccer", "photos": "soccer", "max_megapixels": 1, "max_bad_fraction": 0.4}
    config = tiny_file(tmp_path, scenes=None, sources=sources)
    outcome = seg2real("run", config)
    assert outcome.code == 0, outcome.text
    assert verify(tmp_path / "out").is_ok
    names = {Path(row.source_label).stem for row in read_records(tmp_path / "out")}
    assert names == {"opaque", *(f"good-{number}" for number in range(12))}

    listed = (tmp_path / "out" / "_quarantine" / "bad_files.jsonl").read_text().splitlines()
    found = {
        Path(line["file"]).relative_to(tmp_path / "soccer").as_posix(): line["reason"]
        for line in map(json.loads, listed)
    }
    assert found.keys() == reasons.keys()
    for name, word in reasons.items():
        assert word in found[name]
        assert name in outcome.text

    # Over the limit it stops before training, with the numbers and the first file.
    outcome = seg2real("run", config, "sources.max_bad_fraction=0.1", "run_dir=other", "output=elsewhere")
    assert outcome.code == 3
    assert "4 of 17 labels cannot be used, over sources.max_bad_fraction 0.1" in outcome.text
    assert not (tmp_path / "other" / "snapshots").exists()


def test_missing_twins_are_named_and_the_run_goes_on(
    tmp_path: Path, tiny_file: Callable, seg2real: Callable
) -> None:
    put_sources(tmp_path / "soccer")
    renders = tmp_path / "soccer" / "trainA"
    renders.mkdir()
    (tmp_path / "soccer" / "segTrain").rename(tmp_path / "soccer" / "trainA_seg")
    (tmp_path / "soccer" / "realTrain").rename(tmp_path / "soccer" / "trainB")
    for number in range(11):
        (renders / f"good-{number}.jpg").write_bytes(encode_jpeg(np.full((12, 24, 3), number, np.uint8), 90))
    sources = {"labels": "soccer", "photos": "soccer", "max_megapixels": 1, "max_bad_fraction": 0.4}
    outcome = seg2real("run", tiny_file(tmp_path, scenes=None, sources=sources))
    assert outcome.code == 0, outcome.text
    assert "no render of the same stem" in outcome.text
    assert len(read_records(tmp_path / "out")) == 13


def test_an_empty_folder_is_one_sentence(tmp_path: Path, tiny_file: Callable, seg2real: Callable) -> None:
    (tmp_path / "soccer" / "segTrain").mkdir(parents=True)
    (tmp_path / "soccer" / "realTrain").mkdir()
    config = tiny_file(tmp_path, scenes=None, sources={"labels": "soccer", "photos": "soccer"})
    outcome = seg2real("run", config)
    assert outcome.code == 3
    assert "there are no labels in the folders that sources name" in outcome.text
    assert "Traceback" not in outcome.text
    outcome = seg2real("run", config, "sources.labels=nowhere")
    assert outcome.code != 0
    assert "nowhere does not exist" in outcome.text and "Traceback" not in outcome.text
