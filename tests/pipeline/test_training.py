"""Training: to the end, or a reason."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gan.training_state import CheckpointMismatch
from pipeline.config import ConfigError, RunConfig
from pipeline.training import label_spec, train_run

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    return tiny_config(tmp_path)


def test_noise_that_confuses_classes_is_one_sentence(tmp_path: Path, tiny_config: Callable) -> None:
    config = tiny_config(tmp_path, noise={"amount": 1})
    with pytest.raises(ConfigError, match=r"noise.amount 1 turns .* the largest amount .*[^.]\.$"):
        label_spec(config.read_palette(), config)


def test_a_run_trains_resumes_and_ends(
    tmp_path: Path, tiny_config: Callable, config: RunConfig, paths: tuple
) -> None:
    longer = tiny_config(tmp_path, train={"total_images": 12})
    first = train_run(config, *paths)
    assert first.name == "snapshot-00000008.safetensors"
    assert (config.run_dir / "config.yaml").exists()
    last = train_run(longer, *paths)
    assert last.name == "snapshot-00000012.safetensors"

    # Shortened to what a snapshot is there for, that one is the run's; to less than that, too.
    assert train_run(tiny_config(tmp_path, train={"total_images": 10}), *paths) == last
    with pytest.raises(CheckpointMismatch, match="train.seed was 0 and is now 3"):
        train_run(tiny_config(tmp_path, train={"seed": 3}), *paths)

    # Without a snapshot, a run that is shortened below what it has seen takes one of what it has.
    for path in (config.run_dir / "snapshots").iterdir():
        path.unlink()
    assert train_run(config, *paths).name == last.name


def test_labels_without_photographs_are_refused_before_training(config: RunConfig, paths: tuple) -> None:
    train = config.train.model_copy(update={"paired": True})
    with pytest.raises(ConfigError, match="5 of 5 stems lack one"):
        train_run(config.model_copy(update={"train": train}), *paths)
    assert not config.run_dir.exists()


@pytest.mark.parametrize("method", ["cyclegan", "attention_cyclegan"])
def test_a_run_trains_on_pairs(tmp_path: Path, tiny_config: Callable, pairs: tuple, method: str) -> None:
    config = tiny_config(tmp_path / method, train={"method": method, "paired": True, "total_images": 4})
    train_run(config, *pairs)
    reports = (config.run_dir / "metrics.jsonl").read_text()
    assert "paired_a" in reports and "paired_b" in reports
