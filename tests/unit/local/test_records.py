from __future__ import annotations

import time

import msgspec
import pytest

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.records import JobRecords, StepFacts, WaitingRun, seconds_of, timestamp
from amlocal.plan import JobInfo, JobStatus, StepReuse, TrialInfo


def job(name: str, *steps: str, status: JobStatus = JobStatus.NOT_STARTED) -> JobInfo:
    children = tuple(
        JobInfo(name=f"{name}_{s}", type="command", status=status, parent=name, step=s)
        for s in steps
    )
    return JobInfo(
        name=name, type="pipeline", status=status, children=children, creation_time=timestamp()
    )


def with_status(info: JobInfo, status: JobStatus) -> JobInfo:
    return msgspec.structs.replace(info, status=status)


def facts(fingerprint: str, *, step: str = "e/s") -> StepFacts:
    reason = StepReuse(step="s", reason="why").to_json().decode()
    return StepFacts(step=step, fingerprint=fingerprint, facts='{"a": 1}', reason=reason)


def test_a_job_comes_back_with_its_steps_in_order(records: JobRecords) -> None:
    given = job("fig", "b", "a", "c")
    records.add(given)
    assert records.get("fig") == given
    assert records.get("fig_a") == given.children[1]
    assert records.has("fig_c")
    assert not records.has("fig_d")


def test_a_taken_name_is_refused_and_nothing_added(records: JobRecords) -> None:
    records.add(job("fig", "a"))
    with pytest.raises(UsageError, match="a job named 'fig' exists"):
        records.add(job("fig", "b"))
    assert not records.has("fig_b")


def test_a_step_cannot_take_a_jobs_name(records: JobRecords) -> None:
    records.add(job("fig_a"))
    with pytest.raises(UsageError, match="'fig_a' exists"):
        records.add(job("fig", "a"))
    assert not records.has("fig")


def test_an_unknown_name_suggests_a_known_one(records: JobRecords) -> None:
    records.add(job("kind_fig"))
    with pytest.raises(NotFoundError, match="no job named 'kind_fog'") as raised:
        records.get("kind_fog")
    assert raised.value.hint == "did you mean 'kind_fig'?"


def test_saving_a_job_leaves_its_steps(records: JobRecords) -> None:
    given = job("fig", "a")
    records.add(given)
    records.save(with_status(given, JobStatus.RUNNING))
    assert records.get("fig").status is JobStatus.RUNNING
    assert records.get("fig").children == given.children


def test_lists_are_newest_first(records: JobRecords) -> None:
    for name in ("one", "two", "three"):
        records.add(job(name, "a"))
    assert [info.name for info in records.list()] == ["three", "two", "one"]
    assert [info.name for info in records.list(limit=2)] == ["three", "two"]
    assert [info.name for info in records.list(parent="one")] == ["one_a"]


def test_archived_jobs_are_listed_on_demand(records: JobRecords) -> None:
    records.add(job("one"))
    records.add(job("two"))
    records.set_archived("one", archived=True)
    assert [info.name for info in records.list()] == ["two"]
    assert [info.name for info in records.list(view="ArchivedOnly")] == ["one"]
    assert [info.name for info in records.list(view="All")] == ["two", "one"]
    assert records.get("one").archived
    records.set_archived("one", archived=False)
    assert not records.get("one").archived
    with pytest.raises(UsageError, match="no list view 'Some'"):
        records.list(view="Some")
    with pytest.raises(NotFoundError):
        records.set_archived("nope", archived=True)


def test_changes_are_told_once(records: JobRecords) -> None:
    given = job("fig", "a", "b")
    records.add(given)
    revision, changed = records.changed_since("fig", 0)
    assert {info.name for info in changed} == {"fig", "fig_a", "fig_b"}
    assert records.changed_since("fig", revision) == (revision, [])
    records.add(job("other"))
    records.save(with_status(given.children[1], JobStatus.RUNNING))
    later, changed = records.changed_since("fig", revision)
    assert later > revision
    assert [(info.name, info.status) for info in changed] == [("fig_b", JobStatus.RUNNING)]


def test_steps_change_before_their_job(records: JobRecords) -> None:
    given = job("fig", "a")
    records.add(given)
    records.save(with_status(given, JobStatus.COMPLETED))
    records.save(with_status(given.children[0], JobStatus.COMPLETED))
    assert [info.name for info in records.changed_since("fig", 0)[1]] == ["fig_a", "fig"]


def test_open_jobs_are_those_not_terminal(records: JobRecords) -> None:
    for status in JobStatus:
        records.add(job(status.value, "a", status=status))
    assert {info.status for info in records.open()} == {
        status for status in JobStatus if not status.is_terminal
    }


def test_a_result_is_found_by_its_fingerprint(records: JobRecords) -> None:
    for name in ("one", "two", "three"):
        records.add(job(name, "s", status=JobStatus.COMPLETED))
        records.complete(records.get(f"{name}_s"), facts("abc"), reusable=name != "three")
    found = records.find_result("abc")
    assert found is not None
    assert found.name == "two_s"
    assert records.find_result("other") is None
    records.withdraw("two_s")
    found = records.find_result("abc")
    assert found is not None
    assert found.name == "one_s"


