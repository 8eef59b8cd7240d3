"""The page is one file, says what is there, and lets nothing through that others have named."""

import base64
import fnmatch
import hashlib
import html
import re
import tomllib
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest

from manifests.about import About, write_about
from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.report import page as page_module
from manifests.report.page import PAGE_NAME, report_page, write_report
from manifests.schema import to_table
from manifests.storage.folder import FolderStore
from manifests.verification.verify import verify

METRICS = b'{"num_images_seen": 100, "cycle_a": 2.0}\n{"num_images_seen": 900, "cycle_a": 1.5}\n'
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "\"'><script>alert(2)<",
    "' onclick='alert(3)",
    "</style>{{ 7*7 }}",
)


class Elements(HTMLParser):
    """What a page is made of."""

    def __init__(self, page: bytes):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def text_of(page: bytes) -> str:
    """What is to be read, without tags."""
    body = re.sub(r"<(script|style)>.*?</\1>", "", page.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", body)).split())


@pytest.fixture
def preview() -> bytes:
    return cv2.imencode(".png", np.zeros((20, 60, 3), np.uint8))[1].tobytes()


def test_the_first_screen_says_what_it_is(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b", "c")
    publish(tmp_path, "d", accepted=False, reject_reason="constant: 0.10 of 255")
    write_about(FolderStore(tmp_path), About(name="kid-size", description="A pitch.", licence="CC-BY-4.0"))
    manifest = Manifest.open(tmp_path)
    text = text_of(report_page(manifest))
    for words in (
        "kid-size",
        "A pitch.",
        "Version 2, committed ",
        "Licence: CC-BY-4.0",
        "4 images",
        "3 accepted",
        "3 classes",
        "snapshot-0000001k",
        "environment field line",
        "1 of 4 images were rejected",
        "1 constant",
        "8 x 6",
    ):
        assert words in text, words
    first = text_of(report_page(Manifest.open(tmp_path, version=1)))
    assert "Version 1" in first and "None: no row was rejected" in first


def test_the_same_version_gives_the_same_page(tmp_path: Path, publish: Callable, preview: bytes) -> None:
    publish(tmp_path, "a", "b")
    pages = {report_page(Manifest.open(tmp_path), metrics=METRICS, preview=preview) for _ in range(2)}
    assert len(pages) == 1
    assert write_report(Manifest.open(tmp_path), metrics=METRICS, preview=preview) == PAGE_NAME
    assert {(tmp_path / PAGE_NAME).read_bytes()} == pages
    assert verify(tmp_path, deep=True).is_ok


def test_nothing_is_asked_for_and_only_its_own_script_may_run(
    tmp_path: Path, publish: Callable, preview: bytes
) -> None:
    publish(tmp_path, "a", "b")
    page = report_page(Manifest.open(tmp_path), metrics=METRICS, preview=preview)
    elements = Elements(page)
    pictures = elements.all("img")
    assert len(pictures) == 2 * 3 + 1 and all(each["src"].startswith("data:image/") for each in pictures)
    assert [each["href"] for each in elements.all("link")] == ["data:,"]
    addresses = [each["href"] for each in elements.all("a")]
    assert all(address.startswith(("#", "../images/", "../labels/")) for address in addresses)
    assert elements.all("script") == [{}] and not elements.all("iframe") and not elements.all("form")
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert not [1 for _, attributes in elements.found if "style" in attributes]
    policy = next(each["content"] for each in elements.all("meta") if "http-equiv" in each)
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    for tag in ("style", "script"):
        (inline,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("words", HOSTILE)
def test_words_of_others_stay_words(words: str, tmp_path: Path, write_pair: Callable, palette: dict) -> None:
    classes = [{**entry, "name": f"{words}{number}"} for number, entry in enumerate(palette["classes"])]
    file_name = f"images/0000/{words.replace('/', '-')}.png"
    names = dict.fromkeys(("sample_id", "source_label", "source_set", "snapshot_name", "method"), words)
    others = {"split": words, "camera": words, "reject_reason": words, "accepted": False}
    record = write_pair(tmp_path, "a", image_file_name=file_name, **names, **others)
    commit(tmp_path, to_table([record], palette={**palette, "classes": classes}))
    write_about(FolderStore(tmp_path), About(name=words, description=words, licence=words))
    page = report_page(Manifest.open(tmp_path))
    plain = write_pair(tmp_path / "plain", "a", accepted=False, reject_reason="why", camera="{}", split="x")
    commit(tmp_path / "plain", to_table([plain], palette=palette))
    write_about(FolderStore(tmp_path / "plain"), About(licence="x"))
    expected = report_page(Manifest.open(tmp_path / "plain"))
    tags = [[(tag, sorted(attributes)) for tag, attributes in Elements(it).found] for it in (page, expected)]
    assert tags[0] == tags[1]
    assert " ".join(words.split()) in text_of(page)


def test_more_rows_than_places_are_told(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, *"abcdefgh")
    publish(tmp_path, *"ijk", accepted=False, reject_reason="constant: 0")
    manifest = Manifest.open(tmp_path)
    page = report_page(manifest, max_samples=5)
    states = [each["data-state"] for each in Elements(page).all("article")]
    assert states == ["rejected"] * 3 + ["accepted"] * 2
    assert "This page shows 5 of 11 rows: 3 of 3 rejected ones" in text_of(page)
    assert "This page shows" not in text_of(report_page(manifest))


def test_a_file_that_is_gone_is_a_problem_and_no_end(tmp_path: Path, publish: Callable) -> None:
    gone, _ = publish(tmp_path, "a", "b")
    (tmp_path / gone.image_file_name).unlink()
    text = text_of(report_page(Manifest.open(tmp_path)))
    assert "1 of the 2 rows shown have a file that cannot be read" in text
    assert "image: No such file or directory" in text and "not readable" in text


def test_scores_of_its_own_appear(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b")
    manifest = Manifest.open(tmp_path)
    scored = manifest.table.append_column("adherence", pa.array([0.125, None]))
    elements = Elements(report_page(Manifest(manifest.store, manifest.version, scored)))
    assert [each["data-scores"].count("adherence") for each in elements.all("article")] == [1, 0]
    assert {"value": "adherence"} in elements.all("option")


def test_a_dataset_without_rows_has_a_page(tmp_path: Path, publish: Callable) -> None:
    commit(tmp_path, remove=[record.sample_id for record in publish(tmp_path, "a")])
    text = text_of(report_page(Manifest.open(tmp_path)))
    assert "0 images" in text and "Version 2" in text


def test_500_of_the_worst_samples_stay_below_10_mb(tmp_path: Path, publish: Callable, preview: bytes) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 900, 3), dtype=np.uint8)
    worst = cv2.imencode(".png", noise)[1].tobytes()
    ids = {"width": 400, "height": 300, "camera": "x" * 5000, "source_label": "x" * 211}
    for name in "ab":
        publish(tmp_path, name, **ids, sample_id=name * 211)
    manifest = Manifest.open(tmp_path)
    metrics = b"".join(
        b'{"num_images_seen": %d, %s}\n' % (i, b", ".join(b'"loss_%d": %d' % (k, i * k) for k in range(30)))
        for i in range(1000)
    )
    one, two = (len(report_page(manifest, max_samples=n, metrics=metrics, preview=worst)) for n in (1, 2))
    assert one + 499 * (two - one) <= 10_000_000


def test_progress_is_told(tmp_path: Path, publish: Callable) -> None:
    publish(tmp_path, "a", "b")
    told: list[tuple[int, int]] = []
    report_page(Manifest.open(tmp_path), progress=lambda *done: told.append(done))
    assert told == [(1, 2), (2, 2)]


def test_what_the_page_is_made_of_is_installed() -> None:
    folder = Path(page_module.__file__).parent
    project = tomllib.loads((folder.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    patterns: list[Any] = project["tool"]["setuptools"]["package-data"]["manifests.report"]
    parts = [path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py"]
    assert len(parts) == 5
    assert all(any(fnmatch.fnmatch(part, pattern) for pattern in patterns) for part in parts)
