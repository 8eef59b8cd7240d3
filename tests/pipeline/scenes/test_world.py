"""Scenes follow their ranges and depend on nothing but the config, the stream and the number."""

import math

import numpy as np
import pytest

from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.world import LABEL_SCENES, PHOTO_SCENES, Scene, draw_scene


def test_the_same_number_gives_the_same_scene() -> None:
    config = ScenesConfig()
    one, two = draw_scene(config, LABEL_SCENES, 7), draw_scene(config, LABEL_SCENES, 7)
    assert one.things == two.things
    assert np.array_equal(one.camera.rotation, two.camera.rotation)
    assert one.camera.lens == two.camera.lens


def test_numbers_streams_and_seeds_give_other_scenes() -> None:
    config = ScenesConfig()
    scenes = [
        draw_scene(config, LABEL_SCENES, 0),
        draw_scene(config, LABEL_SCENES, 1),
        draw_scene(config, PHOTO_SCENES, 0),
        draw_scene(config.model_copy(update={"seed": 1}), LABEL_SCENES, 0),
    ]
    assert len({tuple(scene.camera.position) for scene in scenes}) == len(scenes)


def count(scene: Scene, class_name: str) -> int:
    return sum(thing.class_name == class_name for thing in scene.things)


def test_ranges_are_kept() -> None:
    config = ScenesConfig(
        pitch="robocup-msl",
        lens="equisolid",
        fov_degrees=(100, 110),
        camera_height_m=(0.5, 0.6),
        pitch_degrees=(10, 20),
        roll_degrees=(0, 0),
        num_balls=(1, 2),
        num_robots=(2, 3),
        num_people=(0, 1),
    )
    heights, tilts = [], []
    for index in range(60):
        scene = draw_scene(config, LABEL_SCENES, index)
        heights.append(scene.camera.position[2])
        tilts.append(math.degrees(-math.asin(scene.camera.rotation[2, 0])))
        assert scene.camera.rotation[2, 1] == pytest.approx(0, abs=1e-12)
        assert 1 <= count(scene, "ball") <= 2
        assert 2 <= count(scene, "robot") <= 3
        assert count(scene, "goal") == 2
        assert count(scene, "environment") <= 1
    assert 0.5 <= min(heights) < 0.52 and 0.58 < max(heights) <= 0.6
    assert 10 <= min(tilts) < 12 and 18 < max(tilts) <= 20


def test_things_do_not_stand_in_one_another() -> None:
    config = ScenesConfig(num_robots=(10, 10), num_balls=(3, 3), num_people=(5, 5))
    for index in range(20):
        places = [thing.place for thing in draw_scene(config, LABEL_SCENES, index).things[2:]]
        gaps = [math.dist(a, b) for i, a in enumerate(places) for b in places[:i]]
        assert min(gaps) > 0.14  # two balls side by side are the closest pair
