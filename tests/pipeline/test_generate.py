"""Generation: the same bytes however it is done, the sizes of the labels, and nothing done twice."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.snapshot import Snapshot
from gan.training_state import TrainingState
from gan.translator import Translator
from manifests.schema import to_table
from pipeline import generate
from pipeline.config import RunConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.geometry import CENTERED, view
from pipeline.images import (
    BadImageError,
    decode_image,
    decode_label,
    encode_jpeg,
    encode_label_png,
    read_image,
    read_label,
)
from pipeline.prepare import Photo, Prepared, prepare
from pipeline.run import generate_stage, plan_stage
from pipeline.shards import Shard, SnapshotRef
from pipeline.training import label_spec

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = [(16, 24), (16, 24), (17, 23), (5, 31), (33, 9), (1, 1), (16, 24), (48, 72)]
"""Height and width of the labels: those of the crop, odd ones, smaller and larger ones."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, tiny_config: Callable) -> Path:
    """Labels of mixed sizes, photographs, and the snapshot of an untrained network."""
    folder = tmp_path_factory.mktemp("generate")
    config = tiny_config(folder, scenes=None)
    palette, random = config.read_palette(), np.random.default_rng(0)
    for kind in ("segTrain", "realTrain"):
        (folder / "soccer" / kind).mkdir(parents=True)
    for number, size in enumerate(SIZES):
        label_map = random.integers(0, 6, size, dtype=np.uint8)
        (folder / "soccer" / "segTrain" / f"{number}.png").write_bytes(encode_label_png(label_map, palette))
    for number in range(3):
        photo = random.integers(0, 256, (20, 20 + number, 3), dtype=np.uint8)
        (folder / "soccer" / "realTrain" / f"{number}.jpg").write_bytes(encode_jpeg(photo, 90))
    for background in ("generate", "photo"):
        train = config.train.model_copy(update={"background": background})
        spec = label_spec(palette, config)
        state = TrainingState(train, spec, torch.device("cpu"))
        snapshot = Snapshot.of(state.ema.network, spec, train, 8)
        (folder / f"{background}.safetensors").write_bytes(snapshot.to_bytes())
    return folder


@pytest.fixture
def make(folder: Path, tmp_path: Path, tiny_config: Callable) -> Callable[..., tuple]:
    """The config, sources and snapshot of a run into an output of its own."""

    def make(name: str = "out", background: str = "generate", **settings: object) -> tuple:
        sources = {"labels": str(folder / "soccer"), "photos": str(folder / "soccer")}
        train = {"background": background}
        config = tiny_config(tmp_path / name, scenes=None, sources=sources, train=train, generate=settings)
        prepared = prepare(
            config.sources,
            config.read_palette(),
            cache=tmp_path / "cache.json",
            quarantine=config.output / "_quarantine",
        )
        return config, prepared, SnapshotRef.of(folder / f"{background}.safetensors")

    return make


def drawn(config: RunConfig, prepared: Prepared, snapshot: SnapshotRef) -> list[Shard]:
    """Everything that is left to draw, and drawn."""
    plan = plan_stage(config, prepared, snapshot)
    return generate_stage(config, prepared, snapshot, plan.to_do)


