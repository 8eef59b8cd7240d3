"""A tiny run, for the tests of its stages and of its commands, and a place that speaks S3."""

import logging
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
TINY = {
    "name": "tiny",
    "palette": str(ROOT / "configs" / "palettes" / "nubots.yaml"),
    "run_dir": "run",
    "output": "out",
    "scenes": {"num": 8, "num_photos": 5, "width": 24, "height": 16, "pitch": "robocup-spl"},
    "train": {
        "width": 24,
        "height": 16,
        "batch_size": 2,
        "total_images": 8,
        "generator": {"width": 4, "num_blocks": 1},
        "discriminator": {"width": 4, "num_layers": 1},
        "pool_images": 3,
        "num_preview": 2,
        "report_every_images": 2,
        "checkpoint_every_images": 4,
        "device": "cpu",
    },
    "generate": {"shard_labels": 3, "num_workers": 2},
    "evaluate": {
        "judge_width": 1,
        "judge_images": 2,
        "judge_batch_size": 2,
        "num_judges": 1,
        "training_labels": 2,
        "training_judge_images": 2,
    },
}


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = dict(base)
    for key, value in changes.items():
        is_section = isinstance(value, dict) and isinstance(base.get(key), dict)
        both[key] = _merged(base[key], value) if is_section else value
    return both


@pytest.fixture(scope="session")
def tiny_file() -> Callable[..., Path]:
    """Write the YAML of a tiny run into a folder, sections changed as asked."""

    def write(folder: Path, **changes: Any) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "tiny.yaml"
        path.write_text(yaml.safe_dump(_merged(TINY, changes)))
        return path

    return write


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on more threads, by far where other work runs beside them."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """A local server that speaks S3."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # or it says each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URL of an empty bucket, which this process and its children can reach."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"bucket-{secrets.token_hex(6)}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return f"s3://{name}"
