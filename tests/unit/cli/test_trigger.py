"""`aml trigger`, from the command line to the records of a workspace."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.faults.evaluate_triggers import NoScheduler
from tests.lab import wait_for

from amlocal.cli.main import main
from amlocal.client import connect

TRIGGER = """
name: retrain
event: {type: drift, monitor: weekly}
create_job:
  job: job.yml
  inputs: {signal: "${{event.signal}}"}
"""
JOB = """
type: command
command: echo ${{inputs.signal}}
inputs: {signal: none}
environment: {image: python:3.11}
compute: local
"""


@dataclass
class Shell:
    """Command lines in a project of their own."""

    folder: Path
    has_scheduler: bool = False

    @property
    def environ(self) -> dict[str, str]:
        return {"AMLOCAL_HOME": str(self.folder / ".amlocal"), "PATH": "/usr/bin:/bin"}

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        code = main(
            words,
            stdout=out,
            stderr=err,
            environ=self.environ,
            stdin=io.StringIO(),
            connect=self.connect,
        )
        return code, out.getvalue(), err.getvalue()

    def connect(self, *words: Any, **fields: Any) -> Any:
        client = connect(*words, **fields)
        if self.has_scheduler:
            return client
        own = dataclasses.replace(client.triggers, scheduler=NoScheduler())
        return dataclasses.replace(client, triggers=own)

    def data(self, *words: str) -> Any:
        code, out, err = self.run(*words)
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trigger.yml").write_text(TRIGGER)
    (tmp_path / "job.yml").write_text(JOB)
    return Shell(tmp_path)


def test_a_trigger_is_made_changed_and_removed(shell: Shell) -> None:
    assert shell.data("trigger", "list") == []
    made = shell.data("trigger", "create", "-f", "trigger.yml")
    assert (made["name"], made["is_enabled"]) == ("retrain", True)
    assert made["event"] == {"type": "drift", "path": "", "monitor": "weekly", "model": ""}
    assert shell.data("trigger", "disable", "-n", "retrain")["is_enabled"] is False
    assert shell.data("trigger", "enable", "-n", "retrain")["is_enabled"] is True
    setting = "conditions.cool_down=PT1M"
    assert shell.data("trigger", "create", "-f", "trigger.yml", "--set", setting)
    assert shell.data("trigger", "show", "-n", "retrain")["conditions"]["cool_down"] == 60
    code, _, err = shell.run("trigger", "delete", "-n", "retrain")
    assert (code, "add --yes" in err) == (2, True)
    assert shell.run("trigger", "delete", "-n", "retrain", "-y")[0] == 0
    assert shell.data("trigger", "list") == []


def test_what_would_start_is_told_and_nothing_starts(shell: Shell) -> None:
    shell.data("trigger", "create", "-f", "trigger.yml")
    assert shell.data("trigger", "evaluate", "--dry-run") == []
    record = ("trigger", "record", "--type", "drift", "--source", "weekly", "--key", "weekly:1")
    (event,) = shell.data(*record, "--detail", "signal=age")
    assert shell.data(*record) == [event], "recorded once"
    (told,) = shell.data("trigger", "evaluate", "--dry-run")
    assert (told["outcome"], told["event"]) == ("fired", event["id"])
    assert shell.data("job", "list") == []
    assert shell.data("trigger", "log") == []
    assert shell.data("trigger", "events") == [event]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_job_tells_which_event_started_it(shell: Shell) -> None:
    shell.has_scheduler = True
    shell.data("trigger", "create", "-f", "trigger.yml")
    (told,) = shell.data("trigger", "run-now", "-n", "retrain", "--detail", "signal=age")
    assert (told["outcome"], told["job"]) == ("fired", "retrain_1")
    client = connect(path=shell.folder / ".amlocal", environ=shell.environ)
    wait_for(lambda: client.jobs.get("retrain_1").status.is_terminal, seconds=90)
    job = shell.data("job", "show", "-n", "retrain_1")
    assert job["tags"] == {"trigger": "retrain", "event": "1", "event_type": "on_demand"}
    assert job["inputs"]["signal"]["value"] == "age"
    assert shell.data("trigger", "log", "-n", "retrain") == [told]
    # The scheduler hears of what a monitor tells.
    record = ("trigger", "record", "--type", "drift", "--source", "weekly")
    shell.data(*record, "--detail", "signal=sex")
    wait_for(lambda: len(shell.data("trigger", "log")) == 2, seconds=60)
    assert shell.data("trigger", "log")[0]["job"] == "retrain_2"
    assert shell.run("workspace", "down")[0] == 0


def test_a_job_that_cannot_run_is_told_of_before_there_is_a_trigger(shell: Shell) -> None:
    (shell.folder / "job.yml").write_text(JOB.replace("inputs.signal", "inputs.signl"))
    code, _, err = shell.run("trigger", "create", "-f", "trigger.yml")
    assert (code, "'signl'" in err) == (2, True), err
    assert shell.data("trigger", "list") == []


def test_azure_has_an_export_instead(shell: Shell) -> None:
    code, out, err = shell.run("trigger", "create", "-f", "trigger.yml", "--target", "azure")
    assert (code, out) == (2, "")
    assert "aml trigger export -f trigger.yml --format arm" in err


def test_an_export_is_written(shell: Shell) -> None:
    setting = "create_job=job.yml"
    code, out, err = shell.run("trigger", "export", "-f", "trigger.yml", "--set", setting)
    assert code == 0
    assert json.loads(out)["metadata"]["trigger"] == "retrain"
    assert "warning: the template takes the job from the schedule retrain-job" in err
    words = ("--set", setting, "--output-file", "infra/t.json")
    shell.data("trigger", "export", "-f", "trigger.yml", *words)
    assert (shell.folder / "infra" / "t.json").read_text() == out
    code, _, err = shell.run("trigger", "export", "-f", "trigger.yml")
    assert (code, "trigger.yml: Azure's event for drift tells no 'signal'" in err) == (2, True)


def test_unknown_names_are_told_of(shell: Shell) -> None:
    shell.data("trigger", "create", "-f", "trigger.yml")
    for verb in ("show", "enable", "disable", "run-now", "log"):
        code, _, err = shell.run("trigger", verb, "-n", "retrian")
        assert (code, "did you mean 'retrain'?" in err) == (2, True), verb
