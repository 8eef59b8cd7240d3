"""What a scenes section accepts."""

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from pipeline.scenes.config import PitchName, ScenesConfig
from pipeline.scenes.pitch import PITCHES


def test_every_pitch_that_a_config_can_name_exists() -> None:
    assert set(get_args(PitchName)) == set(PITCHES)


def test_fisheye_is_read_as_equidistant() -> None:
    assert ScenesConfig(lens="fisheye").lens == "equidistant"


@pytest.mark.parametrize(
    "values",
    [
        {"fov_degrees": (90, 60)},
        {"fov_degrees": (90, 200)},
        {"num_balls": (3, 1)},
        {"num_robots": (0, 1000)},
        {"camera_height_m": (0, 1)},
        {"image_circle": (0, 1)},
        {"border_m": (-1, 1)},
        {"pitch": "cricket"},
        {"lens": "pinhole"},
        {"size": 3},
    ],
)
def test_impossible_values_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScenesConfig(**values)


def test_a_fisheye_may_see_behind_itself() -> None:
    assert ScenesConfig(lens="equisolid", fov_degrees=(180, 220)).fov_degrees == (180, 220)
