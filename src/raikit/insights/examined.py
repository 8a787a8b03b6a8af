"""A gathered dashboard as the scorecard reads it, whichever engine made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from raikit.insights import saved
from raikit.insights.gather import TOOLS, report
from raikit.insights.overview import labelled
from raikit.insights.store import read_subject
from raikit.insights.tools import DETAILS
from raikit.report import Facts, Report
from stepkit.model import Scores
from stepkit.program import read_json


@dataclass(frozen=True)
class Examined:
    """What a scorecard is made of.

    Attributes:
        report: The dashboard.
        scores: How the model does on the labelled test rows.
        table: These rows.
        importance: How much each column matters, most first; None where nothing tells.
    """

    report: Report
    scores: Scores
    table: pd.DataFrame
    importance: Mapping[str, float] | None


def examined(dashboard: Path) -> Examined:
    """Read a dashboard.

    Raises:
        StepError: The folder is none.
    """
    if saved.is_saved(dashboard):
        return _of_microsoft(dashboard)
    subject = read_subject(dashboard)
    scores, table = labelled(subject)
    path = dashboard / TOOLS / "explanation" / DETAILS
    importance = read_json(path)["importance"] if path.is_file() else None
    return Examined(report(dashboard), scores, table, importance)


def _of_microsoft(dashboard: Path) -> Examined:
    scores, table = saved.scores(dashboard)
    rows = [
        ("engine", f"responsibleai {saved.version(dashboard)}"),
        ("test rows", f"{len(table):,}"),
    ]
    whole = Report(
        title=saved.title(dashboard),
        subtitle=f"{scores.task} of {saved.target(dashboard)}",
        parts=saved.parts(dashboard),
        facts=[Facts("What it is about", (), rows)],
    )
    return Examined(whole, scores, table, saved.importance(dashboard))
