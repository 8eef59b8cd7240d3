"""What the page takes from a training run, and when it is written anew."""

import os
from pathlib import Path

from pipeline.report import Training, is_older, read_training


def test_a_run_gives_its_curves_and_its_newest_preview(tmp_path: Path) -> None:
    assert read_training(tmp_path / "none") == read_training(tmp_path) == Training(None, None)
    (tmp_path / "metrics.jsonl").write_bytes(b"{}\n")
    (tmp_path / "previews").mkdir()
    for num in (0, 400, 12000):
        (tmp_path / "previews" / f"preview-{num:08d}.png").write_bytes(b"%d" % num)
    assert read_training(tmp_path) == Training(b"{}\n", b"12000")


def test_a_page_is_older_than_what_it_was_made_from(tmp_path: Path) -> None:
    page, source = tmp_path / "page", tmp_path / "source"
    assert is_older(page)
    page.touch()
    assert not is_older(page) and not is_older(page, source)
    source.touch()
    os.utime(page, (100, 100))
    assert is_older(page, tmp_path / "missing", source)
    os.utime(source, (100, 100))
    assert not is_older(page, source)
