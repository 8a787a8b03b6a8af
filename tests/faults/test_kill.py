"""Engines, servers, and machines that go away."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest
from tests.faults.conftest import RunJob
from tests.lab import Lab, children, pipeline, processes_of, step, wait_for

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.plan import Job, JobStatus, LiteralValue, Output, Step, StepOutput

SEED = 20261121
#: Seconds that the process takes to start and to run the pipeline, about.
SPAN = (0.3, 2.5)


def member(ledger: Path, round_: int, name: str, *needs: str) -> Step:
    """Return a step that takes a moment, and at its end writes a line into a ledger."""
    inputs = {f"from_{need}": StepOutput(step=need, output="o") for need in needs}
    line = f"sleep 0.3; echo {name} > ${{{{outputs.o}}}}/x; echo {name} >> {ledger}"
    return step(
        name,
        f"{line} # ${{{{inputs.round}}}}",
        inputs={**inputs, "round": LiteralValue(value=round_)},
        outputs={"o": Output()},
    )


def job_of(ledger: Path, round_: int) -> Job:
    return pipeline(
        member(ledger, round_, "a"),
        member(ledger, round_, "b", "a"),
        member(ledger, round_, "c", "a"),
        member(ledger, round_, "d", "b", "c"),
        member(ledger, round_, "e"),
        member(ledger, round_, "f", "d", "e"),
    )


def lines(ledger: Path) -> Counter[str]:
    return Counter(ledger.read_text().split() if ledger.exists() else [])


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_an_engine_is_killed_at_any_moment(
    lab: Lab, run_job: RunJob, tracking: TrackingClient, rounds: int
) -> None:
    source = random.Random(SEED)
    lab.run(pipeline(step("warm", "true")))
    for round_ in range(rounds):
        ledger = lab.project / f"ledger-{round_}"
        job, name = job_of(ledger, round_), f"killed-{round_}"
        process = run_job(job, name)
        moment = source.uniform(*SPAN)
        time.sleep(moment)
        process.kill()
        process.communicate()
        known = {info.name: info for info in lab.client.jobs.list()}
        # One that was being started when the engine died is seen only once it is, and is quick.
        wait_for(lambda: processes_of(lab) == [], seconds=5)
        done: set[str] = set()
        if name in known:
            steps = children(lab.client.jobs.get(name))
            done = {s for s, info in steps.items() if info.status is JobStatus.COMPLETED}
            assert all(info.status.is_terminal or not info.start_time for info in steps.values())
        before = lines(ledger)
        print(f"seed {SEED}, round {round_}: killed after {moment:.2f} s, completed {sorted(done)}")
        assert done <= set(before)
        again = lab.run(job)
        assert again.status is JobStatus.COMPLETED, again.error
        assert {s for s, info in children(again).items() if info.reused_from} >= done
        after = lines(ledger)
        assert set(after) == set("abcdef")
        assert {name: after[name] for name in done} == {name: before[name] for name in done}
        assert processes_of(lab) == []
    # The runs of all of them, which the server's keeper writes when they are over.
    server, names = lab.services.server, [info.name for info in lab.client.jobs.list()]
    server.wake()
    wait_for(lambda: not any(server.expects_runs(name) for name in names))


def test_a_background_engine_is_killed(lab: Lab) -> None:
    lab.start(pipeline(step("a", "echo a"), step("b", "echo up; sleep 300")), name="back")
    log = lab.workspace / "jobs" / "back_b" / "artifacts" / "user_logs" / "std_log.txt"
    wait_for(lambda: log.exists() and "up" in log.read_text())
    wait_for(lambda: lab.client.jobs.get("back_a").status is JobStatus.COMPLETED)
    for process in psutil.process_iter(["cmdline"]):
        if (process.info["cmdline"] or [])[-2:] == [str(lab.workspace), "back"]:
            process.kill()
    wait_for(lambda: lab.client.jobs.get("back").status.is_terminal)
    job = lab.client.jobs.get("back")
    assert "the process that ran the job was killed" in job.error
    assert {name: info.status.value for name, info in children(job).items()} == {
        "a": "Completed",
        "b": "Failed",
    }
    assert processes_of(lab) == []


@pytest.mark.slow
def test_the_tracking_server_is_killed_while_a_job_runs(lab: Lab, shared_folder: Path) -> None:
    server = TrackingServer(shared_folder / "mlflow", environ=os.environ)
    lab.start(
        pipeline(
            step("a", "echo up; sleep 1", outputs={"o": Output()}),
            step("b", "echo b", inputs={"x": StepOutput(step="a", output="o")}),
        ),
        name="job",
    )
    log = lab.workspace / "jobs" / "job_a" / "artifacts" / "user_logs" / "std_log.txt"
    wait_for(lambda: log.exists() and "up" in log.read_text(), seconds=60)
    for pid in server.processes():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: lab.client.jobs.get("job").status.is_terminal, seconds=120)
    job = lab.client.jobs.get("job")
    assert job.status is JobStatus.COMPLETED, job.error
    assert job.warnings == ()
    with TrackingClient(server.ensure()) as client:
        # The pipeline's own run is closed right after its state is known.
        for info in (job, *job.children):
            run_id = info.tracking.run_id
            wait_for(lambda run_id=run_id: client.get_run(run_id).status == "FINISHED", seconds=30)
