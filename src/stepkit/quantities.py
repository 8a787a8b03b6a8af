"""Errors of predicted quantities, for one sample of rows or for many resamples at once.

Every error but the quantiles is a formula over sums of rows, so that a resample, which is how
often each row was drawn, costs a product of two matrices.

Sources:
    [H] T. Hastie, R. Tibshirani, J. Friedman, "The Elements of Statistical Learning", 2nd edition,
        Springer 2009.
    [M] S. Makridakis, E. Spiliotis, V. Assimakopoulos, "The M4 Competition", International Journal
        of Forecasting 36 (2020) 54-74, doi:10.1016/j.ijforecast.2019.04.014: sMAPE, MASE.
    [K] S. Kolassa, W. Schuetz, "Advantages of the MAD/Mean ratio over the MAPE", Foresight 6
        (2007) 40-43: wape.
    [N] Azure Machine Learning, "Evaluate automated machine learning experiment results":
        normalised errors are divided by the range of the target.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stepkit.confusion import Floats

#: The quantile of absolute errors that `ae_p90` is.
WORST_TENTH = 0.9


def error_terms(truth: Floats, predicted: Floats) -> dict[str, Floats]:
    """Return what each row adds to the sums that errors are made of, each of shape (n,).

    Terms that one row does not define are left out: relative errors where a true value is 0,
    logarithms where a value is below 0.

    Args:
        truth: Shape (n,).
        predicted: Shape (n,).
    """
    error = truth - predicted
    # Centred, else a variance is the difference of two large numbers.
    centred, off = truth - truth.mean(), error - error.mean()
    sizes = np.abs(truth) + np.abs(predicted)
    terms = {
        "rows": np.ones(len(truth)),
        "excess": -error,
        "absolute": np.abs(error),
        "square": error**2,
        "truth": centred,
        "truth_square": centred**2,
        "off": off,
        "off_square": off**2,
        "size": np.abs(truth),
        "symmetric": np.divide(2 * np.abs(error), sizes, out=np.zeros(len(truth)), where=sizes > 0),
    }
    if (truth != 0).all():
        terms["relative"] = np.abs(error / truth)
    if (truth >= 0).all() and (predicted >= 0).all():
        terms["log_square"] = (np.log1p(truth) - np.log1p(predicted)) ** 2
    return terms


def errors_of_sums(sums: Mapping[str, Floats], span: float) -> dict[str, Floats]:
    """Return the errors from sums of `error_terms`; NaN where a sample does not define one.

    With e = truth - predicted:
        mae = mean |e|, mse = mean e^2, rmse = sqrt(mse) ([H] section 7.2), rmsle = the rmse of
        log(1 + value), as scikit-learn's root_mean_squared_log_error,
        r2 = 1 - sum e^2 / sum (truth - mean truth)^2, the share of variance explained ([H] section
        3.2); explained_variance = 1 - var e / var truth, which forgives a bias,
        mape = mean |e / truth|, as a share, as in scikit-learn (Azure's is in percent),
        smape = mean 2 |e| / (|truth| + |predicted|), from 0 to 2, 0 where both are 0 ([M], where it
        is in percent),
        wape = sum |e| / sum |truth| ([K]),
        bias = mean (predicted - truth): above 0 where the model predicts too much,
        nmae, nrmse = mae and rmse as shares of the target's range, at most 1 ([N]).

    Args:
        sums: Each of shape (...).
        span: The range of the target; 0 leaves nmae and nrmse out.
    """
    rows = sums["rows"]
    mse, mae = sums["square"] / rows, sums["absolute"] / rows
    spread = _variance(sums["truth"], sums["truth_square"], rows)
    found = {
        "mae": mae,
        "mse": mse,
        "rmse": np.sqrt(mse),
        "r2": 1.0 - mse / spread,
        "explained_variance": 1.0 - _variance(sums["off"], sums["off_square"], rows, 0.0) / spread,
        "smape": sums["symmetric"] / rows,
        "wape": sums["absolute"] / np.where(sums["size"] > 0, sums["size"], np.nan),
        "bias": sums["excess"] / rows,
    }
    if "relative" in sums:
        found["mape"] = sums["relative"] / rows
    if "log_square" in sums:
        found["rmsle"] = np.sqrt(sums["log_square"] / rows)
    if span > 0:
        found["nmae"] = np.minimum(1.0, mae / span)
        found["nrmse"] = np.minimum(1.0, found["rmse"] / span)
    return found


def _variance(first: Floats, second: Floats, rows: Floats, least: float = np.nan) -> Floats:
    """Return the variance of centred values, and `least` where they do not vary."""
    # What rounding leaves of equal values is no spread.
    spread = second / rows - (first / rows) ** 2
    found: Floats = np.where(spread > 1e-14 * second / rows, spread, least)
    return found


def absolute_quantiles(truth: Floats, predicted: Floats, counts: Floats) -> dict[str, Floats]:
    """Return quantiles of the absolute error of each resample.

    median_ae, of which half of the errors are below, the mean of the two in the middle where their
    number is even, as in scikit-learn; ae_p90, which nine of ten do not exceed (the least error
    with at least that share of the rows up to it).

    Args:
        truth: Shape (n,).
        predicted: Shape (n,).
        counts: How often each row was drawn, shape (n, c); the sum of a column is at least 1.

    Returns:
        Each of shape (c,).
    """
    error = np.abs(truth - predicted)
    order = np.argsort(error, kind="stable")
    ranked, until = error[order], np.cumsum(counts[order], axis=0)
    total = until[-1]

    def at(rank: Floats) -> Floats:
        found: Floats = ranked[(until < rank).sum(axis=0)]
        return found

    middle = (at(np.floor((total + 1) / 2)) + at(np.floor(total / 2) + 1)) / 2
    return {"median_ae": middle, "ae_p90": at(np.ceil(WORST_TENTH * total - 1e-9))}


def error_metrics(truth: Floats, predicted: Floats) -> dict[str, float]:
    """Return every error of predicted quantities that the rows define.

    Args:
        truth: Shape (n,), in the target's unit; so are mae, rmse, bias, and the quantiles.
        predicted: Shape (n,).
    """
    sums = {name: np.asarray(term.sum()) for name, term in error_terms(truth, predicted).items()}
    with np.errstate(invalid="ignore"):
        found = errors_of_sums(sums, float(np.ptp(truth)))
    quantiles = absolute_quantiles(truth, predicted, np.ones((len(truth), 1)))
    merged = {**found, **{name: value[0] for name, value in quantiles.items()}}
    return {name: float(value) for name, value in merged.items() if np.isfinite(value)}
