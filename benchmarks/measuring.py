"""Measures whole processes: virtual environments, projects, timed runs."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands import output_of
from peers import Peer, Tools

#: Variables that would make an interpreter slower, or find other packages than its own.
_DROPPED = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "AMLOCAL_", "MLFLOW_", "METAFLOW_", "DVC_", "UV_PY")


@dataclass(slots=True)
class Timings:
    """Seconds that one tool took for a chain of one length.

    Attributes:
        steps: The chain's length.
        first: Runs in which every step was due.
        again: Runs of the same with nothing changed; empty where the tool reuses nothing.
    """

    steps: int
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)

    @property
    def first_median(self) -> float:
        """The median of `first`."""
        return statistics.median(self.first)

    @property
    def again_median(self) -> float | None:
        """The median of `again`."""
        return statistics.median(self.again) if self.again else None


def sane_environment(environ: Mapping[str, str], bin_folder: Path, home: Path) -> dict[str, str]:
    """Return the variables that a tool runs with: byte code allowed, no telemetry, own settings.

    Args:
        environ: The variables of this process.
        bin_folder: Put first in `PATH`.
        home: A folder for what the tool keeps of its settings.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith(_DROPPED)}
    path = os.pathsep.join([str(bin_folder), environ.get("PATH", os.defpath)])
    return {
        **kept,
        "PATH": path,
        "TERM": "dumb",
        "DO_NOT_TRACK": "1",
        "DVC_NO_ANALYTICS": "1",
        "METAFLOW_HOME": str(home / "metaflow"),
        "METAFLOW_USER": "benchmark",
    }


def install(peer: Peer, folder: Path) -> Path:
    """Return the folder of a tool's console scripts, its virtual environment made where missing."""
    if not peer.requirements:
        return Path(sys.executable).parent
    venv = folder / peer.name
    stamp = venv / "installed.txt"
    wanted = "\n".join([sys.version, *peer.requirements])
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = str(Path(sys.executable).with_name("uv"))
        output_of([uv, "venv", "--clear", "--seed", "--python", sys.executable, str(venv)])
        python = str(venv / "bin" / "python")
        command = [uv, "pip", "install", "--compile-bytecode", "--python", python]
        output_of([*command, *peer.requirements])
        stamp.write_text(wanted)
    return venv / "bin"


@dataclass(slots=True)
class Trial:
    """A tool with a written project."""

    peer: Peer
    folder: Path
    tools: Tools
    timings: Timings
    turn: int = 0

    def measure(self) -> None:
        """Time one run with every step due, and where the tool reuses one with nothing changed.

        Raises:
            RuntimeError: The tool failed, or its last step wrote another number.
        """
        self.turn += 1
        self.peer.renew(self.folder, self.turn)
        self.timings.first.append(self._time())
        if self.peer.reuses:
            self.timings.again.append(self._time())

    def _time(self) -> float:
        log = self.folder.with_suffix(".log")
        with log.open("wb") as output:
            start = time.perf_counter()
            done = subprocess.run(
                self.peer.command(self.folder, self.tools),
                cwd=self.folder,
                env=dict(self.tools.environ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
            seconds = time.perf_counter() - start
        if done.returncode != 0:
            raise RuntimeError(
                f"{self.peer.name} failed: {log.read_text(errors='replace')[-2000:]}"
            )
        steps = self.timings.steps
        result = self.peer.result(self.folder, steps, self.tools)
        if result != steps:
            raise RuntimeError(f"{self.peer.name} gave {result} after {steps} steps")
        return seconds


def measure(
    peers: Iterable[Peer], steps: int, rounds: int, folder: Path, say: Callable[[str], None]
) -> dict[str, Timings]:
    """Return the timings of tools by name, their runs alternated.

    A machine that gets slower or busier in the meantime so slows each of them alike.

    Args:
        peers: The tools.
        steps: The chain's length.
        rounds: Measured runs of each tool.
        folder: Where virtual environments and projects go.
        say: Told of progress.
    """
    trials: list[Trial] = []
    try:
        for peer in peers:
            say(f"{peer.name}: preparing {steps} steps")
            bin_folder = install(peer, folder / "venvs")
            environ = sane_environment(os.environ, bin_folder, folder / "home")
            project = folder / "projects" / f"{peer.name}-{steps}"
            shutil.rmtree(project, ignore_errors=True)
            if not peer.requirements:
                environ["AMLOCAL_HOME"] = str(project / ".amlocal")
            trial = Trial(peer, project, Tools(bin_folder, environ), Timings(steps))
            trials.append(trial)
            peer.write(project, steps, trial.tools)
        for turn in range(1, rounds + 1):
            for trial in trials:
                say(f"{trial.peer.name}: {steps} steps, run {turn} of {rounds}")
                trial.measure()
    finally:
        for trial in trials:
            if trial.folder.exists():
                trial.peer.close(trial.folder, trial.tools)
    return {trial.peer.name: trial.timings for trial in trials}
