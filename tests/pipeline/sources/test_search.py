import unicodedata
from pathlib import Path

import pytest

from pipeline.sources.checks import check_names, check_roles, check_twins, skipped_labels, skipped_photos
from pipeline.sources.search import SourceError, find_labels, find_photos


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def labels(root: Path) -> list[tuple[str, str]]:
    return [(label.relative, label.part) for label in find_labels(root)]


def photos(root: Path) -> list[tuple[str, str]]:
    return [(photo.path.relative_to(root).as_posix(), photo.part) for photo in find_photos(root)]


def test_the_seeds_own_layout(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "soccer",
        *("segTrain/b.png", "segTrain/a.PNG", "segTrain/venue/c.png", "segTest/d.png", "segTrain/notes.txt"),
        *("realTrain/x.jpg", "realTrain/y.JPEG", "realTest/z.png", "realTrain/.hidden.jpg"),
        *("meta/b.yaml", "_quarantine/q.png", "segTrain/_old/o.png"),
    )
    assert labels(root) == [
        ("segTest/d.png", "test"),
        ("segTrain/a.PNG", "train"),
        ("segTrain/b.png", "train"),
        ("segTrain/venue/c.png", "train"),
    ]
    assert photos(root) == [
        ("realTest/z.png", "test"),
        ("realTrain/x.jpg", "train"),
        ("realTrain/y.JPEG", "train"),
    ]
    found = {label.relative: label for label in find_labels(root)}
    assert {label.source_set for label in found.values()} == {"soccer"}
    assert found["segTrain/b.png"].camera_path == root / "meta" / "b.yaml"
    assert found["segTest/d.png"].camera_path is None
    assert check_twins(root) == []


@pytest.mark.parametrize("joint", ["", "/"])
def test_the_cyclegan_family(tmp_path: Path, joint: str) -> None:
    names = [f"{part}{joint}{side}" for part in ("train", "test") for side in "AB"]
    root = tree(tmp_path, *(f"{name}/{i}.png" for i, name in enumerate(names)))
    assert labels(root) == [(f"test{joint}A/2.png", "test"), (f"train{joint}A/0.png", "train")]
    assert photos(root) == [(f"test{joint}B/3.png", "test"), (f"train{joint}B/1.png", "train")]


def test_a_part_named_as_a_source_keeps_its_part(tmp_path: Path) -> None:
    root = tree(tmp_path, "train/A/0.png", "realTest/1.jpg", "any/2.png")
    assert labels(root / "train" / "A") == [("0.png", "train")]
    assert photos(root / "realTest") == [("1.jpg", "test")]
    assert labels(root / "any") == [("2.png", "unsplit")]


def test_rendered_sources_have_their_label_beside_them(tmp_path: Path) -> None:
    root = tree(
        tmp_path, "trainA/a.jpg", "trainA/b.jpg", "trainA_seg/a.png", "trainA_seg/c.png", "trainB/x.jpg"
    )
    found = {label.relative: label.render_path for label in find_labels(root)}
    assert found == {"trainA_seg/a.png": root / "trainA" / "a.jpg", "trainA_seg/c.png": None}
    findings = check_twins(root)
    assert [(f.code, f.path.name) for f in findings] == [("missing-twin", "c.png"), ("missing-twin", "b.jpg")]


def test_landing_sets_are_touched_only_when_ready(tmp_path: Path) -> None:
    root = tree(
        tmp_path / "data",
        *("incoming/one/a.png", "incoming/one/_READY", "incoming/two/b.png"),
        *("incoming/three/segTrain/c.png", "incoming/three/_READY", "segTrain/d.png"),
    )
    assert labels(root) == [("segTrain/d.png", "train"), ("a.png", "unsplit"), ("segTrain/c.png", "train")]
    assert [label.source_set for label in find_labels(root)] == ["data", "one", "three"]
    assert labels(root / "incoming") == [("a.png", "unsplit"), ("segTrain/c.png", "train")]
    assert labels(root / "incoming" / "two") == []
    waiting = tree(tmp_path / "waiting", "incoming/two/x_seg.png", "incoming/two/meta/x.yaml")
    assert labels(waiting) == []


