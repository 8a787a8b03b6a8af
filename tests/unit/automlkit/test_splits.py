from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automlkit.data import Rows, Tables
from automlkit.request import Request
from automlkit.splits import plan_validation
from stepkit.program import StepError


def rows(count: int, labels: list[Any] | None = None) -> Rows:
    y = pd.Series(labels if labels is not None else np.arange(count) % 2)
    return Rows(pd.DataFrame({"x": np.arange(count)}), y, None)


def tables(train: Rows, **more: Any) -> Tables:
    return Tables(
        **{"train": train, "validation": None, "test": None, "split_columns": None, **more}
    )


def request(task: str = "classification", **more: Any) -> Request:
    given: dict[str, Any] = {
        "task": task,
        "primary_metric": "accuracy",
        "target_column_name": "y",
        "training_data": "t",
        **more,
    }
    return Request(**given)


@pytest.mark.parametrize(
    ("count", "kind", "folds"),
    [
        (999, "cross_validation", 10),
        (1000, "cross_validation", 3),
        (19_999, "cross_validation", 3),
        (20_000, "holdout", 1),
    ],
)
def test_without_a_wish_the_number_of_rows_decides(count: int, kind: str, folds: int) -> None:
    plan = plan_validation(request(), tables(rows(count)))
    assert (plan.kind, len(plan.folds)) == (kind, folds)
    assert plan.describe()["type"] == kind
    train, valid = plan.folds[0]
    assert not set(train) & set(valid)
    assert len(train) + len(valid) == count
    if kind == "holdout":
        assert len(valid) == count // 10


def test_each_row_validates_once_and_classes_are_spread_evenly() -> None:
    labels = [*["rare"] * 20, *["common"] * 180]
    plan = plan_validation(request(), tables(rows(200, labels)))
    seen = np.concatenate([valid for _, valid in plan.folds])
    assert sorted(seen) == list(range(200))
    for _, valid in plan.folds:
        assert (plan.rows.y.iloc[valid] == "rare").sum() == 2


def test_a_class_of_few_rows_means_a_hold_out_in_which_it_trains() -> None:
    labels = [*["a"] * 60, *["b"] * 39, "c"]
    for seed in range(8):
        plan = plan_validation(request(seed=seed), tables(rows(100, labels)))
        assert plan.kind == "holdout"
        assert "c" in set(plan.rows.y.iloc[plan.folds[0][0]])


def test_folds_that_are_asked_for_count_even_with_a_rare_class() -> None:
    labels = [*["a"] * 60, *["b"] * 39, "c"]
    plan = plan_validation(request(n_cross_validations=5), tables(rows(100, labels)))
    assert len(plan.folds) == 5


def test_a_share_that_is_asked_for_is_held_out() -> None:
    plan = plan_validation(request(validation_data_size=0.3), tables(rows(100)))
    assert plan.kind == "holdout"
    assert plan.describe() == {
        "type": "holdout",
        "folds": 1,
        "rows": 70,
        "validation_rows": 30,
    }


def test_given_rows_stand_behind_the_training_rows() -> None:
    plan = plan_validation(request(), tables(rows(30), validation=rows(12)))
    assert plan.kind == "given"
    train, valid = plan.folds[0]
    assert train.tolist() == list(range(30))
    assert valid.tolist() == list(range(30, 42))
    assert len(plan.rows.y) == 42
    assert plan.rows.X["x"].iloc[30] == 0


def test_split_columns_say_which_rows_validate() -> None:
    marks = pd.DataFrame({"f": [0, 1, 1, 1], "g": [1, 0, 0, 1]})
    plan = plan_validation(request(), tables(rows(4), split_columns=marks))
    assert [valid.tolist() for _, valid in plan.folds] == [[0], [1, 2]]


@pytest.mark.parametrize("marks", [[1, 1, 1, 1], [0, 1, 2, 1], [1, None, 0, 1]])
def test_split_columns_of_other_values_are_refused(marks: list[float]) -> None:
    with pytest.raises(StepError, match="'f' must hold 1"):
        plan_validation(request(), tables(rows(4), split_columns=pd.DataFrame({"f": marks})))


def test_more_folds_than_rows_are_refused() -> None:
    with pytest.raises(StepError, match="there are 12 training rows"):
        plan_validation(request(n_cross_validations=20), tables(rows(12)))


def test_equal_seeds_give_equal_folds() -> None:
    first, again, other = (
        plan_validation(request("regression", seed=seed), tables(rows(50))).folds[0][1].tolist()
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
