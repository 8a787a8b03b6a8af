"""The threshold that costs least."""

from __future__ import annotations

import numpy as np
import pytest

from stepkit.bootstrap import resampled_panels
from stepkit.costs import Prices, Tried, candidates, cost_curve, cost_panel, counter


def drawn(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and right probabilities."""
    rng = np.random.default_rng(seed)
    stated = rng.random(rows)
    return rng.random(rows) < stated, stated


def curve(positive, score, prices, seed=0):
    count = counter(positive, score, candidates(positive, score))
    one = count(np.ones((len(score), 1)))
    whole = Tried(one.threshold, *(each[:, 0] for each in (one.tp, one.fp, one.fn, one.tn)))
    (found,) = resampled_panels([cost_panel(count, prices)], len(score), 300, seed)
    return cost_curve(whole, prices, found, 0.95)


def test_counts_worked_by_hand():
    positive, score = np.array([True, False, True]), np.array([0.9, 0.6, 0.3])
    found = counter(positive, score, np.array([1.0, 0.6, 0.3]))(
        np.array([[1.0, 2], [1, 0], [1, 1]])
    )
    assert found.tp.T.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert found.fp.T.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert found.fn.T.tolist() == [[2, 1, 0], [3, 1, 0]]
    assert found.tn.T.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert found.cost(Prices(1, 5))[:, 0] == pytest.approx([10 / 3, 6 / 3, 1 / 3])


def test_thresholds_are_enough_for_rare_positives():
    score = np.linspace(0, 1, 10_001)
    positive = score > 0.995
    tried = candidates(positive, score)
    assert len(tried) <= 200
    assert tried[0] > 1
    assert tried[-1] == 0
    assert (tried > 0.995).sum() > 30


def test_the_threshold_that_the_model_decides_by_is_among_those_tried():
    score = np.linspace(0.2, 0.9, 1000) ** 2
    assert 0.5 not in score
    assert 0.5 in candidates(score > 0.6, score)
    low = score / 2
    assert candidates(low > 0.3, low)[0] == np.nextafter(low.max(), 1)


@pytest.mark.parametrize(("fp", "fn"), [(1, 1), (1, 4), (3, 1)])
def test_right_probabilities_are_cut_where_theory_cuts_them(fp, fn):
    prices = Prices(fp, fn)
    found = curve(*drawn(20_000), prices)
    low, high = found.best_interval
    assert prices.threshold == fp / (fp + fn)
    assert low <= prices.threshold <= high
    assert found.best == pytest.approx(prices.threshold, abs=0.08)


def test_most_of_what_flatters_a_chosen_threshold_is_added():
    truths, told, seen = [], [], []
    fresh, score = drawn(200_000, seed=99)
    for seed in range(100):
        found = curve(*drawn(60, seed), Prices(), seed)
        called = score >= found.best
        truths.append(float((called != fresh).mean()))
        told.append(found.best_cost)
        seen.append(float(found.cost.min()))
    flattered, left = np.mean(truths) - np.mean(seen), np.mean(truths) - np.mean(told)
    assert flattered > 0.05
    assert abs(left) < flattered / 2


def test_the_intervals_hold_the_curve():
    found = curve(*drawn(500), Prices(2, 1))
    assert (found.low <= found.cost + 1e-9).all()
    assert (found.high >= found.cost - 1e-9).all()
    names = [each.name for each in found.figures(500)]
    assert names == ["best_threshold", "best_cost"]