def test_ade20k(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        *("training/a/hall/1.jpg", "training/a/hall/1_seg.png", "training/a/hall/1_parts_1.png"),
        *("validation/b/2_seg.png", "validation/b/3.jpg"),
    )
    assert labels(root) == [("training/a/hall/1_seg.png", "train"), ("validation/b/2_seg.png", "test")]
    assert photos(root) == [("training/a/hall/1.jpg", "train"), ("validation/b/3.jpg", "test")]
    assert [finding.path.name for finding in check_twins(root)] == ["2_seg.png", "3.jpg"]


def test_nupbr(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        *("run_0/raw/0.png", "run_0/seg/0.png", "run_0/meta/0.yaml"),
        *("run_1/raw/0.png", "run_1/seg/0.png", "run_1/seg/1.png", "run_1/meta/0.yaml"),
    )
    found = find_labels(root)
    assert [label.relative for label in found] == ["run_0/seg/0.png", "run_1/seg/0.png", "run_1/seg/1.png"]
    assert found[0].camera_path == root / "run_0/meta/0.yaml"
    assert found[1].render_path == root / "run_1/raw/0.png"
    assert found[2].camera_path is None
    assert [f.what for f in check_twins(root)] == [
        "it has no render of the same stem",
        "it has no camera file of the same stem",
    ]


def test_visual_mesh(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        *(
            f"{kind}{i:04}.{s}"
            for i in range(2)
            for kind, s in (("image", "jpg"), ("mask", "png"), ("lens", "yaml"))
        ),
    )
    found = find_labels(root)
    assert [label.relative for label in found] == ["mask0000.png", "mask0001.png"]
    assert found[1].camera_path == root / "lens0001.yaml"
    assert found[1].render_path == root / "image0001.jpg"


def test_one_lens_for_a_folder(tmp_path: Path) -> None:
    root = tree(tmp_path, "segTrain/a.png", "lens.yaml")
    assert find_labels(root)[0].camera_path == root / "lens.yaml"


def test_a_folder_with_nothing_known_lists_what_was_looked_for(tmp_path: Path) -> None:
    tree(tmp_path, "readme.txt", "deep/deeper/a.png")
    for find in (find_labels, find_photos):
        with pytest.raises(SourceError, match=r"segTrain.*trainA.*incoming.*_seg\.png.*meta.*lens"):
            find(tmp_path)
    with pytest.raises(SourceError, match="does not exist"):
        find_labels(tmp_path / "gone")
    with pytest.raises(SourceError, match="is no folder"):
        find_photos(tmp_path / "readme.txt")
    only_photos = tree(tmp_path / "photos", "realTrain/a.jpg")
    with pytest.raises(SourceError, match="holds no labels"):
        find_labels(only_photos)


def test_the_order_is_that_of_names(tmp_path: Path) -> None:
    root = tree(tmp_path, *(f"segTrain/{i}.png" for i in (10, 9, 1, 30)))
    assert [relative for relative, _ in labels(root)] == sorted(relative for relative, _ in labels(root))


def test_clashing_names_are_found(tmp_path: Path) -> None:
    composed, taken_apart = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    root = tree(
        tmp_path,
        *(
            "segTrain/a.png",
            "segTest/a.png",
            "segTrain/Pitch.png",
            "segTrain/pitch.png",
            "segTrain/alone.png",
        ),
        *(f"segTrain/{composed}.png", f"segTrain/{taken_apart}.png"),
    )
    findings = check_names(find_labels(root))
    assert sorted(finding.code for finding in findings) == ["case-clash", "duplicate-stem", "unicode-twins"]
    assert all(finding.severity == "warning" for finding in findings)


