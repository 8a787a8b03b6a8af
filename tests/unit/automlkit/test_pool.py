"""Worker processes: answers, deadlines, crashes, memory, and what they leave behind."""

import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
from tests.lab import wait_for

from automlkit.worker import Failure

FAR = float("inf")


def outcome(pool):
    (found,) = pool.wait(60.0)
    return found


def answer(pool, task, **limits):
    pool.submit(task, limits.pop("deadline", FAR), **limits)
    return outcome(pool).answer


def is_named(what):
    return lambda task: task.what == what


@pytest.mark.slow
def test_tasks_are_done_by_several_workers(make_pool, do):
    pool = make_pool(10, size=2)
    pool.submit(do("double"), FAR)
    pool.submit(do("array"), FAR)
    assert (pool.idle, pool.busy) == (0, 2)
    with pytest.raises(RuntimeError, match="idle"):
        pool.submit(do("double"), FAR)
    found = []
    while pool.busy:
        found += pool.wait(60.0)
    by_name = {one.task.what: one.answer for one in found}
    assert by_name["double"] == 20
    assert np.array_equal(by_name["array"], [0, 1, 2])
    assert all(one.seconds < 60 for one in found)


def test_nothing_is_an_answer_too(make_pool, do):
    pool = make_pool(10)
    assert pool.ready(60.0)
    assert answer(pool, do("nothing")) is None
    assert pool.idle == 1


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        ("fail", Failure("error", "ValueError: nothing to learn")),
        ("crash", Failure("crash", "its process ended with code 7")),
    ],
)
def test_what_fails_is_told_and_harms_nothing(make_pool, do, what, failure):
    pool = make_pool(10)
    assert answer(pool, do(what)) == failure
    assert answer(pool, do("double")) == 20


def test_a_task_is_ended_at_its_deadline_and_its_worker_replaced(make_pool, do):
    pool = make_pool(10)
    assert pool.ready(60.0)
    start = time.monotonic()
    assert answer(pool, do("sleep"), deadline=start + 0.5).kind == "timeout"
    assert 0.5 <= time.monotonic() - start < 20
    assert answer(pool, do("double")) == 20


def test_a_tasks_seconds_begin_when_libraries_are_loaded(make_pool, do, tmp_path, monkeypatch):
    (tmp_path / "takes_a_second.py").write_text("import time\ntime.sleep(1.0)\n")
    monkeypatch.syspath_prepend(tmp_path)
    pool = make_pool(10, libraries=("takes_a_second",))
    assert answer(pool, do("double"), seconds=0.9) == 20
    pool.submit(do("sleep"), FAR, seconds=0.5)
    found = outcome(pool)
    assert found.answer.kind == "timeout"
    assert 0.5 <= found.seconds < 20


def test_a_deadline_holds_while_libraries_are_loaded(never_ready, do):
    pool = never_ready(10)
    assert not pool.ready(0.1)
    assert answer(pool, do("double"), deadline=time.monotonic() + 0.3).kind == "timeout"


def test_workers_that_cannot_load_are_told_of(make_pool, do):
    pool = make_pool(10, libraries=("no_such_library",))
    assert not pool.ready(60.0)
    assert answer(pool, do("double")) == Failure("crash", "its process ended with code 1")


def test_a_worker_that_takes_too_much_memory_is_ended(make_pool, do):
    pool = make_pool(10, most_memory=600e6)
    assert answer(pool, do("gorge")).kind == "memory"


def test_cancelled_tasks_have_no_answer(make_pool, do):
    pool = make_pool(10, size=2)
    pool.submit(do("sleep"), FAR)
    pool.submit(do("double"), FAR)
    assert pool.cancel(is_named("sleep")) == [do("sleep")]
    assert outcome(pool).task == do("double")
    assert pool.wait(0.5) == []


def test_a_task_has_its_threads(make_pool, do):
    pool = make_pool(10)
    assert answer(pool, do("limits", threads=1)) == (1, {1})
    assert answer(pool, do("limits", threads=2))[0] == 2


def test_output_goes_to_the_log(make_pool, do, log):
    pool = make_pool(10)
    answer(pool, do("say"))
    assert log.read_text() == "from Python\nfrom C\n"


def test_no_process_is_left(make_pool, do):
    pool = make_pool(10)
    assert pool.ready(60.0)
    pool.submit(do("sleep"), FAR)
    pids = [worker.process.pid for worker in pool._workers]
    pool.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_processes_do_not_outlive_their_parent(tmp_path, method):
    program = (
        "import multiprocessing, os, sys\n"
        "from pathlib import Path\n"
        "from automlkit.pool import Pool\n"
        "from automlkit.worker import Starter\n"
        "if __name__ == '__main__':\n"
        "    starter = Starter(multiprocessing.get_context(sys.argv[2]), ())\n"
        "    pool = Pool(starter, 1, 1, Path(sys.argv[1]))\n"
        "    assert pool.ready(60.0)\n"
        "    print(pool._workers[0].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    file = tmp_path / "parent.py"
    file.write_text(program)
    command = [sys.executable, file, tmp_path / "log", method]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    process = int(done.stdout)
    wait_for(lambda: not psutil.pid_exists(process), seconds=60)
    assert not psutil.pid_exists(process)
