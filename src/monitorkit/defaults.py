"""Which metrics and thresholds a signal has where it states none.

Those of drift and data quality are Azure's (`azure.ai.ml.entities`: `NumericalDriftMetrics`,
`CategoricalDriftMetrics`, `DataQualityMetricsNumerical`), so is that of attribution in its public
examples. Azure has none for a metric that a signal names without a value; those that are missing
there are conventions, named below.
"""

from __future__ import annotations

from collections.abc import Mapping

from monitorkit.request import METRICS, Signal, Threshold

_DRIFT = {
    "numerical": ("normalized_wasserstein_distance",),
    "categorical": ("jensen_shannon_distance",),
}
_THRESHOLDS: Mapping[str, float] = {
    "jensen_shannon_distance": 0.1,
    "normalized_wasserstein_distance": 0.1,
    # N. Siddiqi, "Credit Risk Scorecards", Wiley 2006: from 0.1 a small, from 0.25 a great shift.
    "population_stability_index": 0.1,
    # Of tests, the usual level; the correction over all metrics comes on top.
    "two_sample_kolmogorov_smirnov_test": 0.05,
    "pearsons_chi_squared_test": 0.05,
    "null_value_rate": 0.0,
    "data_type_error_rate": 0.0,
    "out_of_bounds_rate": 0.0,
    "normalized_discounted_cumulative_gain": 0.9,
}


def thresholds(signal: Signal) -> tuple[Threshold, ...]:
    """Return a signal's thresholds, each with a value where there is a default.

    Those of `model_performance` without a value are the reference's performance.
    """
    stated = signal.thresholds or _all(signal.type)
    return tuple(
        Threshold(each.metric, each.feature_type, _THRESHOLDS.get(each.metric))
        if each.threshold is None
        else each
        for each in stated
    )


def _all(signal_type: str) -> tuple[Threshold, ...]:
    """Return Azure's choice of a signal's metrics; of performance, none here: it needs the task."""
    known = _DRIFT if signal_type in ("data_drift", "prediction_drift") else METRICS[signal_type]
    if signal_type == "model_performance":
        return ()
    return tuple(
        Threshold(metric, "numerical" if kind == "numerical" else "categorical" if kind else "")
        for kind, metrics in known.items()
        for metric in metrics
    )
