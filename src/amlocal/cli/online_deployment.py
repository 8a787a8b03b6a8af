"""`aml online-deployment`: what serves a model behind an online endpoint."""

from __future__ import annotations

import argparse
from functools import partial

from amlocal.cli import endpoint_views as views
from amlocal.cli import rollout
from amlocal.cli.arguments import Parser, Verb, one_of, positive
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
from amlocal.cli.session import Session, View
from amlocal.cli.waiting import Seen
from amlocal.endpoint_operations import OnlineDeploymentOperations
from amlocal.errors import UsageError
from amlocal.plan import OnlineDeploymentInfo

#: How an instance gets its environment on this machine.
_ENVIRONMENTS = ("auto", "current", "isolated")
_CONTAINERS = ("inference-server", "storage-initializer")
_DEFAULT_LINES = 5000
_REFUSED = ("--local", "--vscode-debug", "--local-enable-gpu", "--skip-script-validation")


def _source_flags(parser: Parser) -> None:
    add_source(parser, "online deployment")
    add_endpoint(parser, required=False)
    parser.add_argument(
        "--environment",
        type=one_of("kind of environment", _ENVIRONMENTS),
        default="auto",
        metavar="{" + ",".join(_ENVIRONMENTS) + "}",
        help="how its instances get their environment on this machine; auto takes the current one "
        "where that satisfies it",
    )
    add_refused(parser, *_REFUSED)


def _create_flags(parser: Parser) -> None:
    _source_flags(parser)
    parser.add_argument(
        "--all-traffic", action="store_true", help="give it all traffic once it is ready"
    )
    add_refused(parser, "--package-model")


def _create(session: Session, args: argparse.Namespace) -> int:
    need_some(args, "online deployment")
    if args.all_traffic and args.no_wait:
        raise UsageError("--all-traffic waits for the deployment", hint="leave --no-wait away")
    deployment = _apply(session, args)
    if deployment is None:
        return 0
    if args.all_traffic:
        _give_all_traffic(session, deployment)
    session.emit(views.online_deployment_view(deployment))
    return 0


def _give_all_traffic(session: Session, deployment: OnlineDeploymentInfo) -> None:
    endpoints, name = session.client.online_endpoints, deployment.endpoint_name
    setting = f"traffic.{deployment.name}=100"
    set_endpoint(session, endpoints, "online-endpoint", name, setting)


def _update(session: Session, args: argparse.Namespace) -> int:
    need_change(args, "online deployment", args.overrides)
    need_existing(session, args, session.client.online_deployments)
    deployment = _apply(session, args)
    if deployment is not None:
        session.emit(views.online_deployment_view(deployment))
    return 0


def _apply(session: Session, args: argparse.Namespace) -> OnlineDeploymentInfo | None:
    """Send a deployment and wait for it; None where nobody wants to wait."""
    deployments = session.client.online_deployments
    poller = deployments.begin_create_or_update(
        args.file,
        overrides=args.overrides,
        name=args.name,
        endpoint_name=args.endpoint_name,
        environment=args.environment,
    )
    return settled(session, args, poller, "online-deployment", partial(_look, deployments))


def _look(deployments: OnlineDeploymentOperations, name: str, endpoint: str) -> Seen:
    """Return a deployment's state and the last line that its instances logged."""
    state = deployments.get(name, endpoint).provisioning_state
    lines = deployments.get_logs(name, endpoint, lines=1).splitlines()
    return Seen(state, lines[-1] if lines else "")


def _name_flags(parser: Parser) -> None:
    add_deployment(parser)
    add_refused(parser, "--local", "--web")


def _show(session: Session, args: argparse.Namespace) -> int:
    found = session.client.online_deployments.get(args.name, args.endpoint_name)
    session.emit(views.online_deployment_view(found))
    return 0


def _list_flags(parser: Parser) -> None:
    add_endpoint(parser)
    add_refused(parser, "--local")


def _list(session: Session, args: argparse.Namespace) -> int:
    found = session.client.online_deployments.list(args.endpoint_name)
    session.emit(views.online_deployments_view(found, args.endpoint_name))
    return 0


def _delete_flags(parser: Parser) -> None:
    add_deployment(parser)
    add_yes(parser)
    add_no_wait(parser)
    add_refused(parser, "--local")


def _delete(session: Session, args: argparse.Namespace) -> int:
    return delete(session, args, session.client.online_deployments, "online-deployment")


def _logs_flags(parser: Parser) -> None:
    add_deployment(parser)
    parser.add_argument(
        "--lines",
        "-l",
        type=positive,
        default=_DEFAULT_LINES,
        metavar="N",
        help=f"at most the last so many; {_DEFAULT_LINES}",
    )
    parser.add_argument(
        "--container",
        "-c",
        type=one_of("container", _CONTAINERS),
        metavar="{" + ",".join(_CONTAINERS) + "}",
        help="what logged them in Azure; inference-server",
    )
    add_refused(parser, "--local")


def _get_logs(session: Session, args: argparse.Namespace) -> int:
    logs = session.client.online_deployments.get_logs(
        args.name, args.endpoint_name, lines=args.lines, container_type=args.container
    )
    if session.asks_for_data or session.is_dry:
        session.emit(View(logs, [{"Result": logs}]))
    else:
        session.out.write(logs if logs.endswith("\n") or not logs else f"{logs}\n")
    return 0


VERBS = {
    "create": Verb(
        "create a deployment, or replace one while its old instances serve until the new do",
        _create_flags,
        _create,
        "aml online-deployment create -f blue.yml -e adult --all-traffic",
    ),
    "update": Verb(
        "change a deployment",
        _source_flags,
        _update,
        "aml online-deployment update -n blue -e adult --set instance_count=2",
    ),
    "show": Verb("show a deployment", _name_flags, _show),
    "list": Verb("list the deployments of an endpoint", _list_flags, _list),
    "delete": Verb("delete a deployment that has no traffic", _delete_flags, _delete),
    "rollout": rollout.VERB,
    "get-logs": Verb(
        "print what a deployment's instances logged",
        _logs_flags,
        _get_logs,
        "aml online-deployment get-logs -n blue -e adult -l 100",
    ),
}
