import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.config import SourcesConfig
from pipeline.images import encode_jpeg, encode_label_png, encode_png
from pipeline.palette import Palette, PaletteClass
from pipeline.prepare import BAD_FILES, Prepared, TooManyBadInputs, prepare
from pipeline.sources.search import SourceError

COLORS = [(0, 0, 0), (0, 255, 0), (255, 255, 255)]
PALETTE = Palette(name="p", classes=tuple(PaletteClass(name=f"c{i}", color=c) for i, c in enumerate(COLORS)))


def label_map(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 3, (10, 14), dtype=np.uint8)


def put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A small set: 4 + 1 labels, 3 + 1 photographs, all good."""
    root = tmp_path / "soccer"
    for seed in range(5):
        folder = "segTest" if seed == 4 else "segTrain"
        put(root / folder / f"{seed}.png", encode_label_png(label_map(seed), PALETTE))
    for seed in range(4):
        image = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
        folder = "realTest" if seed == 3 else "realTrain"
        put(root / folder / f"{seed}.jpg", encode_jpeg(image, 90))
    return root


def run(root: Path, palette: Palette = PALETTE, **settings: object) -> Prepared:
    work = root.parent / "work"
    sources = SourcesConfig(labels=root, photos=root, **settings)
    return prepare(sources, palette, cache=work / "cache.json", quarantine=work / "_quarantine")


def listed_bad(root: Path) -> list[dict[str, str]]:
    path = root.parent / "work" / "_quarantine" / BAD_FILES
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_records_are_born_with_what_is_in_the_label(root: Path) -> None:
    camera = {"projection": "EQUIDISTANT", "Hoc": [[1.0, 0.0], [0.0, 1.0]], "fov": 2.5}
    put(root / "meta" / "2.yaml", yaml.safe_dump(camera).encode())
    prepared = run(root)
    assert [record.source_label for record in prepared.records] == [
        "segTest/4.png",
        *(f"segTrain/{i}.png" for i in range(4)),
    ]
    record = prepared.records[3]
    counts = np.bincount(label_map(2).ravel(), minlength=3)
    assert record.class_pixel_counts == tuple(counts)
    assert (record.width, record.height) == (14, 10)
    assert (record.source_set, record.source_part) == ("soccer", "train")
    assert json.loads(record.camera) == camera
    assert prepared.records[0].camera is None
    assert prepared.label_paths[record.source_sha256] == root / "segTrain" / "2.png"
    assert [path.name for path in prepared.train_labels] == ["0.png", "1.png", "2.png", "3.png"]
    assert [path.name for path in prepared.train_photos] == ["0.jpg", "1.jpg", "2.jpg"]
    assert tuple(prepared.background_paths.values()) == prepared.train_photos
    for sha256, path in prepared.background_paths.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    assert [photo.part for photo in prepared.photos] == ["test", "train", "train", "train"]
    assert prepared.findings == ()


def test_a_second_run_opens_nothing_and_finds_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(root)

    def refuse(path: Path) -> bytes:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr("pipeline.sources.inspection.read_bytes", refuse)
    assert run(root) == first


def test_a_changed_file_is_looked_at_again(root: Path) -> None:
    before = run(root)
    path = root / "segTrain" / "1.png"
    put(path, encode_label_png(label_map(77), PALETTE))
    after = run(root)
    changed = [a.source_label for a, b in zip(after.records, before.records, strict=True) if a != b]
    assert changed == ["segTrain/1.png"]


def test_another_palette_or_limit_empties_the_cache(root: Path) -> None:
    run(root)
    other = Palette(name="q", classes=PALETTE.classes[::-1])
    assert run(root, other).records[0].class_pixel_counts == run(root).records[0].class_pixel_counts[::-1]
    with pytest.raises(TooManyBadInputs, match="over the limit"):
        run(root, max_megapixels=0.0001)


def test_a_damaged_cache_is_no_obstacle(root: Path) -> None:
    first = run(root)
    cache = root.parent / "work" / "cache.json"
    for content in (b"", b"[]", cache.read_bytes()[:100]):
        cache.write_bytes(content)
        assert run(root) == first


def test_bad_files_are_listed_and_the_rest_goes_on(root: Path) -> None:
    good = run(root)
    truncated = root / "segTrain" / "bad1.png"
    truncated.write_bytes((root / "segTrain" / "0.png").read_bytes()[:60])
    foreign = np.full((4, 4, 3), 9, np.uint8)
    put(root / "segTrain" / "bad2.png", encode_png(foreign))
    (root / "realTrain" / "bad3.jpg").touch()
    prepared = run(root, max_bad_fraction=0.5)
    assert prepared.records == good.records and prepared.photos == good.photos
    bad = listed_bad(root)
    assert [(Path(entry["file"]).name, entry["kind"]) for entry in bad] == [
        ("bad1.png", "label"),
        ("bad2.png", "label"),
        ("bad3.jpg", "photograph"),
    ]
    assert "cut short" in bad[0]["reason"] and "(9, 9, 9) x 16" in bad[1]["reason"]
    assert [finding.code for finding in prepared.findings] == ["bad-label", "bad-label", "bad-photograph"]
    for entry in bad:
        os.unlink(entry["file"])
    run(root)
    assert not (root.parent / "work" / "_quarantine" / BAD_FILES).exists()


def test_a_bad_file_that_was_repaired_is_used(root: Path) -> None:
    path = root / "segTrain" / "0.png"
    data = path.read_bytes()
    path.write_bytes(data[:-5] + b"xxxxx")
    assert len(run(root, max_bad_fraction=0.5).records) == 4
    path.write_bytes(data)
    assert len(run(root).records) == 5


def test_too_many_bad_files_stop_the_run(root: Path) -> None:
    for seed in range(2):
        (root / "segTrain" / f"{seed}.png").write_text("no image")
    with pytest.raises(
        TooManyBadInputs, match=r"2 of 5 labels .* 0\.2; the first is .*0\.png: it is no image"
    ):
        run(root)
    assert len(listed_bad(root)) == 2
    assert len(run(root, max_bad_fraction=0.4).records) == 3


def test_nothing_usable_stops_the_run_whatever_the_limit(root: Path) -> None:
    for path in root.glob("real*/*"):
        path.write_text("no image")
    with pytest.raises(TooManyBadInputs, match="4 of 4 photographs"):
        run(root, max_bad_fraction=1.0)
    for path in root.glob("real*/*"):
        path.unlink()
    with pytest.raises(TooManyBadInputs, match="no photographs"):
        run(root)


def test_a_missing_folder_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone does not exist"):
        run(tmp_path / "gone")


def test_equal_content_is_used_once(root: Path) -> None:
    put(root / "segTrain" / "again.png", (root / "segTrain" / "0.png").read_bytes())
    put(root / "realTrain" / "again.jpg", (root / "realTrain" / "0.jpg").read_bytes())
    prepared = run(root)
    assert len(prepared.records) == 5 and len(prepared.photos) == 4
    assert [finding.code for finding in prepared.findings] == ["duplicate-content"] * 2


def test_a_folder_named_twice_counts_once(root: Path) -> None:
    sources = SourcesConfig(labels=(root, root), photos=(root, root))
    work = root.parent / "work"
    prepared = prepare(sources, PALETTE, cache=work / "c.json", quarantine=work / "q")
    assert len(prepared.records) == 5 and prepared.findings == ()


@pytest.mark.parametrize("text", ["{", "a: &x [1]\nb: *x", "\x00", "a: " + "1" * 70_000, "d: 2020-01-01"])
def test_camera_metadata_that_cannot_be_read_is_left_out(root: Path, text: str) -> None:
    put(root / "meta" / "2.yaml", text.encode())
    prepared = run(root)
    assert all(record.camera is None for record in prepared.records)
    assert [(finding.code, finding.path.name) for finding in prepared.findings] == [("bad-camera", "2.yaml")]


def test_a_name_that_is_no_utf8_is_refused(root: Path) -> None:
    name = os.fsdecode(os.fsencode(root / "segTrain") + b"/\xff.png")
    Path(name).write_bytes((root / "segTrain" / "0.png").read_bytes())
    prepared = run(root)
    assert len(prepared.records) == 5
    assert "no valid UTF-8" in prepared.findings[0].what
    assert "no valid UTF-8" in listed_bad(root)[0]["reason"]


def test_progress_counts_every_file(root: Path) -> None:
    seen: list[tuple[int, int]] = []
    work = root.parent / "work"
    prepare(
        SourcesConfig(labels=root, photos=root),
        PALETTE,
        cache=work / "c.json",
        quarantine=work / "q",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(i, 9) for i in range(10)]


def test_a_file_of_both_kinds_stops_the_run(root: Path) -> None:
    with pytest.raises(
        SourceError, match=r"0\.png would be used as a label and as a photograph, .* 3 more; "
    ):
        run(root / "segTrain")


def test_labels_that_are_left_out_are_said(root: Path) -> None:
    put(root / "segTrain" / "9.jpg", (root / "realTrain" / "0.jpg").read_bytes())
    prepared = run(root)
    assert len(prepared.records) == 5
    assert [(finding.code, finding.path.name) for finding in prepared.findings] == [("skipped-file", "9.jpg")]


@pytest.mark.parametrize("photos", [(), ("gone",), ("segTrain/../realBad",)])
def test_photographs_are_asked_for_only_where_they_are_needed(root: Path, photos: tuple[str, ...]) -> None:
    put(root / "realBad" / "a.jpg", b"no image")
    sources = SourcesConfig(labels=root, photos=tuple(root / name for name in photos))
    places = {"cache": root.parent / "c.json", "quarantine": root.parent / "q"}
    with pytest.raises((SourceError, TooManyBadInputs)):
        prepare(sources, PALETTE, **places)
    prepared = prepare(sources, PALETTE, **places, needs_photos=False)
    assert len(prepared.records) == 5 and prepared.photos == ()


def test_renders_are_opened_and_compared_with_their_labels(root: Path, tmp_path: Path) -> None:
    """Bad ones are said and keep no label from being used; that they serve nothing yet is said once."""
    rendered = tmp_path / "rendered"
    for seed, size in enumerate([(10, 14), (10, 14), (14, 10)]):
        put(rendered / "trainA_seg" / f"{seed}.png", encode_label_png(label_map(seed), PALETTE))
        put(rendered / "trainA" / f"{seed}.png", encode_png(np.zeros((*size, 3), np.uint8)))
    (rendered / "trainA" / "1.png").write_bytes(b"no image")
    seen: list[tuple[int, int]] = []
    prepared = prepare(
        SourcesConfig(labels=rendered, photos=root),
        PALETTE,
        cache=tmp_path / "c.json",
        quarantine=tmp_path / "q",
        progress=lambda done, total: seen.append((done, total)),
    )
    assert len(prepared.records) == 3
    said = [(finding.code, finding.path.name, finding.severity) for finding in prepared.findings]
    assert said == [
        ("unused-render", "0.png", "warning"),
        ("bad-render", "1.png", "warning"),
        ("render-size", "2.png", "warning"),
    ]
    assert "nor are 2 more" in prepared.findings[0].what
    assert "10 x 14 px and its label 14 x 10" in prepared.findings[2].what
    assert seen == [(i, 10) for i in range(11)]


def test_renders_that_serve_as_photographs_are_used(root: Path) -> None:
    put(root / "mesh" / "mask0.png", encode_label_png(label_map(0), PALETTE))
    put(root / "mesh" / "image0.jpg", encode_jpeg(np.zeros((10, 14, 3), np.uint8), 90))
    put(root / "mesh" / "lens0.yaml", b"fov: 1")
    assert run(root / "mesh").findings == ()


def test_a_run_from_renders_takes_labels_with_a_render_of_their_size(root: Path, tmp_path: Path) -> None:
    rendered = tmp_path / "rendered"
    for seed, size in enumerate([(10, 14), (10, 14), (9, 14), (10, 14)]):
        put(rendered / "trainA_seg" / f"{seed}.png", encode_label_png(label_map(seed), PALETTE))
        put(rendered / "trainA" / f"{seed}.png", encode_png(np.full((*size, 3), seed, np.uint8)))
    (rendered / "trainA" / "1.png").write_bytes(b"no image")
    (rendered / "trainA" / "3.png").unlink()
    sources = SourcesConfig(labels=rendered, photos=root, max_bad_fraction=0.8)
    places = {"cache": tmp_path / "cache.json", "quarantine": tmp_path / "quarantine"}
    prepared = prepare(sources, PALETTE, **places, needs_renders=True)

    (record,) = prepared.records
    render = rendered / "trainA" / "0.png"
    assert prepared.render_paths == {record.source_sha256: render}
    assert record.render_sha256 == hashlib.sha256(render.read_bytes()).hexdigest()
    reasons = " ".join((tmp_path / "quarantine" / "bad_files.jsonl").read_text().split())
    assert "14 x 9 px and its label 14 x 10" in reasons and "no render of the same stem" in reasons
    plain = prepare(sources, PALETTE, **places)
    assert len(plain.records) == 4 and not plain.render_paths
    assert all(record.render_sha256 is None for record in plain.records)
