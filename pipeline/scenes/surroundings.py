"""What stands round the green of photo-like pictures: boards, walls, stands with people, roof or sky."""

import numpy as np

from pipeline.scenes.pitch import Pitch
from pipeline.scenes.venue import Venue, texture

__all__ = ["background_light"]

BANNERS = np.array(
    [
        (0.02, 0.06, 0.28),
        (0.45, 0.05, 0.04),
        (0.60, 0.55, 0.05),
        (0.02, 0.02, 0.02),
        (0.05, 0.25, 0.08),
        (0.05, 0.30, 0.45),
        (0.55, 0.20, 0.03),
    ],
    np.float32,
)


def background_light(
    venue: Venue, pitch: Pitch, border: float, origin: np.ndarray, rays: np.ndarray, ground_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What stands behind the scene: boards close to the green, then walls or stands, and a roof or the sky.

    Args:
        rays: float [3, H, W], unit vectors.
        ground_m: float [H, W], distance to the ground along the ray; inf above the horizon.

    Returns:
        light: float32 [H, W, 3], as it reaches the camera.
        distance: float32 [H, W].
        is_before_ground: bool [H, W].
    """
    light = np.zeros((*ground_m.shape, 3), np.float32)
    length, width, height = venue.room
    height = max(height, origin[2] + 1.5)

    # The far walls, or what is above them
    distance, along, up = _leave_box(origin, rays, length, width)
    is_wall = (up >= 0) & (up <= height)
    light[is_wall] = _wall_light(venue, along[is_wall], up[is_wall], height)
    is_above = up > height
    if is_above.any():
        if venue.is_outdoor:
            light[is_above] = _sky_light(venue, rays)[is_above]
        else:
            direction = rays[:, is_above]
            reach = (height - origin[2]) / direction[2]
            light[is_above] = _roof_light(
                venue, origin[0] + direction[0] * reach, origin[1] + direction[1] * reach
            )

    # Boards in front of them
    gap = border + venue.boards_gap_m
    near, near_along, near_up = _leave_box(origin, rays, pitch.outer_x + gap, pitch.outer_y + gap)
    is_board = (near_up >= 0) & (near_up <= venue.boards_m)
    light[is_board] = _board_light(venue, near_along[is_board], near_up[is_board])
    distance = np.where(is_board, near, distance)
    return light, distance.astype(np.float32), (is_wall | is_above | is_board) & (distance < ground_m)


def _leave_box(
    origin: np.ndarray, rays: np.ndarray, half_length: float, half_width: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where rays leave a shaft about the pitch: distance, place along its walls, height; nan from outside."""
    if abs(origin[0]) >= half_length or abs(origin[1]) >= half_width:
        nothing = np.full(rays.shape[1:], np.nan)
        return nothing, nothing, nothing
    with np.errstate(divide="ignore", invalid="ignore"):
        to_x = (np.copysign(half_length, rays[0]) - origin[0]) / rays[0]
        to_y = (np.copysign(half_width, rays[1]) - origin[1]) / rays[1]
    distance = np.minimum(to_x, to_y)
    x, y = origin[0] + distance * rays[0], origin[1] + distance * rays[1]
    along = np.where(to_x < to_y, y + np.copysign(200.0, rays[0]), x + np.copysign(500.0, rays[1]))
    return distance, along, origin[2] + distance * rays[2]


def _cells(venue: Venue, column: np.ndarray, row: np.ndarray | int) -> np.ndarray:
    return venue.cells[np.mod(row, 64).astype(int), np.mod(np.floor(column), 64).astype(int)]


def _board_light(venue: Venue, along: np.ndarray, up: np.ndarray) -> np.ndarray:
    chance = _cells(venue, along / 2.2, 3)
    color, is_white = BANNERS[(chance[:, 0] * len(BANNERS)).astype(int)], chance[:, 1] < venue.white_boards
    board = np.where(is_white[:, None], np.float32(0.55), color)
    letters = (_cells(venue, along / 0.09, 5)[:, 2] < 0.55) & (np.abs(up / venue.boards_m - 0.5) < 0.2)
    letters &= (np.abs(np.mod(along / 2.2, 1) - 0.5) < 0.3) & (chance[:, 2] < 0.7)
    ink = np.where(is_white[:, None], color, np.float32(0.6))
    board = np.where(letters[:, None], ink, board)
    return (board * venue.tint * (0.6 + 0.25 * up[:, None] / venue.boards_m)).astype(np.float32)


def _wall_light(venue: Venue, along: np.ndarray, up: np.ndarray, height: float) -> np.ndarray:
    panels = 1 + 0.10 * (_cells(venue, along / 1.6, (up / 1.1).astype(int))[:, 1] - 0.5)
    ribs = 1 - 0.10 * (np.mod(up, 0.45) < 0.05)
    wall = venue.wall * (panels * ribs * (1.05 - 0.5 * up / height))[:, None]

    # Banners hang on some stretches
    chance = _cells(venue, along / 3.1, 11)
    is_banner = (chance[:, 0] < 0.3) & (np.abs(np.mod(along / 3.1, 1) - 0.5) < 0.36)
    low = 1.2 + 1.6 * chance[:, 3]
    is_banner &= (up > low) & (up < low + 1.8)
    print_ = _cells(venue, along / 0.3, (up / 0.25).astype(int) + 23)[:, 0] < 0.2
    banner = np.where(print_[:, None], np.float32(0.5), BANNERS[(chance[:, 2] * len(BANNERS)).astype(int)])
    wall = np.where(is_banner[:, None], banner, wall)

    # Doors and windows
    chance = _cells(venue, along / 4.7, 29)[:, 0]
    is_dark = (chance < 0.2) & (np.abs(np.mod(along / 4.7, 1) - 0.5) < 0.14) & (up < 2.3)
    wall = np.where(is_dark[:, None], np.float32(0.02), wall) * venue.tint
    return _with_crowd(venue, wall, along, up) if venue.crowd_rows else wall.astype(np.float32)


def _with_crowd(venue: Venue, wall: np.ndarray, along: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Rows of people before a wall: heads, shirts, gaps between them."""
    rise, spacing = 0.62, 0.56
    light = wall.copy()
    if venue.crowd_rows > 2:
        light[up < venue.crowd_rows * rise + 0.8] = np.float32(0.05)
    for row in reversed(range(venue.crowd_rows)):
        chance = _cells(venue, along / spacing + 0.5 * (row % 2), 31 + row)
        sideways = (np.mod(along / spacing + 0.5 * (row % 2), 1) - 0.5) * spacing + 0.1 * (chance[:, 1] - 0.5)
        shoulder = row * rise + 1.05 + 0.35 * chance[:, 2]
        is_there = chance[:, 0] < 0.72
        is_head = is_there & (np.hypot(sideways / 0.85, up - shoulder - 0.17) < 0.115)
        slope = np.sqrt(np.clip((shoulder - up) / 0.14, 0, 1))
        is_body = (
            is_there & (np.abs(sideways) < (0.09 + 0.12 * slope + 0.03 * chance[:, 1])) & (up < shoulder)
        )
        shirt = chance[:, [3, 1, 2]] ** 2
        grey = chance[:, 3:] ** 2
        shirt = (0.6 * (grey + (0.15 + 0.5 * chance[:, :1]) * (shirt - grey))).astype(np.float32)
        shirt *= np.clip(0.5 + 0.5 * (up - shoulder + 0.6) / 0.6, 0.35, 1)[:, None]
        shirt = np.where((up < shoulder - 0.55)[:, None], 0.2 * shirt + 0.01, shirt)
        skin = np.array([0.45, 0.28, 0.2], np.float32) * (0.4 + 0.9 * chance[:, 3:])
        skin = np.where((up > shoulder + 0.21)[:, None], np.float32(0.03), skin)
        light = np.where(is_body[:, None], shirt, light)
        light = np.where(is_head[:, None], skin, light)
    return (light * venue.tint * 0.8).astype(np.float32)


def _roof_light(venue: Venue, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    grid_x, grid_y = venue.lamp_grid_m
    in_x, in_y = (np.mod(x / grid_x, 1) - 0.5) * grid_x, (np.mod(y / grid_y, 1) - 0.5) * grid_y
    chance = venue.cells[np.mod(x // grid_x, 64).astype(int), np.mod(y // grid_y, 64).astype(int)]
    is_lamp = (np.abs(in_x) < venue.lamp_size_m[0] / 2) & (np.abs(in_y) < venue.lamp_size_m[1] / 2)
    is_lamp &= chance[:, 0] < 0.85
    beams = (np.mod(x, 2.4) < 0.22) | (np.mod(y, 6.0) < 0.35)
    sheets = 0.7 + 0.3 * (np.mod(y, 0.3) < 0.15)
    roof = 0.16 * venue.wall + 0.004
    light = np.where(beams[:, None], 2.2 * roof, roof * sheets[:, None])
    lamp = venue.lamp_strength * (0.6 + 0.4 * chance[:, 1:2]) * venue.tint
    return np.where(is_lamp[:, None], lamp, light).astype(np.float32)


def _sky_light(venue: Venue, rays: np.ndarray) -> np.ndarray:
    up = np.maximum(rays[2], 0.02)
    spread = np.full(up.shape, 0.1) / up
    clouds = sum(
        share * texture(venue, rays[0] / up, rays[1] / up, 0.5 * share, spread) for share in (1, 0.5, 0.2)
    )
    clouds = np.clip(0.55 + 0.35 * clouds, 0, 1)[..., None]
    blue = np.array([0.25, 0.45, 0.85], np.float32) * (1.1 - 0.4 * up[..., None])
    return (0.9 * (clouds * 0.9 + (1 - clouds) * blue)).astype(np.float32)
