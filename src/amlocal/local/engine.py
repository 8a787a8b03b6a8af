"""The engine: runs a job's steps, each as soon as what it needs is there.

    select    the steps whose needs are met wait in a queue for one of `max_parallel` threads
    run       a thread takes one step from its inputs to its recorded result (`step.StepRun`);
              a sweep's only looks after its trials (`sweep.run.SweepRun`), which share the room
              for commands with the steps (`slots`); an AutoML step's follows a search, which is
              one process (`automl.run.AutoMLRun`), a parallel one's a process that has workers
              (`parallel.run.ParallelRun`), a monitor's one process that compares
              (`monitors.run.MonitorRun`)
    conclude  a finished step makes others ready; a failed one holds back those that need it,
              and with `continue_on_step_failure: false` ends the ones that run

Meanwhile the engine looks at requests to cancel and at timeouts. Whoever runs it holds the job's
lock (`joblock`), by which others know whether a job that is not over still has an engine.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from amlocal.errors import AmlocalError
from amlocal.local.automl.run import AutoMLRun
from amlocal.local.failures import code_of, text_of
from amlocal.local.graph import downstream, needs
from amlocal.local.inputs import read_job_inputs
from amlocal.local.monitors.run import MonitorRun
from amlocal.local.parallel.run import ParallelRun
from amlocal.local.process import end_jobs
from amlocal.local.runs import RunTracking
from amlocal.local.services import Services
from amlocal.local.slots import Slots
from amlocal.local.snapshot import Snapshots
from amlocal.local.state import JobState
from amlocal.local.step import StepOptions, StepRun
from amlocal.local.sweep.run import SweepRun
from amlocal.plan import Job, JobInfo, JobStatus, OutputInfo, Step

#: Seconds between two looks at requests to cancel and at timeouts.
_LOOK = 0.2


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine runs a job.

    Attributes:
        max_parallel: Steps and trials side by side.
        environment: `auto`, `current`, `isolated`, or `docker`.
    """

    max_parallel: int = field(default_factory=lambda: available_cores())
    environment: str = "auto"


