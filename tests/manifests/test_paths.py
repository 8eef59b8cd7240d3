"""File names of a manifest lead to files inside its folder, or are refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.paths import UnsafePathError, check_relative, inside

UNSAFE = [
    "",
    "/etc/passwd",
    "../a.png",
    "images/../../a.png",
    "images//a.png",
    "./a.png",
    "images/",
    "file:///etc/passwd",
    "s3://bucket/a.png",
    "C:/a.png",
    "C:a.png",
    "images\\..\\a.png",
    "a\0.png",
]


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePathError, match="names the file"):
        inside(tmp_path, name)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_name_that_passes_stays_inside(name: str) -> None:
    try:
        check_relative(name)
    except UnsafePathError:
        return
    root = Path("/data/root")
    assert (root / name).is_relative_to(root) and ".." not in (root / name).parts


def test_links_may_not_lead_out(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "root-secret"
    for folder in (root / "images", outside):
        folder.mkdir(parents=True)
    (root / "images" / "a.png").write_bytes(b"a")
    (root / "link.png").symlink_to("images/a.png")
    (root / "out.png").symlink_to(outside / "b.png")
    (root / "folder").symlink_to(outside)
    assert inside(root, "link.png") == (root / "images" / "a.png").resolve()
    for name in ("out.png", "folder/b.png"):
        with pytest.raises(UnsafePathError, match="leads out"):
            inside(root, name)


def test_a_root_that_is_a_link_itself_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert inside(tmp_path / "link", "a.png") == (tmp_path / "real" / "a.png").resolve()
