"""The command import."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from gan.snapshot import Snapshot

PALETTE = Path(__file__).parents[2] / "configs" / "palettes" / "nubots.yaml"


@pytest.fixture
def generator(tmp_path: Path) -> Path:
    """Weights of a generator of pytorch-CycleGAN-and-pix2pix, 4 channels wide with a single block."""
    shapes = {
        "model.1": (4, 3, 7, 7),
        "model.4": (8, 4, 3, 3),
        "model.7": (16, 8, 3, 3),
        "model.10.conv_block.1": (16, 16, 3, 3),
        "model.10.conv_block.5": (16, 16, 3, 3),
        "model.11": (16, 8, 3, 3),
        "model.14": (8, 4, 3, 3),
        "model.18": (3, 4, 7, 7),
    }
    state = {f"{name}.weight": torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    transposed = ("model.11", "model.14")
    for name, shape in shapes.items():
        state[f"{name}.bias"] = torch.zeros(shape[1] if name in transposed else shape[0])
    torch.save(state, tmp_path / "latest_net_G_A.pth")
    return tmp_path / "latest_net_G_A.pth"


def test_a_generator_becomes_a_snapshot_and_none_is_replaced(
    seg2real: Callable, generator: Path, tmp_path: Path
) -> None:
    out = tmp_path / "made" / "my.safetensors"
    arguments = ["import", "--from", "pytorch-cyclegan", generator, "--palette", PALETTE, "--out", out]
    said = seg2real(*arguments, "--noise", "0.1")
    assert (said.code, said.err) == (0, "")
    assert "cut, 4 channels, 1 blocks" in said.out
    snapshot = Snapshot.from_bytes(out.read_bytes())
    assert snapshot.info.noise.amount == 0.1
    again = seg2real(*arguments)
    assert (again.code, "is not replaced" in again.err) == (2, True)


def test_what_cannot_be_imported_is_one_sentence_and_leaves_nothing(
    seg2real: Callable, generator: Path, tmp_path: Path
) -> None:
    out = tmp_path / "my.safetensors"
    for repository, file, palette, words in (
        ("ugatit", generator, PALETTE, "genA2B"),
        ("pytorch-cyclegan", tmp_path / "none.pth", PALETTE, "no file"),
        ("pytorch-cyclegan", generator, generator, "Palette"),
    ):
        said = seg2real("import", "--from", repository, file, "--palette", palette, "--out", out)
        assert (said.code, said.err.count("\n"), words in said.err) == (2, 1, True), said.err
        assert not out.exists()
