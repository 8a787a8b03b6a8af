"""The trials of a search, as it tells of them: child jobs, and nested MLflow runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import TargetError
from amlocal.local.automl.events import (
    Event,
    Finished,
    Metrics,
    Setup,
    TrialEnded,
    TrialStarted,
)
from amlocal.local.lineage import end_tags, run_tags, tracked
from amlocal.local.records import seconds_of, timestamp
from amlocal.local.runs import RunTracking
from amlocal.local.state import JobState
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import Run, metrics_at
from amlocal.local.trials import log_best, trial_record, with_best
from amlocal.plan import (
    AutoMLInfo,
    Guardrail,
    JobInfo,
    JobStatus,
    Scalar,
    Tracking,
    TrialInfo,
    best_trial,
)

#: By this tag of the parent's run Azure's own examples find the best child's.
BEST_CHILD_TAG = "automl_best_child_run_id"


@dataclass
class SearchTrials:
    """The trials of one search.

    Attributes:
        name: The search's job name.
        state: The job's state.
        tracking: The job's tracking.
        known_as: Gives the job of a trial, by number, that an interrupted search had trained.
        finished: What the search said at its end, or None.
    """

    name: str
    state: JobState
    tracking: RunTracking
    known_as: Callable[[int], str | None]
    finished: Finished | None = None
    _names: dict[int, str] = field(default_factory=dict)
    _runs: dict[str, Run] = field(default_factory=dict)
    _ended: int = 0

    @property
    def found(self) -> AutoMLInfo:
        """What the search has found so far."""
        info = self.state[self.name].automl
        assert info is not None
        return info

    def take(self, event: Event) -> None:
        """Record what has happened.

        Raises:
            UsageError: Another job has a trial's name.
            TargetError: A trial ended that had not begun.
        """
        if isinstance(event, Setup):
            self._set_up(event)
        elif isinstance(event, TrialStarted):
            self._begin(event)
        elif isinstance(event, TrialEnded):
            self._end(event)
        else:
            self.finished = event

    def _set_up(self, event: Setup) -> None:
        guardrails = tuple(
            Guardrail(check=row.check, state=row.state, detail=_text(row.detail))
            for row in event.guardrails
        )
        found = msgspec.structs.replace(
            self.found, validation=event.validation, guardrails=guardrails
        )
        self.state.change(self.name, automl=found)

    def _begin(self, event: TrialStarted) -> None:
        own = self.state[self.name]
        trial = TrialInfo(
            number=event.trial,
            parameters={name: scalar(value) for name, value in event.hyperparameters.items()},
            algorithm=event.algorithm,
        )
        began = timestamp(event.time)
        info = msgspec.structs.replace(
            trial_record(own, trial, "automl"),
            status=JobStatus.RUNNING,
            creation_time=began,
            start_time=began,
            tracking=_tracked(own),
        )
        self.state.add_trial(info, event.trial)
        self._names[event.trial] = info.name
        tags = run_tags(info, source=own.source, tags=own.tags, facts={"type": "automl"})
        tags |= {"run_algorithm": event.algorithm, "iteration": str(event.trial)}
        run = self.tracking.wait_for_run(info.name, info.display_name, tags)
        nested = {**run.tags, "mlflow.parentRunId": own.tracking.run_id}
        self.tracking.recorder.later(
            info.name, lambda client: self._create_run(client, info, nested, event.time)
        )

    def _create_run(
        self, client: TrackingClient, info: JobInfo, tags: Mapping[str, str], began: float
    ) -> None:
        experiment = self.tracking.experiment_id
        run = client.create_run(experiment, info.display_name, tags=tags, start_time=began)
        self._runs[info.name] = run
        self.state.change_tracking(
            info.name, run_id=run.run_id, uri=self.tracking.uri, experiment_id=experiment
        )

    def _end(self, event: TrialEnded) -> None:
        name = self._name_of(event.trial)
        trial = self.state[name].trial
        assert trial is not None
        info = self.state.change(
            name,
            status=JobStatus(event.status),
            end_time=timestamp(event.time),
            duration=round(max(0.0, event.time - seconds_of(self.state[name].start_time)), 3),
            trial=msgspec.structs.replace(trial, value=event.score),
            metrics=self._metrics(event.metrics, event.score),
            params={key: str(value) for key, value in trial.parameters.items()},
            reused_from=self.known_as(event.trial) if event.is_known else None,
            error=event.message or "",
            error_code="UserError" if event.status == "Failed" else "",
        )
        self._ended += 1
        self._end_run(info)
        best = best_trial(self.found.goal, self.state.below(self.name))
        if best is None or best.trial is None or best.trial.value is None:
            return
        if self.found.best_trial != best.name:
            self.state.change(self.name, automl=_with_best(self.found, best))
        log_best(
            self.tracking,
            self.state[self.name].tracking.run_id,
            self.found.metric,
            best.trial.value,
            moment=event.time,
            ended=self._ended,
        )

    def _metrics(self, told: Metrics, score: float | None) -> dict[str, float]:
        """Return metrics with the primary one as trials are compared by it, which is the score."""
        return _numbers({**told, self.found.metric: score})

    def _name_of(self, number: int) -> str:
        if number not in self._names:
            raise TargetError(f"the search tells of trial {number}, which has not begun")
        return self._names[number]

    def _end_run(self, info: JobInfo) -> None:
        ended = seconds_of(info.end_time)
        tags = end_tags(info)
        if info.reused_from:
            tags["amlocal.reused_from"] = info.reused_from

        def task(client: TrackingClient) -> None:
            if (run := self._runs.get(info.name)) is None:
                return  # it could not be created, which was told
            metrics = metrics_at(ended, info.metrics)
            client.log_batch(run.run_id, metrics=metrics, params=info.params, tags=tags)
            client.end_run(run.run_id, info.status, ended)
            self.tracking.run_is_whole(info.name)

        self.tracking.recorder.later(info.name, task)

    def close(self, status: JobStatus, why: str) -> None:
        """End the trials that were running when the search ended."""
        for info in self.state.below(self.name):
            if not info.status.is_terminal:
                self._end_run(self.state.change(info.name, status=status, error=why))

    def conclude(self, finished: Finished) -> JobInfo:
        """Record what was found in the end; returns the trial whose model is delivered."""
        best = self.state[self._name_of(finished.best_trial)]
        assert best.trial is not None
        is_best = msgspec.structs.replace(best.trial, is_best=True)
        best = self.state.change(best.name, trial=is_best)
        found = msgspec.structs.replace(
            _with_best(self.found, best),
            reason=finished.reason,
            stopped_because=finished.stopped_because,
            test_metrics=_numbers(finished.test_metrics),
        )
        self.state.change(self.name, automl=found)
        self._log_outcome(best, finished)
        return best

    def _log_outcome(self, best: JobInfo, finished: Finished) -> None:
        assert best.trial is not None
        run_id = self.state[self.name].tracking.run_id
        metrics = self._metrics(finished.metrics, best.trial.value)
        metrics |= {f"test_{key}": x for key, x in _numbers(finished.test_metrics).items()}
        params = {f"best.{name}": str(value) for name, value in best.trial.parameters.items()}
        params["best.algorithm"] = best.trial.algorithm
        logged = metrics_at(time.time(), metrics, step=self._ended)

        recorder = self.tracking.recorder
        recorder.later(run_id, lambda it: it.log_batch(run_id, metrics=logged, params=params))

        def tag(client: TrackingClient) -> None:
            tags = {"amlocal.best_trial": best.name}
            if best.name in self._runs:
                tags[BEST_CHILD_TAG] = self._runs[best.name].run_id
            client.log_batch(run_id, tags=tags)

        recorder.later(best.name, tag)  # after the child's run was created, whose id it names

    def upload(self, trial: JobInfo, source: Path, artifact_path: str) -> None:
        """Copy a folder into the artifacts of a trial's run."""

        def task(client: TrackingClient) -> None:
            if (run := self._runs.get(trial.name)) is not None:
                client.upload(run, source, artifact_path)

        self.tracking.recorder.later(trial.name, task)


def _tracked(own: JobInfo) -> Tracking:
    """Return what is tracked of a trial: data and environment are its search's."""
    found = tracked(data={}, code=None, environment=own.tracking.environment)
    return msgspec.structs.replace(found, absent={**found.absent, "data": f"as of {own.name}"})


def _with_best(found: AutoMLInfo, best: JobInfo) -> AutoMLInfo:
    algorithm = best.trial.algorithm if best.trial is not None else ""
    return msgspec.structs.replace(with_best(found, best), algorithm=algorithm)


def scalar(value: Any) -> Scalar:
    """Return a hyperparameter as one value: lists, objects, and null as their JSON."""
    return value if isinstance(value, (bool, int, float, str)) else _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _numbers(metrics: Metrics) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if value is not None}
