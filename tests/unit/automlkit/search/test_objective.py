"""Losses that a search makes smaller, against scikit-learn's metrics."""

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from automlkit.search.objective import (
    log_loss,
    loss_of,
    mean_absolute_error,
    root_mean_squared_error,
    weighted_auc_loss,
)


def drawn(classes, rows=400, seed=0):
    random = np.random.default_rng(seed)
    truth = random.integers(0, classes, rows)
    scores = random.random((rows, classes)) + 0.7 * np.eye(classes)[truth]
    return truth, scores / scores.sum(axis=1, keepdims=True), random.random(rows) + 0.1


def test_auc_of_two_classes_is_scikit_learns():
    truth, probabilities, weights = drawn(2)
    # Rounding makes ties.
    probabilities = probabilities.round(1)
    expected = roc_auc_score(truth, probabilities[:, 1], sample_weight=weights)
    assert weighted_auc_loss(truth, probabilities, weights) == pytest.approx(1 - expected)


def test_auc_of_more_classes_is_weighted_by_their_rows():
    truth, probabilities, _ = drawn(4)
    expected = roc_auc_score(truth, probabilities, multi_class="ovr", average="weighted")
    found = weighted_auc_loss(truth, probabilities, np.ones(len(truth)))
    assert found == pytest.approx(1 - expected)


def test_auc_of_one_class_alone_is_that_of_chance():
    assert weighted_auc_loss(np.zeros(5, int), np.full((5, 2), 0.5), np.ones(5)) == 0.5


def test_absent_classes_do_not_count():
    truth, probabilities, weights = drawn(3)
    rows = truth < 2
    part = weighted_auc_loss(truth[rows], probabilities[rows], weights[rows])
    share = [weights[rows][truth[rows] == number].sum() for number in (0, 1)]
    areas = [
        roc_auc_score(truth[rows] == n, probabilities[rows, n], sample_weight=weights[rows])
        for n in (0, 1)
    ]
    assert part == pytest.approx(1 - np.average(areas, weights=share))


def test_log_loss_is_scikit_learns():
    truth, probabilities, weights = drawn(3)
    expected = sklearn_log_loss(truth, probabilities, sample_weight=weights)
    assert log_loss(truth, probabilities, weights) == pytest.approx(expected)


def test_one_certain_error_is_bounded():
    assert log_loss(np.array([0]), np.array([[0.0, 1.0]]), np.ones(1)) == pytest.approx(
        -np.log(1e-6)
    )


def test_errors_of_quantities_are_weighted():
    truth, predicted = np.array([0.0, 0.0, 5.0]), np.array([1.0, 3.0, 5.0])
    weights = np.array([3.0, 1.0, 0.0])
    assert mean_absolute_error(truth, predicted, weights) == pytest.approx(1.5)
    assert root_mean_squared_error(truth, predicted, weights) == pytest.approx(np.sqrt(3.0))


def test_every_primary_metric_has_a_loss():
    assert loss_of("AUC_weighted") is weighted_auc_loss
    assert loss_of("r2_score") is root_mean_squared_error
    with pytest.raises(KeyError):
        loss_of("median_absolute_error")
