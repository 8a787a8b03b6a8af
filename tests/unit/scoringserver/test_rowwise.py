from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from scoringserver.rowwise import equal, is_rowwise, may_be_rowwise

FRAME = pd.DataFrame({"x": [3.0, 1.0, 2.0]})


@pytest.mark.parametrize(
    ("flavors", "metadata", "said"),
    [
        ({"sklearn", "python_function"}, {}, True),
        ({"lightgbm"}, {"task": "regression"}, True),
        ({"python_function"}, {}, None),
        ({"sklearn"}, {"task": "forecasting"}, False),
        ({"prophet", "python_function"}, {}, False),
    ],
)
def test_what_a_description_says(
    flavors: set[str], metadata: dict[str, Any], said: bool | None
) -> None:
    assert may_be_rowwise(dict.fromkeys(flavors), metadata) is said


@pytest.mark.parametrize("said", [True, None])
@pytest.mark.parametrize(
    "example",
    [FRAME, FRAME.to_numpy(), {"x": FRAME["x"].to_numpy()}],
    ids=["frame", "array", "named"],
)
def test_a_model_of_single_rows_is_found_out(said: bool | None, example: Any) -> None:
    def predict(data: Any) -> Any:
        return np.asarray(data["x"] if not isinstance(data, np.ndarray) else data).ravel() * 2

    assert is_rowwise(said, predict, example, 3)


@pytest.mark.parametrize("said", [True, None])
@pytest.mark.parametrize(
    "predict",
    [
        lambda frame: frame["x"].rank(),
        lambda frame: frame["x"] - frame["x"].mean(),
        lambda frame: frame["x"].shift().to_numpy(),
        lambda frame: [float(frame["x"].sum())],
        lambda frame: float(frame["x"].sum()),
        lambda frame: np.random.default_rng().normal(size=len(frame)),
    ],
)
def test_a_model_that_looks_beyond_a_row_is_found_out(said: bool | None, predict: Any) -> None:
    assert not is_rowwise(said, predict, FRAME, 3)


def test_a_model_that_cannot_predict_its_example_gets_no_batches() -> None:
    def predict(frame: Any) -> Any:
        raise ValueError

    assert not is_rowwise(True, predict, FRAME, 3)


def test_what_is_unknown_needs_two_different_rows() -> None:
    same = pd.DataFrame({"x": [1.0, 1.0]})

    def predict(frame: Any) -> Any:
        return frame["x"] - frame["x"].mean()

    assert not is_rowwise(None, predict, same, 2)
    assert not is_rowwise(None, predict, FRAME.head(1), 1)
    assert not is_rowwise(None, predict, None, 0)
    assert is_rowwise(True, predict, None, 0)
    assert not is_rowwise(False, predict, FRAME, 3)


@pytest.mark.parametrize(
    ("left", "right", "is_equal"),
    [
        (1.0, 1.0 + 1e-9, True),
        (1.0, 1.001, False),
        (float("nan"), float("nan"), True),
        (float("nan"), 1.0, False),
        ([{"a": 1.0, "b": "x"}], [{"a": 1.0 + 1e-12, "b": "x"}], True),
        ([{"a": 1.0}], [{"b": 1.0}], False),
        ([1], [1, 2], False),
        ("a", "b", False),
        (None, None, True),
    ],
)
def test_answers_are_equal_but_for_rounding(left: Any, right: Any, is_equal: bool) -> None:
    assert equal(left, right) is is_equal
