"""A sweep that runs: a job of its own, or a step of a pipeline.

    look up   a sweep whose facts equal those of an earlier one takes over its result, like any step
    try       points are sampled and run as trials, side by side as far as there is room
    judge     what trials log on their way is read from MLflow; a policy may give one up
    conclude  the best trial's outputs become the sweep's

A sweep that was killed goes on when its job is run again: its sampler comes to the same points, or
is told of those that were tried, and each trial that had completed is found by its fingerprint.
"""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import msgspec

from amlocal.errors import JobFailedError, TargetError, near_miss
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.fingerprint import encode
from amlocal.local.inputs import StepInputs
from amlocal.local.records import seconds_of
from amlocal.local.reuse import Verdict
from amlocal.local.slots import Slots
from amlocal.local.step import StepRun
from amlocal.local.sweep import plots
from amlocal.local.sweep.outputs import take_over
from amlocal.local.sweep.policies import is_due, why_ended
from amlocal.local.sweep.sampling import Point, Sampler, make_sampler
from amlocal.local.sweep.trial import TrialRun, trial_step
from amlocal.local.trials import log_best, trial_record, with_best
from amlocal.plan import JobInfo, JobStatus, Sweep, TrialInfo, best_trial

#: Seconds between two looks at requests to cancel and at timeouts.
_LOOK = 0.2
#: Seconds between two looks at what the trials log: where a policy waits for it, and elsewhere.
_READ_FOR_POLICY = 0.5
_READ = 1.0


