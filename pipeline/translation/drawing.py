"""A snapshot that translates single images and the frames of videos."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch

from gan.image_size import ImageSizeError
from gan.snapshot import Snapshot, SnapshotError
from gan.translator import Translator
from pipeline.backgrounds import Backgrounds
from pipeline.geometry import CENTERED, resize, scaled_size, view
from pipeline.images import (
    BadImageError,
    decode_image,
    decode_label,
    encode_jpeg,
    encode_label_png,
    encode_png,
    read_bytes,
    read_image,
)
from pipeline.noise_field import noise_field
from pipeline.palette import Palette, colorize
from pipeline.sources.layouts import PHOTO_SUFFIXES, images_under
from pipeline.translation.settings import TranslationError, TranslationSettings

__all__ = ["Drawing"]

JPEG_QUALITY = 95
FAR_LEVELS = 64
"""A channel that is this far from the nearest colour of the palette is no trace of a video's compression."""
MAX_FAR_FRACTION = 0.25

Drawn = TypeVar("Drawn")


class _Look(NamedTuple):
    """What makes one variant of a label: equal looks, equal pictures."""

    noise: np.ndarray
    """uint8 [H, W], noise levels."""
    photo: np.ndarray | None
    """uint8 [H, W, 3], the background, where it is pasted."""


