from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    precision_score,
    roc_auc_score,
)

from raikit.fairness.measures import (
    Decisions,
    Quantities,
    by_group,
    gaps,
    quantities_by_group,
)
from raikit.groups import Grouping

EXACT = {"abs": 1e-9, "rel": 0}


def decided(rows: int, seed: int, groups: int = 3) -> tuple[Decisions, Grouping]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, groups, rows)
    truth = rng.random(rows) < 0.3 + 0.1 * codes
    score = np.clip(0.35 * truth + rng.random(rows) * 0.65 - 0.05 * codes, 0, 1)
    labels = tuple("abcdef"[:groups])
    return Decisions(truth, score > 0.5, score), Grouping("g", labels, codes)


@pytest.mark.parametrize("seed", range(3))
def test_rates_of_groups_are_those_of_fairlearn_and_scikit_learn(seed: int) -> None:
    decisions, grouping = decided(900, seed)
    found = by_group(decisions, grouping, 30, 0)
    for number in range(3):
        own = grouping.codes == number
        truth, predicted = decisions.truth[own], decisions.predicted[own]
        expected = {
            "selection_rate": fairlearn.selection_rate(truth, predicted),
            "true_positive_rate": fairlearn.true_positive_rate(truth, predicted),
            "false_positive_rate": fairlearn.false_positive_rate(truth, predicted),
            "false_negative_rate": fairlearn.false_negative_rate(truth, predicted),
            "precision": precision_score(truth, predicted),
            "accuracy": accuracy_score(truth, predicted),
            "auc": roc_auc_score(truth, decisions.score[own]),
        }
        assert found.values.keys() == expected.keys()
        for name, value in expected.items():
            assert found.values[name][number] == pytest.approx(value, **EXACT), name
            assert found.low[name][number] < value < found.high[name][number]
    assert found.enough.all()


@pytest.mark.parametrize("seed", range(3))
def test_differences_and_ratios_are_those_of_fairlearn(seed: int) -> None:
    decisions, grouping = decided(900, seed)
    found = {gap.name: gap for gap in gaps(decisions, grouping, np.ones(3, dtype=bool), 0)}
    given = {
        "y_true": decisions.truth,
        "y_pred": decisions.predicted,
        "sensitive_features": grouping.texts,
    }
    expected = {
        "demographic_parity_difference": fairlearn.demographic_parity_difference(**given),
        "demographic_parity_ratio": fairlearn.demographic_parity_ratio(**given),
        "equalised_odds_difference": fairlearn.equalized_odds_difference(**given),
        "equalised_odds_ratio": fairlearn.equalized_odds_ratio(**given),
        "equal_opportunity_difference": fairlearn.equal_opportunity_difference(**given),
        "accuracy_difference": fairlearn.MetricFrame(metrics=accuracy_score, **given).difference(),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, **EXACT), name
        assert found[name].low <= value <= found[name].high


def test_the_extremes_are_named() -> None:
    grouping = Grouping("g", ("a", "b"), np.repeat([0, 1], 100))
    predicted = np.concatenate([np.arange(100) < 20, np.arange(100) < 60])
    decisions = Decisions(np.tile([True, False], 100), predicted, None)
    parity = gaps(decisions, grouping, np.ones(2, dtype=bool), 0)[0]
    assert (parity.lowest, parity.highest, parity.value) == ("a", "b", pytest.approx(0.4))
    assert 0.2 < parity.low < 0.4 < parity.high < 0.6
    assert "auc" not in by_group(decisions, grouping, 30, 0).values


def test_small_groups_are_measured_and_not_compared() -> None:
    decisions, grouping = decided(900, 0)
    # One of group c alone has 29 positive rows.
    keep = np.ones(900, dtype=bool)
    keep[np.flatnonzero((grouping.codes == 2) & decisions.truth)[29:]] = False
    part = Decisions(decisions.truth[keep], decisions.predicted[keep], decisions.score[keep])
    groups = Grouping("g", grouping.labels, grouping.codes[keep])
    found = by_group(part, groups, 30, 0)
    assert found.enough.tolist() == [True, True, False]
    assert np.isfinite(found.values["selection_rate"][2])
    assert np.isnan(found.values["auc"][2])
    named = {
        name for gap in gaps(part, groups, found.enough, 0) for name in (gap.lowest, gap.highest)
    }
    assert named == {"a", "b"}


def test_a_rate_of_no_row_is_unknown() -> None:
    grouping = Grouping("g", ("a", "b"), np.array([0, 0, 1, 1]))
    decisions = Decisions(np.array([True, False, False, False]), np.zeros(4, dtype=bool), None)
    found = by_group(decisions, grouping, 30, 0)
    assert np.isnan(found.values["true_positive_rate"][1])
    assert np.isnan(found.values["precision"]).all()
    assert found.values["selection_rate"].tolist() == [0, 0]


def test_a_ratio_of_nothing_has_no_value() -> None:
    grouping = Grouping("g", ("a", "b"), np.repeat([0, 1], 100))
    decisions = Decisions(np.tile([True, False], 100), np.zeros(200, dtype=bool), None)
    ratio = {gap.name: gap for gap in gaps(decisions, grouping, np.ones(2, dtype=bool), 0)}[
        "demographic_parity_ratio"
    ]
    assert np.isnan(ratio.value)
    assert ratio.low is None


def test_equal_groups_give_no_alarm() -> None:
    alarms = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        grouping = Grouping("g", ("a", "b", "c"), rng.integers(0, 3, 900))
        decisions = Decisions(rng.random(900) < 0.4, rng.random(900) < 0.3, None)
        parity = gaps(decisions, grouping, np.ones(3, dtype=bool), seed)[0]
        alarms += parity.low > 0
    assert alarms <= 8  # one in twenty is expected; P(more than 8 of 60) is one in a thousand


@pytest.mark.parametrize("seed", range(2))
def test_quantities_of_groups_are_those_of_fairlearn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grouping = Grouping("g", ("a", "b", "c"), rng.integers(0, 3, 600))
    truth = rng.gamma(3, 2, 600)
    quantities = Quantities(truth, truth + rng.normal(0.3 * grouping.codes, 1))
    found, compared = quantities_by_group(quantities, grouping, 30, 0)
    frame = fairlearn.MetricFrame(
        metrics={"mae": mean_absolute_error, "mean_prediction": fairlearn.mean_prediction},
        y_true=truth,
        y_pred=quantities.predicted,
        sensitive_features=pd.Series(grouping.texts),
    )
    for name in ("mae", "mean_prediction"):
        assert found.values[name] == pytest.approx(frame.by_group[name].to_numpy(), **EXACT)
    gap = {each.name: each for each in compared}
    assert gap["mae_difference"].value == pytest.approx(frame.difference()["mae"], **EXACT)
    assert gap["mae_ratio"].value == pytest.approx(frame.ratio()["mae"], **EXACT)
    bias = quantities.predicted - truth
    assert found.values["bias"][0] == pytest.approx(bias[grouping.codes == 0].mean(), **EXACT)
    assert gap["bias_difference"].low < 0.6 < gap["bias_difference"].high
    assert (found.low["bias"] < found.values["bias"]).all()


def test_one_group_of_enough_rows_is_compared_with_none() -> None:
    grouping = Grouping("g", ("a", "b"), np.array([0] * 50 + [1] * 3))
    quantities = Quantities(np.arange(53.0), np.arange(53.0) + 1)
    found, compared = quantities_by_group(quantities, grouping, 30, 0)
    assert compared == []
    assert found.values["mae"].tolist() == [1, 1]
    assert np.isnan(found.low["mae"][1])
