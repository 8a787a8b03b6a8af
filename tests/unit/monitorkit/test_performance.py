"""Figures equal scikit-learn's, errors those of leaving out a row, and p-values SciPy's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics

from monitorkit.columns import Gatherer, Rows
from monitorkit.performance import Pairs, performance, score, worse
from monitorkit.request import Data, Signal, Threshold
from stepkit.program import StepError

KNOWN = {"prediction_column": "said", "target_column": "true"}


def classes(rows: int, seed: int, labels: str, right: float = 0.7) -> Pairs:
    rng = np.random.default_rng(seed)
    truth = rng.choice(list(labels), rows).astype(object)
    guess = rng.choice(list(labels), rows).astype(object)
    return np.where(rng.random(rows) < right, truth, guess).astype(object), truth


def quantities(rows: int, seed: int) -> Pairs:
    rng = np.random.default_rng(seed)
    truth = rng.normal(100, 30, rows)
    return truth + rng.standard_t(5, rows) * 8 - 1, truth


THEIRS = {
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f1_score": metrics.f1_score,
}


@pytest.mark.parametrize("metric", THEIRS)
def test_scores_of_two_classes_are_scikit_learns(metric: str) -> None:
    said, true = classes(500, 1, "no")
    expected = THEIRS[metric](true, said, pos_label="o")
    assert score(metric, (said, true), "o").value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", THEIRS)
def test_scores_of_more_classes_are_scikit_learns_means(metric: str) -> None:
    said, true = classes(500, 2, "abcd")
    expected = THEIRS[metric](true, said, average="macro")
    assert score(metric, (said, true)).value == pytest.approx(expected, abs=1e-9)


def test_accuracy_is_scikit_learns() -> None:
    said, true = classes(500, 3, "abc")
    expected = metrics.accuracy_score(true, said)
    assert score("accuracy", (said, true)).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("mean_absolute_error", metrics.mean_absolute_error),
        ("mean_squared_error", metrics.mean_squared_error),
        ("root_mean_squared_error", metrics.root_mean_squared_error),
    ],
)
def test_errors_of_quantities_are_scikit_learns(metric: str, expected: Any) -> None:
    said, true = quantities(500, 4)
    assert score(metric, (said, true)).value == pytest.approx(expected(true, said), abs=1e-9)


def test_a_class_that_is_never_said_has_no_precision() -> None:
    said, true = np.array(["a"] * 4, dtype=object), np.array(["a", "a", "b", "b"], dtype=object)
    assert score("precision", (said, true), "b").rows == 0
    assert score("precision", (said, true)).value == pytest.approx(0.25, abs=1e-9)
    assert score("recall", (said, true)).value == pytest.approx(0.5, abs=1e-9)
    assert score("f1_score", (said, true)).value == pytest.approx(1 / 3, abs=1e-9)


def by_leaving_out(metric: str, pairs: Pairs, positive: str | None) -> float:
    """The jackknife's standard error."""
    said, true = pairs
    rows = len(true)
    kept: list[NDArray[np.intp]] = [np.delete(np.arange(rows), row) for row in range(rows)]
    values = np.array([score(metric, (said[part], true[part]), positive).value for part in kept])
    return float(np.sqrt((rows - 1) * values.var()))


@pytest.mark.parametrize(
    ("metric", "labels"),
    [("f1_score", "no"), ("precision", "abc"), ("recall", "abc"), ("f1_score", "abc")],
)
def test_standard_errors_of_classes(metric: str, labels: str) -> None:
    pairs = classes(300, 5, labels)
    positive = "o" if labels == "no" else None
    expected = by_leaving_out(metric, pairs, positive)
    assert score(metric, pairs, positive).error == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("metric", ["mean_absolute_error", "root_mean_squared_error"])
def test_standard_errors_of_quantities(metric: str) -> None:
    pairs = quantities(300, 6)
    assert score(metric, pairs).error == pytest.approx(
        by_leaving_out(metric, pairs, None), rel=0.02
    )


def test_a_share_against_a_number_is_the_binomial_test() -> None:
    now = score("accuracy", classes(400, 7, "ab"))
    expected = stats.binomtest(now.hits or 0, 400, 0.9, alternative="less").pvalue
    assert worse("accuracy", now, 0.9, None) == pytest.approx(expected, abs=1e-9)


def test_a_share_against_the_reference_is_fishers_test() -> None:
    now, before = (score("accuracy", classes(400, seed, "ab", 0.6)) for seed in (8, 9))
    assert now.hits is not None
    assert before.hits is not None
    table = [[now.hits, 400 - now.hits], [before.hits, 400 - before.hits]]
    expected = stats.fisher_exact(table, alternative="less").pvalue
    assert worse("accuracy", now, None, before) == pytest.approx(expected, abs=1e-9)


def test_an_error_against_the_reference_is_the_normal_test() -> None:
    now, before = (score("mean_absolute_error", quantities(400, seed)) for seed in (10, 11))
    z = (now.value - before.value) / math.hypot(now.error, before.error)
    expected = stats.norm.sf(z)
    assert worse("mean_absolute_error", now, None, before) == pytest.approx(expected, abs=1e-9)
    assert worse("mean_absolute_error", now, now.value, None) == pytest.approx(0.5, abs=1e-9)


def gathered(said: Any, true: Any) -> Rows:
    gatherer = Gatherer(10**6, 0)
    table = pd.DataFrame({"said": said, "true": true})
    gatherer.add(pa.Table.from_pandas(table, preserve_index=False))
    return gatherer.rows()


def asked(*thresholds: Threshold) -> Signal:
    reference = Data("before", **KNOWN)
    return Signal("p", "model_performance", Data("now"), reference, thresholds=thresholds)


def test_metrics_without_a_threshold_are_held_against_the_reference() -> None:
    now, before = gathered(*classes(600, 12, "no", 0.5)), gathered(*classes(600, 13, "no", 0.9))
    found = performance(asked(), now, before, ("said", "true"), [], 100)
    assert [each.metric for each in found] == ["accuracy", "precision", "recall"]
    for each in found:
        assert each.threshold == each.reference_value
        assert each.is_beyond
        assert each.p_value is not None
        assert each.p_value < 1e-6


def test_rows_without_truth_do_not_count() -> None:
    said, true = quantities(300, 14)
    true[:150] = np.nan
    wanted = [Threshold("mean_absolute_error", threshold=5.0)]
    (found,) = performance(
        asked(*wanted), gathered(said, true), None, ("said", "true"), wanted, 100
    )
    expected = metrics.mean_absolute_error(true[150:], said[150:])
    assert found.rows == 150
    assert found.value == pytest.approx(expected, abs=1e-9)
    (found,) = performance(
        asked(*wanted), gathered(said, true), None, ("said", "true"), wanted, 151
    )
    assert found.value is None
    assert found.note == "150 rows with a prediction and the truth, 151 are needed"


def test_what_does_not_fit_is_told() -> None:
    rows = gathered(*quantities(300, 15))
    wrong = [Threshold("accuracy", threshold=0.9)]
    with pytest.raises(StepError, match="accuracy is not of quantities"):
        performance(asked(*wrong), rows, rows, ("said", "true"), wrong, 100)
    bare = [Threshold("mean_absolute_error")]
    with pytest.raises(StepError, match="no threshold and no reference"):
        performance(asked(*bare), rows, None, ("said", "true"), bare, 100)
