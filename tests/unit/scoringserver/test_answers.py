from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server import predictions_to_json

from scoringserver.answers import as_json, write
from scoringserver.errors import PredictionError

FRAME = pd.DataFrame(
    {"label": ["a", "b"], "p": [0.25, 1.0], "n": [1, 2], "at": pd.to_datetime(["2024", "2025"])}
)


class Written(dict[str, Any]):
    """Text that `predictions_to_json` can write to."""

    def write(self, text: str) -> None:
        self["text"] = self.get("text", "") + text


@pytest.mark.parametrize(
    "answer",
    [
        np.array([1, 2]),
        np.array([1.5, 2]),
        np.array([0.1, 0.2], dtype="float32"),
        np.array([True, False]),
        np.array(["a", "b"]),
        np.array(["a", None, 1.5], dtype=object),
        np.array([[0.1, 0.9], [0.8, 0.2]]),
        np.array([b"ab", b"c"], dtype=object),
        np.array(5),
        FRAME,
        FRAME[["p"]].astype("float32"),
        FRAME["n"],
        FRAME["n"].rename(None),
        FRAME.rename(columns={"p": 0, "n": 1}),
        pd.DataFrame({"x": [[1, 2], {"a": np.int64(3)}]}),
        FRAME[[]],
        ["a", 1, None, True],
        [np.float32(0.5), np.str_("x")],
        [{"a": np.array([1, 2]), 5: (1, 2), None: 1, True: 2}],
        {"x": np.array([1, 2])},
        "text",
        1.5,
        None,
        [
            dt.date(2024, 1, 2),
            pd.Timestamp("2024-01-02T03").to_pydatetime(),
            pd.Timestamp("2024-01-02"),
            dt.time(1, 2),
        ],
        b"ab",
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_answers_are_what_mlflow_writes(answer: Any) -> None:
    theirs = Written()
    predictions_to_json(answer, theirs)
    assert json.loads(write(as_json(answer), is_wrapped=True)) == json.loads(theirs["text"])


def test_answers_to_input_data_are_bare() -> None:
    assert write(as_json(np.array([1, 2])), is_wrapped=False) == b"[1,2]"


def test_what_is_no_number_is_null() -> None:
    frame = pd.DataFrame(
        {"a": [np.nan, np.inf], "b": pd.to_datetime([None, None]), "c": [pd.NA, None]}
    )
    empty = {"a": None, "b": None, "c": None}
    assert json.loads(write(as_json(frame), is_wrapped=False)) == [empty, empty]
    assert write(as_json(np.array([np.nan, -np.inf])), is_wrapped=False) == b"[null,null]"
    assert write(as_json(float("nan")), is_wrapped=False) == b"null"


def test_of_columns_of_one_name_the_last_counts() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert as_json(frame) == [{"a": 2}]


@pytest.mark.parametrize(
    "answer",
    [
        {1, 2},
        object(),
        Decimal(1),
        1 + 2j,
        np.array([1j]),
        [{(1, 2): 3}],
        {np.datetime64("2024"): 1},
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_what_json_cannot_hold_is_told(answer: Any) -> None:
    with pytest.raises(PredictionError, match="what JSON cannot hold"):
        as_json(answer)


def test_half_characters_cannot_be_written() -> None:
    with pytest.raises(PredictionError, match="what JSON cannot hold"):
        write(["\ud800"], is_wrapped=False)
