"""Roll the champion out: to the one of two deployments that has no traffic, which then has all."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import amlocal
from amlocal.client import load_rollout
from amlocal.errors import AmlocalError, NotFoundError
from amlocal.plan import OnlineEndpointInfo
from amlocal.rollout.start import before_of

#: Runs `aml` with arguments, and returns its exit code.
Run = Callable[[Sequence[str]], int]


def commands(client: Any, policy_file: Path, *, model: str, other: str) -> list[list[str]]:
    """Return what `aml` has to do for the champion to serve; nothing where it does.

    A deployment is made from the file of its name beside the policy, and so is the endpoint, of
    `endpoint.yml`, where it is not there.

    Args:
        client: The target.
        policy_file: The rollout's policy; its deployment takes turns with `other`.
        model: The model's name.
        other: The other deployment.

    Raises:
        NotFoundError: There is no champion.
        UsageError: A rollout is under way, or both deployments have traffic.
        AmlocalError: A file is wrong, or the target did not do its part.
    """
    policy = load_rollout(policy_file)
    name, folder = policy.endpoint_name, policy_file.parent
    champion = client.models.get(model, label="champion")
    wanted = f"{champion.name}:{champion.version}"
    found = []
    try:
        endpoint = client.online_endpoints.get(name)
    except NotFoundError:
        found = [["online-endpoint", "create", "-f", str(folder / "endpoint.yml"), "-n", name]]
        endpoint = OnlineEndpointInfo(name=name)
    live = sorted(each for each, share in endpoint.traffic.items() if share)
    if live and {client.online_deployments.get(each, name).model for each in live} == {wanted}:
        return []
    new = other if policy.deployment_name in live else policy.deployment_name
    create = ["online-deployment", "create", "-f", str(folder / f"{new}.yml"), "-n", new]
    create += ["-e", name, "--set", f"model=azureml:{wanted}"]
    if not live:
        return [*found, [*create, "--all-traffic"]]
    # The deployment is made by the command before, of this version.
    settings = [f"deployment_name={new}", "deployment_file="]
    # Looked at before anything is deployed: a rollout that is under way is left alone.
    before_of(endpoint, load_rollout(policy_file, overrides=settings))
    return [create, ["online-deployment", "rollout", "-f", str(policy_file), "--set", *settings]]


def aml(arguments: Sequence[str]) -> int:
    """Run `aml`, and tell of it."""
    print(f"$ {shlex.join(['aml', *arguments])}", flush=True)
    return subprocess.run([sys.executable, "-m", "amlocal.cli", *arguments], check=False).returncode


def carry_out(todo: Sequence[Sequence[str]], target: str, run: Run = aml) -> int:
    """Run commands up to the first that fails; returns its exit code, or 0."""
    for each in todo:
        if code := run([*each, "--target", target, "-o", "table"]):
            return code
    return 0


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Roll the champion out; returns an exit code as `aml` does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policy", type=Path, required=True, help="the rollout's file")
    parser.add_argument("--model", required=True, help="its name; the champion is served")
    parser.add_argument("--other", default="blue", help="takes turns with the policy's; blue")
    parser.add_argument("--target", choices=("local", "azure"), default="local")
    args = parser.parse_args(argv)
    try:
        client = amlocal.connect(args.target, environ=os.environ if environ is None else environ)
        todo = commands(client, args.policy, model=args.model, other=args.other)
    except AmlocalError as error:
        print(f"error: {error}" + (f"\nhint: {error.hint}" if error.hint else ""), file=sys.stderr)
        return error.exit_code
    if not todo:
        print(f"the champion of {args.model} has all traffic already")
    return carry_out(todo, args.target)


if __name__ == "__main__":
    sys.exit(main())
