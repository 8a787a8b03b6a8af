import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as reference

from automlkit.forecasting.metrics import greater_is_better, is_better, score, series_metrics


@pytest.fixture
def values():
    rng = np.random.default_rng(3)
    truth = rng.uniform(5, 20, 30)
    return truth, truth + rng.normal(0, 2, 30)


def test_metrics_are_those_of_their_definitions(values):
    truth, predicted = values
    found = series_metrics(truth, predicted, 10.0)
    rmse = reference.root_mean_squared_error(truth, predicted)
    assert found["root_mean_squared_error"] == pytest.approx(rmse)
    assert found["normalized_root_mean_squared_error"] == pytest.approx(rmse / 10)
    mae = reference.mean_absolute_error(truth, predicted)
    assert found["normalized_mean_absolute_error"] == pytest.approx(mae / 10)
    assert found["r2_score"] == pytest.approx(reference.r2_score(truth, predicted))
    variance = reference.explained_variance_score(truth, predicted)
    assert found["explained_variance"] == pytest.approx(variance)
    share = 100 * reference.mean_absolute_percentage_error(truth, predicted)
    assert found["mean_absolute_percentage_error"] == pytest.approx(share)
    assert found["spearman_correlation"] == pytest.approx(spearmanr(truth, predicted).statistic)
    log = reference.root_mean_squared_log_error(truth, predicted)
    assert found["root_mean_squared_log_error"] == pytest.approx(log)


def test_a_constant_truth_has_no_r2():
    found = series_metrics(np.full(3, 2.0), np.asarray([1.0, 2.0, 3.0]), 0.0)
    assert "r2_score" not in found
    assert found["spearman_correlation"] == 0.0
    assert found["normalized_mean_absolute_error"] == pytest.approx(2 / 3)


def test_zeros_do_not_count_for_percentages():
    found = series_metrics(np.asarray([0.0, 2.0]), np.asarray([5.0, 1.0]), 2.0)
    assert found["mean_absolute_percentage_error"] == pytest.approx(50.0)


def test_a_negative_truth_has_no_logarithm():
    found = series_metrics(np.asarray([-1.0, 2.0]), np.asarray([0.0, 1.0]), 3.0)
    assert "root_mean_squared_log_error" not in found


def test_r2_is_not_shown_below_minus_one():
    found = series_metrics(np.asarray([1.0, 2.0]), np.asarray([100.0, -100.0]), 1.0)
    assert found["r2_score"] == -1.0


def test_every_series_counts_the_same_whatever_its_size():
    truth = np.asarray([1.0, 2.0, 1000.0, 2000.0])
    predicted = truth + np.asarray([0.1, 0.1, 300.0, 300.0])
    found = score(truth, predicted, np.asarray([0, 0, 1, 1]), np.asarray([1.0, 1000.0]))
    assert found["normalized_mean_absolute_error"] == pytest.approx((0.1 + 0.3) / 2)


def test_rows_of_a_series_need_not_be_together():
    truth, series = np.arange(6.0), np.asarray([0, 1, 0, 1, 0, 1])
    order = np.asarray([0, 2, 4, 1, 3, 5])
    spans = np.asarray([4.0, 4.0])
    mixed = score(truth, truth**1.1, series, spans)
    assert mixed == pytest.approx(score(truth[order], truth[order] ** 1.1, series[order], spans))


def test_one_step_ahead_has_an_r2_all_the_same():
    found = score(np.asarray([3.0]), np.asarray([2.0]), np.asarray([0]), np.asarray([2.0]))
    assert found["r2_score"] == 0.0


def test_errors_are_better_smaller():
    assert is_better("normalized_root_mean_squared_error", 0.1, 0.2)
    assert is_better("r2_score", 0.2, 0.1)
    assert not greater_is_better("mean_absolute_error")
