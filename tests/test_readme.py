"""Each code block of the README's section "Use the dataset" runs, and finds what was published."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.made_up_dataset import publish_pitches
from manifests.loaders.batches import BatchReader
from manifests.loaders.samplers import EpochSampler
from manifests.loaders.selection import Selection

ROOT = Path(__file__).parent.parent
NUM_SAMPLES = 6
SECTION = re.search(
    r"^## Use the dataset\n(.*?)^## ",
    (ROOT / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)[1]
BLOCKS = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("readme") / "demo"
    publish_pitches(root, NUM_SAMPLES, 32)
    return root


def the_block(words: str) -> str:
    """The block that has these words."""
    found = [block for block in BLOCKS if words in block]
    assert len(found) == 1
    return found[0]


def made_local(block: str, dataset: Path) -> str:
    # Workers would take seconds each to start; tests/manifests/loaders/test_workers.py has them.
    assert "output/demo" in block
    return block.replace("output/demo", str(dataset)).replace("num_workers=4", "num_workers=0")


def run(words: str, dataset: Path) -> dict[str, Any]:
    """What the names of a block stand for after it was run."""
    names: dict[str, Any] = {}
    exec(made_local(the_block(words), dataset), names)
    return names


def run_apart(words: str, dataset: Path, *, check: str, start: str = "") -> None:
    """Run a block, and what comes before and after it, in a process and a home of their own: it leaves things
    behind."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(dataset.parent),
        "HF_HOME": str(dataset.parent / "hf"),
        "HF_HUB_OFFLINE": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    code = start + made_local(the_block(words), dataset) + check
    command = [sys.executable, "-W", "ignore", "-c", code, str(dataset)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "all is well", done.stderr


CHECK_PIXELS = f"""
import sys
import numpy
from manifests.loaders.selection import Selection

selection = Selection(sys.argv[1])
assert len(found) == len(selection) == {NUM_SAMPLES}
for index, row in enumerate(found):
    image, mask = selection.read(index)
    assert row["sample_id"] == selection.sample_ids[index].as_py()
    assert numpy.array_equal(row["image"], image) and numpy.array_equal(row["label"], mask)
print("all is well")
"""


def test_every_block_is_run_here() -> None:
    torch = ("SamplePairs", "SampleStream", "BatchReader")
    others = ("load_dataset", "to_hf", "pandas", "polars", "duckdb", "pyarrow.dataset", "ray.data")
    assert sorted(BLOCKS) == sorted(the_block(words) for words in (*torch, *others))


def test_torch_map_style(dataset: Path) -> None:
    names = run("SamplePairs", dataset)
    assert len(names["pairs"]) == NUM_SAMPLES and names["images"].shape == (NUM_SAMPLES, 3, 32, 32)


def test_torch_stream(dataset: Path) -> None:
    names = run("SampleStream", dataset)
    selection = Selection(dataset)
    sampler = EpochSampler(selection, seed=7)
    sampler.set_epoch(3)
    for image, mask, index in zip(names["images"], names["masks"], sampler, strict=True):
        pair = selection.read(index)
        assert np.array_equal(image.permute(1, 2, 0), pair.image) and np.array_equal(mask, pair.mask)


def test_fast_batches(dataset: Path) -> None:
    names = run("BatchReader", dataset)
    batch = next(iter(BatchReader(Selection(dataset), batch_size=32)))
    assert np.array_equal(names["images"].permute(0, 2, 3, 1), batch.images)
    assert np.array_equal(names["masks"], batch.masks) and names["state"] == {"epoch": 0, "num_batches": 1}


def test_hugging_face_by_its_own_loader(dataset: Path) -> None:
    run_apart("load_dataset", dataset, check="found = rows\n" + CHECK_PIXELS)


def test_hugging_face_by_ours(dataset: Path) -> None:
    rows = run("to_hf", dataset)["rows"]
    selection = Selection(dataset)
    assert len(rows) == NUM_SAMPLES
    for index, row in enumerate(rows):
        pair = selection.read(index)
        assert np.array_equal(row["image"], pair.image) and np.array_equal(row["label"], pair.mask)


def test_tables(dataset: Path) -> None:
    selection = Selection(dataset)
    ids = selection.sample_ids.to_pylist()
    assert run("pandas", dataset)["table"]["sample_id"].tolist() == ids
    assert sorted(run("polars", dataset)["largest"]["sample_id"]) == ids
    assert run("duckdb", dataset)["per_split"] == [("train", NUM_SAMPLES, 1.0)]
    table = run("pyarrow.dataset", dataset)["table"]
    assert table["class_pixel_counts"].to_pylist() == selection.class_pixel_counts().tolist()


def test_ray_data(dataset: Path) -> None:
    # The smallest Ray there is. Its own folder would outlive it, and its sockets want a short path.
    start = """
import tempfile, ray
folder = tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True)
ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, _temp_dir=folder.name)
"""
    check = "found = sorted(samples.take_all(), key=lambda row: row['sample_id'])\nray.shutdown()\n"
    run_apart("ray.data", dataset, start=start, check=check + CHECK_PIXELS)
