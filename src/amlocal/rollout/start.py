"""Begins a rollout, or goes on with one that was interrupted."""

from __future__ import annotations

import contextlib
import time

from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import TargetError, UsageError
from amlocal.plan import OnlineDeploymentInfo, OnlineEndpointInfo, RolloutPolicy, RolloutResult
from amlocal.plan.endpoint_info import SUCCEEDED
from amlocal.rollout import state as states
from amlocal.rollout.conduct import Clock, Conductor, Observer
from amlocal.rollout.measurements import Measurements, WithProbes, require_measurable
from amlocal.rollout.probes import Probes
from amlocal.rollout.state import TrafficBefore


def roll_out(
    client: EndpointClient,
    policy: RolloutPolicy,
    counters: Measurements,
    *,
    observer: Observer,
    resume: bool = False,
    clock: Clock = time,
) -> RolloutResult:
    """Roll a deployment out, or go on with an interrupted rollout.

    Args:
        client: The endpoints of the target.
        policy: Stages and rules.
        counters: What the target counts.
        observer: Is told of it.
        resume: Whether to go on with the stage at which an earlier call was interrupted.
        clock: What time it is.

    Raises:
        NotFoundError: There is no such endpoint, or no such deployment.
        UsageError: The endpoint is not in the state for it, or a rule cannot be measured.
        TargetError: The deployment did not become ready, or the endpoint cannot be changed.
    """
    endpoint = client.online_endpoints.get(policy.endpoint_name)
    before, first = resumed(endpoint, policy) if resume else (before_of(endpoint, policy), 0)
    probes = None
    if policy.probes is not None:
        probes = Probes(
            client.online_endpoints,
            endpoint.name,
            old=max(before.traffic, key=lambda name: before.traffic[name]),
            new=policy.deployment_name,
            requests=policy.probes,
        )
    source = _source(counters, probes, observer)
    require_measurable(policy, source)
    if policy.deployment_file and not resume:
        _deploy(client, policy, observer)
    ready_deployment(client, endpoint, policy.deployment_name)
    with probes or contextlib.nullcontext():
        conductor = Conductor(client, policy, source, before, observer=observer, clock=clock)
        return conductor.run(first)


def _source(counters: Measurements, probes: Probes | None, observer: Observer) -> Measurements:
    """Return where figures come from: the probes alone, where the target's cannot be read.

    Raises:
        TargetError: They cannot be read, and there are no probes.
    """
    try:
        counters.read()
    except TargetError as error:
        if probes is None:
            raise TargetError(
                f"no figures of the endpoint: {error}",
                hint="add probes: with a request_file to the policy; they are figures of its own",
            ) from error
        observer.note(f"judged by the probes alone: {error}")
        return probes
    return counters if probes is None else WithProbes(counters, probes)


def _deploy(client: EndpointClient, policy: RolloutPolicy, observer: Observer) -> None:
    observer.note(f"deploying {policy.deployment_name} from {policy.deployment_file}")
    client.online_deployments.begin_create_or_update(
        policy.deployment_file,
        name=policy.deployment_name,
        endpoint_name=policy.endpoint_name,
    ).result()


def ready_deployment(
    client: EndpointClient, endpoint: OnlineEndpointInfo, name: str
) -> OnlineDeploymentInfo:
    """Return a deployment that can take traffic.

    Raises:
        NotFoundError: There is none of this name.
        UsageError: It is not ready.
    """
    found = client.online_deployments.get(name, endpoint.name)
    if found.provisioning_state != SUCCEEDED:
        why = f": {found.error}" if found.error else ""
        raise UsageError(
            f"deployment {name!r} is {found.provisioning_state}{why}",
            hint=f"aml online-deployment get-logs -n {name} -e {endpoint.name}",
        )
    return found


def before_of(endpoint: OnlineEndpointInfo, policy: RolloutPolicy) -> TrafficBefore:
    """Return the traffic that a new rollout would return to.

    Raises:
        UsageError: A rollout runs, there is no traffic, or the new deployment has some already.
    """
    name, new = endpoint.name, policy.deployment_name
    found = states.read(endpoint)
    if found is not None and found[0].state == "running":
        message = f"a rollout to {found[0].to!r} is at stage {found[0].stage + 1} of {name!r}"
        hint = "where its command has ended, --resume goes on and --abort returns"
        raise UsageError(message, hint=hint)
    traffic = {each: share for each, share in endpoint.traffic.items() if share}
    if new in traffic:
        raise UsageError(
            f"{new!r} has {traffic[new]} % of the traffic of {name!r} already",
            hint=f"take it away first, or `aml online-deployment rollout --to {new} -e {name}`",
        )
    if not traffic:
        raise UsageError(
            f"no deployment of {name!r} has traffic, so there is nothing to compare with",
            hint=f"aml online-deployment rollout --to {new} -e {name}",
        )
    mirror = {each: share for each, share in endpoint.mirror_traffic.items() if share}
    return TrafficBefore(traffic=traffic, mirror=mirror)


def resumed(endpoint: OnlineEndpointInfo, policy: RolloutPolicy) -> tuple[TrafficBefore, int]:
    """Return the traffic to return to, and the stage to go on with, of an interrupted rollout.

    Raises:
        UsageError: There is none, or it is another one.
    """
    found = states.read(endpoint)
    if found is None or found[0].state != "running":
        raise UsageError(f"no rollout of {endpoint.name!r} was interrupted", hint="omit --resume")
    state, before = found
    hint = f"aml online-deployment rollout --abort -e {endpoint.name}"
    if state.to != policy.deployment_name:
        raise UsageError(f"the rollout under way is to {state.to!r}", hint=hint)
    if state.stages != states.digest_of_stages(policy):
        raise UsageError("the stages have changed since the rollout began", hint=hint)
    return before, state.stage