def bytes_of(output: Path) -> dict[str, str]:
    """Sample -> hash of its image and label, whatever the shard."""
    return {
        f"{path.parents[1].name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
        for kind in ("images", "labels")
        for path in (output / kind).rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("scale", ["native", "train"])
@pytest.mark.parametrize("image_format", ["png", "jpg"])
def test_image_and_label_are_equal_in_size_and_the_row_tells_the_truth(
    make: Callable, scale: str, image_format: str
) -> None:
    config, prepared, snapshot = make(scale=scale, image_format=image_format, variants=2)
    palette = config.read_palette()
    shards = drawn(config, prepared, snapshot)
    rows = [row for shard in shards for row in shard.records()]
    assert len(rows) == 2 * len(SIZES) and len({row.sample_id for row in rows}) == len(rows)
    to_table(rows, palette=palette.model_dump(mode="json"))
    for row in rows:
        image_data = (config.output / row.image_file_name).read_bytes()
        label_data = (config.output / row.label_file_name).read_bytes()
        image = decode_image(image_data, Path(row.image_file_name))
        label_map = decode_label(label_data, palette, Path(row.label_file_name))
        assert row.image_file_name.endswith(image_format)
        assert image.shape[:2] == label_map.shape == (row.height, row.width)
        assert (len(image_data), len(label_data)) == (row.image_bytes, row.label_bytes)
        assert hashlib.sha256(image_data).hexdigest() == row.image_sha256
        assert hashlib.sha256(label_data).hexdigest() == row.label_sha256
        counts = np.bincount(label_map.ravel(), minlength=6)
        assert tuple(counts) == row.class_pixel_counts
        assert row.mask_coverage == pytest.approx(1 - counts[0] / label_map.size)
        source = read_label(prepared.label_paths[row.source_sha256], palette)
        assert set(np.unique(label_map)) <= set(np.unique(source))
        if scale == "native":
            assert np.array_equal(label_map, source)
        else:
            height, width = source.shape
            factor = max(24 / width, 16 / height)
            assert abs(row.width - width * factor) <= 0.5 and abs(row.height - height * factor) <= 0.5


def test_variants_of_a_label_differ_in_the_image_only(make: Callable) -> None:
    config, prepared, snapshot = make(variants=3, scale="native")
    by_label: dict[str, list] = {}
    for shard in drawn(config, prepared, snapshot):
        for row in shard.records():
            by_label.setdefault(row.source_sha256, []).append(row)
    for rows in by_label.values():
        assert sorted(row.variant for row in rows) == [0, 1, 2]
        assert len({row.label_sha256 for row in rows}) == 1
        if rows[0].width > 1:
            assert len({row.image_sha256 for row in rows}) == 3


@pytest.mark.parametrize("background", ["generate", "photo"])
def test_neither_batches_nor_workers_nor_shards_change_a_byte(make: Callable, background: str) -> None:
    settings = [
        {"batch_size": 16, "num_workers": 1, "shard_labels": 100},
        {"batch_size": 1, "num_workers": 4, "shard_labels": 3},
        {"batch_size": 3, "num_workers": 2, "shard_labels": 1},
    ]
    found = []
    for number, setting in enumerate(settings):
        run_of = make(f"out-{number}", background, variants=2, scale="native", **setting)
        drawn(*run_of)
        found.append(bytes_of(run_of[0].output))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 4 * len(SIZES)


def test_a_shard_that_is_done_is_never_done_again(make: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    config, prepared, snapshot = make(batch_size=1)
    pictures = []
    translate = Translator.translate

    def counted(self: Translator, labels: np.ndarray, *rest: object) -> np.ndarray:
        pictures.append(len(labels))
        return translate(self, labels, *rest)

    monkeypatch.setattr(Translator, "translate", counted)
    plan = plan_stage(config, prepared, snapshot)
    first = generate_stage(config, prepared, snapshot, plan.to_do[1:2])
    assert sum(pictures) == len(plan.to_do[1].samples)
    plan_again = plan_stage(config, prepared, snapshot)
    assert plan_again.staged == first
    # The stage itself, repeated with the shards that it was given, does the same.
    assert generate_stage(config, prepared, snapshot, plan.to_do[1:2]) == first
    assert sum(pictures) == len(plan.to_do[1].samples)
    drawn(config, prepared, snapshot)
    assert sum(pictures) == len(SIZES)
    monkeypatch.setattr(generate, "Generation", None)
    assert drawn(config, prepared, snapshot) == []


def test_a_label_that_changed_since_it_was_checked_is_one_sentence(make: Callable, tmp_path: Path) -> None:
    config, prepared, snapshot = make()
    record = prepared.records[0]
    moved = tmp_path / "label.png"
    changed = replace(prepared, label_paths={**prepared.label_paths, record.source_sha256: moved})
    with pytest.raises(BadImageError, match=r"label.png: the file cannot be read \(No such file"):
        drawn(config, changed, snapshot)
    moved.write_bytes(encode_label_png(np.zeros((16, 24), np.uint8), config.read_palette()))
    with pytest.raises(BadImageError, match="label.png: it has changed since it was checked; run the same"):
        drawn(config, changed, snapshot)
    # The shards before and after it lose nothing by it.
    assert len(drawn(config, prepared, snapshot)) > 0
    assert len({name for name in bytes_of(config.output) if name.startswith("images")}) == len(SIZES)


def test_a_pasted_background_is_that_of_the_photograph_that_the_row_names(make: Callable) -> None:
    """Where the label is environment, the picture is the photograph, scaled and cropped."""
    config, prepared, snapshot = make(background="photo", scale="native", variants=2)
    palette = config.read_palette()
    rows = [row for shard in drawn(config, prepared, snapshot) for row in shard.records()]
    assert {row.background_sha256 for row in rows} == set(prepared.background_paths)
    for row in rows:
        picture = read_image(config.output / row.image_file_name)
        is_background = read_label(config.output / row.label_file_name, palette) == 0
        photo = read_image(prepared.background_paths[row.background_sha256])
        shown = view(photo, CENTERED, width=row.width, height=row.height)
        assert np.array_equal(picture[is_background], shown[is_background])


def test_photographs_that_are_added_or_moved_change_only_the_rows_that_they_are_pasted_into(
    make: Callable, tmp_path: Path
) -> None:
    def with_photos(prepared: Prepared, photos: Sequence[Photo]) -> Prepared:
        return replace(prepared, photos=tuple(photos))

    config, prepared, snapshot = make("all", background="photo", variants=3)
    added, *kept = prepared.photos
    fewer = make("fewer", background="photo", variants=3)[0]
    before = {
        row.sample_id: row
        for shard in drawn(fewer, with_photos(prepared, kept), snapshot)
        for row in shard.records()
    }
    moved = [replace(photo, path=tmp_path / f"{9 - i}.jpg") for i, photo in enumerate(prepared.photos)]
    for photo, there in zip(prepared.photos, moved, strict=True):
        there.path.write_bytes(photo.path.read_bytes())
    rows = [
        row
        for shard in drawn(config, with_photos(prepared, moved[::-1]), snapshot)
        for row in shard.records()
    ]
    changed = {row.sample_id for row in rows if row.background_sha256 == added.sha256}
    assert changed
    for row in rows:
        assert (row.sample_id in before) == (row.sample_id not in changed)
        if row.sample_id not in changed:
            assert row.image_sha256 == before[row.sample_id].image_sha256
    assert len({(row.source_sha256, row.variant) for row in rows}) == len(rows) == len(before)


def test_the_bytes_follow_from_the_row(make: Callable) -> None:
    """Whatever photographs there are beside the one that it names."""
    config, prepared, snapshot = make(background="photo", variants=2)
    shards = drawn(config, prepared, snapshot)
    for shard in shards:
        for row in shard.records():
            alone = tuple(photo for photo in prepared.photos if photo.sha256 == row.background_sha256)
            one = Shard(shard.number, (row,))
            (config.output / row.image_file_name).unlink()
            files = ShardFiles.of(one, replace(prepared, photos=alone))
            assert Generation(config, snapshot).run(one, files, lambda: None).records() == [row]


def test_a_photograph_that_changed_since_it_was_checked_is_one_sentence(
    make: Callable, tmp_path: Path
) -> None:
    config, prepared, snapshot = make(background="photo")
    (tmp_path / "photo.jpg").write_bytes(b"other")
    changed = tuple(replace(photo, path=tmp_path / "photo.jpg") for photo in prepared.photos)
    with pytest.raises(BadImageError, match="photo.jpg: it has changed since it was checked; run the same"):
        drawn(config, replace(prepared, photos=changed), snapshot)


def test_progress_counts_every_picture(make: Callable) -> None:
    config, prepared, snapshot = make(variants=2)
    told: list[tuple[int, int]] = []

    class Show:
        def __init__(self, what: str, unit: str):
            assert (what, unit) == ("generate", "images")

        def __enter__(self) -> Callable[[int, int], None]:
            return lambda done, total: told.append((done, total))

        def __exit__(self, *_: object) -> None:
            pass

    plan = plan_stage(config, prepared, snapshot)
    generate_stage(config, prepared, snapshot, plan.to_do, Show)
    assert told == [(done, 16) for done in range(17)]


def test_a_picture_that_fails_the_gates_is_kept_with_its_reason(
    make: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, prepared, snapshot = make()
    monkeypatch.setattr(
        Translator, "translate", lambda _, labels, *rest: np.full((*labels.shape, 3), 128, np.uint8)
    )
    shard = plan_stage(config, prepared, snapshot).to_do[0]
    done = Generation(config, snapshot).run(shard, ShardFiles.of(shard, prepared), lambda: None)
    assert [row.accepted for row in done.records()] == [False] * len(shard.samples)
    assert all(row.reject_reason.startswith("constant") for row in done.records())
