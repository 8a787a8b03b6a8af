"""`aml online-endpoint`: addresses that answer requests with a model's predictions."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from amlocal.cli import endpoint_views as views
from amlocal.cli.arguments import Parser, Verb, add_name, one_of
from amlocal.cli.endpoint_flags import (
    add_no_wait,
    add_refused,
    add_source,
    add_yes,
    named,
    need_change,
    need_some,
    percentages,
)
from amlocal.cli.session import Session, View
from amlocal.cli.waiting import Seen, settled, wait, wait_for_deletion
from amlocal.errors import AnswerError
from amlocal.plan import Answer

_AUTH_MODES = ("key", "aml_token", "aad_token")
_KEYS = ("primary", "secondary")
#: Azure's headers for what a deployment itself answered, where that was no success.
_MODEL_STATUS, _MODEL_REASON = "ms-azureml-model-error-statuscode", "ms-azureml-model-error-reason"


def _create_flags(parser: Parser) -> None:
    add_source(parser, "online endpoint")
    parser.add_argument(
        "--auth-mode",
        type=one_of("way to authenticate", _AUTH_MODES),
        metavar="{" + ",".join(_AUTH_MODES) + "}",
        help="what a request shows to be let in; key",
    )
    add_refused(parser, "--local")


def _create(session: Session, args: argparse.Namespace) -> int:
    need_some(args, "online endpoint")
    mode = [f"auth_mode={args.auth_mode}"] if args.auth_mode else []
    return _apply(session, args, [*args.overrides, *mode])


def _update_flags(parser: Parser) -> None:
    add_source(parser, "online endpoint")
    for flag, what in {
        "--traffic": "percent of the requests of each deployment; those not named get none",
        "--mirror-traffic": "percent of the requests that a deployment gets a copy of",
    }.items():
        metavar = '"DEPLOYMENT=PERCENT ..."'
        parser.add_argument(flag, type=percentages, metavar=metavar, help=what)
    add_refused(parser, "--local")


def _update(session: Session, args: argparse.Namespace) -> int:
    overrides = [
        *args.overrides,
        *_shares("traffic", args.traffic or {}),
        *_shares("mirror_traffic", args.mirror_traffic or {}),
    ]
    need_change(args, "online endpoint", overrides)
    name = named(args)
    if name and not session.is_dry:
        session.client.online_endpoints.get(name)  # an update makes nothing
    return _apply(session, args, overrides)


def _shares(field: str, shares: Mapping[str, int]) -> list[str]:
    return [f"{field}.{name}={share}" for name, share in shares.items()]


def _apply(session: Session, args: argparse.Namespace, overrides: Sequence[str]) -> int:
    endpoints = session.client.online_endpoints
    name = named(args)
    poller = endpoints.begin_create_or_update(args.file, overrides=overrides, name=args.name)
    endpoint = settled(
        session,
        poller,
        f"endpoint {name}".rstrip(),
        look=lambda: Seen(endpoints.get(name).provisioning_state),
        later=f"aml online-endpoint show -n {name or 'NAME'}",
        no_wait=args.no_wait,
    )
    if endpoint is None:
        return 0
    deployments = session.client.online_deployments
    session.emit(views.online_endpoint_view(endpoint, lambda: deployments.list(endpoint.name)))
    return 0


def _name_flags(parser: Parser) -> None:
    add_name(parser, "online endpoint")
    add_refused(parser, "--local", "--web")


def _show(session: Session, args: argparse.Namespace) -> int:
    endpoint = session.client.online_endpoints.get(args.name)
    deployments = session.client.online_deployments
    session.emit(views.online_endpoint_view(endpoint, lambda: deployments.list(endpoint.name)))
    return 0


def _list_flags(parser: Parser) -> None:
    add_refused(parser, "--local")


def _list(session: Session, _: argparse.Namespace) -> int:
    session.emit(views.online_endpoints_view(session.client.online_endpoints.list()))
    return 0


def _delete_flags(parser: Parser) -> None:
    add_name(parser, "online endpoint")
    add_yes(parser)
    add_no_wait(parser)
    add_refused(parser, "--local")


def _delete(session: Session, args: argparse.Namespace) -> int:
    session.confirm(f"Delete endpoint {args.name} with all its deployments?", yes=args.yes)
    endpoints = session.client.online_endpoints
    poller = endpoints.begin_delete(args.name)
    wait_for_deletion(
        session,
        poller,
        f"endpoint {args.name}",
        look=lambda: endpoints.get(args.name).provisioning_state,
        later="aml online-endpoint list",
        no_wait=args.no_wait,
    )
    return 0


def _invoke_flags(parser: Parser) -> None:
    add_name(parser, "online endpoint")
    parser.add_argument(
        "--request-file", "-r", required=True, metavar="PATH", help="file that is posted"
    )
    parser.add_argument(
        "--deployment-name", "-d", metavar="NAME", help="its deployment, past the traffic rules"
    )
    add_refused(parser, "--local")


def _invoke(session: Session, args: argparse.Namespace) -> int:
    answer = session.client.online_endpoints.invoke(
        args.name, request_file=args.request_file, deployment_name=args.deployment_name
    )
    if session.is_dry:
        session.emit(View(None, ()))
        return 0
    if not 200 <= answer.status < 300:
        raise _refusal(args.name, answer)
    if session.asks_for_data:
        session.emit(View(_content(answer.body), [{"Result": answer.body}]))
    else:
        session.out.write(answer.body if answer.body.endswith("\n") else f"{answer.body}\n")
    return 0


def _refusal(name: str, answer: Answer) -> AnswerError:
    """Return the error for an answer that is no success."""
    model = " ".join(
        answer.headers[header]
        for header in (_MODEL_STATUS, _MODEL_REASON)
        if answer.headers.get(header)
    )
    told = f"endpoint {name} answered {answer.status}" + (f" (the model: {model})" if model else "")
    deployment = answer.headers.get("azureml-model-deployment")
    logs = f"aml online-deployment get-logs -n {deployment} -e {name}"
    return AnswerError(
        f"{told}: {answer.body}".rstrip(": \n"),
        hint=f"`{logs}` shows what the deployment logged" if deployment else "",
    )


def _content(body: str) -> Any:
    """Return what a body says where it is JSON, else the body."""
    try:
        return json.loads(body)
    except ValueError:
        return body


def _get_credentials(session: Session, args: argparse.Namespace) -> int:
    credentials = session.client.online_endpoints.get_keys(args.name)
    session.emit(views.credentials_view(credentials))
    return 0


def _regenerate_flags(parser: Parser) -> None:
    add_name(parser, "online endpoint")
    parser.add_argument(
        "--key-type",
        type=one_of("key", _KEYS),
        default="primary",
        metavar="{" + ",".join(_KEYS) + "}",
        help="the key that is made anew; primary",
    )
    add_no_wait(parser)


def _regenerate_keys(session: Session, args: argparse.Namespace) -> int:
    endpoints = session.client.online_endpoints
    poller = endpoints.begin_regenerate_keys(args.name, key_type=args.key_type)
    later = f"aml online-endpoint get-credentials -n {args.name}"
    if not args.no_wait:
        wait(
            session,
            poller,
            f"endpoint {args.name}",
            look=lambda: Seen(endpoints.get(args.name).provisioning_state),
            later=later,
        )
    session.say(f"the {args.key_type} key of {args.name} is made anew; `{later}` prints it")
    return 0


VERBS = {
    "create": Verb(
        "create an endpoint",
        _create_flags,
        _create,
        "aml online-endpoint create -f endpoint.yml -n adult",
    ),
    "update": Verb(
        "change an endpoint's traffic, description, or tags",
        _update_flags,
        _update,
        'aml online-endpoint update -n adult --traffic "blue=90 green=10"',
    ),
    "show": Verb("show an endpoint with its deployments and its traffic", _name_flags, _show),
    "list": Verb("list endpoints", _list_flags, _list),
    "delete": Verb("delete an endpoint with all its deployments", _delete_flags, _delete),
    "invoke": Verb(
        "post a file to an endpoint and print its answer",
        _invoke_flags,
        _invoke,
        "aml online-endpoint invoke -n adult -r request.json",
    ),
    "get-credentials": Verb(
        "print an endpoint's keys or token",
        _name_flags,
        _get_credentials,
        "aml online-endpoint get-credentials -n adult --query primaryKey -o tsv",
    ),
    "regenerate-keys": Verb(
        "make one of an endpoint's keys anew; the other one holds",
        _regenerate_flags,
        _regenerate_keys,
    ),
}
