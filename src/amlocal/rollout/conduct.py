"""Conducts a rollout: sets a stage's traffic, watches, judges, and goes on or returns.

Where it is killed, the endpoint stays at the stage's traffic, and its tags say so: `resume` goes on
with that stage, `switch.abort` returns. Where someone else changes the endpoint's traffic, or takes
the rollout over, it stops and leaves the endpoint alone.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Protocol

from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import TargetError
from amlocal.plan import (
    DeploymentMetrics,
    OnlineEndpointInfo,
    RolloutOutcome,
    RolloutPolicy,
    RolloutResult,
    RolloutStage,
    StageOutcome,
    StageResult,
    Verdict,
)
from amlocal.plan.endpoint_info import FAILED
from amlocal.rollout import state as states
from amlocal.rollout.judge import early, judge, outcome_of, requests_of
from amlocal.rollout.measurements import Measurements
from amlocal.rollout.state import Progress, RolloutState, TrafficBefore
from amlocal.rollout.windows import Window, total

#: Readings that may fail in a row before the rollout, which then sees nothing, returns.
MOST_FAILED_READINGS = 5

#: What ends a stage, and why.
_Trouble = tuple[StageOutcome, str]
_ENDS: Mapping[StageOutcome, RolloutOutcome] = {
    "breached": "returned",
    "insufficient": "returned",
    "stopped": "stopped",
}


class Clock(Protocol):
    """What time it is; the module `time` is one."""

    def monotonic(self) -> float:
        """Return seconds that only grow."""

    def sleep(self, seconds: float, /) -> None:
        """Wait."""


class Observer(Protocol):
    """Is told of a rollout."""

    def note(self, message: str) -> None:
        """Hear something on the side."""

    def stage_started(self, stage: RolloutStage, number: int, count: int) -> None:
        """Hear that a stage has begun, counted from 1."""

    def looked(self, seconds: float, requests: int, verdicts: tuple[Verdict, ...]) -> None:
        """Hear what a look at the present stage found."""

    def stage_ended(self, result: StageResult) -> None:
        """Hear what became of a stage."""


class Conductor:
    """Conducts one rollout.

    Args:
        client: The endpoints of the target.
        policy: Stages and rules.
        source: Where figures come from.
        before: The traffic to return to.
        observer: Is told of it.
        clock: What time it is.
    """

    def __init__(
        self,
        client: EndpointClient,
        policy: RolloutPolicy,
        source: Measurements,
        before: TrafficBefore,
        *,
        observer: Observer,
        clock: Clock = time,
    ) -> None:
        self._client = client
        self._policy = policy
        self._source = source
        self._before = before
        self._observer = observer
        self._clock = clock
        self._owner = secrets.token_hex(4)
        self._old = [name for name in before.traffic if name != policy.deployment_name]
        self._history = Window()
        self._failed_readings = 0

    def run(self, first: int = 0) -> RolloutResult:
        """Go through the stages.

        Args:
            first: The stage to begin with, counted from 0.

        Raises:
            TargetError: The endpoint cannot be changed; it stays as it is.
        """
        results: list[StageResult] = []
        stages = self._policy.stages
        for number, stage in enumerate(stages[first:], first):
            self._set(number, "running", self._traffic(stage), self._mirror(stage))
            self._observer.stage_started(stage, number + 1, len(stages))
            result = self._watch(stage)
            results.append(result)
            self._observer.stage_ended(result)
            end = _ENDS.get(result.outcome)
            if end == "returned":
                self._set(number, "returned", self._before.traffic, self._before.mirror)
            if end is not None:
                return self._result(end, results, f"{result.stage}: {result.reason}")
        last = len(stages) - 1
        self._set(last, "completed", self._traffic(stages[last]), {})
        return self._result("completed", results, "")

    def _result(
        self, outcome: RolloutOutcome, results: list[StageResult], reason: str
    ) -> RolloutResult:
        endpoint = self._endpoint()
        return RolloutResult(
            endpoint_name=self._policy.endpoint_name,
            deployment_name=self._policy.deployment_name,
            outcome=outcome,
            traffic={name: share for name, share in endpoint.traffic.items() if share},
            traffic_before=self._before.traffic,
            stages=tuple(results),
            reason=reason,
        )

    def _endpoint(self) -> OnlineEndpointInfo:
        return self._client.online_endpoints.get(self._policy.endpoint_name)

    def _traffic(self, stage: RolloutStage) -> Mapping[str, int]:
        if stage.kind == "shadow":
            return self._before.traffic
        return states.shared(self._before.traffic, self._policy.deployment_name, stage.percent)

    def _mirror(self, stage: RolloutStage) -> Mapping[str, int]:
        return {self._policy.deployment_name: stage.percent} if stage.kind == "shadow" else {}

    def _set(
        self,
        stage: int,
        said: Progress,
        traffic: Mapping[str, int],
        mirror: Mapping[str, int],
    ) -> None:
        """Change traffic and state in one request."""
        state = RolloutState(
            to=self._policy.deployment_name,
            state=said,
            stage=stage,
            stages=states.digest_of_stages(self._policy),
            owner=self._owner,
        )
        states.apply(self._client, self._endpoint(), traffic, mirror, state, self._before)

    def _watch(self, stage: RolloutStage) -> StageResult:
        """Look at a stage until something becomes of it."""
        if self._source.lag:
            self._observer.note(f"figures come {self._source.lag:g} s late; waiting for that")
            self._clock.sleep(self._source.lag)
        window, began = Window(), self._clock.monotonic()
        self._read(window)
        while True:
            self._clock.sleep(self._source.interval)
            is_read, trouble = self._look(stage, window)
            seconds = self._clock.monotonic() - began
            new = window.of(self._policy.deployment_name)
            if trouble is not None:
                return _ended(stage, *trouble, seconds, new, ())
            if not is_read:
                continue
            verdicts = self._judged(stage, window, self._policy.confidence)
            sooner = self._judged(stage, window, early(self._policy))
            requests = requests_of(new)
            self._observer.looked(seconds, requests, verdicts)
            outcome = outcome_of(
                self._policy,
                stage,
                seconds=seconds,
                requests=requests,
                verdicts=verdicts,
                early_verdicts=sooner,
            )
            if outcome is not None:
                return _ended(stage, outcome, "", seconds, new, verdicts)

    def _judged(
        self, stage: RolloutStage, window: Window, confidence: float
    ) -> tuple[Verdict, ...]:
        return judge(
            self._policy,
            window.of(self._policy.deployment_name),
            self._reference(stage, window),
            confidence=confidence,
            with_agreement=self._source.compares(stage),
        )

    def _read(self, window: Window) -> bool:
        """Take a reading; returns whether there was one."""
        try:
            reading = self._source.read()
        except TargetError as error:
            self._observer.note(f"no figures this time: {error}")
            return False
        window.add(reading)
        self._history.add(reading)
        return True

    def _look(self, stage: RolloutStage, window: Window) -> tuple[bool, _Trouble | None]:
        """Take a reading; returns whether there was one, and what ends the stage, if anything."""
        is_read, trouble = self._read(window), None
        try:
            trouble = self._trouble(stage)
        except TargetError as error:
            self._observer.note(f"the endpoint cannot be seen this time: {error}")
            is_read = False
        self._failed_readings = 0 if is_read else self._failed_readings + 1
        if trouble is None and self._failed_readings >= MOST_FAILED_READINGS:
            trouble = "breached", f"{self._failed_readings} readings in a row failed"
        return is_read, trouble

    def _trouble(self, stage: RolloutStage) -> _Trouble | None:
        """Return what ends a stage whatever its figures are; raises TargetError."""
        endpoint = self._endpoint()
        found = states.read(endpoint)
        if found is None or found[0].owner != self._owner:
            return "stopped", "another command has taken the rollout over"
        live = {name: share for name, share in endpoint.traffic.items() if share}
        if live != {name: share for name, share in self._traffic(stage).items() if share}:
            return "stopped", "the traffic was changed meanwhile; it is left as it is"
        deployment = self._client.online_deployments.get(
            self._policy.deployment_name, self._policy.endpoint_name
        )
        if deployment.provisioning_state == FAILED:
            return "breached", f"the deployment Failed: {deployment.error}".rstrip(": ")
        return None

    def _reference(self, stage: RolloutStage, window: Window) -> DeploymentMetrics:
        """Return what the old deployments did: in the stage, where they still have requests.

        Else since the rollout began, and where it was resumed at its end, since they were made.
        """
        is_alone = stage.kind == "traffic" and stage.percent == 100 and self._policy.probes is None
        if not is_alone:
            return window.all_of(self._old)
        since = self._history.all_of(self._old)
        return since if requests_of(since) else total(map(self._history.last, self._old))


def _ended(
    stage: RolloutStage,
    outcome: StageOutcome,
    reason: str,
    seconds: float,
    new: DeploymentMetrics,
    verdicts: tuple[Verdict, ...],
) -> StageResult:
    telling = {"breached": "breached", "insufficient": "unclear", "proceeded": "unclear"}
    of_rules = [v for v in verdicts if v.outcome == telling.get(outcome)]
    said = "\n".join(f"{verdict.rule}: {verdict.reason}" for verdict in of_rules)
    if outcome in {"insufficient", "proceeded"} and not said:
        said = f"{requests_of(new)} requests; the stage asks for {stage.minimum_requests}"
    return StageResult(
        stage=str(stage),
        outcome=outcome,
        seconds=round(seconds, 3),
        requests=requests_of(new),
        verdicts=verdicts,
        reason=reason or said,
    )
