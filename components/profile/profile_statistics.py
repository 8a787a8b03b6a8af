"""What measured times say, and how surely: quantiles, shares, ratios, slopes, each with bounds.

- Bounds of a quantile are order statistics: the number of calls below the true q-quantile is
  binomial, so ranks of the sorted times enclose it (W. J. Conover, "Practical Nonparametric
  Statistics", Wiley 1999, section 3.2). Where no rank is high enough, the sample is insufficient.
- Bounds of a share are Clopper and Pearson's (Biometrika 26, 1934).
- Ratios and differences of two models are resampled by rounds: in a round both were measured close
  together, so that what the machine does besides is in both (cluster bootstrap; A. C. Davison,
  D. V. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, section 3.8).
- Slopes are Theil and Sen's: the median of the slopes of all pairs (P. K. Sen, JASA 63, 1968).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from stepkit.metrics import Floats

LEVEL = 0.95
#: Fewer rounds than this do not say how much rounds differ.
FEWEST_ROUNDS = 8
RESAMPLES = 2000
#: Counts that are held at a time.
CELLS = 4_000_000
#: Parts of a measurement that are compared with each other, and the calls that each needs.
REPEATS, FEWEST_CALLS = 8, 6


@dataclass(frozen=True)
class Estimate:
    """A value, its bounds, and what it stands on.

    Attributes:
        value: The value.
        sample: How many measurements.
        low: Lower bound; None where there is none.
        high: Upper bound.
    """

    value: float
    sample: int
    low: float | None = None
    high: float | None = None


def needed_for(q: float, level: float = LEVEL) -> int:
    """Return how many measurements both bounds of a quantile need: 6 of p50, 368 of p99."""
    return math.ceil(math.log((1 - level) / 2) / math.log(max(q, 1 - q)))


def quantile_ranks(sample: int, q: float, level: float = LEVEL) -> tuple[int, int] | None:
    """Return the ranks, from 1, that enclose a quantile with at least the level.

    Returns:
        The lower and the upper rank; None where the sample has no such ranks.
    """
    tail = (1 - level) / 2
    if sample < needed_for(q, level):
        return None
    below, above = stats.binom.ppf([tail, 1 - tail], sample, q).astype(int)
    return (int(below), int(above) + 1) if below >= 1 and above < sample else None


def quantile(values: Floats, q: float, level: float = LEVEL) -> Estimate | None:
    """Return a quantile with its bounds; None where the sample is insufficient for them."""
    ranks = quantile_ranks(len(values), q, level)
    if ranks is None:
        return None
    ordered = np.sort(values)
    low, high = (float(ordered[rank - 1]) for rank in ranks)
    return Estimate(float(np.quantile(ordered, q)), len(values), low, high)


def share(count: int, total: int, level: float = LEVEL) -> Estimate:
    """Return a share with its exact bounds.

    Raises:
        ValueError: The total is 0.
    """
    if total <= 0:
        raise ValueError("a share of nothing")
    bounds = stats.binomtest(count, total).proportion_ci(level, method="exact")
    return Estimate(count / total, total, float(bounds.low), float(bounds.high))


@dataclass(frozen=True)
class Comparison:
    """One model's quantile against another's, from the same rounds.

    Attributes:
        ratio: The first's divided by the second's.
        difference: The first's minus the second's.
    """

    ratio: Estimate
    difference: Estimate


def compare(
    ours: Sequence[Floats], theirs: Sequence[Floats], q: float, *, seed: int = 0
) -> Comparison:
    """Compare a quantile of two models that were measured in the same rounds.

    Args:
        ours: The times of each round.
        theirs: The other model's, as many rounds.
        q: Which quantile.
        seed: Of the resamples.

    Returns:
        Without bounds where there are fewer than `FEWEST_ROUNDS`.
    """
    first, second = (float(np.quantile(np.concatenate(list(each)), q)) for each in (ours, theirs))
    rounds = len(ours)
    ratio, difference = Estimate(first / second, rounds), Estimate(first - second, rounds)
    if rounds < FEWEST_ROUNDS:
        return Comparison(ratio, difference)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(rounds, np.full(rounds, 1 / rounds), size=RESAMPLES)
    mine, other = (_resampled(each, drawn, q) for each in (ours, theirs))
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    ratios = np.quantile(mine / other, tails)
    differences = np.quantile(mine - other, tails)
    return Comparison(
        Estimate(ratio.value, rounds, float(ratios[0]), float(ratios[1])),
        Estimate(difference.value, rounds, float(differences[0]), float(differences[1])),
    )


def _resampled(by_round: Sequence[Floats], drawn: NDArray[np.int64], q: float) -> Floats:
    """Return a quantile of each resample.

    Args:
        by_round: The times of each round.
        drawn: How often each round is in each resample, shape (resamples, rounds).
        q: Which quantile.
    """
    times = np.concatenate(list(by_round))
    numbers = np.repeat(np.arange(len(by_round)), [len(each) for each in by_round])
    order = np.argsort(times)
    times, numbers = times[order], numbers[order]
    found = np.empty(len(drawn))
    at_once = max(1, CELLS // len(times))
    for start in range(0, len(drawn), at_once):
        below = np.cumsum(drawn[start : start + at_once, numbers], axis=1)
        places = (below < q * below[:, -1:]).sum(axis=1)
        found[start : start + at_once] = times[places]
    return found


def slope(x: Floats, y: Floats, level: float = LEVEL) -> Estimate:
    """Return the slope of y over x, which a few outliers do not bend."""
    found = stats.theilslopes(y, x, alpha=level)
    return Estimate(float(found[0]), len(x), float(found[2]), float(found[3]))


@dataclass(frozen=True)
class Steadiness:
    """How alike the repeats of one measurement are.

    Attributes:
        medians: Of each repeat, in the order of time.
        variation: Their standard deviation, divided by their mean.
        drift: How far they moved from the first to the last, as a share of the median.
    """

    medians: Floats
    variation: float
    drift: Estimate


def steadiness(times: Floats) -> Steadiness | None:
    """Return how alike consecutive parts of a measurement are; None where there are too few calls.

    Args:
        times: Of single calls, in the order of time.
    """
    if len(times) < REPEATS * FEWEST_CALLS:
        return None
    medians = np.array([np.median(part) for part in np.array_split(times, REPEATS)])
    middle = float(np.median(medians))
    found = slope(np.arange(REPEATS, dtype=np.float64), medians)
    low, high = (
        None if bound is None else bound * (REPEATS - 1) / middle
        for bound in (found.low, found.high)
    )
    drift = Estimate(found.value * (REPEATS - 1) / middle, REPEATS, low, high)
    return Steadiness(medians, float(medians.std(ddof=1) / medians.mean()), drift)
