"""What goes wrong: scripts that raise, hang, or die, and runs that are killed."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.parallelkit.harness import Harness

from parallelkit.journal import Ended, Journal


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


def _wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def test_a_mini_batch_that_raises_is_tried_again(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            number = numbers(mini_batch)[0]
            note(number)
            if number == 1 and (ROOT / "notes").read_text().split().count("1") < 3:
                raise ValueError("not yet")
            return [number]
    """)
    code, text = harness.run(harness.files(3), script, max_retries=2)
    assert code == 0
    assert Counter(harness.calls()) == {"0": 1, "1": 3, "2": 1}
    assert harness.output.read_text().split() == ["0", "1", "2"]
    assert "mini-batch 1, attempt 2: ValueError: not yet" in text
    assert "Traceback" in (harness.root / "logs" / "user" / "error.txt").read_text()


def test_what_fails_for_good_is_left_out_and_the_rest_is_whole(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            found = numbers(mini_batch)
            note(found[0])
            assert found[0] != 2
            return found
    """)
    code, _ = harness.run(harness.files(5), script, mini_batch_size=2, max_retries=1)
    assert code == 0
    assert Counter(harness.calls()) == {"0": 1, "2": 2, "4": 1}
    assert harness.output.read_text().split() == ["0", "1", "4"]
    finished = harness.finished()
    assert (finished["failed"], finished["failed_items"], finished["succeeded_items"]) == (1, 2, 3)


@pytest.mark.parametrize("ending", ["os.kill(os.getpid(), 9)", "os._exit(3)"])
def test_a_worker_that_dies_is_replaced_and_its_mini_batch_tried_again(
    harness: Harness, ending: str
) -> None:
    script = harness.script(f"""
        def init():
            note("init")
        def run(mini_batch):
            number = numbers(mini_batch)[0]
            note(number)
            if number == 1 and (ROOT / "notes").read_text().split().count("1") < 2:
                {ending}
            return [number]
    """)
    code, text = harness.run(harness.files(4), script)
    assert code == 0
    assert harness.output.read_text().split() == ["0", "1", "2", "3"]
    assert Counter(harness.calls()) == {"init": 2, "0": 1, "1": 2, "2": 1, "3": 1}
    assert "in run()" in text


def test_a_worker_that_hangs_is_ended_with_what_it_has_started(harness: Harness) -> None:
    script = harness.script("""
        import subprocess
        def run(mini_batch):
            number = numbers(mini_batch)[0]
            if number == 0 and not (ROOT / "notes").exists():
                note(subprocess.Popen(["sleep", "60"]).pid)
                time.sleep(60)
            return [number]
    """)
    began = time.monotonic()
    code, text = harness.run(harness.files(2), script, timeout=1)
    assert code == 0
    assert time.monotonic() - began < 30
    assert "run() took longer than 1 s" in text
    assert harness.output.read_text().split() == ["0", "1"]
    assert not _is_alive(int(harness.calls()[0]))


def test_an_init_that_hangs_or_dies_fails_the_run(harness: Harness) -> None:
    script = harness.script("""
        def init():
            time.sleep(60)
        def run(mini_batch):
            return mini_batch
    """)
    code, text = harness.run(harness.files(2), script, init_timeout=0.5)
    assert code == 1
    assert "no worker can be started: init() took longer than 0.5 s" in text.splitlines()[-1]


def test_a_run_without_progress_fails(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            time.sleep(60)
    """)
    code, text = harness.run(harness.files(2), script, progress_timeout=1)
    assert code == 1
    assert "no mini-batch has ended for 1 s" in text.splitlines()[-1]


def test_a_dead_worker_whose_child_holds_its_pipe_is_noticed(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            number = numbers(mini_batch)[0]
            if number == 0 and not (ROOT / "notes").exists():
                note("once")
                if os.fork() == 0:
                    time.sleep(20)
                    os._exit(0)
                os._exit(1)
            return [number]
    """)
    began = time.monotonic()
    assert harness.run(harness.files(2), script)[0] == 0
    assert time.monotonic() - began < 15
    assert harness.output.read_text().split() == ["0", "1"]


SLOW = """
    def run(mini_batch):
        found = numbers(mini_batch)
        note(found[0])
        (ROOT / f"pid{os.getpid()}").touch()
        time.sleep(0.3)
        return found
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_run_that_is_killed_goes_on_with_nothing_twice_and_nothing_lost(
    harness: Harness, number: signal.Signals
) -> None:
    request = harness.request(harness.files(12), harness.script(SLOW), mini_batch_size=2, workers=2)
    process = harness.start(request)
    journal = harness.folder / "journal.jsonl"
    _wait_for(lambda: journal.exists() and journal.read_text().count("\n") >= 2, "no progress")
    process.send_signal(number)
    process.communicate(timeout=30)
    workers = [int(file.name[3:]) for file in harness.root.glob("pid*")]
    _wait_for(lambda: not any(map(_is_alive, workers)), "workers outlived the run")
    assert not harness.output.exists()
    done = journal.read_text().count("\n")

    process = harness.start(request)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert f"{done} of them done before" in text
    assert harness.output.read_text().split() == [str(n) for n in range(12)]
    # What had ended was not run again; of the others, each worker may have begun one.
    assert len(harness.calls()) <= 6 + 2
    again = [n for n, times in Counter(harness.calls()).items() if times > 1]
    assert len(again) <= 2


def known(file: Path) -> list[int]:
    journal = Journal(file)
    journal.close()
    return list(journal.known)


def test_a_torn_record_is_cut_off(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    journal = Journal(file)
    journal.add(Ended(0, is_failed=False, succeeded=1, failed=0, attempts=1, seconds=0))
    journal.close()
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:20])
    again = Journal(file)
    assert list(again.known) == [0]
    again.add(Ended(1, is_failed=False, succeeded=1, failed=0, attempts=1, seconds=0))
    again.close()
    assert known(file) == [0, 1]


def test_what_failed_is_tried_again_by_a_run_that_goes_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(Ended(0, is_failed=True, succeeded=0, failed=1, attempts=3, seconds=0))
    journal.add(Ended(1, is_failed=False, succeeded=0, failed=1, attempts=1, seconds=0))
    journal.close()
    assert known(tmp_path / "journal.jsonl") == [1]
