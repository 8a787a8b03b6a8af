"""The verbs that components, environments, data assets, and models share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amlocal.cli import views
from amlocal.cli.arguments import (
    Parser,
    Verb,
    add_file,
    add_name,
    add_view,
    chosen,
    list_view_type,
    positive,
    tag,
)
from amlocal.cli.session import Session
from amlocal.errors import UsageError

if TYPE_CHECKING:
    from amlocal.client import AssetOperations, Client


@dataclass(frozen=True)
class Field:
    """A field of an asset that a flag of `create` gives.

    Attributes:
        flags: Its flags, the long one first.
        help: What it is.
    """

    flags: Sequence[str]
    help: str

    @property
    def name(self) -> str:
        """Its name in MLClient's terms."""
        return self.flags[0].lstrip("-").replace("-", "_")


@dataclass(frozen=True)
class Kind:
    """One kind of asset.

    Attributes:
        noun: Its noun on the command line.
        title: What people call it.
        operations: Picks its operations of a client.
        fields: Fields that can be given without a file; none where a file must be given.
    """

    noun: str
    title: str
    operations: Callable[[Client], AssetOperations]
    fields: Sequence[Field] = ()


def verbs(kind: Kind) -> dict[str, Verb]:
    """Return create, list, show, archive, and restore of a kind of asset."""
    return {
        "create": Verb(
            f"register a {kind.title}",
            lambda parser: _create_flags(parser, kind),
            lambda session, args: _create(session, args, kind),
            f"aml {kind.noun} create -f {kind.noun}.yml",
        ),
        "list": Verb(
            f"list {kind.title}s, or the versions of one",
            lambda parser: _list_flags(parser, kind),
            lambda session, args: _list(session, args, kind),
        ),
        "show": Verb(
            f"show one version of a {kind.title}",
            lambda parser: add_version(parser, kind),
            lambda session, args: _show(session, args, kind),
            f"aml {kind.noun} show -n NAME --label latest",
        ),
        "archive": Verb(
            f"hide a {kind.title} from lists",
            lambda parser: add_version(parser, kind),
            lambda session, args: _archive(session, args, kind),
        ),
        "restore": Verb(
            f"show an archived {kind.title} in lists again",
            lambda parser: add_version(parser, kind),
            lambda session, args: _restore(session, args, kind),
        ),
    }


def add_version(parser: Parser, kind: Kind) -> None:
    """Add the flags that name one version."""
    add_name(parser, kind.title)
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--version", "-v", metavar="VERSION", help="its version")
    group.add_argument("--label", "-l", metavar="LABEL", help="its label instead, such as latest")


def _create_flags(parser: Parser, kind: Kind) -> None:
    add_file(parser, kind.title, required=not kind.fields)
    add_name(parser, kind.title, required=False)
    versioned = "; `content` makes one of what it consists of"
    parser.add_argument(
        "--version",
        "-v",
        metavar="VERSION",
        help=f"its version{versioned if kind.noun in {'component', 'environment'} else ''}",
    )
    for field in kind.fields:
        metavar = field.name.upper()
        parser.add_argument(*field.flags, dest=field.name, metavar=metavar, help=field.help)
    parser.add_argument(
        "--tags", nargs="+", type=tag, default=[], metavar="KEY=VALUE", help="labels of the version"
    )


def _create(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    if args.file is None and args.name is None:
        raise UsageError(
            f"no {kind.title} to create", hint="give -f FILE, or -n NAME and its fields"
        )
    if args.file is None and (args.overrides or args.tags):
        raise UsageError("--set and --tags change what a file says", hint="give it with -f FILE")
    fields = chosen(args, ["name", "version", *(field.name for field in kind.fields)])
    overrides = [*args.overrides, *args.tags]
    created = kind.operations(session.client).create_or_update(
        args.file, overrides=overrides, **fields
    )
    session.emit(views.asset_view(created))
    return 0


def _list_flags(parser: Parser, kind: Kind) -> None:
    add_name(parser, f"{kind.title} whose versions are listed", required=False)
    parser.add_argument("--max-results", "-r", type=positive, metavar="N", help="at most so many")
    add_view(parser, f"{kind.title}s")


def _list(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    found = kind.operations(session.client).list(args.name, list_view_type=list_view_type(args))
    session.emit(views.assets_view(found[: args.max_results], kind.noun))
    return 0


def _show(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    operations = kind.operations(session.client)
    session.emit(views.asset_view(operations.get(args.name, args.version, args.label)))
    return 0


def version_of(session: Session, args: argparse.Namespace, kind: Kind) -> str | None:
    """Return the version that the flags name; None where they name every version."""
    if args.label is None:
        return str(args.version) if args.version is not None else None
    return kind.operations(session.client).get(args.name, label=args.label).version


def _archive(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    kind.operations(session.client).archive(args.name, version_of(session, args, kind))
    session.say(f"archived {kind.title} {args.name}")
    return 0


def _restore(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    kind.operations(session.client).restore(args.name, version_of(session, args, kind))
    session.say(f"restored {kind.title} {args.name}")
    return 0
