"""A progressive rollout: its policy, and what came of it."""

from __future__ import annotations

from typing import Literal

from amlocal.plan.base import Value

StageKind = Literal["shadow", "traffic"]
OnInsufficient = Literal["wait", "proceed", "abort"]
#: What one rule says of a stage: `unclear` is too few requests to tell.
RuleOutcome = Literal["passed", "breached", "unclear"]
#: What became of a stage; `stopped` where someone else changed the endpoint meanwhile.
StageOutcome = Literal["passed", "breached", "insufficient", "proceeded", "stopped"]
RolloutOutcome = Literal["completed", "returned", "stopped"]


class RolloutStage(Value, frozen=True):
    """One step towards the new deployment.

    Attributes:
        kind: `shadow` (it gets copies of requests) or `traffic` (it answers requests).
        percent: Of the endpoint's requests.
        duration: Seconds that the stage lasts at least.
        minimum_requests: Requests of the new deployment that the stage lasts at least.
        timeout: Seconds after which too few requests are dealt with as the policy says.
    """

    kind: StageKind
    percent: int
    duration: float = 60
    minimum_requests: int = 100
    timeout: float = 3600

    def __str__(self) -> str:
        return f"{self.kind} {self.percent} %"


class ErrorRule(Value, frozen=True):
    """How many requests may fail: 408, 424, 429, and 5xx.

    Attributes:
        maximum: Share of the new deployment's requests, or None.
        maximum_increase: Share above the old deployment's, or None.
    """

    maximum: float | None = None
    maximum_increase: float | None = None


class LatencyRule(Value, frozen=True):
    """How slow the new deployment may be.

    Attributes:
        percentile: Of the latency, as 95 or 99.
        maximum_ratio: To the same percentile of the old deployment.
        minimum_requests: Requests of each deployment without which nothing is concluded.
    """

    percentile: float
    maximum_ratio: float
    minimum_requests: int


class AgreementRule(Value, frozen=True):
    """How often both deployments must answer the same.

    Attributes:
        minimum: Share of the requests that both answered.
    """

    minimum: float


class ReplayedRequests(Value, frozen=True):
    """Requests that the rollout sends itself, to both deployments.

    Attributes:
        request_file: Absolute path of the body.
        rate: Requests a second, to each of both.
    """

    request_file: str
    rate: float = 1.0


class RolloutPolicy(Value, frozen=True):
    """How an endpoint's traffic goes over to a new deployment.

    Attributes:
        endpoint_name: The endpoint.
        deployment_name: The new deployment.
        deployment_file: Absolute path of the file that creates it, or an empty string where it is
            there already.
        stages: In order; the last one is all traffic.
        errors: How many requests may fail, or None.
        latencies: How slow it may be.
        agreement: How often it must answer as the old one, or None.
        confidence: How sure a breach must be, of one side, to count: 0.5 to below 1.
        on_insufficient: What happens when a stage has too few requests in time.
        probes: Requests that the rollout sends itself, or None.
        source: The file that it was read from, as the user named it.
    """

    endpoint_name: str
    deployment_name: str
    stages: tuple[RolloutStage, ...]
    deployment_file: str = ""
    errors: ErrorRule | None = None
    latencies: tuple[LatencyRule, ...] = ()
    agreement: AgreementRule | None = None
    confidence: float = 0.99
    on_insufficient: OnInsufficient = "abort"
    probes: ReplayedRequests | None = None
    source: str = ""


class Verdict(Value, frozen=True):
    """What one rule says of one stage.

    Attributes:
        rule: As people name it: `error rate`, `p95 latency`, `agreement`.
        outcome: Passed, breached, or unclear.
        value: The figure of the new deployment, or None where there is none yet.
        reference: The figure of the old deployment, or None where the rule needs none.
        limit: What the figure is held against: a share, an increase, or a ratio.
        bound: The end of the confidence interval that is compared with the limit, or None.
        requests: Requests of the new deployment that it rests on.
        reference_requests: Requests of the old deployment that it rests on.
        reason: The same in a sentence.
    """

    rule: str
    outcome: RuleOutcome
    limit: float
    value: float | None = None
    reference: float | None = None
    bound: float | None = None
    requests: int = 0
    reference_requests: int = 0
    reason: str = ""


class StageResult(Value, frozen=True):
    """What became of one stage.

    Attributes:
        stage: As people name it: `shadow 20 %`.
        outcome: What became of it.
        seconds: How long it lasted.
        requests: Requests of the new deployment.
        verdicts: What each rule said at its end.
        reason: Why it ended so, or an empty string where all is well.
    """

    stage: str
    outcome: StageOutcome
    seconds: float
    requests: int
    verdicts: tuple[Verdict, ...] = ()
    reason: str = ""


class RolloutResult(Value, frozen=True):
    """What became of a rollout.

    Attributes:
        endpoint_name: The endpoint.
        deployment_name: The new deployment.
        outcome: `completed`, `returned` to the traffic from before, or `stopped` where someone else
            had changed the endpoint.
        traffic: Percent of the requests by deployment, at the end.
        traffic_before: The same before the rollout.
        stages: Those that this run went through.
        reason: Why it did not complete, or an empty string.
    """

    endpoint_name: str
    deployment_name: str
    outcome: RolloutOutcome
    traffic: dict[str, int]
    traffic_before: dict[str, int]
    stages: tuple[StageResult, ...] = ()
    reason: str = ""
