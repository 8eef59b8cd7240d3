"""What is read and written is known before any work: names are kept, and nothing is lost by them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.translation.jobs import plan_jobs, plan_outputs
from pipeline.translation.settings import TranslationError, TranslationSettings

AB = TranslationSettings()
BA = TranslationSettings(direction="ba")


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """A folder with empty files."""

    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "in"

    return make


def names(jobs: list, out: Path) -> dict[str, list[str]]:
    return {job.source.name: [output.relative_to(out).as_posix() for output in job.outputs] for job in jobs}


def test_a_folder_keeps_its_folders_and_names(files: Callable, tmp_path: Path) -> None:
    source = files("b.png", "x/y/a.PNG", "x/film.AVI", "x/c.bmp", "notes.txt", ".hidden.png", "photo.jpg")
    out = tmp_path / "out"
    found = names(plan_jobs(source, out, AB), out)
    assert found == {
        "b.png": ["b.png"],
        "a.PNG": ["x/y/a.png"],
        "film.AVI": ["x/film.mp4"],
        "c.bmp": ["x/c.png"],
    }
    jpg = plan_jobs(source, out, TranslationSettings(image_format="jpg"))
    assert names(jpg, out)["b.png"] == ["b.jpg"]
    assert [job.source.name for job in jpg if job.is_video] == ["film.AVI"]
    photos = names(plan_jobs(source, out, BA), out)
    assert photos["photo.jpg"] == ["photo.png"]
    renders = names(plan_jobs(source, out, AB, from_renders=True), out)
    assert renders["photo.jpg"] == ["photo.png"]
    assert not out.exists()


def test_variants_have_numbers(files: Callable, tmp_path: Path) -> None:
    source, settings = files("a.png", "b.mp4"), TranslationSettings(variants=2)
    found = names(plan_jobs(source, tmp_path / "out", settings), tmp_path / "out")
    assert found == {"a.png": ["a-v0.png", "a-v1.png"], "b.mp4": ["b-v0.mp4", "b-v1.mp4"]}
    (job,) = plan_jobs(source / "a.png", tmp_path / "pic.jpg", settings)
    assert names([job], tmp_path) == {"a.png": ["pic-v0.jpg", "pic-v1.jpg"]}


@pytest.mark.parametrize(
    ("source", "out", "settings", "wanted"),
    [
        ("a.png", "pic.jpeg", AB, "pic.jpeg"),
        ("a.png", "pic.png", AB, "pic.png"),
        ("a.png", "folder", AB, "folder/a.png"),
        ("a.b.png", "run-1.5", AB, "run-1.5/a.b.png"),
        ("a.jpg", "label.png", BA, "label.png"),
        ("a.jpg", "folder", BA, "folder/a.png"),
        ("a.mov", "folder", BA, "folder/a.mp4"),
        ("a.mov", "b.MP4", AB, "b.MP4"),
    ],
)
def test_one_file_goes_to_a_file_or_into_a_folder(
    files: Callable, tmp_path: Path, source: str, out: str, settings: TranslationSettings, wanted: str
) -> None:
    (job,) = plan_jobs(files(source) / source, tmp_path / out, settings)
    assert job.outputs == (tmp_path / wanted,)


@pytest.mark.parametrize(
    ("source", "out", "settings", "sentence"),
    [
        (
            "a.jpg",
            "label.jpg",
            BA,
            "segmentation image cannot be written to .*; name a folder or a .png file",
        ),
        ("a.mp4", "film.avi", AB, "A video cannot be written to .*film.avi; name a folder or a .mp4 file"),
        (
            "a.png",
            "film.mp4",
            AB,
            "A picture cannot be written to .*; name a folder or a .jpeg or .jpg or .png",
        ),
        ("a.png", "pic.tiff", AB, "A picture cannot be written to .*pic.tiff"),
        ("a.png", "in/a.png", AB, "translation of .*a.png would replace .*a.png"),
        ("a.png", "in", AB, "translation of .*a.png would replace .*a.png"),
        ("nothing.png", "out", AB, "nothing.png does not exist"),
    ],
)
def test_one_file_that_cannot_go_there(
    files: Callable, tmp_path: Path, source: str, out: str, settings: TranslationSettings, sentence: str
) -> None:
    folder = files("a.png", "a.jpg", "a.mp4")
    with pytest.raises(TranslationError, match=sentence):
        plan_jobs(folder / source, tmp_path / out, settings)


def test_two_files_of_one_name_are_refused_by_name(files: Callable, tmp_path: Path) -> None:
    with pytest.raises(
        TranslationError, match=r"in/x/a.jpg and .*in/x/a.png would both become .*out/x/a.png"
    ):
        plan_jobs(files("x/a.jpg", "x/a.png"), tmp_path / "out", BA)
    with pytest.raises(TranslationError, match=r"film.avi and .*film.mov would both become .*film.mp4"):
        plan_jobs(files("film.avi", "film.mov").parent / "in", tmp_path / "out2", BA)


def test_a_folder_is_not_translated_into_itself(files: Callable, tmp_path: Path) -> None:
    source = files("a.jpg")
    for out in (source, source / "out", tmp_path / "else" / ".." / "in" / "out"):
        with pytest.raises(
            TranslationError, match="lies in .*in, so that the next call would translate its own"
        ):
            plan_jobs(source, out, BA)
    link = tmp_path / "link"
    link.symlink_to(source)
    with pytest.raises(TranslationError, match="lies in"):
        plan_jobs(source, link / "out", BA)
    assert len(plan_jobs(source, tmp_path / "in2", BA)) == 1


def test_an_output_that_links_to_an_input_is_refused(files: Callable, tmp_path: Path) -> None:
    source = files("a.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(source / "a.png")
    with pytest.raises(TranslationError, match="would replace"):
        plan_jobs(source, tmp_path / "out", AB)


def test_what_stands_in_the_way_is_named(files: Callable, tmp_path: Path) -> None:
    source, out = files("a.png"), tmp_path / "out"
    (out / "a.png").mkdir(parents=True)
    with pytest.raises(TranslationError, match="a.png is a folder, where a file is to be written"):
        plan_jobs(source, out, AB)
    (tmp_path / "file").touch()
    with pytest.raises(TranslationError, match="file is no folder; the translations of folder"):
        plan_jobs(source, tmp_path / "file", AB)
    with pytest.raises(TranslationError, match="file is a file of another kind"):
        plan_jobs(source / "a.png", tmp_path / "file", AB)


def test_nothing_to_translate_is_a_sentence(files: Callable, tmp_path: Path) -> None:
    with pytest.raises(TranslationError, match="in holds nothing to translate; looked for .avi, .bmp"):
        plan_jobs(files("notes.txt"), tmp_path / "out", AB)
    with pytest.raises(TranslationError, match="1 files like a.jpg and no segmentation images: JPG changes"):
        plan_jobs(files("a.jpg"), tmp_path / "out", AB)


def test_a_camera_is_written_as_a_video(tmp_path: Path) -> None:
    assert plan_outputs(tmp_path, "camera-0", AB, is_video=True) == (tmp_path / "camera-0.mp4",)
    assert plan_outputs(tmp_path / "a.mp4", "camera-0", AB, is_video=True) == (tmp_path / "a.mp4",)
