import numpy as np
import pytest

from automlkit.forecasting.ensemble import mean_gain, mixed_weights, vote_weights

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
    weights = vote_weights(trials, METRIC, rmse(truth))
    assert set(weights) == {0, 1, 2}
    assert sum(weights.values()) == pytest.approx(1.0)
    vote = sum(weight * trials[place] for place, weight in weights.items())
    assert rmse(truth)(vote) < 0.75 * rmse(truth)(trials[0])


def test_a_bad_trial_gets_no_vote(truth):
    rng = np.random.default_rng(2)
    good, bad = truth + 0.1 * rng.normal(size=200), truth + 5
    assert vote_weights([good, bad], METRIC, rmse(truth)) == {0: 1.0}


def test_greater_metrics_are_maximised(truth):
    trials = [truth + 1, truth - 1]
    weights = vote_weights(trials, "r2_score", lambda found: -rmse(truth)(found))
    assert weights == {0: 0.5, 1: 0.5}


def test_half_of_a_vote_is_equal_among_the_best_of_three_algorithms():
    kinds = ["MSTL", "Theta", "MSTL", "ElasticNet", "Naive"]
    weights = mixed_weights({0: 0.6, 2: 0.4}, kinds)
    assert weights == pytest.approx({0: 0.3 + 0.5 / 3, 1: 0.5 / 3, 2: 0.2, 3: 0.5 / 3})
    assert sum(weights.values()) == pytest.approx(1.0)


def test_one_algorithm_alone_keeps_what_was_chosen():
    assert mixed_weights({0: 1.0}, ["MSTL", "MSTL"]) == {0: 1.0}


def gain(truth, best, vote, groups):
    return mean_gain(truth, best, vote, groups, np.ones(len(truth)))


def test_a_gain_in_every_fold_is_sure(truth):
    assert gain(truth, truth + 1, truth + 0.5, np.arange(200) // 40) == pytest.approx((0.5, 0.0))


def test_a_gain_in_one_fold_only_is_unsure(truth):
    groups = np.arange(200) // 40
    vote = np.where(groups == 0, truth + 0.5, truth + 1.05)
    mean, error = gain(truth, truth + 1, vote, groups)
    assert mean == pytest.approx((0.5 - 4 * 0.05) / 5)
    assert error > mean


def test_one_fold_proves_nothing(truth):
    mean, error = gain(truth, truth + 1, truth, np.zeros(200, dtype=int))
    assert mean == pytest.approx(1.0)
    assert error == np.inf
