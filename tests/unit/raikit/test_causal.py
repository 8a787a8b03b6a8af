from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from raikit.causal import ASSUMPTIONS, Settings, analyse, sections
from stepkit.findings import write_findings
from stepkit.model import Model
from stepkit.program import StepError

FEATURES = {"t": "double", "w": "double", "v": "double", "c": "string"}
ASKED = Settings(treatment_features=("t", "c"))


def simulated(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows where one more t makes 2 more y, b instead of a 3 more, and c none.

    What goes with t and y alike, w and v, would make it 2.8 to who does not hold it fixed.
    """
    rng = np.random.default_rng(seed)
    w, v = rng.normal(size=rows), rng.normal(size=rows)
    t = w + 0.5 * v + rng.normal(size=rows)
    c = rng.choice(list("abc"), rows).astype(object)
    y = 2 * t + w + v + 3.0 * (c == "b") + rng.normal(size=rows)
    return pd.DataFrame({"t": t, "w": w, "v": v, "c": c, "y": y})


def analysed(train: pd.DataFrame, settings: Settings, **changes):
    given = {"target": "y", "task": "regression", "features": FEATURES, **changes}
    return analyse(train, train.iloc[:60], settings=settings, **given)


def test_known_effects_are_found() -> None:
    table = simulated(1500)
    slope = np.polyfit(table["t"], table["y"], 1)[0]
    assert slope > 2.5  # what a look at the data alone would say
    found = analysed(table, ASKED)
    assert [(each.treatment, each.value, each.baseline) for each in found.effects] == [
        ("t", "", ""),
        ("c", "b", "a"),
        ("c", "c", "a"),
    ]
    for effect, known in zip(found.effects, (2.0, 3.0, 0.0), strict=True):
        assert effect.low < known < effect.high
        assert effect.point == pytest.approx(known, abs=0.15)
        assert effect.individual == pytest.approx(np.full(60, known), abs=0.6)
    assert found.effects[0].p_value < 1e-6 < found.effects[2].p_value
    assert found.outcome == "y"
    assert found.left_out == {}


def test_effects_that_differ_are_told_row_by_row_and_by_a_tree() -> None:
    table = simulated(1500)
    table["y"] += np.where(table["c"] == "c", -4, 0) * table["t"]
    found = analysed(table, replace(ASKED, treatment_features=("t",)))
    individual = pd.Series(found.effects[0].individual, index=found.index)
    told = table.loc[found.index, "c"]
    assert individual[told == "c"].mean() == pytest.approx(-2, abs=0.3)
    assert individual[told != "c"].mean() == pytest.approx(2, abs=0.3)
    (policy,) = found.policies
    assert [rule.condition for rule in policy.rules] == ["", "c is not c", "c is c"]
    assert [rule.treatment for rule in policy.rules] == ["", "increase", "decrease"]
    assert policy.rules[0].rows == 60
    assert policy.gain > policy.always["increase"]
    recommended = policy.individual["recommended"]
    assert set(recommended[told[told == "c"].index]) == {"decrease"}


def test_costs_count_against_a_treatment() -> None:
    table = simulated(800)
    asked = replace(ASKED, treatment_cost={"c": 5.0, "t": 1.0})
    found = analysed(table, asked)
    number, names = found.policies
    assert {rule.treatment for rule in names.rules if rule.treatment} == {"a"}
    assert names.gain == pytest.approx(0, abs=1e-9)
    assert names.always["b"] == pytest.approx(-2, abs=0.3)
    # A tenth of a typical t brings twice of it, and costs once.
    step = 0.1 * table["t"].abs().mean()
    assert number.individual["gain"].mean() == pytest.approx(step, rel=0.2)
    assert number.gain == pytest.approx(step, rel=0.2)


@pytest.mark.slow
def test_the_outcome_of_two_classes_is_a_probability() -> None:
    table = simulated(1500)
    table["y"] = np.where(table["y"] > 0, "yes", "no")
    found = analysed(table, replace(ASKED, treatment_features=("t",)), task="classification")
    assert found.outcome == "y = yes"
    assert 0 < found.effects[0].low < found.effects[0].point < 1
    other = analysed(
        table,
        replace(ASKED, treatment_features=("t",)),
        task="classification",
        positive_label="no",
    )
    assert other.effects[0].point == pytest.approx(-found.effects[0].point, abs=0.02)


@pytest.mark.slow
def test_missing_values_and_rare_names_do_not_stop_it() -> None:
    table = simulated(800)
    table.loc[table.index[::9], ["t", "c"]] = None
    table.loc[table.index[::7], "w"] = np.nan
    table["t"] = table["t"].astype(float)
    table["d"] = [f"id {number}" for number in range(len(table))]
    table["when"] = pd.Timestamp("2024-01-01")
    features = {**FEATURES, "d": "string", "when": "datetime"}
    found = analysed(table, ASKED, features=features)
    assert found.left_out == {}
    assert found.effects[0].point == pytest.approx(2, abs=0.4)


def test_treatments_that_cannot_be_compared_are_left_out_with_the_reason() -> None:
    table = simulated(400)
    table.loc[table.index[:3], "c"] = "rare"
    table["v"] = 1.0
    found = analysed(table, replace(ASKED, treatment_features=("t", "c", "v")))
    assert [each.treatment for each in found.effects] == ["t"]
    assert "fewer than 10 rows" in found.left_out["c"]
    assert "one value" in found.left_out["v"]
    few = replace(ASKED, upper_bound_on_cat_expansion=2)
    assert "upper_bound_on_cat_expansion" in analysed(simulated(400), few).left_out["c"]


def test_the_name_that_others_are_compared_with_can_be_set() -> None:
    asked = replace(ASKED, treatment_features=("c",), categories={"c": ["b", "a", "c"]})
    found = analysed(simulated(800), asked)
    assert [(each.value, each.baseline) for each in found.effects] == [("a", "b"), ("c", "b")]
    assert found.effects[0].point == pytest.approx(-3, abs=0.3)
    assert found.effects[0].name == "c: a (not b)"


@pytest.mark.slow
def test_intervals_cover_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(100):
        found = analysed(simulated(400, seed), replace(ASKED, treatment_features=("t",)))
        covered += found.effects[0].low < 2 < found.effects[0].high
    # 95 of 100, give or take three standard deviations.
    assert 88 <= covered <= 100


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"nuisance_model": "automl"}, {"heterogeneity_model": "forest"}]
)
def test_the_heavier_models_find_it_too(change) -> None:
    asked = replace(ASKED, treatment_features=("t",), **change)
    (effect,) = analysed(simulated(600), asked).effects
    assert effect.point == pytest.approx(2, abs=0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"treatment_features": ()}, "no treatment to tell"),
        ({"treatment_features": ("x",)}, "no treatment column 'x'"),
        ({"heterogeneity_features": ("x",)}, "no heterogeneity column 'x'"),
        ({"alpha": 5}, "alpha is 5"),
        ({"nuisance_model": "deep"}, "no nuisance_model 'deep'"),
        ({"max_tree_depth": 0}, "policy tree"),
    ],
)
def test_what_cannot_be_asked_is_said(change, message) -> None:
    with pytest.raises(StepError, match=message):
        analysed(simulated(50), replace(ASKED, **change))


def test_more_than_two_classes_are_refused() -> None:
    table = simulated(100)
    with pytest.raises(StepError, match="has 3 classes"):
        analysed(table, ASKED, target="c", task="classification")
    with pytest.raises(StepError, match="no treatment varies"):
        analysed(table.assign(t=1.0), replace(ASKED, treatment_features=("t",)))


MODEL = Model(None, "regression", "y", FEATURES, {})


def test_sections_choose_treatments_and_state_what_must_hold(tmp_path) -> None:
    table = simulated(600)
    figures, (section,) = sections(MODEL, table, table, Settings(immutable=("v",)))
    assert [each.cohort for each in figures] == ["t", "w"]
    assert figures[0].name == "causal_effect"
    assert figures[0].low < 2 < figures[0].high
    words = " ".join(section.words)
    assert "One more unit of t raises y by" in words
    assert "name the treatments that are yours" in words
    assert all(each in words for each in ASSUMPTIONS)
    _, table_block, choice = section.blocks
    assert len(table_block.rows) == 2
    assert list(choice.options) == ["t", "w"]
    write_findings(tmp_path, "responsible_ai", [section])


@pytest.mark.slow
def test_a_column_that_another_repeats_is_not_relied_on() -> None:
    table = simulated(400)
    table["code"] = table["c"].map({"a": 1.0, "b": 2.0, "c": 3.0})
    features = {**FEATURES, "code": "double"}
    model = replace(MODEL, features=features)
    chosen, _ = sections(model, table, table, Settings())
    assert "code" not in {each.cohort for each in chosen}
    named = Settings(treatment_features=("code", "t"))
    found = analysed(table, named, features=features)
    assert found.unexplained["code"] == pytest.approx(0, abs=1e-9)
    # Of t, w and v explain 1.25 of 2.25.
    assert found.unexplained["t"] == pytest.approx(1 / 2.25, abs=0.08)
    _, (section,) = sections(model, table, table, named)
    assert any(words.startswith("code is all but told") for words in section.words)


def test_sections_of_more_classes_say_why_there_are_none() -> None:
    model = replace(MODEL, task="classification", target="c")
    figures, (section,) = sections(model, simulated(100), simulated(100), Settings())
    assert figures == ()
    assert "this has 3" in section.words[0]
