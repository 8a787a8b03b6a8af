"""Several engines at once, full disks, and very long logs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.conftest import RunJob
from tests.lab import Lab, command, pipeline, processes_of, step

from amlocal.errors import TargetError
from amlocal.plan import JobInfo, JobStatus, Output, StepOutput


def test_two_jobs_are_created_at_once(lab: Lab, run_job: RunJob) -> None:
    outputs = {"o": Output()}
    steps = [step(f"s{n}", f"echo {n} > ${{{{outputs.o}}}}/x", outputs=outputs) for n in range(6)]
    last = step(
        "last",
        "true",
        inputs={f"x{n}": StepOutput(step=f"s{n}", output="o") for n in range(6)},
    )
    processes = [run_job(pipeline(*steps, last), name) for name in ("one", "two", "three")]
    for process in processes:
        out, _ = process.communicate(timeout=120)
        assert out.startswith("Completed"), out
    jobs = {job.name: job.status for job in lab.client.jobs.list()}
    assert jobs == dict.fromkeys(("one", "two", "three"), JobStatus.COMPLETED)


def test_one_name_is_given_once(lab: Lab, run_job: RunJob) -> None:
    processes = [run_job(pipeline(step("s", f"sleep 1; echo {n}")), "same") for n in range(2)]
    answers = sorted(process.communicate(timeout=60)[0] for process in processes)
    assert answers[0].startswith("Completed")
    assert answers[1].startswith("a job named 'same' ")
    assert sorted(process.returncode for process in processes) == [0, 2]
    assert lab.client.jobs.get("same").status is JobStatus.COMPLETED


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    size = "size=32m"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small_lab(small_disk: Path, shared_folder: Path) -> Lab:
    return Lab.open(small_disk / "project", shared=shared_folder)


def assert_full(lab: Lab, job: JobInfo) -> None:
    """Require that nothing more begins, with a reason, and that the records can be read."""
    assert job.status is JobStatus.FAILED
    assert str(lab.workspace) in job.error
    assert processes_of(lab) == []
    with pytest.raises(TargetError, match="no space left on the disk of") as raised:
        lab.run(command("echo more"))
    assert "aml workspace gc" in raised.value.hint
    for reader in (lab, Lab.open(lab.project, shared=lab.project)):
        assert reader.client.jobs.get(job.name) == job


def assert_usable(lab: Lab, before: JobInfo) -> None:
    after = lab.run(command("echo again"))
    assert (after.status, lab.log(after)) == (JobStatus.COMPLETED, "again\n")
    assert lab.client.jobs.get(before.name) == before


def test_a_step_that_fills_the_disk_fails(small_lab: Lab) -> None:
    before = small_lab.run(command("echo fine"))
    job = small_lab.run(pipeline(step("fill", "head -c 100M /dev/zero > scratch")))
    assert "no space is left on the disk of" in job.error
    assert_full(small_lab, job)
    assert small_lab.client.workspace.collect_garbage() > 10_000_000
    assert_usable(small_lab, before)


def test_an_output_that_cannot_be_stored_is_told(small_lab: Lab) -> None:
    before = small_lab.run(command("echo fine"))
    path = "azureml://datastores/blobs/paths/x"
    line = "head -c 17M /dev/zero > ${{outputs.o}}/x"
    job = small_lab.run(pipeline(step("fill", line, outputs={"o": Output(path=path)})))
    assert "no space left on the disk of" in job.error
    assert str(small_lab.workspace) in job.error
    assert job.status is JobStatus.FAILED
    (output,) = small_lab.workspace.glob("datastores/blobs/x/x")
    assert output.stat().st_size == 17 * 2**20
    assert not list(small_lab.workspace.glob("objects/**/*.tmp"))
    assert_usable(small_lab, before)


def test_a_step_writes_a_very_long_log(lab: Lab, run_job: RunJob) -> None:
    size = 200 * 2**20
    line = "x" * 99
    job = command(f"yes {line} | head -c {size}; echo; echo the end")
    out, _ = run_job(job, "long").communicate(timeout=280)
    status, peak, last = out.split(" ", 2)
    assert (status, last.strip()) == ("Completed", "the end")
    assert int(peak) < 300
    log = Path(lab.client.jobs.get("long").log)
    assert log.stat().st_size == size + len("\nthe end\n")
