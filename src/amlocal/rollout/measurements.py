"""Where the figures of a rollout come from.

The router of this machine counts all that deployments do; Azure Monitor counts requests, without
latencies by deployment as a histogram; and a rollout can send requests of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from amlocal.endpoint_operations import OnlineEndpointOperations
from amlocal.errors import UsageError
from amlocal.plan import DeploymentMetrics, RolloutPolicy, RolloutStage


class Measurements(Protocol):
    """A source of what an endpoint's deployments have done.

    Attributes:
        interval: Seconds after which another reading says more.
        tells_latency: Whether it has histograms of latency.
    """

    interval: float
    tells_latency: bool

    def compares(self, stage: RolloutStage) -> bool:
        """Whether answers of both deployments are compared in a stage."""

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment, which only grow; raises TargetError."""


class EndpointCounters:
    """What the target itself counts: the router of this machine, or Azure Monitor.

    Args:
        operations: The online endpoints of the target.
        endpoint_name: The endpoint.
        interval: Seconds between two readings.
        is_router: Whether all is counted that the router counts: latency, and agreement of copies.
    """

    def __init__(
        self,
        operations: OnlineEndpointOperations,
        endpoint_name: str,
        *,
        interval: float,
        is_router: bool,
    ) -> None:
        self.interval = interval
        self.tells_latency = is_router
        self._operations = operations
        self._endpoint_name = endpoint_name

    def compares(self, stage: RolloutStage) -> bool:
        """Whether answers are compared: the router does so with copied requests."""
        return self.tells_latency and stage.kind == "shadow"

    def read(self) -> Mapping[str, DeploymentMetrics]:
        """Return the counts of each deployment."""
        return self._operations.metrics(self._endpoint_name)


def router_counters(operations: OnlineEndpointOperations, endpoint_name: str) -> EndpointCounters:
    """Return what the router of this machine counts, a look a second."""
    return EndpointCounters(operations, endpoint_name, interval=1.0, is_router=True)


def azure_monitor(operations: OnlineEndpointOperations, endpoint_name: str) -> EndpointCounters:
    """Return what Azure Monitor counts; it sums up minutes, so a look every half suffices."""
    return EndpointCounters(operations, endpoint_name, interval=30.0, is_router=False)


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
