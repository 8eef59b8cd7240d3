"""A selection: which rows, which ids, and nothing but what the rows vouch for."""

import hashlib
import io
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from manifests.commit import commit
from manifests.decoding import UndecodableError, decode_image, decode_label
from manifests.loaders.selection import Pair, Selection
from manifests.paths import UnsafePathError
from manifests.push import push
from manifests.reader import ManifestError
from manifests.schema import SampleRecord, SchemaError, to_table


def stored(root: Path, record: SampleRecord) -> Pair:
    """The pixels of a sample by the careful decoders."""
    image, label = (root / name for name in (record.image_file_name, record.label_file_name))
    return Pair(decode_image(image.read_bytes()), decode_label(label.read_bytes()))


def assert_same(one: Pair, other: Pair) -> None:
    assert np.array_equal(one.image, other.image) and np.array_equal(one.mask, other.mask)


@pytest.fixture
def with_ignored(palette: dict) -> dict:
    """The palette with its last class to be ignored."""
    *classes, line = palette["classes"]
    return {**palette, "classes": [*classes, {**line, "ignore": True}]}


def test_samples_are_the_published_pixels(tmp_path: Path, publish: Callable) -> None:
    records = publish(tmp_path, *"abc") + publish(tmp_path, "jpeg", image_format="jpg")
    selection = Selection(tmp_path)
    records.sort(key=lambda record: record.sample_id)
    assert selection.sample_ids.to_pylist() == [record.sample_id for record in records]
    assert selection.file_names("image") == [record.image_file_name for record in records]
    assert selection.sizes.tolist() == [[8, 6]] * 4 and len(selection) == 4
    assert selection.class_names == ("environment", "field", "line") and selection.version == 2
    counts = [list(record.class_pixel_counts) for record in records]
    assert selection.class_pixel_counts().tolist() == counts
    for index, record in enumerate(records):
        pair = selection.read(index)
        assert pair.image.dtype == pair.mask.dtype == np.uint8
        assert_same(pair, stored(tmp_path, record))
    for pair, index in zip(selection.read_all([2, 0]), (2, 0), strict=True):
        assert_same(pair, selection.read(index))


def test_splits_and_rejects(tmp_path: Path, write_pair: Callable, palette: dict) -> None:
    splits = {"a": "train", "b": "val", "c": "train", "d": "train"}
    records = [
        write_pair(
            tmp_path, name, split=split, accepted=name != "d", reject_reason="flat" if name == "d" else None
        )
        for name, split in splits.items()
    ]
    commit(tmp_path, to_table(records, palette=palette))
    a, _, c, d = (record.sample_id for record in records)
    assert Selection(tmp_path, "train").sample_ids.to_pylist() == [a, c]
    assert Selection(tmp_path, "train", accepted_only=False).sample_ids.to_pylist() == [a, c, d]
    assert len(Selection(tmp_path)) == 3
    empty = Selection(tmp_path, "test")
    assert len(empty) == 0 and empty.class_pixel_counts().shape == (0, 3) and empty.read_all([]) == []
    with pytest.raises(ValueError, match="no split 'dev'; use one of train, val, test"):
        Selection(tmp_path, "dev")


def test_any_committed_version_can_be_read(tmp_path: Path, publish: Callable) -> None:
    first = publish(tmp_path, "a", "b")
    commit(tmp_path, remove=[first[0].sample_id])
    assert [len(Selection(tmp_path, version=number)) for number in (1, 2)] == [2, 1]
    assert Selection(tmp_path).version == 2 and Selection(tmp_path, version=1).version == 1
    assert_same(Selection(tmp_path, version=1).read(0), stored(tmp_path, first[0]))
    with pytest.raises(ManifestError, match="no version 3"):
        Selection(tmp_path, version=3)


def test_an_object_store_is_read_alike(tmp_path: Path, publish: Callable, bucket: str) -> None:
    publish(tmp_path, *"abc")
    push(tmp_path, f"{bucket}/soccer")
    here, there = Selection(tmp_path), Selection(f"{bucket}/soccer", version=1)
    for one, other in zip(here.read_all(range(3)), there.read_all(range(3)), strict=True):
        assert_same(one, other)


