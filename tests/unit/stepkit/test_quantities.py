"""Errors of quantities: what the rows leave undefined, and resamples against drawn rows."""

from __future__ import annotations

import numpy as np
import pytest

from stepkit.bootstrap import errors_panel
from stepkit.quantities import absolute_quantiles, error_metrics


def test_what_the_rows_do_not_define_is_left_out():
    found = error_metrics(np.array([0.0, -1.0]), np.array([1.0, 1.0]))
    assert not {"mape", "rmsle"} & set(found)
    equal = error_metrics(np.array([2.0, 2.0]), np.array([1.0, 3.0]))
    assert not {"r2", "explained_variance", "nmae", "nrmse"} & set(equal)
    assert equal["mae"] == 1


def test_bias_is_above_zero_where_too_much_is_predicted():
    assert error_metrics(np.array([1.0, 2.0]), np.array([2.0, 5.0]))["bias"] == 2


def test_a_constant_error_is_forgiven_by_explained_variance_alone():
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    found = error_metrics(truth, truth + 10)
    assert found["explained_variance"] == pytest.approx(1)
    assert found["r2"] < -50


def test_normalised_errors_are_cut_off_at_one():
    found = error_metrics(np.array([1.0, 2.0]), np.array([100.0, 100.0]))
    assert (found["nmae"], found["nrmse"]) == (1, 1)


@pytest.mark.parametrize("rows", [7, 8])
def test_counts_are_as_good_as_drawn_rows(rows):
    rng = np.random.default_rng(rows)
    truth = rng.lognormal(size=rows)
    predicted = rng.lognormal(size=rows)
    drawn = rng.integers(rows, size=(rows, 5))
    counts = np.stack([np.bincount(each, minlength=rows) for each in drawn.T], axis=1)
    found = errors_panel(truth, predicted)(counts.astype(float))
    found = {**found, **absolute_quantiles(truth, predicted, counts.astype(float))}
    for column, places in enumerate(drawn.T):
        expected = error_metrics(truth[places], predicted[places])
        # The range stays that of the test rows.
        for name in set(expected) - {"nmae", "nrmse"}:
            assert found[name][column] == pytest.approx(expected[name]), name
        assert found["nmae"][column] == pytest.approx(min(1, expected["mae"] / np.ptp(truth)))
