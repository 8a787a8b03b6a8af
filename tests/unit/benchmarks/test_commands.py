from __future__ import annotations

import sys
from pathlib import Path

import pytest
from commands import output_of


def test_the_output_comes_back(tmp_path: Path) -> None:
    program = "import os; print(os.getcwd(), os.environ.get('WORD'))"
    told = output_of([sys.executable, "-c", program], cwd=tmp_path, environ={"WORD": "hello"})
    assert told == f"{tmp_path} hello\n"


def test_a_failure_says_all_that_was_written() -> None:
    with pytest.raises(RuntimeError, match=r"sh -c .* failed:\none\ntwo\n"):
        output_of(["sh", "-c", "echo one; echo two >&2; exit 3"])
