from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor
from tests.unit.raikit.explanation.models import Formula, brute_force, classes, quantity

from raikit.explanation.shapley import contributions, permutation_shapley

# Of matplotlib, when shap is imported.
pytestmark = pytest.mark.filterwarnings("ignore:The set_:PendingDeprecationWarning")
FEATURES = ["a", "c", "b", "d", "noise"]


def one_hot() -> ColumnTransformer:
    number = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return ColumnTransformer(
        [
            ("category", OneHotEncoder(handle_unknown="ignore"), ["c", "d"]),
            ("n", number, ["a", "b", "noise"]),
        ]
    )


def ordinal() -> ColumnTransformer:
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, encoded_missing_value=np.nan
    )
    return ColumnTransformer(
        [("category", encoder, ["c", "d"]), ("n", "passthrough", ["a", "b", "noise"])]
    )


def test_of_a_linear_model_they_are_coefficient_times_difference_from_the_mean() -> None:
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(200, 3)), columns=["a", "b", "c"])
    model = LinearRegression().fit(X, X @ [2.0, -1.0, 0.0] + 5)
    found = contributions(quantity(model, X), X.head(20), X)
    expected = model.coef_ * (X.head(20).to_numpy() - X.to_numpy().mean(axis=0))
    assert found.method == "linear"
    assert found.values[:, :, 0] == pytest.approx(expected, abs=1e-12)
    assert found.base == pytest.approx(model.predict(X).mean())
    assert found.additivity_error < 1e-12
    # An irrelevant column gets nothing.
    assert np.abs(found.values[:, 2]).max() < 1e-12


def test_linear_values_are_those_of_shap(mixed_rows: pd.DataFrame) -> None:
    import shap

    X = mixed_rows[["a", "noise"]]
    model = LogisticRegression().fit(X, mixed_rows["y"] > 0)
    masker = shap.maskers.Independent(X, max_samples=len(X))
    theirs = shap.LinearExplainer(model, masker).shap_values(X)
    found = contributions(classes(model, X), X, X)
    assert found.unit == "log_odds"
    assert found.values[:, :, 0] == pytest.approx(np.asarray(theirs), abs=1e-9)


def test_one_hot_columns_are_summed_to_their_column(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[FEATURES]
    model = make_pipeline(one_hot(), LogisticRegression()).fit(X, mixed_rows["y"] > 0)
    subject = classes(model, X)
    found = contributions(subject, X.head(5), X)
    assert found.method == "linear"
    for row in range(5):
        expected = brute_force(lambda Z: subject.scores(Z, "log_odds"), X.iloc[[row]], X)
        # Additive of the raw columns, so that their own Shapley values are the sums.
        assert found.values[row] == pytest.approx(expected, abs=1e-9)


@pytest.mark.slow
def test_categories_of_histogram_boosting_are_split_as_it_splits_them(
    mixed_rows: pd.DataFrame,
) -> None:
    X = mixed_rows[FEATURES]
    model = Pipeline(
        [
            ("encode", ordinal()),
            ("model", HistGradientBoostingRegressor(max_iter=20, categorical_features=[0, 1])),
        ]
    ).fit(X, mixed_rows["y"])
    subject = quantity(model, X)
    rows = X.head(6).copy()
    rows.loc[rows.index[0], "c"] = "violet"  # which training never had
    background = X.tail(8)
    found = contributions(subject, rows, background)
    assert found.method == "trees"
    assert found.additivity_error < 1e-9
    for row in range(len(rows)):
        expected = brute_force(lambda Z: subject.scores(Z, "value"), rows.iloc[[row]], background)
        assert found.values[row] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("positive", [0, 1])
def test_the_positive_class_is_explained(mixed_rows: pd.DataFrame, positive: int) -> None:
    X = mixed_rows[["a", "b"]]
    model = HistGradientBoostingClassifier(max_iter=10).fit(X, mixed_rows["y"] > 0)
    subject = classes(model, X, positive)
    found = contributions(subject, X.head(4), X.head(50))
    assert (found.method, found.unit) == ("trees", "log_odds")
    for row in range(4):
        expected = brute_force(lambda Z: subject.scores(Z, "log_odds"), X.iloc[[row]], X.head(50))
        assert found.values[row] == pytest.approx(expected, abs=1e-9)


def test_tree_values_are_those_of_shap_where_all_splits_are_of_numbers(
    mixed_rows: pd.DataFrame,
) -> None:
    import shap

    # Rounded, since shap sends values next to a threshold the other way.
    X = mixed_rows[["a", "noise"]].round(1)
    model = HistGradientBoostingRegressor(max_iter=15).fit(X, mixed_rows["y"])
    theirs = shap.TreeExplainer(model, X.head(60), feature_perturbation="interventional")
    found = contributions(quantity(model, X), X.tail(30), X.head(60))
    assert found.values[:, :, 0] == pytest.approx(theirs.shap_values(X.tail(30)), abs=1e-6)


@pytest.mark.parametrize(
    "end",
    [
        RandomForestClassifier(n_estimators=8, max_depth=5, random_state=0),
        GradientBoostingClassifier(n_estimators=8, random_state=0),
    ],
)
@pytest.mark.slow
def test_forests_and_boosted_trees_have_raw_columns_as_players(
    mixed_rows: pd.DataFrame, end: object
) -> None:
    X = mixed_rows[FEATURES]
    model = make_pipeline(one_hot(), end).fit(X, mixed_rows["y"] > 0)
    subject = classes(model, X)
    found = contributions(subject, X.head(3), X.tail(10))
    forest = isinstance(end, RandomForestClassifier)
    assert (found.method, found.unit) == ("trees", "probability" if forest else "log_odds")
    for row in range(3):
        expected = brute_force(lambda Z: subject.scores(Z, found.unit), X.iloc[[row]], X.tail(10))
        assert found.values[row] == pytest.approx(expected, abs=1e-9)


def test_one_tree_of_additive_steps_gives_each_column_its_own() -> None:
    # y = 2 [a > 0] + 3 [b > 0]: each column's value is its step less the share of rows above.
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.choice([-1.0, 1.0], size=(400, 3)), columns=["a", "b", "idle"])
    model = DecisionTreeRegressor().fit(X, 2.0 * (X["a"] > 0) + 3.0 * (X["b"] > 0))
    found = contributions(quantity(model, X), X, X)
    for place, (name, step) in enumerate((("a", 2.0), ("b", 3.0))):
        expected = step * ((X[name] > 0) - (X[name] > 0).mean())
        assert found.values[:, place, 0] == pytest.approx(expected.to_numpy(), abs=1e-9)
    assert np.abs(found.values[:, 2]).max() == 0


