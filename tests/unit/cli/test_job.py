from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.unit.cli.fakes import (
    SERVER,
    FakeAzureClient,
    FakeLocalClient,
    aml,
    command,
    pipeline,
    step,
)

from amlocal.errors import Problem, SpecError
from amlocal.plan import JobStatus, Tracking
from amlocal.plan.reporter import Reporter

RUN_PAGE = f"{SERVER}/#/experiments/7/runs/r1?workflowType=machine_learning"


def run_train(reporter: Reporter) -> None:
    """Tell what an engine tells of a pipeline of one step."""
    reporter.note("starting the tracking server")
    waiting = step("train", JobStatus.NOT_STARTED)
    reporter.job_started(pipeline(waiting, status=JobStatus.RUNNING, warnings=("no GPU here",)))
    reporter.step_changed(step("train", JobStatus.RUNNING))
    reporter.log(step("train", JobStatus.RUNNING), "epoch 1\nepoch 2\n")
    reporter.step_changed(step("train"))
    reporter.job_finished(pipeline(step("train")))


def test_create_passes_every_flag_on() -> None:
    client = FakeLocalClient()
    aml(
        *[
            "job",
            "create",
            "-f",
            "a.yml",
            "--set",
            "x=1",
            "-n",
            "mine",
            "--max-parallel",
            "2",
            "--environment",
            "current",
        ],
        client=client,
    )
    assert client.jobs.calls == [
        (
            "create_or_update",
            {
                "job": "a.yml",
                "follows": False,
                "overrides": ["x=1"],
                "name": "mine",
                "max_parallel": 2,
                "environment": "current",
            },
        )
    ]


def test_create_leaves_the_defaults_to_the_client() -> None:
    client = FakeLocalClient()
    aml("job", "create", "-f", "a.yml", client=client)
    given = client.jobs.calls[0][1]
    assert given["max_parallel"] is None
    assert given["environment"] == "auto"
    assert given["name"] is None


def test_create_prints_the_job_for_scripts() -> None:
    outcome = aml("job", "create", "-f", "a.yml")
    job = json.loads(outcome.out)
    assert outcome.code == 0
    assert job["name"] == "lifecycle_1"
    assert job["services"]["Studio"]["endpoint"] == RUN_PAGE
    assert (
        aml(*["job", "create", "-f", "a.yml", "--query", "name", "-o", "tsv"]).out
        == "lifecycle_1\n"
    )


def test_create_tells_people_how_to_follow() -> None:
    out = aml("job", "create", "-f", "a.yml", tty=True).out
    assert "aml job stream -n lifecycle_1" in out
    assert "aml job cancel -n lifecycle_1" in out


def test_create_warns_of_what_the_target_does_not_do() -> None:
    client = FakeLocalClient()
    client.jobs.jobs = [pipeline(warnings=("resources: ignored here",))]
    assert (
        aml("job", "create", "-f", "a", client=client).err == "warning: resources: ignored here\n"
    )
    quiet = aml("job", "create", "-f", "a", "--only-show-errors", client=client)
    assert quiet.err == ""


@pytest.mark.parametrize(
    ("status", "code"),
    [(JobStatus.COMPLETED, 0), (JobStatus.FAILED, 1), (JobStatus.CANCELED, 1)],
)
@pytest.mark.parametrize("argv", ["job create -f a.yml --stream", "job stream -n lifecycle_1"])
def test_following_a_job_ends_with_how_it_ended(argv: str, status: JobStatus, code: int) -> None:
    client = FakeLocalClient()
    client.jobs.jobs = [pipeline(step("train", status), status=status)]
    assert aml(*argv.split(), client=client).code == code
    client.jobs.jobs = [command(status)]
    assert aml(*argv.split(), client=client).code == code


