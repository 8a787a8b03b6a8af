from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from automlkit.metrics import greater_is_better, is_better, score_all, score_forecast

LABELS = np.array(["a", "a", "a", "b", "b", "c", "c", "c", "c", "a"])


def probabilities(columns: int, rows: int = 10) -> np.ndarray:
    table = np.random.default_rng(1).random((rows, columns))
    return table / table.sum(axis=1, keepdims=True)


def test_three_classes_are_scored_as_scikit_learn_scores_them() -> None:
    p = probabilities(3)
    found = score_all("classification", LABELS, p, classes=["a", "b", "c"])
    predicted = np.array(["a", "b", "c"])[p.argmax(axis=1)]
    member = LABELS[:, None] == np.array(["a", "b", "c"])
    for average in ("macro", "weighted", "micro"):
        area = sk.roc_auc_score(member, p, average=average)
        precision = sk.average_precision_score(member, p, average=average)
        f1 = sk.f1_score(LABELS, predicted, average=average)
        assert found[f"AUC_{average}"] == pytest.approx(area)
        assert found[f"average_precision_score_{average}"] == pytest.approx(precision)
        assert found[f"f1_score_{average}"] == pytest.approx(f1)
    assert found["accuracy"] == sk.accuracy_score(LABELS, predicted)
    assert found["log_loss"] == pytest.approx(sk.log_loss(LABELS, p))
    recall = sk.recall_score(LABELS, predicted, average="macro")
    assert found["balanced_accuracy"] == pytest.approx(recall)
    assert found["norm_macro_recall"] == pytest.approx(max(0.0, (recall - 1 / 3) / (2 / 3)))
    matthews = sk.matthews_corrcoef(LABELS, predicted)
    assert found["matthews_correlation"] == pytest.approx(matthews)


def test_weighted_accuracy_weighs_rows_by_the_share_of_their_class() -> None:
    p = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    found = score_all("classification", [0, 0, 0, 1], p, classes=[0, 1])
    # Three rows of weight 3/4 are right, one of weight 1/4 is wrong.
    assert found["weighted_accuracy"] == pytest.approx(2.25 / 2.5)
    assert found["accuracy"] == 0.75


def test_of_two_classes_both_count() -> None:
    y = np.array([0, 0, 1, 1, 0])
    p = np.array([0.1, 0.7, 0.6, 0.9, 0.2])
    found = score_all("classification", y, np.column_stack([1 - p, p]), classes=[0, 1])
    first = sk.average_precision_score(1 - y, 1 - p)
    second = sk.average_precision_score(y, p)
    assert found["average_precision_score_macro"] == pytest.approx((first + second) / 2)
    weighted = (3 * first + 2 * second) / 5
    assert found["average_precision_score_weighted"] == pytest.approx(weighted)
    assert found["AUC_weighted"] == pytest.approx(sk.roc_auc_score(y, p))
    assert not [name for name in found if name.endswith("_binary")]


def test_binary_metrics_are_about_the_positive_label() -> None:
    y = np.array(["no", "no", "yes", "yes", "no"])
    p = np.array([0.1, 0.7, 0.6, 0.4, 0.2])
    table = np.column_stack([1 - p, p])
    classes = ["no", "yes"]
    found = score_all("classification", y, table, classes=classes, positive_label="yes")
    assert found["precision_score_binary"] == 0.5
    assert found["recall_score_binary"] == 0.5
    assert found["AUC_binary"] == pytest.approx(sk.roc_auc_score(y == "yes", p))
    other = score_all("classification", y, table, classes=classes, positive_label="no")
    assert other["recall_score_binary"] == pytest.approx(2 / 3)


def test_classes_that_no_row_has_do_not_count_in_averages() -> None:
    p = np.hstack([probabilities(3) * 0.9, np.full((10, 1), 0.1)])
    found = score_all("classification", LABELS, p, classes=["a", "b", "c", "d"])
    member = LABELS[:, None] == np.array(["a", "b", "c"])
    assert found["AUC_macro"] == pytest.approx(sk.roc_auc_score(member, p[:, :3], average="macro"))


