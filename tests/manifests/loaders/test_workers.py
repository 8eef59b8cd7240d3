"""DataLoader's own worker processes, map-style and iterable, as a training script starts them."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# In a process of its own: a fork of one in which a Prefect flow has run ends with an error of Prefect's, and
# spawned workers take seconds each to import torch.
SCRIPT = """
import sys
import torch
from torch.utils.data import DataLoader
from manifests.loaders.pairs import SamplePairs
from manifests.loaders.selection import Selection
from manifests.loaders.stream import SampleStream

def assert_same(batches, others):
    for one, other in zip(batches, others, strict=True):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])

selection = Selection(sys.argv[1])
workers = {"num_workers": 2, "multiprocessing_context": "fork", "batch_size": 4}
pairs = SamplePairs(selection)
assert_same(DataLoader(pairs, **workers), DataLoader(pairs, batch_size=4))

stream = SampleStream(selection, batch_size=4)
loader = DataLoader(stream, persistent_workers=True, **workers)
assert len(loader) == 4
epochs = []
for epoch, num_seen in ((0, 0), (1, 0), (1, 4)):
    stream.set_epoch(epoch, num_seen)
    epochs.append(list(loader))
    assert_same(epochs[-1], DataLoader(stream, batch_size=4))
assert_same(epochs[1][1:], epochs[2])
assert not torch.equal(epochs[0][0][0], epochs[1][0][0])
print("all is well")
"""


def test_workers_change_nothing(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, *(f"{number:02d}" for number in range(13)))
    command = [sys.executable, "-W", "error", "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout == "all is well\n", done.stderr
