"""Counterfactuals of some rows, as figures and a section of the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from raikit.columns import sampled
from raikit.counterfactual.generate import Counterfactuals, generate, summary_importance
from raikit.counterfactual.settings import Settings
from raikit.predictor import Predictor, predictor
from stepkit.figures import Figure
from stepkit.findings import Bars, Block, Cell, Choice, Section, Table
from stepkit.model import Model

#: Counterfactuals of a row that are shown.
_SHOWN = 5
#: Rows whose counterfactuals are shown.
_ROWS = 50


def sections(
    model: Model, train: pd.DataFrame, test: pd.DataFrame, settings: Settings
) -> tuple[tuple[Figure, ...], tuple[Section, ...]]:
    """Search counterfactuals of some test rows.

    Of two classes, rows are taken that the model does not give the last in sorted order (as
    scikit-learn's positive class), or not `desired_class`; of more, each row's next probable class
    is asked for. Of a quantity without a range, rows whose prediction is below the median are asked
    to reach it.

    Args:
        model: The model.
        train: Rows that ranges and neighbours come from.
        test: Rows to choose from; the target is not needed.
        settings: What is asked; of `rows` rows.

    Raises:
        StepError: It cannot be asked so.
    """
    drawn = sampled(test, max(20 * settings.rows, 500), settings.seed)
    asked = predictor(model, drawn)
    predicted = asked.labels(drawn)
    settings = _settled(asked, predicted, settings)
    chosen = sampled(drawn[_without(predicted, settings)], settings.rows, settings.seed)
    found = list(generate(model, train, chosen, settings)) if len(chosen) else []
    return describe(found, settings, "test rows drawn at random")


def describe(
    found: Sequence[Counterfactuals], settings: Settings, rows: str
) -> tuple[tuple[Figure, ...], tuple[Section, ...]]:
    """Return counterfactuals as figures and a section.

    Args:
        found: Of each row.
        settings: What was asked.
        rows: How the rows came about, as in `12 ROWS`.
    """
    found = [each for each in found if each.is_needed]
    return _figures(found), (_section(found, settings, rows),)


def _settled(asked: Predictor, predicted: Any, settings: Settings) -> Settings:
    if not asked.classes:
        if settings.desired_range is not None:
            return settings
        return replace(
            settings, desired_range=(float(np.median(predicted)), float(predicted.max()))
        )
    if settings.desired_class != "opposite":
        return settings
    return replace(settings, desired_class=asked.classes[1] if len(asked.classes) == 2 else "next")


def _without(predicted: Any, settings: Settings) -> Any:
    if settings.desired_range is not None:
        low, high = settings.desired_range
        return (predicted < low) | (predicted > high)
    return predicted != settings.desired_class


def _figures(found: Sequence[Counterfactuals]) -> tuple[Figure, ...]:
    rows = len(found)
    nearest = [int(each.changed[0]) for each in found if len(each.table)]
    none = "" if rows else "every row that was drawn already is as wanted"
    share = len(nearest) / rows if rows else None
    changes = float(np.median(nearest)) if nearest else None
    return (
        Figure("counterfactual_found", "interpretation", share, None, rows, note=none),
        Figure(
            "counterfactual_changes",
            "interpretation",
            changes,
            None,
            len(nearest),
            note="" if nearest else "no counterfactual was found",
        ),
    )


def goal_text(wanted: str | tuple[float, float]) -> str:
    """Return in words what was to be reached."""
    if isinstance(wanted, tuple):
        return f"between {wanted[0]:,.4g} and {wanted[1]:,.4g}"
    return wanted


def _section(found: Sequence[Counterfactuals], settings: Settings, rows: str) -> Section:
    having = [each for each in found if len(each.table)]
    if not having:
        return Section("What would change a decision", _words(found, settings, rows))
    shares = {k: v for k, v in summary_importance(list(found)).items() if v > 0}
    names = sorted(shares, key=lambda name: -shares[name])
    blocks: list[Block] = [
        Bars(
            names,
            [shares[name] for name in names],
            "share of counterfactuals that change it",
            caption="What had to differ, over all counterfactuals of all rows",
        ),
        Choice("row", {_name(each): (_table(each),) for each in having[:_ROWS]}),
    ]
    return Section("What would change a decision", _words(found, settings, rows), blocks)


def _words(found: Sequence[Counterfactuals], settings: Settings, rows: str) -> list[str]:
    held = ", ".join(settings.immutable)
    meaning = (
        "A counterfactual is the same case with as little as possible changed so that the model "
        "says something else: if only this had been different, the answer would have been, too. "
        "It tells what the model reacts to. It does not tell that changing it in the world would "
        "change the outcome."
    )
    if not found:
        return ["Every row that was drawn already has the wanted answer.", meaning]
    having = [each for each in found if len(each.table)]
    wanted = {goal_text(each.wanted) for each in found}
    goal = f"the answer {next(iter(wanted))}" if len(wanted) == 1 else "another answer"
    words = [
        f"Of {len(found)} {rows}, another case with {goal} was found for "
        f"{len(having)}, each checked with the model itself (DiCE, method {settings.method}). "
        + (f"Never changed: {held}." if held else "No column was set as immutable.")
    ]
    if having:
        least = int(np.median([each.changed[0] for each in having]))
        words.append(
            f"The nearest of them differs in {least} column{'' if least == 1 else 's'} "
            "(median over the rows)."
        )
    return [*words, meaning]


def _name(found: Counterfactuals) -> str:
    said = found.predicted if isinstance(found.predicted, str) else f"{found.predicted:,.4g}"
    return f"row {found.index} ({said})"


def _table(found: Counterfactuals) -> Table:
    changed = [
        name
        for name in found.table.columns
        if any(name in found.changes(place) for place in range(min(_SHOWN, len(found.table))))
    ]
    head = ("", *changed, "model says", "columns changed")
    rows: list[list[Cell]] = [
        ["as it is", *(_cell(found.row[name].iloc[0]) for name in changed), found.predicted, 0]
    ]
    for place in range(min(_SHOWN, len(found.table))):
        changes = found.changes(place)
        cells = [_cell(changes[name][1]) if name in changes else "" for name in changed]
        said = found.outcomes[place]
        outcome = said if isinstance(said, str) else float(said)
        rows.append([f"if {place + 1}", *cells, outcome, int(found.changed[place])])
    return Table(
        head,
        rows,
        {"model says": ",.4g"} if not isinstance(found.predicted, str) else {},
        caption=f"Wanted: {goal_text(found.wanted)}. An empty cell is as in the first line.",
    )


def _cell(value: Any) -> Cell:
    if pd.isna(value):
        return "(missing)"
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, float, np.number)):
        return float(value)
    return str(value)
