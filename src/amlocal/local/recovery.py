"""Jobs whose engine is gone: killed, or lost with the machine."""

from __future__ import annotations

import os
from collections.abc import Sequence

from amlocal.local import joblock
from amlocal.local.process import end_jobs
from amlocal.local.records import JobRecords
from amlocal.local.state import JobState
from amlocal.local.workspace import Workspace
from amlocal.plan import JobInfo, JobStatus

_WHY = "the process that ran the job was killed, or the machine went down"


def recover(records: JobRecords, workspace: Workspace) -> Sequence[str]:
    """Give every job that has lost its engine a terminal state, and end what it left running.

    Steps that had completed stay so, and are reused when the job is run again.

    Returns:
        The names of these jobs.
    """
    lost = []
    for info in records.open():
        lock = joblock.take(workspace.job(info.name))
        if lock is None:
            continue  # its engine lives, or another command mends it right now
        try:
            if _mend(records, workspace, info.name):
                lost.append(info.name)
        finally:
            os.close(lock)
    return lost


def never_began(job: JobInfo) -> bool:
    """Return whether a job, whose engine is gone, has run nothing at all."""
    # What `recover` has ended without a start has begun at its end. Its duration would not tell:
    # that is measured from a moment that was cut to a millisecond.
    had_no_time = not job.start_time or (job.error == _WHY and job.start_time == job.end_time)
    return had_no_time and not any(child.start_time for child in job.children)


def _mend(records: JobRecords, workspace: Workspace, name: str) -> bool:
    job = records.get(name)
    if job.status.is_terminal:
        return False  # it ended between the two looks at it
    end_jobs(workspace.path, frozenset({name}))
    state = JobState(records, job)
    lost = {"status": JobStatus.FAILED, "error": _WHY, "error_code": "SystemError"}
    below = state.everything_below()
    for info in below:
        if info.start_time and not info.status.is_terminal:
            state.change(info.name, **lost)
    state.change(name, **lost)
    return True
