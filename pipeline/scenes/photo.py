"""Photo-like pictures of scenes: the renderer's hits, given surfaces, light, shadows and a camera."""

from collections.abc import Iterator

import numpy as np

from pipeline.scenes.camera import Camera
from pipeline.scenes.config import ScenesConfig
from pipeline.scenes.figures import Part, Thing
from pipeline.scenes.pitch import Pitch
from pipeline.scenes.rendering import Hits, cast_rays, solid_window
from pipeline.scenes.sensor import develop, draw_sensor
from pipeline.scenes.surroundings import background_light
from pipeline.scenes.venue import Venue, draw_venue, ground_colors, texture
from pipeline.scenes.world import (
    LABEL_SCENES,
    PHOTO_LOOKS,
    PHOTO_SCENES,
    RENDER_LOOKS,
    VENUES,
    Scene,
    draw_scene,
    scene_rng,
)

__all__ = ["render_photo", "render_scene"]

OVERSAMPLING = 2
LINE_SAMPLES = (-0.375, -0.125, 0.125, 0.375)
NUM_VENUES = 6
"""Looks that the pictures of one config share."""
ICOSAHEDRON = np.array(
    [(0, a, b * 1.618034) for a in (-1, 1) for b in (-1, 1)]
    + [(a, b * 1.618034, 0) for a in (-1, 1) for b in (-1, 1)]
    + [(b * 1.618034, 0, a) for a in (-1, 1) for b in (-1, 1)]
) / np.sqrt(1 + 1.618034**2)
"""Middles of a football's dark patches."""


def render_photo(config: ScenesConfig, index: int) -> np.ndarray:
    """Photo-like picture number `index`, uint8 [H, W, 3] RGB; the same for the same config and number."""
    return _render(config, draw_scene(config, PHOTO_SCENES, index), scene_rng(config, PHOTO_LOOKS, index))


def render_scene(config: ScenesConfig, index: int) -> np.ndarray:
    """The same of label number `index`'s scene: uint8 [H, W, 3] RGB, pixel on pixel with the label."""
    return _render(config, draw_scene(config, LABEL_SCENES, index), scene_rng(config, RENDER_LOOKS, index))


def _render(config: ScenesConfig, scene: Scene, rng: np.random.Generator) -> np.ndarray:
    venue = draw_venue(scene.pitch, scene.border, scene_rng(config, VENUES, int(rng.integers(NUM_VENUES))))
    camera = Camera(scene.camera.lens.enlarged(OVERSAMPLING), scene.camera.position, scene.camera.rotation)
    parts = [part for thing in scene.things for part in thing.parts]
    parts += [part for thing in scene.things for part in thing.scenery if part.pattern != "net"]
    hits = cast_rays(camera, [part.solid for part in parts])

    # Ground with shadows, then what stands behind it
    is_ground = hits.rays[2] < -1e-6
    ground_m = np.where(is_ground, -camera.position[2] / np.where(is_ground, hits.rays[2], -1), np.inf)
    reach = np.where(is_ground, ground_m, 0)
    x, y = (camera.position[axis] + hits.rays[axis] * reach for axis in (0, 1))
    footprint_m = reach**2 / (camera.lens.focal_length_px * camera.position[2])
    whiteness = _line_cover(scene.pitch, hits.rays, x, y, footprint_m)
    light = ground_colors(venue, scene.pitch.is_green(x, y, scene.border), whiteness, x, y, footprint_m)
    pools = 1 + 0.10 * texture(venue, x, y, 2.7, footprint_m)
    light *= (pools * _unshadowed(venue, camera, scene.things, x, y))[..., None] * venue.tint
    grazing = np.clip(1 + hits.rays[2], 0, 1) ** 8
    light += (0.03 * grazing)[..., None].astype(np.float32)
    behind, behind_m, is_before_ground = background_light(
        venue, scene.pitch, scene.border, camera.position, hits.rays, ground_m
    )
    light[is_before_ground] = behind[is_before_ground]

    # Things, then the nets, which one sees through
    is_solid = (hits.solid >= 0) & ~(is_before_ground & (behind_m < hits.distance))
    for number, rows, columns in _pixels_by_solid(hits.solid, is_solid):
        light[rows, columns] = _solid_light(venue, camera, parts[number], hits, rows, columns, rng)
    depth = np.where(hits.solid >= 0, hits.distance, np.where(is_before_ground, behind_m, ground_m))
    for thing in scene.things:
        for part in thing.scenery:
            if part.pattern == "net":
                _hang_net(light, camera, part, hits.rays, depth)

    return develop(light, camera.is_seen(), draw_sensor(rng), rng, width=config.width, height=config.height)


