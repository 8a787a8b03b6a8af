"""Ordinary objects that stand in for the SDK's client and for a reporter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from amlocal.azure.history import RunDetails
from amlocal.azure.sdk import quiet
from amlocal.plan import JobInfo


def sdk_job(name: str = "j1", status: str | None = "Completed", **fields: Any) -> SimpleNamespace:
    """What the SDK gives for a job, in the attributes that are read."""
    given: dict[str, Any] = {
        "name": name,
        "type": "command",
        "status": status,
        "display_name": None,
        "experiment_name": "exp",
    }
    return SimpleNamespace(**{**given, **fields})


class FakePoller:
    def __init__(self) -> None:
        self.waited = False

    def wait(self) -> None:
        self.waited = True


class FakeJobs:
    """`MLClient.jobs` over a script: each `get` of a job gives its next state."""

    def __init__(self, states: dict[str, list[Any]] | None = None) -> None:
        self.states = states or {}
        self.children: dict[str, list[list[Any]]] = {}
        self.created: list[Any] = []
        self.calls: list[tuple[Any, ...]] = []
        self.poller = FakePoller()
        self.listed: list[Any] = []
        self.error: Exception | None = None
        self.validation = SimpleNamespace(passed=True, error_messages={})

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    def create_or_update(self, job: Any) -> Any:
        self._fail()
        print("Uploading\x1b[39m")  # as the SDK does
        self.created.append(job)
        return sdk_job(job.name or "made_up", None, experiment_name=job.experiment_name)

    def validate(self, job: Any) -> Any:
        self._fail()
        self.created.append(job)
        return self.validation

    def get(self, name: str) -> Any:
        self._fail()
        states = self.states[name]
        return states.pop(0) if len(states) > 1 else states[0]

    def list(self, *, parent_job_name: str | None = None, list_view_type: str = "") -> Any:
        self._fail()
        self.calls.append(("list", parent_job_name, list_view_type))
        if parent_job_name is None:
            return iter(self.listed)
        looks = self.children.get(parent_job_name, [[]])
        return iter(looks.pop(0) if len(looks) > 1 else looks[0])

    def begin_cancel(self, name: str) -> FakePoller:
        self._fail()
        self.calls.append(("begin_cancel", name))
        return self.poller

    def download(self, name: str, **options: Any) -> None:
        self._fail()
        self.calls.append(("download", name, options))

    def archive(self, name: str) -> None:
        self._fail()
        self.calls.append(("archive", name))

    def restore(self, name: str) -> None:
        self._fail()
        self.calls.append(("restore", name))


class FakeAssets:
    """`MLClient.data` and its like, over assets that are kept."""

    def __init__(self, assets: Iterable[Any] = ()) -> None:
        self.assets = list(assets)
        self.calls: list[tuple[Any, ...]] = []

    def create_or_update(self, asset: Any) -> Any:
        asset.version = asset.version or "1"
        self.assets.append(asset)
        return asset

    def get(self, name: str, version: str | None = None, label: str | None = None) -> Any:
        self.calls.append(("get", name, version, label))
        return next(asset for asset in self.assets if asset.name == name)

    def list(self, name: str | None = None, *, list_view_type: str = "") -> Any:
        self.calls.append(("list", name, list_view_type))
        return iter(self.assets)

    def archive(self, name: str, version: str | None = None) -> None:
        self.calls.append(("archive", name, version))

    def restore(self, name: str, version: str | None = None) -> None:
        self.calls.append(("restore", name, version))


class FakeMLClient:
    def __init__(self, jobs: FakeJobs | None = None) -> None:
        self.jobs = jobs or FakeJobs()
        self.components = FakeAssets()
        self.environments = FakeAssets()
        self.data = FakeAssets()
        self.models = FakeAssets()
        # Endpoints and schedules are tested at the wire.
        for nouns in ("online_endpoints", "online_deployments", "batch_endpoints", "schedules"):
            setattr(self, nouns, SimpleNamespace())
        self.batch_deployments = SimpleNamespace()


class FakeHistory:
    """Run history over texts: each look at a log may see more of it than the one before."""

    def __init__(self, logs: dict[str, list[bytes]] | None = None, error: str = "") -> None:
        self._logs = logs or {}
        self._error = error
        self.looked_at: list[str] = []

    def details(self, run: str) -> RunDetails:
        self.looked_at.append(run)
        has_log = run in self._logs
        return RunDetails(error=self._error, logs={"user_logs/std_log.txt": run} if has_log else {})

    def read(self, address: str, offset: int) -> bytes:
        looks = self._logs[address]
        return (looks.pop(0) if len(looks) > 1 else looks[0])[offset:]


class FakeReporter:
    """Keeps what it is told, as short tuples."""

    def __init__(self, interrupt_on: str = "") -> None:
        self.told: list[tuple[str, ...]] = []
        self._interrupt_on = interrupt_on

    def _tell(self, *what: str) -> None:
        self.told.append(what)
        if what[0] == self._interrupt_on:
            raise KeyboardInterrupt

    def job_started(self, job: JobInfo) -> None:
        self._tell("started", job.name)

    def step_changed(self, step: JobInfo) -> None:
        self._tell("step", step.step or step.name, step.status.value)

    def log(self, step: JobInfo, text: str) -> None:
        self._tell("log", step.step or step.name, text)

    def note(self, message: str) -> None:
        self._tell("note", message)

    def job_finished(self, job: JobInfo) -> None:
        self._tell("finished", job.status.value)


class FakeObserved:
    """A job in a sequence of states, with the logs of its runs."""

    def __init__(self, jobs: Sequence[JobInfo], history: FakeHistory) -> None:
        self._jobs = list(jobs)
        self._history = history

    def job(self) -> JobInfo:
        return self._jobs.pop(0) if len(self._jobs) > 1 else self._jobs[0]

    def logs(self, run: str) -> dict[str, Callable[[int], bytes]]:
        addresses = self._history.details(run).logs
        return {
            file: lambda offset, address=address: self._history.read(address, offset)
            for file, address in addresses.items()
        }


def as_the_sdk_sends(job: Any) -> Any:
    """Return the request body that azure-ai-ml itself makes of a job that was submitted."""
    from azure.ai.ml._restclient.arm_ml_service._utils.model_base import SdkJSONEncoder
    from azure.ai.ml.entities._job.to_rest_functions import to_rest_job_object

    with quiet():  # the SDK left the ids of what it created in its object
        theirs = to_rest_job_object(job)
    return json.loads(json.dumps(theirs, cls=SdkJSONEncoder, exclude_readonly=True))
