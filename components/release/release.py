"""Release a version of a model: by stages, if the gate made it champion."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aml_command import Aml

from stepkit.program import StepError, boolean, names, run, write_json
from stepkit.tracking import Tracking, tracked

CHAMPION = "champion"
#: Tags of a model's version that its deployment gets too, so that its lineage starts there.
KEPT = ("event", "event_type", "event_source", "trigger", "data_window", "metric.auc")
#: Where a rollout notes on its endpoint how far it is.
_ROLLOUT_TAG = "amlocal_rollout"
#: Seconds within which a version that was made champion holds the alias: it gets that just after it
#: is registered, which is when its event comes.
_ALIAS_SECONDS = 60.0


@dataclass
class Release:
    """What became of a version.

    Attributes:
        model: The version as `NAME:VERSION`.
        endpoint: The endpoint.
        deployment: Its deployment of the version, or an empty string.
        outcome: `released`, `serving` (it had all traffic before), `skipped`, or `returned`.
        reason: Why, in a line.
        traffic: Percent of the requests by deployment.
        monitors: Those that watch the deployment now.
        deleted: Deployments that were deleted.
    """

    model: str
    endpoint: str
    deployment: str = ""
    outcome: str = "released"
    reason: str = ""
    traffic: Mapping[str, int] | None = None
    monitors: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()


def deployment_of(version: str) -> str:
    """Return the name of the deployment of a version."""
    return f"version-{version}"


def holds(version: Mapping[str, Any], alias: str) -> bool:
    """Tell whether a version holds an alias, or the tag that stands in for it in Azure."""
    tags = version.get("tags") or {}
    return alias in (version.get("aliases") or ()) or tags.get(f"alias.{alias}") == "true"


def champion(aml: Aml, args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Return a version, and why it is not to be released: an empty string of the champion.

    Who registered it without the gate said nothing of what it decided.
    """
    show = ("model", "show", "-n", args.model_name, "-v", args.model_version)
    deadline = time.monotonic() + args.alias_seconds
    while True:
        version = aml.json(*show)
        decision = (version.get("tags") or {}).get("decision", "")
        if holds(version, CHAMPION):
            return version, ""
        if decision != CHAMPION:
            return version, f"the gate made it {decision}" if decision else "no gate has judged it"
        if time.monotonic() >= deadline:
            return version, "another version is champion now"
        time.sleep(1.0)


def shares(endpoint: Mapping[str, Any]) -> dict[str, int]:
    """Return the deployments that have traffic."""
    return {name: share for name, share in (endpoint.get("traffic") or {}).items() if share}


def is_ready(aml: Aml, args: argparse.Namespace, endpoint: Mapping[str, Any], name: str) -> bool:
    """Tell whether a deployment was made by an earlier attempt already."""
    if name not in (endpoint.get("deployments") or ()):
        return False
    found = aml.json("online-deployment", "show", "-n", name, "-e", args.endpoint_name)
    return bool(found["provisioning_state"] == "Succeeded")


def deploy(aml: Aml, args: argparse.Namespace, version: Mapping[str, Any], name: str) -> None:
    """Create the version's deployment, without traffic."""
    tags = version.get("tags") or {}
    facts = {key.replace(".", "_"): tags[key] for key in KEPT if key in tags}
    facts |= {"model_job": tags.get("job", ""), "release_job": args.job}
    settings = [
        f"model=azureml:{args.model_name}:{args.model_version}",
        # Tags are text, whatever stands in them.
        *(f"tags.{key}={value}" for key, value in facts.items() if value),
    ]
    file = str(args.files / args.deployment_file)
    create = ("online-deployment", "create", "-f", file, "-n", name, "-e", args.endpoint_name)
    aml.json(*create, "--set", *settings)


def roll_out(aml: Aml, args: argparse.Namespace, endpoint: Mapping[str, Any], name: str) -> Any:
    """Give the deployment the traffic by stages; goes on with a rollout that was interrupted."""
    file = str(args.files / args.policy_file)
    settings = [f"deployment_name={name}", f"endpoint_name={args.endpoint_name}"]
    command = ("online-deployment", "rollout", "-f", file, "--set", *settings)
    state = str((endpoint.get("tags") or {}).get(_ROLLOUT_TAG, ""))
    is_interrupted = f'"to":"{name}"' in state and '"state":"running"' in state
    return aml.judged(*command, *(["--resume"] if is_interrupted else []))


