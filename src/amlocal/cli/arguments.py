"""The grammar: `aml NOUN VERB FLAGS`, with `az`'s flags and global flags anywhere on the line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from amlocal.errors import UsageError, near_miss

if TYPE_CHECKING:
    from amlocal.cli.session import Session

FORMATS = ("json", "jsonc", "yaml", "yamlc", "table", "tsv", "none")
TARGETS = ("local", "azure")
ENVIRONMENTS = ("auto", "current", "isolated", "docker")

#: Global flags that take a value; they may stand before the noun, so the words must be told apart.
_VALUED = frozenset(
    {"--target", "-w", "--workspace-name", "-g", "--resource-group", "--subscription"}
    | {"-o", "--output", "--query"}
)
_SWITCHES = frozenset({"--dry-run", "--debug", "--only-show-errors", "-h", "--help", "--version"})


class Parser(argparse.ArgumentParser):
    """An argparse parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with where the flags are explained."""
        raise UsageError(message, hint=f"`{self.prog} --help` explains the flags")


@dataclass(frozen=True)
class Verb:
    """One command.

    Attributes:
        summary: What it does, in one line.
        add: Adds its flags to the parser.
        run: Makes its call, renders, and returns the exit code.
        example: A line that works.
    """

    summary: str
    add: Callable[[Parser], None]
    run: Callable[[Session, argparse.Namespace], int]
    example: str = ""


def split_words(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the noun and verb (as far as they are given), and all other arguments in order.

    Raises:
        UsageError: A flag before the verb is not a global one.
    """
    words: list[str] = []
    rest: list[str] = []
    arguments = iter(argv)
    for argument in arguments:
        if not argument.startswith("-"):
            words.append(argument)
            if len(words) == 2:
                return words, [*rest, *arguments]
            continue
        rest.append(argument)
        if argument in _VALUED:
            rest.extend([value for value in [next(arguments, None)] if value is not None])
        elif argument.partition("=")[0] not in _VALUED | _SWITCHES:
            raise UsageError(
                f"{argument!r} is no global flag; a command's own flags follow its verb",
                hint=near_miss(argument, _VALUED | _SWITCHES),
            )
    return words, rest


def parse(noun: str, verb: str, command: Verb, argv: Sequence[str]) -> argparse.Namespace:
    """Return the flags of one command.

    Raises:
        UsageError: A flag is unknown, misses its value, or has a wrong one.
    """
    parser = build(noun, verb, command)
    # argparse has no public list of a parser's flags; its usage line has the long name of each.
    words = [word.strip("[]|") for word in parser.format_usage().split()]
    flags = [word for word in words if word.startswith("--")]
    # Misspelt flags come first: else argparse tells of a required flag that is there, misspelt.
    for argument in argv:
        flag = argument.partition("=")[0]
        if flag.startswith("--") and not any(known.startswith(flag) for known in flags):
            raise UsageError(f"{parser.prog} has no flag {flag!r}", hint=near_miss(flag, flags))
    args, extra = parser.parse_known_args(argv)
    if extra:
        hint = "a name follows -n" if "--name" in flags else f"`{parser.prog} --help` shows flags"
        raise UsageError(f"{extra[0]!r} belongs to no flag", hint=hint)
    return args


def build(noun: str, verb: str, command: Verb) -> Parser:
    """Return the parser of one command; others are not built, for a quick start."""
    example = f"example:\n  {command.example}" if command.example else None
    parser = Parser(
        prog=f"aml {noun} {verb}",
        description=command.summary,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    command.add(parser)
    _add_globals(parser)
    return parser


def one_of(what: str, choices: Iterable[str]) -> Callable[[str], str]:
    """Return an argument type that takes some words, and suggests the nearest one."""

    def check(value: str) -> str:
        if value not in choices:
            raise argparse.ArgumentTypeError(f"no {what} {value!r}; {near_miss(value, choices)}")
        return value

    return check


def positive(value: str) -> int:
    """Return an argument that is a whole number from 1."""
    if not value.isdecimal() or int(value) < 1:
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number from 1")
    return int(value)


def tag(value: str) -> str:
    """Return a `KEY=VALUE` argument as an override of the tags."""
    key, equals, text = value.partition("=")
    if not key or not equals:
        raise argparse.ArgumentTypeError(f"{value!r} is not KEY=VALUE")
    return f"tags.{key}={text}"


def _add_globals(parser: Parser) -> None:
    group = parser.add_argument_group("global flags")
    group.add_argument("--help", "-h", action="store_true", help="print this")
    group.add_argument(
        "--target",
        type=one_of("target", TARGETS),
        metavar="{local,azure}",
        help="where it happens; AMLOCAL_TARGET, else local",
    )
    group.add_argument("--workspace-name", "-w", metavar="NAME", help="the Azure ML workspace")
    group.add_argument("--resource-group", "-g", metavar="NAME", help="its resource group")
    group.add_argument("--subscription", metavar="ID", help="its subscription")
    group.add_argument(
        "--dry-run", action="store_true", help="print what would be sent or removed; do nothing"
    )
    group.add_argument(
        "--output",
        "-o",
        type=one_of("output format", FORMATS),
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}; without it for people on a terminal, json elsewhere",
    )
    group.add_argument("--query", metavar="JMESPATH", help="print what this selects of the result")
    group.add_argument(
        "--only-show-errors", action="store_true", help="no warnings and notes on stderr"
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")


def add_name(parser: Parser, what: str, *, required: bool = True) -> None:
    """Add `-n`."""
    parser.add_argument(
        "--name", "-n", required=required, metavar="NAME", help=f"name of the {what}"
    )


def add_file(parser: Parser, what: str, *, required: bool = True) -> None:
    """Add `-f` and `--set`."""
    parser.add_argument(
        "--file", "-f", required=required, metavar="PATH", help=f"YAML file of the {what}"
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        action="extend",
        nargs="+",
        default=[],
        metavar="PATH=VALUE",
        help="settings that replace the file's, such as inputs.epochs=3",
    )


def add_view(parser: Parser, what: str) -> None:
    """Add the flags that choose archived ones."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--archived-only", action="store_true", help=f"archived {what} instead of active ones"
    )
    group.add_argument(
        "--include-archived", action="store_true", help=f"archived {what} beside active ones"
    )


def list_view_type(args: argparse.Namespace) -> str:
    """Return MLClient's name of what `add_view` chose."""
    if args.archived_only:
        return "ArchivedOnly"
    return "All" if args.include_archived else "ActiveOnly"


def chosen(args: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Return the flags among some names that were given."""
    return {name: value for name in names if (value := getattr(args, name)) is not None}
