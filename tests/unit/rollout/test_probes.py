"""Requests that a rollout sends itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from amlocal.errors import TargetError
from amlocal.plan import Answer, DeploymentMetrics, ReplayedRequests
from amlocal.rollout.probes import BOUNDS, UNANSWERED, Probes, agree

SENT = ReplayedRequests(request_file="/files/request.json", rate=10_000)


class Endpoint:
    """Answers as it is told, until it has done so often enough."""

    def __init__(self, answers: Callable[[str], Answer], rounds: int) -> None:
        self.order: list[str] = []
        self.enough = threading.Event()
        self._answers = answers
        self._rounds = rounds

    def invoke(self, endpoint_name: str, *, request_file: Any, deployment_name: str) -> Answer:
        assert (endpoint_name, request_file) == ("adult", "/files/request.json")
        self.order.append(deployment_name)
        if len(self.order) > 2 * self._rounds:
            self.enough.set()
        return self._answers(deployment_name)


def probed(answers: Callable[[str], Answer], rounds: int = 4) -> tuple[Endpoint, Probes]:
    endpoint: Any = Endpoint(answers, rounds)
    with Probes(endpoint, "adult", old="blue", new="green", requests=SENT) as probes:
        assert endpoint.enough.wait(10)
    return endpoint, probes


def test_both_deployments_are_asked_in_turns_and_counted() -> None:
    endpoint, probes = probed(lambda name: Answer(status=200, body=f'["{name}"]'))
    assert endpoint.order[:4] == ["green", "blue", "blue", "green"]
    counts = probes.read()
    rounds = len(endpoint.order) // 2
    assert counts["blue"].requests == {"200": rounds}
    assert counts["green"].latency["+Inf"] == rounds
    assert list(counts["green"].latency)[:-1] == [repr(bound) for bound in BOUNDS]
    assert (counts["green"].agreed, counts["green"].disagreed) == (0, rounds)
    assert (counts["blue"].agreed, counts["blue"].disagreed) == (0, 0)


def test_an_endpoint_that_does_not_answer_is_a_failed_request() -> None:
    def answers(name: str) -> Answer:
        if name == "green":
            raise TargetError("connection refused")
        return Answer(status=200, body="1")

    endpoint, probes = probed(answers)
    counts = probes.read()
    assert counts["green"].requests == {UNANSWERED: len(endpoint.order) // 2}
    assert counts["green"].latency["+Inf"] == 0


def test_probes_that_cannot_be_sent_are_told_at_the_next_reading() -> None:
    endpoint: Any = Endpoint(lambda name: Answer(status=200, body=""), 1)

    def missing(*given: Any, **named: Any) -> Answer:
        endpoint.enough.set()
        raise FileNotFoundError("/files/request.json")

    endpoint.invoke = missing
    with Probes(endpoint, "adult", old="blue", new="green", requests=SENT) as probes:
        assert endpoint.enough.wait(10)
    with pytest.raises(TargetError, match="the probes have ended"):
        probes.read()


def test_a_reading_before_the_first_request_is_empty() -> None:
    endpoint: Any = None
    probes = Probes(endpoint, "adult", old="blue", new="green", requests=SENT)
    assert probes.read()["green"] == DeploymentMetrics(
        latency={**{repr(bound): 0 for bound in BOUNDS}, "+Inf": 0}
    )


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ('{"a": [1, "x"]}', '{"a":[1,"x"]}', True),
        ("[0.30000000000000004]", "[0.3]", True),
        ("[0.3]", "[0.31]", False),
        ("[1.0]", "[1]", True),
        ("[1.0]", '["1"]', False),
        ("[1, 2]", "[1]", False),
        ('{"a": 1}', '{"b": 1}', False),
        ("<p>", "<p>", True),
        ("<p>", "<q>", False),
    ],
)
def test_answers_agree_by_what_they_hold(old: str, new: str, same: bool) -> None:
    assert agree(Answer(status=200, body=old), Answer(status=200, body=new)) is same


def test_an_answer_agrees_with_no_error() -> None:
    fine, error = Answer(status=200, body="1"), Answer(status=424, body="1")
    assert agree(fine, error) is False
    assert agree(fine, None) is False
    assert agree(error, fine) is None
    assert agree(None, fine) is None
