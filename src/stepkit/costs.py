"""Which threshold costs least, where a false positive and a false negative have their price.

Sources:
    [L] C. Elkan, "The foundations of cost-sensitive learning", IJCAI 2001: of right probabilities
        the best threshold is cost_fp / (cost_fp + cost_fn).
    [T] B. Efron, R. Tibshirani, "An Introduction to the Bootstrap", Chapman & Hall 1993, section
        17.6: how much better a choice looks on the rows that it was made on (optimism).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stepkit.bootstrap import Panel, interval, summed
from stepkit.confusion import Floats
from stepkit.figures import Figure

#: Thresholds that are tried, at most.
CANDIDATES = 200


@dataclass(frozen=True)
class Prices:
    """What errors cost, in one unit; what is right costs nothing.

    Attributes:
        false_positive: Of a row taken for positive that is not; above 0.
        false_negative: Of a positive row that is missed; above 0.
    """

    false_positive: float = 1.0
    false_negative: float = 1.0

    @property
    def threshold(self) -> float:
        """The best threshold where the probabilities are right ([L])."""
        return self.false_positive / (self.false_positive + self.false_negative)


@dataclass(frozen=True)
class Tried:
    """Counts at every threshold that is tried: a row is called positive from the threshold on.

    Attributes:
        threshold: Falling, shape (k,).
        tp: True positives at each, shape (k,) or, of resamples, (k, c); so fp, fn, tn.
    """

    threshold: Floats
    tp: Floats
    fp: Floats
    fn: Floats
    tn: Floats

    def cost(self, prices: Prices) -> Floats:
        """Return the mean cost of a row at each threshold."""
        rows = self.tp + self.fp + self.fn + self.tn
        total = prices.false_positive * self.fp + prices.false_negative * self.fn
        found: Floats = total / rows
        return found


def candidates(positive: NDArray[np.bool_], score: Floats) -> Floats:
    """Return the thresholds that are tried, falling, `CANDIDATES` at most.

    They are quantiles of all scores and of the positive rows' own, so that rare positives have
    theirs, and 0.5, by which the model itself decides; the first is above every score, the last is
    no more than the least score.

    Args:
        positive: Whether each row is of the positive class, shape (n,).
        score: The model's probabilities for that class, shape (n,).
    """
    places = np.linspace(0, 1, CANDIDATES // 2 - 1)
    found = [np.quantile(part, places, method="lower") for part in (score, score[positive])]
    never = np.nextafter(score.max(), np.inf)
    return np.unique(np.concatenate([*found, [0.5, never] if never > 0.5 else [never]]))[::-1]


def counter(
    positive: NDArray[np.bool_], score: Floats, thresholds: Floats
) -> Callable[[Floats], Tried]:
    """Return the counts at thresholds as a function of how often each row was drawn.

    Args:
        positive: Whether each row is of the positive class, shape (n,).
        score: The model's probabilities for that class, shape (n,).
        thresholds: Falling; the last at most the least score, shape (k,).
    """
    size = len(thresholds)
    # The number of the first threshold that the score reaches.
    place = np.searchsorted(-thresholds, -score, side="left")
    sums = summed(place + size * positive, 2 * size)

    def counted(counts: Floats) -> Tried:
        down, up = np.cumsum(sums(counts).reshape(2, size, -1), axis=1)
        return Tried(thresholds, up, down, up[-1] - up, down[-1] - down)

    return counted


def cost_panel(count: Callable[[Floats], Tried], prices: Prices) -> Panel:
    """Return the cost curve, shape (k, c), and where it is least, shape (c,), of counts."""

    def panel(counts: Floats) -> Mapping[str, Floats]:
        curve = count(counts).cost(prices)
        return {"curve": curve, "least": curve.argmin(axis=0).astype(np.float64)}

    return panel


@dataclass(frozen=True)
class CostCurve:
    """What a row costs on average, by threshold.

    Attributes:
        tried: The counts of all rows.
        cost: At each threshold, shape (k,).
        low: Lower bounds, shape (k,).
        high: Upper bounds, shape (k,).
        best: The threshold that costs least.
        best_interval: From resamples, each of which chooses its own.
        best_cost: At that threshold, with the optimism of choosing it on these rows added ([T]):
            most of what the choice flatters; of thousands of rows there is next to none.
        best_cost_interval: At that threshold, moved by the same.
        optimism: What was added.
        confidence: Of the intervals.
    """

    tried: Tried
    cost: Floats
    low: Floats
    high: Floats
    best: float
    best_interval: tuple[float, float]
    best_cost: float
    best_cost_interval: tuple[float, float]
    optimism: float
    confidence: float

    def figures(self, sample: int) -> list[Figure]:
        """Return the best threshold and its cost as figures.

        Args:
            sample: How many rows there are.
        """
        note = "the mean cost of a row at that threshold, optimism of choosing it added"
        level = self.confidence
        return [
            Figure(
                "best_threshold",
                "predictive",
                self.best,
                None,
                sample,
                *self.best_interval,
                level,
                note="on the probability of the positive class, by cost",
            ),
            Figure(
                "best_cost",
                "predictive",
                self.best_cost,
                "less",
                sample,
                *self.best_cost_interval,
                level,
                note=note,
            ),
        ]


def cost_curve(
    whole: Tried, prices: Prices, resampled: Mapping[str, Floats], confidence: float
) -> CostCurve:
    """Return the cost curve with its intervals.

    Args:
        whole: The counts of all rows, each of shape (k,).
        prices: What errors cost.
        resampled: What `cost_panel` gave on resamples.
        confidence: Of the intervals.
    """
    cost = whole.cost(prices)
    tail = (1 - confidence) / 2
    low, high = np.quantile(resampled["curve"], [tail, 1 - tail], axis=1)
    chosen = resampled["least"].astype(np.intp)
    # On all rows, what each resample chose costs more than on the resample itself.
    optimism = max(0.0, float(np.mean(cost[chosen] - resampled["curve"].min(axis=0))))
    best = int(cost.argmin())
    at_best = interval(resampled["curve"][best], confidence)
    return CostCurve(
        tried=whole,
        cost=cost,
        low=low,
        high=high,
        best=float(whole.threshold[best]),
        best_interval=interval(whole.threshold[chosen], confidence),
        best_cost=float(cost[best]) + optimism,
        best_cost_interval=(at_best[0] + optimism, at_best[1] + optimism),
        optimism=optimism,
        confidence=confidence,
    )
