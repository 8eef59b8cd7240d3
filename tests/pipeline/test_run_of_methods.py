"""Every method goes the whole way on drawn scenes: from files to a dataset that verifies."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gan.methods.registry import METHODS
from manifests.reader import read_records
from manifests.verification.verify import verify
from pipeline.config import load_config
from pipeline.run import run

pytestmark = pytest.mark.usefixtures("one_thread")

SETTINGS = {
    "attentiongan": {"train": {"generator": {"num_masks": 2}}, "noise": {"amount": 0}},
    "uaggan": {"train": {"uaggan": {"attention_width": 4}}},
    "ugatit": {"train": {"ugatit": {"light": True, "global_layers": 4, "local_layers": 3}}},
}
"""What a method needs beside its name, or is too large without."""


@pytest.mark.parametrize("method", METHODS)
def test_a_method_trains_on_scenes_and_draws_a_dataset(
    method: str, tmp_path: Path, tiny_file: Callable
) -> None:
    settings = SETTINGS.get(method, {})
    train = {"method": method, "total_images": 4} | settings.get("train", {})
    path = tiny_file(tmp_path, **settings | {"train": train})
    if method == "ugatit":  # its discriminators have settings of their own
        values = yaml.safe_load(path.read_text())
        values["train"]["discriminator"] = {"width": 4}
        path.write_text(yaml.safe_dump(values))
    config = load_config(path)
    result = run(config)
    rows = read_records(config.output)
    assert len(rows) == result.num_images == 8
    assert {row.method for row in rows} == {method}
    assert verify(config.output).is_ok
    reports = [json.loads(line) for line in (config.run_dir / "metrics.jsonl").read_text().splitlines()]
    losses = {key: value for line in reports for key, value in line.items() if "adversarial" in key}
    assert losses and all(math.isfinite(value) for value in losses.values())
