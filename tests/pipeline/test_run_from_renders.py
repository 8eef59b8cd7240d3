"""From renders to a dataset: checked, trained on, translated, published."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from manifests.reader import read_records
from manifests.schema import SampleRecord
from manifests.verification.verify import verify
from pipeline.config import RunConfig
from pipeline.evaluation.evaluate import evaluate
from pipeline.generate import Generation, ShardFiles
from pipeline.images import BadImageError, encode_png, read_image, read_label
from pipeline.run import gather_stage, plan_stage, prepare_stage, run
from pipeline.shards import SnapshotRef
from pipeline.snapshot_files import best_snapshot
from pipeline.validate import validate

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def make(tiny_config: Callable) -> Callable[..., RunConfig]:
    """A run from renders that keeps their background."""

    def make(folder: Path, **changes: object) -> RunConfig:
        train = {"conditioning": "render", "background": "keep", "histogram": {"probability": 0.5}}
        settings = {"scenes": {"renders": True}, "train": train, "generate": {"scale": "native"}}
        return tiny_config(folder, **settings | changes)

    return make


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, make: Callable, one_thread: None) -> RunConfig:
    config = make(tmp_path_factory.mktemp("renders"))
    assert [finding for finding in validate(config) if finding.severity == "error"] == []
    run(config)
    return config


def render_of(config: RunConfig, row: SampleRecord) -> Path:
    return config.run_dir / "scenes" / "trainA" / Path(row.source_label).name


def test_the_dataset_is_sound_and_names_its_renders(whole: RunConfig) -> None:
    assert verify(whole.output).is_ok
    rows = read_records(whole.output)
    assert len(rows) == 8
    for row in rows:
        assert row.render_sha256 == hashlib.sha256(render_of(whole, row).read_bytes()).hexdigest()


def test_a_kept_background_is_the_renders_pixel_by_pixel(whole: RunConfig) -> None:
    palette = whole.read_palette()
    num_kept = num_drawn = 0
    for row in read_records(whole.output):
        picture, render = read_image(whole.output / row.image_file_name), read_image(render_of(whole, row))
        is_kept = palette.is_background[read_label(whole.output / row.label_file_name, palette)]
        assert np.array_equal(picture[is_kept], render[is_kept])
        num_kept += is_kept.sum()
        num_drawn += (picture[~is_kept] != render[~is_kept]).any(axis=1).sum()
    assert num_kept > 100 and num_drawn > 100


def test_the_same_seed_gives_the_same_bytes(
    whole: RunConfig, make: Callable, tmp_path: Path, published: Callable
) -> None:
    config = make(tmp_path)
    run(config)
    assert published(config.output) == published(whole.output)


def test_native_or_at_the_scale_of_training_label_and_image_have_one_size(
    whole: RunConfig, make: Callable, tmp_path: Path
) -> None:
    scenes = {"renders": True, "num": 3, "width": 50, "height": 37}
    config = make(tmp_path, scenes=scenes, generate={"scale": "train"}, train={"conditioning": "render"})
    run(config)
    assert verify(config.output).is_ok
    assert {(row.width, row.height) for row in read_records(config.output)} == {(24, 18)}


def test_a_label_with_another_render_is_another_sample(make: Callable, tmp_path: Path) -> None:
    config = make(tmp_path)
    first = run(config)
    assert run(config).num_generated == 0
    row = read_records(config.output)[0]
    render_of(config, row).write_bytes(encode_png(np.full((16, 24, 3), 99, np.uint8)))
    again = run(config, trains=False)
    assert (again.snapshot, again.num_generated) == (first.snapshot, 1)
    changed = {row.sample_id for row in read_records(config.output)} ^ {row.sample_id}
    assert row.source_sha256 in {
        new.source_sha256 for new in read_records(config.output) if new.sample_id in changed
    }


def test_a_render_that_changed_since_it_was_checked_is_one_sentence(whole: RunConfig, tmp_path: Path) -> None:
    config = gather_stage(whole.model_copy(update={"output": tmp_path / "elsewhere"}))
    prepared, snapshot = prepare_stage(config), SnapshotRef.of(best_snapshot(config).path)
    shard = plan_stage(config, prepared, snapshot).to_do[0]
    prepared.render_paths[shard.samples[0].source_sha256] = tmp_path / "render.png"
    (tmp_path / "render.png").write_bytes(b"other")
    with pytest.raises(BadImageError, match="render.png: it has changed since it was checked; run the same"):
        Generation(config, snapshot).run(shard, ShardFiles.of(shard, prepared), lambda: None)


def test_what_is_drawn_from_renders_is_measured(whole: RunConfig) -> None:
    config = gather_stage(whole)
    measured = evaluate(config, prepare_stage(config), SnapshotRef.of(best_snapshot(config).path))
    assert 0 <= measured.adherence.generated.miou <= 1


def test_labels_that_are_drawn_without_renders_are_refused(make: Callable, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scenes draws labels without them; set scenes.renders to true"):
        make(tmp_path, scenes={"num": 3})
