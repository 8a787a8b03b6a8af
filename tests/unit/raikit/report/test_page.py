"""The page: whole, self-contained, safe, small, and to be found one's way in."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.unit.raikit.report import example
from tests.unit.raikit.report.markup import Page, read

from raikit.report import MOST_BYTES, Part, Report, render_html
from stepkit.findings import Bars, Choice, Picture, Section, Table
from stepkit.program import StepError

EVIL = "<script>alert('x')</script>\"><img src=http://evil.example/x onerror=alert(1)>&amp;{{7*7}}"


@pytest.fixture(scope="module")
def html() -> str:
    return render_html(example.report())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return read(html)


def spoiled(value: Any, known: frozenset[str]) -> Any:
    """Return a value with every text in it spoiled, but for words that are part of the format."""
    if isinstance(value, str):
        return value if value in known or not value else f"{value}{EVIL}"
    if is_dataclass(value):
        kept = {"verdict", "style", "format", "area", "better"}
        if isinstance(value, Part):
            kept.add("name")
        changed = {
            each.name: spoiled(getattr(value, each.name), known)
            for each in fields(value)
            if each.name not in kept
        }
        return replace(value, **changed)
    if isinstance(value, dict):
        return {spoiled(key, known): spoiled(each, known) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [spoiled(each, known) for each in value]
    return value


def test_every_part_is_there_and_can_be_reached(page: Page) -> None:
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    links = {each.attributes["href"] for each in page.named("a")}
    assert links == {f"#{each}" for each in ids} - {"#question"}
    parts = {"evaluation", "generalisation", "profile", "explanation", "responsible_ai"}
    assert parts | {"summary", "rules", "facts-1", "glossary"} < set(ids)


def test_headings_skip_no_level(page: Page) -> None:
    levels = [int(each.name[1]) for each in page.elements if re.fullmatch(r"h[1-6]", each.name)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_what_is_seen_is_said(page: Page) -> None:
    assert page.named("html")[0].attributes["lang"] == "en"
    assert all(each.attributes["alt"] for each in page.named("img"))
    drawings = page.named("svg")
    assert drawings
    assert all(len(each.attributes["aria-label"]) > 20 for each in drawings)
    assert all(each.attributes.get("scope") in ("col", "row") for each in page.named("th"))
    scrolled = [e for e in page.named("div") if "scroll" in (e.attributes.get("class") or "")]
    assert all(each.attributes["tabindex"] == "0" for each in scrolled)


def test_the_page_asks_the_network_for_nothing(html: str, page: Page) -> None:
    for each in page.elements:
        for name in ("src", "href", "action", "poster", "data", "srcset", "xlink:href"):
            address = each.attributes.get(name) or "#"
            assert address.startswith(("#", "data:")), f"{each.name} {name}={address}"
    style = page.named("style")[0].text
    assert "url(" not in style
    assert "@import" not in style
    assert "://" not in html


def test_only_the_pages_own_script_may_run(page: Page) -> None:
    (script,) = page.named("script")
    policy = next(
        each.attributes["content"]
        for each in page.named("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_hostile_text_stays_text(page: Page) -> None:
    evil = read(render_html(spoiled(example.report(), frozenset())))
    assert len(evil.named("script")) == 1
    assert not evil.named("img")
    names = {name for each in evil.elements for name in each.attributes}
    assert names == {name for each in page.elements for name in each.attributes}
    assert not [name for name in names if name.startswith("on")]
    assert evil.named("h1")[0].text == f"income-classification{EVIL}"
    # Markup changes nothing in how many elements there are; only the words of the glossary may.
    plain = {"dt", "dd", "div", "dl", "code", "small"}
    count = [[e.name for e in each.elements if e.name not in plain] for each in (page, evil)]
    assert count[0] == count[1]


def test_the_answer_and_its_rules_stand_on_top(html: str) -> None:
    order = [
        html.index(each)
        for each in ("Not decided", 'id="summary"', 'id="rules"', 'id="evaluation"')
    ]
    assert order == sorted(order)
    rules = html[html.index('id="rules"') :]
    assert "at least 0.9" in rules
    assert "0.923 to 0.931" in rules


def test_a_report_with_parts_missing() -> None:
    lone = Part("profile", "How fast is it?", [Section("Empty", [])])
    html = render_html(Report("m", [lone]))
    page = read(html)
    hrefs = [each.attributes["href"] for each in page.named("a")]
    assert hrefs == ["#content", "#summary", "#profile", "#profile"]
    for absent in ("Should this model", 'id="rules"', 'id="glossary"', "<table"):
        assert absent not in html


def test_a_section_with_the_title_of_its_part_has_no_heading_of_its_own() -> None:
    sections = [Section("Fast?", ["Yes."], verdict="good"), Section("Why?", ["So."])]
    page = read(render_html(Report("m", [Part("p", "Fast?", sections)])))
    assert [each.text for each in page.named("h3") if each.text] == ["Why?"]


def test_the_summary_has_the_first_sentence_and_figures_of_all_rows(html: str) -> None:
    cards = html[html.index('class="cards"') : html.index('id="rules"')]
    assert "16,281 people that it had never seen." in cards
    assert "It was right" not in cards
    assert "0.927 <small>(0.923 to 0.931)</small>" in cards
    assert "0.948" not in cards


def test_figures_of_groups_are_in_a_table_of_their_own(html: str) -> None:
    assert "All figures (4)" in html
    assert "Figures of groups (2)" in html
    assert "too few rows" in html
    assert "+0.006 (0.003 to 0.009) against 0.921 of version 3" in html


def test_what_makes_a_page_too_large_is_cut_and_it_is_said() -> None:
    options = {
        f"row {n}": [Table(["a"], [["x" * 60]] * 400, {}), Bars(["b"] * 400, [1.0] * 400, "y")]
        for n in range(70)
    }
    report = Report("m", [Part("p", "P", [Section("S", ["W"], [Choice("row", options)])])])
    html = render_html(report)
    assert len(html.encode()) <= MOST_BYTES
    assert "more are in the files of the step" in html
    assert "To keep this page small enough" in html
    assert "To keep this page small enough" not in render_html(example.report())


def test_large_pictures_are_left_out_at_last(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * MOST_BYTES)
    section = Section("S", ["W"], [Picture("a.png", "What it shows")])
    html = render_html(Report("m", [Part("p", "P", [section], pictures=tmp_path)]))
    assert "Left out, to keep this page small enough for a mail: What it shows" in html


def test_what_cannot_be_made_small_is_refused() -> None:
    section = Section("S", ["long " * 2000])
    with pytest.raises(StepError, match="more than 30,000 bytes even without pictures"):
        render_html(Report("m", [Part("p", "P", [section])]), most_bytes=30_000)


def test_the_same_report_is_the_same_page(html: str) -> None:
    assert render_html(example.report()) == html
