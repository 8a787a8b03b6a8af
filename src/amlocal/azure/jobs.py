"""Jobs of an Azure ML workspace."""

from __future__ import annotations

import builtins
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from amlocal.azure.follow import POLL_SECONDS, follow
from amlocal.azure.history import RunDetails, RunHistory
from amlocal.azure.info import job_info
from amlocal.azure.sdk import load
from amlocal.azure.source import file_of
from amlocal.errors import Problem, SpecError, UsageError
from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.reporter import Reporter, TextReporter
from amlocal.plan.source import JobFields, Source, given_fields

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: Checks a job before it is sent; raises SpecError with every problem.
Check = Callable[[Source, Sequence[str]], object]


class Calls(Protocol):
    """Surrounds calls of the SDK: maps their errors, keeps them quiet."""

    def __call__(self, doing: str, *, file: str = "") -> AbstractContextManager[None]:
        """Return the context for doing something, with the file it is done for."""


class AzureJobOperations:
    """Jobs of an Azure ML workspace, by the names of `amlocal.client.JobOperations`."""

    def __init__(
        self,
        ml_client: Any,
        history: RunHistory,
        calls: Calls,
        *,
        check: Check | None = None,
        sends: bool = True,
        wait: Callable[[], None] = lambda: time.sleep(POLL_SECONDS),
    ) -> None:
        """Keep what the operations work with.

        Args:
            ml_client: An `MLClient`, or what behaves like one.
            history: Where details and logs of runs come from.
            calls: Surrounds each call of the SDK.
            check: Checks a job before it is sent.
            sends: Whether a job that was created really runs, and so can be followed.
            wait: Lets time pass between two looks at a job.
        """
        self._jobs = ml_client.jobs
        self._history = history
        self._calls = calls
        self._check = check
        self._sends = sends
        self._wait = wait

    def create_or_update(
        self,
        job: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        reporter: Reporter | None = None,
        max_parallel: int | None = None,
        environment: str = "auto",
        **fields: Unpack[JobFields],
    ) -> JobInfo:
        """Submit a job; with a reporter, follow it, and cancel it on KeyboardInterrupt.

        Raises:
            SpecError: The file is wrong.
            UsageError: An argument has no meaning in Azure, or a job of this name exists.
            TargetError: Azure did not do its part.
        """
        if max_parallel is not None or environment != "auto":
            raise UsageError(
                "max_parallel and environment are for the local target",
                hint="Azure runs as many steps as the compute has nodes, in the environments "
                "that the file names; leave these arguments away",
            )
        if self._check is not None:
            self._check(job, overrides)
        file = file_of(job)
        given = {"name": name, **given_fields(fields)}
        with self._calls("submit the job", file=file):
            loaded = load("job", job, overrides, given)
            submitted = job_info(self._jobs.create_or_update(loaded), source=file)
        if reporter is None or not self._sends:
            return submitted
        try:
            return self.stream(submitted.name, reporter)
        except KeyboardInterrupt:
            with self._calls(f"cancel job {submitted.name!r}"):
                self._jobs.begin_cancel(submitted.name)
            raise

    def validate(self, job: Source, *, overrides: Sequence[str] = ()) -> JobInfo:
        """Check a job without submitting it; raises SpecError with every problem."""
        if self._check is not None:
            self._check(job, overrides)
        file = file_of(job)
        with self._calls("check the job", file=file):
            loaded = load("job", job, overrides, {})
            found = self._jobs.validate(loaded)
            messages = {} if found.passed else dict(found.error_messages)
            info = job_info(loaded, source=file)
        if messages:
            raise SpecError(
                [Problem(f"{field}: {message}", file=file) for field, message in messages.items()]
            )
        return info

    def get(self, name: str) -> JobInfo:
        """Return a job or a step with its children; raises NotFoundError."""
        with self._calls(f"get job {name!r}"):
            return self._get(name)

    def list(
        self,
        *,
        parent_job_name: str | None = None,
        max_results: int | None = None,
        list_view_type: str = "ActiveOnly",
    ) -> Sequence[JobInfo]:
        """Return jobs, the newest first; `list_view_type` is ActiveOnly, ArchivedOnly, or All."""
        with self._calls("list jobs"):
            found = self._jobs.list(parent_job_name=parent_job_name, list_view_type=list_view_type)
            # None stands for a job of a kind that this SDK does not know.
            known = (job for job in found if job is not None)
            return [job_info(job) for job in itertools.islice(known, max_results)]

    def stream(self, name: str, reporter: Reporter | None = None) -> JobInfo:
        """Follow a job until it ends; leaving it does not end the job."""
        return follow(_Observed(self, name), reporter or TextReporter(sys.stdout), self._wait)

    def cancel(self, name: str) -> JobInfo:
        """End a job, and wait until it has ended."""
        with self._calls(f"cancel job {name!r}"):
            self._jobs.begin_cancel(name).wait()
        while not (job := self.get(name)).status.is_terminal:
            self._wait()
        return job

    def download(
        self,
        name: str,
        *,
        download_path: Path = Path(),
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - MLClient's own name
    ) -> Path:
        """Copy a finished job's outputs and logs into a folder.

        `artifacts/` holds its artifacts, `named-outputs/NAME/` each of its outputs.
        """
        with self._calls(f"download job {name!r}"):
            self._jobs.download(name, download_path=download_path, output_name=output_name, all=all)
        return download_path

    def archive(self, name: str) -> None:
        """Hide a job from lists."""
        with self._calls(f"archive job {name!r}"):
            self._jobs.archive(name)

    def restore(self, name: str) -> None:
        """Show an archived job in lists again."""
        with self._calls(f"restore job {name!r}"):
            self._jobs.restore(name)

    def logs(self, run: str) -> dict[str, Callable[[int], bytes]]:
        """Return for each log file of a run what reads it from an offset in bytes on."""
        with self._calls(f"find the logs of {run!r}"):
            addresses = self._history.details(run).logs

        def reader(address: str) -> Callable[[int], bytes]:
            def read(offset: int) -> bytes:
                with self._calls(f"read the log of {run!r}"):
                    return self._history.read(address, offset)

            return read

        return {file: reader(address) for file, address in addresses.items()}

    def _get(self, name: str) -> JobInfo:
        job = self._jobs.get(name)
        runs = self._runs(job)
        details = {run.name: self._history.details(run.name) for run in runs if _began(run)}
        return job_info(
            job,
            details=self._history.details(name) if _began(job) else RunDetails(),
            runs=runs,
            run_details=details,
        )

    def _runs(self, job: Any) -> builtins.list[Any]:
        """Return a job's child runs (steps or trials), in the order in which they began."""
        if job.type not in {"pipeline", "sweep", "automl"}:
            return []
        return [run for run in self._jobs.list(parent_job_name=job.name) if run is not None]


class _Observed:
    """One job of the workspace, as `follow` looks at it."""

    def __init__(self, jobs: AzureJobOperations, name: str) -> None:
        self._jobs = jobs
        self._name = name

    def job(self) -> JobInfo:
        return self._jobs.get(self._name)

    def logs(self, run: str) -> dict[str, Callable[[int], bytes]]:
        return self._jobs.logs(run)


def _began(job: Any) -> bool:
    """Whether run history has something to tell of a job."""
    return bool(job.status) and job.status != JobStatus.NOT_STARTED.value
