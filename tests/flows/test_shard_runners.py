"""Generation on a cluster's workers: the bytes are those of one machine."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.generate_soccer_dataset import generate_soccer_dataset
from flows.parameters import UsageError
from manifests.manifest import Manifest
from manifests.verification.verify import verify
from pipeline.config import ConfigError, load_config
from pipeline.run import run


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


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("runner", ["ray", "dask"])
def test_a_local_cluster_draws_the_same_bytes(
    alone: Path, tmp_path: Path, environment: dict[str, str], runner: str
) -> None:
    """In a process of its own: clusters leave threads behind, beside which other tests cannot fork."""
    from prefect.settings import PREFECT_API_URL

    pytest.importorskip(f"prefect_{runner}")
    output = tmp_path / "out"
    with tempfile.TemporaryDirectory(dir="/tmp") as short:  # Ray's sockets lie there: 107 bytes at most
        own = {"PREFECT_API_URL": PREFECT_API_URL.value(), "TMPDIR": str(tmp_path), "RAY_TMPDIR": short}
        ran = subprocess.run(
            [
                *(sys.executable, "-c", "from flows.cli import main; main()", "run", "--flow", str(alone)),
                *(f"output={output}", f"flow.runner={runner}"),
            ],
            env=environment | own,
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    assert "version 1, 8 images, 8 of them new" in ran.stdout
    assert verify(output).is_ok
    assert _bytes(output) == _bytes(alone.parent / "out")
    assert len({Path(name).parts[1] for name in _bytes(output)}) == 3  # shards


@pytest.mark.usefixtures("prefect_server")
def test_a_package_that_is_missing_is_named(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    with pytest.raises(UsageError, match=r"needs the package prefect-ray; install seg2real\[ray\]"):
        generate_soccer_dataset(alone, {"output": tmp_path / "out", "flow": {"runner": "ray"}})


def test_settings_of_a_cluster_need_one(tiny_file: Callable[..., Path], tmp_path: Path) -> None:
    for settings in ({"runner_address": "tcp://scheduler:8786"}, {"gpus_per_shard": 1}):
        with pytest.raises(ConfigError, match="runner 'threads' has no runner_address"):
            load_config(tiny_file(tmp_path, flow=settings))
