"""How much of a distance is chance: a p-value for each metric, and control over all of them.

Two samples of one distribution are never equal, and the distance between them shrinks with their
size. So a distance above its threshold is a breach only where one so great would be rare between
samples of these sizes. Each p-value is of the hypothesis that production and reference are samples
of one distribution; each is exact, or errs to the side of no alarm, or is asymptotic and tested by
simulation.

Sources:
    [C] W. G. Cochran, "Some methods for strengthening the common chi-squared tests", Biometrics 10
        (1954) 417-451: rare cells are pooled.
    [F] R. A. Fisher, "Statistical Methods for Research Workers", 1934, section 21.02.
    [B] C. Borell, "The Brunn-Minkowski inequality in Gauss space", Inventiones Mathematicae 30
        (1975) 207-216; B. Tsirelson, I. Ibragimov, V. Sudakov (1976): a norm of a Gaussian process
        exceeds its mean by t with a probability of at most exp(-t^2 / (2 s^2)).
    [A] E. del Barrio, E. Gine, C. Matran, "Central limit theorems for the Wasserstein distance
        between the empirical and the true distributions", Annals of Probability 27 (1999).
    [H] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
        Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from monitorkit.distances import Floats, NumberPair

#: Rows that a cell must be expected to have in the smaller sample. [C] asks for 5 at the usual
#: levels; corrections for many features look further into the tail.
_LEAST_EXPECTED = 10.0


def homogeneity(production: Floats, reference: Floats) -> float:
    """Return the p-value of Pearson's test that both counts have the same shares.

    Unlike the metric `pearsons_chi_squared_test` it knows that the reference is a sample, too.
    Cells that are rare in both together are pooled ([C]).

    Args:
        production: Rows in each bin or category, shape (k,).
        reference: The same.
    """
    table = np.stack([production, reference])
    least = table.sum(axis=0) * (table.sum(axis=1).min() / table.sum())
    order = np.argsort(least, kind="stable")
    table, least = table[:, order], least[order]
    rare = int((least < _LEAST_EXPECTED).sum())
    # What is pooled may be too rare itself: then it takes the next cell, too.
    if 0 < rare < len(least) and least[:rare].sum() < _LEAST_EXPECTED:
        rare += 1
    if rare:
        table = np.column_stack([table[:, :rare].sum(axis=1), table[:, rare:]])
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * (table.sum(axis=0) / table.sum())
    statistic = float(((table - expected) ** 2 / expected).sum())
    return float(stats.chi2.sf(statistic, table.shape[1] - 1))


def area_noise(pair: NumberPair) -> float:
    """Return an upper bound of the p-value of the Wasserstein distance between two samples.

    With n and m rows, sqrt(nm / (n + m)) W tends to the integral of |B(F(x))| dx, B a Brownian
    bridge, F the common distribution ([A]): a norm of a Gaussian process. Its mean is sqrt(2 / pi)
    times the integral of sqrt(F (1 - F)) dx; the greatest variance of what it is the supremum of,
    integrals of s(x) B(F(x)) dx with |s| <= 1, is that for s = 1, which is the variance of the
    feature (Hoeffding). So by [B] p <= exp(-t^2 / 2) with t the excess over the mean in standard
    deviations; F and the deviation are those of the pooled sample.
    """
    n, m = len(pair.production), len(pair.reference)
    steps, share = pair.pooled_shares
    spread = float(pair.pooled.std())
    if spread == 0:
        return 1.0
    mean = math.sqrt(2 / math.pi) * float(np.sqrt(share * (1 - share)) @ steps)
    excess = (math.sqrt(n * m / (n + m)) * pair.area - mean) / spread
    return math.exp(-(excess**2) / 2) if excess > 0 else 1.0


def higher_rate(hits: int, rows: int, reference_hits: int, reference_rows: int) -> float:
    """Return Fisher's exact p-value ([F]) that the rate is no higher than the reference's."""
    total, all_hits = rows + reference_rows, hits + reference_hits
    return float(stats.hypergeom.sf(hits - 1, total, all_hits, rows))


def outside_range(hits: int, rows: int, reference_rows: int) -> float:
    """Return the p-value of so many rows below the least or above the greatest of the reference.

    Exact for a continuous feature, where all orders of the pooled rows are equally likely: the rows
    below the least and above the greatest of m fill two of m + 1 gaps, and two gaps together hold
    as many as come before the second reference row of a random order. So at least `hits` do with
    the probability that of the first hits + 1 rows at most one is of the reference. Ties make it
    rarer.
    """
    if hits == 0:
        return 1.0
    return float(stats.hypergeom.cdf(1, rows + reference_rows, reference_rows, hits + 1))


def unseen_labels(production: Floats, reference: Floats) -> float:
    """Return an upper bound of the p-value of the most frequent category that the reference lacks.

    Where all orders of the pooled rows are equally likely, a category of c rows has all of them in
    production with the probability C(n, c) / C(n + m, c); summed over all categories that are as
    frequent (Bonferroni).

    Args:
        production: Rows of each category, shape (k,).
        reference: The same.
    """
    unseen = production[reference == 0]
    most = float(unseen.max()) if len(unseen) else 0.0
    if most == 0:
        return 1.0
    n, m = float(production.sum()), float(reference.sum())
    frequent = int(((production + reference) >= most).sum())
    chance = stats.hypergeom.sf(most - 1, int(n + m), int(most), int(n))
    return min(1.0, frequent * float(chance))


def gamma_tail(value: float, null: Floats) -> float:
    """Return the share of a gamma distribution above a value, fitted to draws of the null.

    For a statistic that is not below 0 and whose draws cost a training each, so that there are too
    few to count those above the value.

    Args:
        value: The statistic.
        null: Draws of it where nothing has changed, shape (b,).
    """
    mean, variance = float(null.mean()), float(null.var(ddof=1))
    if variance == 0:
        return 1.0 if value <= mean else 0.0
    return float(stats.gamma.sf(value, mean**2 / variance, scale=variance / mean))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return adjusted p-values ([H]).

    Those at most alpha are so with a chance of at most alpha that any of them is of a hypothesis
    that holds, however they depend on each other.
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted, highest = [1.0] * len(p_values), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted
