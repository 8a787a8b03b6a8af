"""Whether a label goes to one group more than to another in rows that are otherwise alike.

A model of the label that sees all features but the sensitive ones is cross-fitted on the training
rows. Where the label does not depend on the group, given the features, what is left of it (label
minus prediction) is the same in all groups on average. It is the partialling out of P. M. Robinson,
"Root-N-consistent semiparametric regression", Econometrica 56 (1988) 931-954, cross-fitted as by
V. Chernozhukov et al., "Double/debiased machine learning", Econometrics Journal 21 (2018) C1-C68.

A difference may be a biased label, or a cause that no column tells. No difference is no proof: a
feature that stands in for the group explains a bias away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.fairness.measures import Gap
from raikit.groups import Grouping
from raikit.intervals import Estimates, greatest_difference, means
from stepkit.metrics import Floats

NAME = "label_gap_at_equal_features"
#: Rows beyond this are a sample.
MOST_ROWS = 20_000
_FOLDS = 3
#: Texts that the fit tells apart; scikit-learn takes at most 255.
_MOST_TEXTS = 250


def expected_labels(features: pd.DataFrame, label: Floats, *, is_class: bool, seed: int) -> Floats:
    """Return the label that the features lead to expect of each row, by the rows of other folds.

    Args:
        features: Numbers, texts, and booleans; times are left out.
        label: 0 and 1, or a quantity, shape (n,).
        is_class: Whether it is 0 and 1.
        seed: Of the folds.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

    coded, categorical = _coded(features)
    kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    folds = StratifiedKFold if is_class else KFold
    fitted = kind(
        max_iter=60,
        learning_rate=0.15,
        max_leaf_nodes=15,
        categorical_features=categorical,
        early_stopping=False,
        random_state=seed,
    )
    found = cross_val_predict(
        fitted,
        coded,
        label.astype(int) if is_class else label,
        cv=folds(_FOLDS, shuffle=True, random_state=seed),
        method="predict_proba" if is_class else "predict",
    )
    expected: Floats = found[:, 1] if is_class else found
    return expected


def _coded(features: pd.DataFrame) -> tuple[Floats, list[int]]:
    columns, categorical = [], []
    for name in features:
        column = features[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            continue
        if pd.api.types.is_numeric_dtype(column):
            columns.append(column.to_numpy(dtype=np.float64))
            continue
        codes, texts = pd.factorize(column, use_na_sentinel=True)
        if len(texts) <= _MOST_TEXTS:
            categorical.append(len(columns))
            columns.append(np.where(codes < 0, np.nan, codes).astype(np.float64))
    return np.column_stack(columns) if columns else np.zeros((len(features), 1)), categorical


def label_gap(
    left: Floats, grouping: Grouping, enough: NDArray[np.bool_], seed: int
) -> tuple[Gap, Floats]:
    """Return the greatest difference of what is left of the label, and its mean in each group.

    Args:
        left: The label less what was expected of it.
        grouping: Of the same rows.
        enough: Which groups have enough rows; at least two.
        seed: Of the resamples.
    """
    places = np.flatnonzero(enough)
    drawn = means([left[grouping.codes == number] for number in places], seed)
    each = np.full(len(enough), np.nan)
    each[places] = drawn.values
    labels = [grouping.labels[place] for place in places]
    return greatest_gap(NAME, drawn.values, drawn, labels), each


def greatest_gap(name: str, values: Floats, drawn: Estimates, labels: Sequence[str]) -> Gap:
    """Return the greatest difference between groups, with its interval.

    Args:
        name: What it is called.
        values: Of each group.
        drawn: The same on resamples.
        labels: Of the groups.
    """
    low, high = greatest_difference([drawn])
    lowest, highest = int(values.argmin()), int(values.argmax())
    value = float(values[highest] - values[lowest])
    return Gap(name, value, min(low, value), max(high, value), labels[lowest], labels[highest])
