"""The page in a browser: its interactive parts work, and nothing is asked of the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.raikit.report import example
from tests.unit.raikit.report.browser import CHROMIUM, Browser, chromium
from tests.unit.raikit.report.test_page import spoiled

from raikit.report import render_html

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
WIDEST = "document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text(render_html(example.report()), encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def opened(browser: Browser, file: Path) -> Iterator[Browser]:
    """The page, just opened; nothing may go wrong on it, whatever a test does."""
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(file)
    yield browser
    assert browser.complaints == []
    assert browser.requests == [file.as_uri()]


def click(browser: Browser, selector: str) -> None:
    browser.run(f"document.querySelector({selector!r}).click()")


def texts(browser: Browser, selector: str) -> list[str]:
    return browser.run(f"[...document.querySelectorAll({selector!r})].map(e => e.textContent)")


@pytest.mark.parametrize("width", [1280, 800, 360])
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.slow
def test_no_width_makes_the_page_scroll_sideways(
    opened: Browser, file: Path, width: int, dark: bool
) -> None:
    opened.requests.clear()
    opened.open(file, width=width, dark=dark)
    assert opened.run(WIDEST) <= width


def test_a_table_is_sorted_by_any_column(opened: Browser) -> None:
    table = "#evaluation table.sortable"
    column = f"{table} tbody td:nth-child(2)"
    head = f"{table} th:nth-child(2) button"
    click(opened, head)
    falling = [int(text.replace(",", "")) for text in texts(opened, column)]
    assert falling == sorted(falling, reverse=True)
    assert opened.run(f"document.querySelector('{table} th:nth-child(2)').ariaSort") == "descending"
    click(opened, head)
    assert [int(text.replace(",", "")) for text in texts(opened, column)] == sorted(falling)
    click(opened, f"{table} th:nth-child(1) button")
    names = texts(opened, f"{table} tbody td:nth-child(1)")
    assert names[0] == "age 17 to 21"
    assert names[-1] == "sex=Male"


def test_a_long_table_is_searched(opened: Browser) -> None:
    opened.run(
        "(() => { const f = document.querySelector('#evaluation .find input'); f.value = 'SEX=';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    assert texts(opened, "#evaluation table.sortable tbody tr:not([hidden]) td:first-child") == [
        "sex=Female",
        "sex=Male",
    ]
    hidden = "#evaluation table.sortable tbody tr[hidden]"
    assert len(texts(opened, hidden)) == 14


def test_an_option_is_picked(opened: Browser) -> None:
    shown = (
        "[...document.querySelectorAll('#explanation .choice')[0].querySelectorAll('figcaption')]"
        ".filter(e => e.checkVisibility()).map(e => e.textContent)"
    )
    assert opened.run(shown) == ["What marital_status does"]
    opened.run(
        "(() => { const s = document.querySelector('#explanation select'); s.value = '2';"
        " s.dispatchEvent(new Event('change')); })()"
    )
    assert opened.run(shown) == ["What age does"]


def slide(browser: Browser, name: str, value: object) -> None:
    browser.run(
        f"(() => {{ const e = document.querySelector('.slider [data-in={name}]');"
        f" e.value = {value!r}; e.dispatchEvent(new Event('input')); }})()"
    )


def out(browser: Browser, name: str) -> str:
    return browser.run(f"document.querySelector('.slider [data-out={name}]').textContent")


def test_the_threshold_moves_the_counts_the_rates_and_the_cost(opened: Browser) -> None:
    before = out(opened, "tp")
    slide(opened, "place", 20)
    # As example.thresholds has it at 0.2: 3846 (1 - 0.008) of 3846, 12435 * 0.512 false alarms.
    assert out(opened, "threshold") == "0.200"
    assert out(opened, "tp") == "3,815" != before
    assert (out(opened, "fp"), out(opened, "fn"), out(opened, "tn")) == ("6,367", "31", "6,068")
    assert (out(opened, "recall"), out(opened, "alarms")) == ("99.2%", "51.2%")
    assert out(opened, "precision") == "37.5%"
    assert out(opened, "cost") == "6,459"
    slide(opened, "cost_fn", 100)
    assert out(opened, "cost") == "9,444"


def test_the_cheapest_threshold_follows_the_costs(opened: Browser) -> None:
    slide(opened, "cost_fn", 1000)
    click(opened, ".slider [data-in=cheapest]")
    low = float(out(opened, "threshold"))
    slide(opened, "cost_fn", 0)
    click(opened, ".slider [data-in=cheapest]")
    assert low < 0.2
    assert (out(opened, "threshold"), out(opened, "cost")) == ("1.000", "0")


def test_what_the_script_shows_first_is_what_the_page_says_without_it(opened: Browser) -> None:
    before = {name: out(opened, name) for name in ("tp", "fp", "precision", "accuracy", "cost")}
    slide(opened, "place", 0)
    slide(opened, "place", 50)
    assert {name: out(opened, name) for name in before} == before


def test_the_pointer_on_a_chart_shows_its_numbers(opened: Browser) -> None:
    opened.run(
        "(() => { const c = document.querySelector('#generalisation svg');"
        " const b = c.getBoundingClientRect();"
        " const at = {clientX: b.right, clientY: b.top};"
        " c.dispatchEvent(new PointerEvent('pointermove', at)); })()"
    )
    assert texts(opened, ".tip:not([hidden])") == [
        "rows to learn from: 32,000\ntraining rows: 0.941\nrows left out: 0.927"
    ]


def test_hostile_text_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    place = tmp_path / "evil.html"
    place.write_text(render_html(spoiled(example.report(), frozenset())), encoding="utf-8")
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(place, width=360)
    for selector in (".slider [data-in=cheapest]", "table.sortable th button"):
        click(browser, selector)
    assert browser.run(WIDEST) <= 360
    assert browser.complaints == []
    assert browser.requests == [place.as_uri()]
