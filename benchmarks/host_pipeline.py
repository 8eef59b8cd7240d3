"""Benchmark: all of a generation but its network, on one core, beside the usual PIL way.

The generator is a null one: it answers at once, with its label's colours made a picture (softened, under
uneven light, with some grain), so that what is encoded compresses as pictures do. Where networks run on a
GPU, conditioning runs there too: what is left to the host then is measured as well. CPU seconds of the whole
process count, and files lie in memory where the system has a folder for that.

Ours reads, checks and decodes labels, draws noise, conditions, encodes pictures and labels, hashes and writes
both durably, and stages the rows. The usual way opens labels with PIL, makes float tensors of them and
pictures of the network's answer, and saves these as PNG; with its mask, or without.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.materials import PALETTE, made_up_label, made_up_picture
from benchmarks.null_generation import NO_FILE, null_generation
from benchmarks.peer_host import PeerHost
from benchmarks.rows import Row
from benchmarks.timing import median_ratio, one_thread, seconds_in_turn
from manifests.schema import SampleRecord
from pipeline.config import RunConfig
from pipeline.generate import Generation, ShardFiles
from pipeline.images import encode_label_png, read_image, read_label, write_file
from pipeline.palette import Palette, load_palette
from pipeline.prepare import Prepared, prepare
from pipeline.shards import Shard, wanted_samples
from pipeline.staging import read_staged

__all__ = ["rows", "run"]

SIZE_PX = 256
NUM_LABELS, NUM_ROUNDS = 48, 5
SMOKE_LABELS, SMOKE_ROUNDS = 3, 1
NUM_LOOP_LABELS = 8
"""That the pixel loop goes through: it takes a second for a dozen."""
OURS = {
    "JPEG q95": ("jpg", False),
    "PNG": ("png", False),
    "JPEG q95, conditioned elsewhere": ("jpg", True),
    "PNG, conditioned elsewhere": ("png", True),
}
"""By name: the format, and whether conditioning is a device's work and not measured."""
MEMORY = "/dev/shm"
USUAL, USUAL_MASK = "usual, without mask", "usual, pixel-loop mask"


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: few labels, once.

    Returns:
        "num_labels", "size_px"; "images_per_second" of a core by way; "ratios" to the usual ways;
        "bytes_per_image" of each way of ours; "label_maps_wrong", of the labels that it wrote, and
        "max_levels_apart", of its PNG and the usual one.
    """
    num_labels, num_rounds = (SMOKE_LABELS, SMOKE_ROUNDS) if smoke else (NUM_LABELS, NUM_ROUNDS)
    memory = MEMORY if os.path.isdir(MEMORY) else None
    with one_thread(), tempfile.TemporaryDirectory(prefix="bench-host-", dir=memory) as folder:
        root = Path(folder)
        labels, usual_output = root / "set" / "segTrain", root / "usual"
        _write_labels(labels, num_labels)
        ours = {
            name: _Ours(root, name, image_format, on_device=on_device)
            for name, (image_format, on_device) in OURS.items()
        }
        usual_output.mkdir()
        answers = [_as_answer(_made_up_picture(number)) for number in range(num_labels)]
        usual = PeerHost(sorted(labels.iterdir()), answers, usual_output)
        num_loop = min(NUM_LOOP_LABELS, num_labels)
        ways = {name: one.generate for name, one in ours.items()} | {
            USUAL: lambda: usual.generate(num_labels),
            USUAL_MASK: lambda: usual.generate(num_loop, has_mask=True),
        }
        seconds = seconds_in_turn(ways, num_rounds, time.process_time)
        num_images = dict.fromkeys(ways, num_labels) | {USUAL_MASK: num_loop}
        return {
            "num_labels": num_labels,
            "size_px": SIZE_PX,
            **_speeds(seconds, num_images, list(ours)),
            "num_images": {name: len(one.images()) for name, one in ours.items()},
            "bytes_per_image": {name: one.bytes_per_image() for name, one in ours.items()},
            "label_maps_wrong": {name: one.label_maps_wrong() for name, one in ours.items()},
            "max_levels_apart": _max_levels_apart(usual_output, ours["PNG"].images()),
        }


def rows(found: dict[str, Any]) -> list[Row]:
    """B5."""
    speeds, ratios = found["images_per_second"], found["ratios"]
    goals = {"JPEG q95": 550, "PNG": 300}
    made = [
        Row(
            id="B5",
            what=f"null generator, {name}, one core",
            value=speeds[name],
            unit="images/s",
            goal=goals.get(name),
            note=f"{found['bytes_per_image'][name] / 1000:.1f} kB an image",
        )
        for name in OURS
    ]
    made += [
        Row(
            id="B5",
            what=f"null generator, {name}, beside {usual}",
            value=ratios[f"{name} / {usual}"],
            unit="x",
            goal=goal if name == "JPEG q95" else None,
        )
        for usual, goal in ((USUAL_MASK, 40), (USUAL, 8))
        for name in OURS
    ]
    return made


def _write_labels(folder: Path, num_labels: int) -> None:
    """Made-up labels as the project stores them: palette PNGs of SIZE_PX x SIZE_PX."""
    palette = load_palette(PALETTE)
    for number in range(num_labels):
        label = encode_label_png(made_up_label(number, SIZE_PX), palette)
        write_file(folder / f"{number:05d}.png", label)


class _NullTranslator:
    """In the place of a translator, whose work a device does: pictures uint8 [H, W, 3] in turn."""

    needs_photos = needs_renders = False

    def __init__(self, pictures: Sequence[np.ndarray]):
        self._pictures = cycle(pictures)

    def translate(self, label_maps: np.ndarray, *_others: np.ndarray | None) -> list[np.ndarray]:
        return [next(self._pictures) for _ in label_maps]


class _Ours:
    """This project's generation of all labels as one shard.

    Args:
        root: with the labels in set/segTrain.
        name: of its output.
        image_format: "jpg" or "png".
        on_device: True = what a translator does is not measured.
    """

    def __init__(self, root: Path, name: str, image_format: str, *, on_device: bool):
        self._config = _config(root, name.replace(" ", "-"), image_format)
        self._palette = self._config.read_palette()
        self._prepared = _prepared(self._config, self._palette)
        wanted = wanted_samples(self._config, self._palette, self._prepared.records, NO_FILE)
        self._shard = Shard(0, tuple(wanted))
        pictures = [_made_up_picture(_number(sample)) for sample in wanted]
        if on_device:
            self._generation = Generation(self._config, NO_FILE, _NullTranslator(pictures))
        else:
            answers = [_as_answer(picture) for picture in pictures]
            self._generation = null_generation(self._config, answers=answers)

    def generate(self) -> None:
        files = ShardFiles.of(self._shard, self._prepared)
        self._generation.run(self._shard, files, lambda: None)

    def images(self) -> dict[int, np.ndarray]:
        """By the number of its label: uint8 [H, W, 3]."""
        return {
            _number(sample): read_image(self._config.output / sample.image_file_name)
            for sample in self._rows()
        }

    def bytes_per_image(self) -> float:
        return statistics.mean(sample.image_bytes for sample in self._rows())

    def label_maps_wrong(self) -> int:
        """Labels that were written otherwise than they were made up."""
        return sum(
            not np.array_equal(
                read_label(self._config.output / sample.label_file_name, self._palette),
                made_up_label(_number(sample), SIZE_PX),
            )
            for sample in self._rows()
        )

    def _rows(self) -> list[SampleRecord]:
        [staged] = read_staged(self._config.output)
        return staged.records()


def _max_levels_apart(folder: Path, images: dict[int, np.ndarray]) -> int:
    """The largest difference of a folder's pictures from others of the same labels, in levels of 255."""
    return max(
        int(np.abs(read_image(folder / f"{number:05d}.png").astype(int) - image).max())
        for number, image in images.items()
    )


