"""What a step gets and what becomes of what it leaves: real processes, trivial commands."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.lab import HOSTILE, PYTHON, Lab, Recording, children, command, pipeline, step

from amlocal.plan import (
    DataValue,
    Distribution,
    Input,
    JobInfo,
    JobStatus,
    LiteralValue,
    Output,
    ParentInput,
    StepOutput,
)

ECHO = r"printf '%s\n'"


def completed(job: JobInfo) -> JobInfo:
    assert job.status is JobStatus.COMPLETED, job.error
    return job


def text(value: bool | float | str) -> LiteralValue:
    return LiteralValue(value=value)


def artifacts(lab: Lab, job: JobInfo) -> Path:
    return lab.services.workspace.job(job.name) / "artifacts"


def test_a_command_jobs_output_and_errors_are_one_log(lab: Lab) -> None:
    job = completed(lab.run(command("echo out; echo err >&2; echo end")))
    assert lab.log(job) == "out\nerr\nend\n"
    assert Path(job.log).relative_to(artifacts(lab, job)) == Path("user_logs/std_log.txt")


@pytest.mark.parametrize(
    "line",
    [
        "${{inputs.v}}",
        '"${{inputs.v}}"',
        "'${{inputs.v}}'",
        '"$(printf %s ${{inputs.v}})"',
        "$[[${{inputs.v}}]]",
    ],
)
def test_a_hostile_value_reaches_the_program_as_it_is(lab: Lab, line: str) -> None:
    job = completed(lab.run(command(f"{ECHO} {line}; ls", inputs={"v": text(HOSTILE)})))
    assert lab.log(job).splitlines() == [HOSTILE, "logs", "outputs"]


def test_literals_reach_the_program(lab: Lab) -> None:
    given = {"n": text(3), "x": text(0.1), "flag": text(False), "words": text("two  words")}
    line = f"{ECHO} ${{{{inputs.n}}}} ${{{{inputs.x}}}} ${{{{inputs.flag}}}} ${{{{inputs.words}}}}"
    job = completed(lab.run(command(line, inputs=given)))
    assert lab.log(job).splitlines() == ["3", "0.1", "False", "two  words"]
    assert job.inputs["words"].value == "two  words"


def test_optional_arguments_come_and_go(lab: Lab) -> None:
    line = f"{ECHO} a $[[--seed ${{{{inputs.seed}}}}]] b"
    declared = {"seed": Input(type="integer", optional=True)}
    assert lab.log(lab.run(command(line, declared=declared))).split() == ["a", "b"]
    given = {"seed": text(1)}
    assert lab.log(lab.run(command(line, inputs=given))).split() == ["a", "--seed", "1", "b"]


def test_code_and_includes_are_in_the_working_folder(lab: Lab) -> None:
    code = lab.write("src/run.sh", "#!/bin/sh\ncat shared/x.txt\nls\n").parent
    lab.write("src/skip.log", "")
    lab.write("src/.amlignore", "*.log\n")
    shared = lab.write("lib/shared/x.txt", "shared\n").parent
    job = lab.run(command("./run.sh", code=code, additional_includes=(str(shared),)))
    assert lab.log(completed(job)).split() == ["shared", "logs", "outputs", "run.sh", "shared"]
    assert job.tracking.code is not None
    assert job.tracking.code["files"] == 3


def test_outputs_go_to_their_default_place(lab: Lab) -> None:
    outputs = {"folder": Output(), "file": Output(type="uri_file")}
    line = "echo a > ${{outputs.folder}}/a.txt; echo f > ${{outputs.file}}"
    job = completed(lab.run(command(line, outputs=outputs)))
    store = lab.workspace / "datastores" / "workspaceblobstore" / "azureml" / job.name
    assert (store / "folder" / "a.txt").read_text() == "a\n"
    assert (store / "file").read_text() == "f\n"
    assert job.outputs["file"].uri == (
        f"azureml://datastores/workspaceblobstore/paths/azureml/{job.name}/file"
    )


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_an_output_goes_to_its_own_path(lab: Lab, mode: str) -> None:
    path = "azureml://datastores/blobs/paths/runs/${{name}}/"
    line = 'echo "${{outputs.o}}" > ${{outputs.o}}/where.txt'
    job = completed(lab.run(command(line, outputs={"o": Output(path=path, mode=mode)})))
    place = lab.workspace / "datastores" / "blobs" / "runs" / job.name
    written = Path((place / "where.txt").read_text().strip())
    assert (written == place) is (mode == "rw_mount")
    assert job.outputs["o"].path == str(place)


def test_a_missing_file_is_a_failure_that_keeps_the_log(lab: Lab) -> None:
    job = lab.run(command("echo done > logs/x.log", outputs={"o": Output(type="uri_file")}))
    assert job.status is JobStatus.FAILED
    assert "the output 'o' is a uri_file, but there is nothing at" in job.error
    assert (artifacts(lab, job) / "logs" / "x.log").read_text() == "done\n"


def test_a_jobs_own_outputs_and_logs_are_kept(lab: Lab) -> None:
    job = completed(lab.run(command("echo m > outputs/m.bin; echo l > logs/l.log; touch other")))
    found = {
        p.relative_to(artifacts(lab, job)).as_posix() for p in artifacts(lab, job).rglob("*.*")
    }
    assert found == {"outputs/m.bin", "logs/l.log", "user_logs/std_log.txt"}


def test_the_reserved_output_is_the_steps_artifacts(lab: Lab) -> None:
    writer = step(
        "writer", "echo hello > outputs/h.txt; echo said", outputs={"artifacts": Output()}
    )
    line = "cat ${{inputs.a}}/outputs/h.txt ${{inputs.a}}/user_logs/std_log.txt"
    reader = step("reader", line, inputs={"a": StepOutput(step="writer", output="artifacts")})
    first = completed(lab.run(pipeline(writer, reader)))
    assert lab.log(children(first)["reader"]) == "hello\nsaid\n"
    # A later job gets the artifacts of the step that is reused, and reuses the reader too.
    again = completed(lab.run(pipeline(writer, reader)))
    assert all(child.reused_from for child in again.children)


def test_the_reserved_output_may_be_empty(lab: Lab) -> None:
    writer = step("writer", "echo said", outputs={"artifacts": Output()})
    given = {"a": StepOutput(step="writer", output="artifacts")}
    reader = step("reader", "cat ${{inputs.a}}/user_logs/std_log.txt", inputs=given)
    other = step("reader", "cat ${{inputs.a}}/user_logs/*", inputs=given)
    job = completed(lab.run(pipeline(writer, reader)))
    assert lab.log(children(job)["reader"]) == "said\n"
    # The writer is reused: its artifacts are those of the run that it took over.
    job = completed(lab.run(pipeline(writer, other)))
    assert lab.log(children(job)["reader"]) == "said\n"


def test_outputs_flow_from_step_to_step(lab: Lab) -> None:
    data = lab.write("data.txt", "3 rows\n")
    prepare = step(
        "prepare",
        "tr a-z A-Z < ${{inputs.raw}} > ${{outputs.clean}}",
        inputs={"raw": ParentInput(name="raw", type="uri_file")},
        outputs={"clean": Output(type="uri_file")},
    )
    train = step(
        "train",
        "cat ${{inputs.clean}}; echo ${{inputs.rate}}",
        inputs={"clean": StepOutput(step="prepare", output="clean"), "rate": text(0.5)},
    )
    job = pipeline(train, prepare, inputs={"raw": DataValue(path=str(data), type="uri_file")})
    done = completed(lab.run(job))
    assert lab.log(children(done)["train"]) == "3 ROWS\n0.5\n"
    assert children(done)["train"].inputs["clean"].digest == (
        children(done)["prepare"].outputs["clean"].digest
    )


def test_a_download_is_the_steps_own_copy(lab: Lab) -> None:
    data = lab.write("data/a.txt", "a")
    given = {"d": DataValue(path=str(data.parent), mode="download")}
    job = lab.run(
        command("echo more >> ${{inputs.d}}/a.txt; cat ${{inputs.d}}/a.txt", inputs=given)
    )
    assert lab.log(completed(job)) == "amore\n"
    assert data.read_text() == "a"


@pytest.mark.parametrize(
    "line",
    [
        "echo x >> ${{inputs.d}}/a.txt",
        "rm ${{inputs.d}}/a.txt",
        "rm -r ${{inputs.d}}",
        "touch ${{inputs.d}}/new",
    ],
)
def test_a_step_that_changes_its_input_fails(lab: Lab, line: str) -> None:
    data = lab.write("data/a.txt", "a")
    job = lab.run(command(line, inputs={"d": DataValue(path=str(data.parent))}))
    assert job.status is JobStatus.FAILED
    assert f"the step changed its input 'd' ({data.parent})" in job.error
    assert "mode: download" in job.error


def test_a_direct_input_is_the_address(lab: Lab) -> None:
    address = "https://example.net/data.csv"
    given = {"d": DataValue(path=address, type="uri_file", mode="direct")}
    job = lab.run(command("echo ${{inputs.d}}", inputs=given))
    assert lab.log(completed(job)) == f"{address}\n"


def test_data_that_is_not_there_fails_the_job(lab: Lab) -> None:
    job = lab.run(command("true", inputs={"d": DataValue(path="/nothing/here")}))
    assert job.status is JobStatus.FAILED
    assert "there is no data at /nothing/here" in job.error


def test_a_job_knows_its_run(lab: Lab) -> None:
    line = f"{PYTHON} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    inner = step(
        "inner",
        line,
        inputs={"n": text(1)},
        outputs={"o": Output()},
        variables={"OWN": "n is ${{inputs.n}}"},
    )
    job = completed(lab.run(pipeline(inner)))
    child = job.children[0]
    variables = json.loads(lab.log(child))
    assert variables["AZUREML_RUN_ID"] == child.name
    assert variables["AZUREML_ROOT_RUN_ID"] == job.name
    assert variables["MLFLOW_RUN_ID"] == child.tracking.run_id
    assert variables["MLFLOW_TRACKING_URI"] == job.tracking.uri
    assert variables["MLFLOW_EXPERIMENT_ID"] == job.tracking.experiment_id
    assert variables["MLFLOW_EXPERIMENT_NAME"] == "tests"
    assert variables["AZUREML_ARM_WORKSPACE_NAME"] == "project"
    assert variables["AZUREML_CR_NODE_RANK"] == "0"
    assert variables["AZURE_ML_INPUT_n"] == "1"
    assert variables["AZURE_ML_OUTPUT_o"] == child.outputs["o"].path
    assert variables["OWN"] == "n is ${{inputs.n}}"
    assert variables["PYTHONUNBUFFERED"] == "1"


def test_the_tools_own_python_is_not_passed_on(tmp_path: Path, shared_folder: Path) -> None:
    environ = {
        **os.environ,
        "PYTHONPATH": "/elsewhere",
        "MLFLOW_RUN_ID": "other",
        "AZUREML_RUN_ID": "other",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MINE": "kept",
    }
    lab = Lab.open(tmp_path / "project", shared=shared_folder, environ=environ)
    job = completed(
        lab.run(command("echo [$PYTHONPATH] [$PYTHONDONTWRITEBYTECODE] $MINE $AZUREML_RUN_ID"))
    )
    assert lab.log(job).split() == ["[]", "[]", "kept", job.name]


def test_a_failing_command_is_told_with_its_last_line(lab: Lab) -> None:
    job = lab.run(command("echo all well; echo 'ValueError: no rows' >&2; exit 7"))
    assert job.status is JobStatus.FAILED
    assert job.error == ("the command ended with exit code 7; its log ends: ValueError: no rows")


def test_a_failing_command_is_told_with_what_goes_on_below_its_last_line(lab: Lab) -> None:
    job = lab.run(command("printf 'well\\nerror: no rows\\n  -> give some\\n' >&2; exit 1"))
    assert job.error == (
        "the command ended with exit code 1; its log ends: error: no rows -> give some"
    )


def test_a_signal_is_told(lab: Lab) -> None:
    job = lab.run(command("kill -SEGV $$"))
    assert (job.status, job.error) == (JobStatus.FAILED, "the command ended with signal 11")


def test_a_failed_jobs_artifacts_and_working_folder_are_kept(lab: Lab) -> None:
    job = lab.run(command("echo half > outputs/half.txt; echo x > scratch; false"))
    assert (artifacts(lab, job) / "outputs" / "half.txt").read_text() == "half\n"
    assert (lab.services.workspace.job(job.name) / "wd" / "scratch").exists()


def test_what_a_command_leaves_behind_does_not_fail_it(lab: Lab) -> None:
    line = "(while true; do echo x > f$RANDOM; done) & sleep 0.1; echo done"
    assert lab.log(completed(lab.run(command(line)))) == "done\n"


def test_a_distributed_step_runs_in_several_processes(lab: Lab) -> None:
    job = lab.run(
        command(
            "echo $RANK of $WORLD_SIZE at $MASTER_ADDR:$MASTER_PORT",
            distribution=Distribution(type="pytorch", process_count_per_instance=2),
            instance_count=2,
        )
    )
    completed(job)
    logs = sorted(Path(job.log).parent.iterdir())
    assert [log.name for log in logs] == [f"std_log_process_{n:02d}.txt" for n in range(4)]
    lines = [log.read_text().split() for log in logs]
    assert [words[0] for words in lines] == ["0", "1", "2", "3"]
    assert len({words[-1] for words in lines}) == 1


def test_one_failing_process_ends_the_others(lab: Lab) -> None:
    line = "echo rank $RANK; if [ $RANK = 1 ]; then sleep 0.2; exit 3; fi; sleep 60"
    distribution = Distribution(type="mpi", process_count_per_instance=3)
    reporter = Recording()
    job = lab.run(command(line, distribution=distribution), reporter=reporter)
    assert job.status is JobStatus.FAILED
    assert job.error == "the command ended with exit code 3; its log ends: rank 1"
    assert job.duration < 4
    assert sorted(reporter.logs[job.name].splitlines()) == ["rank 0", "rank 1", "rank 2"]
