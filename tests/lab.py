"""A workspace to try jobs in: plan values in, records out, with the tests' tracking server."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from amlocal.local.client import LocalClient
from amlocal.local.services import Services
from amlocal.plan import (
    Binding,
    Component,
    Input,
    Job,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    Schedule,
    Settings,
    Step,
)

#: A literal that a careless shell command would run.
HOSTILE = "a b\"c'$(touch pwned)"
PYTHON = sys.executable


class PlanCompiler:
    """Takes plan values where the real compiler takes files."""

    def compile_job(self, source: Any, **_: Any) -> Job:
        assert isinstance(source, Job)
        return source

    def load_component(self, source: Any, *, overrides: Sequence[str] = (), **_: Any) -> Any:
        return source

    load_environment = load_data = load_model = load_component

    def load_schedule(self, source: Any, **_: Any) -> Schedule:
        assert isinstance(source, Schedule)
        return source

    def load_batch_endpoint(self, source: Any, **_: Any) -> Any:
        return source

    load_batch_deployment = load_trigger = load_batch_endpoint


@dataclass
class Recording:
    """A reporter that keeps what it is told."""

    started: list[JobInfo] = field(default_factory=list)
    changes: list[tuple[str, JobStatus]] = field(default_factory=list)
    logs: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    finished: list[JobInfo] = field(default_factory=list)
    on_log: Callable[[str], None] = lambda _: None

    def job_started(self, job: JobInfo) -> None:
        self.started.append(job)

    def step_changed(self, step: JobInfo) -> None:
        self.changes.append((step.step or step.name, step.status))

    def log(self, step: JobInfo, text: str) -> None:
        name = step.step or step.name
        self.logs[name] = self.logs.get(name, "") + text
        self.on_log(text)

    def note(self, message: str) -> None:
        self.notes.append(message)

    def job_finished(self, job: JobInfo) -> None:
        self.finished.append(job)


def share(workspace: Path, shared: Path) -> None:
    """Give a workspace the tracking server and the environments of a shared folder."""
    workspace.mkdir(parents=True, exist_ok=True)
    for name in ("mlflow", "environments"):
        (shared / name).mkdir(exist_ok=True)
        if not (workspace / name).exists():
            (workspace / name).symlink_to(shared / name)


@dataclass
class Lab:
    """A project folder with a workspace of its own.

    Attributes:
        project: The project's folder.
        client: The workspace's client.
    """

    project: Path
    client: LocalClient

    @classmethod
    def open(cls, project: Path, *, shared: Path, environ: Mapping[str, str] | None = None) -> Lab:
        """Open a workspace in a folder.

        The tracking server and what is known of environments are those of a shared folder, since
        a server takes seconds to start.
        """
        workspace = project / ".amlocal"
        share(workspace, shared)
        client = LocalClient.open(workspace, dict(environ or os.environ), PlanCompiler())
        return cls(project, client)

    @property
    def services(self) -> Services:
        return self.client.jobs.services

    @property
    def workspace(self) -> Path:
        return self.services.workspace.path

    def run(self, job: Job, *, reporter: Recording | None = None, **options: Any) -> JobInfo:
        """Run a job to its end in this process."""
        return self.client.jobs.create_or_update(job, reporter=reporter or Recording(), **options)

    def start(self, job: Job, **options: Any) -> JobInfo:
        """Run a job in the background."""
        return self.client.jobs.create_or_update(job, **options)

    def write(self, path: str, text: str) -> Path:
        """Write a file below the project's folder."""
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def log(self, job: JobInfo) -> str:
        return Path(job.log).read_text()


def step(
    name: str,
    command: str,
    /,
    *,
    inputs: Mapping[str, Binding] | None = None,
    declared: Mapping[str, Input] | None = None,
    outputs: Mapping[str, Output] | None = None,
    code: Path | None = None,
    variables: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **component: Any,
) -> Step:
    """Return a step whose component declares what the step binds."""
    given = dict(inputs or {})
    return Step(
        name=name,
        component=Component(
            command=command,
            code=str(code) if code else None,
            inputs={**{key: _declared(value) for key, value in given.items()}, **(declared or {})},
            outputs=dict(outputs or {}),
            **component,
        ),
        inputs=given,
        outputs=dict(outputs or {}),
        environment_variables=dict(variables or {}),
        timeout=timeout,
    )


def _declared(binding: Binding) -> Input:
    if isinstance(binding, LiteralValue):
        kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
        return Input(type=kinds[type(binding.value)])
    return Input(type=binding.type or "uri_folder")


def command(text: str, /, **fields: Any) -> Job:
    """Return a command job."""
    return Job(type="command", steps=(step("command", text, **fields),), experiment_name="tests")


def pipeline(*steps: Step, settings: Settings | None = None, **fields: Any) -> Job:
    """Return a pipeline job."""
    return Job(
        type="pipeline",
        steps=steps,
        experiment_name="tests",
        settings=settings or Settings(),
        **fields,
    )


def children(job: JobInfo) -> dict[str, JobInfo]:
    """Return a pipeline job's steps by name."""
    return {child.step or child.name: child for child in job.children}


def processes_of(lab: Lab) -> list[int]:
    """Return the ids of the processes that carry the workspace in their environment."""
    return [p.pid for p in psutil.process_iter() if _workspace(p) == str(lab.workspace)]


def _workspace(process: psutil.Process) -> str | None:
    try:
        return process.environ().get("AMLOCAL_WORKSPACE")
    except psutil.Error:
        return None  # it has ended, or it is not ours


def slow_package(folder: Path) -> tuple[Path, Path]:
    """Return a package whose build never ends, and the file with the id of its process."""
    package, started = folder / "slow", folder / "started"
    package.mkdir()
    (package / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (package / "backend.py").write_text(
        "import os, pathlib, time\n"
        "def build_wheel(*_, **__):\n"
        f"    made = pathlib.Path({str(started)!r})\n"
        "    made.with_suffix('.new').write_text(str(os.getpid()))\n"
        "    made.with_suffix('.new').rename(made)\n"
        "    time.sleep(600)\n"
        "prepare_metadata_for_build_wheel = build_wheel\n"
    )
    return package, started


def has_ended(pid: int) -> bool:
    """Return whether a process is gone, or has ended and nobody has asked for it yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)
