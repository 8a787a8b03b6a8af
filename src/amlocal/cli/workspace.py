"""`aml workspace`: the workspace on this machine and its processes."""

from __future__ import annotations

import argparse

from amlocal.cli import summary, text, views
from amlocal.cli.arguments import Parser, Verb
from amlocal.cli.session import Session


def _no_flags(parser: Parser) -> None:
    """Add nothing."""


def _gc_flags(parser: Parser) -> None:
    # Here --dry-run tells what would be removed; nothing goes to Azure either way.
    parser.set_defaults(dry_run_is_local=True)


def _show(session: Session, _: argparse.Namespace) -> int:
    session.emit(views.workspace_view(session.workspace.show()))
    return 0


def _up(session: Session, _: argparse.Namespace) -> int:
    session.emit(views.workspace_view(session.workspace.up()))
    return 0


def _down(session: Session, _: argparse.Namespace) -> int:
    session.emit(views.workspace_view(session.workspace.down()))
    return 0


def _ui(session: Session, _: argparse.Namespace) -> int:
    uri = session.workspace.up().tracking_uri
    session.emit(views.fact_view("tracking_uri", uri, uri))
    session.open(f"{uri}/#/experiments?{summary.MODE}", "the tracking server")
    return 0


def _gc(session: Session, args: argparse.Namespace) -> int:
    freed = session.workspace.collect_garbage(dry_run=args.dry_run)
    verb = "would be freed" if args.dry_run else "freed"
    session.emit(views.fact_view("bytes", freed, f"{text.size(freed)} {verb}"))
    return 0


VERBS = {
    "show": Verb("show what the workspace holds and which processes run", _no_flags, _show),
    "up": Verb("start the tracking server", _no_flags, _up),
    "down": Verb("cancel running jobs and end every process of the workspace", _no_flags, _down),
    "ui": Verb("open MLflow's pages in the browser", _no_flags, _ui),
    "gc": Verb(
        "remove what no job and no asset refers to", _gc_flags, _gc, "aml workspace gc --dry-run"
    ),
}
