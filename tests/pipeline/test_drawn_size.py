"""Networks that draw one size refuse other labels before they train."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gan.conditioning import Conditioning
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from pipeline.config import ConfigError, RunConfig
from pipeline.drawn_size import drawn_size, undrawable
from pipeline.generate import Generation, ShardFiles
from pipeline.images import BadImageError, encode_jpeg, encode_label_png
from pipeline.run import plan_stage, prepare_stage, require_drawable, run
from pipeline.shards import SnapshotRef
from pipeline.training import label_spec
from pipeline.validate import validate

FULL = {
    "method": "ugatit",
    "ugatit": {"light": False, "global_layers": 3, "local_layers": 3},
    "discriminator": {"width": 4, "num_layers": [3]},  # as it is where nobody reads it
}
SIZE = ("size", "scale")


@pytest.fixture
def run_of(tmp_path: Path, tiny_config: Callable) -> Callable[..., RunConfig]:
    """A full UGATIT of 24 x 16 px with labels of these sizes, height before width."""

    def make(*sizes: tuple[int, int], **changes: object) -> RunConfig:
        sources = {"labels": "data", "photos": "data"}
        config = tiny_config(tmp_path, **{"scenes": None, "train": FULL, "sources": sources} | changes)
        for kind in ("segTrain", "realTrain"):
            (tmp_path / "data" / kind).mkdir(parents=True, exist_ok=True)
        for number, size in enumerate(sizes):
            label_map = np.random.default_rng(number).integers(0, 6, size, dtype=np.uint8)
            label = tmp_path / "data" / "segTrain" / f"{number}.png"
            label.write_bytes(encode_label_png(label_map, config.read_palette()))
        photo = encode_jpeg(np.zeros((16, 24, 3), np.uint8), 90)
        (tmp_path / "data" / "realTrain" / "0.jpg").write_bytes(photo)
        return config

    return make


@pytest.mark.parametrize(SIZE, [((16, 24), "native"), ((16, 24), "train"), ((320, 481), "train")])
def test_labels_of_the_crops_size_are_drawn(run_of: Callable, size: tuple[int, int], scale: str) -> None:
    config = run_of(size, generate={"scale": scale})
    assert not [finding for finding in validate(config) if finding.code == "undrawable-size"]
    require_drawable(config, prepare_stage(config))


@pytest.mark.parametrize(SIZE, [((32, 48), "native"), ((20, 24), "train"), ((15, 23), "native")])
def test_other_labels_are_refused_before_training(
    run_of: Callable, tmp_path: Path, size: tuple[int, int], scale: str
) -> None:
    config = run_of((16, 24), size, (77, 24), generate={"scale": scale})
    first = tmp_path / "data" / "segTrain" / "1.png"
    (found,) = (finding for finding in validate(config) if finding.severity == "error")
    assert (found.code, found.path) == ("undrawable-size", first)
    with pytest.raises(ConfigError, match=rf"{first}: .*'{scale}' it has .* only .* 24 x 16 px;"):
        run(config)
    assert not list(config.run_dir.glob("checkpoints/*"))


def test_scenes_are_asked_before_they_are_drawn(tmp_path: Path, tiny_config: Callable) -> None:
    fitting, other = (tiny_config(tmp_path, train=FULL, scenes={"width": width}) for width in (24, 36))
    for config, codes in ((fitting, []), (other, ["undrawable-size"])):
        assert [finding.code for finding in validate(config) if finding.severity == "error"] == codes


def test_networks_that_draw_any_size_refuse_none(run_of: Callable) -> None:
    light = run_of((16, 24), (33, 5), train=FULL | {"ugatit": FULL["ugatit"] | {"light": True}})
    assert light.train.only_size is None
    require_drawable(light, prepare_stage(light))
    assert undrawable(light, [(Path("any.png"), 1, 1000)]) is None


def test_the_size_is_that_of_the_files(run_of: Callable) -> None:
    config = run_of()
    assert drawn_size(config, 481, 320) == (24, 16)
    assert drawn_size(config, 24, 20) == (24, 20)
    native = config.model_copy(update={"generate": config.generate.model_copy(update={"scale": "native"})})
    assert drawn_size(native, 481, 320) == (481, 320)


@pytest.mark.usefixtures("one_thread")
def test_generation_names_the_file_that_it_cannot_draw(run_of: Callable, tmp_path: Path) -> None:
    """Whoever calls it without asking first."""
    config = run_of((16, 24), (20, 24))
    labels, path = label_spec(config.read_palette(), config), tmp_path / "a.safetensors"
    generators = build_generators(config.train, Conditioning(labels, "rgb").domain)
    path.write_bytes(Snapshot.of(generators, labels, config.train, 8).to_bytes())
    prepared, snapshot = prepare_stage(config), SnapshotRef.of(path)
    shards = plan_stage(config, prepared, snapshot).to_do
    with pytest.raises(BadImageError, match=r"segTrain/1\.png.* it has 24 x 20 px"):
        for shard in shards:
            Generation(config, snapshot).run(shard, ShardFiles.of(shard, prepared), lambda: None)
