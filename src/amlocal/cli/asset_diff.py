"""`aml component diff` and `aml environment diff`: what changed between two versions."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from amlocal.cli import text
from amlocal.cli.arguments import Parser, Verb, add_name
from amlocal.cli.asset import Kind
from amlocal.cli.session import Session, View
from amlocal.errors import UsageError

if TYPE_CHECKING:
    from amlocal.cli.terminal import Terminal
    from amlocal.content import Content, Difference

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@runtime_checkable
class TellsContent(Protocol):
    """Assets of a target that can tell what a version of them consists of."""

    def content(self, name: str, version: str | None = None, label: str | None = None) -> Content:
        """Return what a registered version consists of; raises NotFoundError."""

    def content_of(self, asset: Any, *, overrides: Sequence[str] = ()) -> Content:
        """Return what a file consists of; raises SpecError."""


def diff_verb(kind: Kind) -> Verb:
    """Return the verb `diff` of a kind of asset."""
    return Verb(
        f"show what changed between two versions of a {kind.title}, or in its file",
        lambda parser: _flags(parser, kind),
        lambda session, args: _diff(session, args, kind),
        f"aml {kind.noun} diff -n NAME --from 1 --to 2",
    )


def _flags(parser: Parser, kind: Kind) -> None:
    parser.add_argument(
        "file", nargs="?", metavar="FILE", help="a file to compare with what is registered"
    )
    add_name(parser, f"{kind.title}; a file has one of its own", required=False)
    parser.add_argument(
        "--from", dest="before", metavar="VERSION", help="the version before; of a file, the latest"
    )
    parser.add_argument("--to", dest="after", metavar="VERSION", help="the version after; latest")


def _diff(session: Session, args: argparse.Namespace, kind: Kind) -> int:
    operations = kind.operations(session.client)
    if not isinstance(operations, TellsContent):
        raise UsageError(
            f"{kind.title}s of the {session.target} target are not compared",
            hint="register the file with `--version content`: an equal version is equal content",
        )
    if args.file is not None:
        if args.after is not None:
            raise UsageError("a file and --to cannot both be given", hint="leave one out")
        after = operations.content_of(args.file)
        before = operations.content(args.name or after.name, args.before)
    elif args.name is None or args.before is None:
        raise UsageError("nothing to compare", hint="give -n NAME --from VERSION, or a FILE")
    else:
        after = operations.content(args.name, args.after)
        before = operations.content(args.name, args.before)
    session.emit(_view(before, after))
    return 0


def _view(before: Content, after: Content) -> View:
    from amlocal.content import differences  # difflib: other commands do without

    found = differences(before, after)
    data = {
        "name": after.name,
        "from": before.version,
        "to": after.version,
        "from_content": before.content_version,
        "to_content": after.content_version,
        "differences": [{**asdict(each), "lines": list(each.lines)} for each in found],
    }
    rows = [
        {
            "Part": each.part,
            "What": text.clean(each.what),
            "Before": text.clean(each.before),
            "After": text.clean(each.after or _counted(each.lines)),
        }
        for each in found
    ]

    def written(terminal: Terminal) -> str:
        versions = f"{_named(before)} to {_named(after)}"
        head = f"{after.kind} {terminal.style(after.name, 'bold')}: {versions}"
        body = _body(found, terminal) if found else ["  nothing changed"]
        return "".join(f"{line}\n" for line in (head, *body))

    return View(data, rows, written)


def _named(content: Content) -> str:
    """Return a version, and that of the content where it is another."""
    is_same = content.version == content.content_version
    return content.version if is_same else f"{content.version} ({content.content_version})"


def _counted(lines: Sequence[str]) -> str:
    added = sum(line.startswith("+") for line in lines[2:])
    removed = sum(line.startswith("-") for line in lines[2:])
    return f"+{added} -{removed} lines" if lines else ""


def _body(found: Sequence[Difference], terminal: Terminal) -> Iterator[str]:
    for part, each_of in groupby(found, key=lambda each: each.part):
        yield ""
        yield terminal.style(part, "bold")
        for each in each_of:
            if not each.lines:
                yield from _change(each, terminal)
                continue
            for line in each.lines:
                shown = text.clean(line)
                colour = _COLOURS.get(line[:1])
                yield f"  {terminal.style(shown, colour) if colour else shown}"


def _change(each: Difference, terminal: Terminal) -> Iterator[str]:
    """Yield what was and what is: in a line, or below each other where that is too long."""
    what = text.clean(each.what)
    before, after = (text.clean(it) or "absent" for it in (each.before, each.after))
    line = f"  {what}: {before} -> {after}"
    if len(line) <= terminal.width:
        yield line
        return
    yield f"  {what}:"
    for sign, value in (("-", before), ("+", after)):
        yield f"    {terminal.style(f'{sign} {value}', _COLOURS[sign])}"
