"""Whole rollouts over a scripted endpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.rollout.fakes import ENDPOINT, Behaviour, MonitoredEndpoints, Watching, World

from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.plan import (
    AgreementRule,
    ErrorRule,
    LatencyRule,
    ReplayedRequests,
    RolloutPolicy,
    RolloutResult,
    RolloutStage,
)
from amlocal.rollout import state as states
from amlocal.rollout.conduct import MOST_FAILED_READINGS
from amlocal.rollout.measurements import AzureMonitor, Measurements, RouterCounters
from amlocal.rollout.start import roll_out
from amlocal.rollout.switch import abort, switch

STAGES = (
    RolloutStage(kind="shadow", percent=20, duration=30, minimum_requests=200, timeout=120),
    RolloutStage(kind="traffic", percent=10, duration=30, minimum_requests=200, timeout=120),
    RolloutStage(kind="traffic", percent=50, duration=30, minimum_requests=200, timeout=120),
    RolloutStage(kind="traffic", percent=100, duration=30, minimum_requests=200, timeout=120),
)
POLICY = RolloutPolicy(
    endpoint_name=ENDPOINT,
    deployment_name="green",
    stages=STAGES,
    errors=ErrorRule(maximum=0.02, maximum_increase=0.01),
    latencies=(LatencyRule(percentile=95, maximum_ratio=1.5, minimum_requests=150),),
    agreement=AgreementRule(minimum=0.98),
)


def policy(**fields: Any) -> RolloutPolicy:
    return msgspec.structs.replace(POLICY, **fields)


def counters(world: World) -> Measurements:
    """Return what the world counts, by a monitor where it has one."""
    if isinstance(world.online_endpoints, MonitoredEndpoints):
        return AzureMonitor(world.online_endpoints, ENDPOINT)
    return RouterCounters(world.online_endpoints, ENDPOINT)


def run(world: World, rules: RolloutPolicy = POLICY, **given: Any) -> RolloutResult:
    given.setdefault("observer", Watching())
    return roll_out(world, rules, counters(world), clock=world, **given)


def said(world: World) -> str:
    found = states.read(world.endpoint)
    assert found is not None
    return f"{found[0].state} {found[0].to} {found[0].stage}"


def test_a_good_deployment_goes_through_all_stages() -> None:
    world, watching = World(), Watching()
    result = run(world, observer=watching)
    assert result.outcome == "completed"
    assert result.traffic == {"green": 100}
    assert result.reason == ""
    assert [(stage.stage, stage.outcome) for stage in result.stages] == [
        ("shadow 20 %", "passed"),
        ("traffic 10 %", "passed"),
        ("traffic 50 %", "passed"),
        ("traffic 100 %", "passed"),
    ]
    assert world.history == [
        ({"blue": 100}, {"green": 20}),
        ({"blue": 90, "green": 10}, {}),
        ({"blue": 50, "green": 50}, {}),
        ({"green": 100}, {}),
        ({"green": 100}, {}),
    ]
    shadow, *_, last = result.stages
    assert [verdict.rule for verdict in shadow.verdicts] == [
        "error rate",
        "error rate over the old one's",
        "p95 latency",
        "agreement",
    ]
    # All traffic is judged against what the old deployment did in the stages before.
    assert [verdict.outcome for verdict in last.verdicts] == ["passed"] * 3
    assert last.verdicts[1].reference_requests == 30 * (100 + 90 + 50)
    assert said(world) == "completed green 3"
    assert watching.stages[0] == "1/4 shadow 20 %"
    assert len(watching.results) == 4
    assert world.endpoint.tags["team"] == "risk"


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        (Behaviour(failing=0.2), "error rate"),
        (Behaviour(seconds=0.05), "p95 latency"),
        (Behaviour(agreeing=0.8), "agreement"),
    ],
)
def test_a_bad_deployment_is_returned_in_the_shadow_and_answers_nobody(
    bad: Behaviour, rule: str
) -> None:
    world = World(green=bad)
    result = run(world)
    assert result.outcome == "returned"
    assert result.reason.startswith("shadow 20 %: ")
    assert rule in result.reason
    assert world.history[-1] == ({"blue": 100}, {})
    assert sum(world.counts["green"].live.values()) == 0
    assert said(world) == "returned green 0"


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_breach_in_each_later_stage_returns_to_the_traffic_from_before(stage: int) -> None:
    world = World()

    def turn_bad(now: float) -> None:
        if now > stage * 30 + 5:
            world.behaviours["green"] = Behaviour(failing=0.3)

    world.happens = turn_bad
    result = run(world)
    assert result.outcome == "returned"
    assert [each.outcome for each in result.stages] == ["passed"] * stage + ["breached"]
    assert result.traffic == {"blue": 100}
    assert world.history[-1] == ({"blue": 100}, {})
    # An early look suffices: it does not wait for the end of the stage.
    assert result.stages[-1].seconds < 30


def test_several_old_deployments_keep_their_proportions() -> None:
    world = World(traffic={"blue": 70, "grey": 30}, grey=Behaviour())
    result = run(world)
    assert [each[0] for each in world.history[:3]] == [
        {"blue": 70, "grey": 30},
        {"blue": 63, "grey": 27, "green": 10},
        {"blue": 35, "grey": 15, "green": 50},
    ]
    assert result.outcome == "completed"


def test_a_mirror_from_before_comes_back_with_the_traffic() -> None:
    world = World(grey=Behaviour(), green=Behaviour(failing=0.5))
    world.edit(mirror_traffic={"grey": 10})
    run(world)
    assert world.history == [({"blue": 100}, {"green": 20}), ({"blue": 100}, {"grey": 10})]


@pytest.mark.parametrize(
    ("on_insufficient", "outcome"), [("abort", "returned"), ("proceed", "completed")]
)
def test_too_few_requests_in_time(on_insufficient: Any, outcome: str) -> None:
    world = World(rate=1)
    result = run(world, policy(on_insufficient=on_insufficient))
    assert result.outcome == outcome
    first = result.stages[0]
    assert first.seconds == 120
    assert first.requests == 24
    assert first.reason == "p95 latency: 24 requests of the new deployment; 150 are needed"


def test_waiting_for_requests_has_no_end_but_enough_of_them() -> None:
    world = World(rate=1)

    def come(now: float) -> None:
        world.rate = 1 if now < 1000 else 200

    world.happens = come
    result = run(world, policy(on_insufficient="wait"))
    assert result.outcome == "completed"
    assert result.stages[0].seconds >= 1000


def test_a_deployment_that_fails_is_returned_at_once() -> None:
    world = World()

    def fail(now: float) -> None:
        if now >= 35:
            world.online_deployments.fail("green", "init() raised")

    world.happens = fail
    result = run(world)
    assert result.reason == "traffic 10 %: the deployment Failed: init() raised"
    assert (result.outcome, result.traffic) == ("returned", {"blue": 100})


def test_readings_that_fail_now_and_then_are_passed_over() -> None:
    world, watching = World(), Watching()

    def stutter(now: float) -> None:
        world.unreadable = 3 if now == 10 else world.unreadable

    world.happens = stutter
    assert run(world, observer=watching).outcome == "completed"
    assert watching.notes == ["no figures this time: the router does not answer"] * 3


def test_an_endpoint_that_is_not_seen_now_and_then_is_passed_over() -> None:
    world, watching = World(), Watching()

    def stutter(now: float) -> None:
        world.unseen = 3 if now == 10 else world.unseen

    world.happens = stutter
    assert run(world, observer=watching).outcome == "completed"
    assert watching.notes == ["the endpoint cannot be seen this time: the network is down"] * 3


@pytest.mark.parametrize("what", ["unreadable", "unseen"])
def test_what_cannot_be_seen_is_returned(what: str) -> None:
    world = World()

    def blind(now: float) -> None:
        if now == 40:
            setattr(world, what, MOST_FAILED_READINGS)

    world.happens = blind
    result = run(world)
    assert result.reason == "traffic 10 %: 5 readings in a row failed"
    assert result.traffic == {"blue": 100}


def test_traffic_that_someone_else_changes_is_left_to_them() -> None:
    world = World()

    def change(now: float) -> None:
        if now == 40:
            world.edit(traffic={"blue": 0, "green": 0, "grey": 100})

    world.happens = change
    result = run(world)
    assert (result.outcome, result.traffic) == ("stopped", {"grey": 100})
    assert "changed meanwhile" in result.reason


def test_an_interrupted_rollout_stays_where_it_is_and_is_resumed_there() -> None:
    world = World()

    def interrupt(now: float) -> None:
        if now == 70:
            raise KeyboardInterrupt

    world.happens = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(world)
    assert said(world) == "running green 2"
    assert world.endpoint.traffic == {"blue": 50, "green": 50}
    with pytest.raises(UsageError, match="a rollout to 'green' is at stage 3 of 'adult'") as told:
        run(world)
    assert "--resume" in told.value.hint
    world.happens = lambda _: None
    result = run(world, resume=True)
    assert result.outcome == "completed"
    assert [stage.stage for stage in result.stages] == ["traffic 50 %", "traffic 100 %"]


def test_a_resumed_rollout_that_breaches_returns_to_the_traffic_before_it_all() -> None:
    world = World()
    _interrupted(world, at=70)
    world.behaviours["green"] = Behaviour(failing=0.5)
    result = run(world, resume=True)
    assert (result.outcome, result.traffic) == ("returned", {"blue": 100})


def test_one_resumed_at_all_traffic_is_judged_against_the_old_ones_whole_life() -> None:
    world = World()
    _interrupted(world, at=100)
    assert said(world) == "running green 3"
    result = run(world, resume=True)
    assert result.outcome == "completed"
    assert result.stages[0].verdicts[1].reference_requests == 30 * (100 + 90 + 50)


def test_an_interrupted_rollout_can_be_taken_back() -> None:
    world = World()
    _interrupted(world, at=70)
    abort(world, ENDPOINT)
    assert world.history[-1] == ({"blue": 100}, {})
    assert said(world) == "returned green 2"
    with pytest.raises(UsageError, match="no rollout of 'adult' runs"):
        abort(world, ENDPOINT)
    assert run(world).outcome == "completed"


def test_a_rollout_that_another_command_takes_over_leaves_the_endpoint_alone() -> None:
    world = World()

    def take_over(now: float) -> None:
        if now == 40:
            switch(world, ENDPOINT, "blue")

    world.happens = take_over
    result = run(world)
    assert result.outcome == "stopped"
    assert result.reason == "traffic 10 %: another command has taken the rollout over"
    assert world.history[-1] == ({"blue": 100}, {})


def test_only_the_same_rollout_is_resumed() -> None:
    world = World()
    with pytest.raises(UsageError, match="was interrupted"):
        run(world, resume=True)
    _interrupted(world, at=70)
    with pytest.raises(UsageError, match="stages have changed"):
        run(world, policy(stages=STAGES[1:]), resume=True)
    with pytest.raises(UsageError, match="is to 'green'"):
        run(world, policy(deployment_name="grey"), resume=True)
    # Its rules may change on the way.
    assert run(world, policy(latencies=()), resume=True).outcome == "completed"


def test_tags_that_were_written_over_are_no_rollout() -> None:
    world = World()
    world.edit(tags={states.TAG: "{}", states.BEFORE_TAG: "no JSON"})
    assert states.read(world.endpoint) is None
    assert run(world).outcome == "completed"


def test_tags_fit_into_azures() -> None:
    world = World()
    _interrupted(world, at=70)
    assert max(map(len, world.endpoint.tags.values())) <= 256


def test_the_deployment_is_created_from_its_file_first() -> None:
    world, watching = World(), Watching()
    result = run(world, policy(deployment_file="/files/green.yml"), observer=watching)
    assert result.outcome == "completed"
    assert world.created == [
        {"file": "/files/green.yml", "name": "green", "endpoint_name": ENDPOINT}
    ]
    assert watching.notes == ["deploying green from /files/green.yml"]


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        ({"blue": 90, "green": 10}, "'green' has 10 % of the traffic of 'adult' already"),
        ({}, "no deployment of 'adult' has traffic"),
    ],
)
def test_a_rollout_begins_from_an_old_deployment_with_traffic(
    traffic: dict[str, int], message: str
) -> None:
    world = World(traffic=traffic)
    with pytest.raises(UsageError, match=message):
        run(world)
    assert world.history == []


def test_a_deployment_that_is_not_there_or_not_ready_gets_nothing() -> None:
    world = World()
    with pytest.raises(NotFoundError, match="'grene'"):
        run(world, policy(deployment_name="grene"))
    world.online_deployments.fail("green", "no module named joblib")
    with pytest.raises(UsageError, match="'green' is Failed: no module named joblib"):
        run(world)
    assert world.history == []


def test_rules_that_nothing_measures_are_told_before_anything_happens() -> None:
    world = World().monitored()
    with pytest.raises(UsageError, match="latency"):
        run(world)
    with pytest.raises(UsageError, match="compares answers") as told:
        run(world, policy(latencies=()))
    assert "probes:" in told.value.hint
    assert world.history == []


def probing(tmp_path: Path, world: World, **fields: Any) -> RolloutPolicy:
    """Return a policy with probes, whose time is not the world's."""
    world.happens = lambda _: time.sleep(0.02)
    sent = ReplayedRequests(request_file=str(tmp_path / "request.json"), rate=1000)
    return policy(latencies=(), probes=sent, **fields)


