"""Which model is best, which are significantly worse, and which one is recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from candidates import Candidate

from stepkit.bootstrap import interval, resampled, statistic_of
from stepkit.metrics import more_is_better


@dataclass(frozen=True)
class Difference:
    """How much better one model is than another; below 0 where it is worse.

    Attributes:
        value: On the test rows.
        low: Lower bound of its paired bootstrap interval.
        high: Upper bound.
    """

    value: float
    low: float
    high: float

    @property
    def is_certain(self) -> bool:
        """Whether the first is better, and not by chance: the interval lies above 0."""
        return self.low > 0


@dataclass(frozen=True)
class Verdict:
    """What came out.

    Attributes:
        metric: What the models are compared by.
        confidence: Of the intervals.
        values: Each model's metric.
        intervals: Its percentile interval.
        behind: How much better the best model is than each.
        pairs: How much better the first is than the second, of every two, by their names.
        best: Number of the best model.
        recommended: Number of the simplest model that is not significantly worse than the best.
    """

    metric: str
    confidence: float
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    behind: tuple[Difference, ...]
    pairs: dict[tuple[str, str], Difference]
    best: int
    recommended: int


def judge(
    candidates: Sequence[Candidate], metric: str, resamples: int, confidence: float, seed: int
) -> Verdict:
    """Compare models by a metric that all of them have.

    The simplest model that is not significantly worse than the best is recommended: what is not
    better beyond doubt is not worth being harder to understand and to run.

    Args:
        candidates: The models, with their predictions of the same rows.
        metric: What they are compared by.
        resamples: Of the paired bootstrap.
        confidence: Of every interval.
        seed: Of the resamples.
    """
    sign = 1 if more_is_better(metric) else -1
    statistics = [statistic_of(each.scores, metric) for each in candidates]
    drawn = resampled(statistics, len(candidates[0].scores.truth), resamples, seed)
    values = tuple(each.scores.metrics[metric] for each in candidates)

    def better(first: int, second: int) -> Difference:
        low, high = interval(sign * (drawn[first] - drawn[second]), confidence)
        return Difference(sign * (values[first] - values[second]), low, high)

    numbers = range(len(candidates))
    best = max(numbers, key=lambda number: sign * values[number])
    behind = tuple(better(best, number) for number in numbers)
    good = [number for number in numbers if not behind[number].is_certain]
    return Verdict(
        metric=metric,
        confidence=confidence,
        values=values,
        intervals=tuple(interval(each, confidence) for each in drawn),
        behind=behind,
        pairs={
            (candidates[first].name, candidates[second].name): better(first, second)
            for first, second in combinations(numbers, 2)
        },
        best=best,
        recommended=min(good, key=lambda number: candidates[number].complexity),
    )


def reason(candidates: Sequence[Candidate], verdict: Verdict) -> str:
    """Return why the recommended model is recommended, in one sentence."""
    chosen, best = candidates[verdict.recommended], candidates[verdict.best]
    if chosen is best:
        simpler = [each for each in candidates if each.complexity < chosen.complexity]
        worse = "; every simpler model is significantly worse" if simpler else ""
        return f"{chosen.name} is best by {verdict.metric}{worse}"
    gap = verdict.behind[verdict.recommended]
    return (
        f"{chosen.name} ({chosen.kind}) is the simplest that is not significantly worse than "
        f"{best.name} ({best.kind}), the best by {verdict.metric}: {gap.value:.4g} behind, "
        f"interval {gap.low:.4g} to {gap.high:.4g}"
    )