def test_a_selection_can_be_handed_to_another_process(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b")
    selection = Selection(tmp_path, class_ids={"line": 1})
    assert_same(pickle.loads(pickle.dumps(selection)).read(1), selection.read(1))


def test_ignored_classes_become_the_ignore_index(
    tmp_path: Path, write_pair: Callable, with_ignored: dict
) -> None:
    commit(tmp_path, to_table([write_pair(tmp_path, "a")], palette=with_ignored))
    ids = Selection(tmp_path, ignore_index=None).read(0).mask
    assert set(np.unique(ids)) == {0, 1, 2}
    for index in (255, 77):
        selection = Selection(tmp_path, ignore_index=index)
        assert selection.ignored_ids == (2,)
        assert np.array_equal(selection.read(0).mask, np.where(ids == 2, index, ids))
    assert Selection(tmp_path, ignore_index=None).ignored_ids == ()


def test_classes_can_have_other_ids(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a")
    ids = Selection(tmp_path).read(0).mask
    merged = Selection(tmp_path, class_ids={"line": 0, "field": 9}, ignore_index=200)
    assert np.array_equal(merged.read(0).mask, np.array([200, 9, 0], np.uint8)[ids])
    assert merged.ignored_ids == (0,)
    every = {"environment": 2, "field": 0, "line": 1}
    turned = Selection(tmp_path, class_ids=every, ignore_index=None).read(0).mask
    assert np.array_equal(turned, np.array([2, 0, 1], np.uint8)[ids])
    for wrong, match in (
        ({"class_ids": {"goal": 1}}, "no class 'goal'; the palette has environment, field, line"),
        ({"class_ids": {"line": 1}, "ignore_index": None}, "'environment' has no new id; give it one"),
        ({"class_ids": {"line": 256}}, "cannot hold the id 256"),
        ({"class_ids": {"line": 1}, "ignore_index": -1}, "cannot hold the id -1"),
    ):
        with pytest.raises(ValueError, match=match):
            Selection(tmp_path, **wrong)


def label_png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["image", "label"])
@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"hello", "neither PNG nor JPEG"),
        (cv2.imencode(".png", np.zeros((6, 8), np.uint8))[1].tobytes()[:-35], "damaged"),
        (
            cv2.imencode(".png", np.zeros((8, 6), np.uint8))[1].tobytes(),
            "it has 6x8 px, and its row says 8x6",
        ),
        (
            cv2.imencode(".jpg", np.zeros((8, 6), np.uint8))[1].tobytes(),
            "it has 6x8 px, and its row says 8x6",
        ),
    ],
    ids=["text", "cut", "turned", "turned jpeg"],
)
def test_vouched_files_that_are_wrong_are_named(
    tmp_path: Path, publish: Callable, palette: dict, kind: str, data: bytes, match: str
) -> None:
    record = publish(tmp_path, "a")[0]
    replant(tmp_path, record, palette, kind, data)
    with pytest.raises(
        UndecodableError, match=rf"{kind}s/0000/.* cannot be used: .*{match}.*seg2real verify"
    ):
        Selection(tmp_path).read(0)


def replant(root: Path, record: SampleRecord, palette: dict, kind: str, data: bytes) -> None:
    """Put other bytes in a sample's file, and a row that vouches for them."""
    (root / getattr(record, f"{kind}_file_name")).write_bytes(data)
    vouched = {f"{kind}_bytes": len(data), f"{kind}_sha256": hashlib.sha256(data).hexdigest()}
    commit(root, to_table([replace(record, **vouched)], palette=palette), remove=[record.sample_id])


def test_an_unknown_class_id_is_refused(tmp_path: Path, publish: Callable, palette: dict) -> None:
    replant(tmp_path, publish(tmp_path, "a")[0], palette, "label", label_png(np.full((6, 8), 3, np.uint8)))
    with pytest.raises(UndecodableError, match="it has class id 3, and the palette ends at 2"):
        Selection(tmp_path).read(0)


@pytest.mark.parametrize("change", [b"", b"more"])
def test_a_file_of_another_length_is_refused(tmp_path: Path, publish: Callable, change: bytes) -> None:
    # A JPEG that was cut short decodes, with grey where it ends.
    record = publish(tmp_path, "a", image_format="jpg")[0]
    path = tmp_path / record.image_file_name
    path.write_bytes(path.read_bytes() + change if change else path.read_bytes()[:-9])
    with pytest.raises(UndecodableError, match=f"does not have the {record.image_bytes} bytes that its row"):
        Selection(tmp_path).read(0)


def test_rows_that_lead_out_are_refused(tmp_path: Path, publish: Callable, palette: dict) -> None:
    record = publish(tmp_path, "a")[0]
    away = replace(record, image_file_name="../a.png")
    commit(tmp_path, to_table([away], palette=palette), remove=[record.sample_id])
    with pytest.raises(UnsafePathError, match="names the file"):
        Selection(tmp_path)


@pytest.mark.parametrize("size", [(0, 6), (-8, 6), (20_000, 20_000)])
def test_absurd_sizes_are_refused(tmp_path: Path, publish: Callable, palette: dict, size: tuple) -> None:
    record = publish(tmp_path, "a")[0]
    absurd = replace(record, width=size[0], height=size[1])
    commit(tmp_path, to_table([absurd], palette=palette), remove=[record.sample_id])
    with pytest.raises(ManifestError, match=f"has {size[0]}x{size[1]} px"):
        Selection(tmp_path)


def test_a_small_file_of_huge_pixels_is_not_decoded(
    tmp_path: Path, publish: Callable, palette: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    huge = cv2.imencode(".png", np.zeros((4000, 4000), np.uint8))[1].tobytes()
    record = publish(tmp_path, "a")[0]
    replant(tmp_path, record, palette, "image", huge)
    monkeypatch.setattr("manifests.loaders.selection.decode_image", None)
    with pytest.raises(UndecodableError, match="it has 4000x4000 px, and its row says 8x6"):
        Selection(tmp_path).read(0)


def test_tables_from_elsewhere(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b")
    path = tmp_path / "metadata.parquet"
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata(None), path)
    nameless = Selection(tmp_path)
    assert nameless.class_names == () and len(nameless.read(0).mask) == 6
    assert nameless.class_pixel_counts().shape == (2, 3)

    index = table.schema.get_field_index("image_file_name")
    gaps = pq.read_table(path).set_column(index, "image_file_name", [["images/0000/a.png", None]])
    pq.write_table(gaps, path)
    with pytest.raises(ManifestError, match="image_file_name of .* is empty in 1 rows"):
        Selection(tmp_path)

    pq.write_table(table.drop_columns("width"), path)
    with pytest.raises(SchemaError, match="width is missing"):
        Selection(tmp_path)
    path.unlink()
    with pytest.raises(ManifestError, match="no dataset"):
        Selection(tmp_path)


def test_counts_of_other_classes_are_refused(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", class_pixel_counts=(48, 0))
    with pytest.raises(ManifestError, match="do not count the pixels of the palette's 3 classes"):
        Selection(tmp_path).class_pixel_counts()
