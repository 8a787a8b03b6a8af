"""The report for paper."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from tests.unit.raikit.report import example
from tests.unit.raikit.report.test_page import spoiled

from raikit.report import Answer, Part, Report, Rule, render_pdf, render_scorecard
from raikit.report.pdf_text import paragraph, register_fonts
from stepkit.findings import Bars, Chart, Grid, Line, Picture, Section, Table, Thresholds, Tree


def pages(document: bytes) -> int:
    assert document.startswith(b"%PDF-")
    return len(re.findall(rb"/Type /Page\b(?!s)", document))


def fonts(document: bytes) -> set[bytes]:
    return {each.split(b"+")[-1] for each in re.findall(rb"/FontName /(\S+)", document)}


def test_a_scorecard_has_at_most_three_pages() -> None:
    document = render_scorecard(example.report())
    assert 1 <= pages(document) <= 3
    assert fonts(document) == {b"DejaVuSans", b"DejaVuSans-Bold"}


def test_a_scorecard_of_much_is_cut_to_three_pages() -> None:
    report = example.report()
    rules = [Rule(f"figure_{n}", "at most 1", "failed", "bad", reason="r " * 40) for n in range(60)]
    parts = [
        Part(f"p{n}", f"Part {n}", [s for _ in range(3) for s in part.sections], part.figures)
        for n, part in enumerate(report.parts)
    ]
    document = render_scorecard(Report("m", parts, answer=report.answer, rules=rules))
    assert pages(document) <= 3


def test_rules_that_are_not_applied_are_not_on_the_scorecard() -> None:
    report = Report("m", [])
    idle = Rule("r2", "at least 0.1", "not applied", "")
    assert render_scorecard(replace(report, rules=[idle])) == render_scorecard(report)


def test_the_whole_report_is_longer_and_the_same_again() -> None:
    whole = render_pdf(example.report())
    assert pages(whole) > pages(render_scorecard(example.report()))
    assert whole == render_pdf(example.report())


@pytest.mark.parametrize(
    "block",
    [
        Table(["a"] * 12, [[n] * 12 for n in range(100)], {"a": ",d"}, "Wide and long"),
        Table(["a", "b"], [], {}),
        Table(["a"], [["x" * 5000]], {}),
        Bars([], [], "nothing"),
        Bars(["a", "b"], [0.0, 0.0], "zero"),
        Chart([], "x", "y"),
        Chart([Line("a", [1.0], [None])], "x", "y"),
        Chart([Line("a", ["u", "v"], [1.0, 2.0], [0.5, None], [1.5, None])], "x", "y"),
        Chart([Line("a", [1, 2, 3], [1, 3, 2], style="step")], "x", "y"),
        Chart([Line("a", [1, 2, 3], [1, 3, 2], style="points")], "x", "y", log_x=True),
        Grid(["a"] * 20, ["b"], [[0.5] * 20], [[1] * 20], "x", "y"),
        Grid(["a"], ["b"], [[None]], [[0]], "x", "y"),
        Tree([]),
        Thresholds([], [], [], [], [], "yes"),
        Thresholds([0.5], [0], [0], [0], [0], "yes"),
        Picture("missing.png", "What it would show"),
    ],
)
def test_every_block_is_drawn_whatever_is_in_it(block) -> None:
    part = Part("p", "Part", [Section("S", ["Words."], [block])])
    assert pages(render_pdf(Report("m", [part]))) >= 1


def test_a_picture_is_in_it(tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), "red").save(tmp_path / "a.png")
    section = Section("S", ["W"], [Picture("a.png", "Red")])
    with_picture = render_pdf(Report("m", [Part("p", "P", [section], pictures=tmp_path)]))
    assert b"/Subtype /Image" in with_picture


def test_markup_in_data_stays_text() -> None:
    register_fonts()
    evil = '<img src="http://evil.example/x"/><b>bold</b> & </para>'
    assert paragraph(evil).getPlainText() == evil
    assert pages(render_scorecard(spoiled(example.report(), frozenset()))) >= 1
    answer = Answer(evil, evil, "bad", [evil])
    part = Part("p", evil, [Section(evil, [evil], verdict="bad")])
    assert pages(render_pdf(Report(evil, [part], subtitle=evil, answer=answer))) == 1


def test_a_report_of_nothing_is_a_page() -> None:
    assert pages(render_scorecard(Report("m", []))) == 1


def test_texts_are_found_again_by_a_search() -> None:
    document = render_pdf(Report("Ärger > Größe \u2212 Σ", []))
    streams = re.findall(rb"stream\r?\n(.*?)endstream", document, re.DOTALL)
    assert streams
    # The fonts' maps from glyphs to letters.
    assert b"ToUnicode" in document or any(b"beginbfchar" in zlib.decompress(s) for s in streams)
