import numpy as np
import pytest

from automlkit.forecasting.ensemble import gain_is_real, greedy_weights

METRIC = "root_mean_squared_error"


@pytest.fixture
def truth():
    return np.random.default_rng(0).normal(size=200)


def rmse(truth):
    return lambda found: float(np.sqrt(((found - truth) ** 2).mean()))


def test_independent_errors_share_the_vote(truth):
    rng = np.random.default_rng(1)
    trials = [truth + rng.normal(size=200) for _ in range(3)]
    trials.sort(key=rmse(truth))
    weights = greedy_weights(trials, METRIC, rmse(truth))
    assert set(weights) == {0, 1, 2}
    assert sum(weights.values()) == pytest.approx(1.0)
    vote = sum(weight * trials[place] for place, weight in weights.items())
    assert rmse(truth)(vote) < 0.75 * rmse(truth)(trials[0])


def test_a_bad_trial_gets_no_vote(truth):
    rng = np.random.default_rng(2)
    good, bad = truth + 0.1 * rng.normal(size=200), truth + 5
    assert greedy_weights([good, bad], METRIC, rmse(truth)) == {0: 1.0}


def test_greater_metrics_are_maximised(truth):
    trials = [truth + 1, truth - 1]
    weights = greedy_weights(trials, "r2_score", lambda found: -rmse(truth)(found))
    assert weights == {0: 0.5, 1: 0.5}


def verdict(truth, best, vote, groups):
    return gain_is_real(truth, best, vote, groups, np.ones(len(truth)))


def test_a_gain_in_every_fold_is_real(truth):
    groups = np.arange(200) // 40
    is_real, why = verdict(truth, truth + 1, truth + 0.5, groups)
    assert is_real
    assert "above" in why


def test_a_gain_in_one_fold_only_is_noise(truth):
    groups = np.arange(200) // 40
    best = truth + 1
    vote = np.where(groups == 0, truth + 0.5, truth + 1.05)
    is_real, why = verdict(truth, best, vote, groups)
    assert not is_real
    assert "within" in why


def test_one_fold_proves_nothing(truth):
    assert not verdict(truth, truth + 1, truth, np.zeros(200, dtype=int))[0]
