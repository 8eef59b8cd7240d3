"""Samples of a dataset chosen for training, and their pixels. OpenCV is imported where it is used."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manifests.decoding import UndecodableError, decode_image, image_size
from manifests.loaders.image_header import stated_size
from manifests.loaders.label_png import decode_label_fast
from manifests.loaders.rows import wanted_rows
from manifests.loaders.sample_files import SampleFile, SampleFiles, check_names
from manifests.reader import ManifestError
from manifests.schema import class_names, palette_of, version_number
from manifests.storage.opening import Root, open_store
from manifests.storage.store import Store

__all__ = ["Pair", "Row", "Selection"]

_COLUMNS = (
    "sample_id",
    "image_file_name",
    "label_file_name",
    "image_bytes",
    "label_bytes",
    "width",
    "height",
    "split",
    "accepted",
    "class_pixel_counts",
)
_MAX_MEGAPIXELS = 64


class Row(NamedTuple):
    """What it takes to read one sample."""

    image: SampleFile
    label: SampleFile
    size: tuple[int, int]
    """Width and height in px."""


class Pair(NamedTuple):
    """The pixels of one sample."""

    image: np.ndarray
    """uint8 [H, W, 3] RGB."""
    mask: np.ndarray
    """uint8 [H, W] class ids, as the selection maps them."""


class Selection:
    """Rows of one committed version, in the table's order; what all loaders read from.

    It holds a few columns of the table, and is cheap to hand to other processes and threads.

    Args:
        root: the dataset's folder, or its s3:// URL.
        split: "train", "val" or "test"; None = all.
        version: None = the published one.
        accepted_only: leave out samples that the quality gates rejected.
        ignore_index: what masks hold where the palette marks a class `ignore`; None = its id.
        class_ids: the ids that masks are to hold, by class name; classes that it does not name are ignored.
            None = the palette's.

    Raises:
        ManifestError: there is no such dataset or version, or it is damaged.
        SchemaError: the table is no manifest.
        UnsafePathError: a row names a file that is not plainly inside the dataset.
        ValueError: there is no such split or class.
    """

    def __init__(
        self,
        root: Root | Store,
        split: str | None = None,
        *,
        version: int | None = None,
        accepted_only: bool = True,
        ignore_index: int | None = 255,
        class_ids: Mapping[str, int] | None = None,
    ):
        store = open_store(root)
        self.location = store.location
        table = wanted_rows(
            store, split=split, version=version, accepted_only=accepted_only, columns=_COLUMNS
        )
        self.version = version_number(table.schema)
        self.class_names = class_names(table.schema)
        self.ignored_ids, self._new_ids = _mapped(palette_of(table.schema), ignore_index, class_ids)
        self._files = SampleFiles(store)
        # Arrow columns stay compact and are shared between forked workers.
        self.sample_ids: pa.StringArray = table["sample_id"].combine_chunks()
        self.sizes = _sizes(table, self.location)
        """int32 [N, 2]: width and height of each sample in px."""
        self._class_pixel_counts = table["class_pixel_counts"].combine_chunks()
        self._names, self._num_bytes = (
            {kind: table[f"{kind}_{what}"].combine_chunks() for kind in ("image", "label")}
            for what in ("file_name", "bytes")
        )
        for names in self._names.values():
            check_names(names)

    def __len__(self) -> int:
        return len(self.sample_ids)

    def file_names(self, kind: str) -> list[str]:
        """The names of all images ("image") or labels ("label"), relative to the root."""
        return self._names[kind].to_pylist()

    def class_pixel_counts(self) -> np.ndarray:
        """int64 [N, K]: pixels of each of the palette's classes in each label."""
        lengths = pc.list_value_length(self._class_pixel_counts)
        num_classes = len(self.class_names) or pc.max(lengths).as_py() or 0
        if pc.any(pc.not_equal(lengths, num_classes)).as_py():
            raise ManifestError(
                f"Rows of {self.location} do not count the pixels of the palette's {num_classes} classes; "
                f"`seg2real verify {self.location}` lists them."
            )
        return self._class_pixel_counts.flatten().to_numpy().reshape(-1, num_classes)

    def rows(self, indices: Iterable[int]) -> list[Row]:
        """What it takes to read some samples. Raises UnsafePathError if a folder is a link that leads out."""
        places = pa.array(indices, pa.int64())
        files = (
            self._files.locate(
                self._names[kind].take(places).to_pylist(), self._num_bytes[kind].take(places).to_pylist()
            )
            for kind in ("image", "label")
        )
        sizes = map(tuple, self.sizes[places.to_numpy(zero_copy_only=False)].tolist())
        return list(map(Row, *files, sizes))

    def read(self, index: int) -> Pair:
        """The pixels of one sample.

        Raises:
            UndecodableError: a file is damaged, or not what its row says.
            OSError: a file cannot be read.
            UnsafePathError: a link leads out of the dataset.
        """
        return self._pair(self.rows([index])[0])

    def read_all(self, indices: Iterable[int]) -> list[Pair]:
        """The pixels of several samples, in threads where files come from an object store."""
        return self._files.in_threads(self._pair, self.rows(indices))

    def load(self, row: Row) -> tuple[bytes, bytes]:
        """The bytes of a sample's image and label; raises what `read` raises."""
        return self._bytes(row.image), self._bytes(row.label)

    def decode_image_into(self, row: Row, data: bytes, image: np.ndarray) -> None:
        """Put the pixels of an image that is loaded into an array of its size; raises what `read` raises."""
        image[...] = self._decoded(row.image, data, row.size, decode_image)

    def decode_mask_into(self, row: Row, data: bytes, mask: np.ndarray) -> None:
        """Put the ids of a label that is loaded into a contiguous array of its size; raises what `read`
        raises."""
        label_map = self._label_map(row, data, mask if self._new_ids is None else None)
        if self._new_ids is not None:
            _map_ids(label_map, self._new_ids, mask)
        elif label_map is not mask:
            mask[...] = label_map

    def _pair(self, row: Row) -> Pair:
        contents = self.load(row)
        image = self._decoded(row.image, contents[0], row.size, decode_image)
        label_map = self._label_map(row, contents[1], None)
        return Pair(image, label_map if self._new_ids is None else _map_ids(label_map, self._new_ids, None))

    def _bytes(self, file: SampleFile) -> bytes:
        data = self._files.read(file)
        # A file that was cut short often still decodes, to a picture that ends in grey.
        if len(data) != file.num_bytes:
            raise self._refusal(file, f"it does not have the {file.num_bytes} bytes that its row says")
        return data

    def _label_map(self, row: Row, data: bytes, out: np.ndarray | None) -> np.ndarray:
        label_map = self._decoded(row.label, data, row.size, decode_label_fast, out)
        top = int(label_map.max())
        if self.class_names and top >= len(self.class_names):
            what = f"it has class id {top}, and the palette ends at {len(self.class_names) - 1}"
            raise self._refusal(row.label, what)
        return label_map

    def _decoded(
        self,
        file: SampleFile,
        data: bytes,
        size: tuple[int, int],
        decode: Callable[..., np.ndarray],
        *arguments: Any,
    ) -> np.ndarray:
        try:
            # A small file can hold gigabytes of pixels: believe the header first, then the pixels.
            found = stated_size(data) or image_size(data)
            if found == size:
                pixels = decode(data, *arguments)
                found = pixels.shape[1::-1]
        except UndecodableError as error:
            raise self._refusal(file, str(error)) from error
        if found != size:
            what = f"it has {found[0]}x{found[1]} px, and its row says {size[0]}x{size[1]}"
            raise self._refusal(file, what)
        return pixels

    def _refusal(self, file: SampleFile, what: str) -> UndecodableError:
        return UndecodableError(
            f"{self.location}/{file.name} cannot be used: {what}; `seg2real verify {self.location}` lists "
            "what else is wrong."
        )


