"""Generation on a cluster's workers: the bytes are those of one machine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from flows.generate_soccer_dataset import generate_soccer_dataset
from flows.parameters import UsageError
from manifests.manifest import Manifest
from manifests.verification.verify import verify
from pipeline.config import ConfigError, load_config
from pipeline.run import run

pytestmark = pytest.mark.usefixtures("prefect_server")


def _bytes(output: Path) -> dict[str, bytes]:
    names = [
        name for row in Manifest.open(output).records for name in (row.image_file_name, row.label_file_name)
    ]
    return {name: (output / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def alone(tiny_file: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """The config of a run that was made without any cluster."""
    path = tiny_file(tmp_path_factory.mktemp("alone"))
    run(load_config(path))
    return path


@pytest.mark.filterwarnings("ignore")  # of the clusters, about themselves
@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_a_local_cluster_draws_the_same_bytes(
    alone: Path, tmp_path: Path, runner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(f"prefect_{runner}")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    output = tmp_path / "out"
    result = generate_soccer_dataset(alone, {"output": output, "flow": {"runner": runner}})
    assert (result.version, result.num_generated) == (1, 8)
    assert verify(output).is_ok
    assert _bytes(output) == _bytes(alone.parent / "out")
    shards = {Path(name).parts[1] for name in _bytes(output)}
    assert len(shards) == 3


def test_a_package_that_is_missing_is_named(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    with pytest.raises(UsageError, match=r"needs the package prefect-ray; install seg2real\[ray\]"):
        generate_soccer_dataset(alone, {"output": tmp_path / "out", "flow": {"runner": "ray"}})


def test_settings_of_a_cluster_need_one(tiny_file: Callable[..., Path], tmp_path: Path) -> None:
    for settings in ({"runner_address": "tcp://scheduler:8786"}, {"gpus_per_shard": 1}):
        with pytest.raises(ConfigError, match="runner 'threads' has no runner_address"):
            load_config(tiny_file(tmp_path, flow=settings))
