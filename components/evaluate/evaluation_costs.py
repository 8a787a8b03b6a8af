"""What a model's predictions cost, as it predicts now and by threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stepkit.bootstrap import interval
from stepkit.confusion import Floats
from stepkit.costs import CostCurve, Prices, Tried, candidates, cost_curve, cost_panel, counter
from stepkit.figures import Figure
from stepkit.model import Scores


def has_costs(scores: Scores) -> bool:
    """Whether there is a threshold to choose: two classes, both among the rows, probabilities."""
    if scores.positive is None or not scores.has_probabilities:
        return False
    positive = scores.truth == scores.positive
    return bool(positive.any() and not positive.all())


class PricedScores:
    """A model's predictions, and what their errors cost.

    Args:
        scores: Predictions that `has_costs` is true of.
        prices: What errors cost.
    """

    def __init__(self, scores: Scores, prices: Prices) -> None:
        self._prices = prices
        positive = scores.truth == scores.positive
        score = scores.probabilities[:, scores.positive]
        self._count = counter(positive, score, candidates(positive, score))
        called = scores.predicted == scores.positive
        wrong = prices.false_positive * (called & ~positive)
        self._now = wrong + prices.false_negative * (positive & ~called)
        self._curve = cost_panel(self._count, prices)

    def panel(self, counts: Floats) -> Mapping[str, Floats]:
        """Return the curve, and the mean cost of a row as the model predicts now, of counts."""
        return {**self._curve(counts), "now": self._now @ counts / counts.sum(axis=0)}

    def found(self, drawn: Mapping[str, Floats], confidence: float) -> tuple[CostCurve, Figure]:
        """Return the curve, and the cost as the model predicts now, from what `panel` gave.

        Args:
            drawn: Of the resamples.
            confidence: Of the intervals.
        """
        rows = len(self._now)
        all_rows = self._count(np.ones((rows, 1)))
        counts = (all_rows.tp, all_rows.fp, all_rows.fn, all_rows.tn)
        whole = Tried(all_rows.threshold, *(each[:, 0] for each in counts))
        low, high = interval(drawn["now"], confidence)
        now = Figure(
            "cost",
            "predictive",
            float(self._now.mean()),
            "less",
            rows,
            low,
            high,
            confidence,
            note="mean cost of a row, as the model predicts",
        )
        return cost_curve(whole, self._prices, drawn, confidence), now