@pytest.mark.slow
def test_of_three_classes_contributions_are_to_probabilities(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "b"]].fillna(0)
    model = RandomForestClassifier(n_estimators=5, max_depth=4, random_state=0)
    model.fit(X, np.digitize(mixed_rows["y"], [-1, 1]))
    subject = classes(model, X, None)
    found = contributions(subject, X.head(4), X.tail(30))
    assert (found.method, found.unit) == ("trees", "probability")
    assert found.values.shape == (4, 2, 3)
    assert found.values.sum(axis=2) == pytest.approx(0, abs=1e-12)
    expected = brute_force(lambda Z: subject.scores(Z, "probability"), X.head(1), X.tail(30))
    assert found.values[0] == pytest.approx(expected, abs=1e-9)


def test_log_odds_of_three_classes_are_against_their_mean(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "b"]].fillna(0)
    model = LogisticRegression().fit(X, np.digitize(mixed_rows["y"], [-1, 1]))
    found = contributions(classes(model, X, None), X.head(9), X, unit="log_odds")
    assert (found.method, found.unit) == ("linear", "log_odds")
    raw = model.decision_function(X.head(9))
    assert found.scores == pytest.approx(raw - raw.mean(axis=1, keepdims=True), abs=1e-9)
    assert found.additivity_error < 1e-9


def test_a_mix_of_columns_is_explained_by_predictions(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "noise"]].assign(z=mixed_rows["a"] ** 2)
    model = make_pipeline(PCA(2), LinearRegression()).fit(X, mixed_rows["y"])
    found = contributions(quantity(model, X), X.head(10), X.tail(40))
    assert found.method == "permutation"
    assert found.note == "the model mixes raw columns before it learns from them"
    slopes = model[-1].coef_ @ model[0].components_
    expected = slopes * (X.head(10).to_numpy() - X.tail(40).to_numpy().mean(axis=0))
    assert found.values[:, :, 0] == pytest.approx(expected, abs=1e-9)


def test_another_unit_than_the_trees_add_up_in_is_explained_by_predictions(
    mixed_rows: pd.DataFrame,
) -> None:
    X = mixed_rows[["a", "b"]]
    model = HistGradientBoostingClassifier(max_iter=5).fit(X, mixed_rows["y"] > 0)
    subject = classes(model, X)
    found = contributions(subject, X.head(3), X.tail(20), unit="probability")
    assert (found.method, found.unit) == ("permutation", "probability")
    assert "does not add up to the model's probability" in found.note
    for row in range(3):  # exact, since two columns have no interaction of three
        expected = brute_force(
            lambda Z: subject.scores(Z, "probability"), X.iloc[[row]], X.tail(20)
        )
        assert found.values[row] == pytest.approx(expected, abs=1e-9)


