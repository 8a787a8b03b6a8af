"""Bounds of rates, of quantiles, and of differences between them; all one-sided.

- A rate's bound is Wilson's (Wilson 1927), which holds for few requests and for rates near 0 and 1.
- A quantile's bounds are order statistics: the number of requests below the true q-quantile is
  binomial, so with n requests the ranks `n q -+ z sqrt(n q (1 - q))` enclose it (Conover 1999,
  section 3.2).
- The bound of a difference is put together from the bounds of its two parts: Newcombe's method of
  1998, which Zou and Donner (2008) show for estimates of any kind.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and how far it may be off.

    Attributes:
        value: The figure.
        low: Its lower bound.
        high: Its upper bound.
    """

    value: float
    low: float
    high: float


def deviations(confidence: float) -> float:
    """Return how many standard deviations a one-sided confidence is: 2.33 of 0.99."""
    return NormalDist().inv_cdf(confidence)


def rate(count: int, total: int, z: float) -> Estimate:
    """Return the share of `count` in `total` with Wilson's bounds.

    Raises:
        ValueError: The total is 0.
    """
    if total <= 0:
        raise ValueError("a rate of nothing")
    share = count / total
    scale = 1 + z * z / total
    centre = (share + z * z / (2 * total)) / scale
    reach = z / scale * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At the ends rounding would leave a bound a hair off 0 or 1.
    low = 0.0 if count == 0 else max(0.0, centre - reach)
    high = 1.0 if count == total else min(1.0, centre + reach)
    return Estimate(share, low, high)


def least_difference(of: Estimate, than: Estimate) -> float:
    """Return the lower bound of `of - than`, two independent estimates."""
    return (of.value - than.value) - math.hypot(of.value - of.low, than.high - than.value)


def least_ratio(of: Estimate, than: Estimate) -> float:
    """Return the lower bound of `of / than`, two independent positive estimates."""
    logs = [
        Estimate(*(math.log(each) if each > 0 else -math.inf for each in (e.value, e.low, e.high)))
        for e in (of, than)
    ]
    return math.exp(least_difference(*logs))


def needed_for_quantile(q: float, z: float) -> int:
    """Return how many requests a bound above the q-quantile needs: there must be a rank for it."""
    return math.ceil(z * z * q / (1 - q)) + 1


def quantile(cumulative: Mapping[str, int], q: float, z: float) -> Estimate | None:
    """Return a quantile of a histogram with its bounds.

    The figure is interpolated within its bucket on a logarithmic scale, since the buckets grow
    exponentially. The bounds are the outer edges of the buckets that their ranks fall into, so that
    the width of a bucket never makes a difference seem surer than it is.

    Args:
        cumulative: Requests answered within each bound; the bound of all is `+Inf`.
        q: The quantile, between 0 and 1.
        z: Standard deviations of the bounds.

    Returns:
        The estimate, or None where there are too few requests for bounds, or where they lie beyond
        the last finite bucket.
    """
    bounds = sorted((float(bound), count) for bound, count in cumulative.items())
    total = bounds[-1][1] if bounds else 0
    if total < needed_for_quantile(q, z):
        return None
    reach = z * math.sqrt(total * q * (1 - q))
    low, _ = _bucket(bounds, max(1, math.floor(total * q - reach)))
    _, high = _bucket(bounds, min(total, math.ceil(total * q + reach)))
    if math.isinf(high):
        return None
    return Estimate(_interpolated(bounds, total * q), low, high)


def _bucket(bounds: list[tuple[float, int]], rank: float) -> tuple[float, float]:
    """Return the edges of the bucket that holds the request of a rank, counted from 1."""
    below = 0.0
    for bound, count in bounds:
        if count >= rank:
            return below, bound
        below = bound
    raise ValueError(f"rank {rank} of {bounds[-1][1]} requests")


def _interpolated(bounds: list[tuple[float, int]], rank: float) -> float:
    below, before = 0.0, 0
    for bound, count in bounds:
        if count >= rank:
            share = (rank - before) / (count - before) if count > before else 1.0
            if below == 0.0:
                return bound * share
            return below * math.pow(bound / below, share)
        below, before = bound, count
    raise ValueError(f"rank {rank} of {bounds[-1][1]} requests")
