"""How far several ways to tell which columns matter agree, so that a reader knows what to trust.

Rank correlation after C. Spearman (1904), with ties at their mean rank; overlap of the top k is the
share of the k columns that one way names first which the other does too (S. Krishna et al., "The
disagreement problem in explainable machine learning", arXiv:2202.01602, 2022, section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from raikit.explanation.importance import Importance
from raikit.explanation.shapley import Contributions
from stepkit.metrics import Floats

_RESAMPLES = 400
#: Rank correlations from here on are called so; below the last, the ways disagree.
WORDS = ((0.9, "very well"), (0.7, "well"), (0.4, "in part"))


@dataclass(frozen=True)
class Pair:
    """Two ways, and how far they agree.

    Attributes:
        first: Name of the one.
        second: Of the other.
        correlation: Of the columns' ranks, -1 to 1; None where one ranks all columns alike.
        overlap: Share of the top columns that both name.
    """

    first: str
    second: str
    correlation: float | None
    overlap: float


@dataclass(frozen=True)
class Agreement:
    """How far all ways agree.

    Attributes:
        ways: Importance of each column by each way, each shape (columns,).
        pairs: Every two of them; the first is SHAP and permutation importance.
        top: How many columns the overlap is of.
        low: Lower bound of the 95 % interval of the first pair's correlation; None without one.
        high: Upper bound.
    """

    ways: Mapping[str, Floats]
    pairs: tuple[Pair, ...]
    top: int
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """How far SHAP and permutation importance agree, in words."""
        found = self.pairs[0].correlation
        if found is None:
            return "not to be told"
        return next((word for least, word in WORDS if found >= least), "hardly")


def agreement_of(
    shap: Contributions, importance: Importance, others: Mapping[str, Floats], seed: int = 0
) -> Agreement:
    """Compare SHAP, permutation importance, and other ways.

    The interval resamples the rows of the one and the repeats of the other.

    Args:
        shap: Contributions to a sample of rows.
        importance: Loss by shuffling.
        others: Importance of each column by other ways.
        seed: Of the resamples.
    """
    ways = {"SHAP": shap.strength, "permutation importance": importance.mean, **others}
    top = min(5, max(1, len(shap.strength) // 2))
    pairs = tuple(
        Pair(
            first, second, correlation(ways[first], ways[second]), overlap(ways, first, second, top)
        )
        for first, second in combinations(ways, 2)
    )
    low, high = _interval(shap, importance, seed)
    return Agreement(ways, pairs, top, low, high)


def overlap(ways: Mapping[str, Floats], first: str, second: str, top: int) -> float:
    """Return the share of the top columns of the one that are among the other's."""
    named = [set(np.argsort(-ways[way], kind="stable")[:top].tolist()) for way in (first, second)]
    return len(named[0] & named[1]) / top


def correlation(first: Floats, second: Floats) -> float | None:
    """Return Spearman's rank correlation; None where either is all ties."""
    from scipy.stats import rankdata  # half a second

    ranks = rankdata(first), rankdata(second)
    if len(first) < 2 or any(each.std() == 0 for each in ranks):
        return None
    return float(np.clip(np.corrcoef(*ranks)[0, 1], -1, 1))


def _interval(
    shap: Contributions, importance: Importance, seed: int
) -> tuple[float | None, float | None]:
    rng = np.random.default_rng(seed)
    each = np.abs(shap.values).mean(axis=2)
    repeats = importance.drops.shape[1]
    found = []
    for _ in range(_RESAMPLES):
        rows = rng.integers(len(each), size=len(each))
        drops = importance.drops[:, rng.integers(repeats, size=repeats)]
        value = correlation(each[rows].mean(axis=0), drops.mean(axis=1))
        if value is not None:
            found.append(value)
    if len(found) < _RESAMPLES / 2:
        return None, None
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
