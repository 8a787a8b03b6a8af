from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.components.test_evaluate import classified, measured

from stepkit.bootstrap import (
    auc_statistic,
    interval,
    precision_statistic,
    resampled,
    statistic_of,
)
from stepkit.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS
from stepkit.program import StepError

ONCE = np.ones((400, 1))


@pytest.mark.parametrize("classes", [2, 3])
def test_every_row_once_gives_the_metrics_of_evaluate(classes: int) -> None:
    scores = classified(classes)
    assert set(CLASSIFICATION_METRICS) <= set(scores.metrics)
    for metric, value in scores.metrics.items():
        assert statistic_of(scores, metric)(ONCE) == pytest.approx([value]), metric


def test_every_row_once_gives_the_errors_of_evaluate() -> None:
    scores = measured(400)
    assert set(scores.metrics) == set(REGRESSION_METRICS) - {"rmsle", "mase"}
    for metric in scores.metrics:
        assert statistic_of(scores, metric)(ONCE) == pytest.approx([scores.metrics[metric]])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_ranking_agrees_with_scikit_learn_on_weighted_rows(seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    positive = rng.random(60) < 0.4
    positive[:2] = [True, False]
    score = rng.integers(0, 6, 60) / 5 if ties else rng.random(60)
    counts = rng.integers(0, 3, size=(60, 4)).astype(float)
    counts[:2] = 1
    areas = auc_statistic(positive, score)(counts)
    precisions = precision_statistic(positive, score)(counts)
    for column in range(4):
        weights = {"sample_weight": counts[:, column]}
        assert areas[column] == pytest.approx(roc_auc_score(positive, score, **weights))
        expected = average_precision_score(positive, score, **weights)
        assert precisions[column] == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["accuracy", "f1", "precision_weighted", "log_loss", "auc"])
def test_counts_are_as_good_as_drawn_rows(metric: str) -> None:
    from dataclasses import replace

    from stepkit.metrics import classification_metrics

    scores = classified(3)
    drawn = np.random.default_rng(3).integers(400, size=400)
    counts = np.bincount(drawn, minlength=400).astype(float)[:, None]
    taken = replace(
        scores,
        truth=scores.truth[drawn],
        predicted=scores.predicted[drawn],
        probabilities=scores.probabilities[drawn],
    )
    expected = classification_metrics(taken.truth, taken.predicted, taken.probabilities, None)
    assert statistic_of(scores, metric)(counts) == pytest.approx([expected[metric]])


def test_a_resample_without_a_class_defines_no_area() -> None:
    area = auc_statistic(np.array([True, False]), np.array([0.9, 0.1]))
    found = area(np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 2.0]]))
    assert found[0] == 1
    assert np.isnan(found[1:]).all()


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(0).normal(size=2000)
    drawn = resampled([lambda counts: values @ counts / len(values)], len(values), 5000, seed=1)
    low, high = interval(drawn[0], 0.95)
    error = values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)


def test_models_share_their_resamples_and_seeds_repeat_them() -> None:
    values = np.arange(50.0)

    def mean(counts):
        return values @ counts / len(values)

    first = resampled([mean, lambda counts: mean(counts) + 1], 50, 300, seed=5)
    assert first[1] - first[0] == pytest.approx(np.ones(300))
    assert np.array_equal(first, resampled([mean, lambda counts: mean(counts) + 1], 50, 300, 5))
    assert first.std(axis=1) == pytest.approx([values.std() / np.sqrt(50)] * 2, rel=0.2)


def test_what_most_resamples_leave_undefined_has_no_interval() -> None:
    with pytest.raises(StepError, match="most resamples"):
        interval(np.array([np.nan, np.nan, 1.0]), 0.95)
    assert interval(np.array([np.nan, 1.0, 1.0]), 0.95) == (1, 1)


def test_a_metric_that_is_not_made_is_refused() -> None:
    with pytest.raises(StepError, match="'lift' cannot be compared"):
        statistic_of(classified(2), "lift")
