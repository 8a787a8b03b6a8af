"""Ordinary objects that stand where a client, a terminal, and a browser stand."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.cli.endpoint_fakes import (
    FakeBatchDeployments,
    FakeBatchEndpoints,
    FakeOnlineDeployments,
    FakeOnlineEndpoints,
)

from amlocal.cli.main import main
from amlocal.cli.terminal import Terminal
from amlocal.errors import not_found
from amlocal.plan import (
    AssetInfo,
    InputInfo,
    JobInfo,
    JobStatus,
    OutputInfo,
    StepReuse,
    Tracking,
    WorkspaceInfo,
)
from amlocal.plan.reporter import Reporter

SERVER = "http://127.0.0.1:5123"


class Stream(io.StringIO):
    """A text stream that may be a terminal, and has an encoding."""

    def __init__(self, content: str = "", *, tty: bool = False, encoding: str = "utf-8") -> None:
        super().__init__(content)
        self._tty = tty
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._tty

    def write(self, text: str) -> int:
        text.encode(self._encoding)
        return super().write(text)


class ClosedStream(Stream):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def terminal(
    *, tty: bool = True, encoding: str = "utf-8", width: int = 80, **environ: str
) -> Terminal:
    return Terminal(Stream(tty=tty, encoding=encoding), {"COLUMNS": str(width), **environ})


def written(term: Terminal) -> str:
    assert isinstance(term.stream, Stream)
    return term.stream.getvalue()


def step(name: str, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> JobInfo:
    given = {"parent": "lifecycle_1", "step": name, "duration": 2.0, **fields}
    return JobInfo(name=f"lifecycle_1_{name}", type="command", status=status, **given)


def pipeline(*steps: JobInfo, status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> JobInfo:
    """Return a pipeline job as a workspace would after it ran."""
    defaults: dict[str, Any] = {
        "display_name": "life cycle",
        "experiment_name": "lifecycle",
        "creation_time": "2026-01-02T03:04:05.678Z",
        "duration": 12.34,
        "source": "jobs/lifecycle.yml",
        "inputs": {
            "train_data": InputInfo(type="uri_file", path="/data/adult.parquet", digest="ab" * 32),
            "epochs": InputInfo(type="integer", value=3),
        },
        "outputs": {"model": OutputInfo(type="mlflow_model", path="/outputs/model")},
        "tracking": Tracking(
            uri=SERVER,
            experiment_id="7",
            run_id="r1",
            data={"train_data": {"name": "adult", "digest": "cd" * 32, "schema": "{...}"}},
            code={"folder": "components/train", "git_commit": "ef" * 20, "dirty": True},
            model={"adult": {"version": "3"}},
            absent={"environment": "the steps have their own", "serving": "nothing is deployed"},
        ),
    }
    return JobInfo(
        name="lifecycle_1", type="pipeline", status=status, children=steps, **{**defaults, **fields}
    )


def command(status: JobStatus = JobStatus.COMPLETED, **fields: Any) -> JobInfo:
    return JobInfo(name="hello_1", type="command", status=status, **{"duration": 0.5, **fields})


@dataclass
class FakeJobs:
    """Jobs that are given; every call is kept."""

    jobs: list[JobInfo] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: What happens to the reporter while a job runs.
    script: Callable[[Reporter], None] | None = None
    #: Raised by the next call.
    error: BaseException | None = None

    def _called(self, verb: str, **given: Any) -> None:
        self.calls.append((verb, given))
        if self.error is not None:
            raise self.error

    def create_or_update(
        self, job: Any, *, reporter: Reporter | None = None, **given: Any
    ) -> JobInfo:
        if reporter is not None and self.script is not None:
            self.script(reporter)
        self._called("create_or_update", job=job, follows=reporter is not None, **given)
        return self.jobs[0]

    def validate(self, job: Any, *, overrides: Sequence[str] = ()) -> JobInfo:
        self._called("validate", job=job, overrides=overrides)
        return self.jobs[0]

    def get(self, name: str) -> JobInfo:
        self._called("get", name=name)
        for job in self.jobs:
            if job.name == name:
                return job
        raise not_found("job", name, [job.name for job in self.jobs])

    def list(self, **given: Any) -> Sequence[JobInfo]:
        self._called("list", **given)
        return self.jobs

    def stream(self, name: str, reporter: Reporter) -> JobInfo:
        if self.script is not None:
            self.script(reporter)
        self._called("stream", name=name)
        return self.jobs[0]

    def cancel(self, name: str) -> JobInfo:
        self._called("cancel", name=name)
        return self.jobs[0]

    def download(self, name: str, **given: Any) -> Path:
        self._called("download", name=name, **given)
        return Path(given["download_path"]) / name

    def archive(self, name: str) -> None:
        self._called("archive", name=name)

    def restore(self, name: str) -> None:
        self._called("restore", name=name)


@dataclass
class FakeLocalJobs(FakeJobs):
    """Jobs of this machine, which know why they were reused."""

    def explain_reuse(self, name: str) -> Sequence[StepReuse]:
        self._called("explain_reuse", name=name)
        return [
            StepReuse(step="split", reason="nothing changed", reused_from="lifecycle_0_split"),
            StepReuse(step="train", reason="the code changed", changed=("train.py: 1a -> 2b",)),
        ]


@dataclass
class FakeAssets:
    """Assets that are given; every call is kept."""

    kind: str
    assets: list[AssetInfo] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def create_or_update(self, asset: Any, **given: Any) -> AssetInfo:
        self.calls.append(("create_or_update", {"asset": asset, **given}))
        return self.assets[0]

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        self.calls.append(("get", {"name": name, "version": version, "label": label}))
        return self.assets[0]

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> list[AssetInfo]:
        self.calls.append(("list", {"name": name, "list_view_type": list_view_type}))
        return self.assets

    def archive(self, name: str, version: str | None = None) -> None:
        self.calls.append(("archive", {"name": name, "version": version}))

    def restore(self, name: str, version: str | None = None) -> None:
        self.calls.append(("restore", {"name": name, "version": version}))


@dataclass
class FakeModels(FakeAssets):
    """Models that can be downloaded."""

    def download(self, name: str, version: str, *, download_path: Path) -> Path:
        self.calls.append(("download", {"name": name, "version": version}))
        return download_path / name


@dataclass
class FakeWorkspace:
    """A workspace whose tracking server is down until it is asked up."""

    is_up: bool = False

    def show(self) -> WorkspaceInfo:
        uri = SERVER if self.is_up else ""
        return WorkspaceInfo(path="/project/.amlocal", jobs=2, tracking_uri=uri, bytes=1_500_000)

    def up(self) -> WorkspaceInfo:
        self.is_up = True
        return self.show()

    def down(self) -> WorkspaceInfo:
        self.is_up = False
        return self.show()

    def collect_garbage(self, *, dry_run: bool = False) -> int:
        return 2_000 if dry_run else 3_000


@dataclass
class FakeRequest:
    method: str
    path: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def version(kind: str, **fields: Any) -> AssetInfo:
    given = {"name": "adult", "version": "3", "type": "custom", "path": "/assets/adult", **fields}
    return AssetInfo(kind=kind, **given)


class FakeAzureClient:
    """A client elsewhere: it has no workspace on this machine."""

    def __init__(self) -> None:
        self.jobs = FakeJobs([pipeline(step("train"))])
        self.components = FakeAssets("component", [version("component")])
        self.environments = FakeAssets("environment", [version("environment")])
        self.data = FakeAssets("data", [version("data")])
        self.models = FakeAssets("model", [version("model")])
        self.online_endpoints = FakeOnlineEndpoints()
        self.online_deployments = FakeOnlineDeployments()
        self.batch_endpoints = FakeBatchEndpoints()
        self.batch_deployments = FakeBatchDeployments()
        self.requests: Sequence[FakeRequest] = [FakeRequest("PUT", "/jobs/x", {"a": 1})]


class FakeLocalClient:
    """A client of this machine."""

    def __init__(self) -> None:
        self.jobs = FakeLocalJobs([pipeline(step("train"))])
        self.components = FakeAssets("component", [version("component")])
        self.environments = FakeAssets("environment", [version("environment")])
        self.data = FakeAssets("data", [version("data")])
        self.models = FakeModels("model", [version("model", aliases=("champion",))])
        self.online_endpoints = FakeOnlineEndpoints()
        self.online_deployments = FakeOnlineDeployments()
        self.batch_endpoints = FakeBatchEndpoints()
        self.batch_deployments = FakeBatchDeployments()
        self.workspace = FakeWorkspace()


@dataclass
class Outcome:
    """What one command line did."""

    code: int
    out: str
    err: str
    pages: list[str]
    connected: list[dict[str, Any]]


def aml(
    *argv: str,
    client: Any = None,
    tty: bool = False,
    stdin: str | None = None,
    stdout: Stream | None = None,
    environ: dict[str, str] | None = None,
) -> Outcome:
    """Run one command line over a fake client; `stdin` is what a person at a terminal types."""
    out, err = stdout or Stream(tty=tty), Stream(tty=tty)
    pages: list[str] = []
    connected: list[dict[str, Any]] = []
    chosen = FakeLocalClient() if client is None else client

    def connect(target: str, **given: Any) -> Any:
        connected.append({"target": target, **given})
        return chosen

    code = main(
        argv,
        connect=connect,
        stdin=Stream(stdin or "", tty=stdin is not None),
        stdout=out,
        stderr=err,
        environ={"NO_COLOR": "1", "COLUMNS": "80", **(environ or {})},
        open_page=pages.append,
    )
    return Outcome(code, out.getvalue(), err.getvalue(), pages, connected)
