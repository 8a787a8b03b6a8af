from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from stepkit.metrics import (
    MORE_IS_BETTER,
    auc,
    average_precision,
    averaged_rates,
    check_metric,
    class_rates,
    classification_metrics,
    confusion_matrix,
    default_metric,
    ranking_metrics,
    regression_metrics,
    task_of,
    threshold_curve,
)
from stepkit.program import StepError

seeds = st.integers(0, 2**32 - 1)


def labelled(seed: int, classes: int, rows: int = 60) -> tuple:
    """Return truth, predictions, and probabilities with many tied scores."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, rows)
    raw = rng.integers(1, 8, (rows, classes)).astype(float)
    raw[np.arange(rows), truth] += rng.integers(0, 4, rows)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return truth, probabilities.argmax(axis=1), probabilities


def test_rates_worked_by_hand() -> None:
    # 10 positives, of which 8 are found; 90 negatives, of which 4 are taken for positive.
    truth = np.array([1] * 10 + [0] * 90)
    predicted = np.array([1] * 8 + [0] * 2 + [1] * 4 + [0] * 86)
    matrix = confusion_matrix(truth, predicted, 2)
    assert matrix.tolist() == [[86, 4], [2, 8]]
    assert class_rates(matrix, 1) == pytest.approx(
        {
            "precision": 8 / 12,
            "recall": 8 / 10,
            "specificity": 86 / 90,
            "npv": 86 / 88,
            "f1": 2 * (8 / 12) * 0.8 / (8 / 12 + 0.8),
        }
    )


def test_a_class_never_predicted_has_no_precision() -> None:
    matrix = confusion_matrix(np.array([0, 1]), np.array([0, 0]), 2)
    rates = class_rates(matrix, 1)
    assert (rates["precision"], rates["recall"], rates["f1"]) == (0, 0, 0)
    assert (rates["specificity"], rates["npv"]) == (1, 0.5)


def test_a_curve_worked_by_hand() -> None:
    # Fawcett's order: a hit, then a hit and a miss on one score, then a miss.
    curve = threshold_curve(np.array([True, True, False, False]), np.array([0.9, 0.5, 0.5, 0.1]))
    assert curve["threshold"].tolist() == [math.inf, 0.9, 0.5, 0.1]
    assert curve["tpr"].tolist() == [0, 0.5, 1, 1]
    assert curve["fpr"].tolist() == [0, 0, 0.5, 1]
    assert curve["precision"].tolist() == pytest.approx([1, 1, 2 / 3, 0.5])
    assert auc(curve) == 0.875
    assert average_precision(curve) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    total = curve["tp"] + curve["fp"] + curve["fn"] + curve["tn"]
    assert total.tolist() == [4, 4, 4, 4]


def ece_of_scikit_learn(came: np.ndarray, stated: np.ndarray) -> float:
    shares, means = calibration_curve(came, stated, n_bins=15, strategy="uniform")
    edges = np.linspace(0, 1, 16)
    rows = np.bincount(np.searchsorted(edges[1:-1], stated), minlength=15)
    return float(np.abs(shares - means) @ rows[rows > 0] / len(came))


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_two_classes_agree_with_scikit_learn(seed: int) -> None:
    truth, predicted, probabilities = labelled(seed, 2)
    found = classification_metrics(truth, predicted, probabilities, positive=1)
    scores = probabilities[:, 1]
    expected = {
        "accuracy": reference.accuracy_score(truth, predicted),
        "error_rate": reference.zero_one_loss(truth, predicted),
        "precision": reference.precision_score(truth, predicted, zero_division=0),
        "recall": reference.recall_score(truth, predicted),
        "specificity": reference.recall_score(truth, predicted, pos_label=0),
        "npv": reference.precision_score(truth, predicted, pos_label=0, zero_division=0),
        "f1": reference.f1_score(truth, predicted),
        "log_loss": reference.log_loss(truth, probabilities),
        "auc": reference.roc_auc_score(truth, scores),
        "average_precision": reference.average_precision_score(truth, scores),
        "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
        "norm_macro_recall": max(
            0, reference.balanced_accuracy_score(truth, predicted, adjusted=True)
        ),
        "mcc": reference.matthews_corrcoef(truth, predicted),
        "kappa": reference.cohen_kappa_score(truth, predicted),
        "brier": reference.brier_score_loss(truth, scores),
        "ece": ece_of_scikit_learn(truth, scores),
    }
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert list(found) == list(dict.fromkeys(name for name in MORE_IS_BETTER if name in found))


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_more_classes_agree_with_scikit_learn(seed: int) -> None:
    truth, predicted, probabilities = labelled(seed, 4)
    truth[:4] = range(4)
    found = classification_metrics(truth, predicted, probabilities, positive=None)
    for average, ending in (("macro", ""), ("weighted", "_weighted"), ("micro", "_micro")):
        for name, metric in (
            ("precision", reference.precision_score),
            ("recall", reference.recall_score),
            ("f1", reference.f1_score),
        ):
            expected = metric(truth, predicted, average=average, zero_division=0)
            assert found[name + ending] == pytest.approx(expected, abs=1e-9)
    for average, ending in (("macro", ""), ("weighted", "_weighted")):
        settled = {"multi_class": "ovr", "average": average}
        expected = reference.roc_auc_score(truth, probabilities, **settled)
        assert found[f"auc{ending}"] == pytest.approx(expected, abs=1e-9)
        expected = reference.average_precision_score(truth, probabilities, average=average)
        assert found[f"average_precision{ending}"] == pytest.approx(expected, abs=1e-9)
    others = {
        "balanced_accuracy": reference.balanced_accuracy_score(truth, predicted),
        "mcc": reference.matthews_corrcoef(truth, predicted),
        "kappa": reference.cohen_kappa_score(truth, predicted),
        "brier": reference.brier_score_loss(truth, probabilities),
        "ece": ece_of_scikit_learn(truth == predicted, probabilities.max(axis=1)),
    }
    assert {name: found[name] for name in others} == pytest.approx(others, rel=1e-9, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(seeds, st.sampled_from([0, 1]))
def test_the_curve_is_scikit_learns(seed: int, positive: int) -> None:
    truth, _, probabilities = labelled(seed, 2)
    curve = threshold_curve(truth == positive, probabilities[:, positive])
    fpr, tpr, thresholds = reference.roc_curve(
        truth == positive, probabilities[:, positive], drop_intermediate=False
    )
    assert curve["fpr"].tolist() == pytest.approx(fpr.tolist())
    assert curve["tpr"].tolist() == pytest.approx(tpr.tolist())
    assert curve["threshold"].tolist() == thresholds.tolist()


def test_one_class_only_has_no_curve() -> None:
    found = ranking_metrics(np.array([1, 1]), np.array([[0.2, 0.8], [0.4, 0.6]]), positive=1)
    assert set(found) == {"log_loss", "brier", "ece"}
    assert found["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)
    assert found["brier"] == pytest.approx((0.2**2 + 0.4**2) / 2)


def test_a_certain_error_is_finite() -> None:
    found = ranking_metrics(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), positive=1)
    assert 10 < found["log_loss"] < 40


def test_a_class_with_no_rows_weighs_nothing() -> None:
    averages = averaged_rates(np.array([[2, 0, 0], [0, 3, 0], [0, 0, 0]]))
    assert averages["recall_weighted"] == 1
    assert averages["recall"] == pytest.approx(2 / 3)


@settings(deadline=None, max_examples=60)
@given(seeds)
def test_regression_agrees_with_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, predicted = rng.lognormal(3, 1, (2, int(rng.integers(2, 40))))
    error, both = np.abs(truth - predicted), (truth, predicted)
    assert regression_metrics(*both) == pytest.approx(
        {
            "mae": reference.mean_absolute_error(*both),
            "mse": reference.mean_squared_error(*both),
            "rmse": reference.root_mean_squared_error(*both),
            "r2": reference.r2_score(*both),
            "median_ae": reference.median_absolute_error(*both),
            "ae_p90": np.quantile(error, 0.9, method="inverted_cdf"),
            "mape": reference.mean_absolute_percentage_error(*both),
            "smape": np.mean(2 * error / (truth + predicted)),
            "wape": error.sum() / truth.sum(),
            "rmsle": reference.root_mean_squared_log_error(*both),
            "nmae": min(1, error.mean() / np.ptp(truth)),
            "nrmse": min(1, reference.root_mean_squared_error(*both) / np.ptp(truth)),
            "explained_variance": reference.explained_variance_score(*both),
        },
        rel=1e-9,
        abs=1e-9,
    )


def test_regression_by_hand() -> None:
    found = regression_metrics(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 6.0]))
    expected = {"mae": 1, "mse": 3, "rmse": math.sqrt(3), "r2": 1 - 9 / 2}
    expected |= {"median_ae": 0, "ae_p90": 3, "mape": 1 / 3, "wape": 3 / 6, "smape": 6 / 9 / 3}
    expected |= {"nmae": 1 / 2, "nrmse": math.sqrt(3) / 2, "rmsle": math.log(7 / 4) / math.sqrt(3)}
    # Errors 0, 0, 3 have variance 2, true values 2 / 3.
    assert found == pytest.approx({**expected, "explained_variance": 1 - 2 / (2 / 3)})


def test_r2_of_equal_values_is_left_out() -> None:
    assert "r2" not in regression_metrics(np.array([2.0, 2.0]), np.array([1.0, 3.0]))


def test_the_task_of_a_metric() -> None:
    assert task_of("auc") == task_of("recall_weighted") == "classification"
    assert task_of("rmse") == "regression"
    assert task_of("ausc") is None


def test_the_metric_to_compare_by() -> None:
    assert check_metric("auto", "classification") == default_metric("classification") == "auc"
    assert check_metric("auto", "regression") == "rmse"
    assert check_metric("f1", "classification") == "f1"
    with pytest.raises(StepError, match="'f1' is not a metric of regression"):
        check_metric("f1", "regression")
