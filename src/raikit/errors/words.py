"""What error analysis found, as figures, plain words, and blocks of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from raikit.errors.cohorts import Examined, Measured, Worst, losses_of
from raikit.errors.heatmap import HeatMap
from raikit.errors.tree import ErrorTree
from raikit.numerals import format_of
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Cell, Choice, Grid, Node, Table, Tree
from stepkit.model import Scores


@dataclass(frozen=True)
class Words:
    """How errors are called and written.

    Attributes:
        measure: Such as `error rate`.
        format: A format of Python's `format`.
    """

    measure: str
    format: str

    @classmethod
    def of(cls, scores: Scores, error: str) -> Words:
        """Return those of a task."""
        if scores.task == "classification":
            return cls("error rate", ".1%")
        return cls(f"mean {error} error", format_of(float(losses_of(scores, error).mean())))

    def shown(self, value: float | None) -> str:
        """Return a value as text."""
        return "unknown" if value is None else format(value, self.format)


def verdict_of(worst: Worst) -> Literal["good", "warning", ""]:
    """Return `warning` where a cohort errs beyond chance, and much more than the model says itself.

    `good` where no cohort errs beyond chance; none where the model knows of its hard cases.
    """
    if worst.is_unexpected:
        return "warning"
    return "" if worst.is_beyond_chance else "good"


def figures_of(worst: Worst, told: Words) -> list[Figure]:
    """Return the figures of the worst cohort; its condition is in their notes."""
    own, where = worst.measured, worst.condition
    if worst.ratio is None:
        reason = "no row of it was left to measure" if not own.rows else "no other row errs"
        where = f"{where}: {reason}"
    ratio = Figure(
        "worst_cohort_error_ratio",
        "errors",
        worst.ratio,
        "less",
        own.rows,
        low=worst.low,
        high=worst.high,
        note=where,
    )
    error = Figure(
        "worst_cohort_error",
        "errors",
        own.error,
        "less",
        own.rows,
        low=own.low,
        high=own.high,
        note=f"{told.measure} of: {where}",
    )
    coverage = Figure(
        "worst_cohort_coverage",
        "errors",
        own.coverage,
        None,
        own.rows,
        note=f"share of all errors that fall on: {where}",
    )
    if worst.unexpected is None:
        return [ratio, error, coverage]
    value, low, high = worst.unexpected
    unexpected = Figure(
        "worst_cohort_unexpected_error",
        "errors",
        value,
        "less",
        own.rows,
        low=low,
        high=high,
        note=f"error rate beyond what the model's own probabilities lead to expect of: {where}",
    )
    return [ratio, error, coverage, unexpected]


def paragraphs(
    cohorts: Sequence[Worst], rows: int, overall: float, left: Sequence[str], told: Words
) -> list[str]:
    """Return what was looked at, what came out, and what it means."""
    said = [
        f"{_finding(cohorts[0], told)} Over all {rows:,} test rows the {told.measure} is "
        f"{told.shown(overall)}.",
        f"A single figure such as the {told.measure} hides that a model may be right about most "
        "and wrong about some. Here a simple tree looks for the kind of rows that the model gets "
        "wrong most. It searches one half of the test rows and is checked on the other, so that a "
        "kind of row that only happened to go wrong is not taken for a weakness.",
    ]
    if left:
        said.append(
            f"Not looked at, as their values are times or too many different texts: "
            f"{', '.join(left)}."
        )
    return said


def _finding(worst: Worst, told: Words) -> str:
    own = worst.measured
    if own.error is None or worst.ratio is None or worst.low is None or worst.high is None:
        return f"The worst kind of row that was found ({worst.condition}) could not be checked."
    where = (
        f"where {worst.condition}: {told.measure} {told.shown(own.error)} in {own.rows:,} rows "
        f"(likely {told.shown(own.low)} to {told.shown(own.high)})"
    )
    if not worst.is_beyond_chance:
        return (
            "No kind of row was found that the model gets wrong more than the rest, beyond chance. "
            f"The worst that was looked at is {where}."
        )
    text = (
        f"It errs most {where}. That is {worst.ratio:.1f} times as much as elsewhere (likely "
        f"{worst.low:.1f} to {worst.high:.1f} times). These are {own.share:.0%} of the rows, and "
        f"{own.coverage:.0%} of all errors fall on them."
    )
    if worst.expected is None or worst.unexpected is None:
        return text
    if worst.is_unexpected:
        return (
            f"{text} The model does not know: by its own probabilities it would err in "
            f"{worst.expected:.1%} of them. Something about these rows is not as it learned: look "
            "at how they came about and are labelled, and at whether training had enough of them."
        )
    return (
        f"{text} The model knows: by its own probabilities it would err in {worst.expected:.1%} "
        "of them, which is about as much. They are hard to tell rather than misunderstood, so "
        "where its probability is middling, let a person decide."
    )


def blocks(found: Examined, maps: Sequence[HeatMap], told: Words) -> list[Block]:
    """Return the tree, the cohorts, and the maps."""
    grids = {
        " and ".join(name for name in (each.x[0], each.y[0]) if name): [_grid(each, told)]
        for each in maps
    }
    return [
        _drawn(found.tree, found.nodes, told),
        _listed(found.cohorts, told),
        _bars(found.cohorts, told),
        Choice("columns of the map", grids) if len(grids) > 1 else next(iter(grids.values()))[0],
    ]


def _drawn(tree: ErrorTree, nodes: Sequence[Measured], told: Words) -> Tree:
    return Tree(
        [
            Node(
                parent=node.parent,
                condition=node.condition,
                value=each.error,
                count=each.rows,
                note=f"{each.coverage:.0%} of all errors",
            )
            for node, each in zip(tree.nodes, nodes, strict=True)
        ],
        told.format,
        f"The {told.measure} of each part of the rows, on the half that the tree has not seen",
    )


def _listed(cohorts: Sequence[Worst], told: Words) -> Table:
    knows = any(each.expected is not None for each in cohorts)
    head = ["cohort", "rows", told.measure, "from", "to", "times elsewhere", "share of errors"]
    formats = {
        "rows": ",d",
        **dict.fromkeys((told.measure, "from", "to"), told.format),
        "times elsewhere": ".2f",
        "share of errors": ".0%",
    }
    if knows:
        head.append("expected by the model")
        formats["expected by the model"] = ".1%"
    rows: list[list[Cell]] = []
    for each in cohorts:
        own = each.measured
        cells: list[Cell] = [
            each.condition,
            own.rows,
            own.error,
            own.low,
            own.high,
            each.ratio,
            own.coverage,
        ]
        rows.append([*cells, each.expected] if knows else cells)
    return Table(
        head,
        rows,
        formats,
        "Kinds of rows by their errors, the worst first by the rows that the tree was found on; "
        "95 % intervals",
    )


def _bars(cohorts: Sequence[Worst], told: Words) -> Bars:
    shown = [each for each in cohorts if each.measured.error is not None]
    return Bars(
        names=[each.condition for each in shown],
        values=[each.measured.error or 0.0 for each in shown],
        label=told.measure,
        low=[each.measured.low or 0.0 for each in shown],
        high=[each.measured.high or 0.0 for each in shown],
        caption=f"The {told.measure} of each cohort, with 95 % intervals",
    )


def _grid(shown: HeatMap, told: Words) -> Grid:
    return Grid(
        x=shown.x[1],
        y=shown.y[1],
        values=[[None if np.isnan(v) else float(v) for v in row] for row in shown.errors],
        counts=shown.counts.tolist(),
        x_label=shown.x[0],
        y_label=shown.y[0],
        format=told.format,
        caption=f"The {told.measure} of all test rows; a cell of few rows tells little",
    )
