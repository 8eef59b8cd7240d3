"""Benchmark: loading a published dataset for training, against the usual PIL loader and bare decoding.

All ways run alternately in one process, so that a busy machine slows them alike: read ratios. CPU time is
that of the process and of its workers. `--smoke` runs a small size, to see that everything works.
"""

import argparse
import hashlib
import json
import os
import platform
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.functional import to_tensor

from manifests.commit import commit
from manifests.decoding import decode_image
from manifests.loaders.batches import BatchReader
from manifests.loaders.label_png import decode_label_fast
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.selection import Selection
from manifests.schema import SampleRecord, to_table
from pipeline.images import encode_jpeg, encode_label_png, write_file
from pipeline.palette import Palette, load_palette

__all__ = ["PilFolder", "publish_pitches", "run"]

SIZE_PX = 256
BATCH_SIZE = 32
NUM_WORKERS = 2
JPEG_QUALITY = 95
PALETTE = Path(__file__).parents[1] / "configs" / "palettes" / "nubots.yaml"
SMOKE = {"num_samples": 48, "num_rounds": 1, "size_px": 64}


def run(*, num_samples: int = 2000, num_rounds: int = 5, size_px: int = SIZE_PX) -> dict[str, Any]:
    """Measure all; the answer is fit for JSON.

    Args:
        num_samples: of the dataset that is drawn, published and read.
        num_rounds: how often each way goes through it; medians count.
        size_px: width and height of the pictures.

    Returns:
        "cpu_ms_per_sample" and "samples_per_second" by way, "ratios" by name, and what it was measured on.
    """
    num_threads = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder:
            publish_pitches(Path(folder), num_samples, size_px)
            return _machine() | _measured(Path(folder), num_rounds)
    finally:
        cv2.setNumThreads(num_threads[0])
        torch.set_num_threads(num_threads[1])


def publish_pitches(root: Path, num_samples: int, size_px: int) -> None:
    """Publish drawn pitches: JPEG pictures, and labels as palette PNGs."""
    palette = load_palette(PALETTE)
    records = []
    for number in range(num_samples):
        label_map = _pitch(number, size_px)
        image = encode_jpeg(_picture(label_map, palette, number), JPEG_QUALITY)
        label = encode_label_png(label_map, palette)
        record = _record(number, image, label, label_map, palette.num_classes)
        write_file(root / record.image_file_name, image)
        write_file(root / record.label_file_name, label)
        records.append(record)
    commit(root, to_table(records, palette=palette.model_dump(mode="json")))


def _measured(root: Path, num_rounds: int) -> dict[str, Any]:
    selection = Selection(root)
    folder, folder_of_ids = PilFolder(root, selection), PilFolder(root, selection, has_ids=True)
    contents = [tuple(path.read_bytes() for path in pair) for pair in folder.paths]

    def loader(dataset: Dataset) -> Iterable[Any]:
        return DataLoader(
            dataset,
            batch_size=BATCH_SIZE,
            shuffle=True,
            num_workers=NUM_WORKERS,
            multiprocessing_context="fork",
        )

    ways: dict[str, Callable[[], Any]] = {
        "PIL folder, 2 workers": lambda: _count(loader(folder)),
        "PIL with ids, 2 workers": lambda: _count(loader(folder_of_ids)),
        "SamplePairs, 2 workers": lambda: _count(loader(SamplePairs(selection))),
    }
    readers = {num: BatchReader(selection, batch_size=BATCH_SIZE, num_threads=num) for num in (1, 2)}
    for num, reader in readers.items():
        ways[f"BatchReader, {num} thread{'s'[: num - 1]}"] = lambda reader=reader: _count(reader)
        ways[f"bare decode, {num} thread{'s'[: num - 1]}"] = lambda num=num: _decode_in_threads(contents, num)
    cpu, wall = _seconds(ways, num_rounds)
    ratios = {
        f"CPU of {peer} / {one}": _ratio(cpu, peer, one)
        for peer in ("PIL folder, 2 workers", "PIL with ids, 2 workers")
        for one in (
            "SamplePairs, 2 workers",
            "BatchReader, 1 thread",
            "BatchReader, 2 threads",
            "bare decode, 1 thread",
        )
    }
    for threads in ("1 thread", "2 threads"):
        reader, bare = f"BatchReader, {threads}", f"bare decode, {threads}"
        ratios[f"rate of {reader} / {bare}"] = _ratio(wall, bare, reader)
        ratios[f"CPU of {bare} / {reader}"] = _ratio(cpu, bare, reader)
    return {
        "num_samples": len(selection),
        "size_px": selection.sizes[0].tolist(),
        "num_rounds": num_rounds,
        "cpu_ms_per_sample": {
            name: statistics.median(seconds) / len(selection) * 1000 for name, seconds in cpu.items()
        },
        "samples_per_second": {
            name: len(selection) / statistics.median(seconds) for name, seconds in wall.items()
        },
        "ratios": ratios,
    }


def _ratio(seconds: dict[str, list[float]], one: str, other: str) -> float:
    """Median over the rounds, in each of which both met much the same machine."""
    return statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))