def test_a_label_that_training_never_saw_is_a_miss() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    found = score_all("classification", ["a", "b", "new"], p, classes=["a", "b"])
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["log_loss"] > 10


def test_rows_of_one_class_have_no_curve() -> None:
    found = score_all("classification", ["a", "a"], probabilities(2, 2), classes=["a", "b"])
    assert "AUC_weighted" not in found
    assert "norm_macro_recall" not in found
    assert "accuracy" in found


def test_weights_count_in_classification() -> None:
    y = np.array([0, 1, 1, 0])
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.6, 0.4]])
    weights = np.array([1.0, 3.0, 1.0, 2.0])
    found = score_all("classification", y, p, classes=[0, 1], weights=weights)
    repeated = np.repeat(np.arange(4), weights.astype(int))
    plain = score_all("classification", y[repeated], p[repeated], classes=[0, 1])
    for name in plain.keys() - {"weighted_accuracy"}:  # which has weights of its own
        assert found[name] == pytest.approx(plain[name]), name


def test_quantities_are_scored_by_azures_definitions() -> None:
    y, p = np.array([1.0, 2.0, 3.0, 5.0]), np.array([1.5, 2.0, 2.0, 5.5])
    found = score_all("regression", y, p)
    assert found["mean_absolute_error"] == 0.5
    assert found["normalized_mean_absolute_error"] == 0.125
    assert found["root_mean_squared_error"] == pytest.approx((1.5 / 4) ** 0.5)
    normalized = found["normalized_root_mean_squared_error"]
    assert normalized == pytest.approx(found["root_mean_squared_error"] / 4)
    percent = 100 * np.mean([0.5, 0.0, 1 / 3, 0.1])
    assert found["mean_absolute_percentage_error"] == pytest.approx(percent)
    assert found["r2_score"] == pytest.approx(sk.r2_score(y, p))
    assert found["explained_variance"] == pytest.approx(sk.explained_variance_score(y, p))
    assert found["spearman_correlation"] == pytest.approx(0.9486833)
    log_error = found["root_mean_squared_log_error"]
    span = np.log1p(5) - np.log1p(1)
    assert log_error == pytest.approx(sk.root_mean_squared_error(np.log1p(y), np.log1p(p)))
    name = "normalized_root_mean_squared_log_error"
    assert found[name] == pytest.approx(log_error / span)


def test_errors_are_normalized_by_the_range_of_all_rows() -> None:
    y, p = np.array([1.0, 2.0]), np.array([2.0, 2.0])
    found = score_all("regression", y, p, y_train_range=(0.0, 10.0))
    assert found["normalized_mean_absolute_error"] == 0.05


def test_bad_predictions_are_cut_off_as_in_azure() -> None:
    found = score_all("regression", [1.0, 2.0, 3.0], [100.0, -100.0, 100.0])
    assert found["r2_score"] == -1.0
    assert found["normalized_root_mean_squared_error"] == 1.0
    assert "root_mean_squared_log_error" not in found  # it has none below 0


def test_equal_predictions_have_no_ranks() -> None:
    assert score_all("regression", [1.0, 2.0, 3.0], [2.0, 2.0, 2.0])["spearman_correlation"] == -1


def test_equal_targets_are_right_or_wrong() -> None:
    right = score_all("regression", [2.0, 2.0], [2.0, 2.0 + 1e-12])
    assert right["normalized_root_mean_squared_error"] == 0.0
    wrong = score_all("regression", [2.0, 2.0], [2.0, 2.1])
    assert wrong["normalized_root_mean_squared_error"] == 1.0
    assert (wrong["r2_score"], wrong["spearman_correlation"]) == (0.0, -1.0)


def test_one_row_has_an_r2_as_in_azure() -> None:
    assert score_all("regression", [3.0], [2.0])["r2_score"] == 0.0
    assert score_all("regression", [3.0], [3.0])["r2_score"] == 1.0