def _number(sample: SampleRecord) -> int:
    """Of a sample's label, which is its file's name."""
    return int(Path(sample.source_label).stem)


def _made_up_picture(number: int) -> np.ndarray:
    return made_up_picture(made_up_label(number, SIZE_PX), load_palette(PALETTE), number)


def _as_answer(picture: np.ndarray) -> Tensor:
    """uint8 [H, W, 3] -> float [1, 3, H, W] in [-1, 1]."""
    return torch.from_numpy(picture).permute(2, 0, 1)[None].contiguous() / 127.5 - 1


def _config(root: Path, name: str, image_format: str) -> RunConfig:
    values = {
        "name": "host",
        "palette": PALETTE,
        "run_dir": "run",
        "output": name,
        "sources": {"labels": "set"},
        "noise": {"amount": 0.3},
        "train": {"width": SIZE_PX, "height": SIZE_PX, "device": "cpu", "precision": "fp32"},
        "generate": {"image_format": image_format, "num_workers": 1},
    }
    return RunConfig.model_validate(values, context={"base": root})


def _prepared(config: RunConfig, palette: Palette) -> Prepared:
    """The labels, as the project checks them before it draws."""
    return prepare(
        config.sources,
        palette,
        cache=config.run_dir / "sources.json",
        quarantine=config.output / "_quarantine",
        needs_photos=False,
    )


def _speeds(
    seconds: dict[str, list[float]], num_images: dict[str, int], ours: Sequence[str]
) -> dict[str, Any]:
    """Images per CPU second of each way, and how many times fewer CPU seconds ours take for an image."""

    def ratio(usual: str, one: str) -> float:
        return median_ratio(seconds, usual, one) * num_images[one] / num_images[usual]

    return {
        "images_per_second": {
            name: num_images[name] / statistics.median(taken) for name, taken in seconds.items()
        },
        "ratios": {f"{one} / {usual}": ratio(usual, one) for one in ours for usual in (USUAL, USUAL_MASK)},
    }
