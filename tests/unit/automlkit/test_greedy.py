import numpy as np
import pytest

from automlkit.greedy import PATIENCE, greedy_weights

TRUTH = np.random.default_rng(0).normal(size=300)


def loss(found):
    return float(np.sqrt(np.mean((found - TRUTH) ** 2)))


def noisy(count):
    random = np.random.default_rng(1)
    return [TRUTH + random.normal(size=300) for _ in range(count)]


def test_a_choice_by_hand():
    # Alone the first is best; half of each is right; a third turn gains nothing.
    assert greedy_weights([TRUTH + 1, TRUTH - 1.1], loss, rounds=2) == {0: 0.5, 1: 0.5}
    assert greedy_weights([TRUTH + 1, TRUTH - 1.1], loss, rounds=1) == {0: 1.0}


def test_a_vote_is_better_than_its_members():
    parts = noisy(4)
    weights = greedy_weights(parts, loss, rounds=20)
    assert sum(weights.values()) == pytest.approx(1.0)
    vote = sum(weight * parts[number] for number, weight in weights.items())
    assert loss(vote) < 0.75 * min(loss(part) for part in parts)


def test_the_first_of_equals_is_taken():
    assert greedy_weights([TRUTH + 1, TRUTH + 1], loss, rounds=10) == {0: 1.0}


def test_who_may_not_join_does_not_but_as_the_first():
    parts = noisy(3)
    alone = greedy_weights(parts, loss, rounds=10, may_join=lambda members, number: False)
    best = int(np.argmin([loss(part) for part in parts]))
    assert alone == {best: 1.0}
    pair = greedy_weights(parts, loss, rounds=10, may_join=lambda members, _: len(members) < 2)
    assert len(pair) == 2


def test_it_ends_when_nothing_is_gained_any_more():
    asked = []
    greedy_weights([TRUTH], lambda found: asked.append(1) or 1.0, rounds=100)
    assert len(asked) == 1 + PATIENCE
