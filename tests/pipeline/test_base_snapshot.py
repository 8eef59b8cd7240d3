"""A snapshot to start from has the run's classes and conditioning, or nothing is trained."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from gan.conditioning import Conditioning
from gan.methods.registry import build_generators
from gan.snapshot import Snapshot
from pipeline.base_snapshot import base_fault, base_sha256
from pipeline.config import ConfigError, RunConfig
from pipeline.training import label_spec, train_run
from pipeline.validate import validate

pytestmark = pytest.mark.usefixtures("one_thread")


def write_base(path: Path, config: RunConfig) -> bytes:
    """A snapshot of an untrained run."""
    labels = label_spec(config.read_palette(), config)
    generators = build_generators(config.train, Conditioning(labels, config.train.conditioning).domain)
    data = Snapshot.of(generators, labels, config.train, 8).to_bytes()
    path.write_bytes(data)
    return data


@pytest.fixture
def starting(tmp_path: Path, tiny_config: Callable) -> Callable[..., RunConfig]:
    """A tiny run that starts from base.safetensors."""

    def make(**changes: object) -> RunConfig:
        train = {"from_snapshot": "base.safetensors", **changes.pop("train", {})}
        return tiny_config(tmp_path, train=train, **changes)

    return make


def test_a_run_starts_from_a_snapshot_of_its_classes_and_conditioning(
    tmp_path: Path, starting: Callable, tiny_config: Callable
) -> None:
    config = starting(noise={"amount": 0.1}, train={"learning_rate": 1e-5})
    data = write_base(tmp_path / "base.safetensors", tiny_config(tmp_path))
    assert base_fault(config) is None
    assert base_sha256(config) == hashlib.sha256(data).hexdigest()
    assert base_fault(tiny_config(tmp_path)) is base_sha256(tiny_config(tmp_path)) is None


def test_other_classes_of_equal_number_are_refused(
    tmp_path: Path, starting: Callable, tiny_config: Callable, paths: tuple
) -> None:
    config = starting()
    text = config.palette.read_text()
    (tmp_path / "other.yaml").write_text(text.replace("name: ball", "name: orange"))
    other = tiny_config(tmp_path, palette=str(tmp_path / "other.yaml"))
    assert other.read_palette().num_classes == config.read_palette().num_classes
    write_base(tmp_path / "base.safetensors", other)
    refuses(config, paths, "other classes than those of .*nubots.yaml")


def test_another_conditioning_of_as_many_channels_is_refused(
    tmp_path: Path, starting: Callable, tiny_config: Callable, paths: tuple
) -> None:
    write_base(
        tmp_path / "base.safetensors",
        tiny_config(tmp_path, scenes=None, train={"conditioning": "render"}),
    )
    refuses(starting(), paths, "conditioning 'render', not 'rgb'")


def test_what_is_no_snapshot_is_refused(tmp_path: Path, starting: Callable, paths: tuple) -> None:
    refuses(starting(), paths, "No such file")
    (tmp_path / "base.safetensors").write_bytes(b"no snapshot")
    refuses(starting(), paths, "no usable snapshot")


def refuses(config: RunConfig, paths: tuple, why: str) -> None:
    """`validate` says so, and training does not begin."""
    (finding,) = (finding for finding in validate(config) if finding.code == "bad-base")
    assert (finding.severity, finding.path) == ("error", config.train.from_snapshot)
    with pytest.raises(ConfigError, match=rf"train.from_snapshot .*{why}"):
        train_run(config, *paths)
    assert not list(config.run_dir.glob("snapshots/*")) and not list(config.run_dir.glob("checkpoints/*"))
