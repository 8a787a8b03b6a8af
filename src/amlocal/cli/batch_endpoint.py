"""`aml batch-endpoint`: names that files are scored under, in jobs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlocal.cli import endpoint_views as views
from amlocal.cli.arguments import Parser, Verb, add_name, one_of, positive
from amlocal.cli.endpoint_flags import (
    add_no_wait,
    add_refused,
    add_source,
    add_yes,
    named,
    need_change,
    need_some,
    pair,
)
from amlocal.cli.session import Session
from amlocal.cli.views import jobs_view, submitted_view
from amlocal.cli.waiting import Seen, settled, wait_for_deletion
from amlocal.errors import UsageError, near_miss

_INPUT_TYPES = ("uri_folder", "uri_file")
#: What `--input` is called: a model deployment has one input, whose name it does not ask for.
_ONLY_INPUT = "input"
#: Fields of the file that invoke takes.
_FIELDS = ("$schema", "inputs", "outputs")


def _create_flags(parser: Parser) -> None:
    add_source(parser, "batch endpoint")


def _create(session: Session, args: argparse.Namespace) -> int:
    need_some(args, "batch endpoint")
    return _apply(session, args, args.overrides)


def _update_flags(parser: Parser) -> None:
    add_source(parser, "batch endpoint")
    parser.add_argument(
        "--defaults",
        type=pair,
        metavar="deployment_name=NAME",
        help="the deployment that invoke uses",
    )


def _update(session: Session, args: argparse.Namespace) -> int:
    defaults = [f"defaults.{'='.join(args.defaults)}"] if args.defaults else []
    overrides = [*args.overrides, *defaults]
    need_change(args, "batch endpoint", overrides)
    name = named(args)
    if name and not session.is_dry:
        session.client.batch_endpoints.get(name)  # an update makes nothing
    return _apply(session, args, overrides)


def _apply(session: Session, args: argparse.Namespace, overrides: Sequence[str]) -> int:
    endpoints = session.client.batch_endpoints
    name = named(args)
    poller = endpoints.begin_create_or_update(args.file, overrides=overrides, name=args.name)
    endpoint = settled(
        session,
        poller,
        f"endpoint {name}".rstrip(),
        look=lambda: Seen(endpoints.get(name).provisioning_state),
        later=f"aml batch-endpoint show -n {name or 'NAME'}",
        no_wait=args.no_wait,
    )
    if endpoint is None:
        return 0
    session.emit(views.batch_endpoint_view(endpoint))
    return 0


def _name_flags(parser: Parser) -> None:
    add_name(parser, "batch endpoint")
    add_refused(parser, "--web")


def _show(session: Session, args: argparse.Namespace) -> int:
    session.emit(views.batch_endpoint_view(session.client.batch_endpoints.get(args.name)))
    return 0


def _no_flags(parser: Parser) -> None:
    """Add nothing."""


def _list(session: Session, _: argparse.Namespace) -> int:
    session.emit(views.batch_endpoints_view(session.client.batch_endpoints.list()))
    return 0


def _delete_flags(parser: Parser) -> None:
    add_name(parser, "batch endpoint")
    add_yes(parser)
    add_no_wait(parser)


def _delete(session: Session, args: argparse.Namespace) -> int:
    question = f"Delete endpoint {args.name} with its deployments? (Its jobs stay.)"
    session.confirm(question, yes=args.yes)
    endpoints = session.client.batch_endpoints
    poller = endpoints.begin_delete(args.name)
    wait_for_deletion(
        session,
        poller,
        f"endpoint {args.name}",
        look=lambda: endpoints.get(args.name).provisioning_state,
        later="aml batch-endpoint list",
        no_wait=args.no_wait,
    )
    return 0


def _invoke_flags(parser: Parser) -> None:
    add_name(parser, "batch endpoint")
    parser.add_argument(
        "--deployment-name", "-d", metavar="NAME", help="its deployment; the endpoint's default"
    )
    given = parser.add_mutually_exclusive_group()
    given.add_argument(
        "--input", metavar="DATA", help="what a model scores: a path, an address, or a data asset"
    )
    given.add_argument(
        "--inputs",
        nargs="+",
        type=pair,
        default=[],
        metavar="NAME=VALUE",
        help="inputs of a pipeline: paths, addresses, data assets, or values",
    )
    given.add_argument(
        "--file",
        "-f",
        metavar="PATH",
        help="YAML file with `inputs`, and `outputs` if wanted, as a job file has them",
    )
    parser.add_argument(
        "--input-type",
        type=one_of("type of input", _INPUT_TYPES),
        metavar="{" + ",".join(_INPUT_TYPES) + "}",
        help="what --input is; seen from the path where it is on this machine",
    )
    places = parser.add_mutually_exclusive_group()
    places.add_argument("--output-path", metavar="PATH", help="folder or address of the output")
    places.add_argument(
        "--outputs",
        nargs="+",
        type=pair,
        default=[],
        metavar="NAME=PATH",
        help="folders or addresses of outputs; a model's is called score",
    )
    parser.add_argument("--job-name", metavar="NAME", help="name of the job; made up")
    parser.add_argument("--experiment-name", metavar="NAME", help="its MLflow experiment")
    parser.add_argument("--mini-batch-size", type=positive, metavar="N", help="files a call")
    parser.add_argument("--instance-count", "-c", type=positive, metavar="N", help="nodes")
    parser.add_argument(
        "--set",
        dest="overrides",
        action="extend",
        nargs="+",
        default=[],
        metavar="PATH=VALUE",
        help="settings of the job, such as output_file_name=scores.csv",
    )


def _invoke(session: Session, args: argparse.Namespace) -> int:
    if args.input_type and args.input is None:
        raise UsageError("--input-type is of --input", hint="give --input too")
    sizes = {
        "mini_batch_size": args.mini_batch_size,
        "compute.instance_count": args.instance_count,
    }
    inputs = {_ONLY_INPUT: args.input} if args.input is not None else dict(args.inputs)
    places = [f"outputs.{name}.path={path}" for name, path in args.outputs]
    if args.file is not None:
        inputs, said = _read(args.file)
        places = [*said, *places]
    job = session.client.batch_endpoints.invoke(
        args.name,
        deployment_name=args.deployment_name,
        inputs=inputs or None,
        input_type=args.input_type,
        output_path=args.output_path,
        overrides=[
            *places,
            *args.overrides,
            *(f"{key}={n}" for key, n in sizes.items() if n is not None),
        ],
        job_name=args.job_name,
        experiment_name=args.experiment_name,
        note=session.note,
    )
    for warning in job.warnings:
        session.warn(warning)
    session.emit(submitted_view(job))
    return 0


def _read(file: str) -> tuple[dict[str, str], list[str]]:
    """Return what a file gives: inputs by name, and the outputs as settings.

    Raises:
        UsageError: It is not there, is no YAML with `inputs`, or names one without a value.
    """
    import yaml  # 30 ms that only -f pays

    try:
        content = yaml.safe_load(Path(file).read_bytes())
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", hint="check the path") from error
    except yaml.YAMLError as error:
        raise UsageError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    inputs = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(inputs, dict):
        raise UsageError(f"{file} has no inputs", hint="write them under `inputs:`, by name")
    for name in content.keys() - set(_FIELDS):
        raise UsageError(f"{file}: {name!r} is not read", hint=near_miss(str(name), _FIELDS))
    outputs = content.get("outputs") or {}
    if not isinstance(outputs, dict):
        raise UsageError(f"{file}: outputs are not by name", hint="write NAME: {path: PATH}")
    return (
        {str(name): _value(file, "input", str(name), value) for name, value in inputs.items()},
        [setting for name in outputs for setting in _output(file, str(name), outputs[name])],
    )


def _output(file: str, name: str, given: Any) -> list[str]:
    place = _value(file, "output", name, given)
    kind = given.get("type") if isinstance(given, Mapping) else None
    types = [f"outputs.{name}.type={kind}"] if kind else []
    return [f"outputs.{name}.path={place}", *types]


def _value(file: str, port: str, name: str, given: Any) -> str:
    if isinstance(given, Mapping):
        path = given.get("path")
        if path is not None and _is_relative(str(path)):
            # As in every other file of Azure ML, paths are relative to the file.
            return str(Path(file).parent / str(path))
        # `default` is how az's own examples give a value.
        found = (given.get(key) for key in ("path", "value", "default"))
        given = next((value for value in found if value is not None), None)
    if given is None or (isinstance(given, Sequence) and not isinstance(given, str)):
        raise UsageError(f"{file}: {port} {name!r} has neither a path nor a value")
    return str(given).lower() if isinstance(given, bool) else str(given)


def _is_relative(path: str) -> bool:
    return ":" not in path and not Path(path).is_absolute()


def _list_jobs(session: Session, args: argparse.Namespace) -> int:
    session.emit(jobs_view(session.client.batch_endpoints.list_jobs(args.name)))
    return 0


VERBS = {
    "create": Verb(
        "create an endpoint",
        _create_flags,
        _create,
        "aml batch-endpoint create -f endpoint.yml -n adult-batch",
    ),
    "update": Verb(
        "change an endpoint's default deployment, description, or tags",
        _update_flags,
        _update,
        "aml batch-endpoint update -n adult-batch --set defaults.deployment_name=second",
    ),
    "show": Verb("show an endpoint", _name_flags, _show),
    "list": Verb("list endpoints", _no_flags, _list),
    "delete": Verb("delete an endpoint with its deployments", _delete_flags, _delete),
    "invoke": Verb(
        "start a job that scores data",
        _invoke_flags,
        _invoke,
        "aml batch-endpoint invoke -n adult-batch --input data/ --query name -o tsv",
    ),
    "list-jobs": Verb("list the jobs that an endpoint has run", _name_flags, _list_jobs),
}
