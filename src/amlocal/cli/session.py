"""One command's surroundings: its client, its streams, and how it prints a result."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

from amlocal.cli.terminal import Terminal
from amlocal.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from amlocal.client import Client, WorkspaceOperations
    from amlocal.plan import StepReuse
    from amlocal.promotion import Promotion


class Request(Protocol):
    """A request that a dry run kept instead of sending."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


@runtime_checkable
class KeepsRequests(Protocol):
    """A client in a dry run."""

    @property
    def requests(self) -> Sequence[Request]:
        """What would have been sent, in order."""


@runtime_checkable
class HasWorkspace(Protocol):
    """A client whose workspace is on this machine."""

    @property
    def workspace(self) -> WorkspaceOperations:
        """The workspace and its processes."""


@runtime_checkable
class ExplainsReuse(Protocol):
    """Jobs of a target that can tell why their steps were reused."""

    def explain_reuse(self, name: str) -> Sequence[StepReuse]:
        """Return for each step why it was reused, or which facts had changed."""


@runtime_checkable
class DownloadsModels(Protocol):
    """Models of a target that can copy one into a folder."""

    def download(self, name: str, version: str, *, download_path: Path) -> Path:
        """Copy a version into a folder named after the model, and return that folder."""


@runtime_checkable
class ReportsModels(Protocol):
    """Models of a target whose reports are on this machine."""

    def report(self, name: str, version: str | None = None, label: str | None = None) -> Path:
        """Return the folder with a version's report."""


@runtime_checkable
class PromotesModels(Protocol):
    """Models of a target whose versions can be given aliases."""

    def promote(self, name: str, version: str, *, alias: str, force: bool) -> Promotion:
        """Let a version hold an alias; raises NotFoundError and RefusedError."""


@dataclass(frozen=True)
class Surroundings:
    """What a command finds around it.

    Attributes:
        out: Where results go.
        err: Where errors, warnings, and notes go.
        stdin: Where a person answers questions; None where there is nobody.
        environ: The environment of the command.
        connect: Returns the client of a target.
        open_page: Opens an address in a browser.
    """

    out: Terminal
    err: Terminal
    stdin: TextIO | None
    environ: Mapping[str, str]
    connect: Callable[..., Client]
    open_page: Callable[[str], object]


@dataclass(frozen=True)
class View:
    """A result, ready to be printed in any format.

    Attributes:
        data: Plain JSON values: what `-o json`, `-o yaml`, `-o tsv`, and `--query` work on.
        rows: What `-o table` prints.
        text: What people read on a terminal; None is the table.
    """

    data: Any
    rows: Sequence[Mapping[str, str]]
    text: Callable[[Terminal], str] | None = None


class Session:
    """What a command needs beside its own flags.

    Attributes:
        out: Where results go.
        err: Where errors, warnings, and notes go.
        environ: The environment of the command.
        target: `local` or `azure`.
    """

    def __init__(self, args: argparse.Namespace, surroundings: Surroundings) -> None:
        self.out = surroundings.out
        self.err = surroundings.err
        self.environ = surroundings.environ
        self.target: str = args.target or self.environ.get("AMLOCAL_TARGET") or "local"
        self._args = args
        self._stdin = surroundings.stdin
        self._connect = surroundings.connect
        self._open_page = surroundings.open_page

    @cached_property
    def client(self) -> Client:
        """The client of the target, connected when it is first asked for.

        Raises:
            UsageError: A dry run was asked of a target that has none.
        """
        args = self._args
        if self.is_dry and self.target == "local":
            raise UsageError(
                "--dry-run prints requests to Azure",
                hint="add --target azure; or `aml job validate`",
            )
        if self.target == "local" and (args.workspace_name or args.resource_group):
            self.note("-w and -g choose a workspace of --target azure; this happens here")
        return self._connect(
            self.target,
            environ=self.environ,
            subscription_id=args.subscription,
            resource_group=args.resource_group,
            workspace_name=args.workspace_name,
            dry_run=self.is_dry,
        )

    @property
    def workspace(self) -> WorkspaceOperations:
        """The workspace on this machine.

        Raises:
            UsageError: The target is elsewhere.
        """
        if not isinstance(self.client, HasWorkspace):
            raise UsageError(
                "aml workspace is about the workspace on this machine", hint="use --target local"
            )
        return self.client.workspace

    @property
    def is_dry(self) -> bool:
        """Whether requests are kept instead of sent."""
        return bool(self._args.dry_run) and not getattr(self._args, "dry_run_is_local", False)

    @property
    def quiet(self) -> bool:
        """Whether nothing but errors and the result is to be written."""
        return bool(self._args.only_show_errors)

    @property
    def asks_for_data(self) -> bool:
        """Whether the result is to be printed for a program."""
        return bool(self._args.output or self._args.query)

    def emit(self, view: View) -> None:
        """Print a result in the format asked for; in a dry run the requests instead."""
        if self.is_dry and isinstance(self.client, KeepsRequests):
            view = _requests(self.client.requests)
        if view.text is not None and not self.asks_for_data and self.out.is_terminal:
            self.out.write(view.text(self.out))
            return
        from amlocal.cli.output import render, render_table, select  # json: not for --help

        form = self._args.output or "json"
        if self._args.query:
            self.out.write(render(select(view.data, self._args.query), form, self.out))
        elif form == "table":
            self.out.write(render_table(view.rows, self.out))
        else:
            self.out.write(render(view.data, form, self.out))

    def say(self, message: str) -> None:
        """Tell people that it is done; programs have the exit code, as with `az`."""
        if self.is_dry:
            self.emit(View(None, ()))
        elif self.out.is_terminal and not self.asks_for_data:
            self.out.write(message + "\n")

    def note(self, message: str) -> None:
        """Say something on the side."""
        if not self.quiet:
            self.err.write(f"{self.err.style('note:', 'cyan')} {message}\n")

    def warn(self, message: str) -> None:
        """Say something that may be wrong."""
        if not self.quiet:
            self.err.write(f"{self.err.style('warning:', 'yellow')} {message}\n")

    def confirm(self, question: str, *, yes: bool) -> None:
        """Ask a person before something is lost.

        Args:
            question: What is about to happen, as a question.
            yes: Whether a flag has answered already.

        Raises:
            UsageError: The answer is no, or there is nobody to ask.
        """
        if yes or self.is_dry:
            return
        if self._stdin is None or not (self._stdin.isatty() and self.err.is_terminal):
            raise UsageError(f"{question} There is nobody to ask", hint="add --yes")
        self.err.write(f"{question} (y/n): ")
        if self._stdin.readline().strip().lower() not in {"y", "yes"}:
            raise UsageError("it was not confirmed; nothing was done")

    def open(self, address: str, what: str) -> None:
        """Open a page in the browser; its address is said for when there is no browser."""
        if not address:
            self.warn(f"{what} has no page to open yet")
            return
        self.note(f"opening {address}")
        self._open_page(address)


def _requests(requests: Sequence[Request]) -> View:
    data = [
        {
            "method": each.method,
            "path": each.path,
            **({"headers": dict(each.headers)} if each.headers else {}),
            "body": each.body,
        }
        for each in requests
    ]
    return View(data, [{"Method": each.method, "Path": each.path} for each in requests])
