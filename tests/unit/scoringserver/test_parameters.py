from __future__ import annotations

import datetime as dt
import logging
from typing import Any

import pytest
from mlflow.types import DataType, ParamSchema, ParamSpec

from scoringserver.errors import RequestError
from scoringserver.parameters import Parameters

SCHEMA = ParamSchema(
    [
        ParamSpec("alpha", DataType.double, 0.5),
        ParamSpec("top", DataType.long, 3),
        ParamSpec("names", DataType.string, ["a"], shape=(-1,)),
        ParamSpec("since", DataType.datetime, dt.datetime.fromisoformat("2024-01-01")),
    ]
)
DEFAULTS = {
    "alpha": 0.5,
    "top": 3,
    "names": ["a"],
    "since": dt.datetime.fromisoformat("2024-01-01"),
}


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        (None, {}),
        ({}, {}),
        ({"alpha": 1}, {"alpha": 1.0}),
        ({"names": ["x", "y"]}, {"names": ["x", "y"]}),
        ({"since": "2024-05-31"}, {"since": dt.date(2024, 5, 31)}),
    ],
)
def test_parameters_are_converted_and_filled_in(given: Any, changed: dict[str, Any]) -> None:
    assert Parameters(SCHEMA).read(given)[0] == DEFAULTS | changed


def test_keys_are_equal_where_the_parameters_are() -> None:
    parameters = Parameters(SCHEMA)
    keys = [
        parameters.read(given)[1] for given in (None, {"alpha": 0.5}, {"alpha": 0.25}, {"x": 1})
    ]
    assert keys[0] == keys[1] == keys[3] != keys[2]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([1], "params must be an object, not an array"),
        ({"alpha": "x"}, "params: 'alpha' must be double; it is the text \"x\""),
        ({"top": 1.5}, "params: 'top' must be long; it is the number 1.5"),
        ({"top": [1]}, "params: 'top' must be long; it is an array"),
        ({"names": "x"}, "params: 'names' must be an array of string"),
        ({"names": [1]}, "params: 'names' must be an array of string"),
        ({"names": [[1], [1, 2]]}, "params: 'names' must be an array of string"),
        ({"since": "x"}, "params: 'since' must be datetime"),
        ({"since": 5}, "params: 'since' must be datetime"),
        ({"since": {}}, "params: 'since' must be datetime"),
    ],
)
def test_what_is_of_another_type_is_told(given: Any, told: str) -> None:
    with pytest.raises(RequestError, match=told):
        Parameters(SCHEMA).read(given)


def test_what_the_signature_does_not_name_is_ignored_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameters = Parameters(None)
    with caplog.at_level(logging.WARNING, "scoringserver"):
        assert [parameters.read({"x": 1})[0] for _ in range(3)] == [{}, {}, {}]
    assert [record.getMessage() for record in caplog.records] == [
        "params that the model does not name are ignored: x"
    ]


def test_a_model_without_parameters_gets_none() -> None:
    assert Parameters(None).read(None)[0] is None
