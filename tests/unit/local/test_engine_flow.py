"""Which steps run and when, and how they are ended."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab import (
    PYTHON,
    Lab,
    Recording,
    children,
    command,
    has_ended,
    pipeline,
    processes_of,
    slow_package,
    step,
    wait_for,
)

from amlocal.errors import TargetError
from amlocal.local.tracking.client import TrackingClient
from amlocal.plan import Environment, Job, JobInfo, JobStatus, Output, Settings, Step, StepOutput

#: Starts a child in its session, and one that leaves it and ignores SIGTERM.
STUBBORN = """
import subprocess, sys, time
stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=True)
subprocess.Popen(["sleep", "300"])
time.sleep(0.5)
print("up", flush=True)
time.sleep(300)
"""


def after(name: str, *others: str, command: str = "true") -> Step:
    given = {f"from_{other}": StepOutput(step=other, output="o") for other in others}
    return step(name, command, inputs=given, outputs={"o": Output()})


def statuses(job: JobInfo) -> dict[str, str]:
    return {name: child.status.value for name, child in children(job).items()}


def failing(*, continues: bool) -> Job:
    return pipeline(
        after("bad", command="sleep 0.3; exit 1"),
        after("behind", "bad"),
        after("far_behind", "behind"),
        after("slow", command="sleep 30" if not continues else "sleep 0.6"),
        after("last", "slow"),
        settings=Settings(continue_on_step_failure=continues),
    )


def test_steps_that_do_not_need_the_failed_one_go_on(lab: Lab) -> None:
    job = lab.run(failing(continues=True), max_parallel=2)
    assert job.status is JobStatus.FAILED
    assert statuses(job) == {
        "bad": "Failed",
        "behind": "NotStarted",
        "far_behind": "NotStarted",
        "slow": "Completed",
        "last": "Completed",
    }
    assert job.error == "failed: bad; bad: the command ended with exit code 1"
    assert children(job)["far_behind"].error == (
        "not run: it needs the step 'bad', which did not complete"
    )


def test_a_failure_ends_the_others_where_the_job_says_so(lab: Lab) -> None:
    job = lab.run(failing(continues=False), max_parallel=2)
    assert job.status is JobStatus.FAILED
    assert job.duration < 10
    assert statuses(job) == {
        "bad": "Failed",
        "behind": "NotStarted",
        "far_behind": "NotStarted",
        "slow": "Canceled",
        "last": "NotStarted",
    }


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (3, 3)])
def test_steps_run_side_by_side_up_to_the_limit(lab: Lab, limit: int, expected: int) -> None:
    marks = lab.project / "marks"
    marks.mkdir()
    line = (
        f"touch {marks}/$AZUREML_RUN_ID; sleep 0.4; ls {marks} | wc -l; rm {marks}/$AZUREML_RUN_ID"
    )
    job = lab.run(pipeline(*(step(f"s{n}", f"{line} # {n}") for n in range(5))), max_parallel=limit)
    assert job.status is JobStatus.COMPLETED
    assert max(int(lab.log(child)) for child in job.children) == expected


def test_threads_are_shared_by_the_steps_side_by_side(lab: Lab) -> None:
    job = lab.run(command("echo $OMP_NUM_THREADS"), max_parallel=64)
    assert int(lab.log(job)) >= 1


def test_a_timeout_ends_the_step(lab: Lab) -> None:
    job = lab.run(pipeline(step("slow", "echo begun; sleep 60", timeout=0.5)))
    assert statuses(job) == {"slow": "Canceled"}
    assert job.children[0].error == "its timeout of 0.5 s was over"
    assert job.status is JobStatus.FAILED
    assert job.duration < 10


def test_a_step_within_its_timeout_completes(lab: Lab) -> None:
    assert lab.run(command("sleep 0.3", timeout=30)).status is JobStatus.COMPLETED


def run_in_thread(lab: Lab, job: Job, **options: object) -> tuple[threading.Thread, list[JobInfo]]:
    results: list[JobInfo] = []
    thread = threading.Thread(target=lambda: results.append(lab.run(job, **options)))
    thread.start()
    return thread, results


def has_line(lab: Lab, name: str, line: str) -> bool:
    log = Path(lab.services.workspace.job(name) / "artifacts" / "user_logs" / "std_log.txt")
    return log.exists() and line in log.read_text()


def test_cancel_ends_a_whole_process_tree(lab: Lab) -> None:
    code = lab.write("src/stubborn.py", STUBBORN).parent
    job = pipeline(
        step("tree", f"{PYTHON} stubborn.py", code=code, outputs={"o": Output()}),
        after("next", "tree"),
    )
    thread, results = run_in_thread(lab, job, name="tree", max_parallel=1)
    wait_for(lambda: has_line(lab, "tree_tree", "up"))
    assert len(processes_of(lab)) >= 3
    begun = time.monotonic()
    cancelled = lab.client.jobs.cancel("tree")
    assert cancelled.status is JobStatus.CANCELED
    assert processes_of(lab) == []
    assert time.monotonic() - begun < 20
    thread.join()
    assert statuses(results[0]) == {"tree": "Canceled", "next": "NotStarted"}
    assert results[0].error == "it was canceled"
    assert not (lab.services.workspace.job("tree_next") / "artifacts").exists()


def test_steps_that_take_their_grace_take_it_together(lab: Lab) -> None:
    line = "trap '' TERM; echo up; for i in $(seq 600); do sleep 0.1; done"
    job = pipeline(*(step(f"s{n}", f"{line} # {n}") for n in range(4)))
    thread, _ = run_in_thread(lab, job, name="grace", max_parallel=4)
    wait_for(lambda: all(has_line(lab, f"grace_s{n}", "up") for n in range(4)))
    begun = time.monotonic()
    assert lab.client.jobs.cancel("grace").status is JobStatus.CANCELED
    assert time.monotonic() - begun < 12
    thread.join()


def test_a_step_is_ended_while_its_environment_is_built(lab: Lab, tmp_path: Path) -> None:
    package, started = slow_package(tmp_path)
    slow = Environment(conda={"dependencies": [{"pip": [f"slow @ {package.as_uri()}"]}]})
    job = lab.start(command("true", environment=slow))
    wait_for(started.exists, seconds=120)
    assert lab.client.jobs.cancel(job.name).error == "it was canceled"
    assert has_ended(int(started.read_text()))
    started.unlink()
    late = lab.run(command("true", environment=slow, timeout=3))
    assert (late.status, late.error) == (JobStatus.CANCELED, "its timeout of 3 s was over")


def test_one_step_is_cancelled_and_the_others_go_on(lab: Lab) -> None:
    job = pipeline(
        after("long", command="echo up; sleep 60"), after("behind", "long"), after("other")
    )
    thread, results = run_in_thread(lab, job, name="one", max_parallel=2)
    wait_for(lambda: has_line(lab, "one_long", "up"))
    assert lab.client.jobs.cancel("one_long").status is JobStatus.CANCELED
    thread.join()
    assert statuses(results[0]) == {
        "long": "Canceled",
        "behind": "NotStarted",
        "other": "Completed",
    }


def test_a_step_that_waits_is_cancelled_at_once(lab: Lab) -> None:
    job = pipeline(after("first", command="echo up; sleep 2"), after("second", "first"))
    thread, results = run_in_thread(lab, job, name="wait", max_parallel=1)
    wait_for(lambda: has_line(lab, "wait_first", "up"))
    assert lab.client.jobs.cancel("wait_second").status is JobStatus.CANCELED
    assert lab.client.jobs.get("wait_first").status is JobStatus.RUNNING
    thread.join()
    assert statuses(results[0]) == {"first": "Completed", "second": "Canceled"}
    assert results[0].status is JobStatus.FAILED


def test_a_job_that_is_over_stays_so(lab: Lab) -> None:
    job = lab.run(command("true"))
    assert lab.client.jobs.cancel(job.name).status is JobStatus.COMPLETED


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt, as in a terminal: a shell's background process ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_cancels_the_job_that_is_followed(lab: Lab) -> None:
    def interrupt(text: str) -> None:
        if "up" in text:
            signal.raise_signal(signal.SIGINT)

    reporter = Recording(on_log=interrupt)
    with pytest.raises(KeyboardInterrupt):
        lab.run(pipeline(step("s", "echo up; sleep 60")), name="ctrl", reporter=reporter)
    job = lab.client.jobs.get("ctrl")
    assert job.status is JobStatus.CANCELED
    assert statuses(job) == {"s": "Canceled"}
    assert processes_of(lab) == []
    assert reporter.finished == [job]


def test_an_engine_that_loses_its_records_ends_what_runs(lab: Lab) -> None:
    def lose(text: str) -> None:
        lab.services.records._db.close()

    job = pipeline(step("s", "echo up; sleep 60"))
    with pytest.raises(TargetError, match=r"the records .*records\.db cannot be used"):
        lab.run(job, name="lost", reporter=Recording(on_log=lose))
    wait_for(lambda: "engine" not in {thread.name for thread in threading.enumerate()})
    assert processes_of(lab) == []
    # Somebody else finds out that the engine is gone.
    other = Lab.open(lab.project, shared=lab.project)
    assert other.client.jobs.get("lost").status is JobStatus.FAILED


def test_code_that_does_not_exist_fails_the_job_before_anything_runs(lab: Lab) -> None:
    job = lab.run(pipeline(step("a", "echo a"), step("b", "true", code=lab.project / "nothing")))
    assert job.status is JobStatus.FAILED
    assert f"the code {lab.project / 'nothing'} does not exist" in job.error
    assert statuses(job) == {"a": "NotStarted", "b": "NotStarted"}


def test_a_fault_of_the_engine_is_not_lost(lab: Lab, tracking: TrackingClient) -> None:
    """A plan that no compiler makes stands for a fault: it takes an output that nobody declares."""
    long = step("long", "echo up; sleep 60")
    odd = step("odd", "true", inputs={"x": StepOutput(step="first", output="nope")})
    with pytest.raises(KeyError, match="nope"):
        lab.run(pipeline(step("first", "sleep 0.3"), odd, long), name="odd", max_parallel=3)
    job = lab.client.jobs.get("odd")
    assert (job.status, job.error) == (JobStatus.FAILED, "the engine failed: KeyError: 'nope'")
    assert statuses(job) == {"first": "Completed", "odd": "Canceled", "long": "Canceled"}
    assert processes_of(lab) == []
    runs = [job, children(job)["first"], children(job)["long"]]
    ended = [tracking.get_run(info.tracking.run_id).status for info in runs]
    assert ended == ["FAILED", "FINISHED", "KILLED"]