def release(aml: Aml, args: argparse.Namespace) -> Release:
    """Release a version, and return what became of it.

    Raises:
        StepError: A command failed, or the rollout returned.
    """
    told = Release(f"{args.model_name}:{args.model_version}", args.endpoint_name)
    version, why_not = champion(aml, args)
    if why_not:
        told.outcome, told.reason = "skipped", why_not
        return told
    told.deployment = name = deployment_of(args.model_version)
    endpoint = aml.json("online-endpoint", "show", "-n", args.endpoint_name)
    before = shares(endpoint)
    if before == {name: 100}:
        told.outcome, told.reason, told.traffic = "serving", "it had all traffic before", before
    else:
        if not is_ready(aml, args, endpoint, name):
            deploy(aml, args, version, name)
        shift(aml, args, endpoint, told)
    told.monitors = watch(aml, args, name)
    if args.delete_old:
        told.deleted = delete(aml, args, [each for each in before if each != name])
    return told


def shift(aml: Aml, args: argparse.Namespace, endpoint: Mapping[str, Any], told: Release) -> None:
    """Give a deployment all traffic: by stages where another one has it.

    Raises:
        StepError: The rollout returned to the deployment from before.
    """
    name = told.deployment
    if not shares(endpoint):
        aml.json("online-deployment", "rollout", "--to", name, "-e", args.endpoint_name)
        told.reason, told.traffic = "nothing else had traffic", {name: 100}
        return
    result = roll_out(aml, args, endpoint, name)
    told.traffic = result["traffic"]
    if result["outcome"] != "completed":
        raise StepError(
            f"{told.model} was not released: {result['outcome']}: {result['reason']}",
            hint=f"it is still champion; aml model promote -n {args.model_name} --version BEFORE",
        )
    told.reason = f"{len(result['stages'])} stages passed"


def watch(aml: Aml, args: argparse.Namespace, name: str) -> tuple[str, ...]:
    """Let monitors watch a deployment."""
    target = "create_monitor.monitoring_target.endpoint_deployment_id"
    for monitor in args.monitors:
        setting = f"{target}=azureml:{args.endpoint_name}:{name}"
        aml.json("schedule", "update", "-n", monitor, "--set", setting)
    return tuple(args.monitors)


def delete(aml: Aml, args: argparse.Namespace, old: Sequence[str]) -> tuple[str, ...]:
    """Delete deployments that have no traffic any more."""
    for name in old:
        flags = ("-n", name, "-e", args.endpoint_name, "--yes")
        aml.json("online-deployment", "delete", *flags)
    return tuple(old)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    parser.add_argument("--endpoint-name", required=True)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--deployment-file", default="version.yml")
    parser.add_argument("--policy-file", default="release.yml")
    parser.add_argument("--monitors", default="none", help="comma-separated")
    parser.add_argument("--delete-old", type=boolean, default=False)
    parser.add_argument("--target", choices=("local", "azure"), default="local")
    parser.add_argument("--alias-seconds", type=float, default=_ALIAS_SECONDS)
    parser.add_argument("--report", type=Path, required=True)
    args = parser.parse_args(argv)
    args.monitors = () if args.monitors == "none" else names(args.monitors)
    args.job = os.environ.get("AZUREML_ROOT_RUN_ID", "")
    return args


def conclude(told: Release, tracking: Tracking) -> None:
    """Log what became of the version."""
    tracking.metrics({"released": float(told.outcome == "released")})
    tracking.tags({"released_model": told.model, "deployment": told.deployment})
    words = {
        "released": f"RELEASED {told.model} as {told.endpoint}/{told.deployment}",
        "serving": f"SERVING {told.model} as {told.endpoint}/{told.deployment}",
        "skipped": f"NOT RELEASED {told.model}",
    }
    summary = f"{words[told.outcome]}: {told.reason}"
    if told.monitors:
        summary += f"; watched by {', '.join(told.monitors)}"
    tracking.conclude(summary)
    print(summary)


def main(argv: Sequence[str] | None = None) -> None:
    """Release, write what was done, and log."""
    args = parse(argv)
    with tracked() as tracking:
        told = release(Aml.of_job(args.target), args)
        write_json(args.report / "release.json", asdict(told))
        conclude(told, tracking)


if __name__ == "__main__":
    run(main)
