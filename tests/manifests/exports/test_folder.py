"""An export's folder is whole or begun anew, one writer's at a time, and nobody's files are removed."""

from pathlib import Path

import pytest

from manifests.durable import LockHeldError
from manifests.exports.classes import ExportError
from manifests.exports.folder import REPORT_NAME, export_folder, write_report


def write(folder: Path, format_name: str = "coco", *, overwrite: bool = False, name: str = "a") -> None:
    with export_folder(folder, format_name, overwrite=overwrite):
        (folder / name).write_bytes(b"1")
        (folder / "sub").mkdir()
        write_report(folder, {"format": format_name})


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_whole_export_is_replaced_only_on_demand(tmp_path: Path) -> None:
    folder = tmp_path / "deep/out"
    write(folder)
    assert names(folder) == {"a", "sub", REPORT_NAME}
    with pytest.raises(ExportError, match="holds an export as coco; choose another folder, or --overwrite"):
        write(folder)
    with pytest.raises(ExportError, match=r"holds an export as coco; choose another folder\."):
        write(folder, "yolo", overwrite=True)
    assert names(folder) == {"a", "sub", REPORT_NAME}
    write(folder, overwrite=True, name="b")
    assert names(folder) == {"b", "sub", REPORT_NAME}


def test_a_killed_export_has_no_report_and_is_begun_anew(tmp_path: Path) -> None:
    for overwrite in (False, True):  # the first time, and when an export was being replaced
        with pytest.raises(KeyboardInterrupt), export_folder(tmp_path, "coco", overwrite=overwrite):
            (tmp_path / "half").write_bytes(b"")
            raise KeyboardInterrupt
        assert REPORT_NAME not in names(tmp_path)
        with pytest.raises(ExportError, match="holds files that are no export"):
            write(tmp_path, "yolo")
        write(tmp_path)
        assert names(tmp_path) == {"a", "sub", REPORT_NAME}


def test_files_of_others_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.pdf").write_bytes(b"mine")
    for overwrite in (False, True):
        with pytest.raises(ExportError, match="holds files that are no export; choose another folder"):
            write(tmp_path, overwrite=overwrite)
        with pytest.raises(ExportError, match=r"thesis.pdf is a file; a new folder was wanted"):
            write(tmp_path / "thesis.pdf", overwrite=overwrite)
    assert names(tmp_path) == {"thesis.pdf"}
    # What a link in an export leads to is another's.
    write(tmp_path / "out")
    (tmp_path / "out/link").symlink_to(tmp_path)
    write(tmp_path / "out", overwrite=True)
    assert "thesis.pdf" in names(tmp_path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with export_folder(tmp_path, "coco", overwrite=False):
        (tmp_path / "first").write_bytes(b"")
        with pytest.raises(LockHeldError, match="The export .* is in use by process"):
            write(tmp_path)
        assert "first" in names(tmp_path)


def test_an_export_that_was_finished_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from manifests.exports import folder as module

    def finish_first(path: Path) -> None:
        monkeypatch.undo()
        write(path)

    monkeypatch.setattr(module, "make_folders", finish_first)
    with pytest.raises(ExportError, match="holds an export as coco"):
        write(tmp_path)
    assert names(tmp_path) == {"a", "sub", REPORT_NAME}