def test_permutation_is_exact_of_pairs_and_additive_of_any(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[FEATURES].fillna({"b": 0.0})

    def pairs(Z: pd.DataFrame) -> np.ndarray:
        return ((Z["a"] * Z["b"] + (Z["c"] == "red") * Z["a"]).to_numpy())[:, None]

    found = permutation_shapley(pairs, X.head(4), X.tail(9), rounds=1)
    for row in range(4):
        expected = brute_force(pairs, X.iloc[[row]], X.tail(9))
        assert found[row] == pytest.approx(expected, abs=1e-12)
    assert np.abs(found[:, 3:]).max() < 1e-12  # columns that the formula does not use

    def triple(Z: pd.DataFrame) -> np.ndarray:
        return (Z["a"] * Z["b"] * (Z["d"] == "x")).to_numpy()[:, None]

    found = permutation_shapley(triple, X.head(30), X.tail(9), rounds=2)
    missed = triple(X.head(30)) - triple(X.tail(9)).mean(axis=0) - found.sum(axis=1)
    assert np.abs(missed).max() < 1e-12


def test_what_permutation_may_ask_for_is_kept_to() -> None:
    asked = []

    def formula(Z: pd.DataFrame) -> pd.Series:
        asked.append(len(Z))
        return Z["a"] + Z["b"] * Z["c"]

    X = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 3)), columns=["a", "b", "c"])
    found = contributions(quantity(Formula(formula), X), X.head(50), X, most_predictions=3_000)
    assert found.method == "permutation"
    assert "against 15 background rows" in found.note
    assert sum(asked) <= 3_000 + 50 + 50 + 100 + 15
    assert found.additivity_error < 1e-12


def test_one_column_gets_all_of_it() -> None:
    X = pd.DataFrame({"a": [1.0, 2.0, 6.0]})
    found = contributions(quantity(Formula(lambda Z: Z["a"] ** 2), X), X, X)
    assert found.values[:, 0, 0] == pytest.approx(X["a"] ** 2 - (X["a"] ** 2).mean())


def test_a_model_of_neighbours_is_explained_too(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "noise"]]
    model = KNeighborsClassifier().fit(X, mixed_rows["y"] > 0)
    found = contributions(classes(model, X), X.head(5), X.tail(30))
    assert (found.method, found.note) == (
        "permutation",
        "KNeighborsClassifier has no explainer of its own",
    )
    assert found.additivity_error < 1e-12


def test_certain_rows_do_not_hide_that_contributions_add_up(mixed_rows: pd.DataFrame) -> None:
    # So sure that floats cannot tell the log-odds from the probability.
    X = mixed_rows[["a", "noise"]].assign(a=lambda rows: rows["a"] * 100)
    model = LogisticRegression(C=1e6, max_iter=10_000).fit(X, X["a"] > 0)
    found = contributions(classes(model, X), X, X)
    assert found.method == "linear"
    expected = model.coef_[0] * (X.to_numpy() - X.to_numpy().mean(axis=0))
    assert found.values[:, :, 0] == pytest.approx(expected)
    assert found.base == pytest.approx(model.decision_function(X).mean(), rel=1e-6)


def test_the_logarithm_is_the_unit_of_a_model_that_adds_up_in_it(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "b"]]
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=10)
    model.fit(X, np.exp(mixed_rows["a"]))
    found = contributions(quantity(model, X), X.head(9), X.tail(30))
    assert (found.method, found.unit) == ("trees", "log_value")


def test_boosted_trees_of_another_library_are_explained_by_shap(mixed_rows: pd.DataFrame) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    X = mixed_rows[FEATURES]
    end = lightgbm.LGBMRegressor(n_estimators=10, verbose=-1, n_jobs=1)
    encode = one_hot().set_output(transform="default")
    Z = encode.fit_transform(X)
    end.fit(Z, mixed_rows["y"])
    subject = quantity(Pipeline([("encode", encode), ("model", end)]), X)
    found = contributions(subject, X.head(9), X.tail(30))
    assert found.method == "shap_trees", found.note
    assert found.additivity_error < 1e-3
    assert found.values.shape == (9, 5, 1)


def test_intervals_hold_the_mean() -> None:
    X = pd.DataFrame({"a": np.random.default_rng(3).normal(size=400), "b": 1.0})
    found = contributions(quantity(LinearRegression().fit(X, X["a"]), X), X, X)
    low, high = found.interval()
    # E|z| of a standard normal is sqrt(2 / pi), the deviation sqrt(1 - 2 / pi).
    assert low[0] < np.sqrt(2 / np.pi) < high[0]
    assert high[0] - low[0] == pytest.approx(2 * 1.96 * np.sqrt(1 - 2 / np.pi) / 20, rel=0.15)
    assert low[1] == high[1] == 0