def test_labels_are_no_photographs(tmp_path: Path) -> None:
    """Given as photos, a folder that holds both gives the photographs only."""
    mesh = tree(tmp_path / "mesh", *(f"{kind}0.{s}" for kind, s in (("mask", "png"), ("lens", "yaml"))))
    tree(mesh, "image0.png")
    assert photos(mesh) == [("image0.png", "unsplit")]
    assert skipped_photos(mesh) == []
    plain = tree(tmp_path / "plain", "a.png", "b.bmp", "c.jpg", "d.webp")
    assert photos(plain) == [("c.jpg", "unsplit"), ("d.webp", "unsplit")]
    assert [(f.path.name, "taken for a label" in f.what) for f in skipped_photos(plain)] == [
        ("a.png", True),
        ("b.bmp", True),
    ]
    assert check_roles(find_labels(plain), find_photos(plain)) == []


def test_a_folder_of_png_files_is_either_kind_but_not_both(tmp_path: Path) -> None:
    root = tree(tmp_path, "a.png", "b.png")
    assert [relative for relative, _ in labels(root)] == [relative for relative, _ in photos(root)]
    assert skipped_photos(root) == []
    (finding,) = check_roles(find_labels(root), find_photos(root))
    assert (finding.severity, finding.path) == ("error", root / "a.png")
    assert "as would 1 more" in finding.what


@pytest.mark.parametrize(
    ("names", "skipped"),
    [
        (["segTrain/a.jpg", "segTrain/b.JPG", "segTrain/c.png", "realTrain/x.jpg"], ["a.jpg"]),
        (["trainA_seg/a.tif", "trainA/a.jpg"], ["a.tif"]),
        (["run/seg/0.jpeg", "run/raw/0.jpg", "run/meta/0.yaml"], ["0.jpeg"]),
        (["incoming/one/a.jpg", "incoming/one/_READY"], ["a.jpg"]),
        (["labels/a.png", "labels/a.jpg"], []),
        (["a_seg.png", "a.jpg"], []),
        (["a.png", "a.jpg", "a.gif"], ["a.gif"]),
    ],
)
def test_labels_of_another_suffix_are_said(tmp_path: Path, names: list[str], skipped: list[str]) -> None:
    findings = skipped_labels(tree(tmp_path, *names))
    assert [finding.path.name for finding in findings] == skipped
    lossy = [f for f in findings if f.path.suffix.startswith(".j")]
    assert all("changes the colours of a label" in finding.what for finding in lossy)


def test_photographs_of_another_suffix_are_said(tmp_path: Path) -> None:
    tree(tmp_path, "realTrain/a.heic", "realTrain/b.heic", "realTrain/c.jpg", "segTrain/d.png")
    (finding,) = skipped_photos(tmp_path)
    assert finding.path.name == "a.heic" and "as are 1 more .heic files" in finding.what
    assert [f.path.name for f in skipped_photos(tree(tmp_path / "plain", "a.tiff", "b.jpg"))] == ["a.tiff"]


def test_a_folder_of_jpeg_labels_says_why_they_are_none(tmp_path: Path) -> None:
    tree(tmp_path, "b.jpg", "a.jpg")
    with pytest.raises(SourceError, match=r"2 files like a\.jpg and no labels: JPG changes the colours"):
        find_labels(tmp_path)


def test_a_link_to_nothing_is_found_so_that_it_can_be_said(tmp_path: Path) -> None:
    (tmp_path / "a.png").symlink_to(tmp_path / "gone")
    (tmp_path / "folder.png").mkdir()
    assert labels(tmp_path) == photos(tmp_path) == [("a.png", "unsplit")]


def test_a_landing_folder_in_which_nothing_has_landed_need_not_exist(tmp_path: Path) -> None:
    assert find_labels(tmp_path / "incoming") == []
    with pytest.raises(SourceError, match="does not exist"):
        find_labels(tmp_path / "segTrain")
