from __future__ import annotations

import math

import pytest

from amlocal.local.tracking.values import cut, number_to_json, run_status
from amlocal.plan import JobStatus


def test_every_state_of_a_job_has_one_of_a_run() -> None:
    found = {status: run_status(status) for status in JobStatus}
    assert set(found.values()) == {"SCHEDULED", "RUNNING", "FINISHED", "FAILED", "KILLED"}
    ended = {"FINISHED", "FAILED", "KILLED"}
    assert all(status.is_terminal == (state in ended) for status, state in found.items())
    assert found[JobStatus.CANCELED] == "KILLED"


def test_a_text_that_is_cut_says_so() -> None:
    assert cut("short", 5) == "short"
    long = cut("x" * 7000, 6000)
    assert len(long) == 6000
    assert long.endswith("x... (cut, 7000 characters)")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (-0.5, -0.5), (math.inf, "Infinity"), (-math.inf, "-Infinity"), (math.nan, "NaN")],
)
def test_numbers_are_written_as_protobuf_has_them(value: float, expected: float | str) -> None:
    assert number_to_json(value) == expected
