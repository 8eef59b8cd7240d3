"""What the tests of whole stages share: a warm process that calls the command line, a look at a dataset."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from manifests.reader import read_records
from manifests.schema import SampleRecord
from pipeline.config import RunConfig, load_config
from pipeline.images import encode_jpeg, encode_label_png
from pipeline.palette import Palette, load_palette
from pipeline.shards import Shard

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def tiny_config(tiny_file: Callable[..., Path]) -> Callable[..., RunConfig]:
    """The config of a tiny run in a folder."""
    return lambda folder, **changes: load_config(tiny_file(folder, **changes))


@pytest.fixture
def config(tmp_path: Path, tiny_config: Callable) -> RunConfig:
    """That of a tiny run in a folder of its own."""
    return tiny_config(tmp_path)


@pytest.fixture
def palette(config: RunConfig) -> Palette:
    return config.read_palette()


class Outcome(NamedTuple):
    """How a command ended."""

    code: int
    """Exit code; that of a signal is negative."""
    text: str
    """All it said."""


@pytest.fixture(scope="session")
def seg2real(
    tmp_path_factory: pytest.TempPathFactory, tiny_file: Callable[..., Path]
) -> Iterator[Callable[..., Outcome]]:
    """Call the command line in a process of its own, which has torch loaded already.

    `signals` = [(place, n, name), ...] sends a signal as a function is called for the n-th time, `limits` =
    [(place, n, bytes), ...] lets larger files fail from then on.
    """
    folder = tmp_path_factory.mktemp("warm")
    command = [sys.executable, Path(__file__).with_name("warm_process.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        open(folder / "stderr", "w") as stderr,
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=stderr, **pipes) as process,
    ):

        def ask(line: str) -> str:
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        def call(
            *arguments: object,
            signals: Sequence[tuple[str, int, str]] = (),
            limits: Sequence[tuple[str, int, int]] = (),
        ) -> Outcome:
            texts = [str(argument) for argument in arguments]
            return Outcome(
                *json.loads(ask(json.dumps({"arguments": texts, "signals": signals, "limits": limits})))
            )

        assert ask(str(tiny_file(folder))) == "ready", (folder / "stderr").read_text()
        yield call
        process.stdin.close()


class Published(NamedTuple):
    """What a dataset holds, to compare with another."""

    rows: list[dict[str, Any]]
    files: dict[str, str]
    """Path of each image and label -> sha256 of its bytes."""


@pytest.fixture(scope="session")
def published() -> Callable[[Path], Published]:
    """The rows of a dataset, and the hash of every file in its images/ and labels/, named or not."""

    def read(output: Path) -> Published:
        return Published(
            [asdict(record) for record in read_records(output)],
            {
                path.relative_to(output).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for kind in ("images", "labels")
                for path in sorted((output / kind).rglob("*"))
                if path.is_file()
            },
        )

    return read


@pytest.fixture(scope="session")
def finished() -> Callable[[Shard], list[SampleRecord]]:
    """The rows of a shard as if it had been drawn."""

    def finish(shard: Shard, sample: SampleRecord) -> SampleRecord:
        hashes = {kind: hashlib.sha256(f"{kind} {sample.sample_id}".encode()).hexdigest() for kind in "il"}
        return replace(
            sample,
            image_file_name=f"images/{shard.folder}/{sample.sample_id}.png",
            label_file_name=f"labels/{shard.folder}/{sample.sample_id}.png",
            width=8,
            height=6,
            image_bytes=10,
            label_bytes=5,
            image_sha256=hashes["i"],
            label_sha256=hashes["l"],
            class_pixel_counts=(8,) * 6,
            mask_coverage=0.5,
            accepted=True,
            seg2real_version="0",
            torch_version="2",
        )

    return lambda shard: [finish(shard, sample) for sample in shard.samples]


@pytest.fixture(scope="session")
def nubots() -> Palette:
    return load_palette(ROOT / "configs" / "palettes" / "nubots.yaml")


@pytest.fixture
def paths(tmp_path: Path, nubots: Palette) -> tuple[list[Path], list[Path]]:
    """Five labels and seven photographs, of several sizes; each photograph has a brightness of its own."""
    random = np.random.default_rng(0)
    labels, photos = [], []
    for number in range(5):
        labels.append(tmp_path / f"label-{number}.png")
        size = (20 + 7 * number, 30 + 5 * number)
        label_map = random.choice(np.array([0, 4, 5], np.uint8), size)
        label_map[:, : number + 1] = 4
        labels[-1].write_bytes(encode_label_png(label_map, nubots))
    for number in range(7):
        photos.append(tmp_path / f"photo-{number}.jpg")
        photo = np.full((50 - 4 * number, 40 + number, 3), 30 * number, np.uint8)
        photos[-1].write_bytes(encode_jpeg(photo, 100))
    return labels, photos


@pytest.fixture
def pairs(tmp_path: Path, nubots: Palette) -> tuple[list[Path], list[Path]]:
    """Five labels, and photographs that show at another resolution class 4 as red and class 0 as black."""
    random = np.random.default_rng(0)
    labels, photos = [], []
    for number in range(5):
        blocks = 4 * random.integers(0, 2, (6, 8)).astype(np.uint8)
        label_map = blocks.repeat(16, axis=0).repeat(16, axis=1)
        labels.append(tmp_path / f"{number}.png")
        labels[-1].write_bytes(encode_label_png(label_map, nubots))
        size = 8 * (1 + number % 3)
        photo = (blocks[..., None] // 4 * np.array([255, 0, 0])).astype(np.uint8)
        photos.append(tmp_path / f"{number}.jpg")
        photos[-1].write_bytes(encode_jpeg(photo.repeat(size, axis=0).repeat(size, axis=1), 100))
    return labels, photos[::-1]
