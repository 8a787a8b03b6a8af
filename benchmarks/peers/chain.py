"""The chain that every tool runs: each step adds one to the number that the one before wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

#: Where a step's program is in a project that runs one as a command.
PROGRAM = "step.py"

_STEP = """\
import argparse
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--in", dest="source", type=Path, required=True)
parser.add_argument("--out", type=Path, required=True)
arguments = parser.parse_args()
arguments.out.write_text(str(int(arguments.source.read_text()) + 1))
"""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a project is run with.

    Attributes:
        bin: The folder of the tool's `python` and console scripts, first in `PATH`.
        environ: The environment variables.
    """

    bin: Path
    environ: Mapping[str, str]


class Peer(Protocol):
    """A tool that runs a chain of steps."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def requirements(self) -> Sequence[str]:
        """What to install in a virtual environment of its own; nothing for what runs in ours."""

    @property
    def reuses(self) -> bool:
        """Whether it leaves out steps that nothing has changed for."""

    def write(self, folder: Path, steps: int, tools: Tools) -> None:
        """Write a project of so many steps; what is done once for a project is done here."""

    def renew(self, folder: Path, turn: int) -> None:
        """Change the project so that every step is due again."""

    def command(self, folder: Path, tools: Tools) -> list[str]:
        """Return the command that runs the project, as its documentation has it."""

    def result(self, folder: Path, steps: int, tools: Tools) -> int:
        """Return the number that the last step wrote."""

    def close(self, folder: Path, tools: Tools) -> None:
        """End what the tool left running."""


class Project:
    """What the peers share: a program, a first number, nothing left running."""

    name: str
    requirements: Sequence[str] = ()
    reuses: bool = False

    def write_program(self, folder: Path) -> None:
        """Write the step's program, and the number that the first step takes."""
        folder.mkdir(parents=True)
        (folder / "0.txt").write_text("0")
        self.renew(folder, 0)

    def renew(self, folder: Path, turn: int) -> None:
        """Change the program, which every step depends on."""
        (folder / PROGRAM).write_text(f"{_STEP}# turn {turn}\n")

    def result(self, folder: Path, steps: int, tools: Tools) -> int:  # noqa: ARG002 - of Peer
        """Return the number that the last step wrote."""
        return int((folder / f"{steps}.txt").read_text())

    def close(self, folder: Path, tools: Tools) -> None:
        """Leave things as they are: nothing runs on."""


def step_command(number: int) -> str:
    """Return the shell command of a step, counted from 1."""
    return f"python {PROGRAM} --in {number - 1}.txt --out {number}.txt"
