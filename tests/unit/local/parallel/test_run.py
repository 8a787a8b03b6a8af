"""Parallel steps of whole jobs: real processes and records."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.lab import HOSTILE, children, pipeline, processes_of, step, wait_for
from tests.unit.local.parallel.conftest import ENTRY, Files

from amlocal.local.process import find_workers
from amlocal.plan import (
    DataValue,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    Settings,
    StepOutput,
)

COMPLETED, FAILED, CANCELED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELED


def scored(job: JobInfo) -> JobInfo:
    """Return the step `score` of a job, which is to have completed."""
    assert job.status is COMPLETED, job.error
    return children(job)["score"]


def rows(info: JobInfo, output: str = "rows") -> list[str]:
    return Path(info.outputs[output].path).read_text().splitlines()


def test_rows_become_the_output_and_reach_the_next_step(files: Files) -> None:
    after = step(
        "after",
        "sort -r ${{inputs.rows}}",
        inputs={"rows": StepOutput(step="score", output="rows")},
    )
    job = files.lab.run(pipeline(files.step(mini_batch_size=3), after))
    info = scored(job)
    assert info.type == "parallel"
    assert rows(info) == ["0", "1", "2", "3"]
    assert files.lab.log(children(job)["after"]).split() == ["3", "2", "1", "0"]
    assert "2 mini-batches of 4 items" in files.lab.log(info)


def test_counts_are_metrics_of_the_step(files: Files) -> None:
    script = ENTRY.replace("in mini_batch]", "in mini_batch if '003' not in file]")
    info = scored(files.lab.run(files.job(script)))
    assert info.metrics == {
        "Total MiniBatches": 4,
        "Processed MiniBatches": 4,
        "Failed MiniBatches": 1,
        "Total Items": 4,
        "Processed Items": 3,
        "Failed Items": 1,
    }


def test_logs_of_workers_are_artifacts_of_the_step(files: Files) -> None:
    info = scored(files.lab.run(files.job(ENTRY.replace("pass", "print('hello')"))))
    logs = files.lab.workspace / "jobs" / info.name / "artifacts" / "logs"
    assert "hello" in (logs / "user" / "stdout" / "0" / "process000.stdout.txt").read_text()
    assert (logs / "job_result.txt").read_text().startswith("completed")


def test_hostile_values_reach_the_script_as_one_argument(files: Files) -> None:
    script = """
        import sys
        def init(): pass
        def run(mini_batch): return sys.argv[1:]
    """
    info = scored(
        files.lab.run(
            files.job(
                script,
                count=1,
                inputs={"text": LiteralValue(value=HOSTILE)},
                program_arguments="--a ${{inputs.text}} '--b=${{inputs.text}}' $HOME "
                "$[[ --n ${{inputs.n}} ]]",
            )
        )
    )
    assert rows(info) == ["--a", HOSTILE, f"--b={HOSTILE}", "$HOME"]


def test_what_the_script_writes_is_taken_in(files: Files) -> None:
    script = ENTRY.replace(
        "return", "[Path(sys.argv[2], Path(f).name).touch() for f in mini_batch]; return"
    )
    info = scored(
        files.lab.run(
            files.job(
                script,
                outputs={"models": Output(mode="upload"), "rows": Output()},
                program_arguments="--out ${{outputs.models}}",
            )
        )
    )
    assert len(list(Path(info.outputs["models"].path).iterdir())) == 4
    # An output that is a folder gets the rows under Azure's name.
    assert (Path(info.outputs["rows"].path) / "parallel_run_step.txt").read_text().count("\n") == 4


def test_an_unchanged_step_is_reused_and_its_folder_is_gone(files: Files) -> None:
    first = scored(files.lab.run(files.job()))
    assert list((files.lab.workspace / "parallel").iterdir()) == []
    # How many work side by side decides no result.
    again = scored(files.lab.run(files.job(max_concurrency_per_instance=3)))
    assert again.reused_from == first.name
    changed = scored(files.lab.run(files.job(mini_batch_size=2)))
    assert changed.reused_from is None


def test_a_threshold_fails_the_step_and_says_why(files: Files) -> None:
    script = ENTRY.replace("return", "raise OSError('no such thing'); return")
    job = files.lab.run(files.job(script, mini_batch_error_threshold=0, max_retries=0))
    assert job.status is FAILED
    info = children(job)["score"]
    assert info.error == (
        "1 mini-batches failed, more than mini_batch_error_threshold 0; "
        "the last: OSError: no such thing"
    )


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("--error_threshold 0", "1 items failed, more than error_threshold 0"),
        ("--allowed_failed_percent=10", "25 % of the mini-batches failed"),
        ("--error_threshold few", "--error_threshold cannot be 'few'"),
        ("--error_threshold", "--error_threshold cannot be ''"),
        ("'--open", "cannot be told apart"),
    ],
)
def test_azures_own_arguments_are_read(files: Files, arguments: str, error: str) -> None:
    script = ENTRY.replace("in mini_batch]", "in mini_batch if '003' not in file]")
    job = files.lab.run(files.job(script, program_arguments=arguments))
    assert job.status is FAILED
    assert error in children(job)["score"].error


def test_environment_variables_and_instances(files: Files) -> None:
    script = """
        import os
        def init(): pass
        def run(mini_batch): return [f"{os.environ['MINE']} {os.environ['OMP_NUM_THREADS']}"]
    """
    info = scored(
        files.lab.run(
            files.job(
                script,
                variables={"MINE": "x", "OMP_NUM_THREADS": "7"},
                instance_count=2,
                max_concurrency_per_instance=2,
            )
        )
    )
    assert rows(info) == ["x 7"] * 4
    assert "workers: 4" in files.lab.log(info)


SLOW = """
    import sys, time
    from pathlib import Path
    def init(): pass
    def run(mini_batch):
        with open({notes!r}, "a") as notes:
            notes.write(Path(mini_batch[0]).name + "\\n")
        time.sleep(0.3)
        Path(sys.argv[2], Path(mini_batch[0]).name).touch()
        return mini_batch
