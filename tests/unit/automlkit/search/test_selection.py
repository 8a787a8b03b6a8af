"""Choosing members of a vote, and telling a gain from noise."""

import numpy as np
import pytest

from automlkit.search.objective import root_mean_squared_error
from automlkit.search.selection import (
    MOST_ROWS,
    PARTS,
    Truth,
    blend,
    compare,
    crossfit_best,
    crossfit_vote,
    limited,
    parts_of,
    vote_weights,
)


def truth_of(values):
    return Truth(values, np.ones(len(values)), root_mean_squared_error)


def case(rows=600, seed=1):
    """A quantity, two models with errors that cancel, and a bad one."""
    random = np.random.default_rng(seed)
    values = random.normal(size=rows)
    error, noise = random.normal(size=rows), random.normal(scale=0.1, size=rows)
    return truth_of(values), [values + error, values - error + noise, values + 5]


def chosen(predictions, truth, **more):
    options = {"costs": [1.0] * len(predictions), "most_cost": 10.0, **more}
    return vote_weights(predictions, truth, np.arange(len(truth.values)), **options)


def test_members_whose_errors_cancel_are_chosen_and_a_bad_one_is_not():
    truth, predictions = case()
    weights = chosen(predictions, truth)
    assert set(weights) == {0, 1}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights[0] == pytest.approx(0.5, abs=0.05)
    assert truth.of(blend(predictions, weights)) < 0.1


def test_one_model_is_enough_where_the_other_is_a_copy():
    truth, predictions = case()
    assert chosen([predictions[0], predictions[0]], truth) == {0: 1.0}


def test_the_cost_of_all_members_is_bounded():
    truth, predictions = case()
    assert len(chosen(predictions, truth, costs=[6.0, 6.0, 1.0], most_cost=10.0)) == 1


def test_the_number_of_members_is_bounded():
    random = np.random.default_rng(0)
    truth = truth_of(random.normal(size=200))
    predictions = [truth.values + random.normal(size=200) for _ in range(10)]
    weights = chosen(predictions, truth, most_members=3, rounds=30, most_cost=100.0)
    assert len(weights) == 3


def test_every_row_is_in_one_part():
    parts = parts_of(103, seed=4)
    assert len(parts) == PARTS
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(103))


def test_rows_are_limited_without_repetition():
    rows = limited(np.arange(3 * MOST_ROWS), seed=0)
    assert len(np.unique(rows)) == MOST_ROWS
    few = np.arange(5)
    assert limited(few, seed=0) is few


def test_a_vote_of_good_members_is_above_the_noise():
    truth, predictions = case()
    vote = crossfit_vote(predictions, truth, 0, costs=[1.0] * 3, most_cost=10.0)
    verdict = compare(vote, crossfit_best(predictions, truth, 0), truth, 0)
    assert verdict.is_above_noise
    assert verdict.gain > 5 * verdict.error


def test_choosing_among_pure_noise_is_not_a_gain():
    """A choice judged on the rows it was made on would look like a gain each time."""
    random = np.random.default_rng(3)
    found = []
    for seed in range(10):
        truth = truth_of(random.normal(size=80))
        good = truth.values + 0.3 * random.normal(size=80)
        # Copies of the good model with noise that a choice can only overfit.
        predictions = [good, *(good + 0.2 * random.normal(size=80) for _ in range(15))]
        vote = crossfit_vote(predictions, truth, seed, costs=[0.1] * 16, most_cost=10.0)
        found.append(compare(vote, predictions[0], truth, seed).is_above_noise)
    assert sum(found) <= 2


def test_the_standard_error_is_that_of_the_mean():
    """For a mean of squares the bootstrap must agree with the textbook."""
    random = np.random.default_rng(5)
    values = np.zeros(2000)
    first, second = random.normal(size=2000), random.normal(size=2000)
    truth = Truth(values, np.ones(2000), lambda _, p, w: float(np.average(p * p, weights=w)))
    verdict = compare(first, second, truth, 0)
    expected = np.std(second**2 - first**2) / np.sqrt(2000)
    assert verdict.error == pytest.approx(expected, rel=0.25)
    assert verdict.gain == pytest.approx(np.mean(second**2 - first**2))
