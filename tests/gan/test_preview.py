"""The preview's rows: what every method shows, and the attention of those that learn it."""

import numpy as np
import pytest
import torch
from torch import nn

from gan.preview import GAP_PX, draw_preview
from gan.training_state import TrainingState

HEIGHT = 16
MASKED = {"width": 4, "num_blocks": 1, "num_masks": 3, "keeps_input": True}
SHALLOW = {"light": True, "global_layers": 4, "local_layers": 3}


@pytest.fixture
def rows_of(labels, small_config, preview):
    """The rows of the preview of a method's untrained networks, as `change` leaves them."""

    def draw(change=lambda generators: None, **settings) -> list[np.ndarray]:
        state = TrainingState(small_config(**settings), labels, torch.device("cpu"))
        change(state.ema.network)
        grid = draw_preview(state, preview)
        assert grid.shape[1] == 2 * 24 + GAP_PX
        return [grid[top : top + HEIGHT] for top in range(0, len(grid), HEIGHT + GAP_PX)]

    return draw


@pytest.mark.parametrize(
    ("num_rows", "settings"),
    [
        (6, {"method": "cyclegan"}),
        (6, {"method": "segback", "segback": {"segmenter_width": 4}}),
        (2, {"method": "cut"}),
        (8, {"method": "uaggan", "uaggan": {"attention_width": 4}}),
        (8, {"method": "attentiongan", "generator": MASKED}),
        (8, {"method": "attention_cyclegan", "generator": MASKED | {"num_masks": 1}}),
        (6, {"method": "attentiongan", "generator": MASKED | {"keeps_input": False}}),
        (8, {"method": "ugatit", "ugatit": SHALLOW}),
        (8, {"method": "ugatit", "ugatit": SHALLOW, "generator": MASKED}),
        (3, {"method": "cut", "generator": MASKED}),
    ],
)
def test_learned_attention_has_rows_of_its_own(rows_of, num_rows, settings) -> None:
    rows = rows_of(**settings)
    assert len(rows) == num_rows
    for attention in rows[2 if settings["method"] == "cut" else 6 :]:
        image = attention[:, :24]
        assert (image == image[..., :1]).all()  # grey
        assert len(np.unique(image)) > 1


class Everywhere(nn.Module):
    """Attention of one value."""

    def __init__(self, value: float):
        super().__init__()
        self.value = value

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.full_like(image[:, :1], self.value)


def test_white_is_what_is_translated(rows_of, preview) -> None:
    """Everything of a label, nothing of a photograph."""

    def decide(generators: nn.ModuleDict) -> None:
        generators.update({"attention_a": Everywhere(1.0), "attention_b": Everywhere(0.0)})

    rows = rows_of(decide, method="uaggan", uaggan={"attention_width": 4})
    assert (rows[6][:, :24] == 255).all()
    assert (rows[7][:, :24] == 0).all()
    assert np.array_equal(rows[4][:, :24], preview.photo[0])  # which stays as it is
