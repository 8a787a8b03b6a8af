from __future__ import annotations

import numpy as np
import pytest

from raikit.explanation.agreement import agreement_of, correlation, overlap
from raikit.explanation.importance import Importance
from raikit.explanation.shapley import Contributions


def shap_of(strengths: list[float], spread: float = 0.0) -> Contributions:
    signs = np.where(np.arange(200) % 2, 1.0, -1.0)[:, None]
    noise = np.random.default_rng(0).normal(scale=spread, size=(200, len(strengths)))
    values = (signs * np.array(strengths) + noise)[:, :, None]
    return Contributions("linear", "value", values, np.zeros(1), values.sum(axis=1))


def importance_of(drops: list[float]) -> Importance:
    return Importance("auc", 0.9, np.array(drops)[:, None] + np.zeros(5), 100)


def test_rank_correlation_of_a_worked_example() -> None:
    # Ranks 1 2 3 4 5 and 1 3 2 5 4: 1 - 6 * 4 / (5 * 24) = 0.8.
    assert correlation(np.arange(5.0), np.array([0.0, 2, 1, 4, 3])) == pytest.approx(0.8)
    assert correlation(np.arange(5.0), -np.arange(5.0)) == pytest.approx(-1)
    assert correlation(np.arange(3.0), np.ones(3)) is None
    assert correlation(np.ones(1), np.ones(1)) is None


def test_ties_share_their_mean_rank() -> None:
    first, second = np.array([1.0, 2, 2, 3]), np.array([1.0, 2, 3, 4])
    assert correlation(first, second) == pytest.approx(4.5 / np.sqrt(4.5 * 5))


def test_overlap_is_the_share_of_top_columns_that_both_name() -> None:
    ways = {"one": np.array([5.0, 4, 3, 2, 1]), "two": np.array([5.0, 0, 3, 4, 1])}
    assert overlap(ways, "one", "two", 3) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("drops", "words"),
    [
        ([0.3, 0.2, 0.1, 0.05], "very well"),
        ([0.3, 0.2, 0.05, 0.1], "well"),
        ([0.2, 0.3, 0.05, 0.1], "in part"),
        ([0.05, 0.1, 0.2, 0.3], "hardly"),
        ([0.1, 0.1, 0.1, 0.1], "not to be told"),
    ],
)
def test_words(drops: list[float], words: str) -> None:
    assert agreement_of(shap_of([4, 3, 2, 1]), importance_of(drops), {}).words == words


def test_every_pair_of_ways_is_compared_and_the_first_has_an_interval() -> None:
    other = {"tree": np.array([1.0, 0.0, 0.0, 0.0])}
    found = agreement_of(shap_of([4, 3, 2, 1.9], spread=2), importance_of([4, 3, 2, 1]), other)
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("SHAP", "permutation importance"),
        ("SHAP", "tree"),
        ("permutation importance", "tree"),
    ]
    assert found.top == 2
    assert found.low < found.high <= 1
    assert found.low <= found.pairs[0].correlation <= found.high


def test_where_nothing_can_be_ranked_there_is_no_interval() -> None:
    found = agreement_of(shap_of([1, 1, 1, 1]), importance_of([0, 0, 0, 0]), {})
    assert (found.pairs[0].correlation, found.low, found.high) == (None, None, None)
