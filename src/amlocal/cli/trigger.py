"""`aml trigger`: events that start jobs."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from amlocal.cli import text, trigger_views, views
from amlocal.cli.arguments import Parser, Verb, add_file, add_name, one_of, positive
from amlocal.cli.endpoint_flags import add_yes, pair
from amlocal.cli.session import Session
from amlocal.errors import UsageError
from amlocal.files import write_whole
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import EVENT_TYPES, EventInfo, TriggerDecision, TriggerInfo

_FORMATS = ("arm",)


class TriggerOperations(Protocol):
    """The triggers of a workspace."""

    def create_or_update(
        self, source: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> TriggerInfo:
        """Make a trigger, or change it."""

    def get(self, name: str) -> TriggerInfo:
        """Return a trigger; raises NotFoundError."""

    def list(self) -> Sequence[TriggerInfo]:
        """Return all triggers."""

    def enable(self, name: str) -> TriggerInfo:
        """Let events from now on start jobs."""

    def disable(self, name: str) -> TriggerInfo:
        """Let no event start a job."""

    def delete(self, name: str) -> None:
        """Remove a trigger."""

    def run_now(self, name: str, detail: Mapping[str, Scalar] | None = None) -> EventInfo:
        """Record an event on demand."""

    def evaluate(self, now: float, *, dry_run: bool = False) -> Sequence[TriggerDecision]:
        """Take one look at all triggers."""

    def log(
        self, name: str | None = None, *, max_results: int | None = None
    ) -> Sequence[TriggerDecision]:
        """Return what was decided, the newest first."""

    def events(self, *, max_results: int | None = None) -> Sequence[EventInfo]:
        """Return what happened, the newest first."""

    def record(
        self, kind: str, source: str, detail: Mapping[str, Scalar] | None = None, *, key: str = ""
    ) -> EventInfo:
        """Record an event that something outside saw."""


@runtime_checkable
class HasTriggers(Protocol):
    """A client whose workspace has triggers."""

    @property
    def triggers(self) -> TriggerOperations:
        """Events that start jobs."""


def _triggers(session: Session, args: argparse.Namespace) -> TriggerOperations:
    """Return the triggers of the target; raises UsageError where it has none."""
    if session.target != "local":
        file = getattr(args, "file", None) or "FILE"
        raise UsageError(
            "Azure ML has no triggers by events: there, Event Grid and a Logic App start jobs",
            hint=f"aml trigger export -f {file} --format arm   writes a template that makes both",
        )
    client = session.client
    if not isinstance(client, HasTriggers):
        raise UsageError("this workspace has no triggers", hint="use --target local")
    return client.triggers


def _create_flags(parser: Parser) -> None:
    add_file(parser, "trigger")
    add_name(parser, "trigger; stands for the file's", required=False)


def _create(session: Session, args: argparse.Namespace) -> int:
    triggers = _triggers(session, args)
    trigger = triggers.create_or_update(args.file, overrides=args.overrides, name=args.name)
    session.emit(trigger_views.trigger_view(trigger))
    return 0


def _name_flags(parser: Parser) -> None:
    add_name(parser, "trigger")


def _show(session: Session, args: argparse.Namespace) -> int:
    session.emit(trigger_views.trigger_view(_triggers(session, args).get(args.name)))
    return 0


def _no_flags(parser: Parser) -> None:
    """Add nothing."""


def _list(session: Session, args: argparse.Namespace) -> int:
    session.emit(trigger_views.triggers_view(_triggers(session, args).list()))
    return 0


def _enable(session: Session, args: argparse.Namespace) -> int:
    session.emit(trigger_views.trigger_view(_triggers(session, args).enable(args.name)))
    return 0


def _disable(session: Session, args: argparse.Namespace) -> int:
    session.emit(trigger_views.trigger_view(_triggers(session, args).disable(args.name)))
    return 0


def _delete_flags(parser: Parser) -> None:
    add_name(parser, "trigger")
    add_yes(parser)


def _delete(session: Session, args: argparse.Namespace) -> int:
    triggers = _triggers(session, args)
    session.confirm(f"Delete trigger {args.name}? (Its jobs and its log stay.)", yes=args.yes)
    triggers.delete(args.name)
    session.say(f"deleted trigger {args.name}")
    return 0


def _run_now_flags(parser: Parser) -> None:
    add_name(parser, "trigger")
    _detail_flag(parser)


def _detail_flag(parser: Parser) -> None:
    parser.add_argument(
        "--detail",
        nargs="+",
        action="extend",
        type=pair,
        default=[],
        metavar="NAME=VALUE",
        help="what ${{event.NAME}} stands for; reason=TEXT is told in the log",
    )


def _run_now(session: Session, args: argparse.Namespace) -> int:
    """Ask for a run, and start it at once where nothing holds it back."""
    triggers = _triggers(session, args)
    event = triggers.run_now(args.name, dict(args.detail))
    triggers.evaluate(time.time())
    told = [each for each in triggers.log(args.name) if each.event == event.id]
    session.emit(trigger_views.decisions_view(told[:1]))
    return 0


def _evaluate_flags(parser: Parser) -> None:
    # Here --dry-run tells what would start; nothing goes to Azure either way.
    parser.set_defaults(dry_run_is_local=True)


def _evaluate(session: Session, args: argparse.Namespace) -> int:
    triggers = _triggers(session, args)
    told = triggers.evaluate(time.time(), dry_run=args.dry_run)
    session.emit(trigger_views.decisions_view(told, is_dry=args.dry_run))
    return 0


def _log_flags(parser: Parser) -> None:
    add_name(parser, "trigger; without it, of all", required=False)
    _add_most(parser)


def _add_most(parser: Parser) -> None:
    parser.add_argument(
        "--max-results", "-r", type=positive, metavar="COUNT", help="the newest of them"
    )


def _log(session: Session, args: argparse.Namespace) -> int:
    told = _triggers(session, args).log(args.name, max_results=args.max_results)
    session.emit(trigger_views.decisions_view(told))
    return 0


def _events(session: Session, args: argparse.Namespace) -> int:
    events = _triggers(session, args).events(max_results=args.max_results)
    session.emit(trigger_views.events_view(events))
    return 0


def _record_flags(parser: Parser) -> None:
    parser.add_argument(
        "--type",
        required=True,
        type=one_of("event type", EVENT_TYPES),
        metavar="TYPE",
        help=", ".join(EVENT_TYPES),
    )
    parser.add_argument(
        "--source", required=True, metavar="NAME", help="the monitor, model, place, or trigger"
    )
    parser.add_argument(
        "--key", default="", metavar="TEXT", help="an event with the same key is recorded once"
    )
    _detail_flag(parser)


def _record(session: Session, args: argparse.Namespace) -> int:
    triggers = _triggers(session, args)
    event = triggers.record(args.type, args.source, dict(args.detail), key=args.key)
    session.emit(trigger_views.events_view([event]))
    return 0


def _export_flags(parser: Parser) -> None:
    add_file(parser, "trigger")
    parser.add_argument(
        "--format",
        default="arm",
        type=one_of("format", _FORMATS),
        metavar="FORMAT",
        help="arm: an ARM template as JSON, which Bicep can decompile",
    )
    parser.add_argument("--output-file", type=Path, metavar="FILE", help="where to write it")


def _export(session: Session, args: argparse.Namespace) -> int:
    from amlocal.client import export_trigger  # 70 ms that --help does not pay

    exported = export_trigger(args.file, overrides=args.overrides)
    for warning in exported.warnings:
        session.warn(warning)
    if args.output_file is None:
        session.out.write(exported.template)
        return 0
    write_whole(args.output_file, exported.template.encode())
    session.emit(
        views.fact_view("template", args.output_file, f"wrote {text.clean(str(args.output_file))}")
    )
    return 0


VERBS = {
    "create": Verb(
        "make a trigger from its file, or change it",
        _create_flags,
        _create,
        "aml trigger create -f jobs/triggers/new-data.yml",
    ),
    "list": Verb("list triggers", _no_flags, _list),
    "show": Verb("show a trigger", _name_flags, _show),
    "enable": Verb("let events from now on start jobs", _name_flags, _enable),
    "disable": Verb("let no event start a job but what is asked for", _name_flags, _disable),
    "delete": Verb("remove a trigger", _delete_flags, _delete),
    "run-now": Verb(
        "start a trigger's job without an event",
        _run_now_flags,
        _run_now,
        "aml trigger run-now -n NAME --detail reason='corrected labels'",
    ),
    "evaluate": Verb(
        "look at every trigger once, and start what is to start",
        _evaluate_flags,
        _evaluate,
        "aml trigger evaluate --dry-run",
    ),
    "log": Verb("tell what fired, what was held back, and why", _log_flags, _log),
    "events": Verb("list what happened, the newest first", _add_most, _events),
    "record": Verb(
        "record an event that something outside saw",
        _record_flags,
        _record,
        "aml trigger record --type drift --source adult-drift --detail signal=age value=0.4",
    ),
    "export": Verb(
        "write a trigger as an ARM template: Event Grid and a Logic App",
        _export_flags,
        _export,
        "aml trigger export -f jobs/triggers/new-data.yml --output-file infra/new-data.json",
    ),
}
