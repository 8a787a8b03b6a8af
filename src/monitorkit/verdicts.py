"""What came of each metric, and which of them breach.

A metric breaches where its value is on the wrong side of its threshold, and its p-value is at most
the monitor's significance after Holm's adjustment over all metrics of all signals that have one. So
the chance of any breach where nothing has changed is at most the significance, whatever the
thresholds, and however many features there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from monitorkit.noise import holm

Verdict: TypeAlias = Literal["breach", "ok", "insufficient"]

#: Where more is better, so that a value below the threshold is too bad; of tests the value is a
#: p-value. As in Azure's `evaluate_metrics_threshold`.
MORE_IS_BETTER = frozenset(
    {
        "two_sample_kolmogorov_smirnov_test",
        "pearsons_chi_squared_test",
        "normalized_discounted_cumulative_gain",
        "accuracy",
        "precision",
        "recall",
        "f1_score",
    }
)


@dataclass(frozen=True)
class Metric:
    """One metric of one feature, or of all.

    Attributes:
        signal: The signal's name.
        metric: Its name.
        feature: The feature, or empty.
        feature_type: `numerical`, `categorical`, or empty.
        value: None where there are too few rows.
        threshold: Where it begins to be too bad.
        p_value: How rare such a value is by chance alone; None where nothing tells, and the
            threshold alone decides.
        rows: Of production that it is of.
        reference_rows: Of the reference.
        reference_value: The same metric of the reference, where there is one.
        verdict: `breach`, `ok`, or `insufficient`.
        adjusted_p_value: After Holm's adjustment.
        note: Why it is insufficient, or what to know of it.
    """

    signal: str
    metric: str
    feature: str
    feature_type: str
    value: float | None
    threshold: float
    p_value: float | None
    rows: int
    reference_rows: int
    reference_value: float | None = None
    verdict: Verdict = "insufficient"
    adjusted_p_value: float | None = None
    note: str = ""

    @property
    def is_beyond(self) -> bool:
        """Whether the value is on the wrong side of the threshold."""
        if self.value is None:
            return False
        if self.metric in MORE_IS_BETTER:
            return self.value < self.threshold
        return self.value > self.threshold


def judged(metrics: Sequence[Metric], significance: float) -> list[Metric]:
    """Return metrics with verdicts and adjusted p-values, in their order."""
    tested = [i for i, metric in enumerate(metrics) if _is_tested(metric)]
    adjusted = dict(zip(tested, holm([metrics[i].p_value or 0.0 for i in tested]), strict=True))
    found = []
    for i, metric in enumerate(metrics):
        p_value = adjusted.get(i)
        verdict: Verdict = "insufficient"
        if metric.value is not None:
            is_real = p_value is None or p_value <= significance
            verdict = "breach" if metric.is_beyond and is_real else "ok"
        found.append(replace(metric, verdict=verdict, adjusted_p_value=p_value))
    return found


def _is_tested(metric: Metric) -> bool:
    return metric.value is not None and metric.p_value is not None


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return `breach` where one is, `insufficient` where all are, else `ok`."""
    found = set(verdicts)
    if "breach" in found:
        return "breach"
    return "ok" if "ok" in found else "insufficient"
