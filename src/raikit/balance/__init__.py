"""Data balance: whether groups are in the training rows, and how labels are shared out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from raikit.balance.label_gap import MOST_ROWS, NAME, expected_labels, label_gap
from raikit.balance.measures import aggregate_balance, distribution_balance, feature_balance
from raikit.balance.words import Balanced, Label, blocks, figures_of, paragraphs, verdict_of
from raikit.fairness.measures import Gap
from raikit.fairness.settings import Settings
from raikit.groups import Grouping, cross, groupings
from raikit.intervals import greatest_difference, means, shares
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
        return (), (Section(TITLE, [*said, "So nothing is known of how groups are balanced."]),)
    require_column(train, model.target, "target column")
    for name in settings.sensitive:
        require_column(train, name, "sensitive column of the training data,")
    rows = train[train[model.target].notna()].reset_index(drop=True)
    groups, more = groupings(rows, settings.sensitive, settings.ranges)
    label = _label(model, rows, settings.positive_label)
    if not groups or label is None:
        why = [] if label else ["Of more than two classes one must be named: positive_label."]
        return (), (Section(TITLE, [*said, *more, *why]),)
    sampled = _left_of_label(model, rows, label, settings)
    found = [_balanced(each, label, sampled, settings) for each in groups]
    combined = _combined(groups)
    overall = aggregate_balance(combined.counts)
    write_json(settings.folder / "balance.json", _details(found, overall))
    figures = figures_of(found, overall, len(rows))
    words = paragraphs(found, label, len(rows), [*said, *more])
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


@dataclass(frozen=True)
class _Sampled:
    """Rows of which it is known how far the label is from what is to be expected.

    Attributes:
        places: Of the rows in the table.
        left: Their labels less what was expected.
    """

    places: Any
    left: Floats


def _left_of_label(
    model: Model, rows: pd.DataFrame, label: Label, settings: Settings
) -> _Sampled | None:
    """Return what is left of the label; None where it is the same in all rows, or too rare."""
    rng = np.random.default_rng(settings.seed)
    places = np.arange(len(rows))
    if len(rows) > MOST_ROWS:
        places = np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))
    values = label.values[places]
    rarest = min(values.sum(), len(values) - values.sum()) if label.positive else len(values)
    features = {n: kind for n, kind in model.features.items() if n not in settings.sensitive}
    if rarest < settings.min_rows or not features:
        return None
    table = typed_features(rows.iloc[places], features)
    expected = expected_labels(table, values, is_class=bool(label.positive), seed=settings.seed)
    return _Sampled(places, values - expected)


def _balanced(
    grouping: Grouping, label: Label, sampled: _Sampled | None, settings: Settings
) -> Balanced:
    counts = grouping.counts
    size = len(counts)
    positive = np.bincount(grouping.codes, weights=label.values, minlength=size)
    rarest = np.minimum(positive, counts - positive) if label.positive else counts
    enough = rarest >= max(2, settings.min_rows)
    difference, gap = None, None
    each = np.full(size, np.nan)
    if enough.sum() > 1:
        difference = _difference(grouping, label, enough, settings.seed)
        if sampled is not None:
            part = Grouping(grouping.name, grouping.labels, grouping.codes[sampled.places])
            known = enough & (part.counts >= settings.min_rows)
            if known.sum() > 1:
                gap, each = label_gap(sampled.left, part, known, settings.seed)
    return Balanced(
        grouping=grouping,
        means=positive / counts,
        distribution=distribution_balance(counts),
        features=feature_balance(label.values == 1, grouping) if label.positive else {},
        difference=difference,
        gap=gap,
        left=each,
        sample=len(label.values) if sampled is None else len(sampled.places),
    )


def _difference(grouping: Grouping, label: Label, enough: Any, seed: int) -> Gap:
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
    values = sums / counts
    low, high = greatest_difference([drawn])
    lowest, highest = int(values.argmin()), int(values.argmax())
    value = float(values[highest] - values[lowest])
    return Gap(
        name,
        value,
        min(low, value),
        max(high, value),
        grouping.labels[places[lowest]],
        grouping.labels[places[highest]],
    )


def _combined(groups: list[Grouping]) -> Grouping:
    """Return the combinations of all columns."""
    single = [each for each in groups if " x " not in each.name]
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
