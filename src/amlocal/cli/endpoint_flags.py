"""The flags that the nouns of endpoints and deployments share, and what they mean."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlocal.cli.arguments import Parser, add_file, add_name
from amlocal.errors import UsageError

_IS_DOCKERS = "is for Docker, which is not used"
_SETS_NOT = "is not read: changes are said by --set"
#: Flags of `az ml` that are refused: why, and what to do instead.
_REFUSED = {
    "--local": (
        _IS_DOCKERS,
        "endpoints are on this machine already, without Docker; leave the flag away",
    ),
    "--vscode-debug": (
        _IS_DOCKERS,
        "attach a debugger to the instance's process, whose id its log tells",
    ),
    "--local-enable-gpu": (
        _IS_DOCKERS,
        "instances see the GPUs of this machine as any process does",
    ),
    "--package-model": (
        _IS_DOCKERS,
        "the model is served from its folder; leave the flag away",
    ),
    "--web": (
        "opens no page: an endpoint has none of its own here",
        "`aml workspace ui` opens MLflow's pages; ml.azure.com shows those in Azure",
    ),
    "--skip-script-validation": (
        "is not taken: what is deployed is always checked",
        "leave the flag away",
    ),
    "--add": (_SETS_NOT, "--set PATH=VALUE, such as --set tags.team=risk"),
    "--remove": (_SETS_NOT, "--set PATH=null, such as --set tags.team=null"),
    "--force-string": (_SETS_NOT, "--set PATH=\"'1'\" is a text"),
}
#: Those of every create and update.
_CHANGES = ("--web", "--add", "--remove", "--force-string")


def add_source(parser: Parser, what: str) -> None:
    """Add `-f`, `--set`, `-n`, and `--no-wait`; what is not in a file stands in flags."""
    add_file(parser, what, required=False)
    add_name(parser, what, required=False)
    add_no_wait(parser)
    add_refused(parser, *_CHANGES)


def add_no_wait(parser: Parser) -> None:
    """Add `--no-wait`."""
    parser.add_argument("--no-wait", action="store_true", help="do not wait for its end")


def add_yes(parser: Parser) -> None:
    """Add `-y`."""
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def add_endpoint(parser: Parser, *, required: bool = True) -> None:
    """Add `-e`."""
    parser.add_argument(
        "--endpoint-name", "-e", required=required, metavar="NAME", help="name of its endpoint"
    )


def add_deployment(parser: Parser) -> None:
    """Add `-n` and `-e`, which together name a deployment."""
    add_name(parser, "deployment")
    add_endpoint(parser)


def add_refused(parser: Parser, *flags: str) -> None:
    """Add flags of `az ml` that mean nothing here, so that they are refused with a reason."""
    for flag in flags:
        parser.add_argument(
            flag, action=_Refused, nargs=0, default=argparse.SUPPRESS, help="refused, with a reason"
        )


class _Refused(argparse.Action):
    """Refuses a flag where it is given."""

    def __call__(self, *_: Any) -> None:
        flag = self.option_strings[0]
        why, hint = _REFUSED[flag]
        raise UsageError(f"{flag} {why}", hint=hint)


def percentages(value: str) -> dict[str, int]:
    """Return `blue=90 green=10` as percentages by deployment; commas and colons do as well.

    Raises:
        argparse.ArgumentTypeError: It is not of that form.
    """
    shares: dict[str, int] = {}
    for word in value.replace(",", " ").split():
        name, _, share = word.replace(":", "=").partition("=")
        if not name or not share.isdecimal() or int(share) > 100:
            raise argparse.ArgumentTypeError(f"{word!r} is not DEPLOYMENT=PERCENT")
        shares[name] = int(share)
    if not shares:
        raise argparse.ArgumentTypeError(f"{value!r} is not DEPLOYMENT=PERCENT ...")
    return shares


def pair(value: str) -> tuple[str, str]:
    """Return a `NAME=VALUE` argument in its two parts."""
    name, equals, text = value.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{value!r} is not NAME=VALUE")
    return name, text


def named(args: argparse.Namespace, field: str = "name") -> str:
    """Return the name that a command is about: its flag's, else `--set`'s, else its file's.

    Args:
        args: The flags, with `file` and `overrides`.
        field: `name` or `endpoint_name`.

    Returns:
        The name, or an empty string where the file has none or cannot be read: that it is wrong is
        told with all its other problems when it is loaded.
    """
    if getattr(args, field, None):
        return str(getattr(args, field))
    for override in reversed(args.overrides):
        key, _, value = override.partition("=")
        if key.strip() == field:
            return str(value)
    if args.file is None:
        return ""
    import yaml  # 30 ms that a name in a flag saves

    try:
        content = yaml.safe_load(Path(args.file).read_bytes())
    except (OSError, yaml.YAMLError):
        return ""
    return str(content.get(field) or "") if isinstance(content, dict) else ""


def need_some(args: argparse.Namespace, what: str) -> None:
    """Refuse a line that says nothing of what to make or to change.

    Raises:
        UsageError: There is neither a file nor a name.
    """
    if args.file is None and not named(args):
        raise UsageError(f"no {what} is named", hint="give -f FILE or -n NAME")


def need_change(args: argparse.Namespace, what: str, overrides: Sequence[str]) -> None:
    """Refuse an update that changes nothing.

    Raises:
        UsageError: There is neither a file nor a setting.
    """
    need_some(args, what)
    if args.file is None and not overrides:
        raise UsageError(f"nothing to change of the {what}", hint="give -f FILE or --set")
