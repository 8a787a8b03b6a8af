"""Policies of rollouts, from their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.spec.files import Write

from amlocal.client import load_rollout
from amlocal.errors import SpecError
from amlocal.plan import (
    AgreementRule,
    ErrorRule,
    LatencyRule,
    ReplayedRequests,
    RolloutPolicy,
    RolloutStage,
)

SHORT = """
    endpoint_name: adult
    deployment_name: green
    stages:
      - traffic: 100
    rules:
      error_rate: {maximum: 0.01}
"""


def problems(file: Path, *settings: str) -> list[str]:
    with pytest.raises(SpecError) as told:
        load_rollout(file, overrides=settings)
    return [str(problem) for problem in told.value.problems]


def test_every_field_reaches_the_policy(write: Write, tmp_path: Path) -> None:
    (tmp_path / "request.json").write_text("{}")
    (tmp_path / "green.yml").write_text("name: green")
    file = write(
        rollout="""
        endpoint_name: adult
        deployment_name: green
        deployment_file: green.yml
        stages:
          - {shadow: 20, duration: 30, minimum_requests: 300, timeout: 900}
          - traffic: 10
            duration: 5000
          - traffic: 100
        rules:
          error_rate: {maximum: 0.01, maximum_increase: 0.005}
          latency:
            - {percentile: 95, maximum_ratio: 1.5}
            - {percentile: 99, maximum_ratio: 2, minimum_requests: 1000}
          agreement: {minimum: 0.95}
          confidence: 0.95
        on_insufficient: proceed
        probes: {request_file: ./request.json, rate: 5}
        """
    )
    assert load_rollout(file) == RolloutPolicy(
        endpoint_name="adult",
        deployment_name="green",
        deployment_file=str(tmp_path / "green.yml"),
        stages=(
            RolloutStage(kind="shadow", percent=20, duration=30, minimum_requests=300, timeout=900),
            RolloutStage(kind="traffic", percent=10, duration=5000, timeout=5000),
            RolloutStage(kind="traffic", percent=100),
        ),
        errors=ErrorRule(maximum=0.01, maximum_increase=0.005),
        latencies=(
            LatencyRule(percentile=95, maximum_ratio=1.5, minimum_requests=0),
            LatencyRule(percentile=99, maximum_ratio=2, minimum_requests=1000),
        ),
        agreement=AgreementRule(minimum=0.95),
        confidence=0.95,
        on_insufficient="proceed",
        probes=ReplayedRequests(request_file=str(tmp_path / "request.json"), rate=5),
        source="rollout.yml",
    )


def test_what_is_left_out_has_defaults(write: Write) -> None:
    policy = load_rollout(write(rollout=SHORT))
    assert policy.stages == (
        RolloutStage(kind="traffic", percent=100, duration=60, minimum_requests=100, timeout=3600),
    )
    assert (policy.confidence, policy.on_insufficient, policy.probes) == (0.99, "abort", None)


def test_settings_stand_for_what_the_file_says(write: Write) -> None:
    file = write(rollout=SHORT)
    policy = load_rollout(file, overrides=["deployment_name=red", "stages[0].duration=5"])
    assert (policy.deployment_name, policy.stages[0].duration) == ("red", 5)
    assert problems(file, "stages[0].traffic=900")[0].startswith("--set stages[0].traffic=900: ")


def test_all_problems_come_at_once_with_their_lines(write: Write) -> None:
    file = write(
        rollout="""\
        endpoint_name: adult
        deployment_nam: green
        stages:
          - shadow: 60
          - traffic: 10
            duration: 5s
          - traffic: 5
          - trafic: 5
          - {}
          - shadow: 10
            minimum_requests: 1.5
        rules:
          error_rate: {}
          latency:
            - percentile: 95
            - {percentile: 100, maximum_ratio: 0.5}
          agreement: {minimum: 95}
          confidence: 1
        on_insufficient: off
        probes: {request_file: nope.json}
        """
    )
    assert problems(file) == [
        "rollout.yml:2: no field 'deployment_nam' in a rollout's policy; did you mean"
        " 'deployment_name'?",
        "rollout.yml:4: 'stages.0.shadow' is 60; give a whole number from 1 to 50",
        "rollout.yml:6: 'stages.1.duration' must be a number, not '5s'; write a number such as 0.1",
        "rollout.yml:7: traffic 5 % comes after traffic 10 %; let each stage have more than the"
        " one before",
        "rollout.yml:8: no field 'trafic' in a stage; did you mean 'traffic'?",
        "rollout.yml:9: a stage has neither shadow nor traffic; write one, as in `- traffic: 10`",
        "rollout.yml:10: a shadow stage comes after traffic; put it before the stages with traffic",
        "rollout.yml:11: 'stages.5.minimum_requests' is 1.5; give a whole number from 0",
        "rollout.yml:13: error_rate has no limit; add maximum: 0.01",
        "rollout.yml:15: a limit of latency lacks the field 'maximum_ratio'; add maximum_ratio:",
        "rollout.yml:16: 'rules.latency.1.percentile' is 100; give from 1 to 99.99",
        "rollout.yml:16: 'rules.latency.1.maximum_ratio' is 0.5; give from 1",
        "rollout.yml:17: 'rules.agreement.minimum' is 95; give from 0 to 1",
        "rollout.yml:18: 'rules.confidence' is 1; give from 0.5 to 0.99999",
        "rollout.yml:19: 'on_insufficient' cannot be False; known: abort, proceed, wait",
        "rollout.yml:20: the file 'nope.json' is not there; the current folder has no such name",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("stages=[]", "there are no stages; add `- traffic: 100`"),
        ("stages[0].traffic=50", "the last stage is traffic 50 %; add `- traffic: 100`"),
        ("stages[0].shadow=5", "a stage has both shadow and traffic"),
        ("stages[0].timeout=5", "timeout 5 is below duration 60; give more"),
        ("rules={}", "no rule limits anything; add error_rate:, latency:, or agreement:"),
        ("rules=null", "a rollout's policy lacks the field 'rules'; add rules:"),
        ("rules.agreement.minimum=0.9", "answers are compared in no stage; add a stage"),
        ("stages[0]=7", "'stages.0' is 7; write its fields below it: shadow, traffic"),
        ("$schema=x", "no field '$schema' in a rollout's policy"),
    ],
)
def test_what_cannot_be_rolled_out_is_told(write: Write, change: str, message: str) -> None:
    (found,) = problems(write(rollout=SHORT), change)
    assert message in found


def test_a_file_that_is_no_policy_is_told(write: Write) -> None:
    (found,) = problems(write(rollout="- traffic: 100"))
    assert found.startswith("rollout.yml:1: the file is a list; write its fields below it")
