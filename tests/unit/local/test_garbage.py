from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab import Lab, children, command, pipeline, step, wait_for

from amlocal.local import joblock
from amlocal.local.garbage import size
from amlocal.plan import JobInfo, JobStatus, Output


def collect(lab: Lab) -> int:
    would = lab.client.workspace.collect_garbage(dry_run=True)
    freed = lab.client.workspace.collect_garbage()
    assert freed == would
    return freed


def model_job(lab: Lab) -> JobInfo:
    code = lab.write("src/x.sh", "head -c 100000 /dev/zero > $1/m\n").parent
    train = step("train", "sh x.sh ${{outputs.m}}", code=code, outputs={"m": Output()})
    job = lab.run(pipeline(train))
    assert job.status is JobStatus.COMPLETED, job.error
    return job


def test_what_a_recorded_job_left_stays(lab: Lab) -> None:
    job = model_job(lab)
    place = Path(children(job)["train"].outputs["m"].path)
    code = children(job)["train"].tracking.code
    assert code is not None
    assert collect(lab) == 0
    shutil.rmtree(place)
    again = model_job(lab)
    assert children(again)["train"].reused_from
    assert (place / "m").stat().st_size == 100000
    # The code that ran can be had again too.
    lab.services.artifacts.restore(code["hash"], lab.project / "code")
    assert (lab.project / "code" / "x.sh").exists()


def test_the_folders_of_a_job_without_a_record_go(lab: Lab) -> None:
    for folder in ("jobs/gone", "datastores/workspaceblobstore/azureml/gone"):
        lab.write(f".amlocal/{folder}/x", "x" * 1000)
    assert collect(lab) >= 2000
    assert not (lab.workspace / "jobs" / "gone").exists()
    assert not (lab.workspace / "datastores/workspaceblobstore/azureml/gone").exists()
    assert collect(lab) == 0


def test_predictions_of_references_go(lab: Lab) -> None:
    lab.write(".amlocal/cache/predictions/a.parquet", "x" * 1000)
    assert collect(lab) == 1000
    assert not (lab.workspace / "cache" / "predictions").exists()


def test_the_folder_of_a_job_that_is_being_created_stays(lab: Lab) -> None:
    lock = joblock.take(lab.services.workspace.job("soon"))
    assert lock is not None
    collect(lab)
    assert joblock.is_held(lab.services.workspace.job("soon"))
    os.close(lock)


def test_stored_files_that_nothing_names_go(lab: Lab) -> None:
    lab.services.artifacts.store(lab.write("x", "x" * 1000), link=False)
    assert collect(lab) == 1000


def test_the_working_folder_of_a_failed_job_goes_and_its_log_stays(lab: Lab) -> None:
    job = lab.run(command("echo why; head -c 5000 /dev/zero > scratch; false"))
    assert collect(lab) >= 5000
    assert not (lab.workspace / "jobs" / job.name / "wd").exists()
    assert lab.log(job) == "why\n"


def test_a_running_job_keeps_what_it_needs(lab: Lab) -> None:
    code = lab.write("src/x.sh", "echo late\n").parent
    first = step("first", "echo up; sleep 1.5", outputs={"o": Output()})
    second = step("second", "sh x.sh", code=code)
    lab.start(pipeline(first, second), name="fig", max_parallel=1)
    log = lab.workspace / "jobs" / "fig_first" / "artifacts" / "user_logs" / "std_log.txt"
    wait_for(lambda: log.exists() and "up" in log.read_text())
    lab.client.workspace.collect_garbage()
    wait_for(lambda: lab.client.jobs.get("fig").status.is_terminal)
    job = lab.client.jobs.get("fig")
    assert job.status is JobStatus.COMPLETED, children(job)["second"].error


def test_a_linked_file_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(1000))
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    (tmp_path / "c").write_bytes(bytes(10))
    assert size(tmp_path) == 1010


def test_an_interrupted_search_goes_unless_it_runs(lab: Lab) -> None:
    kept = lab.write(".amlocal/automl/abc/state/0", "x" * 1000)
    lock = joblock.take(kept.parents[1])
    assert lock is not None
    assert collect(lab) == 0
    os.close(lock)
    assert collect(lab) >= 1000
    assert not kept.exists()
