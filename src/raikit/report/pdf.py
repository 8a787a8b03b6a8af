"""The report for paper: all of it, or a scorecard of few pages."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import cm
from reportlab.platypus import KeepTogether, SimpleDocTemplate, Spacer
from reportlab.platypus import Table as Cells

from raikit.report.contents import Answer, Part, Report, Rule
from raikit.report.glossary import label, shown, shown_interval
from raikit.report.pdf_blocks import WIDTH, Extent, block_flowables, grid_of
from raikit.report.pdf_text import (
    PLAIN,
    SOFT,
    cell,
    colours,
    heading,
    paragraph,
    register_fonts,
    verdict_cell,
)
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Choice, Section, Table

#: How much a scorecard has of each part, from much to little: sections, blocks of a section,
#: rows of a block, figures, and rules.
LEVELS = ((3, 1, 8, 5, 24), (2, 1, 6, 4, 16), (1, 1, 5, 3, 12), (1, 0, 0, 2, 8))
#: Headlines of a report that is not cut.
_ALL = 12
_MARGIN = 1.8 * cm


def render_scorecard(report: Report, *, most_pages: int = 3) -> bytes:
    """Return the heart of a report as a PDF of few pages.

    Args:
        report: The whole report.
        most_pages: Of A4; details are left out until it fits, as far as that goes.
    """
    for sections, blocks, rows, figures, rules in LEVELS:
        parts = [_condensed(part, sections, blocks, figures) for part in report.parts]
        kept = sorted(report.rules, key=lambda rule: rule.verdict == "good")[:rules]
        short = replace(report, parts=parts, rules=kept, facts=report.facts[:1])
        left_out = len(report.rules) - len(kept)
        document, pages = _render(short, Extent(rows), left_out)
        if pages <= most_pages:
            break
    return document


def render_pdf(report: Report, *, rows: int = 60) -> bytes:
    """Return a whole report as a PDF.

    Args:
        report: What it says.
        rows: Rows of a table, or bars, at most.
    """
    return _render(report, Extent(rows), 0)[0]


def _render(report: Report, extent: Extent, rules_left_out: int) -> tuple[bytes, int]:
    """Return a PDF and how many pages it has."""
    register_fonts()
    story = [
        paragraph("Model scorecard", "small", soft=True),
        paragraph(report.title, "title"),
    ]
    if report.subtitle:
        story.append(paragraph(report.subtitle, soft=True))
    if report.answer:
        story += [_banner(report.answer), Spacer(0, 0.3 * cm)]
    story += _figures(report)
    story += _rules(report, rules_left_out)
    for part in report.parts:
        story += _part(part, extent)
    for facts in report.facts:
        rows = [[cell(name, bold=True), cell(value)] for name, value in facts.rows]
        if rows:
            story += [paragraph(facts.title, "heading"), *(paragraph(each) for each in facts.words)]
            story.append(grid_of(rows, [4.5 * cm, WIDTH - 4.5 * cm], head=False))
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{report.title}: model scorecard",
        author="amlocal",
        lang="en",
        # The same report is the same bytes: no date in it.
        invariant=1,
    )

    def footer(canvas: Any, page: Any) -> None:
        canvas.setFont(PLAIN, 7)
        canvas.setFillColor(SOFT)
        canvas.drawString(_MARGIN, 1 * cm, report.title[:100])
        canvas.drawRightString(A4[0] - _MARGIN, 1 * cm, f"page {page.page}")

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue(), document.page


def _condensed(part: Part, sections: int, blocks: int, figures: int) -> Part:
    """Return a part with what says most of it: its worst sections, and of each the first words."""
    order = {"bad": 0, "warning": 1, "good": 2, "": 2}
    places = sorted(range(len(part.sections)), key=lambda n: (order[part.sections[n].verdict], n))
    kept = [part.sections[place] for place in sorted(places[:sections])]
    return replace(
        part,
        sections=[
            Section(each.title, each.words[:1], _telling(each.blocks)[:blocks], each.verdict)
            for each in kept
        ],
        figures=part.headlines(figures),
    )


def _telling(blocks: Any) -> list[Block]:
    """Return the blocks that say something on paper at a glance: bars, then tables, then others."""
    flat = [
        first
        for block in blocks
        for first in (
            next(iter(block.options.values()), ()) if isinstance(block, Choice) else (block,)
        )
    ]
    return sorted(flat, key=lambda each: (not isinstance(each, Bars), not isinstance(each, Table)))


def _banner(answer: Answer) -> Cells:
    front, behind = colours(answer.verdict)
    short = paragraph(answer.short, "answer")
    short.style.textColor = front
    rows = [[paragraph(answer.question, soft=True, bold=True)], [short]]
    rows += [[paragraph(reason)] for reason in answer.reasons]
    table = Cells(rows, colWidths=[WIDTH], hAlign="LEFT", spaceBefore=8)
    table.setStyle(
        [
            ("BACKGROUND", (0, 0), (-1, -1), behind),
            ("LINEBEFORE", (0, 0), (0, -1), 4, front),
            ("LEFTPADDING", (0, 0), (-1, -1), 12),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, -1), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, 0), 6),
        ]
    )
    return table


def _figures(report: Report) -> list[Any]:
    rows = []
    rules = {(rule.figure, rule.cohort): rule for rule in report.rules}
    for part in report.parts:
        rows += [
            _figure_row(figure, rules.get((figure.name, figure.cohort)))
            for figure in part.headlines(_ALL)
        ]
    if not rows:
        return []
    head = [
        cell(name, bold=True, soft=True) for name in ("Figure", "Value", "Interval", "Asked", "")
    ]
    widths = [6.2 * cm, 2.6 * cm, 3.6 * cm, 2.4 * cm, 2.1 * cm]
    return [paragraph("Headline figures", "heading"), grid_of([head, *rows], widths)]


def _figure_row(figure: Figure, rule: Rule | None) -> list[Any]:
    outcome = verdict_cell(rule.verdict, rule.outcome) if rule else cell("")
    return [
        cell(label(figure.name) + (f", {figure.cohort}" if figure.cohort else "")),
        cell(shown(figure), bold=True),
        cell(shown_interval(figure), soft=True),
        cell(rule.limit if rule else ""),
        outcome,
    ]


def _rules(report: Report, left_out: int) -> list[Any]:
    known = {(each.name, each.cohort) for part in report.parts for each in part.figures}
    others = [
        rule
        for rule in report.rules
        if rule.cohort or (rule.figure, rule.cohort) not in known or rule.verdict != "good"
    ]
    if not others:
        return []
    rows = [[cell(name, bold=True, soft=True) for name in ("Rule", "Asked", "Outcome", "Why")]]
    for rule in others:
        name = label(rule.figure) + (f", {rule.cohort}" if rule.cohort else "")
        rows.append(
            [
                cell(name if rule.required else f"{name} (advice)"),
                cell(rule.limit),
                verdict_cell(rule.verdict, rule.outcome),
                cell(rule.reason),
            ]
        )
    made = [paragraph("Rules to look at", "heading")]
    made.append(grid_of(rows, [5.2 * cm, 3 * cm, 2.4 * cm, WIDTH - 10.6 * cm]))
    if left_out:
        made.append(paragraph(f"{left_out} more rules are in the HTML report.", "small", soft=True))
    return made


def _part(part: Part, extent: Extent) -> list[Any]:
    story: list[Any] = []
    begins: list[Any] = [heading(part.title, part.verdict)]
    for section in part.sections:
        verdict = section.verdict if len(part.sections) > 1 else ""
        if section.title != part.title:
            begins.append(heading(section.title, verdict, "section"))
        begins += [paragraph(each) for each in section.words]
        for block in section.blocks:
            story.append(KeepTogether([*begins, *block_flowables(block, part.pictures, extent)]))
            begins = []
        story += begins
        begins = []
    return [*begins, *story]
