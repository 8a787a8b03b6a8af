"""The report of a model: one HTML page that needs nothing else, and a scorecard as PDF.

::

    part = read_part(folder, "evaluation", "How good are its predictions?")
    report = Report("adult", [part], answer=Answer("Should it be released?", "Yes", "good"))
    write_text(page, render_html(report))
    write_bytes(card, render_pdf(report))

A part may as well be made of `stepkit.findings.Section` in memory. Both renderers draw every kind
of block; the PDF shows the first option of a `Choice`, and of a slider where it begins.
`render_scorecard` makes a PDF of at most three pages of a report.
"""

from raikit.report.contents import VERDICTS, Answer, Facts, Part, Report, Rule, Verdict, worst
from raikit.report.page import MOST_BYTES, render_html
from raikit.report.pdf import render_pdf, render_scorecard
from raikit.report.reading import read_part, read_sections
from raikit.report.words import number

__all__ = [
    "MOST_BYTES",
    "VERDICTS",
    "Answer",
    "Facts",
    "Part",
    "Report",
    "Rule",
    "Verdict",
    "number",
    "read_part",
    "read_sections",
    "render_html",
    "render_pdf",
    "render_scorecard",
    "worst",
]
