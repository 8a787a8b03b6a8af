"""The report as one HTML file that needs nothing else: no network, and no script to be read."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from raikit.report.blocks import Limits, draw_blocks
from raikit.report.contents import VERDICTS, Part, Report, Rule, Verdict
from raikit.report.glossary import label, shown, shown_difference, shown_interval, terms_in
from raikit.report.tables import data_table
from raikit.report.tags import join, prose, tag
from stepkit.figures import Figure
from stepkit.program import StepError

#: What mail servers take with ease.
MOST_BYTES = 5_000_000
#: From all to what fits: the first whose page is small enough is taken.
LEVELS = (
    Limits(rows=1000, options=300, pictures=True),
    Limits(rows=200, options=60, pictures=True),
    Limits(rows=100, options=20, pictures=True),
    Limits(rows=50, options=8, pictures=False),
)
#: Figures of a part that its summary has.
HEADLINES = 3
_TAG = re.compile(r"<[^>]*>")
_HERE = Path(__file__).parent


def render_html(report: Report, *, most_bytes: int = MOST_BYTES) -> str:
    """Return a report as an HTML page.

    Args:
        report: What it says.
        most_bytes: Its size at most; details are left out, and it is said, until it fits.

    Raises:
        StepError: Even without details it is too large.
    """
    for limits in LEVELS:
        drawn = {
            part.name: [draw_blocks(each.blocks, part.pictures, limits) for each in part.sections]
            for part in report.parts
        }
        if sum(len(block) for blocks in drawn.values() for block in blocks) > most_bytes:
            continue
        page = _page(report, drawn, is_cut=limits is not LEVELS[0])
        if len(page.encode()) <= most_bytes:
            return page
    raise StepError(
        f"the report of {report.title} has more than {most_bytes:,} bytes even without pictures",
        hint="let its steps find less: fewer rows, columns, or sections",
    )


def _page(report: Report, drawn: dict[str, list[Markup]], *, is_cut: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        badge=badge,
        prose=prose,
        label=label,
        shown=shown,
        shown_interval=shown_interval,
        verdicts=VERDICTS,
    )
    script = (_HERE / "page.js").read_text(encoding="utf-8")
    text = _text_of(report, drawn)
    return environment.get_template("page.html").render(
        report=report,
        drawn=drawn,
        headlines={part.name: part.headlines(HEADLINES) for part in report.parts},
        rules=rules_table(report),
        tables={part.name: figure_tables(part) for part in report.parts},
        facts=[data_table(["What", "Value"], each.rows) for each in report.facts],
        terms=terms_in(text, {each.name for part in report.parts for each in part.figures}),
        is_cut=is_cut,
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own
        script=Markup(script),  # noqa: S704 - our own
        script_digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def badge(verdict: Verdict, text: str = "") -> Markup:
    """Return a verdict as a coloured word with a sign, so that colour is not needed."""
    sign = {"good": "✓", "warning": "!", "bad": "✗", "": "i"}[verdict]
    return tag(
        "span",
        tag("span", sign, aria_hidden="true"),
        " ",
        text or VERDICTS[verdict],
        class_=f"badge {verdict or 'info'}",
    )


def rules_table(report: Report) -> Markup:
    """Return what a gate asked as a table; an empty text where nothing was."""
    if not report.rules:
        return Markup("")
    known = {(each.name, each.cohort): each for part in report.parts for each in part.figures}
    head = [
        tag("th", name, scope="col", class_="n" if name == "Found" else None)
        for name in ("Figure", "Outcome", "Found", "Asked", "Why")
    ]
    rows = [_rule_row(rule, known.get((rule.figure, rule.cohort))) for rule in report.rules]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows), class_="rules")
    return tag(
        "div", table, class_="scroll", role="region", aria_label="table of rules", tabindex=0
    )


def _rule_row(rule: Rule, figure: Figure | None) -> Markup:
    name = label(rule.figure) + (f", {rule.cohort}" if rule.cohort else "")
    found = shown(figure) if figure else rule.shown
    interval = shown_interval(figure) if figure else ""
    advice = "" if rule.required else tag("small", " (advice)")
    return tag(
        "tr",
        tag("th", name, advice, scope="row"),
        # Second, so that a phone shows it without scrolling.
        tag("td", badge(rule.verdict, rule.outcome)),
        tag("td", found, " ", tag("small", interval), class_="n"),
        tag("td", rule.limit),
        tag("td", rule.reason),
    )


def figure_tables(part: Part) -> Markup:
    """Return all figures of a part as tables: those of all rows, and those of groups."""
    of_all = [each for each in part.figures if not each.cohort]
    of_groups = [each for each in part.figures if each.cohort]
    parts = []
    for figures, title in ((of_all, "All figures"), (of_groups, "Figures of groups")):
        if figures:
            summary = tag("summary", f"{title} ({len(figures)})")
            parts.append(tag("details", summary, _figure_table(figures), class_="figures"))
    return join(parts)


def _figure_table(figures: list[Figure]) -> Markup:
    columns = {
        "Figure": [label(each.name) for each in figures],
        "Of": [each.cohort for each in figures],
        "Value": [shown(each) for each in figures],
        "Interval": [shown_interval(each) for each in figures],
        "Champion": [shown_difference(each) for each in figures],
        "Rows or measurements": [f"{each.sample:,}" for each in figures],
        "Note": [each.note for each in figures],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    return data_table(list(kept), list(zip(*kept.values(), strict=True)))


def _text_of(report: Report, drawn: dict[str, list[Markup]]) -> str:
    """Return the text that a reader meets, for the terms that it uses."""
    pieces = [word for part in report.parts for each in part.sections for word in each.words]
    pieces += [each.title for part in report.parts for each in part.sections]
    pieces += report.answer.reasons if report.answer else []
    pieces += [rule.outcome for rule in report.rules]
    drawn_texts = {
        text for blocks in drawn.values() for block in blocks for text in _TAG.split(block)
    }
    return "\n".join([*pieces, *drawn_texts])
