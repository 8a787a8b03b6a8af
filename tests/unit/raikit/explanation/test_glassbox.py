from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor
from tests.unit.raikit.explanation.models import brute_force, classes, quantity

from raikit.explanation.glassbox import (
    column_importances,
    ebm_of,
    intercept,
    own_terms,
    terms_of,
)
from raikit.explanation.shapley import contributions
from raikit.explanation.subject import Subject

# Of missing values, when an EBM is fitted.
pytestmark = pytest.mark.filterwarnings("ignore:Missing values detected")
SMALL = {"outer_bags": 3, "max_rounds": 600, "n_jobs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def regressor(mixed_rows: pd.DataFrame) -> Subject:
    X = mixed_rows[["a", "c", "b", "d"]]
    model = ExplainableBoostingRegressor(interactions=[(0, 3)], **SMALL)
    return quantity(model.fit(X, mixed_rows["y"]), X)


@pytest.fixture(scope="module")
def X(mixed_rows: pd.DataFrame) -> pd.DataFrame:
    return mixed_rows[["a", "c", "b", "d"]]


def test_terms_add_up_to_the_score(regressor: Subject, X: pd.DataFrame) -> None:
    ebm = ebm_of(regressor)
    terms = own_terms(regressor, ebm, X)
    score = intercept(regressor, ebm) + terms.sum(axis=1)
    assert score[:, 0] == pytest.approx(ebm.predict(X), abs=1e-9)


def test_contributions_add_up_and_share_pairs(regressor: Subject, X: pd.DataFrame) -> None:
    found = contributions(regressor, X.head(50), X)
    assert (found.method, found.unit) == ("terms", "value")
    assert found.additivity_error < 1e-9
    # c and b are in no pair: theirs are their exact Shapley values.
    expected = brute_force(lambda Z: regressor.scores(Z, "value"), X.head(1), X)
    assert found.values[0, [1, 2]] == pytest.approx(expected[[1, 2]], abs=1e-9)


def test_curves_follow_what_the_rows_were_made_by(regressor: Subject) -> None:
    terms = {term.name: term for term in terms_of(regressor)}
    assert set(terms) == {"a", "c", "b", "d", "a and d"}
    where, colour, deviation = terms["c"].curve(0)
    worth = dict(zip(where, colour, strict=True))
    assert worth["red"] - worth["green"] == pytest.approx(2, abs=0.5)
    assert "(missing)" in worth
    assert (deviation >= 0).all()
    assert deviation.max() > 0
    at, height, _ = terms["b"].curve(0)
    assert list(at) == sorted(at)
    assert len(at) == len(height)
    assert height[0] > height[-1]  # y falls with b
    assert terms["a and d"].scores.ndim == 3
    assert terms["a and d"].scores.shape[:2] == terms["a and d"].counts.shape
    strengths = [term.importance for term in terms.values()]
    assert strengths == sorted(strengths, reverse=True)


def test_a_curve_is_what_the_model_adds(regressor: Subject, X: pd.DataFrame) -> None:
    ebm = ebm_of(regressor)
    term = next(each for each in terms_of(regressor) if each.name == "b")
    at, height, _ = term.curve(0)
    value = X["b"].dropna().iloc[0]
    row = X[X["b"] == value].head(1)
    place = np.searchsorted(np.asarray(at[1:-1], dtype=float), value, side="right")
    added = own_terms(regressor, ebm, row)[0, list(ebm.term_names_).index("b"), 0]
    assert height[place] == pytest.approx(added)


def test_a_pairs_importance_is_shared(regressor: Subject) -> None:
    terms = terms_of(regressor)
    shared = column_importances(terms, 4)
    assert shared.sum() == pytest.approx(sum(term.importance for term in terms))
    own = {term.name: term.importance for term in terms}
    assert shared[0] == pytest.approx(own["a"] + own["a and d"] / 2)


@pytest.mark.parametrize("positive", [0, 1])
def test_of_two_classes_the_positive_one_is_told(
    mixed_rows: pd.DataFrame, X: pd.DataFrame, positive: int
) -> None:
    model = ExplainableBoostingClassifier(interactions=0, **SMALL).fit(X, mixed_rows["y"] > 0)
    subject = classes(model, X, positive)
    found = contributions(subject, X.head(20), X)
    assert (found.method, found.unit) == ("terms", "log_odds")
    odds = model.predict_proba(X.head(20))
    expected = np.log(odds[:, positive] / odds[:, 1 - positive])
    assert found.scores[:, 0] == pytest.approx(expected)
    assert found.additivity_error < 1e-9
    term = next(each for each in terms_of(subject) if each.name == "c")
    worth = dict(zip(*term.curve(0)[:2], strict=True))
    assert (worth["red"] > worth["green"]) == (positive == 1)


def test_of_three_classes_terms_are_against_their_mean(
    mixed_rows: pd.DataFrame, X: pd.DataFrame
) -> None:
    model = ExplainableBoostingClassifier(interactions=0, **SMALL)
    subject = classes(model.fit(X, np.digitize(mixed_rows["y"], [-1, 1])), X, None)
    found = contributions(subject, X.head(20), X, unit="log_odds")
    assert found.method == "terms"
    assert found.additivity_error < 1e-9
    for term in terms_of(subject):
        assert term.scores.shape[-1] == 3
        assert term.scores.sum(axis=-1) == pytest.approx(0, abs=1e-9)


def test_other_models_have_no_terms(X: pd.DataFrame) -> None:
    from sklearn.linear_model import LinearRegression

    assert terms_of(quantity(LinearRegression(), X)) == ()