"""


def slow(files: Files) -> str:
    return SLOW.format(notes=str(files.notes))


def test_a_job_that_is_canceled_ends_its_workers(files: Files) -> None:
    options = {"outputs": {"kept": Output()}, "program_arguments": "--out ${{outputs.kept}}"}
    job = files.lab.start(files.job(slow(files), count=50, **options))
    wait_for(lambda: len(files.calls()) > 2)
    assert files.lab.client.jobs.cancel(job.name).status is CANCELED
    wait_for(lambda: processes_of(files.lab) == [])


def test_after_a_kill_the_same_job_goes_on(files: Files) -> None:
    options = {"outputs": {"kept": Output()}, "program_arguments": "--out ${{outputs.kept}}"}
    made = files.job(slow(files), count=10, max_concurrency_per_instance=2, **options)
    job = files.lab.start(made)
    wait_for(lambda: len(files.calls()) > 4)
    for pid in find_workers(files.lab.workspace):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: files.lab.client.jobs.get(job.name).status is FAILED)
    wait_for(lambda: processes_of(files.lab) == [])
    before = len(files.calls())

    info = scored(files.lab.run(made))
    assert rows(info) == [str(files.lab.project / "data" / f"{n:03d}.txt") for n in range(10)]
    # What the first job's mini-batches had written is there too.
    assert len(list(Path(info.outputs["kept"].path).iterdir())) == 10
    assert len(files.calls()) - before < 10
    assert "of them done before" in files.lab.log(info)
    assert list((files.lab.workspace / "parallel").iterdir()) == []


def test_force_rerun_begins_anew(files: Files) -> None:
    script = ENTRY.replace("return", "assert not Path(sys.argv[2]).exists(); return")
    flag = files.lab.project / "flag"
    flag.touch()
    options = {"program_arguments": f"--flag {flag}", "max_retries": 0}
    options["mini_batch_error_threshold"] = 0
    forced = pipeline(files.step(script, **options), settings=Settings(force_rerun=True))
    assert files.lab.run(forced).status is FAILED
    (journal,) = (files.lab.workspace / "parallel").glob("*/journal.jsonl")
    assert journal.read_text().count("\n") == 1
    flag.unlink()
    assert len(rows(scored(files.lab.run(forced)))) == 4


def test_rows_of_an_mltable_are_divided(files: Files) -> None:
    files.lab.write("table/rows.csv", "x\n1\n2\n")
    files.lab.write(
        "table/MLTable",
        "paths:\n  - file: ./rows.csv\ntransformations:\n  - read_delimited: {}\n",
    )
    script = """
        def init(): pass
        def run(mini_batch): return mini_batch.assign(twice=mini_batch["x"] * 2)
    """
    table = DataValue(path=str(files.lab.project / "table"), type="mltable")
    fields = {"inputs": {"data": table}, "is_tabular": True, "mini_batch_size": 1}
    made = files.job(script, **fields)
    assert rows(scored(files.lab.run(made))) == ["1 2", "2 4"]
