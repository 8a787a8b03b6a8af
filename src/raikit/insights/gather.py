"""Puts what the tools found into one dashboard: a folder, a page, and one JSON document."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from raikit.insights.overview import labelled, overview
from raikit.insights.store import Insights, read_insights, read_subject
from raikit.insights.tools import DETAILS
from raikit.report import Facts, Part, Report, read_part, render_html
from stepkit.figures import FILE as FIGURES
from stepkit.findings import read_findings, write_findings
from stepkit.program import StepError, read_json, write_json, write_text

#: The page, in the dashboard, and the document, in `ux_json`.
PAGE, DOCUMENT = "dashboard.html", "dashboard.json"
TOOLS = "insights"
OVERVIEW = "overview"
#: Parts of the page, in their order, by the tool that they are of.
TITLES = {
    OVERVIEW: "How good are its predictions?",
    "explanation": "What does it look at?",
    "error_analysis": "Where does it err?",
    "counterfactual": "What would change its answer?",
    "causal": "What would change the outcome?",
}
#: Of what a dashboard takes more than one insight.
_MANY = ("causal", "counterfactual")


def run(args: argparse.Namespace) -> str:
    """Write the dashboard and the document; return what is in them, in a line.

    Raises:
        StepError: An insight is of another model, or a folder is not of the tool.
    """
    insights = read_insights(args.constructor)
    given = [getattr(args, f"insight_{number}") for number in range(1, 5)]
    folders = [Path(each) for each in given if each]
    names = _names(folders, insights)
    shutil.copytree(args.constructor, args.dashboard_output, dirs_exist_ok=True)
    for name, folder in names.items():
        shutil.copytree(folder, args.dashboard_output / TOOLS / name, dirs_exist_ok=True)
    subject = read_subject(args.dashboard_output)
    scores, _ = labelled(subject)
    section = overview(subject, scores)
    write_findings(args.dashboard_output / TOOLS / OVERVIEW, OVERVIEW, [section])
    write_text(args.dashboard_output / PAGE, render_html(report(args.dashboard_output)))
    write_json(args.ux_json_output / DOCUMENT, document(args.dashboard_output))
    return f"{insights.title}: {', '.join([OVERVIEW, *names])}"


def _names(folders: list[Path], insights: Insights) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        tool = str(read_json(folder / DETAILS)["tool"])
        if tool not in TITLES:
            raise StepError(f"{folder} is of no known tool: {tool!r}")
        if read_json(folder / FIGURES)["model_digest"] != insights.model_digest:
            raise StepError(
                f"the insight {tool} is of another model than the dashboard",
                hint="give both the same constructor's output",
            )
        name, number = tool, 1
        while name in found:
            number += 1
            name = f"{tool}_{number}"
        if number > 1 and tool not in _MANY:
            raise StepError(f"{tool} is given twice", hint="give it once")
        found[name] = folder
    return found


def parts(dashboard: Path) -> list[Part]:
    """Return the parts of a dashboard's page, in their order."""
    folders = sorted((dashboard / TOOLS).iterdir(), key=lambda each: each.name)
    return [
        read_part(folder, folder.name, title)
        for tool, title in TITLES.items()
        for folder in folders
        if folder.name == tool or folder.name.startswith(f"{tool}_")
    ]


def report(dashboard: Path) -> Report:
    """Return a dashboard as a report."""
    insights = read_insights(dashboard)
    rows = [
        ("model", insights.model_digest[:12]),
        ("test rows", f"{insights.test_rows:,}, {insights.test_digest[:12]}"),
        ("names of things", ", ".join(insights.categorical) or "columns of text"),
    ]
    return Report(
        title=insights.title,
        subtitle=f"{insights.task} of {insights.target}",
        parts=parts(dashboard),
        facts=[Facts("What it is about", (), rows)],
    )


def document(dashboard: Path) -> dict[str, Any]:
    """Return all of a dashboard as one document."""
    found: dict[str, Any] = {}
    for folder in sorted((dashboard / TOOLS).iterdir()):
        details, figures = folder / DETAILS, folder / FIGURES
        found[folder.name] = {
            "sections": read_findings(folder)["sections"],
            "figures": read_json(figures)["figures"] if figures.is_file() else [],
            "details": read_json(details) if details.is_file() else {},
        }
    return {"format": 1, "insights": asdict(read_insights(dashboard)), "tools": found}
