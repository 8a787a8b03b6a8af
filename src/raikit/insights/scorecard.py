"""The scorecard: what a dashboard says, for print, with the targets that a configuration sets."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from raikit.insights.cohorts import read_cohorts
from raikit.insights.examined import Examined, examined
from raikit.insights.overview import ERRORS, groups_of, measured, names_of
from raikit.report import Answer, Facts, Part, Report, Rule, render_html, render_pdf
from stepkit.findings import Bars, Section, Table
from stepkit.model import Scores
from stepkit.program import StepError, read_json, write_bytes, write_text
from stepkit.table import require_column

PDF, HTML = "scorecard.pdf", "scorecard.html"
#: What a configuration may hold.
_KNOWN = (
    *("Model", "Metrics", "FeatureImportance", "DataExplorer", "Fairness", "Cohorts", "Causal"),
    *("Counterfactual", "Runtime"),
)
_THRESHOLD = re.compile(r"(?P<sign>>=|<=|>|<)\s*(?P<limit>-?\d+(\.\d+)?([eE][-+]?\d+)?)")
#: Rows of a group whose metrics are told.
_FEWEST = 10
_RULES = (
    "Targets that were set for this scorecard. One is met where the figure on the test rows lies "
    "on the right side of the limit; how much of that is chance is not counted.",
)


def run(args: argparse.Namespace) -> str:
    """Write the scorecard; return how the targets are met, in a line.

    Raises:
        StepError: The configuration is not of this form, or names what is not there.
    """
    config = _config(args.pdf_generation_config)
    dashboard = examined(args.dashboard)
    scores, table = dashboard.scores, dashboard.table
    rules = _rules(config.get("Metrics") or {}, scores)
    own = [_part("metrics", "How good are its predictions?", _metrics(config, scores))]
    if args.predefined_cohorts_json:
        own.append(_cohorts(args.predefined_cohorts_json, table, scores))
    if "DataExplorer" in config:
        own.append(_explorer(config["DataExplorer"], table, scores))
    if "FeatureImportance" in config:
        own.append(_importance(config["FeatureImportance"], dashboard))
    if "Fairness" in config:
        own.append(_fairness(config["Fairness"], table, scores))
    whole = _report(config, dashboard, own, rules)
    write_bytes(args.scorecard_output / PDF, render_pdf(whole, rows=20))
    write_text(args.scorecard_output / HTML, render_html(whole))
    missed = [each.figure for each in rules if each.outcome == "missed"]
    met = f"{len(rules) - len(missed)} of {len(rules)} targets met"
    return met + (f"; missed: {', '.join(missed)}" if missed else "")


def _config(path: Path) -> dict[str, Any]:
    """Read the configuration: a file, or a folder with one JSON file."""
    if path.is_dir():
        found = sorted(path.glob("*.json"))
        if len(found) != 1:
            raise StepError(f"{path} has {len(found)} JSON files", hint="give the file itself")
        path = found[0]
    config = read_json(path)
    if not isinstance(config, dict) or not all(isinstance(each, dict) for each in config.values()):
        raise StepError(f"{path} is not an object of objects", hint='such as {"Model": {...}}')
    if odd := sorted(set(config) - set(_KNOWN)):
        raise StepError(f"{path} has {', '.join(odd)}", hint=f"known: {', '.join(_KNOWN)}")
    return config


def _rules(metrics: Mapping[str, Any], scores: Scores) -> list[Rule]:
    rules = []
    for name, asked in metrics.items():
        threshold = (asked or {}).get("threshold")
        value = measured(name, scores)
        if threshold is None:
            continue
        found = _THRESHOLD.fullmatch(str(threshold).strip())
        if found is None:
            raise StepError(
                f"the threshold {threshold!r} of {name} cannot be read", hint='such as ">=0.7"'
            )
        limit = float(found["limit"])
        met = {
            ">=": value >= limit,
            "<=": value <= limit,
            ">": value > limit,
            "<": value < limit,
        }[found["sign"]]
        rules.append(
            Rule(
                figure=name,
                limit=f"{found['sign']} {found['limit']}",
                outcome="met" if met else "missed",
                verdict="good" if met else "bad",
                shown=f"{value:.4g}",
            )
        )
    return rules


def _part(name: str, title: str, *sections: Section) -> Part:
    return Part(name, title, sections)


def _metrics(config: Mapping[str, Any], scores: Scores) -> Section:
    named = list(config.get("Metrics") or {}) or names_of(scores.task)
    rows = [(name, measured(name, scores)) for name in named]
    return Section(
        "The metrics that were asked for",
        (f"On {len(scores.truth):,} test rows.",),
        (Table(("metric", "value"), rows, {"value": ".4g"}),),
    )


def _headline(scores: Scores) -> str:
    return names_of(scores.task)[0]


def _by_group(
    column: str, table: pd.DataFrame, scores: Scores, metrics: Sequence[str]
) -> list[tuple[Any, ...]]:
    groups = groups_of(table[column])
    found = []
    for name in sorted(groups.unique()):
        rows = (groups == name).to_numpy()
        if rows.sum() >= _FEWEST:
            values = [measured(metric, scores, rows) for metric in metrics]
            found.append((str(name), int(rows.sum()), *values))
    return found


def _grouped(column: str, table: pd.DataFrame, scores: Scores, metrics: Sequence[str]) -> Table:
    require_column(table, column, "column of the scorecard")
    formats = {"rows": ",d", **dict.fromkeys(metrics, ".4g")}
    rows = _by_group(column, table, scores, metrics)
    return Table((column, "rows", *metrics), rows, formats, f"Groups of {_FEWEST} rows and more")


def _explorer(asked: Mapping[str, Any], table: pd.DataFrame, scores: Scores) -> Part:
    metrics = [_headline(scores)]
    sections = [
        Section(
            f"By {column}",
            (f"How the rows are spread over {column}, and how the model does on each part.",),
            (_grouped(str(column), table, scores, metrics),),
        )
        for column in asked.get("features", ())
    ]
    return _part("data", "How does it do on parts of the rows?", *sections)


def _importance(asked: Mapping[str, Any], dashboard: Examined) -> Part:
    if dashboard.importance is None:
        raise StepError(
            "the scorecard asks for FeatureImportance, and the dashboard has no explanation",
            hint="gather the output of rai_tabular_explanation, too",
        )
    most = list(dashboard.importance.items())[: int(asked.get("top_n", 10))]
    bars = Bars([name for name, _ in most], [value for _, value in most], "mean |contribution|")
    words = (f"The {len(most)} columns that move its predictions most.",)
    return _part("importance", "What does it look at?", Section("Columns", words, (bars,)))


def _fairness(asked: Mapping[str, Any], table: pd.DataFrame, scores: Scores) -> Part:
    metrics = [str(each) for each in asked.get("metric", ())] or [_headline(scores)]
    kind = str(asked.get("fairness_evaluation_kind", "difference"))
    if kind not in ("difference", "ratio"):
        raise StepError(f"no fairness_evaluation_kind {kind!r}", hint="difference or ratio")
    sections = []
    for column in map(str, asked.get("sensitive_features", ())):
        grouped = _grouped(column, table, scores, metrics)
        said = [_gap(metric, place, grouped, kind) for place, metric in enumerate(metrics)]
        sections.append(Section(f"By {column}", said, (grouped,)))
    return _part("fairness", "Does it treat groups alike?", *sections)


def _gap(metric: str, place: int, grouped: Table, kind: str) -> str:
    """Return in words how far apart groups are: greatest minus least, or least over greatest."""
    values = [float(row[2 + place] or 0) for row in grouped.rows]
    if len(values) < 2:
        return f"There are no two groups of {_FEWEST} rows to compare {metric} of."
    greatest, least = max(values), min(values)
    worst = grouped.rows[int(np.argmax(values) if metric in ERRORS else np.argmin(values))][0]
    if kind == "ratio":
        gap = f"{least / greatest:.3g} times" if greatest else "0 times"
        return f"{metric}: the least is {gap} the greatest; worst for {worst}."
    return f"{metric}: {greatest - least:.4g} between the groups; worst for {worst}."


def _cohorts(path: Path, table: pd.DataFrame, scores: Scores) -> Part:
    metrics = list(names_of(scores.task))
    rows = []
    for each in read_cohorts(path, table):
        count = int(each.rows.sum())
        values = [measured(name, scores, each.rows) if count else None for name in metrics]
        rows.append((each.name, count, *values))
    formats = {"rows": ",d", **dict.fromkeys(metrics, ".4g")}
    grid = Table(("cohort", "rows", *metrics), rows, formats)
    words = ("Parts of the test rows that were defined beforehand.",)
    return _part("cohorts", "How does it do on chosen cohorts?", Section("Cohorts", words, (grid,)))


def _report(
    config: Mapping[str, Any],
    dashboard: Examined,
    own: Sequence[Part],
    rules: Sequence[Rule],
) -> Report:
    model = config.get("Model") or {}
    told = [
        each
        for each in dashboard.report.parts
        if each.name not in ("overview", "explanation")
        or (each.name == "explanation" and "FeatureImportance" not in config)
    ]
    missed = [each.figure for each in rules if each.outcome == "missed"]
    answer = None
    if rules:
        answer = Answer(
            "Are its targets met?",
            "No" if missed else "Yes",
            "bad" if missed else "good",
            [f"{each.figure} is {each.shown}, wanted {each.limit}." for each in rules],
        )
    facts = [("summary", str(model["ModelSummary"]))] if model.get("ModelSummary") else []
    return replace(
        dashboard.report,
        title=str(model.get("ModelName") or dashboard.report.title),
        parts=[*own, *told],
        answer=answer,
        rules=rules,
        rules_words=_RULES,
        facts=[Facts("The model", (), facts), *dashboard.report.facts],
    )
