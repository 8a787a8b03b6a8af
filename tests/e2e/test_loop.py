"""`make loop`'s program: the loop end to end, and how it ends when it is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.long, pytest.mark.timeout(3600)]

PROJECT = Path(__file__).parents[2]
#: On a machine that others use, too.
PATIENCE = "5"


def play(home: Path, *arguments: str) -> subprocess.Popen[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("AML")}
    return subprocess.Popen(
        [sys.executable, "loop/run.py", "--home", str(home), "--patience", PATIENCE, *arguments],
        cwd=PROJECT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def left_of(home: Path) -> list[str]:
    """Return what still runs of a workspace."""
    return [text for each in psutil.process_iter() if (text := command_of(each, home))]


def command_of(process: psutil.Process, home: Path) -> str:
    try:
        mark = process.environ().get("AMLOCAL_WORKSPACE", "")
        is_left = mark.startswith(str(home)) and process.status() != psutil.STATUS_ZOMBIE
        return " ".join(process.cmdline()) if is_left else ""
    except psutil.Error:
        return ""  # it has ended, or it is not ours


def test_the_loop_goes_round_once_and_only_where_the_world_has_changed(tmp_path: Path) -> None:
    home = tmp_path / "workspace"
    told = play(home).communicate()[0]
    lines = [line[9:] for line in told.splitlines()]
    assert lines[-1] == "the loop is whole", told
    order = (
        "quiet: ",
        "monitor on version-1: ok",
        "no event, and no job started",
        "shifted: ",
        "monitor on version-1: breach",
        "event 1: ",
        "RELEASED income-classification:2 as adult/version-2: 4 stages passed; watched by",
        "monitor on version-2: ok",
        "lineage:",
        "deployment  adult/version-2",
    )
    places = [next(n for n, line in enumerate(lines) if line.startswith(each)) for each in order]
    assert places == sorted(places), told
    kinds = [line.split()[0] for line in lines[places[-1] : -1]]
    links = ["deployment", "job", "event", "model", "job", "event", "data", "job", "rows"]
    assert kinds == [*links, "event", "monitor"], told
    assert left_of(home) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_loop_that_is_interrupted(tmp_path: Path, number: int) -> None:
    home = tmp_path / "workspace"
    process = play(home)
    deadline = time.monotonic() + 120
    while not any("worker" in each for each in left_of(home)) and process.poll() is None:
        assert time.monotonic() < deadline, "no job began"
        time.sleep(0.5)
    process.send_signal(number)
    told = process.communicate(timeout=180)[0]
    assert process.returncode == 130, told
    assert told.splitlines()[-1].endswith("interrupted")
    assert left_of(home) == []


def test_a_folder_that_is_no_workspace_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("irreplaceable")
    process = play(tmp_path)
    assert "is no workspace, so it is not removed" in process.communicate()[0]
    assert process.returncode == 2
    assert (tmp_path / "thesis.txt").exists()