@dataclass(kw_only=True)
class SweepRun(StepRun):
    """A sweep that runs.

    Attributes:
        slots: The room for commands that it shares with the job's other steps.
    """

    slots: Slots

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.step.sweep is not None
        self.sweep: Sweep = self.step.sweep
        self._whole = self.step
        # What the trials set has no value here.
        component = self.step.component
        inputs = {n: i for n, i in component.inputs.items() if n not in self.sweep.search_space}
        component = msgspec.structs.replace(component, inputs=inputs)
        self.step = msgspec.structs.replace(self.step, component=component)
        self._running: dict[int, TrialRun] = {}
        self._ended: list[TrialRun] = []
        self._finished: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._deadlines: dict[int, float] = {}
        self._count = 0
        self._is_exhausted = False
        self._looked = self._read = time.monotonic()

    @property
    def width(self) -> int:
        """How many trials run side by side at most."""
        at_once = self.sweep.max_concurrent_trials or self.sweep.max_total_trials
        return min(at_once, self.sweep.max_total_trials, self.slots.count)

    def _execute(self, inputs: StepInputs, choice: EnvironmentChoice, verdict: Verdict) -> None:  # noqa: ARG002
        self.state.change(self.name, inputs=inputs.infos(), status=JobStatus.RUNNING)
        self.tracking.begin(self.name, self.step)
        self._run_trials(f"sweep/{_family(verdict, self.sweep)}")
        if self._is_stopping:
            why = self.processes.ended_because or "it was canceled"
            self._end(JobStatus.CANCELED, why)
            return
        best = self._best()
        if best is None:
            raise self._failure()
        self._take_over(best, verdict)

    def _outcome(self, result: JobInfo | None) -> dict[str, Any]:
        return {"sweep": result.sweep} if result is not None else {}

    @property
    def _is_stopping(self) -> bool:
        return self.cancelled.is_set() or self._timed_out

    # Trials

    def _run_trials(self, family: str) -> None:
        sampler = make_sampler(self.sweep, self._known(family))
        threading.Thread(target=plots.load, name="plots", daemon=True).start()
        futures: dict[int, Future[None]] = {}
        with ThreadPoolExecutor(self.width, "trial") as pool:
            try:
                while True:
                    while (trial := self._next(sampler, family)) is not None:
                        futures[trial.info.number] = pool.submit(self._work, trial)
                    if not self._running and (self._is_stopping or self._is_exhausted):
                        return
                    number = self._wait()
                    if number is not None:
                        futures.pop(number).result()
                        self._conclude_trial(self._running.pop(number), sampler)
            except BaseException:
                self._end_trials("the sweep has failed")  # else the pool waits for their own end
                raise

    def _known(self, family: str) -> list[Point]:
        """Return the points of earlier trials that this sweep may take over."""
        if self._no_reuse():
            return []
        found = self.services.records.results_within(family)
        points = [dict(info.trial.parameters) for info in found if info.trial is not None]
        return points[: self.sweep.max_total_trials]

    def _next(self, sampler: Sampler, family: str) -> TrialRun | None:
        """Return the next trial, or None where there is none or no room for it."""
        if self._is_stopping or self._is_exhausted or len(self._running) >= self.width:
            return None
        if not self.slots.take_now():
            return None
        trial = None
        try:
            point = sampler.ask() if self._count < self.sweep.max_total_trials else None
            if point is not None:
                trial = self._trial(self._count, point, family)
        finally:
            if trial is None:
                self.slots.give_back()
        if trial is None:
            self._is_exhausted = True
            return None
        self._running[self._count] = trial
        self._count += 1
        return trial

    def _trial(self, number: int, point: Point, family: str) -> TrialRun:
        found = TrialInfo(number=number, parameters=point)
        info = trial_record(self.state[self.name], found, "command")
        self.state.add_trial(info, number)
        return TrialRun(
            name=info.name,
            step=trial_step(self._whole, point),
            job=self.job,
            services=self.services,
            state=self.state,
            tracking=self.tracking,
            options=self.options,
            code=self.code,
            job_names=self.job_names,
            sweep=self.sweep,
            family=family,
        )

    def _work(self, trial: TrialRun) -> None:
        try:
            if trial.step.timeout:
                self._deadlines[trial.info.number] = time.monotonic() + trial.step.timeout
            trial.run()
        finally:
            self.slots.give_back()
            self._finished.put(trial.info.number)

    def _conclude_trial(self, trial: TrialRun, sampler: Sampler) -> None:
        self._deadlines.pop(trial.info.number, None)
        self._ended.append(trial)
        info = self.state[trial.name]
        is_complete = info.status is JobStatus.COMPLETED
        sampler.tell(trial.info.parameters, trial.info.value if is_complete else None)
        best = self._best()
        if best is None or best.trial is None:
            return
        found = self.state[self.name].sweep
        assert found is not None
        if found.best_trial != best.name:
            found = with_best(found, best)
            self.state.change(self.name, sweep=found)
        if is_complete and found.value is not None:
            log_best(
                self.tracking,
                self.state[self.name].tracking.run_id,
                found.metric,
                found.value,
                moment=seconds_of(info.end_time),
                ended=len(self._ended),
            )

    def _best(self) -> JobInfo | None:
        return best_trial(self.sweep.objective.goal, self.state.below(self.name))

    # Looking after them

    def _wait(self) -> int | None:
        """Wait for a trial to finish; None where none has until it is time to look around."""
        if time.monotonic() - self._looked > _LOOK:
            self._look_around()
        try:
            return self._finished.get(timeout=_LOOK)
        except queue.Empty:
            return None

    def _look_around(self) -> None:
        self._looked = now = time.monotonic()
        if self._is_stopping:
            self._end_trials(self.processes.ended_because or "the sweep was canceled")
            return
        requested = self.services.records.cancel_requests(self.name)
        for number, trial in self._running.items():
            if trial.name in requested and not trial.cancelled.is_set():
                self._end_trial(trial, "it was canceled")
            elif now > self._deadlines.get(number, float("inf")):
                self._deadlines.pop(number)
                trial.time_out()
        pause = _READ if self.sweep.early_termination is None else _READ_FOR_POLICY
        if now - self._read > pause:
            self._read = now
            for trial in self._running.values():
                if not trial.cancelled.is_set():
                    self._look_at_metric(trial)

    def _look_at_metric(self, trial: TrialRun) -> None:
        """Note what a trial has logged, and judge it at each interval that is new."""
        if self.state[trial.name].status is not JobStatus.RUNNING:
            return
        trial.read_metric()
        found = trial.best()
        if found.value != trial.info.value and not self.state[trial.name].status.is_terminal:
            self.state.change(trial.name, trial=found)
        policy = self.sweep.early_termination
        if policy is None:
            return
        others = [t.logged for t in (*self._ended, *self._running.values()) if t is not trial]
        for interval in range(trial.judged + 1, len(trial.logged) + 1):
            trial.judged = interval
            if is_due(policy, interval) and (
                why := why_ended(policy, self.sweep.objective, trial.logged, others, interval)
            ):
                self._end_trial(trial, why)
                return

    def _end_trial(self, trial: TrialRun, why: str) -> None:
        if not self.state[trial.name].status.is_terminal:
            self.state.change(trial.name, status=JobStatus.CANCEL_REQUESTED)
        trial.cancel(why)

    def _end_trials(self, why: str) -> None:
        for trial in self._running.values():
            if not trial.cancelled.is_set():
                self._end_trial(trial, why)

    # The end

    def _failure(self) -> JobFailedError | TargetError:
        """Return why there is no best trial."""
        # In the order of their numbers, whichever ended first.
        ended = {trial.name for trial in self._ended}
        trials = [info for info in self.state.below(self.name) if info.name in ended]
        completed = [info for info in trials if info.status is JobStatus.COMPLETED]
        if not completed:
            failed = [info for info in trials if info.status is JobStatus.FAILED] or trials
            why = f"none of {len(trials)} trials completed; {failed[0].display_name}: "
            kind = TargetError if {i.error_code for i in failed} == {"SystemError"} else None
            return (kind or JobFailedError)(why + failed[0].error)
        metric = self.sweep.objective.primary_metric
        run_id = completed[-1].tracking.run_id
        names = self.tracking.recorder.ask(lambda client: list(client.get_run(run_id).metrics))
        return JobFailedError(
            f"no trial has logged the metric {metric!r}",
            hint=near_miss(metric, names) or f'call mlflow.log_metric("{metric}", VALUE)',
        )

    def _take_over(self, best: JobInfo, verdict: Verdict) -> None:
        """Make the best trial's outputs and models the sweep's own, and end it."""
        self.state.change(self.name, status=JobStatus.FINALIZING)
        assert best.trial is not None
        is_best = msgspec.structs.replace(best.trial, is_best=True)
        self.state.change(best.name, trial=is_best)
        outputs = take_over(
            best,
            self.step.outputs,
            self.services,
            sweep=self.name,
            datastore=self.job.settings.default_datastore,
        )
        if best.tracking.model:
            self.state.change_tracking(self.name, model=best.tracking.model)
        params = {f"best.{name}": str(value) for name, value in best.trial.parameters.items()}
        run = self.tracking.run_of(self.name)
        tags = {"amlocal.best_trial": best.name}
        self.tracking.recorder.later(
            run.run_id, lambda client: client.log_batch(run.run_id, params=params, tags=tags)
        )
        drawn = self._folders.artifacts / "sweep"
        if plots.draw(self.sweep, self.state.below(self.name), drawn):
            self.tracking.recorder.upload(run, drawn, "sweep")
        self.state.complete(
            self.name,
            msgspec.structs.replace(verdict.facts, reason=verdict.reuse.to_json().decode()),
            reusable=not self._no_reuse(),
            status=JobStatus.COMPLETED,
            outputs=outputs,
        )
        self.tracking.end(self.name)


def _family(verdict: Verdict, sweep: Sweep) -> str:
    """Return what trials of the same sweep are found again by, however many it may have."""
    facts = msgspec.json.decode(verdict.facts.facts)
    same = msgspec.structs.replace(
        sweep, max_concurrent_trials=None, max_total_trials=1, trial_timeout=None
    )
    facts["sweep"] = msgspec.json.decode(same.to_json())
    return hashlib.sha256(encode(facts).encode()).hexdigest()
