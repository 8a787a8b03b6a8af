"""Fonts, colours, and texts of the PDF; every text from data goes through `paragraph`."""

from __future__ import annotations

import functools
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib as mpl
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Paragraph

from raikit.report.contents import VERDICTS, Verdict
from raikit.report.words import cut

#: matplotlib's own font: unlike a PDF's built-in ones it has signs, Greek, and Cyrillic.
PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
TEXT, SOFT, EDGE = (
    colors.HexColor("#1c2128"),
    colors.HexColor("#57606a"),
    colors.HexColor("#d6dae0"),
)
BLUE, ORANGE, HEAT = (colors.HexColor(each) for each in ("#1f5fa8", "#d9731a", "#d6601a"))
LINES = tuple(
    colors.HexColor(each) for each in ("#1f5fa8", "#d9731a", "#2c8a4b", "#8a4fb8", "#c2334d")
)
_COLOURS: dict[Verdict, tuple[str, str]] = {
    "good": ("#1a7237", "#e4f4e9"),
    "warning": ("#8a5300", "#fdf1dc"),
    "bad": ("#b3261e", "#fdeae8"),
    "": ("#57606a", "#eceff2"),
}
_SIGNS: dict[Verdict, str] = {"good": "✓", "warning": "!", "bad": "✗", "": "i"}
_SIZES = {"title": 19, "answer": 17, "heading": 12.5, "section": 10, "text": 8.6, "small": 7.4}
#: A cell or paragraph that is longer would not fit a page.
_LONGEST = 1500


@functools.cache
def register_fonts() -> None:
    """Make the fonts known to reportlab, once a process."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in (PLAIN, BOLD):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)


def paragraph(
    text: object, kind: str = "text", *, bold: bool = False, soft: bool = False, right: bool = False
) -> Paragraph:
    """Return a text as a paragraph; markup in it stays text.

    Args:
        text: What it says.
        kind: `title`, `answer`, `heading`, `section`, `text`, or `small`.
        bold: Whether it is heavy; headings are.
        soft: Whether it is grey.
        right: Whether it ends at the right.
    """
    size = _SIZES[kind]
    is_head = kind in ("title", "answer", "heading", "section")
    style = ParagraphStyle(
        kind,
        fontName=BOLD if bold or is_head else PLAIN,
        fontSize=size,
        leading=size * 1.35,
        textColor=SOFT if soft else TEXT,
        alignment=2 if right else 0,
        spaceBefore=size * 0.7 if kind in ("heading", "section") else 0,
        spaceAfter=size * 0.35,
        splitLongWords=1,
    )
    return Paragraph(escape(cut(str(text), _LONGEST)).replace("`", ""), style)


def heading(text: str, verdict: Verdict, kind: str = "heading") -> Paragraph:
    """Return a heading with a verdict behind it, as a coloured word with a sign."""
    plain = paragraph(text, kind)
    if not verdict:
        return plain
    mark = (
        f'<font size="8.6" color="{_COLOURS[verdict][0]}">{_SIGNS[verdict]} '
        f"{VERDICTS[verdict]}</font>"
    )
    return Paragraph(f"{escape(text)} \u00a0{mark}", plain.style)


def cell(text: object, *, right: bool = False, bold: bool = False, soft: bool = False) -> Paragraph:
    """Return a text for a cell of a table."""
    made = paragraph(text, "small", right=right, bold=bold, soft=soft)
    made.style.spaceAfter = 0
    return made


def colours(verdict: Verdict) -> tuple[colors.Color, colors.Color]:
    """Return the colours of a verdict: of its text and edge, and behind it."""
    front, behind = _COLOURS[verdict]
    return colors.HexColor(front), colors.HexColor(behind)


def verdict_cell(verdict: Verdict, text: str = "") -> Paragraph:
    """Return a verdict as a coloured word with a sign."""
    made = cell(f"{_SIGNS[verdict]} {text or VERDICTS[verdict]}", bold=True)
    made.style.textColor = colours(verdict)[0]
    return Paragraph(made.text, made.style)
