"""Whole runs with real processes: order, results, arguments, logs."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest
from tests.unit.parallelkit.harness import SOURCE, Harness, older_python

DOUBLE = """
    def run(mini_batch):
        note(f"run {len(mini_batch)}")
        return [2 * number for number in numbers(mini_batch)]
"""


def test_results_are_in_the_order_of_the_input_whoever_is_first(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            found = numbers(mini_batch)
            time.sleep(0.4 if found[0] == 0 else 0)
            note(found[0])
            return found
    """)
    code, _ = harness.run(harness.files(7), script, mini_batch_size=2, workers=2)
    assert code == 0
    assert harness.output.read_text().split() == [str(number) for number in range(7)]
    assert harness.calls()[0] != "0"
    assert harness.finished()["succeeded_items"] == 7


def test_init_is_called_once_a_worker_and_shutdown_at_its_end(harness: Harness) -> None:
    script = harness.script("""
        def init():
            note("init")
        def run(mini_batch):
            time.sleep(0.2)
            return mini_batch
        def shutdown():
            note("shutdown")
    """)
    assert harness.run(harness.files(6), script, workers=2)[0] == 0
    assert sorted(harness.calls()) == ["init", "init", "shutdown", "shutdown"]


def test_there_are_no_more_workers_than_mini_batches(harness: Harness) -> None:
    script = harness.script("""
        def init():
            note(os.environ["OMP_NUM_THREADS"])
        def run(mini_batch):
            return mini_batch
    """)
    harness.run(
        harness.files(2),
        script,
        mini_batch_size=2,
        workers=8,
        cores=4,
        thread_variables=("OMP_NUM_THREADS",),
    )
    assert harness.calls() == ["4"]


def test_a_script_gets_arguments_its_folder_and_the_modules_beside_it(harness: Harness) -> None:
    script = harness.script("""
        import beside
        def run(mini_batch):
            return [sys.argv[1:], Path(sys.argv[0]).name, __name__, beside.VALUE]
    """)
    (script.parent / "beside.py").write_text("VALUE = 5")
    code, _ = harness.run(harness.files(1), script, arguments=("--model", "a b"))
    assert code == 0
    assert harness.output.read_text().splitlines() == [
        "['--model', 'a b']",
        "entry.py",
        "entry",
        "5",
    ]


def test_a_run_with_two_parameters_is_told_of_its_mini_batch(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch, mini_batch_context):
            return [mini_batch_context.minibatch_index]
    """)
    harness.run(harness.files(3), script)
    assert harness.output.read_text().split() == ["0", "1", "2"]


def test_files_in_folders_are_taken_and_hidden_ones_are_not(harness: Harness) -> None:
    place = harness.files(1)
    (place / "more").mkdir()
    (place / "more" / "900.txt").write_text("900")
    (place / ".hidden").write_text("1")
    (place / "_SUCCESS").write_text("1")
    harness.run(place, harness.script(DOUBLE), mini_batch_size=10)
    assert harness.output.read_text().split() == ["0", "1800"]


def test_what_a_script_prints_is_in_a_log_of_its_worker(harness: Harness) -> None:
    script = harness.script("""
        import logging
        def run(mini_batch):
            print("on stdout")
            logging.getLogger("mine").debug("said at debug")
            return mini_batch
    """)
    harness.run(harness.files(1), script, logging_level="DEBUG")
    logs = harness.root / "logs" / "user"
    assert "on stdout" in (logs / "stdout" / "0" / "process000.stdout.txt").read_text()
    assert "said at debug" in (logs / "stderr" / "0" / "process000.stderr.txt").read_text()


def test_reports_tell_of_each_mini_batch(harness: Harness) -> None:
    harness.run(harness.files(3), harness.script(DOUBLE), mini_batch_size=2)
    logs = harness.root / "logs"
    with (logs / "sys" / "job_report" / "processed_mini-batches.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["Mini-batch Id"], row["Total"], row["Failed"]) for row in rows] == [
        ("0", "2", "0"),
        ("1", "1", "0"),
    ]
    assert "2 of 2 ended" in (logs / "job_progress_overview.txt").read_text()
    assert (logs / "job_result.txt").read_text().startswith("completed")


def test_without_a_file_to_append_to_nothing_is_written(harness: Harness) -> None:
    code, _ = harness.run(harness.files(1), harness.script(DOUBLE), append_to=None)
    assert code == 0
    assert not harness.output.exists()
    assert not (harness.folder / "results").exists()


@pytest.mark.parametrize("name", ["input", "nowhere"])
def test_an_input_without_files_is_refused(harness: Harness, name: str) -> None:
    (harness.root / "input").mkdir()
    code, text = harness.run(harness.root / name, harness.script(DOUBLE))
    assert code == 2
    assert str(harness.root / name) in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("def init():\n    raise OSError('no model')\ndef run(x):\n    return x", "no model"),
        ("x = 1", "no function run()"),
        ("import not_there\ndef run(x):\n    return x", "not_there"),
    ],
)
def test_a_script_that_cannot_begin_fails_the_run(harness: Harness, body: str, said: str) -> None:
    code, text = harness.run(harness.files(2), harness.script(body))
    assert code == 1
    assert said in text.splitlines()[-1]
    assert said in (harness.root / "logs" / "job_error.txt").read_text()


def test_a_missing_script_is_told(harness: Harness) -> None:
    code, text = harness.run(harness.files(1), harness.root / "gone.py")
    assert code == 1
    assert "gone.py" in text.splitlines()[-1]


def test_a_request_that_is_none_is_refused(harness: Harness, tmp_path: Path) -> None:
    from parallelkit.request import WrongRequestError, read_request

    file = tmp_path / "request.json"
    file.write_text('{"input_data": "x", "unknown": 1}')
    with pytest.raises(WrongRequestError, match="unknown"):
        read_request(file)


@pytest.mark.parametrize("version", ["3.7", "3.8", "3.9"])
def test_an_older_python_may_run_the_script(harness: Harness, version: str) -> None:
    python = older_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    script = harness.script("""
        def run(mini_batch, mini_batch_context):
            return [sys.version_info[:2] for _ in mini_batch]
        def shutdown():
            note("shutdown")
    """)
    code, text = harness.run(harness.files(3), script, mini_batch_size=2, python=python)
    assert code == 0, text
    assert harness.output.read_text() == f"({version.replace('.', ', ')})\n" * 3
    assert harness.calls() == ["shutdown"]


def test_the_program_is_of_the_oldest_pythons_grammar() -> None:
    files = [
        *(SOURCE / "parallelkit").glob("*.py"),
        *(SOURCE / "stepkit" / "mltable").glob("*.py"),
        *(SOURCE / "stepkit" / name for name in ("__init__.py", "inference.py", "program.py")),
    ]
    for file in files:
        ast.parse(file.read_text(), feature_version=(3, 7))
