"""How far two samples are apart: every drift metric of Azure ML, as its own components compute it.

Values are those of Azure's public monitoring components (github.com/Azure/azureml-assets,
assets/model_monitoring/components/src: `data_drift_compute_metrics`, `shared_utilities`), so that a
threshold means the same on both sides. Whether a distance is more than chance is in `noise`.

Sources of the formulas:
    [L] J. Lin, "Divergence measures based on the Shannon entropy", IEEE Transactions on Information
        Theory 37 (1991) 145-151: Jensen-Shannon; here its square root, with base 2, from 0 to 1.
    [S] H. A. Sturges, "The choice of a class interval", JASA 21 (1926) 65-66: the number of bins.
    [Y] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability index", Journal
        of Risk Model Validation 14 (2020): PSI.
    [V] S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions
        on the line", Theory of Probability and its Applications 18 (1974): the area between two
        cumulative distribution functions.
    [J] K. Jarvelin, J. Kekalainen, "Cumulated gain-based evaluation of IR techniques", ACM
        Transactions on Information Systems 20 (2002) 422-446: NDCG.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats: TypeAlias = NDArray[np.float64]

#: Azure divides the Wasserstein distance by the reference's standard deviation, or by this if less.
_LEAST_SPREAD = 0.001


@dataclass(frozen=True)
class NumberPair:
    """Two samples of a number, sorted.

    Attributes:
        production: Shape (n,), rising, finite.
        reference: Shape (m,), rising, finite.
    """

    production: Floats
    reference: Floats

    @classmethod
    def of(cls, production: Floats, reference: Floats) -> NumberPair:
        """Return two samples without what is missing or infinite."""
        return cls(*(np.sort(each[np.isfinite(each)]) for each in (production, reference)))

    @cached_property
    def pooled(self) -> Floats:
        """Both samples, shape (n + m,), one after the other."""
        return np.concatenate([self.production, self.reference])

    @cached_property
    def _steps(self) -> tuple[Floats, NDArray[np.int64]]:
        """Steps between the pooled values in order, and the rows of production before each."""
        # Stable sorting merges two runs that are sorted already in linear time.
        order = np.argsort(self.pooled, kind="stable")
        ours = np.cumsum(order < len(self.production), dtype=np.int64)[:-1]
        return np.diff(self.pooled[order]), ours

    @cached_property
    def area(self) -> float:
        """The Wasserstein distance of order 1 ([V]), in the feature's unit."""
        n, m = len(self.production), len(self.reference)
        steps, ours = self._steps
        return float(np.abs(ours / n - (np.arange(1, n + m) - ours) / m) @ steps)

    @property
    def pooled_shares(self) -> tuple[Floats, Floats]:
        """Steps between the pooled values in order, and the share of all rows before each."""
        rows = len(self.pooled)
        return self._steps[0], np.arange(1, rows) / rows

    @cached_property
    def counts(self) -> tuple[Floats, Floats]:
        """Rows of both in the bins of both.

        As Azure: bins of one width from the least to the greatest of all values, ceil(log2(rows of
        the smaller sample) + 1) of them ([S]); one bin where there is one value.
        """
        low = min(self.production[0], self.reference[0])
        high = max(self.production[-1], self.reference[-1])
        if low == high:
            return np.array([float(len(self.production))]), np.array([float(len(self.reference))])
        rows = min(len(self.production), len(self.reference))
        inner = np.linspace(low, high, math.ceil(math.log2(rows) + 1) + 1)[1:-1]
        return _binned(self.production, inner), _binned(self.reference, inner)


def _binned(ordered: Floats, inner: Floats) -> Floats:
    """Return how many sorted values are in each bin; a value on an edge is in the bin above it."""
    until = np.concatenate([[0], np.searchsorted(ordered, inner, side="left"), [len(ordered)]])
    return np.diff(until).astype(float)


def jensen_shannon_distance(production: Floats, reference: Floats) -> float:
    """Return the square root of the Jensen-Shannon divergence with base 2 ([L]), from 0 to 1.

    Args:
        production: Rows in each bin or category, shape (k,).
        reference: The same.
    """
    p, q = production / production.sum(), reference / reference.sum()
    middle = (p + q) / 2
    divergence = 0.0
    for share in (p, q):
        held = share > 0
        divergence += float((share[held] * np.log2(share[held] / middle[held])).sum()) / 2
    return math.sqrt(max(divergence, 0.0))


def population_stability_index(production: Floats, reference: Floats) -> float:
    """Return sum (p - q) ln(p / q) ([Y]) with a row added to each count, as Azure does.

    Args:
        production: Rows in each bin or category, shape (k,).
        reference: The same.
    """
    p = (production + 1) / production.sum()
    q = (reference + 1) / reference.sum()
    return float(((p - q) * np.log(p / q)).sum())


def normalized_wasserstein_distance(pair: NumberPair) -> float:
    """Return the Wasserstein distance ([V]) in standard deviations of the reference."""
    spread = float(np.std(pair.reference, ddof=1)) if len(pair.reference) > 1 else 0.0
    return pair.area / max(spread, _LEAST_SPREAD)


def two_sample_kolmogorov_smirnov_test(pair: NumberPair) -> float:
    """Return the p-value of the two-sided test, exact up to 10,000 rows: SciPy's `ks_2samp`."""
    return float(stats.ks_2samp(pair.production, pair.reference).pvalue)


def pearsons_chi_squared_test(production: Floats, reference: Floats) -> float:
    """Return the p-value of the counts against the reference's shares: SciPy's `chisquare`.

    As in Azure the reference counts as if its shares were known exactly. A category that it lacks
    was impossible, so that one row of it makes the p-value 0.

    Args:
        production: Rows of each category, shape (k,).
        reference: The same.
    """
    known = reference > 0
    if production[~known].any():
        return 0.0
    observed = production[known]
    if len(observed) < 2:
        return 1.0
    expected = reference[known] / reference.sum() * production.sum()
    return float(stats.chisquare(observed, expected).pvalue)


def normalized_discounted_cumulative_gain(production: Floats, reference: Floats) -> float:
    """Return how well production ranks features by what they were worth, from 0 to 1 ([J]).

    The gain of a feature is its attribution in the reference, its place the rank of that in
    production; discounts are log2(place + 1). Features of equal attribution in production share
    their places' mean discount, as in scikit-learn's `ndcg_score`.

    Args:
        production: Attribution of each feature, shape (k,), not below 0.
        reference: The same.
    """
    discounts = 1 / np.log2(np.arange(2, len(reference) + 2))
    ideal = float(np.sort(reference)[::-1] @ discounts)
    if ideal <= 0:
        return 1.0
    _, places, sizes = np.unique(-production, return_inverse=True, return_counts=True)
    shared = np.add.reduceat(discounts, np.concatenate([[0], np.cumsum(sizes)[:-1]])) / sizes
    return float(reference @ shared[places]) / ideal
