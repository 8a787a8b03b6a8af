from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from automlmodel.encoders import (
    DATE_PARTS,
    CategoryCodes,
    Dates,
    HashOneHot,
    Numbers,
    OneHot,
    TargetMeans,
    Texts,
    fill_value,
)

NO_TARGET = np.zeros((0, 1))


def written(encoder: Any, frame: pd.DataFrame) -> np.ndarray:
    out = np.full((len(frame), len(encoder.names)), -7.0)
    encoder.write(frame, out)
    return out


def fitted(encoder: Any, frame: pd.DataFrame, targets: np.ndarray = NO_TARGET) -> Any:
    encoder.fit(frame, targets)
    return encoder


KINDS = pd.DataFrame({"k": ["a", "b", "a", None, "a", "b", "c"]})


def test_numbers_stay_and_only_named_columns_are_imputed() -> None:
    frame = pd.DataFrame({"x": [1.0, None, 3.0, 8.0], "y": [None, 1.0, 1.0, 2.0]})
    encoder = fitted(Numbers(["x", "y"], {"x": "median"}), frame)
    out = written(encoder, frame)
    assert out[1, 0] == 3.0
    assert np.isnan(out[0, 1])


@pytest.mark.parametrize(
    ("strategy", "value"), [("mean", 3.0), ("median", 2.0), ("most_frequent", 2.0), (9, 9.0)]
)
def test_strategies(strategy: str | float, value: float) -> None:
    assert fill_value(np.array([1.0, 2.0, 2.0, 2.0, 8.0, np.nan]), strategy) == value


def test_a_column_with_nothing_in_it_is_filled_with_0() -> None:
    assert fill_value(np.array([np.nan]), "mean") == 0.0


def test_codes_are_by_frequency_and_unknown_is_missing() -> None:
    encoder = fitted(CategoryCodes("k", 10), KINDS)
    out = written(encoder, pd.DataFrame({"k": ["a", "b", "c", None, "new"]}))
    assert out[:3, 0].tolist() == [0, 1, 2]
    assert np.isnan(out[3:, 0]).all()


def test_rare_categories_share_a_code_with_new_ones() -> None:
    encoder = fitted(CategoryCodes("k", 10, least_rows=2), KINDS)
    out = written(encoder, pd.DataFrame({"k": ["a", "c", "new"]}))
    assert out[:, 0].tolist() == [0, 2, 2]
    assert encoder.labels == ["a", "b", "(other)"]


def test_indicators() -> None:
    encoder = fitted(OneHot("k", 2), KINDS)
    assert encoder.names == ["k=a", "k=b", "k=(other)", "k=(missing)"]
    out = written(encoder, pd.DataFrame({"k": ["a", "c", None, "new"]}))
    assert out.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]]


def test_without_rare_categories_a_new_one_has_no_indicator() -> None:
    encoder = fitted(OneHot("k", 9), KINDS.dropna())
    assert written(encoder, pd.DataFrame({"k": ["new", None]})).sum() == 0


def test_hashes_take_new_categories_and_equal_ones_alike() -> None:
    encoder = fitted(HashOneHot("k", 4), KINDS)
    out = written(encoder, pd.DataFrame({"k": ["new", "new", None]}))
    assert out.shape == (3, 16)
    assert out.sum(axis=1).tolist() == [1, 1, 0]
    assert (out[0] == out[1]).all()


def test_target_means_are_drawn_to_the_mean_of_all() -> None:
    frame = pd.DataFrame({"k": ["a"] * 30 + ["b"] * 10})
    targets = np.array([1.0] * 30 + [0.0] * 10)[:, None]
    encoder = fitted(TargetMeans("k"), frame, targets)
    out = written(encoder, pd.DataFrame({"k": ["a", "b", "new"]}))
    expected = [(30 + 10 * 0.75) / 40, (0 + 10 * 0.75) / 20, 0.75]
    assert out[:, 0] == pytest.approx(expected)


def test_missing_is_a_category_with_a_mean() -> None:
    frame = pd.DataFrame({"k": [None] * 20 + ["b"] * 20})
    targets = np.array([1.0] * 20 + [0.0] * 20)[:, None]
    encoder = fitted(TargetMeans("k"), frame, targets)
    assert written(encoder, frame.head(1))[0, 0] == pytest.approx((20 + 5) / 30)


def test_a_rows_own_target_has_no_part_in_its_mean() -> None:
    # Each row has a category of its own: its target must not be told.
    frame = pd.DataFrame({"k": [f"id {n}" for n in range(200)]})
    targets = np.tile([0.0, 1.0], 100)[:, None]
    encoder = fitted(TargetMeans("k"), frame, targets)
    out = np.empty((200, 1))
    encoder.write_training(frame, targets, out)
    assert abs(np.corrcoef(out[:, 0], targets[:, 0])[0, 1]) < 0.35
    seen = written(encoder, frame)[:, 0]
    assert np.corrcoef(seen, targets[:, 0])[0, 1] > 0.99


def test_parts_of_times_that_vary_are_kept() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2023-01-31", "2024-12-01", None])})
    encoder = fitted(Dates("t"), frame)
    kept = [name.removeprefix("t ") for name in encoder.names]
    assert kept == [part for part in DATE_PARTS if part not in ("Hour", "Minute", "Second")]
    out = dict(zip(kept, written(encoder, frame)[1], strict=True))
    assert (out["Year"], out["DayOfWeek"], out["DayOfYear"]) == (2024, 6, 336)
    assert (out["QuarterOfYear"], out["WeekOfMonth"]) == (4, 1)
    assert np.isnan(written(encoder, frame)[2]).all()


def test_texts_that_are_alike_lie_close() -> None:
    words = ["red apple pie", "red apple cake", "blue car wheel", "blue car door"] * 5
    frame = pd.DataFrame({"t": words})
    encoder = fitted(Texts("t", 3, 0, {}), frame)
    out = written(encoder, frame)
    assert out.shape == (20, 6)
    near, far = np.linalg.norm(out[0] - out[1]), np.linalg.norm(out[0] - out[2])
    assert near < far
    assert np.isfinite(written(encoder, pd.DataFrame({"t": [None, "unheard of"]}))).all()


def test_texts_without_words_still_have_characters() -> None:
    frame = pd.DataFrame({"t": ["a b c d", "b c d e", "x y z w"] * 4})
    encoder = fitted(Texts("t", 2, 0, {}), frame)
    assert all("characters" in name for name in encoder.names)
    assert written(encoder, frame).shape == (12, 2)
