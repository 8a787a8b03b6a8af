import importlib
import subprocess
import sys
import time

import psutil
import pytest
from tests.lab import wait_for

from automlkit.forecasting.workers import Workers

#: A module of its own, since another process must be able to import it.
TASKS = """
import os, time

def double(problem, threads): return 2 * problem * threads
def fail(problem, threads): raise ValueError("nothing to learn")
def crash(problem, threads): os._exit(7)
def sleep(problem, threads): time.sleep(600)
"""


@pytest.fixture
def tasks(tmp_path, monkeypatch):
    (tmp_path / "tasks_of_workers.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("tasks_of_workers")


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


@pytest.fixture
def workers(log, tasks):
    # Tasks here do not look at the problem, so that a number stands for it.
    made = Workers(10, 1, 3, log)
    yield made
    made.close()


def answer(workers):
    (found,) = workers.answers()
    return found


def test_a_process_outlives_failures_crashes_and_deadlines(workers, tasks, log):
    workers.give(tasks.double, "double", 60)
    assert not workers.is_free
    found = answer(workers)
    assert (found.tag, found.status, found.value) == ("double", "Completed", 60), log.read_text()
    workers.give(tasks.fail, "fail", 60)
    found = answer(workers)
    assert (found.status, found.value) == ("Failed", "nothing to learn")
    workers.give(tasks.crash, "crash", 60)
    found = answer(workers)
    assert found.status == "Failed"
    assert "code 7" in found.value
    workers.give(tasks.sleep, "sleep", 0.2)
    found = answer(workers)
    assert found.status == "Canceled"
    # The loading of libraries in the new process has not counted.
    assert 0.2 <= found.seconds < 5
    workers.give(tasks.double, "again", 60)
    assert answer(workers).value == 60


def test_what_is_being_done_can_be_canceled(workers, tasks):
    workers.give(tasks.sleep, "sleep", 60)
    assert workers.cancel() == ["sleep"]
    assert workers.is_free


def test_a_latest_time_holds_while_libraries_are_loaded(workers, tasks):
    workers.give(tasks.sleep, "sleep", 60, latest=time.monotonic() + 0.1)
    assert answer(workers).status == "Canceled"


def test_processes_do_not_outlive_their_parent(tmp_path):
    program = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from automlkit.forecasting.workers import Workers\n"
        "if __name__ == '__main__':\n"
        "    workers = Workers(1, 1, 1, Path(sys.argv[1]))\n"
        "    print(workers._idle[0].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    file = tmp_path / "parent.py"
    file.write_text(program)
    done = subprocess.run(
        [sys.executable, file, tmp_path / "log"], capture_output=True, text=True, check=False
    )
    process = int(done.stdout)
    wait_for(lambda: not psutil.pid_exists(process), seconds=60)
    assert not psutil.pid_exists(process)
