from __future__ import annotations

import pytest

from amlocal.local.records import JobRecords, StepFacts, timestamp
from amlocal.local.state import JobState
from amlocal.plan import JobInfo, JobStatus, Tracking


@pytest.fixture
def state(records: JobRecords) -> JobState:
    step = JobInfo(
        name="fig_a",
        type="command",
        status=JobStatus.NOT_STARTED,
        parent="fig",
        step="a",
        tracking=Tracking(absent={"model": "none was written", "data": "none is taken"}),
    )
    job = JobInfo(
        name="fig",
        type="pipeline",
        status=JobStatus.NOT_STARTED,
        children=(step,),
        creation_time=timestamp(),
    )
    records.add(job)
    return JobState(records, job)


def test_a_change_is_recorded(state: JobState, records: JobRecords) -> None:
    state.change("fig_a", status=JobStatus.RUNNING, log="/log")
    recorded = records.get("fig_a")
    assert (recorded.status, recorded.log) == (JobStatus.RUNNING, "/log")
    assert state["fig_a"].log == "/log"


def test_a_status_brings_its_times(state: JobState) -> None:
    begun = state.change("fig_a", status=JobStatus.PREPARING)
    assert begun.start_time
    assert not begun.end_time
    running = state.change("fig_a", status=JobStatus.RUNNING)
    assert running.start_time == begun.start_time
    ended = state.change("fig_a", status=JobStatus.COMPLETED)
    assert ended.end_time >= ended.start_time
    assert 0 <= ended.duration < 10


def test_a_step_that_ends_before_it_begins_has_both_times(state: JobState) -> None:
    ended = state.change("fig_a", status=JobStatus.CANCELED)
    assert ended.start_time == ended.end_time


def test_other_changes_do_not_begin_a_step(state: JobState) -> None:
    assert not state.change("fig_a", error="not run").start_time


def test_a_terminal_state_stays(state: JobState, records: JobRecords) -> None:
    ended = state.change("fig_a", status=JobStatus.COMPLETED)
    after = state.change("fig_a", status=JobStatus.CANCEL_REQUESTED, metrics={"auc": 1.0})
    assert after.status is JobStatus.COMPLETED
    assert after.end_time == ended.end_time
    assert records.get("fig_a").metrics == {"auc": 1.0}


def test_a_result_is_offered_with_its_state(state: JobState, records: JobRecords) -> None:
    facts = StepFacts(step="e/a", fingerprint="abc", facts="{}")
    state.complete("fig_a", facts, reusable=True, status=JobStatus.COMPLETED)
    found = records.find_result("abc")
    assert found is not None
    assert (found.name, found.status) == ("fig_a", JobStatus.COMPLETED)


def test_parts_of_the_tracking_change_by_themselves(state: JobState) -> None:
    state.change_tracking("fig_a", run_id="r")
    state.change_tracking("fig_a", data={"x": {"source": "/x"}})
    tracking = state.change_tracking("fig_a", model=None).tracking
    assert (tracking.run_id, tracking.data) == ("r", {"x": {"source": "/x"}})
    assert tracking.absent == {"model": "none was written"}


def test_steps_are_those_below_the_job(state: JobState) -> None:
    assert [info.name for info in state.steps()] == ["fig_a"]