def _map_ids(label_map: np.ndarray, new_ids: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    import cv2

    return cv2.LUT(label_map, new_ids, out)


def _sizes(table: pa.Table, location: str) -> np.ndarray:
    """int32 [N, 2]: width and height of each row; absurd ones are refused before anybody allocates them."""
    sizes = np.stack([table["width"].to_numpy(), table["height"].to_numpy()], axis=1)
    is_absurd = (sizes.min(axis=1) < 1) | (sizes.prod(axis=1, dtype=np.int64) > _MAX_MEGAPIXELS * 1_000_000)
    if is_absurd.any():
        row = int(is_absurd.argmax())
        raise ManifestError(
            f"Sample '{table['sample_id'][row]}' of {location} has {sizes[row, 0]}x{sizes[row, 1]} px; "
            f"1 px to {_MAX_MEGAPIXELS} megapixels were wanted."
        )
    return sizes


def _mapped(
    palette: Mapping[str, Any], ignore_index: int | None, class_ids: Mapping[str, int] | None
) -> tuple[tuple[int, ...], np.ndarray | None]:
    """Ids of the palette that are ignored, and uint8 [256]: what each becomes; None = all stay the same."""
    entries = palette.get("classes", [])
    names = [entry["name"] for entry in entries]
    if class_ids is None:
        ignored = [index for index, entry in enumerate(entries) if entry.get("ignore")]
        if ignore_index is None:
            ignored = []
        class_ids = {}
    else:
        ignored = [index for index, name in enumerate(names) if name not in class_ids]
    unknown = [name for name in class_ids if name not in names]
    if unknown:
        raise ValueError(f"There is no class '{unknown[0]}'; the palette has {', '.join(names)}.")
    if ignored and ignore_index is None:
        raise ValueError(f"Class '{names[ignored[0]]}' has no new id; give it one, or an ignore_index.")
    new_ids = np.arange(256)
    for name, new_id in class_ids.items():
        new_ids[names.index(name)] = new_id
    if ignored:
        new_ids[ignored] = ignore_index
    unfit = new_ids[(new_ids < 0) | (new_ids > 255)]
    if unfit.size:
        raise ValueError(f"A mask cannot hold the id {unfit[0]}; 0 to 255 were wanted.")
    is_same = bool((new_ids == np.arange(256)).all())
    return tuple(ignored), None if is_same else new_ids.astype(np.uint8)
