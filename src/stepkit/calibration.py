"""How far a model's probabilities can be taken at their word.

Of two classes the probability is that of the positive class, and what is counted is how often the
row is of that class. Of more, it is that of the class predicted (the confidence), and what is
counted is how often that class is right.

Sources:
    [W] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
        Review 78 (1950) 1-3.
    [E] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks",
        ICML 2017, eq. 3: 15 bins of equal width.
    [R] J. Broecker, L. A. Smith, "Increasing the reliability of reliability diagrams", Weather and
        Forecasting 22 (2007) 651-661, doi:10.1175/WAF993.1: what chance alone does to them.
    [X] D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45 (1958)
        562-565: logit P(y) = a + b logit(p), where a sound model has a = 0 and b = 1.
    [I] E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22 (1927) 209-212.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepkit.confusion import Floats

#: Bins of equal width of the expected calibration error.
ECE_BINS = 15
#: Bins of about equal numbers of rows of the curve.
CURVE_BINS = 10
#: Samples of what chance alone does.
CHANCE_SAMPLES = 500
#: Probabilities are kept from 0 and 1 by this in logits.
_LEAST = 1e-6
_NEWTON_STEPS = 30


def judged(
    truth: NDArray[np.intp], probabilities: Floats, positive: int | None
) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the probability that is to be judged, and whether it came true, each of shape (n,).

    Args:
        truth: Class numbers from 0, shape (n,).
        probabilities: Shape (n, classes).
        positive: The positive class's number; None where there are more than two classes.
    """
    if positive is not None:
        return probabilities[:, positive], truth == positive
    return probabilities.max(axis=1), probabilities.argmax(axis=1) == truth


def squares(truth: NDArray[np.intp], probabilities: Floats, positive: int | None) -> Floats:
    """Return each row's part of the Brier score, shape (n,).

    Of two classes (p - y)^2, from 0 to 1; of more the sum of that over the classes, from 0 to 2, as
    in scikit-learn and [W].
    """
    if positive is not None:
        found: Floats = (probabilities[:, positive] - (truth == positive)) ** 2
        return found
    hits = np.arange(probabilities.shape[1]) == truth[:, None]
    total: Floats = ((probabilities - hits) ** 2).sum(axis=1)
    return total


def brier(truth: NDArray[np.intp], probabilities: Floats, positive: int | None) -> float:
    """Return the Brier score, the mean of `squares`: 0 is certain and right."""
    return float(squares(truth, probabilities, positive).mean())


def bins_of(stated: Floats, bins: int = ECE_BINS) -> NDArray[np.intp]:
    """Return the number of each probability's bin of equal width, shape (n,).

    Bins are open below and closed above, but for the first, as in scikit-learn.
    """
    edges = np.linspace(0, 1, bins + 1)
    return np.searchsorted(edges[1:-1], stated)


def ece(truth: NDArray[np.intp], probabilities: Floats, positive: int | None) -> float:
    """Return the expected calibration error ([E]).

    The rows are put into `ECE_BINS` bins of equal width by their probability; the error is the mean
    over the rows of how far, in their bin, the mean probability is from the share that came true.
    """
    stated, came = judged(truth, probabilities, positive)
    return _ece(stated, came.astype(np.float64))


def _ece(stated: Floats, came: Floats) -> float:
    gaps = np.bincount(bins_of(stated), weights=stated - came, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(stated))


