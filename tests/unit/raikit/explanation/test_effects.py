from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.unit.raikit.explanation.models import Formula, quantity

from raikit.explanation.effects import FEWEST_ROWS, category_ale, effect_of, similarity_order
from raikit.explanation.subject import Subject


def correlated(rows: int = 20_000, rho: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    a, rest = rng.normal(size=(2, rows))
    return pd.DataFrame({"a": a, "b": rho * a + np.sqrt(1 - rho**2) * rest})


def of_formula(formula: object, X: pd.DataFrame) -> Subject:
    return quantity(Formula(formula), X)


def test_ale_and_dependence_of_an_additive_function_are_its_part() -> None:
    X = correlated(2_000)
    found = effect_of(of_formula(lambda Z: Z["a"] ** 2 + 3 * Z["b"], X), "a", X, few=2_000)
    at = np.asarray(found.grid)
    # ALE is exact at the ends of its bins; its mean is taken straight between them.
    assert np.diff(found.ale[:, 0]) == pytest.approx(np.diff(at**2), abs=1e-9)
    centre = np.interp(X["a"], at, at**2).mean()
    assert found.ale[:, 0] == pytest.approx(at**2 - centre, abs=1e-9)
    assert found.dependence[:, 0] == pytest.approx(at**2 + 3 * X["b"].mean(), abs=1e-9)


def test_of_a_line_ale_is_slope_times_difference_from_the_mean() -> None:
    X = correlated(500)
    found = effect_of(of_formula(lambda Z: 2 * Z["a"] - Z["b"], X), "a", X)
    expected = 2 * (np.asarray(found.ale_grid) - X["a"].mean())
    assert found.ale[:, 0] == pytest.approx(expected, abs=1e-9)


def test_where_columns_go_together_ale_is_of_what_there_is() -> None:
    # f = a b with correlation rho: E[df/da | a] = E[b | a] = rho a, so ALE is rho (a^2 - 1) / 2,
    # while partial dependence, a E[b], is flat (Apley and Zhu 2020, section 3).
    X = correlated(rho=0.8)
    found = effect_of(of_formula(lambda Z: Z["a"] * Z["b"], X), "a", X, few=4_000, points=40)
    at = np.asarray(found.ale_grid)
    inner = np.abs(at) < 2
    assert found.ale[inner, 0] == pytest.approx(0.8 * (at[inner] ** 2 - 1) / 2, abs=0.06)
    assert np.abs(found.dependence[inner, 0]).max() < 0.1
    # ICE: each row's own line has its b for slope.
    slopes = np.diff(found.curves[:, :, 0], axis=1) / np.diff(at)
    assert slopes == pytest.approx(np.repeat(X["b"].to_numpy()[:25, None], len(at) - 1, 1))


def test_a_column_that_the_model_does_not_use_has_no_effect() -> None:
    X = correlated(300).assign(idle=np.arange(300.0))
    found = effect_of(of_formula(lambda Z: Z["a"], X), "idle", X)
    assert np.abs(found.ale).max() == 0
    assert np.ptp(found.dependence) == pytest.approx(0, abs=1e-12)


def test_the_effect_of_a_category_is_its_own_whatever_goes_with_it() -> None:
    rng = np.random.default_rng(1)
    level = rng.choice(["low", "mid", "high"], size=900, p=[0.5, 0.3, 0.2])
    place = pd.Series(level).map({"low": 0.0, "mid": 1.0, "high": 2.0})
    X = pd.DataFrame({"k": level.astype(object), "b": place + rng.normal(scale=0.1, size=900)})
    worth = {"low": 1.0, "mid": 5.0, "high": 2.0}
    found = effect_of(of_formula(lambda Z: Z["k"].map(worth) + 10 * Z["b"], X), "k", X)
    # Neighbours are those alike in b.
    assert list(found.ale_grid) in (["low", "mid", "high"], ["high", "mid", "low"])
    mean = X["k"].map(worth).mean()
    expected = [worth[str(name)] - mean for name in found.ale_grid]
    assert found.ale[:, 0] == pytest.approx(expected, abs=1e-9)
    assert found.grid[0] == "low"  # the most frequent
    assert found.dependence[0, 0] - found.dependence[1, 0] == pytest.approx(1.0 - 5.0)


def test_missing_values_are_a_category_or_left_out(mixed_rows: pd.DataFrame) -> None:
    X = mixed_rows[["a", "b", "c"]]
    subject = of_formula(lambda Z: Z["b"].fillna(0) + Z["c"].isna() * 4, X)
    category, number = effect_of(subject, "c", X), effect_of(subject, "b", X)
    assert "(missing)" in category.grid
    at = list(category.grid).index("(missing)")
    assert category.dependence[at, 0] - category.dependence[0, 0] == pytest.approx(4)
    assert number.missing == int(X["b"].isna().sum()) > 0
    assert number.ale_rows == int(X["b"].notna().sum())


def test_a_column_that_is_mostly_zero_has_its_other_values_told() -> None:
    rng = np.random.default_rng(2)
    gain = np.where(rng.random(1_000) < 0.95, 0.0, rng.uniform(1, 100, 1_000))
    X = pd.DataFrame({"gain": gain})
    found = effect_of(of_formula(lambda Z: (Z["gain"] > 50) * 1.0, X), "gain", X)
    assert len(found.grid) > 8
    steps = np.diff(found.dependence[:, 0])
    assert (steps > 0).sum() == 1


def test_rare_and_many_categories_are_left_out_and_counted() -> None:
    names = [f"k{number:02}" for number in range(30) for _ in range(20)] + ["rare"] * 3
    X = pd.DataFrame({"k": np.array(names, dtype=object), "b": 1.0})
    found = effect_of(of_formula(lambda Z: Z["b"], X), "k", X)
    assert (len(found.grid), found.left_out) == (15, 16)
    few = X[X["k"].isin(["k00", "k01", "rare"])]
    assert FEWEST_ROWS > 3
    assert list(effect_of(of_formula(lambda Z: Z["b"], X), "k", few).grid) == ["k00", "k01"]


def test_constant_and_empty_columns_have_no_shape() -> None:
    X = pd.DataFrame({"a": [1.0] * 20, "e": [np.nan] * 20, "k": ["x"] * 20})
    subject = of_formula(lambda Z: Z["a"], X)
    assert effect_of(subject, "a", X).ale.tolist() == [[0.0]]
    assert effect_of(subject, "k", X).ale.tolist() == [[0.0]]
    assert len(effect_of(subject, "e", X).grid) == 0


def test_times_have_an_order() -> None:
    times = pd.Series(pd.date_range("2024-01-01", periods=100))
    X = pd.DataFrame({"t": times})
    start = times.iloc[0]
    model = Formula(lambda Z: (Z["t"] - start).dt.days * 2.0)
    found = effect_of(Subject(model, "regression", "y", {"t": "datetime"}), "t", X)
    assert found.grid[0] == "2024-01-01T00:00:00"
    assert found.ale[-1, 0] - found.ale[0, 0] == pytest.approx(198)


def test_the_order_of_categories_follows_their_likeness() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(4, size=2_000)
    hidden = np.array([2.0, 0.0, 3.0, 1.0])[codes]
    others = pd.DataFrame({"z": hidden + rng.normal(scale=0.3, size=2_000)})
    subject = of_formula(lambda Z: Z["z"], others)
    order = similarity_order(subject, others, codes, 4).tolist()
    assert order in ([1, 3, 0, 2], [2, 0, 3, 1])


def test_rows_of_other_categories_are_not_in_ale() -> None:
    X = pd.DataFrame({"k": np.array(["a", "b", "c"] * 10, dtype=object)})
    subject = of_formula(lambda Z: (Z["k"] == "a") * 1.0, X)
    _, effects, rows = category_ale(subject, "k", X, ["a", "b"], "value")
    assert rows == 20
    assert sorted(effects[:, 0]) == pytest.approx([-0.5, 0.5])
