from __future__ import annotations

import sys
from pathlib import Path

import measuring
import pytest
from peers import Tools
from peers.shell import Shell


class Fake(Shell):
    """A tool that runs a program of the test's choice and says what was done with it."""

    name = "fake"
    reuses = True

    def __init__(self, program: str) -> None:
        self.program = program
        self.done: list[str] = []

    def write(self, folder: Path, steps: int, tools: Tools) -> None:
        super().write(folder, steps, tools)
        self.done.append("write")

    def command(self, folder: Path, tools: Tools) -> list[str]:
        return [sys.executable, "-c", self.program]

    def close(self, folder: Path, tools: Tools) -> None:
        self.done.append("close")


RIGHT = "from pathlib import Path; Path('2.txt').write_text('2')"


def test_a_shell_loop_is_measured_for_real(tmp_path: Path) -> None:
    timings = measuring.measure([Shell()], 3, 2, tmp_path, lambda text: None)["shell"]
    assert (timings.steps, len(timings.first), timings.again) == (3, 2, [])
    assert 0 < timings.first_median < 60
    assert timings.again_median is None
    assert (tmp_path / "projects/shell-3/3.txt").read_text() == "3"


def test_a_tool_that_reuses_is_run_again_each_time(tmp_path: Path) -> None:
    said: list[str] = []
    fake = Fake(RIGHT)
    timings = measuring.measure([fake], 2, 3, tmp_path, said.append)["fake"]
    assert (len(timings.first), len(timings.again)) == (3, 3)
    assert fake.done == ["write", "close"]
    assert said[-1] == "fake: 2 steps, run 3 of 3"
    assert "# turn 3" in (tmp_path / "projects/fake-2/step.py").read_text()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit('out of luck')", "fake failed: out of luck"),
        (RIGHT.replace("'2')", "'7')"), "fake gave 7 after 2 steps"),
    ],
)
def test_a_run_that_went_wrong_is_no_measurement(tmp_path: Path, program: str, words: str) -> None:
    fake = Fake(program)
    with pytest.raises(RuntimeError, match=words):
        measuring.measure([fake], 2, 1, tmp_path, lambda text: None)
    assert fake.done == ["write", "close"]


def test_the_environment_is_sane(tmp_path: Path) -> None:
    given = {"PATH": "/usr/bin", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/x", "HOME": "/h"}
    given |= {"VIRTUAL_ENV": "/v", "AMLOCAL_HOME": "/a", "HTTPS_PROXY": "p"}
    environ = measuring.sane_environment(given, tmp_path / "bin", tmp_path / "home")
    assert environ["PATH"] == f"{tmp_path}/bin:/usr/bin"
    assert environ["HTTPS_PROXY"] == "p"
    assert not environ.keys() & {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "VIRTUAL_ENV",
        "AMLOCAL_HOME",
    }
