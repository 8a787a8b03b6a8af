"""How much worse the model gets on test rows when a column's values are shuffled among them.

L. Breiman, "Random forests", Machine Learning 45 (2001) 5-32, section 10; A. Fisher, C. Rudin,
F. Dominici, "All models are wrong, but many are useful", JMLR 20 (2019), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from raikit.explanation.subject import Subject, codes_of, levels_of
from stepkit.metrics import Floats
from stepkit.program import StepError

#: Columns of a greater association tell much of the same.
ASSOCIATED = 0.6


@dataclass(frozen=True)
class Importance:
    """Loss of a metric by shuffling each column.

    Attributes:
        metric: auc, accuracy, or r2; more is better of each.
        whole: The metric with nothing shuffled.
        drops: Loss in each repeat, shape (columns, repeats).
        rows: Test rows in each repeat.
        level: Of the intervals.
    """

    metric: str
    whole: float
    drops: Floats
    rows: int
    level: float = 0.95

    @property
    def mean(self) -> Floats:
        """Mean loss of each column, shape (columns,)."""
        return np.asarray(self.drops.mean(axis=1))

    def interval(self) -> tuple[Floats, Floats]:
        """Return bounds of each column's loss: mean and t times the deviation of the repeats.

        Each repeat shuffles anew within another resample of the rows, so that their deviation is
        the standard error that both chances have together (the bootstrap's: B. Efron,
        R. Tibshirani, "An Introduction to the Bootstrap", 1993, section 6.2); it is not divided by
        the root of their number, since all resamples are of the same rows.
        """
        from scipy.stats import t  # half a second, for one number

        repeats = self.drops.shape[1]
        reach = t.ppf((1 + self.level) / 2, repeats - 1) * self.drops.std(axis=1, ddof=1)
        return self.mean - reach, self.mean + reach


def permutation_importance(
    subject: Subject, table: pd.DataFrame, *, repeats: int = 8, seed: int = 0
) -> Importance:
    """Shuffle each column of labelled rows, and measure what the model loses.

    Args:
        subject: The model.
        table: Rows with the model's columns and the target, such as a sample of the test rows.
        repeats: How often each column is shuffled; at least 2.
        seed: Of the shuffles and resamples.

    Raises:
        StepError: The rows do not define the metric, such as all of one class.
    """
    X, truth = subject.columns(table), subject.truth(table)
    if subject.task == "classification":  # what the model knows no class for cannot be scored
        X, truth = X[truth >= 0], truth[truth >= 0]
    rng = np.random.default_rng(seed)
    said = subject.predictions(X)
    whole = subject.performance(truth, said)
    if not np.isfinite(whole):
        raise StepError(
            f"the test rows do not define {subject.metric}", hint="give test rows of every class"
        )
    drops = np.full((X.shape[1], repeats), np.nan)
    for repeat in range(repeats):
        drawn = rng.integers(len(X), size=len(X))
        own = subject.performance(truth[drawn], said[drawn])
        for place, name in enumerate(X.columns):
            # Shuffled are the resample's own values, so that they are as they come.
            shuffled = X.iloc[drawn].copy()
            shuffled[name] = X[name].to_numpy()[drawn[rng.permutation(len(X))]]
            got = subject.performance(truth[drawn], subject.predictions(shuffled))
            drops[place, repeat] = own - got
    if not np.isfinite(drops).all():
        raise StepError(
            f"resamples of the test rows do not define {subject.metric}",
            hint="give more test rows of every class",
        )
    return Importance(subject.metric, whole, drops, len(X))


@dataclass(frozen=True)
class Association:
    """Two columns that tell much of the same.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        strength: From 0 to 1.
    """

    first: str
    second: str
    strength: float


def associations(
    subject: Subject, X: pd.DataFrame, least: float = ASSOCIATED
) -> Sequence[Association]:
    """Return pairs of columns that tell much of the same, the closest first.

    Two ordered columns by |Spearman's rank correlation|; two categories by Cramér's V, corrected
    for chance (W. Bergsma, "A bias-correction for Cramér's V and Tschuprow's T", Journal of the
    Korean Statistical Society 42 (2013) 323-328); a category and an ordered column by the
    correlation ratio of the ranks, corrected for chance as R2 is.

    Args:
        subject: Tells which columns are ordered.
        X: Raw columns, such as a sample of the training rows.
        least: Pairs below are left out.
    """
    names = list(X.columns)
    ranks = {name: X[name].rank().to_numpy() for name in names if subject.is_ordered(name)}
    codes = {
        name: codes_of(X[name], levels_of(X[name]))
        for name in names
        if not subject.is_ordered(name)
    }
    found = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if first in ranks and second in ranks:
                strength = _rank_correlation(ranks[first], ranks[second])
            elif first in codes and second in codes:
                strength = _cramers_v(codes[first], codes[second])
            else:
                category, number = (first, second) if first in codes else (second, first)
                strength = _correlation_ratio(codes[category], ranks[number])
            if strength >= least:
                found.append(Association(first, second, strength))
    return tuple(sorted(found, key=lambda each: -each.strength))


def _rank_correlation(first: Floats, second: Floats) -> float:
    both = ~(np.isnan(first) | np.isnan(second))
    if both.sum() < 3 or first[both].std() == 0 or second[both].std() == 0:
        return 0.0
    return abs(float(np.corrcoef(first[both], second[both])[0, 1]))


def _cramers_v(first: Any, second: Any) -> float:
    width = second.max() + 1
    counts = np.bincount(first * width + second, minlength=(first.max() + 1) * width)
    counts = counts.reshape(-1, width).astype(np.float64)
    rows, (r, c) = counts.sum(), counts.shape
    if min(r, c) < 2 or rows < 3:
        return 0.0
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / rows
    phi = float(((counts - expected) ** 2 / expected).sum() / rows)
    phi = max(0.0, phi - (r - 1) * (c - 1) / (rows - 1))
    r, c = r - (r - 1) ** 2 / (rows - 1), c - (c - 1) ** 2 / (rows - 1)
    return float(np.sqrt(phi / (min(r, c) - 1))) if min(r, c) > 1 else 0.0


def _correlation_ratio(codes: Any, ranks: Floats) -> float:
    known = ~np.isnan(ranks)
    codes, ranks = codes[known], ranks[known]
    sizes = np.bincount(codes)
    groups = int((sizes > 0).sum())
    total = float(((ranks - ranks.mean()) ** 2).sum())
    if groups < 2 or len(ranks) <= groups or total == 0:
        return 0.0
    means = np.bincount(codes, ranks) / np.maximum(sizes, 1)
    within = float(((ranks - means[codes]) ** 2).sum())
    corrected = 1 - (within / (len(ranks) - groups)) / (total / (len(ranks) - 1))
    return float(np.sqrt(max(0.0, corrected)))
