from __future__ import annotations

import numpy as np
import pytest

from automlmodel.splines import Splines


def fitted(values: np.ndarray, knots: int = 5) -> Splines:
    splines = Splines(knots)
    splines.fit(values)
    return splines


def test_with_the_column_they_follow_a_curve() -> None:
    x = np.linspace(-3, 3, 200)[:, None]
    bends = fitted(x, 8).transform(x)
    design = np.hstack([np.ones_like(x), x, bends])
    target = np.sin(x[:, 0])
    weights = np.linalg.lstsq(design, target, rcond=None)[0]
    assert np.abs(design @ weights - target).max() < 0.05


def test_beyond_the_outer_knots_they_are_straight() -> None:
    splines = fitted(np.linspace(0, 10, 100)[:, None])
    far = splines.transform(np.array([[20.0], [30.0], [40.0]]))
    assert far[2] - far[1] == pytest.approx(far[1] - far[0])
    assert splines.transform(np.array([[-5.0]])).tolist() == [[0.0] * 3]


def test_columns_of_few_values_stay_straight() -> None:
    table = np.column_stack([np.arange(100.0), np.arange(100) % 2])
    splines = fitted(table)
    assert splines.places() == [(0, 0), (0, 1), (0, 2)]
    assert splines.transform(table).shape == (100, 3)
    assert fitted(table[:, 1:]).transform(table[:, 1:]).shape == (100, 0)


def test_a_column_that_is_mostly_one_value_bends_among_the_others() -> None:
    values = np.concatenate([np.zeros(95), np.arange(1.0, 11.0)])[:, None]
    assert len(fitted(values).places()) == 3
