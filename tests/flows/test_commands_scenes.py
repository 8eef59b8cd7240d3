"""The options of scenes are the settings of its config."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.scenes.config import ScenesConfig


def test_scenes_options_have_the_config_s_defaults_and_reach_it(
    seg2real: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[ScenesConfig] = []
    monkeypatch.setattr(
        "pipeline.scenes.drawing.draw_scenes", lambda _out, config, *_, **__: drawn.append(config)
    )
    assert seg2real("scenes", tmp_path).code == 0
    assert drawn.pop() == ScenesConfig()
    options = (
        "--num 7 --photos 3 --pitch robocup-msl --lens fisheye --width 64 --height 48 --fov 105 115 "
        "--camera-height 0.7 0.8 --pitch-angle -4 3 --roll -2 2 --image-circle 1.2 1.4 "
        "--centre-offset -0.02 0.03 --balls 1 2 --robots 0 5 --people 0 1 --no-label-ball --no-label-goal "
        "--no-label-robot --border 1 2 --seed 9 --renders"
    )
    assert seg2real("scenes", tmp_path, *options.split()).code == 0
    assert drawn.pop() == ScenesConfig(
        num=7,
        num_photos=3,
        pitch="robocup-msl",
        lens="equidistant",
        width=64,
        height=48,
        fov_degrees=(105, 115),
        camera_height_m=(0.7, 0.8),
        pitch_degrees=(-4, 3),
        roll_degrees=(-2, 2),
        image_circle=(1.2, 1.4),
        centre_offset=(-0.02, 0.03),
        num_balls=(1, 2),
        num_robots=(0, 5),
        num_people=(0, 1),
        label_ball=False,
        label_goal=False,
        label_robot=False,
        border_m=(1, 2),
        seed=9,
        renders=True,
    )
