"""Files of weights: what is read over, and what is refused."""

from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.importing.cyclegan import resnet_layout
from pipeline.importing.snapshot import import_snapshot
from pipeline.importing.weights import ForeignWeightsError, read_weights


def imported(path: Path, palette) -> dict[str, torch.Tensor]:
    return import_snapshot("pytorch-cyclegan", [path], palette).tensors


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_prefixes_and_old_buffers_change_nothing(cyclegan, saved, palette) -> None:
    plain = imported(saved(cyclegan()), palette)
    assert_equal(imported(saved(nn.DataParallel(cyclegan())), palette), plain)
    tracked = cyclegan(norm=lambda channels: nn.InstanceNorm2d(channels, track_running_stats=True))
    assert any(name.endswith("running_mean") for name in tracked.state_dict())
    assert_equal(imported(saved(tracked), palette), plain)


def test_the_format_before_zip_files_is_read(cyclegan, saved, palette, tmp_path) -> None:
    torch.save(cyclegan().state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert_equal(imported(tmp_path / "old.pth", palette), imported(saved(cyclegan()), palette))


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, lambda channels: nn.InstanceNorm2d(channels, affine=True)])
def test_other_norms_are_refused(cyclegan, saved, palette, norm) -> None:
    with pytest.raises(ForeignWeightsError, match=r"'model\.2\.weight' scales"):
        imported(saved(cyclegan(norm=norm)), palette)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("model.1.weight", "lacks 'model.1.weight'"),
        ("model.10.conv_block.1.weight", "lacks 'model.10.conv_block.1.weight'"),
        ("model.12.bias", "lacks 'model.12.bias'"),
        ("model.19.weight", "lacks 'model.19.weight'"),
    ],
)
def test_a_missing_weight_is_named(cyclegan, saved, palette, name, found) -> None:
    state = cyclegan().state_dict()
    del state[name]
    with pytest.raises(ForeignWeightsError, match=found):
        imported(saved(state), palette)


def test_a_surplus_weight_is_named(cyclegan, saved, palette) -> None:
    state = cyclegan().state_dict() | {"model.4.filt": torch.ones(3, 3), "other": torch.ones(1)}
    with pytest.raises(ForeignWeightsError, match=r"'model\.4\.filt' belongs to no"):
        imported(saved(state), palette)


def test_a_weight_of_another_shape_is_named(cyclegan, saved, palette) -> None:
    state = cyclegan().state_dict()
    state["model.1.weight"] = state["model.1.weight"][:, :1]
    with pytest.raises(ForeignWeightsError, match=r"'model\.1\.weight' has the shape 4 x 1 x 7 x 7"):
        imported(saved(state), palette)


class Anything:
    """What a pickle may hold and plain weights may not."""


@pytest.mark.parametrize("content", [Anything(), [1, 2], {}, {"model.1.weight": 3}, {"genA2B": {}}])
def test_other_contents_are_refused(saved, content) -> None:
    with pytest.raises(ForeignWeightsError, match="latest_net_G_A.pth"):
        read_weights(saved(content))


@pytest.mark.parametrize(
    "data", [b"", b"hello world\n" * 99, bytes(range(256)) * 9, b"PK\x03\x04" + b"\0" * 99]
)
def test_other_files_are_refused(tmp_path, data) -> None:
    (tmp_path / "file.pth").write_bytes(data)
    with pytest.raises(ForeignWeightsError, match="file.pth"):
        read_weights(tmp_path / "file.pth")


def test_a_file_that_was_cut_off_is_refused(cyclegan, saved) -> None:
    path = saved(cyclegan())
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ForeignWeightsError, match="latest_net_G_A.pth"):
        read_weights(path)


def test_networks_of_a_file_are_named(cyclegan, saved) -> None:
    path = saved({"genA2B": OrderedDict(cyclegan().state_dict()), "genB2A": torch.ones(1)})
    assert "model.1.weight" in read_weights(path, ["genA2B"])[0]
    with pytest.raises(ForeignWeightsError, match="genB2A"):
        read_weights(path, ["genB2A"])
    with pytest.raises(ForeignWeightsError, match="no 'third' but 'genA2B', 'genB2A'"):
        read_weights(path, ["third"])


def test_every_weight_of_the_original_has_its_place(cyclegan, saved) -> None:
    (weights,) = read_weights(saved(cyclegan()))
    names = list(resnet_layout(weights).names.values())
    assert sorted(names) == sorted(weights.tensors)