def available_cores() -> int:
    """Return the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1  # not Linux


class Engine:
    """Runs one job.

    Args:
        services: The workspace.
        job: The compiled job.
        info: Its record, as it was added.
        options: How it runs.
    """

    def __init__(self, services: Services, job: Job, info: JobInfo, options: EngineOptions) -> None:
        self._services = services
        self._job = job
        self._options = options
        self._state = JobState(services.records, info)
        self._tracking: RunTracking | None = None
        self._cancelled = threading.Event()
        self._finished: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._running: dict[str, StepRun] = {}
        self._deadlines: dict[str, float] = {}
        self._looked = time.monotonic()
        self._slots = Slots(options.max_parallel)
        self._is_pipeline = job.type == "pipeline"
        names = [child.name for child in info.children] if self._is_pipeline else [info.name]
        self._names = dict(zip([step.name for step in job.steps], names, strict=True))

    def cancel(self) -> None:
        """End the job with all its processes; may be called from any thread and from a signal."""
        self._cancelled.set()

    def run(self) -> JobInfo:
        """Run the job to its end.

        Returns:
            The job in a terminal state, with its children.
        """
        try:
            self._run()
        except (AmlocalError, OSError) as error:
            self._give_up(text_of(error, self._services.workspace), code_of(error))
        except BaseException as error:
            self._give_up(f"the engine failed: {type(error).__name__}: {error}", "SystemError")
            raise
        return self._services.records.get(self._state.root)

    def _give_up(self, error: str, code: str) -> None:
        end_jobs(self._services.workspace.path, frozenset({self._state.root}))
        root = self._state[self._state.root]
        begun = [info for info in self._state.everything_below() if info.start_time]
        for info in (*begun, root):
            if info.status.is_terminal:
                continue
            status = JobStatus.FAILED if info is root else JobStatus.CANCELED
            self._state.change(info.name, status=status, error=error, error_code=code)
            if self._tracking is not None and (info is not root or not self._is_pipeline):
                self._tracking.end(info.name)
        if self._tracking is not None:
            self._tracking.close()

    def _run(self) -> None:
        root = self._state.root
        self._state.change(root, status=JobStatus.PREPARING)
        snapshots = Snapshots(self._services.artifacts, self._services.digests)
        # As in Azure: the code is that of the moment when the job was submitted.
        code = {
            step.name: snapshots.take(step.component.code, step.component.additional_includes)
            for step in self._job.steps
        }
        if self._is_pipeline:
            inputs = read_job_inputs(
                self._job,
                self._state[root].inputs,
                locations=self._services.locations,
                digests=self._services.digests,
            )
            self._state.change(root, inputs=inputs)
        tracking = RunTracking(self._services, self._job, self._state)
        self._tracking = tracking
        if self._is_pipeline:
            self._state.change(root, status=JobStatus.RUNNING)
        failed = self._run_steps(tracking, code)
        if self._has_run():
            # What a step left running outside its session goes with the job.
            end_jobs(self._services.workspace.path, frozenset({root}))
        unwritten = tracking.settle()
        self._conclude(failed, unwritten)
        tracking.close()
        self._tracking = None

    def _has_run(self) -> bool:
        infos = self._state.steps() if self._is_pipeline else [self._state[self._state.root]]
        return any(info.start_time and not info.reused_from for info in infos)

    def _run_steps(self, tracking: RunTracking, code: Mapping[str, dict[str, str]]) -> list[str]:
        """Run every step that can; returns the names of those that did not complete."""
        steps = {step.name: step for step in self._job.steps}
        graph: TopologicalSorter[str] = TopologicalSorter(needs(self._job))
        graph.prepare()
        failed: list[str] = []
        futures: dict[str, Future[None]] = {}
        # A sweep's own thread runs no command, and so takes no room.
        threads = self._options.max_parallel + sum(
            step.sweep is not None for step in steps.values()
        )
        with ThreadPoolExecutor(threads, "step") as pool:
            try:
                while True:
                    for name in () if self._is_stopping(failed) else graph.get_ready():
                        run = self._step_run(steps[name], tracking, code[name])
                        self._running[name] = run
                        futures[name] = pool.submit(self._work, name, run)
                    if not self._running:
                        return failed
                    done = self._wait()
                    if done is None:
                        continue
                    futures.pop(done).result()
                    del self._running[done]
                    self._deadlines.pop(done, None)
                    if self._state[self._names[done]].status is JobStatus.COMPLETED:
                        graph.done(done)
                    else:
                        failed.append(done)
                        self._hold_back(done, failed)
            except BaseException:
                self._end_running()  # else the pool would wait for the steps' own end
                raise

    def _is_stopping(self, failed: list[str]) -> bool:
        return self._cancelled.is_set() or bool(
            failed and not self._job.settings.continue_on_step_failure
        )

    def _step_run(self, step: Step, tracking: RunTracking, code: dict[str, str]) -> StepRun:
        facts: dict[str, Any] = {
            "name": self._names[step.name],
            "step": step,
            "job": self._job,
            "services": self._services,
            "state": self._state,
            "tracking": tracking,
            "options": StepOptions(self._options.environment, self._threads),
            "code": code,
            "job_names": self._names,
        }
        if step.automl is not None:
            return AutoMLRun(**facts)
        if step.component.parallel is not None:
            return ParallelRun(**facts)
        if step.monitor is not None:
            return MonitorRun(**facts)
        return StepRun(**facts) if step.sweep is None else SweepRun(**facts, slots=self._slots)

    def _threads(self) -> int:
        """Return the cores for each command, when those that run now share them."""
        commands = sum(run.width for run in list(self._running.values()))
        side_by_side = min(self._options.max_parallel, max(1, commands))
        return max(1, available_cores() // side_by_side)

    def _work(self, name: str, run: StepRun) -> None:
        takes_room = run.step.sweep is None
        has_room = takes_room and self._slots.take(run.cancelled)
        try:
            if self._cancelled.is_set():
                run.cancel()
            if run.step.timeout:
                self._deadlines[name] = time.monotonic() + run.step.timeout
            run.run()
        finally:
            if has_room:
                self._slots.give_back()
            self._finished.put(name)

    def _wait(self) -> str | None:
        """Wait for a step to finish; None where none has until it is time to look around."""
        if time.monotonic() - self._looked > _LOOK:
            self._look_around()
        try:
            return self._finished.get(timeout=_LOOK)
        except queue.Empty:
            return None

    def _look_around(self) -> None:
        self._looked = time.monotonic()
        requested = self._services.records.cancel_requests(self._state.root)
        if self._state.root in requested:
            self._cancelled.set()
        for info in self._state.steps():
            if info.name in requested and info.status is JobStatus.NOT_STARTED:
                self._state.change(info.name, status=JobStatus.CANCELED, error="it was canceled")
        for name, run in list(self._running.items()):
            is_asked = self._cancelled.is_set() or self._names[name] in requested
            if is_asked and not run.cancelled.is_set():
                self._state.change(self._names[name], status=JobStatus.CANCEL_REQUESTED)
                run.cancel()
            elif time.monotonic() > self._deadlines.get(name, float("inf")):
                self._deadlines.pop(name)
                run.time_out()

    def _hold_back(self, name: str, failed: list[str]) -> None:
        """Say of the steps behind a failed one why they do not run."""
        why = f"not run: it needs the step {name!r}, which did not complete"
        for other in downstream(self._job, name):
            info = self._state[self._names[other]]
            if not info.error and not info.start_time:
                self._state.change(info.name, error=why)
        if self._is_stopping(failed):
            self._end_running()

    def _end_running(self) -> None:
        for run in self._running.values():
            run.cancel()

    def _conclude(self, failed: list[str], unwritten: list[str]) -> None:
        root = self._state.root
        warnings = (
            *self._state[root].warnings,
            *(f"not tracked in MLflow: {what}" for what in unwritten),
        )
        if warnings != self._state[root].warnings:
            self._state.change(root, warnings=warnings)
        if self._state[root].status.is_terminal:
            return  # a command job, whose own step has said how it ended
        if self._cancelled.is_set():
            ending = {"status": JobStatus.CANCELED, "error": "it was canceled"}
        elif failed:
            ending = self._failure(failed)
        else:
            ending = {"status": JobStatus.COMPLETED}
        self._state.change(root, outputs=self._outputs(), **ending)

    def _failure(self, failed: list[str]) -> dict[str, Any]:
        first, *_ = infos = [self._state[self._names[name]] for name in failed]
        codes = {info.error_code for info in infos}
        return {
            "status": JobStatus.FAILED,
            "error": f"failed: {', '.join(failed)}; {first.step}: {first.error}",
            # The job's own fault where any step was at fault itself.
            "error_code": "SystemError" if codes == {"SystemError"} else "UserError",
        }

    def _outputs(self) -> dict[str, OutputInfo]:
        """Return the pipeline's outputs, those of steps that have completed."""
        found = {}
        for name, source in self._job.output_sources.items():
            outputs = self._state[self._names[source.step]].outputs
            if source.output in outputs:
                found[name] = outputs[source.output]
        return found
