"""The workspace's supervisor, seen from the commands: started on demand, woken, ended."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from amlocal.local.daemon import Daemon
from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.tracking.state import marked_processes
from amlocal.plan.base import Value

if TYPE_CHECKING:
    import psutil

#: The program of the supervisor; it is given its `SupervisorSettings` as JSON.
SUPERVISOR = "amlocal.local.endpoints.supervisor"
#: Says in the environment of a router or an instance which it is.
ROLE_VARIABLE = "AMLOCAL_ENDPOINT"


class Programs(Value, frozen=True):
    """What the supervisor starts, as arguments of a Python interpreter.

    Attributes:
        router: The router of an endpoint; it is given `--fd N --control M`.
        scoring: The server of MLflow models; it is given `--model DIR --socket PATH`.
        inference: The server of scoring scripts; it is given gunicorn's arguments.
    """

    router: tuple[str, ...] = ("-m", "amlocal.local.endpoints.router")
    scoring: tuple[str, ...] = ("-m", "scoringserver")
    # gunicorn with the application of azureml-inference-server-http, as its command azmlinfsrv
    # starts it; but that one listens on every address of the machine, where nobody asks for keys.
    inference: tuple[str, ...] = ("-m", "gunicorn")


class SupervisorSettings(Value, frozen=True):
    """What a supervisor is started with.

    Attributes:
        workspace: The workspace's folder.
        project: The project's folder.
        programs: What it starts.
    """

    workspace: str
    project: str
    programs: Programs = Programs()


class Supervision(Daemon):
    """The supervisor of a workspace.

    Args:
        settings: What it is started with.
        folder: The folder of the workspace's endpoints.
        environ: The environment that it and all that it starts get.
    """

    def __init__(
        self, settings: SupervisorSettings, folder: Path, environ: Mapping[str, str]
    ) -> None:
        layout = EndpointLayout(folder)
        super().__init__(
            "the supervisor of endpoints",
            layout.daemon,
            mark=folder,
            command=[sys.executable, "-m", SUPERVISOR, settings.to_json().decode()],
            environ={name: value for name, value in environ.items() if name != ROLE_VARIABLE},
            create=layout.create,
            is_own=lambda process: _role(process) == "",
        )

    @property
    def layout(self) -> EndpointLayout:
        """Where the files of endpoints are."""
        return EndpointLayout(self.mark)

    def processes(self) -> dict[int, str]:
        """Return the ids of its processes and what each of them is."""
        if not self.mark.is_dir():
            return {}
        found = {process.pid: _role(process) for process in marked_processes(self.mark)}
        return {
            pid: role or "supervisor of endpoints"
            for pid, role in found.items()
            if role is not None
        }


def _role(process: psutil.Process) -> str | None:
    """Return what a process is, empty of the supervisor, or None where it has ended."""
    import psutil  # 17 ms that only looking for processes pays

    try:
        return process.environ().get(ROLE_VARIABLE, "")
    except (psutil.Error, OSError):
        return None


def role(kind: str, *names: str) -> dict[str, str]:
    """Return the variable that says which process one is."""
    return {ROLE_VARIABLE: f"{kind} {'/'.join(names)}"}


def python_arguments(python: str | Path, program: Sequence[str]) -> list[str]:
    """Return the command that runs a program of `Programs` by an interpreter."""
    return [str(python), *program]
