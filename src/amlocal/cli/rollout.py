"""`aml online-deployment rollout`: traffic goes over to a deployment, judged stage by stage."""

from __future__ import annotations

import argparse
import shlex

import msgspec

from amlocal.cli import endpoint_views
from amlocal.cli.arguments import Parser, Verb, add_file
from amlocal.cli.endpoint_flags import add_endpoint
from amlocal.cli.rollout_table import StageTable, result_view
from amlocal.cli.session import Session
from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import UsageError
from amlocal.plan import RolloutPolicy
from amlocal.rollout.measurements import AzureMonitor, Measurements, Monitoring, RouterCounters
from amlocal.rollout.start import roll_out
from amlocal.rollout.switch import abort, switch


def _flags(parser: Parser) -> None:
    add_file(parser, "rollout's policy", required=False)
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--resume", action="store_true", help="go on with the stage where it was interrupted"
    )
    chosen.add_argument(
        "--abort", action="store_true", help="return to the traffic from before, at once"
    )
    chosen.add_argument(
        "--to", metavar="NAME", help="give this deployment all traffic at once, if it is ready"
    )
    add_endpoint(parser, required=False)


def _rollout(session: Session, args: argparse.Namespace) -> int:
    if session.is_dry:
        hint = "`aml online-endpoint update --traffic ... --dry-run` shows a stage's request"
        raise UsageError(
            "a rollout goes by what the endpoint answers; it has no dry run", hint=hint
        )
    if args.to or args.abort:
        return _change_at_once(session, args)
    if args.file is None:
        hint = "give -f FILE, or --to NAME, or --abort, with -e ENDPOINT"
        raise UsageError("no policy is given", hint=hint)
    return _by_stages(session, args)


def _change_at_once(session: Session, args: argparse.Namespace) -> int:
    endpoint = args.endpoint_name
    if endpoint is None and args.file is not None:
        endpoint = _policy(args).endpoint_name
    if endpoint is None:
        raise UsageError("no endpoint is named", hint="give -e ENDPOINT")
    client = session.client
    changed = switch(client, endpoint, args.to) if args.to else abort(client, endpoint)
    deployments = client.online_deployments
    session.emit(endpoint_views.online_endpoint_view(changed, lambda: deployments.list(endpoint)))
    return 0


def _by_stages(session: Session, args: argparse.Namespace) -> int:
    policy = _policy(args)
    client = session.client
    counters = _counters(client, policy.endpoint_name)
    # Where the result is data, stdout is for it alone.
    people = session.out if session.out.is_terminal and not session.asks_for_data else session.err
    try:
        with StageTable(people, policy, quiet=session.quiet) as table:
            result = roll_out(client, policy, counters, observer=table, resume=args.resume)
    except KeyboardInterrupt:
        settings = ["--set", *args.overrides] if args.overrides else []
        again = shlex.join(["aml", "online-deployment", "rollout", "-f", args.file, *settings])
        session.note(f"the endpoint stays as it is; `{again} --resume` goes on, --abort returns")
        raise
    session.emit(result_view(result))
    return 0 if result.outcome == "completed" else 1


def _counters(client: EndpointClient, endpoint_name: str) -> Measurements:
    """Return what the target counts: a monitor's figures where it has one, else its router's."""
    operations = client.online_endpoints
    if isinstance(operations, Monitoring):
        return AzureMonitor(operations, endpoint_name)
    return RouterCounters(operations, endpoint_name)


def _policy(args: argparse.Namespace) -> RolloutPolicy:
    from amlocal.client import load_rollout  # 70 ms that --help does not pay

    policy = load_rollout(args.file, overrides=args.overrides)
    if args.endpoint_name is not None:
        policy = msgspec.structs.replace(policy, endpoint_name=args.endpoint_name)
    return policy


VERB = Verb(
    "give a deployment the traffic stage by stage, and return where it is not good",
    _flags,
    _rollout,
    "aml online-deployment rollout -f endpoints/adult/rollout.yml",
)
