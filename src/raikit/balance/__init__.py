"""Data balance: whether groups are in the training rows, and how labels are shared out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.balance.label_gap import (
    MOST_ROWS,
    NAME,
    expected_labels,
    greatest_gap,
    label_gap,
)
from raikit.balance.measures import aggregate_balance, distribution_balance, feature_balance
from raikit.balance.words import Balanced, Label, blocks, figures_of, paragraphs, verdict_of
from raikit.fairness.measures import Gap
from raikit.fairness.settings import Settings
from raikit.groups import Grouping, cross, groupings
from raikit.intervals import means, shares
from stepkit.figures import Figure
from stepkit.findings import Section
from stepkit.metrics import Floats
from stepkit.model import Model, typed_features
from stepkit.program import StepError, write_json
from stepkit.table import label_text, require_column

__all__ = ["Settings", "sections"]

TITLE = "Whether the training data is balanced"

Found: TypeAlias = "tuple[tuple[Figure, ...], tuple[Section, ...]]"


def sections(model: Model, train: pd.DataFrame, test: pd.DataFrame, settings: Settings) -> Found:
    """Measure how groups and labels are shared out in the training rows.

    Args:
        model: Says what the target and the features are.
        train: Rows with the target, the features, and the sensitive columns.
        test: Not looked at: what a model learned is in its training rows.
        settings: Names the sensitive columns.

    Returns:
        Figures `smallest_group_share`, `label_share_difference` (`mean_label_difference` of a
        quantity), `label_gap_at_equal_features`, `js_distance`, each with the column as cohort,
        and `theil_t_index` over all combinations; and a section.

    Raises:
        StepError: A column, or the positive class, is not there.
    """
    del test  # all analyses have one form
    said = [settings.chosen] if settings.chosen else []
    if not settings.sensitive:
        nothing = "No group was looked at, so nothing is known of how groups are balanced."
        return (), (Section(TITLE, [nothing, *said]),)
    require_column(train, model.target, "target column")
    for name in settings.sensitive:
        require_column(train, name, "sensitive column of the training data,")
    rows = train[train[model.target].notna()].reset_index(drop=True)
    groups, more = groupings(rows, settings.sensitive, settings.ranges)
    label = _label(model, rows, settings.positive_label)
    if not groups or label is None:
        why = [] if label else ["Of more than two classes one must be named: positive_label."]
        return (), (Section(TITLE, [*why, *more, *said]),)
    found = [_balanced(model, rows, each, label, settings) for each in groups]
    combined = _combined(groups)
    overall = aggregate_balance(combined.counts)
    write_json(settings.folder / "balance.json", _details(found, overall))
    figures = figures_of(found, overall, len(rows))
    words = paragraphs(found, label, len(rows), more)
    section = Section(TITLE, words, blocks(found, label, overall), verdict_of(found, label))
    return tuple(figures), (section,)


def _label(model: Model, rows: pd.DataFrame, positive_label: str) -> Label | None:
    """Return the label of each row; None where of several classes none is named."""
    target = rows[model.target]
    if model.task == "regression":
        return Label(target.to_numpy(dtype=np.float64), "", model.target)
    texts = target.map(label_text)
    classes = sorted(texts.unique())
    if positive_label != "auto" and positive_label not in classes:
        raise StepError(
            f"no class {positive_label!r} in the training data",
            hint=f"classes: {', '.join(classes)}",
        )
    if len(classes) != 2 and positive_label == "auto":
        return None
    positive = classes[1] if positive_label == "auto" else positive_label
    is_positive = np.asarray(texts == positive, dtype=np.float64)
    return Label(is_positive, positive, model.target)


def _sampled(rows: int, seed: int) -> NDArray[np.intp]:
    """Return the places of the rows that labels are compared at equal features of."""
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))


def _balanced(
    model: Model, rows: pd.DataFrame, grouping: Grouping, label: Label, settings: Settings
) -> Balanced:
    counts = grouping.counts
    enough = _enough(grouping, label.values, bool(label.positive), settings.min_rows)
    difference = _difference(grouping, label, enough, settings.seed) if enough.sum() > 1 else None
    places = _sampled(len(rows), settings.seed)
    gap, left = None, np.full(len(counts), np.nan)
    features = {name: kind for name, kind in model.features.items() if name != grouping.name}
    part = Grouping(grouping.name, grouping.labels, grouping.codes[places])
    known = _enough(part, label.values[places], bool(label.positive), settings.min_rows)
    if features and known.sum() > 1 and not grouping.is_crossed:
        expected = expected_labels(
            typed_features(rows.iloc[places], features),
            label.values[places],
            is_class=bool(label.positive),
            seed=settings.seed,
        )
        gap, left = label_gap(label.values[places] - expected, part, known, settings.seed)
    return Balanced(
        grouping=grouping,
        means=np.bincount(grouping.codes, weights=label.values, minlength=len(counts)) / counts,
        distribution=distribution_balance(counts),
        features=feature_balance(label.values == 1, grouping) if label.positive else {},
        difference=difference,
        gap=gap,
        left=left,
        sample=len(places),
    )


def _enough(grouping: Grouping, values: Floats, is_class: bool, min_rows: int) -> NDArray[np.bool_]:
    """Return which groups have enough rows, of each class where labels are 1 and 0."""
    counts = grouping.counts
    if is_class:
        hits = np.bincount(grouping.codes, weights=values, minlength=len(counts))
        counts = np.minimum(hits, counts - hits).astype(np.intp)
    found: NDArray[np.bool_] = counts >= max(2, min_rows)
    return found


def _difference(grouping: Grouping, label: Label, enough: NDArray[np.bool_], seed: int) -> Gap:
    """Return the greatest difference of label shares, or of mean labels."""
    places = np.flatnonzero(enough)
    counts = grouping.counts[places]
    sums = np.bincount(grouping.codes, weights=label.values, minlength=len(enough))[places]
    if label.positive:
        drawn = shares(sums.astype(np.int64), counts.astype(np.int64), seed)
        name = "label_share_difference"
    else:
        drawn = means([label.values[grouping.codes == number] for number in places], seed)
        name = "mean_label_difference"
    return greatest_gap(name, sums / counts, drawn, [grouping.labels[place] for place in places])


def _combined(groups: list[Grouping]) -> Grouping:
    """Return the combinations of all columns."""
    single = [each for each in groups if not each.is_crossed]
    found = single[0]
    for each in single[1:]:
        found = cross(found, each)
    return found


def _details(found: list[Balanced], overall: Mapping[str, float]) -> dict[str, Any]:
    return {
        "aggregate": dict(overall),
        "groups": [
            {
                "of": each.grouping.name,
                "labels": list(each.grouping.labels),
                "rows": each.grouping.counts.tolist(),
                "mean_label": each.means.tolist(),
                "distribution": dict(each.distribution),
                "features": {
                    name: [value if np.isfinite(value) else None for value in values.tolist()]
                    for name, values in each.features.items()
                },
                "difference": None if each.difference is None else asdict(each.difference),
                NAME: None if each.gap is None else asdict(each.gap),
            }
            for each in found
        ],
    }
