"""The page shows a dataset, in a real browser, without a network, whatever its names are."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from manifests.about import About, write_about
from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.report.page import Training, report_page, write_report
from manifests.schema import to_table
from manifests.storage.folder import FolderStore

METRICS = [
    {"num_images_seen": 100 * n, "accuracy_a": 0.5 + n / 100, "adherence_ema": n / 10} for n in range(5)
]


def data_of(page: bytes) -> dict:
    return json.loads(re.search(rb'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_same_dataset_gives_the_same_page(dataset: Path) -> None:
    training = Training(METRICS, cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))[1].tobytes())
    steps = []
    page = report_page(Manifest.open(dataset), training=training, progress=lambda *step: steps.append(step))
    assert page == report_page(Manifest.open(dataset), training=training)
    assert steps == [(number, 12) for number in range(1, 13)]
    assert b"discriminators right, adherence" in page and b"newest preview" in page
    assert b"Training" not in report_page(Manifest.open(dataset))


def test_of_many_rows_rejected_and_spread_ones_are_shown(
    tmp_path: Path, write_pair: Callable, palette: dict
) -> None:
    records = [
        write_pair(
            tmp_path, f"{number:02d}", accepted=number != 7, reject_reason=None if number != 7 else "flat"
        )
        for number in range(20)
    ]
    commit(tmp_path, to_table(records, palette=palette))
    page = report_page(Manifest.open(tmp_path), max_samples=5)
    samples = data_of(page)["samples"]
    assert [sample["accepted"] for sample in samples] == [False, True, True, True, True]
    ids = sorted(record.sample_id for record in records if record.accepted)
    assert [samples[1]["id"], samples[-1]["id"]] == [ids[0], ids[-1]]
    assert b"5 of 20: rejected ones, and evenly spread ones" in page


def test_five_hundred_samples_fit_into_ten_megabytes(
    tmp_path: Path, write_pair: Callable, palette: dict
) -> None:
    # Noise is the worst that there can be: photographs take a third of it.
    records = [write_pair(tmp_path, f"{number}", width=320, height=240) for number in range(6)]
    commit(tmp_path, to_table(records, palette=palette))
    empty = len(report_page(Manifest(FolderStore(tmp_path), 1, Manifest.open(tmp_path).table.slice(0, 0))))
    assert (len(report_page(Manifest.open(tmp_path))) - empty) / 6 < 3 * 20_000


def test_an_empty_dataset_has_a_page(tmp_path: Path, palette: dict, rows: Callable) -> None:
    commit(tmp_path, rows("a"))
    commit(tmp_path, remove=Manifest.open(tmp_path).table["sample_id"].to_pylist())
    assert write_report(Manifest.open(tmp_path)) == "report/index.html"
    assert data_of((tmp_path / "report/index.html").read_bytes())["samples"] == []


@pytest.mark.browser
def test_a_browser_shows_filters_and_enlarges(dataset: Path, browser) -> None:
    write_about(FolderStore(dataset), About(name="kid <b>size</b>", description="<script>alert(1)</script>"))
    write_report(Manifest.open(dataset), training=Training(METRICS))
    browser.open(dataset / "report/index.html")
    count = "document.getElementById('count').textContent"
    cards = "[...document.querySelectorAll('.sample b')].map(node => node.textContent)"
    assert browser.run(count) == "12 of 12"
    assert browser.run("document.querySelector('h1').textContent").startswith("kid <b>size</b> version 1")

    # The rejected one is first, then by score; filters and the search leave some.
    names = browser.run(cards)
    assert (
        names[0].startswith("rejected") and names[1].startswith("00") and names[-1].startswith("<img src=x")
    )
    assert browser.run("document.querySelectorAll('.sample.rejected').length") == 1
    browser.choose("accepted", "no")
    assert browser.run(count) == "1 of 12"
    browser.choose("accepted", "")
    browser.choose("limit", 0)
    assert browser.run(cards)[0].startswith("00") and browser.run(count) == "1 of 12"
    browser.choose("limit", 100)
    browser.choose("order", "name")
    assert browser.run(cards)[0].startswith("00")
    counts = {}
    for split in ("train", "val", "test"):
        browser.choose("split", split)
        counts[split] = int(browser.run(count).split()[0])
    assert sum(counts.values()) == 12 and counts["train"] < 12
    browser.choose("split", "")
    has_line = sum(record.class_pixel_counts[2] > 0 for record in Manifest.open(dataset).records)
    browser.choose("class", "2")
    assert browser.run(count) == f"{has_line} of 12"
    browser.choose("class", "")
    browser.press("/")
    assert browser.run("document.activeElement.id") == "search"
    browser.choose("search", "rejec")
    assert browser.run(count) == "1 of 12"
    browser.choose("search", "")
    browser.press("Escape")

    # Enlarged: the sliders move the edge and the overlay, the keys go on and close.
    browser.run("document.querySelector('.sample').click()")
    is_open = "document.getElementById('view').open"
    shown = "document.querySelector('#details dd').textContent"
    assert browser.run(is_open) and browser.run(shown).startswith("00")
    assert browser.run("document.getElementById('view-image').naturalWidth") > 0
    browser.choose("split-at", 20)
    assert browser.run("document.getElementById('view-label').style.clipPath") == "inset(0px 80% 0px 0px)"
    assert browser.run("document.getElementById('edge').style.left") == "20%"
    browser.press("o")
    assert browser.run("document.getElementById('view-overlay').style.opacity") == "0.6"
    browser.press("ArrowRight")
    assert browser.run(shown).startswith("01")
    browser.press("ArrowLeft")
    assert browser.run(shown).startswith("00")
    browser.press("Escape")
    assert not browser.run(is_open)
    browser.press("?")
    assert browser.run("document.getElementById('help').open")

    # What is broken is said; names are only names; nothing was asked of a network.
    assert browser.run("document.querySelectorAll('.four .reason').length") == 1
    assert browser.run("document.title").startswith("kid <b>size</b>")
    assert browser.run("document.querySelectorAll('img[src=\"x\"]').length") == 0
    requests = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert requests and all(url.startswith(("file:", "data:")) for url in requests)
    assert not [
        event
        for event in browser.events
        if event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    ]