class PilFolder(Dataset):
    """The usual loader of the same files: for each sample PIL opens them and torchvision makes float tensors.

    Args:
        root: the dataset's folder.
        selection: which samples.
        has_ids: labels become class ids int64 [H, W], as where segmentation is learned; otherwise pictures
            float [3, H, W] as well, as ImageFolder and the loaders of image translation have them.
    """

    def __init__(self, root: Path, selection: Selection, *, has_ids: bool = False):
        names = zip(*(selection.file_names(kind) for kind in ("image", "label")), strict=True)
        self.paths = [(root / image, root / label) for image, label in names]
        self.has_ids = has_ids

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image_path, label_path = self.paths[index]
        with open(image_path, "rb") as file:
            image = to_tensor(Image.open(file).convert("RGB"))
        with open(label_path, "rb") as file:
            opened = Image.open(file)
            if self.has_ids:
                return image, torch.from_numpy(np.array(opened, np.int64))
            return image, to_tensor(opened.convert("RGB"))


def _count(batches: Iterable[Any]) -> int:
    return sum(len(batch[0]) for batch in batches)


def _decode_in_threads(contents: list[tuple[bytes, bytes]], num_threads: int) -> int:
    """The least that any loader must do: decode what is in memory already, and forget it."""

    def decode(part: list[tuple[bytes, bytes]]) -> None:
        for image, label in part:
            decode_image(image)
            decode_label_fast(label)

    threads = [
        threading.Thread(target=decode, args=(contents[first::num_threads],)) for first in range(num_threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(contents)


def _seconds(
    ways: dict[str, Callable[[], int]], num_rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """CPU seconds, workers included, and seconds of each way in each round, run in turn."""
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(num_rounds):
        for name, way in ways.items():
            before, start = _cpu_seconds(), time.perf_counter()
            way()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(_cpu_seconds() - before)
    return cpu, wall


def _cpu_seconds() -> float:
    """Of this process, and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _pitch(number: int, size_px: int) -> np.ndarray:
    """A label map of large flat areas with thin lines, as a pitch is: uint8 [size_px, size_px]."""
    rng = np.random.default_rng(number)
    label_map = np.full((size_px, size_px), 4, np.uint8)
    label_map[: size_px // 4 + int(rng.integers(0, size_px // 8))] = 0
    x, y = (int(value) for value in rng.integers(size_px // 4, size_px * 3 // 4, 2))
    thin = max(size_px // 100, 1)
    cv2.ellipse(label_map, (x, y), (size_px // 4, size_px // 14), 0, 0, 360, 5, thin)
    cv2.line(label_map, (0, size_px // 3), (size_px - 1, y), 5, thin)
    cv2.line(label_map, (x, size_px // 3), (size_px // 5, size_px - 1), 5, thin)
    cv2.rectangle(label_map, (x, y // 2), (x + size_px // 8, y), 3, -1)
    cv2.rectangle(label_map, (size_px // 12, size_px // 7), (size_px // 3, size_px // 4), 2, thin)
    cv2.circle(label_map, (y, x), size_px // 28, 1, -1)
    return label_map


def _picture(label_map: np.ndarray, palette: Palette, number: int) -> np.ndarray:
    """The label's colours, softened, under uneven light and a little grain: uint8 [H, W, 3] RGB."""
    rng = np.random.default_rng(number)
    height, width = label_map.shape
    picture = cv2.GaussianBlur(palette.colors[label_map], (0, 0), 1.2)
    light = cv2.resize(rng.integers(0, 60, (height // 4, width // 4, 3), dtype=np.uint8), (width, height))
    return cv2.add(cv2.add(picture, light), rng.integers(0, 8, picture.shape, dtype=np.uint8))


def _record(number: int, image: bytes, label: bytes, label_map: np.ndarray, num_classes: int) -> SampleRecord:
    name = f"{number:06d}"
    digest = hashlib.sha256(name.encode()).hexdigest()
    folder = f"{number // 1000:04d}"
    return SampleRecord(
        sample_id=name,
        image_file_name=f"images/{folder}/{name}.jpg",
        label_file_name=f"labels/{folder}/{name}.png",
        width=label_map.shape[1],
        height=label_map.shape[0],
        image_bytes=len(image),
        label_bytes=len(label),
        image_sha256=hashlib.sha256(image).hexdigest(),
        label_sha256=hashlib.sha256(label).hexdigest(),
        source_set="drawn",
        source_label=f"{name}.png",
        source_sha256=digest,
        source_part="train",
        split="train",
        class_pixel_counts=tuple(np.bincount(label_map.ravel(), minlength=num_classes).tolist()),
        mask_coverage=1.0,
        seed=0,
        variant=0,
        method="drawn",
        snapshot_name="none",
        snapshot_sha256=digest,
        config_sha256=digest,
        accepted=True,
        seg2real_version="none",
        torch_version=torch.__version__,
    )


def _machine() -> dict[str, Any]:
    packages = ("numpy", "opencv-python", "pillow", "pyarrow", "torch", "torchvision")
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} {_processor()}".strip(),
        "num_cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
    }


def _processor() -> str:
    """The model's name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _as_table(result: dict[str, Any]) -> str:
    rates = result["samples_per_second"]
    lines = [f"{'':28}{'CPU ms/sample':>14}{'samples/s':>12}"]
    lines += [
        f"{name:28}{cpu_ms:14.3f}{rates[name]:12.0f}" for name, cpu_ms in result["cpu_ms_per_sample"].items()
    ]
    lines += [f"{name:60}{ratio:8.2f}" for name, ratio in result["ratios"].items()]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="a small size, whose figures mean nothing")
    parser.add_argument("--rounds", type=int, default=5, help="how often each way is run (default 5)")
    arguments = parser.parse_args()
    measured = run(**SMOKE) if arguments.smoke else run(num_rounds=arguments.rounds)
    print(_as_table(measured))
    print(json.dumps(measured))
