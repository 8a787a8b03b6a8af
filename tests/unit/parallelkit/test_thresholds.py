"""Error thresholds, by worked examples."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.parallelkit.harness import Harness

# Ten files in mini-batches of two. The first returns one item for two, the second raises.
SCRIPT = """
    def run(mini_batch):
        found = numbers(mini_batch)
        if found[0] == 0:
            return found[:1]
        if found[0] == 2:
            raise ValueError("bad")
        return found
"""


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        # Two mini-batches fail, with three items.
        ({}, ""),
        ({"mini_batch_error_threshold": 2}, ""),
        ({"mini_batch_error_threshold": 1}, "more than mini_batch_error_threshold 1"),
        ({"mini_batch_error_threshold": 0}, "1 mini-batches failed, more than"),
        ({"error_threshold": 3}, ""),
        ({"error_threshold": 2}, "3 items failed, more than error_threshold 2"),
        ({"error_threshold": 0}, "run() returned 1 of 2 items"),
        ({"allowed_failed_percent": 40}, ""),
        ({"allowed_failed_percent": 39}, "40 % of the mini-batches failed"),
        # Where rows are no items, a mini-batch that returns too few has not failed.
        ({"short_fails": False, "mini_batch_error_threshold": 1}, ""),
        ({"short_fails": False, "mini_batch_error_threshold": 0}, "ValueError: bad"),
        ({"short_fails": False, "error_threshold": 2}, "3 items failed"),
    ],
)
@pytest.mark.slow
def test_thresholds_count_what_has_failed(
    harness: Harness, fields: dict[str, Any], error: str
) -> None:
    code, text = harness.run(
        harness.files(10), harness.script(SCRIPT), mini_batch_size=2, max_retries=0, **fields
    )
    assert code == (1 if error else 0)
    assert error in text.splitlines()[-1]
    if error:
        assert not harness.output.exists()
    else:
        assert harness.output.read_text().split() == ["0", "4", "5", "6", "7", "8", "9"]


def test_a_run_ends_at_once_when_a_threshold_is_crossed(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            note("run")
            raise ValueError("always")
    """)
    code, _ = harness.run(harness.files(50), script, max_retries=0, mini_batch_error_threshold=2)
    assert code == 1
    assert len(harness.calls()) < 6


def test_a_run_that_goes_on_counts_what_had_failed_before(harness: Harness) -> None:
    fields: dict[str, Any] = {"max_retries": 0, "short_fails": False, "mini_batch_size": 2}
    script = harness.script("""
        def run(mini_batch):
            return []
    """)
    assert harness.run(harness.files(4), script, error_threshold=3, **fields)[0] == 1
    code, text = harness.run(harness.files(4), script, error_threshold=3, **fields)
    assert code == 1
    assert "4 items failed, more than error_threshold 3" in text.splitlines()[-1]


def test_more_results_than_files_are_no_failure(harness: Harness) -> None:
    script = harness.script("""
        def run(mini_batch):
            return [1, 2, 3]
    """)
    code, _ = harness.run(harness.files(1), script, mini_batch_error_threshold=0)
    assert code == 0
    assert harness.output.read_text().split() == ["1", "2", "3"]


@pytest.mark.parametrize("result", ["None", "5", "'text'", "{'a': 1}"])
def test_what_is_no_list_is_a_failure(harness: Harness, result: str) -> None:
    script = harness.script(f"""
        def run(mini_batch):
            return {result}
    """)
    code, text = harness.run(harness.files(1), script, max_retries=0, mini_batch_error_threshold=0)
    assert code == 1
    assert "must return a DataFrame, a list, or a tuple" in text.splitlines()[-1]
