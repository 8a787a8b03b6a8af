"""What sweeps and AutoML searches share: records of trials, and the best value so far."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from amlocal.local.records import timestamp
from amlocal.local.runs import RunTracking
from amlocal.local.tracking.values import metrics_at
from amlocal.plan import JobInfo, JobStatus, SearchInfo, TrialInfo

Search = TypeVar("Search", bound=SearchInfo)


def trial_record(own: JobInfo, trial: TrialInfo, kind: str) -> JobInfo:
    """Return the record of a trial that has not begun.

    Args:
        own: The search's record.
        trial: What it tries.
        kind: The type of job that it is.
    """
    title = f"trial {trial.number}" + (f", {trial.algorithm}" if trial.algorithm else "")
    return JobInfo(
        name=f"{own.name}_{trial.number}",
        type=kind,
        status=JobStatus.NOT_STARTED,
        display_name=f"{own.step} {title}" if own.step else title,
        experiment_name=own.experiment_name,
        parent=own.name,
        component=own.component,
        tags=own.tags,
        creation_time=timestamp(),
        source=own.source,
        trial=trial,
    )


def with_best(found: Search, best: JobInfo) -> Search:
    """Return what a search has found when a trial is the best so far."""
    assert best.trial is not None
    return msgspec.structs.replace(
        found,
        best_trial=best.name,
        value=best.trial.value,
        parameters=best.trial.parameters,
    )


def log_best(
    tracking: RunTracking, run_id: str, metric: str, value: float, *, moment: float, ended: int
) -> None:
    """Log the best value so far to the search's own run.

    Args:
        tracking: The job's tracking.
        run_id: The search's run.
        metric: The metric that trials are judged by.
        value: The best value.
        moment: When the last trial ended, in seconds since 1970.
        ended: How many trials have ended: a step of the metric for each.
    """
    logged = metrics_at(moment, {metric: value}, step=ended)
    tracking.recorder.later(run_id, lambda client: client.log_batch(run_id, metrics=logged))
