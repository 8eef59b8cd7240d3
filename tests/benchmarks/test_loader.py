"""The loaders' benchmark runs at a small size, and all of its ways read the same pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.loader import SMOKE, PilFolder, rows
from benchmarks.made_up_dataset import publish_pitches
from benchmarks.materials import PALETTE
from manifests.decoding import decode_image, decode_label
from manifests.loaders.batches import BatchReader
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.selection import Selection
from manifests.verification.verify import verify
from pipeline.palette import load_palette


def test_it_runs(run_smoke: Callable[[str], dict[str, Any]]) -> None:
    """In a process of its own: its loaders fork, which threads of other tests do not survive."""
    found = run_smoke("loader")
    assert {name: found[name] for name in SMOKE} == SMOKE
    assert found["num_read"] == dict.fromkeys(found["cpu_ms_per_sample"], SMOKE["num_samples"])
    for measured in ("cpu_ms_per_sample", "samples_per_second", "ratios"):
        assert min(found[measured].values()) > 0
    goals = [row.goal for row in rows(found)]
    assert goals.count(8) == goals.count(85) == 2 and len(goals) == 10


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
