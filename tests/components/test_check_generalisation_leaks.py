"""Single columns, rows in both parts, order of time; and which parameter a curve goes over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from leakage import groups_in_both, shared_rows, time_order
from leaking_columns import ColumnPower, column_powers
from main_parameter import main_parameter
from refitting import CannotRefitError, Refitter, make_folds

from stepkit.model import Model
from stepkit.program import StepError


def powers(
    features: pd.DataFrame, target: pd.Series, task: Any, **more: Any
) -> dict[str, ColumnPower]:
    settings = {"model_power": 0.9, "limit": 0.9, "trusted": (), "seed": 0, **more}
    return {each.name: each for each in column_powers(features, target, task, **settings)}


@pytest.fixture
def columns() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 900)
    return pd.DataFrame(
        {
            "noise": rng.normal(size=900),
            "missing": np.where(rng.random(900) < 0.5, np.nan, rng.normal(size=900)),
            "copy": np.array(["p", "q", "r"])[target],
            "hint": np.where(rng.random(900) < 0.5, target, rng.integers(0, 3, 900)).astype(float),
            "key": [f"k{number}" for number in rng.permutation(900)],
            "number": np.arange(900.0),
            "finalGrade": rng.normal(size=900),
            "grade": np.array(["a", "b", "c"])[target],
        }
    )


def test_columns_alone(columns: pd.DataFrame) -> None:
    target = columns.pop("grade")
    found = powers(columns, target, "classification")
    assert next(iter(found)) == "copy"
    assert found["copy"].is_leaking
    assert found["copy"].power == pytest.approx(1)
    assert 0.3 < found["hint"].power < 0.8
    assert [name for name, each in found.items() if each.is_leaking] == ["copy"]
    assert {name for name, each in found.items() if each.is_identifier} == {"key", "number"}
    assert [name for name, each in found.items() if each.is_target_named] == ["finalGrade"]
    for name in ("noise", "missing", "key", "number"):
        assert abs(found[name].power) < 0.15
    assert found["copy"].notes == ["predicts the target alone"]


def test_a_column_as_good_as_all_is_suspect(columns: pd.DataFrame) -> None:
    target = columns.pop("grade")
    columns = columns.drop(columns="copy")
    found = powers(columns, target, "classification", limit=0.99, model_power=0.5)
    assert found["hint"].is_suspect == (found["hint"].power >= 0.5)
    rng = np.random.default_rng(1)
    quantity = pd.Series(rng.normal(size=900), name="q")
    strong = pd.DataFrame({"s": quantity + 0.5 * rng.normal(size=900), "n": columns["noise"]})
    assert powers(strong, quantity, "regression", model_power=0.8)["s"].is_suspect
    assert not powers(strong, quantity, "regression", model_power=0.9)["s"].is_suspect
    trusted = powers(strong, quantity, "regression", model_power=0.8, trusted=("s",))["s"]
    assert not trusted.is_suspect
    assert trusted.notes == ["trusted"]


def test_a_column_alone_has_the_power_that_theory_says() -> None:
    rng = np.random.default_rng(2)
    target = pd.Series(rng.normal(size=6000), name="q")
    features = pd.DataFrame({"half": target + rng.normal(size=6000)})
    # The variance explained is 1 / 2; a shallow tree's steps lose a little of it.
    power = powers(features, target, "regression")["half"].power
    assert power == pytest.approx(0.5, abs=0.06)


def test_rows_are_compared_by_value_and_not_by_type() -> None:
    train = pd.DataFrame({"a": [1, 2, 3, 3], "b": ["x", "y", None, None], "t": [0, 1, 0, 0]})
    test = pd.DataFrame({"a": [1.0, 2.0, 3.0, 9.0], "b": ["x", "y", None, "x"], "t": [0, 0, 0, 1]})
    found = shared_rows(train, test, ["a", "b"], "t")
    assert found.whole.tolist() == [True, False, True, False]
    assert found.features.tolist() == [True, True, True, False]
    assert found.share == 0.5
    assert found.repeated == 0.5
    assert found.near is None


def moments_of(*days: int) -> pd.DataFrame:
    when = pd.Timestamp("2024-01-01") + pd.to_timedelta(list(days), "D")
    return pd.DataFrame({"day": when, "text": when.strftime("%Y-%m-%d"), "n": list(days)})


@pytest.mark.parametrize("column", ["day", "text", "n"])
def test_test_rows_before_the_last_train_row_are_counted(column: str) -> None:
    found = time_order(moments_of(1, 2, 5), moments_of(4, 5, 6), column)
    assert found is not None
    assert (found.early, found.rows, found.is_named) == (1, 3, True)


def test_a_column_of_times_is_found() -> None:
    found = time_order(moments_of(1, 2), moments_of(3, 4), "auto")
    assert found is not None
    assert (found.column, found.early, found.is_named) == ("day", 0, False)
    assert time_order(moments_of(1), moments_of(2), "none") is None
    numbers = moments_of(1)[["n"]]
    assert time_order(numbers, numbers, "auto") is None


def test_what_is_no_time_is_told() -> None:
    table = pd.DataFrame({"when": ["soon", "later"]})
    with pytest.raises(StepError, match="values that are no dates"):
        time_order(table, table, "when")


def people(*names: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"who": list(names), "x": range(len(names)), "y": [0, 1] * (len(names) // 2)}
    )


def test_groups_in_both_parts_are_found() -> None:
    found = groups_in_both(people("a", "b"), people("b", "c", None, "b"), "who")
    assert found.tolist() == [True, False, False, True]


def folds_of(table: pd.DataFrame, **more: str) -> Any:
    model = Model(None, "classification", "y", {"x": "double"}, {})
    return make_folds(table, model, 4, 0, **{"time_column": "", "group_column": "", **more})


def test_folds_keep_groups_whole_and_times_together() -> None:
    table = people(*(f"p{number % 8}" for number in range(80)))
    by_group = folds_of(table, group_column="who").number
    assert pd.Series(by_group).groupby(table["who"]).nunique().max() == 1
    by_time = folds_of(table, time_column="x").number
    assert by_time.tolist() == sorted(by_time.tolist())
    assert np.bincount(by_time).tolist() == [20] * 4


def test_folds_and_their_parts_keep_the_classes_shares() -> None:
    folds = folds_of(people(*range(80)))
    target = np.array([0, 1] * 40)
    for fold in range(folds.count):
        fit, held = folds.rows(fold, 0.5)
        assert (len(fit), len(held)) == (30, 20)
        assert not set(fit) & set(held)
        assert target[held].mean() == pytest.approx(0.5, abs=0.05)
        assert target[fit].mean() == pytest.approx(0.5, abs=0.1)


def estimators() -> list[tuple[Any, str, list[float]]]:
    from interpret.glassbox import ExplainableBoostingClassifier
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.tree import DecisionTreeClassifier

    return [
        (HistGradientBoostingClassifier(), "max_leaf_nodes", [4, 10, 93]),
        (HistGradientBoostingClassifier(max_leaf_nodes=None), "max_leaf_nodes", [32, 64, 128]),
        (DecisionTreeClassifier(max_depth=3), "max_depth", [1, 9]),
        (RandomForestClassifier(max_depth=9), "max_depth", [1, 3, 27]),
        (KNeighborsClassifier(), "n_neighbors", [1, 2, 15]),
        (LogisticRegression(C=2.0), "C", [0.002, 0.2, 20.0, 2000.0]),
        (Ridge(alpha=1), "alpha", [0.001, 0.1, 10.0, 1000.0]),
        (ExplainableBoostingClassifier(max_rounds=5000), "max_rounds", [5, 50, 500]),
        (LinearRegression(), "", []),
    ]


@pytest.mark.parametrize("place", range(9))
def test_the_parameter_goes_by_the_kind(place: int) -> None:
    estimator, name, values = estimators()[place]
    found = main_parameter(estimator)
    assert (found.name if found else "") == name
    assert (list(found.values) if found else []) == values


def test_a_tree_without_a_limit_is_measured() -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier

    rng = np.random.default_rng(0)
    pipeline = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    pipeline.fit(rng.normal(size=(200, 2)), rng.integers(0, 2, 200))
    depth = pipeline[-1].get_depth()
    found = main_parameter(pipeline)
    assert found is not None
    assert (found.path, found.own) == ("decisiontreeclassifier__max_depth", None)
    assert found.values == [round(depth * part) for part in (1 / 8, 1 / 4, 1 / 2)]
    named = main_parameter(pipeline, "min_samples_leaf")
    assert named is not None
    assert (named.path, list(named.values)) == ("decisiontreeclassifier__min_samples_leaf", [3])
    assert main_parameter(pipeline, "none") is None


def test_weights_are_those_of_training() -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline

    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(100, 2)), columns=["x", "q"])
    table["w"] = np.where(table["q"] > 0, 1.0, 0.0)
    scores = []
    for weight in ("w", ""):
        fitted = make_pipeline(Ridge()).fit(table[["x"]], table["q"])
        model = Model(fitted, "regression", "q", {"x": "double"}, {"sample_weight": weight})
        folds = make_folds(table, model, 3, 0, time_column="", group_column="")
        point = Refitter(model, table, folds, ["rmse"], "auto").point(1.0)
        scores.append(point.held_out["rmse"].mean())
    # Rows below 0 do not count where they have no weight, and are predicted badly.
    assert scores[0] > scores[1] + 0.1


def test_a_fold_without_a_class_is_told() -> None:
    from sklearn.linear_model import LogisticRegression

    table = pd.DataFrame({"x": np.arange(20.0), "y": ["a"] * 18 + ["b"] * 2})
    fitted = LogisticRegression().fit(table[["x"]], table["y"])
    model = Model(fitted, "classification", "y", {"x": "double"}, {})
    folds = make_folds(table, model, 4, 0, time_column="x", group_column="")
    with pytest.raises(CannotRefitError, match=r"cannot be fitted|a fold has no auc"):
        Refitter(model, table, folds, ["auc"], "auto").point(1.0)
