"""Error analysis: where a model errs more than elsewhere, and whether it knows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TypeAlias

import pandas as pd

from raikit.errors.cohorts import Examined, find, losses_of
from raikit.errors.heatmap import HeatMap, heat_map
from raikit.errors.plots import draw_cohorts, draw_heat_map
from raikit.errors.settings import Settings
from raikit.errors.tree import ErrorTree, readable
from raikit.errors.words import Words, blocks, figures_of, paragraphs, verdict_of
from stepkit.figures import Figure
from stepkit.findings import Picture, Section
from stepkit.metrics import Floats
from stepkit.model import Model, Scores, score
from stepkit.program import StepError, write_json
from stepkit.table import require_column

__all__ = ["Settings", "analyse", "sections"]

Found: TypeAlias = "tuple[tuple[Figure, ...], tuple[Section, ...]]"

TITLE = "Where the model errs"
#: Fewer test rows than this cannot be halved and still tell anything.
LEAST_ROWS = 100


def sections(model: Model, train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Found:
    """Find where a model errs most among the test rows.

    Args:
        model: The model.
        train: Not looked at: a model errs less on the rows that it was trained on.
        test: Rows with the target and the model's features.
        settings: Says how large the tree is, and what to lay the errors out by.

    Returns:
        Figures `worst_cohort_error_ratio`, `worst_cohort_error`, `worst_cohort_coverage`, and
        `worst_cohort_unexpected_error`; and a section.

    Raises:
        StepError: A column is not there.
    """
    del train  # all analyses have one form
    scores = score(model, test, settings.positive_label)
    labelled = test[test[model.target].notna()].reset_index(drop=True)
    columns = [*model.features, *settings.columns, *settings.heatmap]
    for name in columns:
        require_column(labelled, name, "column to look for errors by,")
    return analyse(scores, labelled, columns, settings)


def analyse(scores: Scores, table: pd.DataFrame, columns: list[str], settings: Settings) -> Found:
    """Find where predictions err most; as `sections`, of predictions that are there already.

    Args:
        scores: Of the rows of the table.
        table: Rows with the columns.
        columns: What errors are looked for by.
        settings: As of `sections`.
    """
    losses = losses_of(scores, settings.error)
    told = Words.of(scores, settings.error)
    shown, left = readable(table, columns)
    if shown.shape[1] == 0 or len(losses) < LEAST_ROWS or not losses.any():
        return _nothing(scores, losses, shown)
    found = find(scores, shown, settings)
    if found is None:
        return _nothing(scores, losses, shown)
    maps = [heat_map(shown, losses, pair, settings.bins) for pair in _pairs(found.tree, settings)]
    files = _write(settings, found, maps, told)
    section = Section(
        TITLE,
        paragraphs(found.cohorts, len(losses), float(losses.mean()), left, told),
        (*blocks(found, maps, told), *files),
        verdict_of(found.cohorts[0]),
    )
    return tuple(figures_of(found.cohorts[0], told)), (section,)


def _pairs(tree: ErrorTree, settings: Settings) -> list[tuple[str, ...]]:
    """Return the columns of each map: those asked for, else pairs of the tree's first three."""
    if settings.heatmap:
        if len(settings.heatmap) > 2:
            raise StepError(
                f"heatmap names {len(settings.heatmap)} columns", hint="give one or two"
            )
        return [settings.heatmap]
    first = tree.columns[:3]
    if len(first) == 1:
        return [first]
    return [(one, other) for n, one in enumerate(first) for other in first[n + 1 :]]


def _write(settings: Settings, found: Examined, maps: list[HeatMap], told: Words) -> list[Picture]:
    """Write the details and the pictures."""
    described = [
        {"parent": node.parent, "condition": node.condition, "all": found.tree.describe(node)}
        for node in found.tree.nodes
    ]
    write_json(
        settings.folder / "errors.json",
        {
            "measure": told.measure,
            "tree": [
                {**said, **asdict(each)} for said, each in zip(described, found.nodes, strict=True)
            ],
            "cohorts": [asdict(each) for each in found.cohorts],
        },
    )
    draw_cohorts(found.cohorts, told, settings.folder / "error_cohorts.png")
    draw_heat_map(maps[0], told, settings.folder / "error_heatmap.png")
    return [
        Picture("error_cohorts.png", f"{told.measure} of each cohort, with intervals"),
        Picture("error_heatmap.png", f"{told.measure} by {' and '.join(_named(maps[0]))}"),
    ]


def _named(shown: HeatMap) -> list[str]:
    return [name for name in (shown.x[0], shown.y[0]) if name]


def _nothing(scores: Scores, losses: Floats, shown: pd.DataFrame) -> Found:
    """Return that there is nothing to tell, and why."""
    if not losses.any():
        why = "The model makes no error on the test rows, so there is nothing to look for."
    elif len(losses) < LEAST_ROWS:
        why = (
            f"{len(losses)} test rows are too few to tell where a model errs; "
            f"{LEAST_ROWS} are needed."
        )
    elif shown.shape[1] == 0:
        why = "No column has numbers, or few enough different texts, to look for errors by."
    else:
        why = "No column tells the rows where the model errs from those where it is right."
    names = ["worst_cohort_error_ratio"]
    names += ["worst_cohort_unexpected_error"] if scores.has_probabilities else []
    note = why.rstrip(".")
    figures = tuple(Figure(name, "errors", None, "less", len(losses), note=note) for name in names)
    return figures, (Section(TITLE, (why,)),)
