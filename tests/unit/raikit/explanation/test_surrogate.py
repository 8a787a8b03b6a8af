from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.raikit.explanation.models import Formula, quantity

from raikit.explanation.subject import Subject
from raikit.explanation.surrogate import fit_surrogate


def rows(seed: int, count: int = 2_000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": rng.uniform(-1, 1, count),
            "k": rng.choice(["x", "y", "z"], count).astype(object),
            "idle": rng.uniform(size=count),
        }
    )


def test_a_model_that_is_a_small_tree_is_imitated_whole() -> None:
    subject = quantity(Formula(lambda Z: 3.0 * (Z["k"] == "x") + (Z["a"] > 0.25)), rows(0))
    found = fit_surrogate(subject, rows(0), rows(1), leaves=4)
    assert found.fidelity == pytest.approx(1, abs=0.01)
    assert found.same_class is None
    conditions = [each.condition for each in found.branches]
    assert {"k is x", "k is not x"} <= set(conditions)
    thresholds = [float(each.split("<= ")[1]) for each in conditions if each.startswith("a <=")]
    assert thresholds == pytest.approx([0.25] * 2, abs=0.01)
    assert found.importance[2] == pytest.approx(0, abs=1e-3)
    assert found.importance.sum() == pytest.approx(1)
    root, first = found.branches[:2]
    assert (root.parent, root.condition, root.rows) == (None, "", 2_000)
    assert first.parent == 0
    leaves = [each for each in found.branches if each.is_leaf]
    assert (len(leaves), sum(each.rows for each in leaves)) == (4, 2_000)


def test_fidelity_is_of_rows_that_it_was_not_fitted_on() -> None:
    rng = np.random.default_rng(2)
    worth = dict(zip(rows(3)["a"], rng.normal(size=2_000), strict=True))
    # Noise that is fixed for each training row, and another for each other row.
    subject = quantity(
        Formula(lambda Z: Z["a"].map(lambda value: worth.get(value, np.sin(value * 1e6)))), rows(3)
    )
    found = fit_surrogate(subject, rows(3), rows(4), leaves=200)
    assert found.fidelity < 0.1
    assert found.low <= found.fidelity <= found.high


def test_a_smooth_model_is_imitated_as_far_as_a_tree_of_so_many_leaves_can() -> None:
    # Two leaves of a line keep 3/4 of its variance: halves have a quarter of it each.
    subject = quantity(Formula(lambda Z: Z["a"]), rows(5))
    found = fit_surrogate(subject, rows(5), rows(6), leaves=2)
    assert found.fidelity == pytest.approx(0.75, abs=0.02)
    assert found.low < 0.75 < found.high


def test_missing_numbers_go_with_the_median_and_are_said_to() -> None:
    table = rows(7)
    table.loc[::4, "a"] = np.nan
    subject = quantity(Formula(lambda Z: (Z["a"] > 0.5) * 1.0), table)
    found = fit_surrogate(subject, table, table, leaves=2)
    assert found.fidelity == pytest.approx(1)
    assert [each.condition.split(" ")[-1] for each in found.branches[1:]] == [
        "missing",
        found.branches[2].condition.split(" ")[-1],
    ]
    assert "missing" not in found.branches[2].condition


def test_a_constant_model_has_no_fidelity() -> None:
    subject = quantity(Formula(lambda Z: np.ones(len(Z))), rows(8))
    found = fit_surrogate(subject, rows(8), rows(9))
    assert (found.fidelity, found.low, found.high) == (None, None, None)
    assert len(found.branches) == 1


class ByLetter:
    classes_ = ("n", "p", "q")

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        return np.stack([(X["k"] == letter) * 0.8 + 0.2 / 3 for letter in "xyz"], axis=1)


def test_classes_are_imitated() -> None:
    kinds = {"a": "double", "k": "string", "idle": "double"}
    known = {"n": 0, "p": 1, "q": 2}
    subject = Subject(ByLetter(), "classification", "t", kinds, ByLetter.classes_, None, known)
    found = fit_surrogate(subject, rows(10), rows(11), leaves=3)
    assert found.same_class == 1
    assert found.branches[0].scores.shape == (3,)
    assert found.branches[0].scores.sum() == pytest.approx(1)


def test_times_are_told_as_times() -> None:
    X = pd.DataFrame({"t": pd.date_range("2024-01-01", periods=200)})
    model = Formula(lambda Z: (Z["t"] >= "2024-03-01") * 1.0)
    subject = Subject(model, "regression", "y", {"t": "datetime"})
    found = fit_surrogate(subject, X, X, leaves=2)
    assert found.branches[1].condition.startswith("t <= 2024-02-29T12:00")
