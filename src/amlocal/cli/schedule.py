"""`aml schedule`: jobs and monitors that a workspace starts by itself."""

from __future__ import annotations

import argparse

from amlocal.cli import schedule_views as views
from amlocal.cli.arguments import Parser, Verb, add_name
from amlocal.cli.endpoint_flags import (
    add_no_wait,
    add_refused,
    add_source,
    add_yes,
    named,
    need_change,
)
from amlocal.cli.session import Session
from amlocal.cli.waiting import Seen, settled, wait_for_deletion
from amlocal.endpoint_operations import Poller
from amlocal.errors import UsageError
from amlocal.plan import ScheduleInfo


def _source_flags(parser: Parser) -> None:
    add_source(parser, "schedule")


def _create(session: Session, args: argparse.Namespace) -> int:
    if args.file is None:
        raise UsageError("no schedule is given", hint="give -f FILE")
    return _apply(session, args)


def _update(session: Session, args: argparse.Namespace) -> int:
    need_change(args, "schedule", args.overrides)
    if named(args) and not session.is_dry:
        session.client.schedules.get(named(args))  # an update makes nothing
    return _apply(session, args)


def _apply(session: Session, args: argparse.Namespace) -> int:
    poller = session.client.schedules.begin_create_or_update(
        args.file, overrides=args.overrides, name=args.name
    )
    return _settled(session, args, poller, named(args))


def _settled(
    session: Session, args: argparse.Namespace, poller: Poller[ScheduleInfo], name: str
) -> int:
    """Wait for a schedule, unless nobody wants to, and show it."""
    schedules = session.client.schedules
    schedule = settled(
        session,
        poller,
        f"schedule {name}".rstrip(),
        look=lambda: Seen(schedules.get(name).provisioning_state),
        later=f"aml schedule show -n {name or 'NAME'}",
        no_wait=args.no_wait,
    )
    if schedule is None:
        return 0
    session.emit(views.schedule_view(schedule))
    return 0


def _name_flags(parser: Parser) -> None:
    add_name(parser, "schedule")
    add_refused(parser, "--web")


def _show(session: Session, args: argparse.Namespace) -> int:
    session.emit(views.schedule_view(session.client.schedules.get(args.name)))
    return 0


def _list_flags(parser: Parser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--disabled-only", action="store_true", help="disabled schedules instead of enabled ones"
    )
    group.add_argument(
        "--include-disabled", action="store_true", help="disabled schedules beside enabled ones"
    )


def _list(session: Session, args: argparse.Namespace) -> int:
    view = "DisabledOnly" if args.disabled_only else "All" if args.include_disabled else None
    schedules = session.client.schedules.list(list_view_type=view or "EnabledOnly")
    session.emit(views.schedules_view(schedules))
    return 0


def _one_flags(parser: Parser) -> None:
    add_name(parser, "schedule")
    add_no_wait(parser)


def _enable(session: Session, args: argparse.Namespace) -> int:
    return _settled(session, args, session.client.schedules.begin_enable(args.name), args.name)


def _disable(session: Session, args: argparse.Namespace) -> int:
    return _settled(session, args, session.client.schedules.begin_disable(args.name), args.name)


def _delete_flags(parser: Parser) -> None:
    _one_flags(parser)
    add_yes(parser)


def _delete(session: Session, args: argparse.Namespace) -> int:
    session.confirm(f"Delete schedule {args.name}?", yes=args.yes)
    schedules = session.client.schedules
    wait_for_deletion(
        session,
        schedules.begin_delete(args.name),
        f"schedule {args.name}",
        look=lambda: schedules.get(args.name).provisioning_state,
        later="aml schedule list --include-disabled",
        no_wait=args.no_wait,
    )
    return 0


def _trigger_flags(parser: Parser) -> None:
    add_name(parser, "schedule")


def _trigger(session: Session, args: argparse.Namespace) -> int:
    session.emit(views.triggered_view(session.client.schedules.trigger(args.name), args.name))
    return 0


_TRIGGER = Verb(
    "start a schedule's job now, out of turn",
    _trigger_flags,
    _trigger,
    "aml schedule run-now -n nightly",
)

VERBS = {
    "create": Verb(
        "create a schedule, or replace one",
        _source_flags,
        _create,
        "aml schedule create -f jobs/nightly.yml",
    ),
    "update": Verb(
        "change a schedule",
        _source_flags,
        _update,
        "aml schedule update -n nightly --set trigger.expression='0 3 * * *'",
    ),
    "show": Verb("show a schedule and what became of its last slots", _name_flags, _show),
    "list": Verb("list the schedules that are enabled", _list_flags, _list),
    "enable": Verb("let a schedule start jobs", _one_flags, _enable),
    "disable": Verb("let a schedule start no jobs", _one_flags, _disable),
    "delete": Verb("delete a schedule that is disabled", _delete_flags, _delete),
    "run-now": _TRIGGER,
    "trigger": _TRIGGER,
}
