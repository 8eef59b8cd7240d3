"""What a camera does to light: bloom, blur, vignetting, exposure, white balance, sharpening, noise."""

from dataclasses import dataclass

import cv2
import numpy as np

__all__ = ["Sensor", "develop", "draw_sensor"]

REFERENCE_WIDTH_PX = 384
"""Blurs are given for pictures of this width and grow with the picture."""


@dataclass(frozen=True)
class Sensor:
    """Settings of one exposure."""

    target_light: float
    """Mean linear light after exposure."""
    white_balance: tuple[float, float, float]
    saturation: float
    defocus_px: float
    motion_px: tuple[float, float]
    bloom: float
    vignetting: float
    """Light lost in the corners."""
    sharpening: float
    shot_noise: float
    read_noise: float


def draw_sensor(rng: np.random.Generator) -> Sensor:
    """Draw the settings of one picture."""
    moves = rng.random() < 0.3
    warmth, green = rng.uniform(-0.10, 0.10), rng.uniform(-0.04, 0.05)
    return Sensor(
        target_light=float(rng.uniform(0.14, 0.26)),
        white_balance=(1 + float(warmth), 1 + float(green), 1 - float(warmth)),
        saturation=float(rng.uniform(0.8, 1.2)),
        defocus_px=float(rng.uniform(0.35, 0.9)),
        motion_px=(float(rng.normal(0, 2.0)), float(rng.normal(0, 0.8))) if moves else (0.0, 0.0),
        bloom=float(rng.uniform(0.03, 0.12)),
        vignetting=float(rng.uniform(0.1, 0.45)),
        sharpening=float(rng.uniform(0.0, 0.7)),
        shot_noise=float(rng.uniform(0.004, 0.022)),
        read_noise=float(rng.uniform(0.001, 0.006)),
    )


def develop(
    light: np.ndarray,
    is_seen: np.ndarray,
    sensor: Sensor,
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
) -> np.ndarray:
    """Turn linear light into a picture, uint8 [height, width, 3] RGB.

    Args:
        light: float32 [n * height, n * width, 3], n a whole number: the scene, oversampled.
        is_seen: bool, same size; False outside the lens's image circle.
    """
    seen = cv2.resize(is_seen.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    glow = cv2.resize(np.maximum(light - 1, 0), (width, height), interpolation=cv2.INTER_AREA)
    picture = cv2.resize(np.minimum(light, 4), (width, height), interpolation=cv2.INTER_AREA)

    # Exposure by the lower part of the picture, lamps left out
    metered = seen * (np.arange(height)[:, None] > height * 0.35)
    mean = float((np.minimum(picture.mean(2), 0.6) * metered).sum() / max(metered.sum(), 1))
    exposure = sensor.target_light / max(mean, 1e-3)

    # Optics
    scale = width / REFERENCE_WIDTH_PX
    halo = cv2.GaussianBlur(glow, (0, 0), max(0.5, 30 * scale))
    glow = cv2.GaussianBlur(glow, (0, 0), max(0.5, 7 * scale)) + 0.3 * halo
    picture = (picture + sensor.bloom * glow) * exposure
    picture = cv2.GaussianBlur(picture, (0, 0), max(0.2, sensor.defocus_px * max(scale, 0.6)))
    picture = _streak(picture, sensor.motion_px[0] * scale, sensor.motion_px[1] * scale)
    down, right = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    picture *= (1 - sensor.vignetting * (down * down + right * right) / 2)[..., None]
    picture *= cv2.GaussianBlur(seen, (0, 0), max(0.3, 1.2 * scale))[..., None] * np.float32(
        sensor.white_balance
    )

    # Sensor noise, softened as demosaicing does
    noise = rng.standard_normal(picture.shape, np.float32)
    noise = 0.6 * noise + 1.1 * cv2.GaussianBlur(noise, (0, 0), 0.8)
    picture += noise * (sensor.shot_noise * np.sqrt(np.maximum(picture, 0)) + sensor.read_noise)

    # Tone curve, saturation, sharpening
    picture = np.maximum(picture, 0)
    picture = picture * (1 + picture / 2.25) / (1 + picture)
    grey = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    picture = np.clip(grey[..., None] + sensor.saturation * (picture - grey[..., None]), 0, 1)
    picture = np.where(picture <= 0.0031308, 12.92 * picture, 1.055 * picture ** (1 / 2.4) - 0.055)
    picture += sensor.sharpening * (picture - cv2.GaussianBlur(picture, (0, 0), 1.0))
    return np.round(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def _streak(picture: np.ndarray, right: float, down: float) -> np.ndarray:
    """Motion blur along (right, down) px."""
    steps = int(np.ceil(max(abs(right), abs(down))))
    if steps < 1:
        return picture
    total = np.zeros_like(picture)
    size = (picture.shape[1], picture.shape[0])
    for share in np.linspace(-0.5, 0.5, steps + 1):
        shift = np.float32([[1, 0, right * share], [0, 1, down * share]])
        total += cv2.warpAffine(picture, shift, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return total / (steps + 1)
