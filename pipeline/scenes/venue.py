"""Venues of photo-like pictures: turf, floor, surroundings and light, each place with its own look.

Colours are linear light, float32. Surfaces are anchored in the world.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.scenes.pitch import Pitch

__all__ = ["Venue", "draw_venue", "ground_colors", "texture"]

TILE = 512
"""Side of the repeating noise tile in cells."""


@dataclass(frozen=True, eq=False)
class Venue:
    """One place with its own look; several pictures share it."""

    noise: np.ndarray
    """float32 [TILE, TILE], mean 0, deviation 1; repeats."""
    cells: np.ndarray
    """float32 [64, 64, 4] in [0, 1): chance per cell of boards, banners and crowds."""
    turf: np.ndarray
    """float32 [3], mean colour of the green."""
    turf_contrast: float
    stripe_m: float
    """Width of mowing stripes; 0 = none."""
    line_white: float
    line_wear: float
    floor: np.ndarray
    wall: np.ndarray
    boards_m: float
    """Height of the boards round the green; 0 = none."""
    boards_gap_m: float
    white_boards: float
    """Share of boards with a white ground."""
    room: tuple[float, float, float]
    """Half length, half width and height of the hall or of the stands."""
    crowd_rows: int
    is_outdoor: bool
    lamp_grid_m: tuple[float, float]
    lamp_size_m: tuple[float, float]
    lamp_strength: float
    light: np.ndarray
    """float32 [3], unit vector towards the main light."""
    light_share: float
    """Share of the main light; the rest comes from everywhere above."""
    tint: np.ndarray
    """float32 [3], colour of the light."""


def draw_venue(pitch: Pitch, border: float, rng: np.random.Generator) -> Venue:
    """Draw a venue that fits a pitch: halls for robots, mostly stadiums for humans."""
    is_outdoor = pitch.player == "human" or rng.random() < 0.06
    gap = float(rng.uniform(1.5, 7)) * (3 if pitch.player == "human" else 1)
    height = float(rng.uniform(5, 10)) * (2.5 if pitch.player == "human" else 1)
    hue = rng.uniform(-1, 1)
    brightness = rng.uniform(0.05, 0.17)
    turf = brightness * np.array([0.36 + 0.26 * max(hue, 0) - 0.18 * max(-hue, 0), 1.0, 0.26 - 0.08 * hue])
    elevation, heading = rng.uniform(0.7, 1.35), rng.uniform(-math.pi, math.pi)
    warmth = rng.uniform(-0.12, 0.16)
    wall = rng.uniform(0.04, 0.45) * (1 + rng.uniform(-0.12, 0.12, 3))
    is_carpet = rng.random() < 0.5
    return Venue(
        noise=_noise_tile(rng),
        cells=rng.random((64, 64, 4), np.float32),
        turf=turf.astype(np.float32),
        turf_contrast=float(rng.uniform(0.25, 0.55) if is_carpet else rng.uniform(0.7, 1.2)),
        stripe_m=float(rng.uniform(4, 7))
        if pitch.player == "human"
        else float(rng.choice([0.0, 0.0, 1.0, 2.0])),
        line_white=float(rng.uniform(0.5, 0.85)),
        line_wear=float(rng.uniform(0.05, 0.45)),
        floor=(rng.uniform(0.04, 0.3) * (1 + rng.uniform(-0.25, 0.25, 3))).astype(np.float32),
        wall=wall.astype(np.float32),
        boards_m=float(rng.choice([0.0, 0.3, 0.6, 0.9])) if pitch.player != "human" else 0.9,
        white_boards=float(rng.uniform(0.4, 1)),
        boards_gap_m=float(rng.uniform(0.05, 0.8)) * (4 if pitch.player == "human" else 1),
        room=(
            pitch.outer_x + border + gap,
            pitch.outer_y + border + gap * float(rng.uniform(0.6, 1.4)),
            height,
        ),
        crowd_rows=int(rng.integers(8, 16)) if pitch.player == "human" else int(rng.choice([0, 1, 2, 6])),
        is_outdoor=is_outdoor,
        lamp_grid_m=(float(rng.uniform(2.5, 5)), float(rng.uniform(2.5, 5))),
        lamp_size_m=(float(rng.uniform(0.3, 1.5)), float(rng.uniform(0.15, 0.5))),
        lamp_strength=float(rng.uniform(4, 16)),
        light=np.array(
            [
                math.cos(elevation) * math.cos(heading),
                math.cos(elevation) * math.sin(heading),
                math.sin(elevation),
            ],
            np.float32,
        ),
        light_share=float(rng.uniform(0.45, 0.65)) if is_outdoor else float(rng.uniform(0.1, 0.4)),
        tint=np.array([1 + warmth, 1.0, 1 - warmth], np.float32),
    )


def _noise_tile(rng: np.random.Generator) -> np.ndarray:
    tile = cv2.copyMakeBorder(rng.standard_normal((TILE, TILE), np.float32), 8, 8, 8, 8, cv2.BORDER_WRAP)
    tile = cv2.GaussianBlur(tile, (0, 0), 0.9)[8:-8, 8:-8]
    return (tile - tile.mean()) / tile.std()


def texture(venue: Venue, u: np.ndarray, v: np.ndarray, cell_m: float, footprint_m: np.ndarray) -> np.ndarray:
    """World-anchored noise, float32 [H, W], of cells of `cell_m`; fades where a pixel covers many cells."""
    scale = 1 / cell_m
    noise = cv2.remap(
        venue.noise,
        np.mod(u * scale, TILE).astype(np.float32),
        np.mod(v * scale, TILE).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_WRAP,
    )
    return noise * np.minimum(1.0, 1.5 * cell_m / np.maximum(footprint_m, 1e-4)).astype(np.float32)


def ground_colors(
    venue: Venue,
    is_green: np.ndarray,
    line_cover: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    footprint_m: np.ndarray,
) -> np.ndarray:
    """Reflectance of the ground, float32 [H, W, 3]: turf with stripes, worn lines, floor beyond.

    Args:
        is_green: bool [H, W], turf rather than floor.
        line_cover: float32 [H, W], share of the pixel that lines cover.
        x, y: float [H, W], metres.
        footprint_m: float [H, W], length on the ground that one pixel covers.
    """
    # Turf: blades, tufts, patches, and large areas that are drier or darker
    contrast = venue.turf_contrast
    relief = np.zeros(x.shape, np.float32)
    for cell, amount in ((0.011, 0.20), (0.045, 0.12), (0.25, 0.07), (1.3, 0.05), (5.0, 0.06)):
        relief += amount * texture(venue, x, y, cell, footprint_m)
    if venue.stripe_m:
        relief += 0.055 * np.tanh(6 * np.sin(x * (math.pi / venue.stripe_m))).astype(np.float32)
    dryness = 0.5 * texture(venue, x + 31, y - 17, 0.6, footprint_m) + texture(
        venue, x - 7, y, 3.1, footprint_m
    )
    light = np.maximum(1 + contrast * relief, 0.15)[..., None]
    turf = (
        venue.turf
        * light
        * (1 + contrast * 0.05 * dryness[..., None] * np.array([2.0, 0.2, 0.6], np.float32))
    )

    # Lines: paint or tape that turf shows through where it is worn
    wear = texture(venue, x, y, 0.03, footprint_m) + 1.2 * texture(venue, x, y + 9, 0.4, footprint_m)
    cover = np.clip(1 - venue.line_wear * (0.35 + 0.4 * wear), 0.25, 1.0)[..., None]
    white = venue.line_white * (1 + 0.06 * relief[..., None]) * np.array([1.0, 1.0, 0.96], np.float32)
    cover = cover * line_cover[..., None]
    colors = cover * white + (1 - cover) * turf

    floor = venue.floor * (1 + 0.06 * texture(venue, x, y, 0.9, footprint_m))[..., None]
    return np.where(is_green[..., None], colors, floor).astype(np.float32)
