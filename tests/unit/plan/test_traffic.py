from __future__ import annotations

from collections.abc import Mapping

import pytest

from amlocal.plan.traffic import routing_problems, traffic_problems


@pytest.mark.parametrize(
    ("traffic", "mirror"),
    [
        (None, None),
        ({}, {}),
        ({"blue": 100}, None),
        ({"blue": 90, "green": 10}, None),
        ({"blue": 0}, None),
        ({"blue": 100, "green": 0}, {"green": 50}),
        (None, {"green": 10, "blue": 0}),
    ],
)
def test_rules_that_azure_takes(
    traffic: Mapping[str, int] | None, mirror: Mapping[str, int] | None
) -> None:
    assert list(traffic_problems(traffic, mirror)) == []


@pytest.mark.parametrize(
    ("traffic", "mirror", "field", "message"),
    [
        ({"blue": 90}, None, ("traffic",), "the traffic sums to 90 percent"),
        ({"blue": 60, "green": 60}, None, ("traffic",), "the traffic sums to 120 percent"),
        (None, {"green": 51}, ("mirror_traffic", "green"), "51 percent of the traffic cannot"),
        (None, {"green": -1}, ("mirror_traffic", "green"), "-1 percent of the traffic cannot"),
        (None, {"a": 5, "b": 5}, ("mirror_traffic",), "cannot be mirrored to 'a' and 'b' at once"),
        ({"blue": 100}, {"blue": 5}, ("mirror_traffic", "blue"), "'blue' takes live traffic"),
    ],
)
def test_rules_that_azure_refuses(
    traffic: Mapping[str, int] | None,
    mirror: Mapping[str, int] | None,
    field: tuple[str, ...],
    message: str,
) -> None:
    (problem,) = traffic_problems(traffic, mirror)
    assert problem.field == field
    assert message in problem.message
    assert problem.hint


def test_percentages_that_sum_up_must_each_be_in_range() -> None:
    problems = list(traffic_problems({"blue": 150, "green": -50}, None))
    assert [problem.field for problem in problems] == [("traffic", "blue"), ("traffic", "green")]


def test_an_endpoint_that_is_created_takes_no_traffic() -> None:
    (problem,) = routing_problems({"blue": 100}, None, current=None, ready=())
    assert problem.message == "traffic cannot be given when the endpoint is created"
    (problem,) = routing_problems(None, {"blue": 5}, current=None, ready=())
    assert problem.field == ("mirror_traffic",)
    assert not list(routing_problems({"blue": 0}, {}, current=None, ready=()))


def test_traffic_goes_to_deployments_that_are_ready() -> None:
    (problem,) = routing_problems({"gren": 100, "x": 0}, None, current={}, ready=["green"])
    assert problem.field == ("traffic", "gren")
    assert problem.hint == "did you mean 'green'?"
    (problem,) = routing_problems(None, {"green": 5}, current={}, ready=[])
    assert problem.hint == "create a deployment first"


def test_what_takes_live_traffic_already_is_not_mirrored_to() -> None:
    now = {"blue": 100}
    (problem,) = routing_problems(None, {"blue": 5}, current=now, ready=["blue"])
    assert problem.message == "'blue' takes live traffic, and so no mirrored traffic"
    turned = {"green": 100, "blue": 0}
    assert not list(routing_problems(turned, {"blue": 5}, current=now, ready=["blue", "green"]))