def test_weights_count_in_regression() -> None:
    y, p = np.array([1.0, 2.0, 4.0, 7.0]), np.array([1.5, 2.0, 3.0, 7.5])
    weights = np.array([1, 3, 2, 1])
    found = score_all("regression", y, p, weights=weights)
    plain = score_all("regression", np.repeat(y, weights), np.repeat(p, weights))
    for name in ("mean_absolute_error", "root_mean_squared_error", "r2_score"):
        assert found[name] == pytest.approx(plain[name]), name


def test_zeros_do_not_count_for_percentages() -> None:
    found = score_all("regression", [0.0, 2.0], [5.0, 1.0])
    assert found["mean_absolute_percentage_error"] == pytest.approx(50.0)


def test_a_range_from_below_minus_one_has_no_logarithm() -> None:
    found = score_all("regression", [0.0, 2.0], [1.0, 1.0], y_train_range=(-3.0, 4.0))
    assert "root_mean_squared_log_error" in found
    assert "normalized_root_mean_squared_log_error" not in found


def test_normalized_errors_of_a_forecast_are_each_series_own() -> None:
    truth = np.array([1.0, 2.0, 1000.0, 2000.0])
    predicted = truth + np.array([0.1, 0.1, 300.0, 300.0])
    series, extents = np.array([0, 0, 1, 1]), np.array([[1.0, 2.0], [1000.0, 2000.0]])
    found = score_forecast(truth, predicted, series, extents)
    assert found["normalized_mean_absolute_error"] == pytest.approx((0.1 + 0.3) / 2)
    assert found["mean_absolute_error"] == pytest.approx(150.05)
    assert found["r2_score"] == pytest.approx(sk.r2_score(truth, predicted))


def test_a_bad_forecast_of_one_series_is_cut_off() -> None:
    series, extents = np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]])
    found = score_forecast(np.array([0.5, 0.5]), np.array([0.5, 99.0]), series, extents)
    assert found["normalized_root_mean_squared_error"] == 0.5


def test_a_series_below_zero_leaves_the_logarithms_to_the_others() -> None:
    truth, series = np.array([-1.0, 2.0, 3.0]), np.array([0, 1, 1])
    extents = np.array([[-1.0, 1.0], [1.0, 3.0]])
    found = score_forecast(truth, truth + 0.5, series, extents)
    assert "root_mean_squared_log_error" not in found
    own = score_all("regression", truth[1:], truth[1:] + 0.5, y_train_range=(1.0, 3.0))
    name = "normalized_root_mean_squared_log_error"
    assert found[name] == pytest.approx(own[name])


def test_rows_of_a_series_need_not_be_together() -> None:
    truth, series = np.arange(6.0), np.array([0, 1, 0, 1, 0, 1])
    order = np.array([0, 2, 4, 1, 3, 5])
    extents = np.array([[0.0, 4.0], [1.0, 5.0]])
    mixed = score_forecast(truth, truth**1.1, series, extents)
    sorted_ = score_forecast(truth[order], truth[order] ** 1.1, series[order], extents)
    assert mixed == pytest.approx(sorted_)


def test_one_series_is_scored_as_a_regression() -> None:
    truth, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    found = score_forecast(truth, predicted, np.zeros(3, dtype=np.intp), np.array([[1.0, 4.0]]))
    assert found == score_all("regression", truth, predicted)


def test_errors_are_better_smaller() -> None:
    assert is_better("normalized_root_mean_squared_error", 0.1, 0.2)
    assert is_better("r2_score", 0.2, 0.1)


def test_direction() -> None:
    assert greater_is_better("AUC_weighted")
    assert greater_is_better("r2_score")
    assert not greater_is_better("normalized_root_mean_squared_error")
    assert not greater_is_better("log_loss")


def test_classification_needs_the_classes() -> None:
    with pytest.raises(ValueError, match="need the classes"):
        score_all("classification", [1], [[1.0]])
