"""Worker processes: answers, deadlines, crashes, memory."""

import time

import psutil
import pytest

from automlkit.search.work import Failure, FinalWork, FoldDone, FoldWork

FAR = float("inf")


def work(trial=0, fold=0, **config):
    return FoldWork(trial, "Fake", config, 0, fold, threads=1)


def outcome(pool, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for found in pool.wait(1.0):
            return found
    raise AssertionError("no answer came")


def test_folds_are_answered_by_several_workers(fakes, make_pool):
    pool = make_pool(fakes.context(), size=2)
    pool.submit(work(fold=0), FAR)
    pool.submit(work(fold=1), FAR)
    assert pool.idle == 0
    with pytest.raises(RuntimeError, match="idle"):
        pool.submit(work(fold=2), FAR)
    found = [outcome(pool), *pool.wait(30)]
    while pool.idle < 2:
        found += pool.wait(30)
    assert sorted(one.work.fold for one in found) == [0, 1]
    assert all(isinstance(one.answer, FoldDone) for one in found)


@pytest.mark.parametrize(
    ("do", "failure"),
    [
        ("raise", Failure("error", "ValueError: no such thing")),
        ("crash", Failure("crash", "its process ended with code 9")),
    ],
)
def test_what_fails_is_told_and_harms_nothing(fakes, make_pool, do, failure):
    pool = make_pool(fakes.context())
    pool.submit(work(do=do), FAR)
    assert outcome(pool).answer == failure
    pool.submit(work(trial=1), FAR)
    assert isinstance(outcome(pool).answer, FoldDone)


def test_a_hanging_worker_is_ended_at_its_deadline_and_replaced(fakes, make_pool):
    pool = make_pool(fakes.context())
    pool.submit(work(), FAR)
    outcome(pool)
    start = time.monotonic()
    pool.submit(work(do="hang"), start + 0.5)
    assert outcome(pool).answer.kind == "timeout"
    assert time.monotonic() - start < 10
    pool.submit(work(trial=1), FAR)
    assert isinstance(outcome(pool).answer, FoldDone)


def test_a_worker_that_takes_too_much_memory_is_ended(fakes, make_pool):
    pool = make_pool(fakes.context(), most_memory=600e6)
    pool.submit(work(do="gorge"), FAR)
    assert outcome(pool).answer.kind == "memory"


def test_cancelled_work_has_no_answer(fakes, make_pool):
    pool = make_pool(fakes.context())
    pool.submit(work(do="hang"), FAR)
    pool.cancel(lambda one: one.trial == 0)
    assert pool.idle == 1
    assert pool.wait(0.5) == []


def test_no_process_is_left(fakes, make_pool):
    pool = make_pool(fakes.context())
    pool.submit(work(do="hang"), FAR)
    pids = [worker.process.pid for worker in pool._workers]
    pool.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_final_model_is_written(fakes, make_pool, tmp_path):
    pool = make_pool(fakes.context())
    file = tmp_path / "model.pkl"
    pool.submit(FinalWork(0, "Fake", {}, None, 1, file), FAR)
    assert outcome(pool).answer.seconds > 0
    assert file.stat().st_size > 0
