"""Fairness: whether a model treats groups alike, and what it would cost to make it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from raikit.fairness.adjusted import Thresholds
from raikit.fairness.compared import Compared, figures_of, verdict_of
from raikit.fairness.measures import (
    Decisions,
    Quantities,
    by_group,
    gaps,
    quantities_by_group,
)
from raikit.fairness.mitigation import CONSTRAINTS, Price, price_of, save_mitigated
from raikit.fairness.plots import draw_groups
from raikit.fairness.prices import price_figures, price_table, price_words
from raikit.fairness.settings import Settings
from raikit.fairness.tables import blocks
from raikit.fairness.words import paragraphs
from raikit.groups import Grouping, groupings
from stepkit.figures import Figure
from stepkit.findings import Picture, Section
from stepkit.model import Model, Scores, score
from stepkit.program import StepError, write_json

__all__ = ["Settings", "decisions_of", "save_mitigated", "sections", "settle_price"]

TITLE = "Whether groups are treated alike"

Found: TypeAlias = "tuple[tuple[Figure, ...], tuple[Section, ...]]"


def sections(model: Model, train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Found:
    """Compare how the model does by the groups of sensitive columns, on test rows.

    Args:
        model: The model.
        train: Not looked at.
        test: Rows with the target, the model's features, and the sensitive columns.
        settings: Names the sensitive columns.

    Returns:
        The differences and ratios of `raikit.fairness.measures`, each with the column as cohort;
        `mitigated_...` and `mitigation_accuracy_change`; and one section, or two.

    Raises:
        StepError: There is no such positive class.
    """
    del train  # all analyses have one form
    said = [settings.chosen] if settings.chosen else []
    if not settings.sensitive:
        nothing = "No group was looked at, so nothing is known of how it treats groups."
        return _unknown(model, len(test), settings.chosen or nothing), (
            Section(TITLE, [nothing, *said]),
        )
    scores = score(model, test, settings.positive_label)
    labelled = test[test[model.target].notna()].reset_index(drop=True)
    groups, more = groupings(labelled, settings.sensitive, settings.ranges)
    if not groups:
        why = " ".join(more)
        return _unknown(model, len(labelled), why), (Section(TITLE, [*more, *said]),)
    if scores.task == "classification" and not decisions_of(scores, settings.positive_label):
        why = _no_positive(scores)
        return _unknown(model, len(labelled), why), (Section(TITLE, [why, *said]),)
    compared = [_compare(scores, each, settings) for each in groups]
    figures = [f for each in compared for f in figures_of(each, len(labelled), settings.min_rows)]
    section = Section(
        TITLE,
        paragraphs(compared, len(labelled), [*said, *more], settings.min_rows),
        [*blocks(compared), *_drawn(compared, settings)],
        verdict_of(compared),
    )
    prices = prices_of(scores, compared, settings)
    write_json(settings.folder / "fairness.json", _details(compared, prices))
    if not prices:
        return tuple(figures), (section,)
    figures += [figure for price in prices for figure in price_figures(price)]
    table = price_table(prices)
    cost = Section("What it would cost to treat groups alike", price_words(prices), [table])
    return tuple(figures), (section, cost)


def _unknown(model: Model, rows: int, why: str) -> tuple[Figure, ...]:
    """Return what a gate would ask for, without a value: it is told why there is none."""
    if model.task != "classification":
        return ()
    return tuple(
        Figure(name, "fairness", None, "less", rows, note=why.rstrip("."))
        for name in ("demographic_parity_difference", "equalised_odds_difference")
    )


def decisions_of(scores: Scores, positive_label: str) -> tuple[Decisions, str] | None:
    """Return predictions of the positive class, and its name; None where there is none.

    With more than two classes it is the one that is named, against the rest.
    """
    number = scores.positive
    if number is None and positive_label in scores.classes:
        number = scores.classes.index(positive_label)
    if number is None:
        return None
    chance = scores.probabilities[:, number] if scores.has_probabilities else None
    return (
        Decisions(scores.truth == number, scores.predicted == number, chance),
        scores.classes[number],
    )


def _no_positive(scores: Scores) -> str:
    return (
        f"Groups are compared by one class, and there are {len(scores.classes)}: set "
        f"positive_label to one of {', '.join(scores.classes)}."
    )


def _compare(scores: Scores, grouping: Grouping, settings: Settings) -> Compared:
    if scores.task == "regression":
        quantities = Quantities(scores.truth, np.asarray(scores.predicted, dtype=np.float64))
        return Compared(
            *quantities_by_group(quantities, grouping, settings.min_rows, settings.seed), ""
        )
    found = decisions_of(scores, settings.positive_label)
    if found is None:
        raise StepError(_no_positive(scores))
    decisions, positive = found
    measured = by_group(decisions, grouping, settings.min_rows, settings.seed)
    enough = measured.enough
    compared = gaps(decisions, grouping, enough, settings.seed) if enough.sum() > 1 else []
    return Compared(measured, compared, positive)


def prices_of(scores: Scores, compared: Sequence[Compared], settings: Settings) -> list[Price]:
    """Return what thresholds by the groups of each column would cost, for each constraint.

    Empty for quantities, for more than two classes, and for a model without probabilities.
    """
    found = decisions_of(scores, settings.positive_label)
    if found is None or scores.positive is None or found[0].score is None:
        return []
    decisions, chance = found[0], found[0].score
    return [
        price_of(
            decisions,
            chance,
            each.measured.grouping,
            each.measured.enough,
            constraint,
            settings.seed,
        )
        for each in compared
        if each.gaps and not each.is_crossed
        for constraint in CONSTRAINTS
    ]


def _drawn(compared: Sequence[Compared], settings: Settings) -> list[Picture]:
    pictures = []
    for each in compared:
        if each.gaps and not each.is_crossed:
            name = f"fairness_{re.sub('[^A-Za-z0-9]+', '_', each.name)}.png"
            draw_groups(each, settings.folder / name)
            pictures.append(Picture(name, f"figures by {each.name}, with intervals"))
    return pictures


def _details(compared: Sequence[Compared], prices: Sequence[Price]) -> dict[str, Any]:
    return {
        "groups": [
            {
                "of": each.name,
                "labels": list(each.measured.grouping.labels),
                "rows": each.measured.grouping.counts.tolist(),
                "enough": each.measured.enough.tolist(),
                "figures": {
                    name: [value if np.isfinite(value) else None for value in values.tolist()]
                    for name, values in each.measured.values.items()
                },
                "differences": [
                    {**asdict(gap), "value": gap.value if np.isfinite(gap.value) else None}
                    for gap in each.gaps
                ],
            }
            for each in compared
        ],
        "mitigation": [_finite(asdict(price)) for price in prices],
    }


def _finite(value: Any) -> Any:
    """Return a document whose infinite thresholds are texts, which JSON has."""
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, Thresholds):
        return _finite(value._asdict())
    if isinstance(value, tuple):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


def settle_price(
    model: Model, test: pd.DataFrame, settings: Settings, constraint: str, column: str
) -> tuple[Price, Grouping, int]:
    """Return the thresholds to be saved, the groups that they are of, and the positive class.

    Args:
        model: The model.
        test: As of `sections`.
        settings: As of `sections`.
        constraint: What is to be made equal; see `CONSTRAINTS`.
        column: Whose groups are to be treated alike; `auto` is the one that differs most.

    Raises:
        StepError: The model has no thresholds to set, or no groups can be compared.
    """
    scores = score(model, test, settings.positive_label)
    labelled = test[test[model.target].notna()].reset_index(drop=True)
    wanted = settings.sensitive if column == "auto" else (column,)
    groups, _ = groupings(labelled, wanted, settings.ranges)
    is_binary = scores.positive is not None and scores.has_probabilities
    compared = [_compare(scores, each, settings) for each in groups] if is_binary else []
    prices = [p for p in prices_of(scores, compared, settings) if p.constraint == constraint]
    if not prices or scores.positive is None:
        raise StepError(
            "there is nothing to mitigate",
            hint="it needs a model that tells probabilities of two classes, and a sensitive "
            f"column of which two groups have {settings.min_rows} rows of each class; else set "
            "mitigation to none",
        )
    price = max(prices, key=lambda each: each.before.value)
    grouping = next(each for each in groups if each.name == price.column)
    # The estimator's classes come first among those of the scores, in its order.
    return price, grouping, scores.positive
