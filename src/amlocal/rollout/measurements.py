"""Where the figures of a rollout come from.

The router of this machine counts all that deployments do; Azure Monitor counts requests; and a
rollout can send requests of its own (`probes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Protocol, runtime_checkable

from amlocal.endpoint_operations import OnlineEndpointOperations
from amlocal.errors import UsageError
from amlocal.plan import (
    DeploymentMetrics,
    MonitoredDeployment,
    OnlineEndpointInfo,
    RolloutPolicy,
    RolloutStage,
)


class Measurements(Protocol):
    """A source of what an endpoint's deployments have done.

    Attributes:
        interval: Seconds after which another reading says more.
        lag: Seconds until a reading is free of what was before a change of traffic.
        tells_latency: Whether it has histograms of latency.
    """

    interval: float
    lag: float
    tells_latency: bool

    def compares(self, stage: RolloutStage) -> bool:
        """Whether answers of both deployments are compared in a stage."""

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment, which only grow; raises TargetError."""


class RouterCounters:
    """What the router of this machine counts: requests, latency, and agreement of copies.

    Args:
        operations: The online endpoints of the target.
        endpoint_name: The endpoint.
    """

    interval = 1.0
    lag = 0.0
    tells_latency = True

    def __init__(self, operations: OnlineEndpointOperations, endpoint_name: str) -> None:
        self._operations = operations
        self._endpoint_name = endpoint_name

    def compares(self, stage: RolloutStage) -> bool:
        """Whether answers are compared: the router does so with copied requests."""
        return stage.kind == "shadow"

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment."""
        return self._operations.metrics(self._endpoint_name)


@runtime_checkable
class Monitoring(Protocol):
    """Online endpoints of a target whose deployments something else watches."""

    def get(self, name: str) -> OnlineEndpointInfo:
        """Return an endpoint; raises NotFoundError."""

    def monitor(
        self, endpoint_name: str, deployment_name: str, since: datetime
    ) -> MonitoredDeployment:
        """Return what is known of a deployment since a time; raises TargetError."""


class AzureMonitor:
    """What Azure Monitor counts: requests by status, a value a minute, some minutes late.

    It has percentiles of latency, but not of how many requests, so that chance cannot be told from
    them; and it compares no answers.

    Args:
        operations: The online endpoints of the workspace.
        endpoint_name: The endpoint.
        now: Returns the time, in UTC.
    """

    interval = 30.0
    lag = 180.0
    tells_latency = False

    def __init__(
        self,
        operations: Monitoring,
        endpoint_name: str,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._operations = operations
        self._endpoint_name = endpoint_name
        # Counted from one moment on, so that the counts only grow; an hour back, so that a rollout
        # that is resumed in its last stage knows how the old deployment did.
        self._since = now() - timedelta(hours=1)

    def compares(self, stage: RolloutStage) -> bool:  # noqa: ARG002 - in none
        """Whether answers are compared: never."""
        return False

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment that has or gets requests."""
        endpoint = self._operations.get(self._endpoint_name)
        names = endpoint.deployments or (*endpoint.traffic, *endpoint.mirror_traffic)
        return {
            name: DeploymentMetrics(
                requests=self._operations.monitor(endpoint.name, name, self._since).requests
            )
            for name in dict.fromkeys(names)
        }


class WithProbes:
    """What the target counts, and what it does not count as the probes have it.

    Probes are requests like others, so the target counts them; only comparing answers, and on Azure
    the latency, is their own.

    Args:
        counters: What the target counts.
        probes: The probes.
    """

    def __init__(self, counters: Measurements, probes: Measurements) -> None:
        self.interval = counters.interval
        self.lag = counters.lag
        self.tells_latency = counters.tells_latency or probes.tells_latency
        self._counters = counters
        self._probes = probes

    def compares(self, stage: RolloutStage) -> bool:
        """Whether answers are compared: one of the two suffices."""
        return self._counters.compares(stage) or self._probes.compares(stage)

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment."""
        counted, probed = self._counters.read(), self._probes.read()
        nothing = DeploymentMetrics()
        return {
            name: self._joined(counted.get(name, nothing), probed.get(name, nothing))
            for name in counted.keys() | probed.keys()
        }

    def _joined(self, counted: DeploymentMetrics, probed: DeploymentMetrics) -> DeploymentMetrics:
        return DeploymentMetrics(
            requests=counted.requests,
            mirrored=counted.mirrored,
            latency=counted.latency if self._counters.tells_latency else probed.latency,
            mirrored_latency=counted.mirrored_latency,
            agreed=counted.agreed + probed.agreed,
            disagreed=counted.disagreed + probed.disagreed,
        )


def require_measurable(policy: RolloutPolicy, source: Measurements) -> None:
    """Check that each rule of a policy is measured by a source in some stage.

    Raises:
        UsageError: One is not.
    """
    hint = "add probes: with a request_file, or remove the rule"
    if policy.latencies and not source.tells_latency:
        message = "nothing measures the latency of each deployment, which the policy limits"
        raise UsageError(message, hint=hint)
    if policy.agreement is not None and not any(map(source.compares, policy.stages)):
        raise UsageError("nothing compares answers, which the policy limits", hint=hint)