def test_stream_in_a_pipe_is_lines_and_a_summary() -> None:
    client = FakeLocalClient()
    client.jobs.script = run_train
    client.jobs.jobs = [pipeline(step("train", metrics={"auc": 0.93}))]
    outcome = aml(*["job", "create", "-f", "a.yml", "-s"], client=client)
    lines = outcome.out.splitlines()
    assert client.jobs.calls[0][1]["follows"]
    assert lines[:7] == [
        "-- starting the tracking server",
        "-- lifecycle_1: pipeline job, 1 step",
        "-- warning: no GPU here",
        "-- train: Running",
        "train | epoch 1",
        "train | epoch 2",
        "-- train: Completed (2.0 s)",
    ]
    assert "  train  auc 0.93" in lines
    assert f"  run      {RUN_PAGE}" in lines
    assert "  models   aml model list" in lines


def test_stream_with_an_output_format_keeps_stdout_for_the_result() -> None:
    client = FakeLocalClient()
    client.jobs.script = run_train
    outcome = aml(*["job", "create", "-f", "a.yml", "--stream", "-o", "json"], client=client)
    assert json.loads(outcome.out)["name"] == "lifecycle_1"
    assert "train | epoch 1" in outcome.err


def test_stream_on_a_terminal_draws_the_tree() -> None:
    client = FakeLocalClient()
    client.jobs.script = run_train
    outcome = aml(*["job", "create", "-f", "a.yml", "--stream"], client=client, tty=True)
    assert "└─ " in outcome.out
    assert "1 of 1 step" in outcome.out
    assert "train | epoch" not in outcome.out


def test_a_dumb_terminal_gets_lines() -> None:
    client = FakeLocalClient()
    client.jobs.script = run_train
    environ = {"TERM": "dumb"}
    outcome = aml(*["job", "stream", "-n", "lifecycle_1"], client=client, tty=True, environ=environ)
    assert "train | epoch 1" in outcome.out
    assert "\x1b" not in outcome.out


def test_failures_show_the_end_of_the_log_and_where_it_is(tmp_path: Path) -> None:
    log = tmp_path / "std_log.txt"
    log.write_text("".join(f"line {i}\n" for i in range(50)) + "ValueError: \x1b[31mno rows\n")
    failed = step("train", JobStatus.FAILED, error="exit code 1\nin 3 s", log=str(log))
    client = FakeLocalClient()
    client.jobs.jobs = [pipeline(failed, status=JobStatus.FAILED)]
    out = aml(*["job", "stream", "-n", "lifecycle_1"], client=client).out
    assert "train failed: exit code 1\n  in 3 s\n" in out
    assert "  | line 49\n  | ValueError: no rows\n" in out
    assert "line 20\n" not in out
    assert f"  log: {log}\n" in out


def test_ctrl_c_while_following_leaves_the_job_running() -> None:
    client = FakeLocalClient()
    client.jobs.error = KeyboardInterrupt()
    outcome = aml("job", "stream", "-n", "hello_1", client=client)
    assert outcome.code == 130
    assert "aml job cancel -n hello_1" in outcome.err


def test_ctrl_c_while_running_gives_the_terminal_back() -> None:
    client = FakeLocalClient()
    client.jobs.script = run_train
    client.jobs.error = KeyboardInterrupt()
    outcome = aml("job", "create", "-f", "a", "--stream", client=client, tty=True)
    assert outcome.code == 130
    assert outcome.out.rindex("\x1b[?25h") > outcome.out.rindex("\x1b[?25l")  # the cursor


def test_web_opens_the_run_and_starts_its_server() -> None:
    client = FakeLocalClient()
    outcome = aml("job", "show", "-n", "lifecycle_1", "--web", client=client)
    assert outcome.pages == [RUN_PAGE]
    assert client.workspace.is_up
    assert json.loads(outcome.out)["name"] == "lifecycle_1"


def test_web_opens_the_studio_for_a_job_in_azure() -> None:
    client = FakeAzureClient()
    client.jobs.jobs = [pipeline(page="https://ml.azure.com/runs/x")]
    outcome = aml(*["job", "create", "-f", "a.yml", "-e", "--target", "azure"], client=client)
    assert outcome.pages == ["https://ml.azure.com/runs/x"]