def test_the_last_facts_are_those_of_the_last_run(records: JobRecords) -> None:
    assert records.last_facts("e/s") is None
    for name in ("one", "two"):
        records.add(job(name, "s"))
        records.complete(records.get(f"{name}_s"), facts(name), reusable=False)
    assert records.last_facts("e/s") == ("two_s", '{"a": 1}')
    assert records.last_facts("e/other") is None


def test_reasons_come_in_the_order_of_the_steps(records: JobRecords) -> None:
    records.add(job("fig", "a", "s"))
    records.complete(records.get("fig_s"), facts("x"), reusable=True)
    assert [StepReuse.from_json(text).reason for text in records.reasons("fig")] == ["why"]


def test_cancel_requests_are_those_of_one_job(records: JobRecords) -> None:
    records.add(job("fig", "a", "b"))
    records.add(job("bean", "a"))
    for name in ("fig_b", "bean"):
        records.request_cancel(name)
    assert records.cancel_requests("fig") == {"fig_b"}
    assert records.cancel_requests("bean") == {"bean"}


def test_a_run_waits_until_it_is_written(records: JobRecords) -> None:
    records.add(job("fig", "a", "b"))
    runs = {name: WaitingRun("e", name, {"team": "blue"}) for name in ("fig_b", "fig_a", "fig")}
    for name, run in runs.items():
        records.wait_for_run(name, run)
    # That of the job first: the others are nested in it.
    assert records.waiting_runs("fig") == [(n, runs[n]) for n in ("fig", "fig_a", "fig_b")]
    assert records.waiting_runs("bean") == []
    records.forget_waiting("fig_a")
    assert [name for name, _ in records.waiting_runs("fig")] == ["fig", "fig_b"]


def test_a_running_job_has_lasted_until_now(records: JobRecords) -> None:
    begun = timestamp(time.time() - 100)
    given = msgspec.structs.replace(job("fig"), status=JobStatus.RUNNING, start_time=begun)
    records.add(given)
    assert 100 <= records.get("fig").duration < 110


def test_moments_read_back() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000+00:00"
    assert seconds_of(timestamp(1700000000.125)) == 1700000000.125


def trial(parent: str, number: int) -> JobInfo:
    return JobInfo(
        name=f"{parent}_{number}",
        type="command",
        status=JobStatus.NOT_STARTED,
        parent=parent,
        creation_time=timestamp(),
        trial=TrialInfo(number=number, parameters={"x": 0.5}),
    )


def test_trials_are_below_their_sweep(records: JobRecords) -> None:
    records.add(job("fig", "tune", "use"))
    for number in (1, 0):
        records.add_trial(trial("fig_tune", number), number)
    tune, use = records.get("fig").children
    assert [info.name for info in tune.children] == ["fig_tune_0", "fig_tune_1"]
    assert use.children == ()
    assert [info.name for info in records.get("fig").tree()] == [
        "fig", "fig_tune", "fig_tune_0", "fig_tune_1", "fig_use",
    ]  # fmt: skip
    assert [records.root_of(name) for name in ("fig_tune_1", "fig_use", "fig")] == ["fig"] * 3
    assert [info.name for info in records.list()] == ["fig"]


def test_a_trial_cannot_take_a_jobs_name(records: JobRecords) -> None:
    records.add(job("fig_0"))
    records.add(job("fig"))
    with pytest.raises(UsageError, match="a trial cannot be named 'fig_0'"):
        records.add_trial(trial("fig", 0), 0)


def test_a_jobs_trials_are_watched_and_canceled_with_it(records: JobRecords) -> None:
    records.add(job("fig", "tune"))
    revision, _ = records.changed_since("fig", 0)
    records.add_trial(trial("fig_tune", 0), 0)
    _, changed = records.changed_since("fig", revision)
    assert [info.name for info in changed] == ["fig_tune_0"]
    records.request_cancel("fig_tune_0")
    assert records.cancel_requests("fig") == records.cancel_requests("fig_tune") == {"fig_tune_0"}


def test_results_are_found_within_a_scope(records: JobRecords) -> None:
    records.add(job("fig", "a", "b", "c", "d"))
    infos = {
        info.step: with_status(info, JobStatus.COMPLETED) for info in records.get("fig").children
    }
    records.complete(infos["a"], facts("1", step="sweep/12/trial 0"), reusable=True)
    records.complete(infos["b"], facts("2", step="sweep/12/trial 1"), reusable=False)
    records.complete(infos["c"], facts("3", step="sweep/123/trial 0"), reusable=True)
    records.complete(infos["d"], facts("4", step="sweep/12/trial 7"), reusable=True)
    assert [info.step for info in records.results_within("sweep/12")] == ["a", "d"]