def wilson(hits: Any, rows: Any, level: float = 0.95) -> tuple[Any, Any]:
    """Return Wilson's interval of a share ([I]).

    Args:
        hits: How many rows have it, shape (...).
        rows: Of how many, at least 1, shape (...).
        level: Of the interval.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = hits / rows
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


@dataclass(frozen=True)
class Curve:
    """Stated probabilities against what came true, in bins of about equal numbers of rows.

    Attributes:
        stated: Mean probability of each bin, rising.
        came: Share that came true.
        low: Lower bound of the share's 95 % interval.
        high: Upper bound.
        rows: Rows of each bin.
    """

    stated: Floats
    came: Floats
    low: Floats
    high: Floats
    rows: Floats


def curve_of(stated: Floats, came: NDArray[np.bool_], bins: int = CURVE_BINS) -> Curve:
    """Return the calibration curve.

    Args:
        stated: Probabilities, shape (n,).
        came: Whether they came true, shape (n,).
        bins: How many, at most; rows of one probability stay together.
    """
    edges = np.unique(np.quantile(stated, np.linspace(0, 1, bins + 1)[1:-1]))
    places = np.searchsorted(edges, stated)
    rows = np.bincount(places, minlength=len(edges) + 1).astype(np.float64)
    full = rows > 0
    means = np.bincount(places, weights=stated, minlength=len(rows))[full] / rows[full]
    hits = np.bincount(places, weights=came, minlength=len(rows))[full].astype(np.float64)
    low, high = wilson(hits, rows[full])
    return Curve(means, hits / rows[full], low, high, rows[full])


def chance_ece(stated: Floats, level: float = 0.95, seed: int = 0) -> float:
    """Return the calibration error that chance alone stays below with a probability ([R]).

    The outcomes are drawn from the probabilities themselves, so that these are right, and the error
    is measured as `ece` does.

    Args:
        stated: Probabilities, shape (n,).
        level: The probability.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    # In the order of their bins, so that a bin is a slice.
    bins = bins_of(stated)
    order = np.argsort(bins, kind="stable")
    ranked = stated[order]
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    found = np.empty(CHANCE_SAMPLES)
    for number in range(CHANCE_SAMPLES):
        came = rng.random(len(ranked)) < ranked
        found[number] = np.abs(np.add.reduceat(ranked - came, starts)).sum() / len(ranked)
    return float(np.quantile(found, level))


@dataclass(frozen=True)
class Recalibration:
    """What would make the probabilities right: logit P = intercept + slope * logit(p) ([X]).

    Attributes:
        slope: 1 where they are right; below 1 they are too extreme (overconfident).
        slope_error: Its standard error.
        intercept: With the slope held at 1: 0 where they are right on average; above 0 they are
            too low.
        intercept_error: Its standard error.
    """

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float


def recalibrate(stated: Floats, came: NDArray[np.bool_]) -> Recalibration | None:
    """Fit slope and intercept by maximum likelihood.

    Args:
        stated: Probabilities, shape (n,).
        came: Whether they came true, shape (n,).

    Returns:
        None where the rows do not define them: all came true or none, or the probabilities part
        the two without a fault.
    """
    clipped = np.clip(stated, _LEAST, 1 - _LEAST)
    logit = np.log(clipped / (1 - clipped))
    ones, target = np.ones(len(logit)), came.astype(np.float64)
    level = _fit(ones[:, None], target, offset=logit)
    both = _fit(np.column_stack([ones, logit]), target, offset=np.zeros(len(logit)))
    if level is None or both is None:
        return None
    (at, at_error), (slope, slope_error) = (level[0][0], level[1][0]), (both[0][1], both[1][1])
    return Recalibration(float(slope), float(slope_error), float(at), float(at_error))


def _fit(terms: Floats, target: Floats, offset: Floats) -> tuple[Floats, Floats] | None:
    """Return coefficients of a logistic regression and their standard errors (Newton's method)."""
    weights = np.zeros(terms.shape[1])
    for _ in range(_NEWTON_STEPS):
        fitted = 1 / (1 + np.exp(-np.clip(offset + terms @ weights, -35, 35)))
        curvature = terms.T @ (terms * (fitted * (1 - fitted))[:, None])
        if np.linalg.cond(curvature) > 1e12:
            return None
        step = np.linalg.solve(curvature, terms.T @ (target - fitted))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            return weights, np.sqrt(np.diag(np.linalg.inv(curvature)))
    return None