class Drawing:
    """A snapshot on a device, ready to translate as the settings say; it brings its own palette.

    Args:
        snapshot: the file.
        settings: of the call.

    Raises:
        TranslationError: the snapshot cannot be used, or not for this.
        DeviceError: there is no such device here.
    """

    def __init__(self, snapshot: Path, settings: TranslationSettings):
        self._settings = settings
        self._translator = Translator(
            _read_snapshot(snapshot), device=settings.device, precision=settings.precision
        )
        self._palette = Palette.model_validate(self._translator.info.palette)
        self._correlation_px = self._translator.info.noise.correlation_px
        _require_direction(snapshot, self._translator, settings)
        self._photos = _find_photos(snapshot, self._translator, settings)

    @property
    def from_renders(self) -> bool:
        """True when pictures are drawn from renders, and not from segmentation images."""
        return self._translator.needs_renders

    def image_file(self, path: Path, outputs: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
        """Translate a file: each output with its encoded content, in the format of its name.

        Raises:
            BadImageError: the file cannot be translated; path and reason.
        """
        data = read_bytes(path)
        if self._settings.direction == "ba":
            photo = self._limited(decode_image(data, path))
            for output in outputs:
                yield output, encode_label_png(self._read(photo, path), self._palette)
            return
        if self.from_renders:
            image = self._limited(decode_image(data, path))
        else:
            image = self._limited(
                decode_label(data, self._palette, path, antialiased_edges=self._settings.antialiased_edges)
            )
        sha256 = hashlib.sha256(data).hexdigest()
        for variant, output in enumerate(outputs):
            picture = self._draw(image, self._look(sha256, variant, image.shape[:2]), path)
            is_png = output.suffix.lower() == ".png"
            yield output, encode_png(picture) if is_png else encode_jpeg(picture, JPEG_QUALITY)

    def frames(
        self, frames: Iterable[np.ndarray], source: Path, sha256: str
    ) -> Iterator[tuple[np.ndarray, ...]]:
        """Translate a video, all of its frames under one noise and before one background.

        A video's compression changes colours a little: each pixel of a segmentation image is read as the
        class of the nearest colour. Renders are taken as they are.

        Args:
            frames: uint8 [H, W, 3] RGB, all of one size.
            source: of the frames, for errors.
            sha256: seeds the noise.

        Yields:
            For each frame its variants, uint8 [h, w, 3] RGB.

        Raises:
            BadImageError: the first frame is far from all colours of the palette, or too large.
        """
        looks: list[_Look] = []
        for number, frame in enumerate(frames):
            if self._settings.direction == "ba":
                yield (colorize(self._read(self._limited(frame), source), self._palette),)
                continue
            image = self._limited(frame)
            if not self.from_renders:
                image = self._limited(self._translator.nearest_classes(frame[None])[0])
                if number == 0:
                    self._require_palette(self._limited(frame), image, source)
            if number == 0:
                variants = range(self._settings.variants)
                looks = [self._look(sha256, variant, image.shape[:2]) for variant in variants]
            yield tuple(self._draw(image, look, source) for look in looks)

    def _limited(self, image: np.ndarray) -> np.ndarray:
        """A label map or picture, scaled down where a side is over the limit."""
        height, width = image.shape[:2]
        scale = (self._settings.max_side or np.inf) / max(height, width)
        if scale >= 1:
            return image
        return resize(image, scaled_size(width, height, scale))

    def _look(self, sha256: str, variant: int, shape: tuple[int, int]) -> _Look:
        """As `pipeline.generate` has it: the same seed gives the same picture."""
        seed = self._settings.seed
        noise = noise_field(sha256, seed, variant, shape, self._correlation_px)
        if not self._photos:
            return _Look(noise, None)
        photo = read_image(self._photos[Backgrounds(self._photos).choose(sha256, seed, variant)])
        return _Look(noise, view(photo, CENTERED, width=shape[1], height=shape[0]))

    def _draw(self, image: np.ndarray, look: _Look, source: Path) -> np.ndarray:
        photos = None if look.photo is None else look.photo[None]
        label_maps, renders = (None, image[None]) if image.ndim == 3 else (image[None], None)
        return _blaming(
            source, lambda: self._translator.translate(label_maps, look.noise[None], photos, renders)[0]
        )

    def _read(self, photo: np.ndarray, source: Path) -> np.ndarray:
        return _blaming(source, lambda: self._translator.read_labels(photo[None])[0])

    def _require_palette(self, frame: np.ndarray, label_map: np.ndarray, source: Path) -> None:
        colors = self._palette.colors[label_map].astype(np.int16)
        far = float((np.abs(frame - colors).max(axis=2) > FAR_LEVELS).mean())
        if far > MAX_FAR_FRACTION:
            raise BadImageError(
                source,
                f"{far:.0%} of its first frame is far from every colour of palette '{self._palette.name}'; "
                "segmentation images in these colours were wanted (photographs go the other way, "
                "--direction ba)",
            )


def _blaming(source: Path, draw: Callable[[], Drawn]) -> Drawn:
    """What `draw` returns; that an image is too large for it is a fault of the image."""
    try:
        return draw()
    except ImageSizeError as error:
        raise BadImageError(source, str(error)) from None
    except torch.OutOfMemoryError:
        raise BadImageError(
            source, "the device has too little memory for its size; limit it by --max-side"
        ) from None


def _read_snapshot(path: Path) -> Snapshot:
    try:
        return Snapshot.from_bytes(path.read_bytes())
    except OSError as error:
        raise TranslationError(
            f"Snapshot {path} cannot be read ({error.strerror}); a file such as "
            "runs/robocup_spl/snapshots/snapshot-00004000.safetensors was wanted."
        ) from None
    except SnapshotError as error:
        raise TranslationError(f"{path}: {' '.join(str(error).split())}") from None


def _require_direction(snapshot: Path, translator: Translator, settings: TranslationSettings) -> None:
    train = translator.info.train
    if settings.direction == "ab" and translator.needs_renders and not train.draws_from_render_alone:
        raise TranslationError(
            f"{snapshot} draws from renders under the mask of the label beside each (background "
            f"'{train.drawn_background}'), and translate takes pictures alone; use seg2real generate, which "
            "has both, or a snapshot trained with background 'generate'."
        )
    if settings.direction == "ba" and translator.needs_renders:
        raise TranslationError(
            f"{snapshot} was trained on renders: its way back draws renders, in which no classes can be "
            "read; use --direction ab, or a snapshot trained on labels."
        )
    if settings.direction == "ba" and not translator.reads_labels:
        raise TranslationError(
            f"{snapshot} was trained with method '{train.method}', which learns no way back from "
            "photographs; use --direction ab, or a snapshot of a method that has one, such as cyclegan or "
            "segback."
        )


def _find_photos(snapshot: Path, translator: Translator, settings: TranslationSettings) -> dict[str, Path]:
    """Backgrounds to paste, sha256 -> path; none where none is pasted."""
    if not translator.needs_photos or settings.direction == "ba":
        return {}
    if settings.photos is None:
        raise TranslationError(
            f"{snapshot} pastes backgrounds from photographs; name a folder of them by --photos."
        )
    photos = images_under(settings.photos, PHOTO_SUFFIXES)
    if not photos:
        raise TranslationError(f"--photos {settings.photos} holds no photographs.")
    return {hashlib.sha256(read_bytes(path)).hexdigest(): path for path in photos}