def _pixels_by_solid(solid: np.ndarray, is_solid: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Rows and columns at which each solid is seen, in the order of the solids."""
    rows, columns = np.nonzero(is_solid)
    numbers = solid[rows, columns]
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(numbers[order], return_index=True)
    for number, pixels in zip(found, np.split(order, starts[1:]), strict=False):
        yield int(number), rows[pixels], columns[pixels]


def _line_cover(
    pitch: Pitch, rays: np.ndarray, x: np.ndarray, y: np.ndarray, footprint_m: np.ndarray
) -> np.ndarray:
    """Share of each pixel that lines cover, float32 [H, W]: far lines grow faint instead of breaking up."""
    level = np.hypot(rays[0], rays[1])
    along_x, along_y = (footprint_m * rays[axis] / np.maximum(level, 1e-9) for axis in (0, 1))
    cover = np.zeros(x.shape, np.float32)
    for share in LINE_SAMPLES:
        cover += pitch.is_line(x + share * along_x, y + share * along_y)
    return cover / len(LINE_SAMPLES)


def _unshadowed(
    venue: Venue, camera: Camera, things: tuple[Thing, ...], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Share of light that reaches the ground, float32 [H, W]: things cast soft shadows."""
    lit = np.ones(x.shape, np.float32)
    steepness = np.hypot(venue.light[0], venue.light[1]) / venue.light[2]
    away = -venue.light[:2] / np.hypot(venue.light[0], venue.light[1])
    for thing in things:
        if thing.class_name == "goal":
            continue
        length = thing.height * steepness
        middle = np.array([*(np.array(thing.place) + away * length / 2), 0.0])
        bounds = camera.pixel_bounds(middle, length / 2 + 3 * thing.radius)
        if bounds is None:
            continue
        window = slice(bounds[0], bounds[1]), slice(bounds[2], bounds[3])
        from_x, from_y = x[window] - thing.place[0], y[window] - thing.place[1]
        contact = 0.6 * np.exp(-(from_x**2 + from_y**2) / (0.9 * thing.radius) ** 2)
        along, across = from_x * away[0] + from_y * away[1], from_x * away[1] - from_y * away[0]
        soft = thing.radius * (0.55 + 0.5 * np.clip(along / (length + 1e-3), 0, 1))
        begins = np.tanh(4 * along / thing.radius + 2)
        ends = np.tanh(3 * (length - along) / (0.3 * length + 0.05))
        cast = np.exp(-((across / soft) ** 2)) * (1 + begins) * (1 + ends) / 4
        lit[window] *= (1 - contact) * (1 - venue.light_share * cast)
    return lit


def _solid_light(
    venue: Venue,
    camera: Camera,
    part: Part,
    hits: Hits,
    rows: np.ndarray,
    columns: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Light from one part's visible pixels, float32 [N, 3]."""
    points = hits.points(camera, rows, columns)
    normals = part.solid.normals(points)
    color = np.tile(np.float32(part.color), (len(rows), 1))
    if part.pattern == "patches":
        turned = np.linalg.qr(rng.standard_normal((3, 3)))[0] @ normals
        color[(ICOSAHEDRON @ turned).max(0) > 0.93] = 0.02
    grain = np.sin(points[0] * 37 + points[2] * 53) * np.sin(points[1] * 41 - points[2] * 29)
    color *= (1 + 0.06 * grain[:, None]).astype(np.float32)

    toward_light = np.maximum(venue.light @ normals, 0)
    from_above = 0.55 + 0.45 * normals[2]
    shade = (1 - venue.light_share) * from_above + venue.light_share * toward_light * 1.4
    shade *= 0.55 + 0.45 * np.clip(points[2] / 0.25, 0, 1)
    bounce = 0.25 * np.clip(-normals[2] + 0.3, 0, 1) * np.clip(1 - points[2] / 0.8, 0, 1)
    light = color * (shade[:, None] * venue.tint + bounce[:, None] * venue.turf * 2)
    if part.gloss:
        half = venue.light[:, None] - hits.rays[:, rows, columns]
        half = half / np.sqrt((half * half).sum(0))
        light = light + (part.gloss * np.maximum((half * normals).sum(0), 0) ** 40)[:, None]
    return light.astype(np.float32)


def _hang_net(light: np.ndarray, camera: Camera, part: Part, rays: np.ndarray, depth: np.ndarray) -> None:
    """Blend a net over what is behind it; its threads become a veil where they are finer than the pixels."""
    window = solid_window(camera, part.solid)
    if window is None:
        return
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        met = part.solid.meet(camera.position, rays[:, *window])
    rows, columns = np.nonzero(met < depth[window])
    distance = met[rows, columns]
    rows, columns = rows + window[0].start, columns + window[1].start
    points = camera.position[:, None] + rays[:, rows, columns] * distance
    pixel_m = distance / camera.lens.focal_length_px
    mesh_m, thread_m = 0.1, 0.006
    thread = np.maximum(thread_m, pixel_m)
    strength = thread_m / thread
    across = np.mod(points[0] + points[1], mesh_m) < thread
    upwards = np.mod(points[2], mesh_m) < thread
    is_fine = pixel_m > mesh_m / 3
    cover = np.where(is_fine, 2 * thread_m / mesh_m, np.where(across | upwards, strength, 0.0))
    cover = (0.8 * cover).astype(np.float32)[:, None]
    light[rows, columns] = (1 - cover) * light[rows, columns] + cover * np.float32(part.color)
