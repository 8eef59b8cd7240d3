"""The page in a real browser, from file://: it shows, filters and enlarges, and asks nobody for anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from manifests.commit import commit
from manifests.manifest import Manifest
from manifests.report.page import PAGE_NAME, write_report
from manifests.schema import to_table

pytestmark = pytest.mark.browser

SHOWN = (
    "[...document.querySelectorAll('.card:not([hidden])')]"
    ".map((card) => card.querySelector('.id').textContent)"
)
IS_ENLARGED = "document.getElementById('view').open"
ENLARGED = "document.getElementById('view-id').textContent"
HOSTILE = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


@pytest.fixture
def address(tmp_path: Path, write_pair: Callable, palette: dict[str, Any]) -> str:
    """The page of four samples: one rejected, one without lines, one with a hostile name, one of val."""
    size = {"width": 40, "height": 30, "split": "train"}
    rejected = {"accepted": False, "reject_reason": "constant: 0.10 of 255"}
    records = [
        write_pair(tmp_path, "a", sample_id="a", mask_coverage=0.75, **size),
        write_pair(tmp_path, "b", sample_id="b", mask_coverage=0.5, **size | {"split": "val"}),
        write_pair(tmp_path, "c", sample_id="c", mask_coverage=0.875, **size, **rejected),
        write_pair(
            tmp_path,
            "d",
            sample_id=HOSTILE,
            image_file_name="images/0000/<img src=x onerror=alert(1)>\"'.png",
            source_label=HOSTILE,
            camera=HOSTILE,
            class_pixel_counts=(600, 600, 0),
            mask_coverage=0.25,
            **size,
        ),
    ]
    commit(tmp_path, to_table(records, palette=palette))
    metrics = b'{"num_images_seen": 100, "cycle_a": 2.0}\n{"num_images_seen": 900, "cycle_a": 1.5}\n'
    write_report(Manifest.open(tmp_path), metrics=metrics)
    return (tmp_path / PAGE_NAME).as_uri()


def set_value(name: str, value: str) -> str:
    return (
        f"(() => {{ const it = document.getElementById('{name}'); it.value = '{value}';"
        " it.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


@pytest.mark.parametrize(("width", "height", "dark"), [(1280, 900, False), (390, 844, True)])
def test_it_shows_everything_and_asks_for_nothing(
    tab: Any, address: str, width: int, height: int, dark: bool
) -> None:
    tab.open(address, width=width, height=height, dark=dark)
    assert tab.run(SHOWN) == ["c", HOSTILE, "b", "a"]  # the rejected one first, then the lowest score
    tab.run("document.querySelectorAll('.card').forEach((card) => card.scrollIntoView())")
    tab.wait("[...document.images].filter((it) => it.complete && it.naturalWidth).length >= 4 * 5")
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((it) => it {} 128)"
    assert tab.run(ground.format("<" if dark else ">"))
    tab.press("ArrowRight", "Enter", "ArrowRight", "Escape")
    assert tab.complaints == [] and tab.requests == [address]


def test_filters_change_what_is_shown(tab: Any, address: str) -> None:
    tab.open(address)
    lines = "document.querySelector('[data-class=\"2\"]').click()"
    tab.run(lines)
    assert tab.run(SHOWN) == ["c", "b", "a"]
    assert tab.run("document.getElementById('count').textContent") == "3 of 4 shown"
    tab.run(lines)
    for name, value, shown in (
        ("split", "val", ["b"]),
        ("state", "rejected", ["c"]),
        ("search", "CONSTANT", ["c"]),
        ("search", "onerror", [HOSTILE]),
        ("low", "0.6", ["c", "a"]),
        ("high", "0.6", [HOSTILE, "b"]),
        ("order", "best", ["c", "a", "b", HOSTILE]),
        ("order", "name", [HOSTILE, "a", "b", "c"]),
    ):
        tab.run(set_value(name, value))
        assert tab.run(SHOWN) == shown, name
        tab.run("document.getElementById('reset').click()")
        assert len(tab.run(SHOWN)) == 4
    tab.run(set_value("search", "no such thing"))
    assert tab.run("!document.getElementById('nothing').hidden")
    tab.run("document.getElementById('reset').click(); document.getElementById('show-rejected').click()")
    assert tab.run(SHOWN) == ["c"] and tab.complaints == []


def test_keys_lead_through_it(tab: Any, address: str) -> None:
    tab.open(address)
    focused = "document.activeElement.closest('.card').querySelector('.id').textContent"
    tab.press("ArrowRight")
    assert tab.run(focused) == "c"
    tab.press("ArrowRight", "ArrowDown")  # two columns at this width
    assert tab.run(focused) == "a"
    tab.press("ArrowUp", "ArrowRight", "Enter")
    assert tab.run(IS_ENLARGED) and tab.run(ENLARGED) == "b"
    tab.press("ArrowRight", "ArrowRight")
    assert tab.run(ENLARGED) == "a"  # the last one stays
    tab.press("ArrowLeft", "Escape")
    assert not tab.run(IS_ENLARGED) and tab.run(focused) == "b"
    tab.press("/")
    tab.wait("document.activeElement.id == 'search'")
    tab.press("v", "a", "l")
    tab.wait(f"JSON.stringify({SHOWN}) == '[\"b\"]'")
    tab.press("Escape")
    assert len(tab.run(SHOWN)) == 4
    tab.press("?")
    assert tab.run("document.getElementById('help').open")
    tab.press("Escape")
    assert not tab.run("document.getElementById('help').open") and tab.complaints == []


def test_sliders_move_the_edge_and_the_overlay(tab: Any, address: str) -> None:
    tab.open(address)
    opacity = "getComputedStyle(document.querySelectorAll('{}')[0]).opacity"
    tab.run(set_value("blend", "80"))
    assert tab.run(opacity.format(".pane img + img")) == "0.8"
    tab.press("ArrowRight", "Enter")
    box = tab.run("document.getElementById('stage').getBoundingClientRect().toJSON()")
    assert abs(box["width"] / box["height"] - 40 / 30) < 0.02
    middle = box["top"] + box["height"] / 2
    start, end = box["left"] + box["width"] * 0.5, box["left"] + box["width"] * 0.25
    tab.drag((start, middle), (end, middle))
    assert tab.run("document.getElementById('divide').value") == "25"
    edge = tab.run("document.querySelector('.stage .edge').getBoundingClientRect().left + 1")
    assert abs(edge - end) < 2 + box["width"] / 100
    assert "inset(0px 75% 0px 0px)" in tab.run("getComputedStyle(document.querySelector('.cut')).clipPath")
    tab.press("ArrowUp", "ArrowUp")
    assert tab.run(opacity.format(".stage .blended")) == "0.2"
    tab.press("ArrowRight")
    assert tab.run("document.getElementById('divide').value") == "25" and tab.complaints == []


def test_hostile_names_are_inert_and_links_lead_to_the_files(tab: Any, address: str, tmp_path: Path) -> None:
    tab.open(address)
    tab.run(set_value("search", "onerror"))
    tab.press("Escape")
    tab.run(set_value("search", "onerror"))
    tab.run("document.querySelector('.card:not([hidden]) .open').click()")
    assert tab.run(ENLARGED) == HOSTILE
    assert tab.run("document.querySelectorAll('script').length") == 1
    assert tab.run("document.querySelectorAll('[onerror], [onclick], img[src=x]').length") == 0
    assert HOSTILE in tab.run("document.getElementById('view-more').textContent")
    links = tab.run("[...document.querySelectorAll('#view-more a')].map((link) => link.href)")
    paths = [Path(unquote(urlsplit(link).path)) for link in links]
    assert len(paths) == 2 and all(path.is_file() and tmp_path in path.parents for path in paths)
    assert tab.complaints == [] and tab.requests == [address]


def test_the_policy_holds_where_escaping_would_not(tab: Any, address: str) -> None:
    tab.open(address)
    tab.run(
        'document.body.insertAdjacentHTML(\'beforeend\', \'<img src="x" onerror="window.ran = true">'
        '<img src="http://127.0.0.1:9/x"><b style="color: red" id="styled">x</b>\')'
    )
    tab.wait("document.images[document.images.length - 1].complete")
    tab.run("new Promise((resolve) => setTimeout(resolve, 100))")
    assert tab.run("window.ran === undefined")
    assert tab.run("getComputedStyle(document.getElementById('styled')).color") != "rgb(255, 0, 0)"
    assert len(tab.complaints) >= 3 and all("Content Security Policy" in it for it in tab.complaints)
