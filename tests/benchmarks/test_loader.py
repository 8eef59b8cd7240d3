"""The loaders' benchmark runs at a small size, and all of its ways read the same pixels."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.loader import PALETTE, SMOKE, PilFolder, publish_pitches
from manifests.decoding import decode_image, decode_label
from manifests.loaders.batches import BatchReader
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.selection import Selection
from manifests.verification.verify import verify
from pipeline.palette import load_palette


def test_it_runs() -> None:
    """In a process of its own: its loaders fork, which threads of other tests do not survive."""
    command = [sys.executable, "-m", "benchmarks.loader", "--smoke"]
    ran = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert result["num_samples"] == SMOKE["num_samples"]
    for measured in ("cpu_ms_per_sample", "samples_per_second", "ratios"):
        assert min(result[measured].values()) > 0


def test_all_ways_read_the_same_pixels(tmp_path: Path) -> None:
    publish_pitches(tmp_path, 7, 64)
    assert verify(tmp_path, deep=True).is_ok
    selection = Selection(tmp_path)
    pairs = SamplePairs(selection)
    folder, folder_of_ids = PilFolder(tmp_path, selection), PilFolder(tmp_path, selection, has_ids=True)
    colors = torch.from_numpy(load_palette(PALETTE).colors)
    num_seen = 0
    for batch in BatchReader(selection, batch_size=4, num_threads=2):
        for image, mask, index in zip(batch.images, batch.masks, batch.indices.tolist(), strict=True):
            stored = [tmp_path / selection.file_names(kind)[index] for kind in ("image", "label")]
            assert np.array_equal(image, decode_image(stored[0].read_bytes()))
            assert np.array_equal(mask, decode_label(stored[1].read_bytes()))
            assert torch.equal(pairs[index][0].permute(1, 2, 0), torch.from_numpy(image))
            assert torch.equal(pairs[index][1], torch.from_numpy(mask))
            # The usual loader's floats are the same pixels, of a decoder that may round them otherwise.
            usual_image, usual_label = folder_of_ids[index]
            assert torch.equal(usual_label, torch.from_numpy(mask).long())
            levels = usual_image.permute(1, 2, 0) * 255 - torch.from_numpy(image)
            assert levels.abs().max() <= 1.01
            assert torch.equal(folder[index][0], usual_image)
            assert torch.allclose(folder[index][1].permute(1, 2, 0) * 255, colors[usual_label].float())
            num_seen += 1
    assert num_seen == 7