def test_web_says_when_there_is_no_page_yet() -> None:
    client = FakeLocalClient()
    client.jobs.jobs = [command(tracking=Tracking())]
    outcome = aml("job", "create", "-f", "a", "--web", client=client)
    assert outcome.pages == []
    assert "job hello_1 has no page to open yet" in outcome.err


def test_save_as_writes_the_job_as_yaml(tmp_path: Path) -> None:
    target = tmp_path / "job.yml"
    aml("job", "create", "-f", "a.yml", "--save-as", str(target))
    assert yaml.safe_load(target.read_text())["children"][0]["step"] == "train"
    assert [path.name for path in tmp_path.iterdir()] == ["job.yml"]


def test_save_as_below_a_file_is_an_error_after_the_job_was_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = aml("job", "create", "-f", "a.yml", "-a", str(tmp_path / "file" / "job.yml"))
    assert outcome.code == 3
    assert json.loads(outcome.out)["name"] == "lifecycle_1"
    assert "Not a directory" in outcome.err or "File exists" in outcome.err


def test_a_dry_run_prints_the_requests_and_follows_nothing() -> None:
    client = FakeAzureClient()
    outcome = aml(
        *["job", "create", "-f", "a", "--stream", "--web", "--target", "azure", "--dry-run"],
        client=client,
    )
    assert json.loads(outcome.out) == [{"method": "PUT", "path": "/jobs/x", "body": {"a": 1}}]
    assert outcome.connected[0]["dry_run"] is True
    assert not client.jobs.calls[0][1]["follows"]
    assert outcome.pages == []


def test_a_dry_run_here_is_refused() -> None:
    outcome = aml("job", "create", "-f", "a", "--dry-run")
    assert (outcome.code, outcome.connected) == (2, [])
    assert "--target azure" in outcome.err


def test_validate_prints_the_result_as_the_sdk_does() -> None:
    client = FakeLocalClient()
    client.jobs.jobs = [pipeline(step("train"), warnings=("w",))]
    outcome = aml(*["job", "validate", "-f", "a.yml", "--set", "x=1"], client=client)
    assert json.loads(outcome.out) == {"result": "Succeeded", "errors": [], "warnings": ["w"]}
    assert client.jobs.calls == [("validate", {"job": "a.yml", "overrides": ["x=1"]})]
    told = aml("job", "validate", "-f", "a.yml", client=client, tty=True)
    assert told.out == "a.yml can run: a pipeline job of 1 step\n"
    assert told.err == "warning: w\n"


def test_validate_lists_the_problems_as_data_where_data_is_asked_for() -> None:
    client = FakeLocalClient()
    client.jobs.error = SpecError([Problem("no input 'x'", "add it", file="a.yml", line=3)])
    outcome = aml("job", "validate", "-f", "a.yml", "-o", "json", client=client)
    assert outcome.code == 2
    assert outcome.err == "a.yml:3: no input 'x'; add it\n"
    (error,) = json.loads(outcome.out)["errors"]
    assert error == {"message": "no input 'x'", "hint": "add it", "file": "a.yml", "line": 3}
    assert aml("job", "validate", "-f", "a.yml", client=client).out == ""


@pytest.mark.parametrize(
    ("argv", "results", "view", "parent"),
    [
        ("", 50, "ActiveOnly", None),
        ("-r 3 --archived-only", 3, "ArchivedOnly", None),
        ("--all-results --include-archived", None, "All", None),
        ("--all-results true", None, "ActiveOnly", None),
        ("--all-results false -p lifecycle_1", 50, "ActiveOnly", "lifecycle_1"),
    ],
)
def test_list_passes_its_flags_on(
    argv: str, results: int | None, view: str, parent: str | None
) -> None:
    client = FakeLocalClient()
    aml("job", "list", *argv.split(), client=client)
    assert client.jobs.calls == [
        ("list", {"parent_job_name": parent, "max_results": results, "list_view_type": view})
    ]


