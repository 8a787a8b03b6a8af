"""Do 95 % intervals hold the truth 95 times in 100? Simulated models of which it is known."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest
from tests.components.scored import of_classes, of_quantities

from stepkit.bootstrap import interval, panel_of, resampled_panels
from stepkit.model import Scores

NORMAL = NormalDist()
#: How far the two classes are apart, in standard deviations.
APART = 1.5
#: A model of two classes that is right about its probabilities: what its metrics are on rows
#: without end. Two normal scores give AUC = Phi(d / sqrt 2), and half of the rows each an accuracy,
#: precision, recall, and f1 of Phi(d / 2) (Fawcett 2006; Hastie and others, section 4.3).
CLASSES = {
    "auc": NORMAL.cdf(APART / np.sqrt(2)),
    **dict.fromkeys(
        ("accuracy", "precision", "recall", "f1", "balanced_accuracy"), NORMAL.cdf(APART / 2)
    ),
    "mcc": 2 * NORMAL.cdf(APART / 2) - 1,
    "kappa": 2 * NORMAL.cdf(APART / 2) - 1,
}
#: Normal errors of deviation 1 around a truth of deviation 2.
QUANTITIES = {
    "mae": np.sqrt(2 / np.pi),
    "mse": 1.0,
    "rmse": 1.0,
    "r2": 1 - 1 / 5,
    "median_ae": NORMAL.inv_cdf(0.75),
    "ae_p90": NORMAL.inv_cdf(0.95),
}


def two_classes(rng: np.random.Generator, rows: int) -> Scores:
    truth = rng.integers(0, 2, rows)
    score = rng.normal(size=rows) + APART * truth
    stated = 1 / (1 + np.exp(-APART * (score - APART / 2)))
    probabilities = np.column_stack([1 - stated, stated])
    return of_classes(truth, probabilities, ("no", "yes"))


def quantities(rng: np.random.Generator, rows: int) -> Scores:
    predicted = 2 * rng.normal(size=rows)
    truth = predicted + rng.normal(size=rows)
    return of_quantities(truth, predicted)


def coverage(
    make: Callable[[np.random.Generator, int], Scores],
    known: dict[str, float],
    *,
    samples: int,
    resamples: int,
    rows: int = 400,
) -> dict[str, float]:
    """Return how often each metric's interval held its true value."""
    rng = np.random.default_rng(7)
    held = dict.fromkeys(known, 0)
    for seed in range(samples):
        panel = panel_of(make(rng, rows), list(known))
        (drawn,) = resampled_panels([panel], rows, resamples, seed)
        for name, values in drawn.items():
            low, high = interval(values, 0.95)
            held[name] += low <= known[name] <= high
    return {name: count / samples for name, count in held.items()}


CASES = [(two_classes, CLASSES), (quantities, QUANTITIES)]


@pytest.mark.parametrize(("make", "known"), CASES)
def test_intervals_hold_the_truth(make, known) -> None:
    found = coverage(make, known, samples=100, resamples=200, rows=200)
    # Four standard errors of a share of 0.95 in 100 samples, and 0.02 for 200 resamples' tails.
    assert min(found.values()) > 0.95 - 4 * np.sqrt(0.95 * 0.05 / 100) - 0.02, found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("make", "known"), CASES)
def test_95_percent_intervals_hold_the_truth_93_to_97_times_in_100(make, known) -> None:
    # The standard error of a share of 0.95 in 2,000 samples is 0.0049: between 0.93 and 0.97 lie
    # four of them to either side.
    found = coverage(make, known, samples=2000, resamples=1000, rows=500)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found
