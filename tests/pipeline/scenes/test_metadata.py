"""The metadata alone, with VisualMesh's formula, finds in the label what stands in the world."""

import math

import numpy as np
import pytest
import yaml

from pipeline.palette import Palette, PaletteClass
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.metadata import encode_metadata
from pipeline.scenes.rendering import render_label
from pipeline.scenes.world import LABEL_SCENES, Scene, draw_scene

PALETTE = Palette(
    name="nubots",
    classes=tuple(
        PaletteClass(name=name, color=(i, i, i))
        for i, name in enumerate(("environment", "ball", "goal", "robot", "field", "line"))
    ),
)
LENSES = [
    {"lens": "rectilinear", "fov_degrees": (50, 100)},
    {"lens": "equidistant", "fov_degrees": (100, 170), "centre_offset": (-0.1, 0.1)},
    {"lens": "equisolid", "fov_degrees": (100, 180), "image_circle": (0.9, 1.1), "roll_degrees": (-30, 30)},
]


def project(metadata: dict, points: np.ndarray) -> np.ndarray:
    """World points [N, 3] to pixels [N, 2], (x, y): VisualMesh's formula, written from its documentation."""
    pose = np.array(metadata["Hoc"])
    ray = (points - pose[:3, 3]) @ pose[:3, :3]
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    angle, f = np.arccos(ray[:, 0]), metadata["focal_length"]
    radius = {
        "RECTILINEAR": lambda: f * np.tan(np.minimum(angle, math.pi / 2)),
        "EQUIDISTANT": lambda: f * angle,
        "EQUISOLID": lambda: 2 * f * np.sin(angle / 2),
    }[metadata["projection"]]()
    screen = radius[:, None] * ray[:, 1:] / np.sqrt(1 - ray[:, :1] ** 2)
    pixels = np.array(metadata["dimensions"]) / 2 - screen - np.array(metadata["centre"])
    pixels[angle > metadata["fov"] / 2 - 2 / f] = -1  # a pixel on the rim may have its centre outside
    return pixels


def labels_at(label_map: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Labels of the pixels that hold the points; 255 outside the picture."""
    x, y = np.floor(pixels).astype(int).T
    height, width = label_map.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, label_map[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], 255)


def draw(values: dict, index: int) -> tuple[Scene, np.ndarray, dict]:
    config = ScenesConfig(
        pitch="robocup-msl", num_people=(0, 0), num_robots=(0, 0), num_balls=(2, 2), **values
    )
    scene = draw_scene(config, LABEL_SCENES, index)
    return scene, render_label(scene, config, PALETTE), yaml.safe_load(encode_metadata(scene.camera))


@pytest.mark.parametrize("values", LENSES, ids=lambda values: values["lens"])
def test_points_of_the_world_are_found_in_the_label(values: dict) -> None:
    found = dict.fromkeys(("line", "field", "ball"), 0)
    for index in range(12):
        scene, label_map, metadata = draw(values, index)
        eye = scene.camera.position

        # Ground points whose surroundings, as far as a pixel's centre may be away, have one class: half its
        # diagonal is an ellipse on the ground, long away from the camera and narrow across
        ground = eye[:2] + np.random.default_rng(index).normal(0, 2, (20_000, 2))
        level = np.linalg.norm(ground - eye[:2], axis=1)
        distance = np.hypot(level, eye[2])
        reach = 0.73 * distance / metadata["focal_length"]
        if metadata["projection"] == "EQUISOLID":
            towards = (
                np.c_[ground - eye[:2], np.full(len(ground), -eye[2])] @ np.array(metadata["Hoc"])[:3, 0]
            )
            reach /= np.cos(np.arccos(towards / distance) / 2)
        away = (ground - eye[:2]) / level[:, None]
        turns = np.arange(16)[:, None, None, None] * math.pi / 8
        ellipse = np.cos(turns) * away * (distance / eye[2])[:, None] + np.sin(turns) * away[:, ::-1] * [
            -1,
            1,
        ]
        around = (ground + ellipse * reach[:, None] * np.array([0, 0.5, 1])[:, None, None]).reshape(
            -1, *ground.shape
        )
        is_line = scene.pitch.is_line(around[..., 0], around[..., 1])
        is_green = scene.pitch.is_green(around[..., 0], around[..., 1], scene.border).all(0)
        labels = labels_at(label_map, project(metadata, np.c_[ground, np.zeros(len(ground))]))
        clear = (reach * distance / eye[2] < scene.pitch.line_width) & ~np.isin(labels, [1, 2, 255])
        for name, wanted in (("line", is_line.all(0)), ("field", ~is_line.any(0) & is_green)):
            assert (labels[wanted & clear] == PALETTE.names.index(name)).all()
            found[name] += int((wanted & clear).sum())

        # Balls: their middle is seen unless a goal stands before it
        for ball in (thing for thing in scene.things if thing.class_name == "ball"):
            middle = np.array([[*ball.place, ball.radius]])
            size_px = metadata["focal_length"] * ball.radius / np.linalg.norm(middle - eye)
            if size_px > 1.5:
                label = labels_at(label_map, project(metadata, middle))[0]
                assert label in (255, 1, 2)
                found["ball"] += label == 1
    assert min(found.values()) >= 4, found


def test_metadata_has_the_keys_that_visualmesh_reads() -> None:
    _, _, metadata = draw(LENSES[2], 0)
    assert list(metadata) == ["projection", "focal_length", "centre", "k", "fov", "Hoc", "dimensions"]
    assert metadata["projection"] == "EQUISOLID"
    pose = np.array(metadata["Hoc"])
    assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3))
    assert 0.4 <= pose[2, 3] <= 1.2
    assert metadata["k"] == [0.0, 0.0]
