from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neighbours import neighbours_of, parse_space

from stepkit.program import StepError


@pytest.mark.parametrize(
    ("distribution", "value", "expected"),
    [
        ({"type": "choice", "values": [160, 60, 100]}, 100, (60, 160)),
        ({"type": "choice", "values": [160, 60, 100]}, 160, (100, None)),
        ({"type": "choice", "values": [5]}, 5, (None, None)),
        ({"type": "randint", "upper": 100}, 50, (40, 60)),
        ({"type": "randint", "upper": 100}, 95, (85, 99)),
        ({"type": "randint", "upper": 4}, 0, (None, 1)),
        ({"type": "uniform", "min_value": 0, "max_value": 1}, 0.5, (0.4, 0.6)),
        ({"type": "uniform", "min_value": 0, "max_value": 1}, 0.06, (0, 0.16)),
        ({"type": "uniform", "min_value": 0, "max_value": 1}, 0.96, (0.86, None)),
        ({"type": "quniform", "min_value": 7, "max_value": 63, "q": 8}, 32, (24, 40)),
        ({"type": "quniform", "min_value": 0, "max_value": 1, "q": 0.5}, 0.5, (0.0, 1.0)),
        ({"type": "normal", "mu": 0, "sigma": 4}, 7, (6, 8)),
        ({"type": "qnormal", "mu": 0, "sigma": 4, "q": 2}, 6, (4, 8)),
    ],
)
def test_a_step_in_each_distribution(distribution: dict, value: float, expected: tuple) -> None:
    found = neighbours_of(distribution, value)
    for got, wanted in zip((found.down, found.up), expected, strict=True):
        assert got == (wanted if wanted is None else pytest.approx(wanted))


def test_a_step_of_a_logarithm() -> None:
    space = {"type": "loguniform", "min_value": -3.5, "max_value": -1.5}
    found = neighbours_of(space, math.exp(-2.5))
    assert (math.log(found.down), math.log(found.up)) == pytest.approx((-2.7, -2.3))
    normal = neighbours_of({"type": "lognormal", "mu": 0, "sigma": 1}, 1.0)
    assert (math.log(normal.down), math.log(normal.up)) == pytest.approx((-0.25, 0.25))


def test_edges() -> None:
    space = {"type": "choice", "values": [1, 2, 3]}
    assert [neighbours_of(space, value).edge for value in (1, 2, 3)] == ["low", "", "high"]
    assert neighbours_of({"type": "choice", "values": [1]}, 1).edge == ""


@given(
    st.floats(-3, 3),
    st.floats(0.1, 5),
    st.floats(0, 1),
    st.sampled_from(["uniform", "loguniform", "quniform"]),
)
def test_neighbours_are_inside_and_on_their_side(
    low: float, width: float, share: float, kind: str
) -> None:
    space = {"type": kind, "min_value": low, "max_value": low + width}
    place = low + share * width
    if kind == "quniform":
        space["q"] = width / 7
        place = round(place / space["q"]) * space["q"]
    found = neighbours_of(space, math.exp(place) if kind == "loguniform" else place)
    places = [
        None if each is None else math.log(each) if kind == "loguniform" else each
        for each in (found.down, found.up)
    ]
    slack = space.get("q", 0) + 1e-9
    assert places[0] is None or low - slack <= places[0] < place
    assert places[1] is None or place < places[1] <= low + width + slack
    assert places != [None, None]


def test_numbers_that_yaml_reads_as_text() -> None:
    (distribution,) = parse_space("{a: {type: uniform, min_value: 0, max_value: 1e1}}").values()
    assert neighbours_of(distribution, 5).up == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{a: [", "cannot read the search space"),
        ("", "names no parameter"),
        ("[1]", "names no parameter"),
        ("{a: 1}", "a has no known distribution: 1"),
        ("{a: {type: beta}}", "known types: choice"),
        ("{a: {type: uniform, min_value: 1}}", "uniform of a lacks max_value"),
    ],
)
def test_what_is_no_search_space(text: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        parse_space(text)
