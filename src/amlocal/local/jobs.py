"""The jobs of a local workspace, by `MLClient.jobs`' verbs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from amlocal.errors import TargetError, UsageError
from amlocal.files import write_whole
from amlocal.local import joblock
from amlocal.local.automl.packages import require_packages
from amlocal.local.compiler import Compiler, RegisteredAssets
from amlocal.local.download import download
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.serving import with_serving
from amlocal.local.failures import disk_errors
from amlocal.local.follow import Follower
from amlocal.local.inputs import check_assets
from amlocal.local.names import job_name
from amlocal.local.notes import Notes
from amlocal.local.process import JOB_VARIABLE, WORKER, end_jobs
from amlocal.local.recovery import never_began, recover
from amlocal.local.services import Services
from amlocal.local.submission import new_record, settings
from amlocal.plan import Job, JobInfo, MonitorInfo, StepReuse
from amlocal.plan.reporter import Reporter, TextReporter
from amlocal.plan.source import JobFields, given_fields

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from amlocal.local.engine import Engine, EngineOptions

ENVIRONMENT_MODES = ("auto", "current", "isolated", "docker")
#: Seconds that a job has to end after it was asked to.
_CANCEL_SECONDS = 60.0
#: Seconds that a look at a job waits for its runs to be written: some 50 runs a second.
_WRITING_SECONDS = 5.0
#: Seconds in which the engine of a job begins, also on a busy machine.
_BEGINNING = 30.0
_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}"


class Submitted(msgspec.Struct, frozen=True):
    """What a job's folder holds for the process that runs it."""

    job: Job
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class LocalJobs:
    """Jobs that run on this machine.

    Attributes:
        services: The workspace.
        compiler: Turns files into plans.
        assets: Registered components that files may refer to.
        notes: What the engine notes, for somebody who watches.
        endpoints: The records of deployments, which serve what jobs made.
    """

    services: Services
    compiler: Compiler
    assets: RegisteredAssets
    notes: Notes
    endpoints: EndpointRecords

    def create_or_update(
        self,
        job: Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        reporter: Reporter | None = None,
        max_parallel: int | None = None,
        environment: str = "auto",
        **fields: Unpack[JobFields],
    ) -> JobInfo:
        """Submit a job; see `amlocal.client.JobOperations`."""
        options = _options(max_parallel, environment)
        self.services.workspace.create()
        plan = self._compile(job, [*overrides, *settings(given_fields(fields))])
        self.check(plan)
        info = new_record(plan, _checked_name(name or plan.name) or self._free_name())
        with disk_errors(self.services.workspace):
            self.services.workspace.keep_reserve()
            recover(self.services.records, self.services.workspace)
            lock = joblock.take(self.services.workspace.job(info.name))
        if lock is None:
            raise UsageError(f"a job named {info.name!r} runs", hint="give another --name")
        try:
            self.services.records.add(info)
            if reporter is None:
                with disk_errors(self.services.workspace):
                    self._keep(plan, info, options)
                    self._start(info, lock)
                return self.services.records.get(info.name)
            return self._run_here(plan, info, options, reporter)
        finally:
            os.close(lock)

    def _compile(self, job: Any, overrides: Sequence[str]) -> Job:
        if isinstance(job, Job):
            return job
        workspace = self.services.workspace
        cache = workspace.cache / "plans" if workspace.path.exists() else None
        return self.compiler.compile_job(job, overrides=overrides, cache=cache, assets=self.assets)

    def _free_name(self) -> str:
        while self.services.records.has(name := job_name()):
            continue
        return name

    def check(self, job: Job) -> None:
        """Check that a job's packages and assets are there; raises what tells that they are not."""
        require_packages(job)
        check_assets(job, self.services.locations)

    def plan(self, name: str) -> Job:
        """Return what a job of the workspace was made of.

        Raises:
            NotFoundError: There is no such job.
            UsageError: It is a step, or ran in the command that submitted it: nothing is kept of
                that, since variables and addresses of a job may be secret.
        """
        self.services.records.get(name)
        file = self._plan_file(name)
        if not file.is_file():
            hint = "name a job that was submitted without --stream, or give the job's file"
            raise UsageError(f"nothing is kept of what {name!r} was made of", hint=hint)
        return msgspec.json.decode(file.read_bytes(), type=Submitted).job

    def began(self, name: str) -> bool | None:
        """Return whether a job has begun or will; None where there is no such job."""
        records, workspace = self.services.records, self.services.workspace
        if not records.has(name):
            return None
        deadline = time.monotonic() + _BEGINNING
        while joblock.is_held(workspace.job(name)):
            # By its engine, or by somebody who gives a lost one its end right now.
            info = records.get(name)
            if info.start_time:
                return not never_began(info)
            if time.monotonic() > deadline:
                return True
            time.sleep(0.05)
        recover(records, workspace)
        return not never_began(records.get(name))

    def monitored(self, name: str) -> MonitorInfo | None:
        """Return what a monitor's run has found; None where it has not ended, or is none."""
        if not self.services.records.has(name):
            return None
        found = (info.monitor for info in self.services.records.get(name).tree())
        return next((each for each in found if each is not None), None)

    def _plan_file(self, name: str) -> Path:
        return self.services.workspace.job(name) / "plan.json"

    def _keep(self, plan: Job, info: JobInfo, options: EngineOptions) -> None:
        """Keep what the job is made of, for the process that runs it and for schedules."""
        submitted = Submitted(
            plan, {"max_parallel": options.max_parallel, "environment": options.environment}
        )
        # For the owner's eyes only: environment variables of the job may be secret.
        write_whole(self._plan_file(info.name), msgspec.json.encode(submitted), mode=0o600)

    def _start(self, info: JobInfo, lock: int) -> None:
        """Start a process of its own for the job; it goes on when this one has ended."""
        folder = self.services.workspace.job(info.name)
        environ = {k: v for k, v in self.services.environ.items() if k != JOB_VARIABLE}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        with (folder / "engine.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", WORKER, str(self.services.workspace.path), info.name],
                env=environ,
                cwd=self.services.workspace.project,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(lock,),
            )
        # Takes note of its end, where this process lives to see it.
        threading.Thread(target=process.wait, daemon=True).start()

    def _run_here(
        self, plan: Job, info: JobInfo, options: EngineOptions, reporter: Reporter
    ) -> JobInfo:
        """Run the job in a thread of this process and follow it; an interrupt cancels it."""
        from amlocal.local.engine import Engine  # 40 ms that looking at jobs does not pay

        engine = Engine(self.services, plan, info, options)
        failures: list[BaseException] = []
        # Not `Thread.join`: interrupted, it takes the thread for ended in Python 3.11.
        over = threading.Event()

        def work() -> None:
            try:
                run_engine(engine, self.services)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                failures.append(error)
            finally:
                over.set()

        threading.Thread(target=work, name="engine").start()
        follower = Follower(self.services.records, info.name, reporter, self.notes)
        try:
            job = follower.follow(over.wait)
        except BaseException:
            engine.cancel()
            follower.finish(over.wait)
            raise
        if failures:
            raise failures[0]
        return job

    def validate(self, job: Any, *, overrides: Sequence[str] = ()) -> JobInfo:
        """Check a job without submitting it; see `amlocal.client.JobOperations`."""
        plan = self._compile(job, overrides)
        return new_record(plan, plan.name or "validated")

    def get(self, name: str) -> JobInfo:
        """Return a job or a step with its children."""
        recover(self.services.records, self.services.workspace)
        self._wait_for_runs(name)
        return with_serving(self.services.records.get(name), self.endpoints)

    def _wait_for_runs(self, name: str) -> None:
        """Wait until the runs of a job that is over are in MLflow, if its server is up."""
        root = self.services.records.root_of(name)
        server = self.services.server
        deadline = time.monotonic() + _WRITING_SECONDS
        while server.expects_runs(root) and time.monotonic() < deadline:
            status = self.services.records.status(root)
            if status is None or not status.is_terminal or not server.is_alive():
                return
            server.wake()
            time.sleep(0.02)

    def list(
        self,
        *,
        parent_job_name: str | None = None,
        max_results: int | None = None,
        list_view_type: str = "ActiveOnly",
    ) -> Sequence[JobInfo]:
        """Return jobs, the newest first, or the steps of one in order."""
        recover(self.services.records, self.services.workspace)
        if parent_job_name is not None:
            self.services.records.get(parent_job_name)
        return self.services.records.list(
            parent=parent_job_name, limit=max_results, view=list_view_type
        )

    def stream(self, name: str, reporter: Reporter | None = None) -> JobInfo:
        """Follow a job until it ends; see `amlocal.client.JobOperations`."""
        watcher = reporter or TextReporter(sys.stdout)
        self.get(name)
        root = self.services.records.root_of(name)
        folder = self.services.workspace.job(root)

        def wait(seconds: float) -> bool:
            if not joblock.is_held(folder):
                recover(self.services.records, self.services.workspace)
                return True
            time.sleep(seconds)
            return False

        return Follower(self.services.records, root, watcher, Notes()).follow(wait)

    def cancel(self, name: str) -> JobInfo:
        """End a job with all its processes, and wait until it has ended."""
        info = self.get(name)
        if info.status.is_terminal:
            return info
        if _is_automl_trial(info):
            raise UsageError(
                f"{name} is a trial of an AutoML job, which is canceled as a whole",
                hint=f"to end it: aml job cancel -n {info.parent}",
            )
        folder = self.services.workspace.job(self.services.records.root_of(name))
        self.services.records.request_cancel(name)
        deadline = time.monotonic() + _CANCEL_SECONDS
        while time.monotonic() < deadline:
            info = self.get(name)
            if info.status.is_terminal and (info.parent or not joblock.is_held(folder)):
                return info
            time.sleep(0.05)
        if info.parent is None:
            end_jobs(self.services.workspace.path, frozenset({name}))
        raise TargetError(
            f"the job {name} did not end within {_CANCEL_SECONDS:g} s",
            hint=f"see: aml job show -n {name}",
        )

    def download(
        self,
        name: str,
        *,
        download_path: Path = Path(),
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - MLClient's own name
    ) -> Path:
        """Copy a job's outputs and logs into a folder."""
        return download(
            self.get(name),
            download_path,
            workspace=self.services.workspace,
            output_name=output_name,
            everything=all,
        )

    def archive(self, name: str) -> None:
        """Hide a job from lists."""
        self.services.records.set_archived(name, archived=True)

    def restore(self, name: str) -> None:
        """Show an archived job in lists again."""
        self.services.records.set_archived(name, archived=False)

    def explain_reuse(self, name: str) -> Sequence[StepReuse]:
        """Return for each step why it was reused, or which facts had changed."""
        info = self.get(name)
        told = [StepReuse.from_json(reason) for reason in self.services.records.reasons(name)]
        known = {reuse.step for reuse in told}
        silent = [c for c in info.children if c.label not in known and not _is_automl_trial(c)]
        return [*told, *(StepReuse(step=c.label, reason=_silence(c)) for c in silent)]


