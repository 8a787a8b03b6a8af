from __future__ import annotations

from pathlib import Path

import mlflow.sklearn
import numpy as np
import pandas as pd
import pytest
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from raikit.fairness import Settings, save_mitigated, sections, settle_price
from raikit.fairness.adjusted import GroupThresholdClassifier, Thresholds
from raikit.fairness.measures import Decisions
from raikit.fairness.mitigation import CONSTRAINTS, _Given, fit_thresholds, price_of
from raikit.groups import Grouping, group
from stepkit.model import load_model, score
from stepkit.program import StepError

pytestmark = pytest.mark.filterwarnings("ignore:::mlflow")


def biased(rows: int, seed: int) -> pd.DataFrame:
    """Return rows whose label goes to one sex more often."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], rows)
    skill = rng.normal(size=rows)
    chance = 1 / (1 + np.exp(-(2 * skill - 1.5 * (sex == "f"))))
    return pd.DataFrame(
        {
            "skill": skill,
            "sex": sex,
            "age": rng.integers(18, 80, rows).astype(float),
            "hired": np.where(rng.random(rows) < chance, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = biased(3000, 0)
    features = table[["skill", "sex"]]
    columns = make_column_transformer((OneHotEncoder(), ["sex"]), remainder="passthrough")
    fitted = make_pipeline(columns, LogisticRegression()).fit(features, table["hired"])
    place = tmp_path_factory.mktemp("model") / "model"
    mlflow.sklearn.save_model(
        fitted,
        str(place),
        signature=mlflow.models.infer_signature(features, fitted.predict(features)),
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        metadata={"target": "hired", "task": "classification"},
    )
    return place


def scored(rows: int, seed: int) -> tuple[Decisions, Grouping]:
    table = biased(rows, seed)
    chance = 1 / (1 + np.exp(-(2 * table["skill"] - 1.5 * (table["sex"] == "f"))))
    decisions = Decisions(
        (table["hired"] == "yes").to_numpy(), (chance > 0.5).to_numpy(), chance.to_numpy()
    )
    return decisions, group(table, "sex", {})


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_thresholds_decide_as_fairlearn_does(constraint: str) -> None:
    decisions, grouping = scored(2000, 1)
    optimizer = ThresholdOptimizer(
        estimator=_Given(),
        constraints=constraint,
        objective="accuracy_score",
        prefit=True,
        predict_method="predict",
    )
    given = decisions.score[:, None]
    optimizer.fit(given, decisions.truth.astype(int), sensitive_features=grouping.texts.astype(str))
    expected = optimizer._pmf_predict(given, sensitive_features=grouping.texts.astype(str))[:, 1]
    rules = fit_thresholds(decisions.truth, decisions.score, grouping.texts, constraint)
    assert set(rules) == {"f", "m"}
    for name, rule in rules.items():
        own = grouping.texts == name
        found = rule.probabilities(decisions.score[own])
        assert found == pytest.approx(expected[own], abs=1e-9)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_the_price_is_told_on_rows_that_were_not_fitted_on(constraint: str) -> None:
    decisions, grouping = scored(8000, 2)
    price = price_of(
        decisions, decisions.score, grouping, np.ones(2, dtype=bool), constraint, seed=0
    )
    assert price.rows == 4000
    assert price.before.value > 0.15
    assert price.after.low < 0.03
    assert price.after.value < 0.07
    assert price.change[1] < price.change[0] < price.change[2]
    assert price.change[0] == pytest.approx(price.accuracy_after[0] - price.accuracy_before[0])
    assert price.change[2] < 0.01  # equality is not free


def test_small_groups_are_left_as_they_are() -> None:
    decisions, grouping = scored(3000, 3)
    codes = grouping.codes.copy()
    codes[:20] = 2
    three = Grouping("sex", (*grouping.labels, "x"), codes)
    enough = np.array([True, True, False])
    price = price_of(decisions, decisions.score, three, enough, "demographic_parity", 0)
    assert set(price.thresholds) == {"f", "m"}
    assert price.rows == pytest.approx(1490, abs=10)


def test_the_mitigated_model_is_loaded_without_raikit(folder: Path, tmp_path: Path) -> None:
    test = biased(6000, 4)
    model = load_model(folder)
    settings = Settings(tmp_path, sensitive=("sex",))
    price, grouping, positive = settle_price(model, test, settings, "demographic_parity", "auto")
    save_mitigated(model, folder, test, grouping, price, positive, tmp_path / "mitigated")
    pickled = next((tmp_path / "mitigated").glob("*.pkl")).read_bytes()
    assert b"raikit.fairness.adjusted" in pickled  # by its name alone,
    assert b"positive_probabilities" in pickled  # since the class itself is there
    again = load_model(tmp_path / "mitigated")
    assert again.metadata["mitigation"] == "demographic_parity by sex"
    assert again.metadata["target"] == "hired"
    fresh = biased(20_000, 5)
    chosen = score(again, fresh).predicted == 1
    by_sex = [chosen[(fresh["sex"] == sex).to_numpy()].mean() for sex in "fm"]
    assert abs(by_sex[0] - by_sex[1]) < 0.05
    before = score(model, fresh).predicted == 1
    assert abs(np.subtract(*[before[(fresh["sex"] == s).to_numpy()].mean() for s in "fm"])) > 0.15


def test_a_column_that_is_no_feature_becomes_one(folder: Path, tmp_path: Path) -> None:
    test = biased(4000, 4)
    model = load_model(folder)
    settings = Settings(tmp_path, sensitive=("sex", "age"))
    price, grouping, positive = settle_price(model, test, settings, "equalized_odds", "age")
    save_mitigated(model, folder, test, grouping, price, positive, tmp_path / "mitigated")
    assert set(load_model(tmp_path / "mitigated").features) == {"skill", "sex", "age"}


def test_what_cannot_be_mitigated_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="nothing to mitigate"):
        settle_price(
            load_model(folder), biased(100, 0), Settings(tmp_path), "equalized_odds", "auto"
        )


class Chance:
    """A classifier whose chance of yes is its only feature."""

    classes_ = np.array(["no", "yes"])

    def predict_proba(self, table):
        chance = table["p"].to_numpy()
        return np.column_stack([1 - chance, chance])


def classifier(column: str, edges=(), ranges=(), thresholds=None) -> GroupThresholdClassifier:
    rules = thresholds or {"a": Thresholds(1.0, 0.2, 0.0, 0.0, 0.0)}
    return GroupThresholdClassifier(Chance(), ("p",), 1, column, edges, ranges, rules)


def test_a_row_is_decided_by_the_threshold_of_its_group_else_at_a_half() -> None:
    table = pd.DataFrame({"p": [0.3, 0.3, 0.6, 0.1], "g": ["a", "b", "b", "a"]})
    assert classifier("g").predict(table).tolist() == ["yes", "no", "yes", "no"]


def test_chance_is_the_same_for_the_same_row_and_as_often_as_asked() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"p": rng.random(20_000), "g": "a"})
    rules = {"a": Thresholds(0.25, -np.inf, np.inf, 0.0, 0.0)}
    model = classifier("g", thresholds=rules)
    first = model.predict(table)
    assert (first == "yes").mean() == pytest.approx(0.25, abs=0.015)
    assert model.predict(table.iloc[::-1])[::-1].tolist() == first.tolist()


@pytest.mark.parametrize(
    ("values", "ranges"),
    [
        ([1.0, 0.0, None], {}),
        ([True, False, True], {}),
        (["x", None, "y"], {}),
        ([1.5, 60.0, None], {"g": (25.0, 60.0)}),
    ],
)
def test_groups_are_called_as_in_the_analysis(values: list, ranges: dict) -> None:
    table = pd.DataFrame({"p": [0.5] * len(values), "g": values})
    found = group(table, "g", ranges)
    model = classifier("g", found.edges, found.ranges)
    assert model.groups(table).tolist() == found.texts.tolist()


def test_the_section_tells_the_price(folder: Path, tmp_path: Path) -> None:
    test = biased(6000, 6)
    settings = Settings(tmp_path, sensitive=("sex",))
    figures, (_, cost) = sections(load_model(folder), test, test, settings)
    named = {(each.name, each.cohort) for each in figures}
    assert ("mitigated_demographic_parity_difference", "sex") in named
    assert ("mitigation_accuracy_change", "sex, equalized_odds") in named
    assert "against the law" in cost.words[-1]
    assert len(cost.blocks[0].rows) == 2