def test_list_in_each_form() -> None:
    assert [job["name"] for job in json.loads(aml("job", "list").out)] == ["lifecycle_1"]
    assert aml("job", "list", tty=True).out.splitlines()[0].startswith("Name         Status")
    assert "Display_name" in aml("job", "list", "-o", "table").out
    query = "[?status=='Completed'].{Name:name,State:status}"
    table = aml("job", "list", "--query", query, "-o", "table").out
    assert table.splitlines() == [
        "Name         State",
        "-----------  ---------",
        "lifecycle_1  Completed",
    ]


def test_an_empty_list_says_what_to_do_next() -> None:
    client = FakeLocalClient()
    client.jobs.jobs = []
    assert "aml job create" in aml("job", "list", client=client, tty=True).out
    assert aml("job", "list", client=client).out == "[]\n"
    assert aml("job", "list", "-o", "table", client=client).out == ""


def test_a_narrow_terminal_is_not_overrun() -> None:
    client = FakeLocalClient()
    client.jobs.jobs = [pipeline(experiment_name="a_long_experiment_name" * 3)]
    out = aml("job", "list", client=client, tty=True, environ={"COLUMNS": "60"}).out
    assert max(map(len, out.splitlines())) <= 60


def test_show_of_an_unknown_job_suggests_a_known_one() -> None:
    outcome = aml("job", "show", "-n", "lifecycle_2")
    assert outcome.code == 2
    assert "did you mean 'lifecycle_1'?" in outcome.err


def test_download_passes_its_flags_on(tmp_path: Path) -> None:
    client = FakeLocalClient()
    where = str(tmp_path)
    outcome = aml(*f"job download -n j --output-name model -p {where}".split(), client=client)
    given = {"name": "j", "download_path": tmp_path, "output_name": "model", "all": False}
    assert client.jobs.calls == [("download", given)]
    assert json.loads(outcome.out) == {"download_path": str(tmp_path / "j")}
    assert aml(*["job", "download", "-n", "j", "--all", "--output-name", "m"]).code == 2
    assert aml(*["job", "download", "-n", "j", "--all"], tty=True).out == "downloaded to j\n"


@pytest.mark.parametrize("verb", ["archive", "restore"])
def test_archive_and_restore_are_silent_for_scripts(verb: str) -> None:
    client = FakeLocalClient()
    outcome = aml("job", verb, "-n", "lifecycle_1", client=client)
    assert (outcome.code, outcome.out) == (0, "")
    assert client.jobs.calls == [(verb, {"name": "lifecycle_1"})]
    assert "job lifecycle_1" in aml("job", verb, "-n", "lifecycle_1", tty=True).out


def test_cancel_prints_the_job() -> None:
    client = FakeLocalClient()
    assert json.loads(aml("job", "cancel", "-n", "x", client=client).out)["name"] == "lifecycle_1"
    assert client.jobs.calls == [("cancel", {"name": "x"})]


def test_explain_reuse_tells_each_step() -> None:
    out = aml("job", "explain-reuse", "-n", "lifecycle_1", tty=True).out
    assert out.splitlines() == [
        "↻ split: nothing changed",
        "● train: the code changed",
        "    train.py: 1a -> 2b",
    ]
    steps = json.loads(aml("job", "explain-reuse", "-n", "lifecycle_1").out)
    assert steps[0]["reused_from"] == "lifecycle_0_split"
    assert steps[1]["changed"] == ["train.py: 1a -> 2b"]


def test_explain_reuse_is_for_this_machine() -> None:
    argv = ["job", "explain-reuse", "-n", "x", "--target", "azure"]
    outcome = aml(*argv, client=FakeAzureClient())
    assert outcome.code == 2
    assert "--target local" in outcome.err


def test_flags_that_name_an_azure_workspace_are_noted_here() -> None:
    outcome = aml("job", "list", "-w", "ws", "-g", "rg")
    assert outcome.code == 0
    assert outcome.err.startswith("note: -w and -g choose a workspace of --target azure")
