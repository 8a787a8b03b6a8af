"""What the verbs of online and of batch deployments share once the target has been asked."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol, TypeVar

from amlocal.cli import waiting
from amlocal.cli.endpoint_flags import named
from amlocal.cli.session import Session
from amlocal.cli.waiting import Seen, wait, wait_for_deletion
from amlocal.endpoint_operations import (
    BatchDeploymentOperations,
    BatchEndpointOperations,
    OnlineDeploymentOperations,
    OnlineEndpointOperations,
    Poller,
)


class _Warned(Protocol):
    @property
    def warnings(self) -> tuple[str, ...]:
        """What is done otherwise than in Azure."""


Info = TypeVar("Info", bound=_Warned)
Deployments = OnlineDeploymentOperations | BatchDeploymentOperations
Endpoints = OnlineEndpointOperations | BatchEndpointOperations


def settled(
    session: Session,
    args: argparse.Namespace,
    poller: Poller[Info],
    noun: str,
    look: Callable[[str, str], Seen],
) -> Info | None:
    """Wait for a deployment that was sent, and tell its warnings; None where nobody waits.

    Args:
        session: The command's.
        args: Its flags.
        poller: The operation.
        noun: `online-deployment` or `batch-deployment`.
        look: Returns how a deployment of a name and an endpoint is getting on.
    """
    name, endpoint = named(args), named(args, "endpoint_name")
    later = f"aml {noun} show -n {name or 'NAME'} -e {endpoint or 'ENDPOINT'}"
    if args.no_wait:
        session.say(f"deployment {name} goes on; {later}")
        return None
    return waiting.settled(
        session,
        poller,
        f"deployment {endpoint}/{name}" if name and endpoint else "the deployment",
        look=lambda: look(name, endpoint),
        later=later,
    )


def need_existing(session: Session, args: argparse.Namespace, deployments: Deployments) -> None:
    """Look a deployment up that is to be changed, since an update makes none."""
    name, endpoint = named(args), named(args, "endpoint_name")
    if name and endpoint and not session.is_dry:
        deployments.get(name, endpoint)


def set_endpoint(
    session: Session, endpoints: Endpoints, noun: str, name: str, override: str
) -> None:
    """Change one setting of a deployment's endpoint, and wait for it.

    Args:
        session: The command's.
        endpoints: What the endpoint is among.
        noun: `online-endpoint` or `batch-endpoint`.
        name: The endpoint.
        override: An `a.b=c` setting.
    """
    wait(
        session,
        endpoints.begin_create_or_update(None, overrides=[override], name=name),
        f"endpoint {name}",
        look=lambda: Seen(endpoints.get(name).provisioning_state),
        later=f"aml {noun} show -n {name}",
    )


def delete(session: Session, args: argparse.Namespace, deployments: Deployments, noun: str) -> int:
    """Delete a deployment once that is confirmed."""
    what = f"deployment {args.endpoint_name}/{args.name}"
    session.confirm(f"Delete {what}?", yes=args.yes)
    wait_for_deletion(
        session,
        deployments.begin_delete(args.name, args.endpoint_name),
        what,
        look=lambda: deployments.get(args.name, args.endpoint_name).provisioning_state,
        later=f"aml {noun} list -e {args.endpoint_name}",
        no_wait=args.no_wait,
    )
    return 0
