"""Azure's metrics of forecasts: of each series, and their mean over series."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from automlkit.metrics import greater_is_better
from automlmodel.forecast_features import Floats

#: The worst that Azure shows of metrics without a lower end.
_WORST = -1.0


def is_better(metric: str, score: float, than: float) -> bool:
    """Tell whether a score is better than another."""
    return score > than if greater_is_better(metric) else score < than


def _spearman(truth: Floats, predicted: Floats) -> float:
    from scipy.stats import rankdata

    if np.ptp(truth) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(truth), rankdata(predicted))[0, 1])


def series_metrics(truth: Floats, predicted: Floats, span: float) -> dict[str, float]:
    """Return the metrics of one series, by Azure's names.

    Args:
        truth: True values, shape (n,).
        predicted: Forecasts, shape (n,).
        span: The range of the series' known values, which the normalised metrics divide by; where
            it is 0 they are not normalised.

    Returns:
        Metrics. What truth has no variance or no value other than 0 for is left out.
    """
    error = predicted - truth
    absolute = np.abs(error)
    rmse, mae = float(np.sqrt((error**2).mean())), float(absolute.mean())
    median = float(np.median(absolute))
    scale = span or 1.0
    found = {
        "root_mean_squared_error": rmse,
        "normalized_root_mean_squared_error": rmse / scale,
        "mean_absolute_error": mae,
        "normalized_mean_absolute_error": mae / scale,
        "median_absolute_error": median,
        "normalized_median_absolute_error": median / scale,
        "spearman_correlation": _spearman(truth, predicted),
    }
    variance = truth.var()
    if variance > 0:
        found["r2_score"] = float(max(1 - (error**2).mean() / variance, _WORST))
        found["explained_variance"] = float(max(1 - error.var() / variance, _WORST))
    other = truth != 0
    if other.any():
        share = absolute[other] / np.abs(truth[other])
        found["mean_absolute_percentage_error"] = float(100 * share.mean())
    if (truth >= 0).all():
        logs = np.log1p(np.maximum(predicted, 0)) - np.log1p(truth)
        rmsle = float(np.sqrt((logs**2).mean()))
        found["root_mean_squared_log_error"] = rmsle
        found["normalized_root_mean_squared_log_error"] = rmsle / (np.log1p(span) or 1.0)
    return found


def score(
    truth: Floats, predicted: Floats, series: npt.NDArray[np.intp], spans: Floats
) -> dict[str, float]:
    """Return each metric's mean over the series that have it.

    As in Azure, errors are normalised by each series' own range, so that large series do not drown
    small ones.

    Args:
        truth: True values of all series and origins, shape (n,).
        predicted: Forecasts, shape (n,).
        series: The number of each row's series, shape (n,).
        spans: The range of each series' known values, shape (series,).
    """
    order = np.argsort(series, kind="stable")
    cuts = np.flatnonzero(np.diff(series[order])) + 1
    every: dict[str, list[float]] = {}
    for rows in np.split(order, cuts):
        own = series_metrics(truth[rows], predicted[rows], float(spans[series[rows[0]]]))
        for name, value in own.items():
            every.setdefault(name, []).append(value)
    # An r2 or a correlation that no series has is the one of a forecast that knows nothing.
    defaults = dict.fromkeys(("r2_score", "spearman_correlation"), 0.0)
    return defaults | {name: float(np.mean(values)) for name, values in every.items()}
