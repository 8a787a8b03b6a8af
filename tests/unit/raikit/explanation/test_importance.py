from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.raikit.explanation.models import Formula, quantity

from raikit.explanation.importance import associations, permutation_importance
from raikit.explanation.subject import Subject
from stepkit.program import StepError


def rows(count: int = 4_000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(count, 3)), columns=["a", "b", "idle"])
    return X.assign(y=2 * X["a"] + X["b"])


def test_of_a_known_sum_the_loss_is_twice_the_share_of_variance() -> None:
    # Shuffled, a column's part is off by the difference of two draws: its variance, twice.
    table = rows()
    subject = quantity(Formula(lambda Z: 2 * Z["a"] + Z["b"]), table[["a", "b", "idle"]])
    found = permutation_importance(subject, table, repeats=10)
    assert found.whole == pytest.approx(1)
    variance = table.var()
    expected = np.array([2 * 4 * variance["a"], 2 * variance["b"]]) / variance["y"]
    assert found.mean == pytest.approx([*expected, 0], abs=0.03)
    low, high = found.interval()
    assert (low[:2] < expected).all()
    assert (high[:2] > expected).all()
    assert low[2] == high[2] == 0


def test_most_intervals_of_a_useless_column_hold_zero() -> None:
    held = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X = pd.DataFrame(rng.normal(size=(200, 2)), columns=["a", "b"])
        table = X.assign(y=X["a"] + rng.normal(size=200))
        # It follows b, which has nothing to do with y: shuffled, b misleads it as much as before.
        subject = quantity(Formula(lambda Z: Z["a"] + 0.2 * Z["b"]), X)
        low, high = permutation_importance(subject, table, repeats=6, seed=seed).interval()
        held += bool(low[1] <= 0 <= high[1])
    assert held >= 26


def test_rows_of_one_class_define_no_auc() -> None:
    class Coin:
        classes_ = ("n", "y")

        def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
            return np.full((len(X), 2), 0.5)

    subject = Subject(
        Coin(), "classification", "y", {"a": "double"}, ("n", "y"), 1, {"n": 0, "y": 1}
    )
    table = pd.DataFrame({"a": [1.0, 2.0], "y": ["n", "n"]})
    with pytest.raises(StepError, match="do not define auc"):
        permutation_importance(subject, table)


def test_columns_that_tell_the_same_are_named() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=2_000)
    k = rng.choice(["x", "y", "z"], size=2_000)
    X = pd.DataFrame(
        {
            "a": a,
            "tripled": a**3,
            "b": rng.normal(size=2_000),
            "k": k.astype(object),
            "renamed": pd.Series(k).map({"x": "1", "y": "2", "z": "3"}).astype(object),
            "by_k": pd.Series(k).map({"x": 0.0, "y": 5.0, "z": 9.0}) + rng.normal(size=2_000) / 9,
            "other": rng.choice(["p", "q"], size=2_000).astype(object),
        }
    )
    subject = quantity(Formula(lambda Z: Z["a"]), X)
    found = {(each.first, each.second): each.strength for each in associations(subject, X)}
    assert set(found) == {
        ("a", "tripled"),
        ("k", "renamed"),
        ("k", "by_k"),
        ("renamed", "by_k"),
    }
    assert found["a", "tripled"] == pytest.approx(1)
    assert found["k", "renamed"] == pytest.approx(1)
    assert found["k", "by_k"] > 0.9


def test_many_rare_categories_are_not_associated_by_chance() -> None:
    rng = np.random.default_rng(2)
    X = pd.DataFrame(
        {
            "k": rng.integers(150, size=300).astype(str).astype(object),
            "l": rng.integers(150, size=300).astype(str).astype(object),
            "n": rng.normal(size=300),
        }
    )
    # Without the corrections all three would be above 0.6.
    assert associations(quantity(Formula(lambda Z: Z["n"]), X), X) == ()


def test_constant_and_missing_columns_are_not_associated() -> None:
    X = pd.DataFrame({"one": [1.0] * 9, "none": [np.nan] * 9, "k": ["x"] * 9, "n": np.arange(9.0)})
    assert associations(quantity(Formula(lambda Z: Z["n"]), X), X, least=0.1) == ()
