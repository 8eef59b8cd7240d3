"""Benchmark: loading a published dataset for training, beside the usual PIL loader and bare decoding.

All ways run in turn in one process, so that a busy machine slows them alike: read ratios. CPU seconds are
those of the process and of its workers. The workers are forked, so run it in a process of its own.
"""

import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.functional import to_tensor

from benchmarks.made_up_dataset import publish_pitches
from benchmarks.rows import Row
from benchmarks.timing import median_ratio, one_thread
from manifests.decoding import decode_image
from manifests.loaders.batches import BatchReader
from manifests.loaders.label_png import decode_label_fast
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.selection import Selection

__all__ = ["PilFolder", "rows", "run"]

SIZE_PX = 256
BATCH_SIZE = 32
NUM_WORKERS = 2
FULL = {"num_samples": 2000, "num_rounds": 5, "size_px": SIZE_PX}
SMOKE = {"num_samples": 48, "num_rounds": 1, "size_px": 64}
PIL_WAYS = ("PIL folder, 2 workers", "PIL with ids, 2 workers")


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: few small samples, read once by each way.

    Returns:
        "num_samples", "size_px", "num_rounds"; "num_read", the samples that each way read in all;
        "cpu_ms_per_sample" and "samples_per_second" by way; "ratios" by name.
    """
    size = SMOKE if smoke else FULL
    with one_thread(), tempfile.TemporaryDirectory(prefix="bench-loader-") as folder:
        publish_pitches(Path(folder), size["num_samples"], size["size_px"])
        return size | _measured(Path(folder), size["num_rounds"])


def rows(found: dict[str, Any]) -> list[Row]:
    """B11."""
    ratios, bare = found["ratios"], "bare decode, 1 thread"
    least = f"bare decoding itself: {ratios[f'CPU of {PIL_WAYS[0]} / {bare}']:.1f} x"
    less = [
        Row(
            id="B11",
            what=f"{way}: less CPU than {peer}",
            value=ratios[f"CPU of {peer} / {way}"],
            unit="x",
            goal=8 if peer == PIL_WAYS[0] and way.startswith("Batch") else None,
            note=least if way.startswith("Batch") and peer == PIL_WAYS[0] else "",
        )
        for peer in PIL_WAYS
        for way in ("BatchReader, 1 thread", "BatchReader, 2 threads", "SamplePairs, 2 workers")
    ]
    shares = [
        Row(
            id="B11",
            what=f"BatchReader, {threads}: share of bare decoding's {kind}",
            value=100 * ratios[f"{kind} of BatchReader / bare decode, {threads}"],
            unit="%",
            goal=goal,
        )
        for kind, goal in (("rate", 85), ("rate by CPU", None))
        for threads in ("1 thread", "2 threads")
    ]
    return less + shares


def _measured(root: Path, num_rounds: int) -> dict[str, Any]:
    selection = Selection(root)
    cpu, wall, num_read = _in_turn(_ways(root, selection), num_rounds)
    num = len(selection)
    return {
        "num_read": num_read,
        "cpu_ms_per_sample": {name: statistics.median(taken) / num * 1000 for name, taken in cpu.items()},
        "samples_per_second": {name: num / statistics.median(taken) for name, taken in wall.items()},
        "ratios": _ratios(cpu, wall),
    }


def _ways(root: Path, selection: Selection) -> dict[str, Callable[[], int]]:
    """By name; each goes through all samples and says how many it saw."""
    folder, folder_of_ids = PilFolder(root, selection), PilFolder(root, selection, has_ids=True)
    contents = [tuple(path.read_bytes() for path in pair) for pair in folder.paths]
    ways = {
        PIL_WAYS[0]: lambda: _count(_loader(folder)),
        PIL_WAYS[1]: lambda: _count(_loader(folder_of_ids)),
        "SamplePairs, 2 workers": lambda: _count(_loader(SamplePairs(selection))),
    }
    for num, threads in ((1, "1 thread"), (2, "2 threads")):
        reader = BatchReader(selection, batch_size=BATCH_SIZE, num_threads=num)
        ways[f"BatchReader, {threads}"] = lambda reader=reader: _count(reader)
        ways[f"bare decode, {threads}"] = lambda num=num: _decode_in_threads(contents, num)
    return ways


def _loader(dataset: Dataset) -> Iterable[Any]:
    return DataLoader(
        dataset,
        batch_size=BATCH_SIZE,
        shuffle=True,
        num_workers=NUM_WORKERS,
        multiprocessing_context="fork",
    )


def _ratios(cpu: dict[str, list[float]], wall: dict[str, list[float]]) -> dict[str, float]:
    ours = ("SamplePairs, 2 workers", "BatchReader, 1 thread", "BatchReader, 2 threads")
    ratios = {
        f"CPU of {peer} / {one}": median_ratio(cpu, peer, one)
        for peer in PIL_WAYS
        for one in (*ours, "bare decode, 1 thread")
    }
    for threads in ("1 thread", "2 threads"):
        reader, bare = f"BatchReader, {threads}", f"bare decode, {threads}"
        ratios[f"rate of BatchReader / {bare}"] = median_ratio(wall, bare, reader)
        ratios[f"rate by CPU of BatchReader / {bare}"] = median_ratio(cpu, bare, reader)
    return ratios


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


def _in_turn(
    ways: dict[str, Callable[[], int]], num_rounds: int
) -> tuple[dict[str, list[float]], dict[str, list[float]], dict[str, int]]:
    """CPU seconds, workers included, and seconds of each way in each round, run in turn; and how many samples
    each read in all."""
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    num_read = dict.fromkeys(ways, 0)
    for _ in range(num_rounds):
        for name, way in ways.items():
            before, start = _cpu_seconds(), time.perf_counter()
            num_read[name] += way()
            wall[name].append(time.perf_counter() - start)
            cpu[name].append(_cpu_seconds() - before)
    return cpu, wall, num_read


def _cpu_seconds() -> float:
    """Of this process, and of its workers that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)