def _is_automl_trial(info: JobInfo) -> bool:
    """Return whether a job is no step of its own, but what a search tells of."""
    return info.type == "automl" and info.trial is not None


def _silence(step: JobInfo) -> str:
    return step.error or f"it is {step.status.value}"


def _options(max_parallel: int | None, environment: str) -> EngineOptions:
    from amlocal.local.engine import EngineOptions  # as above

    if environment not in ENVIRONMENT_MODES:
        raise UsageError(
            f"no environment mode {environment!r}", hint=f"known: {', '.join(ENVIRONMENT_MODES)}"
        )
    if max_parallel is None:
        return EngineOptions(environment=environment)
    if max_parallel < 1:
        raise UsageError("max_parallel is less than 1", hint="give how many steps run side by side")
    return EngineOptions(max_parallel=max_parallel, environment=environment)


def _checked_name(name: str | None) -> str | None:
    if name and not re.fullmatch(_NAME, name):
        raise UsageError(
            f"{name!r} cannot be a job's name",
            hint="letters, digits, - and _ make a name, at most 255 of them",
        )
    return name


def run_engine(engine: Engine, services: Services) -> JobInfo:
    """Run a job to its end."""
    with services.server.hold(), services.artifacts.in_use():
        job = engine.run()
    services.server.wake()
    return job
