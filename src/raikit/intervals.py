"""Intervals of shares, means, their ratios, and of the greatest difference between groups.

Sources:
    [K] D. Katz, J. Baptista, S. P. Azen, M. C. Pike, "Obtaining confidence intervals for the risk
        ratio in cohort studies", Biometrics 34 (1978) 469-474.
    [A] A. Agresti, B. Caffo, "Simple and effective confidence intervals for proportions and
        differences of proportions", The American Statistician 54 (2000) 280-288.
    [R] J. P. Romano, M. Wolf, "Exact and approximate stepdown methods for multiple hypothesis
        testing", Journal of the American Statistical Association 100 (2005) 94-108: the largest
        of several studentised bootstrap deviations bounds them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from stepkit.calibration import wilson
from stepkit.metrics import Floats

LEVEL = 0.95
RESAMPLES = 2000
#: Values that are held at a time while means are drawn: 16 MB.
_CELLS = 2_000_000


def mean_interval(values: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a mean, by its standard error; of 0 and 1 that of [W].

    A single value has none, and its bounds are the value.
    """
    if np.isin(values, (0.0, 1.0)).all():
        low, high = wilson(values.sum(), len(values), level)
        return float(low), float(high)
    if len(values) < 2:
        return float(values[0]), float(values[0])
    half = float(norm.ppf((1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()) - half, float(values.mean()) + half


def ratio_interval(
    values: Floats, others: Floats, level: float = LEVEL
) -> tuple[float, float] | None:
    """Return the interval of the ratio of two independent means of values that are not negative.

    It is symmetric in the logarithm, whose variance is s^2 / (n mean^2) of each; of 0 and 1 that is
    (1 - p) / (n p), the interval of [K]. None where a mean is 0.
    """
    means = values.mean(), others.mean()
    if min(means) <= 0:
        return None
    variance = sum(
        float(part.var() / (len(part) * mean**2))
        for part, mean in zip((values, others), means, strict=True)
    )
    half = float(norm.ppf((1 + level) / 2) * np.sqrt(variance))
    ratio = float(means[0] / means[1])
    return ratio * float(np.exp(-half)), ratio * float(np.exp(half))


@dataclass(frozen=True)
class Estimates:
    """A figure of each group, and what other samples of the same groups would have given.

    Attributes:
        values: Shape (groups,).
        errors: Standard errors, shape (groups,).
        draws: The figures of resamples, shape (resamples, groups).
    """

    values: Floats
    errors: Floats
    draws: Floats


def shares(hits: NDArray[np.int64], rows: NDArray[np.int64], seed: int) -> Estimates:
    """Return the shares of hits among the rows of each group.

    One hit and one miss are added to each group, so that a share of 0 or 1 is not taken for
    certain ([A]). Resampling a group's rows is drawing from the binomial distribution.
    """
    share = (hits + 1) / (rows + 2)
    drawn = np.random.default_rng(seed).binomial(rows, share, size=(RESAMPLES, len(rows)))
    return Estimates(share, np.sqrt(share * (1 - share) / (rows + 2)), (drawn + 1) / (rows + 2))


def log_shares(hits: NDArray[np.int64], rows: NDArray[np.int64], seed: int) -> Estimates:
    """Return the logarithms of shares, which ratios are differences of.

    The standard error is that of [K], sqrt(1 / x - 1 / n); no hit counts as half a hit, and half a
    row more keeps a group of nothing but hits from being certain.
    """
    some = np.maximum(hits, 0.5)
    drawn = np.random.default_rng(seed).binomial(rows, some / rows, size=(RESAMPLES, len(rows)))
    errors = np.sqrt(1 / some - 1 / (rows + 0.5))
    return Estimates(np.log(some / rows), errors, np.log(np.maximum(drawn, 0.5) / rows))


def logarithms(estimates: Estimates) -> Estimates:
    """Return the logarithms of positive figures; standard errors by the delta method."""
    return Estimates(
        np.log(estimates.values), estimates.errors / estimates.values, np.log(estimates.draws)
    )


def means(values: Sequence[Floats], seed: int) -> Estimates:
    """Return the mean of each group's values, each of at least two, resampled within its group."""
    rng = np.random.default_rng(seed)
    draws = np.empty((RESAMPLES, len(values)))
    for number, own in enumerate(values):
        at_once = max(1, _CELLS // len(own))
        for start in range(0, RESAMPLES, at_once):
            size = min(at_once, RESAMPLES - start)
            drawn = own[rng.integers(len(own), size=(size, len(own)))]
            draws[start : start + size, number] = drawn.mean(axis=1)
    return Estimates(
        np.array([own.mean() for own in values]),
        np.array([own.std(ddof=1) / np.sqrt(len(own)) for own in values]),
        draws,
    )


def greatest_difference(
    estimates: Sequence[Estimates], level: float = LEVEL
) -> tuple[float, float]:
    """Return the interval of the greatest difference between any two groups, in any figure.

    The greatest of several observed differences is too great by chance, so bounds that hold for
    all pairs at once are taken ([R]): a difference is believed up to c standard errors, where c
    is the `level` quantile of the largest studentised deviation in the resamples. The greatest
    true difference is then at least the greatest lower, and at most the greatest upper bound.

    Args:
        estimates: One or more figures of two or more groups.
        level: Of the interval.
    """
    deviations = np.zeros(len(estimates[0].draws))
    pairs: list[tuple[float, float]] = []
    for each in estimates:
        for one, other in combinations(range(len(each.values)), 2):
            error = float(np.hypot(each.errors[one], each.errors[other]))
            difference = float(each.values[one] - each.values[other])
            pairs.append((abs(difference), error))
            if error > 0:
                drawn = each.draws[:, one] - each.draws[:, other]
                deviations = np.maximum(deviations, np.abs(drawn - difference) / error)
    # Resamples of few hits vary less than samples do; no bound is nearer than that of one pair.
    reach = max(float(np.quantile(deviations, level)), float(norm.ppf((1 + level) / 2)))
    low = max(difference - reach * error for difference, error in pairs)
    return max(0.0, low), max(difference + reach * error for difference, error in pairs)


def smallest_ratio(estimates: Estimates, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of the smallest ratio of any two groups' figures, at most 1.

    Args:
        estimates: Logarithms of the figures.
        level: Of the interval.
    """
    low, high = greatest_difference([estimates], level)
    return float(np.exp(-high)), float(np.exp(-low))
