"""Camera metadata beside each label, in the form of VisualMesh's lens files.

`Hoc` takes a point from the camera frame (x forward, y left, z up) to the observation plane; here that is the
world frame of the pitch, so its translation is the place of the camera and its third entry the height.
`focal_length` and `centre` are in px, `fov` in radians: the full angle of the image circle, or from corner to
corner. The optical axis meets the picture at dimensions / 2 - centre, where (0, 0) is the outer corner of the
first pixel. `k` is the radial distortion beyond the projection: none.
"""

from typing import Any

import numpy as np
import yaml

from pipeline.scenes.camera import Camera

__all__ = ["camera_metadata", "encode_metadata"]


def camera_metadata(camera: Camera) -> dict[str, Any]:
    """Plain values of a camera; `centre` is [x, y], `dimensions` [width, height]."""
    lens = camera.lens
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = camera.rotation, camera.position
    return {
        "projection": lens.projection.upper(),
        "focal_length": float(lens.focal_length_px),
        "centre": [lens.width / 2 - lens.axis_px[0], lens.height / 2 - lens.axis_px[1]],
        "k": [0.0, 0.0],
        "fov": lens.fov,
        "Hoc": pose.tolist(),
        "dimensions": [lens.width, lens.height],
    }


def encode_metadata(camera: Camera) -> bytes:
    """The metadata of a camera as YAML."""
    return yaml.safe_dump(
        camera_metadata(camera), sort_keys=False, default_flow_style=None, width=200
    ).encode()
