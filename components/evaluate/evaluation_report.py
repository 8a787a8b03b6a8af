"""What `evaluate` writes: `metrics.json`, tables, and the report as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from evaluation_figures import PartFigures
from evaluation_words import between, number, text_rows

from stepkit.confusion import RATES
from stepkit.figures import Figure
from stepkit.findings import Section
from stepkit.metrics import Floats
from stepkit.model import Scores
from stepkit.program import markdown_table

#: Rows of the threshold table: a curve of tens of thousands of points says no more.
THRESHOLD_STEPS = 200
VERDICTS = {"good": "Good.", "warning": "Warning.", "bad": "Bad.", "": ""}


def document(
    scores: Scores, target: str, data_digest: str, figures: Sequence[Figure]
) -> dict[str, Any]:
    """Return what `metrics.json` says; `register` reads it.

    Args:
        scores: The model's predictions.
        target: What is predicted.
        data_digest: Of the test rows.
        figures: Of all rows, for the metrics' intervals.
    """
    found: dict[str, Any] = {
        "task": scores.task,
        "target": target,
        "rows": len(scores.truth),
        "test_data_digest": data_digest,
        "metrics": scores.metrics,
        "intervals": {
            each.name: [each.low, each.high]
            for each in figures
            if not each.cohort and each.name in scores.metrics and each.low is not None
        },
    }
    if scores.task == "classification":
        positive = None if scores.positive is None else scores.classes[scores.positive]
        found["classes"] = list(scores.classes)
        found["positive_label"] = positive
        found["confusion_matrix"] = scores.matrix.tolist()
        found["per_class"] = scores.per_class()
    return found


def threshold_rows(curve: dict[str, Floats]) -> list[tuple[str, ...]]:
    """Return a threshold curve as text rows, thinned out to `THRESHOLD_STEPS`."""
    names = ("threshold", "tp", "fp", "fn", "tn", "tpr", "fpr", "precision")
    chosen = np.unique(np.linspace(0, len(curve["tp"]) - 1, THRESHOLD_STEPS).astype(int))
    rows = []
    for place in chosen:
        counts = [f"{curve[name][place]:.0f}" for name in names[1:5]]
        rates = [f"{curve[name][place]:.6f}" for name in names[5:]]
        rows.append((f"{curve['threshold'][place]:.6g}", *counts, *rates))
    return [names, *rows]


def class_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return each class's rates and number of rows as text rows."""
    return [
        (name, *(f"{rates[rate]:.4f}" for rate in RATES), f"{rates['support']:.0f}")
        for name, rates in scores.per_class().items()
    ]


def matrix_rows(scores: Scores) -> list[tuple[str, ...]]:
    """Return the confusion matrix as text rows."""
    return [
        (f"true {name}", *(f"{count}" for count in counts))
        for name, counts in zip(scores.classes, scores.matrix, strict=True)
    ]


def part_rows(parts: Sequence[PartFigures]) -> list[tuple[str, ...]]:
    """Return cohorts and their first figure as text rows."""
    rows: list[tuple[str, ...]] = []
    for each in parts:
        first = next(iter(each.figures.values()))
        value = "-" if first.value is None else number(first.value)
        small = " (small)" if each.part.is_small else ""
        name = f"{each.part.name}{small}"
        rows.append((name, f"{len(each.part.rows):,}", value, between(first)))
    return rows


def report(
    scores: Scores,
    target: str,
    headline: Sequence[Figure],
    parts: Sequence[PartFigures],
    sections: Sequence[Section],
    plots: Sequence[str],
) -> str:
    """Return the report as Markdown: what the sections say, the tables, the plots."""
    parted = [f"# Evaluation of {target}"]
    parted.append(f"{scores.task.capitalize()}, {len(scores.truth):,} test rows.")
    for each in sections:
        mark = VERDICTS[each.verdict]
        parted += [f"## {each.title}", *([f"**{mark}**"] if mark else []), *each.words]
    level = f"{headline[0].level:.0%} interval"
    parted += ["## Figures", markdown_table(("metric", "value", level), text_rows(headline))]
    if scores.task == "classification":
        if scores.positive is not None:
            parted.append(f"Positive class: `{scores.classes[scores.positive]}`.")
        predicted = tuple(f"predicted {name}" for name in scores.classes)
        parted += [
            markdown_table(("", *predicted), matrix_rows(scores)),
            markdown_table(("class", *RATES, "rows"), class_rows(scores)),
        ]
    if parts:
        first = next(iter(parts[0].figures))
        parted += ["## Cohorts", markdown_table(("cohort", "rows", first, level), part_rows(parts))]
    parted += [f"![{name.removesuffix('.png').replace('_', ' ')}]({name})" for name in plots]
    return "\n\n".join(parted) + "\n"
