from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from tests.lab import wait_for

from amlocal.local.process import (
    JOB_VARIABLE,
    WORKSPACE_VARIABLE,
    Launch,
    StepProcesses,
    end_jobs,
    end_sessions,
    find,
    inherited,
)


def launch(folder: Path, number: int = 0, **variables: str) -> Launch:
    return Launch({**os.environ, **variables}, folder / f"log{number}")


def marked(workspace: Path, job: str, line: str) -> subprocess.Popen[bytes]:
    marks = {WORKSPACE_VARIABLE: str(workspace), JOB_VARIABLE: job}
    return subprocess.Popen(["bash", "-c", line], env={**os.environ, **marks})


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize(
    ("line", "code"), [("true", 0), ("exit 3", 3), ("kill -9 $$", -9), ("nothing-like-it", 127)]
)
def test_the_exit_code_is_returned(tmp_path: Path, line: str, code: int) -> None:
    assert StepProcesses().run(line, [launch(tmp_path)], tmp_path) == code


def test_a_command_gets_no_input(tmp_path: Path) -> None:
    assert StepProcesses().run("cat; echo over", [launch(tmp_path)], tmp_path) == 0
    assert (tmp_path / "log0").read_text() == "over\n"


def test_the_first_failure_is_returned_and_ends_the_others(tmp_path: Path) -> None:
    launches = [launch(tmp_path, n, N=str(n)) for n in range(4)]
    processes = StepProcesses()
    begun = time.monotonic()
    line = "trap 'echo ended; exit 1' TERM; test $N = 2 && exit 5; sleep 60 & wait"
    assert processes.run(line, launches, tmp_path) == 5
    assert processes.failed == 2
    assert time.monotonic() - begun < 4


def test_what_the_command_leaves_in_its_session_is_ended(tmp_path: Path) -> None:
    line = "sleep 300 & echo $!"
    assert StepProcesses().run(line, [launch(tmp_path)], tmp_path) == 0
    assert has_ended(int((tmp_path / "log0").read_text()))


def test_ended_processes_say_why(tmp_path: Path) -> None:
    processes = StepProcesses()
    codes: list[int] = []
    thread = threading.Thread(
        target=lambda: codes.append(processes.run("sleep 60", [launch(tmp_path)], tmp_path))
    )
    thread.start()
    wait_for((tmp_path / "log0").exists)
    time.sleep(0.1)
    processes.end("it was canceled")
    processes.end("something else")
    thread.join(10)
    assert codes == [-signal.SIGTERM]
    assert processes.ended_because == "it was canceled"


def test_what_was_ended_before_does_not_start(tmp_path: Path) -> None:
    processes = StepProcesses()
    processes.end("it was canceled")
    assert processes.run("touch started", [launch(tmp_path)], tmp_path) == -signal.SIGTERM
    assert not (tmp_path / "started").exists()


def test_sessions_that_ignore_the_request_are_killed_together() -> None:
    line = "trap '' TERM; echo up; while true; do sleep 0.1; done"
    processes = [
        subprocess.Popen(["bash", "-c", line], start_new_session=True, stdout=subprocess.PIPE)
        for _ in range(12)
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
    begun = time.monotonic()
    end_sessions([process.pid for process in processes], grace=0.5)
    assert {process.wait(5) for process in processes} == {-signal.SIGKILL}
    assert time.monotonic() - begun < 3


def test_processes_that_have_ended_are_not_waited_for() -> None:
    process = subprocess.Popen(["true"], start_new_session=True)
    wait_for(lambda: has_ended(process.pid))
    begun = time.monotonic()
    end_sessions([process.pid, 2**22 + 1], grace=5)
    assert time.monotonic() - begun < 1
    process.wait()


def test_processes_are_found_by_their_job(tmp_path: Path) -> None:
    mine = marked(tmp_path, "fig", "sleep 60")
    other = marked(tmp_path, "bean", "sleep 60")
    elsewhere = marked(tmp_path / "x", "fig", "sleep 60")
    wait_for(lambda: len(find(tmp_path)) == 2)
    assert find(tmp_path) == {mine.pid: "fig", other.pid: "bean"}
    assert find(tmp_path, frozenset({"bean"})) == {other.pid: "bean"}
    assert end_jobs(tmp_path, frozenset({"fig"})) == 1
    assert mine.wait(5) == -signal.SIGTERM
    assert other.poll() is elsewhere.poll() is None
    for process in (other, elsewhere):
        process.kill()
        process.wait()


def test_descendants_that_lost_the_mark_and_ignore_the_request_are_ended(tmp_path: Path) -> None:
    line = (
        f'env -u {JOB_VARIABLE} bash -c \'trap "" TERM; echo $$ > pid; '
        "while true; do sleep 0.1; done' & wait"
    )
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=tmp_path,
        env={**os.environ, WORKSPACE_VARIABLE: str(tmp_path), JOB_VARIABLE: "fig"},
    )
    wait_for(lambda: (tmp_path / "pid").exists() and bool((tmp_path / "pid").read_text()))
    child = int((tmp_path / "pid").read_text())
    assert end_jobs(tmp_path, grace=0.3) == 1
    process.wait(5)
    wait_for(lambda: has_ended(child))


def test_what_belongs_to_the_tool_is_not_inherited() -> None:
    environ = {
        "PATH": "/bin",
        "PYTHONPATH": "/x",
        "VIRTUAL_ENV": "/x",
        "AZUREML_RUN_ID": "x",
        "AZURE_ML_INPUT_x": "x",
        "MLFLOW_TRACKING_URI": "x",
        JOB_VARIABLE: "x",
        "AZURE_CLIENT_ID": "kept",
    }
    assert inherited(environ) == {"PATH": "/bin", "AZURE_CLIENT_ID": "kept"}
