"""Benchmark: the whole process that draws images for labels, beside the usual script.

Ours is the command `seg2real generate`: it checks sources, loads a snapshot, draws, encodes, writes durably,
publishes a version and draws its page. The usual script imports torch and PIL, loads weights, and draws one
PNG after the other in eager float32. Both have the same labels and the same weights, and two threads.
"""

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import yaml

from benchmarks.generator import computes_in_bf16, generator_config
from benchmarks.materials import PALETTE, made_up_label, spec_of
from benchmarks.peers import PeerGenerator, copy_weights
from benchmarks.rows import Row
from benchmarks.start_up import ENTRY, measure_process
from benchmarks.timing import median_ratio
from gan.conditioning import Conditioning
from gan.methods.registry import build_method
from gan.snapshot import Snapshot
from manifests.reader import read_records
from pipeline.config import RunConfig, load_config
from pipeline.images import encode_label_png, read_image, read_label, write_file
from pipeline.palette import load_palette
from pipeline.snapshot_files import describe

__all__ = ["SMOKE", "rows", "run"]

THREADS = {"OMP_NUM_THREADS": "2"}
SCRIPT = """
import sys
from pathlib import Path
import torch
from benchmarks.peers import PeerGenerator, peer_generate
weights, width, num_blocks, labels, output = sys.argv[1:]
network = PeerGenerator(int(width), int(num_blocks))
network.load_state_dict(torch.load(weights))
peer_generate(network.eval(), sorted(Path(labels).iterdir()), Path(output), torch.device("cpu"))
"""
OURS, USUAL = "seg2real generate", "usual script"


class _Size(NamedTuple):
    num_labels: int
    size_px: int
    width: int
    num_blocks: int
    num_rounds: int


FULL = _Size(num_labels=24, size_px=256, width=64, num_blocks=9, num_rounds=3)
SMOKE = _Size(num_labels=3, size_px=64, width=8, num_blocks=1, num_rounds=1)


def run(smoke: bool = False) -> dict[str, Any]:
    """Measure all.

    Args:
        smoke: few labels, a small network, one round.

    Returns:
        The sizes; "seconds" and "cpu_seconds" of each process by way; "num_images" by way;
        "label_maps_wrong", of the labels that ours published; "max_levels_apart" of the pictures of both;
        "computes_in_bf16".
    """
    size = SMOKE if smoke else FULL
    with tempfile.TemporaryDirectory(prefix="bench-whole-") as folder:
        root = Path(folder)
        _prepare(root, size)
        found: dict[str, Any] = {"seconds": {OURS: [], USUAL: []}, "cpu_seconds": {OURS: [], USUAL: []}}
        for number in range(size.num_rounds):
            for way, command in _commands(root, size, number).items():
                measured = measure_process(command, THREADS)
                assert measured["exit_code"] == 0, f"{way} ended with {measured['exit_code']}"
                for kind in ("seconds", "cpu_seconds"):
                    found[kind][way].append(measured[kind])
        has_bf16 = computes_in_bf16(torch.device("cpu"))
        return size._asdict() | found | _compared(root) | {"computes_in_bf16": has_bf16}


def rows(found: dict[str, Any]) -> list[Row]:
    """B6."""
    num_labels, has_bf16 = found["num_labels"], found["computes_in_bf16"]
    note = "" if has_bf16 else "the goal is for a CPU that computes in bfloat16; this one does not"
    made = [
        Row(
            id="B6",
            what=f"whole process, {num_labels} images, {what}, beside the usual script",
            value=median_ratio(found[kind], USUAL, OURS),
            unit="x",
            goal=2.4 if has_bf16 and kind == "seconds" else None,
            note=note,
        )
        for kind, what in (("seconds", "wall clock"), ("cpu_seconds", "CPU"))
    ]
    made += [
        Row(
            id="B6",
            what=f"whole process, {num_labels} images, {way}",
            value=statistics.median(found["seconds"][way]),
            unit="s",
            note=f"CPU {statistics.median(found['cpu_seconds'][way]):.1f} s",
        )
        for way in (OURS, USUAL)
    ]
    return made


def _prepare(root: Path, size: _Size) -> None:
    """Labels, a run's config with its snapshot, and the same weights for the usual script."""
    palette = load_palette(PALETTE)
    for number in range(size.num_labels):
        label = encode_label_png(made_up_label(number, size.size_px), palette)
        write_file(root / "set" / "segTrain" / f"{number:05d}.png", label)
    generator = generator_config(size.width, size.num_blocks).model_dump(mode="json")
    values = {
        "name": "whole",
        "palette": str(PALETTE),
        "run_dir": "run",
        "output": "out",
        "sources": {"labels": "set"},
        "noise": {"amount": 0},
        "train": {"width": size.size_px, "height": size.size_px, "device": "cpu", "generator": generator},
        "evaluate": {"during_training": False},
    }
    (root / "whole.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    _write_weights(root, load_config(root / "whole.yaml"), size)


@torch.no_grad()
def _write_weights(root: Path, config: RunConfig, size: _Size) -> None:
    spec = spec_of(config.noise)
    method = build_method(config.train, Conditioning(spec, config.train.conditioning).domain)
    peer = PeerGenerator(size.width, size.num_blocks)
    copy_weights(peer, method.generators["ab"])
    torch.save(peer.state_dict(), root / "weights.pt")
    snapshot = Snapshot.of(method.generators, spec, config.train, config.train.total_images)
    path = config.run_dir / "snapshots" / f"snapshot-{config.train.total_images:08d}.safetensors"
    write_file(path, snapshot.to_bytes())
    write_file(path.with_suffix(".json"), describe(snapshot.info.model_dump(mode="json"), None))


def _commands(root: Path, size: _Size, number: int) -> dict[str, list[str]]:
    """Of a round, each with an output of its own and nothing remembered of the sources."""
    (root / "run" / "sources.json").unlink(missing_ok=True)
    usual = root / f"usual-{number}"
    usual.mkdir()
    sizes = [str(size.width), str(size.num_blocks)]
    output = f"output={root / f'out-{number}'}"
    return {
        USUAL: [
            *(sys.executable, "-c", SCRIPT, str(root / "weights.pt"), *sizes),
            *(str(root / "set" / "segTrain"), str(usual)),
        ],
        OURS: [sys.executable, "-c", ENTRY, "generate", str(root / "whole.yaml"), output],
    }


def _compared(root: Path) -> dict[str, Any]:
    """What both made in the first round, beside each other and beside the labels."""
    palette, usual, ours = load_palette(PALETTE), root / "usual-0", root / "out-0"
    records = list(read_records(ours))
    wrong = levels = 0
    for record in records:
        stem = Path(record.source_label).stem
        label_map = made_up_label(int(stem), record.width)
        wrong += not np.array_equal(read_label(ours / record.label_file_name, palette), label_map)
        pictures = read_image(ours / record.image_file_name), read_image(usual / f"{stem}.png")
        levels = max(levels, int(np.abs(pictures[0].astype(int) - pictures[1]).max()))
    return {
        "num_images": {OURS: len(records), USUAL: len(list(usual.iterdir()))},
        "label_maps_wrong": wrong,
        "max_levels_apart": levels,
    }
