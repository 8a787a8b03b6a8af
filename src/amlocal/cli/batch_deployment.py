"""`aml batch-deployment`: what scores files behind a batch endpoint."""

from __future__ import annotations

import argparse

from amlocal.cli import endpoint_views as views
from amlocal.cli.arguments import Parser, Verb
from amlocal.cli.deployments import delete, need_existing, set_endpoint, settled
from amlocal.cli.endpoint_flags import (
    add_deployment,
    add_endpoint,
    add_no_wait,
    add_refused,
    add_source,
    add_yes,
    need_change,
    need_some,
)
from amlocal.cli.session import Session
from amlocal.cli.views import jobs_view
from amlocal.cli.waiting import Seen
from amlocal.errors import UsageError
from amlocal.plan import BatchDeploymentInfo


def _source_flags(parser: Parser) -> None:
    add_source(parser, "batch deployment")
    add_endpoint(parser, required=False)
    add_refused(parser, "--skip-script-validation")


def _create_flags(parser: Parser) -> None:
    _source_flags(parser)
    parser.add_argument(
        "--set-default", action="store_true", help="make it the deployment that invoke uses"
    )


def _create(session: Session, args: argparse.Namespace) -> int:
    need_some(args, "batch deployment")
    if args.set_default and args.no_wait:
        raise UsageError("--set-default waits for the deployment", hint="leave --no-wait away")
    deployment = _apply(session, args)
    if deployment is None:
        return 0
    if args.set_default:
        _make_default(session, deployment)
    session.emit(views.batch_deployment_view(deployment))
    return 0


def _make_default(session: Session, deployment: BatchDeploymentInfo) -> None:
    endpoints, name = session.client.batch_endpoints, deployment.endpoint_name
    setting = f"defaults.deployment_name={deployment.name}"
    set_endpoint(session, endpoints, "batch-endpoint", name, setting)


def _update(session: Session, args: argparse.Namespace) -> int:
    need_change(args, "batch deployment", args.overrides)
    need_existing(session, args, session.client.batch_deployments)
    deployment = _apply(session, args)
    if deployment is not None:
        session.emit(views.batch_deployment_view(deployment))
    return 0


def _apply(session: Session, args: argparse.Namespace) -> BatchDeploymentInfo | None:
    """Send a deployment and wait for it; None where nobody wants to wait."""
    deployments = session.client.batch_deployments
    poller = deployments.begin_create_or_update(
        args.file, overrides=args.overrides, name=args.name, endpoint_name=args.endpoint_name
    )
    return settled(
        session,
        args,
        poller,
        "batch-deployment",
        lambda name, endpoint: Seen(deployments.get(name, endpoint).provisioning_state),
    )


def _show(session: Session, args: argparse.Namespace) -> int:
    found = session.client.batch_deployments.get(args.name, args.endpoint_name)
    session.emit(views.batch_deployment_view(found))
    return 0


def _list(session: Session, args: argparse.Namespace) -> int:
    found = session.client.batch_deployments.list(args.endpoint_name)
    session.emit(views.batch_deployments_view(found, args.endpoint_name))
    return 0


def _delete_flags(parser: Parser) -> None:
    add_deployment(parser)
    add_yes(parser)
    add_no_wait(parser)


def _delete(session: Session, args: argparse.Namespace) -> int:
    return delete(session, args, session.client.batch_deployments, "batch-deployment")


def _list_jobs(session: Session, args: argparse.Namespace) -> int:
    found = session.client.batch_deployments.list_jobs(args.name, args.endpoint_name)
    session.emit(jobs_view(found))
    return 0


VERBS = {
    "create": Verb(
        "create a deployment, or replace one",
        _create_flags,
        _create,
        "aml batch-deployment create -f deployment.yml -e adult-batch --set-default",
    ),
    "update": Verb(
        "change a deployment",
        _source_flags,
        _update,
        "aml batch-deployment update -n second -e adult-batch --set settings.mini_batch_size=5",
    ),
    "show": Verb("show a deployment", add_deployment, _show),
    "list": Verb("list the deployments of an endpoint", add_endpoint, _list),
    "delete": Verb("delete a deployment", _delete_flags, _delete),
    "list-jobs": Verb("list the jobs that a deployment has run", add_deployment, _list_jobs),
}