def test_azure_monitor_judges_errors_once_its_figures_are_of_the_stage() -> None:
    world, watching = World().monitored(), Watching()
    rules = policy(latencies=(), agreement=None)
    assert run(world, rules, observer=watching).outcome == "completed"
    assert watching.notes == ["figures come 180 s late; waiting for that"] * 4
    bad = World(green=Behaviour(failing=0.2)).monitored()
    result = run(bad, rules)
    assert (result.outcome, result.traffic) == ("returned", {"blue": 100})
    assert result.stages[0].seconds == 30


def test_probes_compare_answers_where_the_target_does_not(tmp_path: Path) -> None:
    world = World(green=Behaviour(agreeing=0.5)).monitored()
    result = run(world, probing(tmp_path, world))
    assert result.outcome == "returned"
    assert "agreement" in result.reason
    assert abs(world.invoked["blue"] - world.invoked["green"]) <= 1


def test_probes_alone_judge_where_the_targets_figures_cannot_be_read(tmp_path: Path) -> None:
    world, watching = World(rate=0).monitored(), Watching()
    world.unreadable = 1_000_000
    stages = (RolloutStage(kind="traffic", percent=100, duration=5, minimum_requests=20),)
    result = run(world, probing(tmp_path, world, stages=stages), observer=watching)
    assert result.outcome == "completed"
    assert watching.notes == ["judged by the probes alone: you may not read the metrics"]
    unreadable = World().monitored()
    unreadable.unreadable = 1
    with pytest.raises(TargetError, match="no figures of the endpoint") as told:
        run(unreadable, policy(latencies=(), agreement=None))
    assert "add probes:" in told.value.hint


def test_switching_gives_all_traffic_to_a_ready_deployment() -> None:
    world = World(grey=Behaviour())
    world.edit(mirror_traffic={"green": 10})
    switch(world, ENDPOINT, "green")
    assert world.history == [({"green": 100}, {})]
    world.online_deployments.fail("blue", "it crashed")
    with pytest.raises(UsageError, match="it crashed"):
        switch(world, ENDPOINT, "blue")
    with pytest.raises(NotFoundError):
        switch(world, "adlut", "blue")
    assert len(world.history) == 1


def _interrupted(world: World, *, at: float) -> None:
    def interrupt(now: float) -> None:
        if now == at:
            raise KeyboardInterrupt

    world.happens = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(world)
    world.happens = lambda _: None
