"""verify and info, on what a tiny run published."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.usefixtures("one_thread")
def test_run_verify_and_info_on_a_tiny_run(
    seg2real: Callable, tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    config, output = tiny_file(tmp_path), tmp_path / "out"
    said = seg2real("run", config)
    assert (said.code, "version 1, 8 images, 8 of them new" in said.out) == (0, True)
    assert "version 1, 8 images, 0 of them new" in seg2real("generate", config).out
    said = seg2real("verify", output, "--deep")
    assert (said.code, "8 rows hashed and decoded: all is well" in said.out) == (0, True)
    said = seg2real("verify", output, "--config", config, "--regenerate", 3)
    assert (said.code, "up to 3 rows drawn again: the same bytes" in said.out) == (0, True)
    said = seg2real("verify", output / ".." / "out", "--config", config, "--seed", 1)
    assert said.code == 0
    said = seg2real("info", output)
    assert "robot" in said.out and "train" in said.out

    next((output / "images").rglob("*.png")).unlink()
    said = seg2real("verify", output)
    assert (said.code, "the image cannot be opened" in said.out) == (3, True)
