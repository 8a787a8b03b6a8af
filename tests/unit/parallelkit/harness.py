"""Runs `python -m parallelkit` on small inputs, as the engine does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.local.environments.interpreters import find_interpreters
from parallelkit.request import Request, write_request

SOURCE = Path(__file__).parents[3] / "src"


def older_python(version: str) -> str | None:
    """Return an interpreter of a version, as the engine finds it, or None."""
    found = find_interpreters(os.environ)
    path = found.get(int(version.split(".")[1]))
    return None if path is None else str(path)


@dataclass
class Harness:
    """A folder with an input, a script, and a run's folder."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "run"

    @property
    def output(self) -> Path:
        return self.root / "out.txt"

    def calls(self) -> list[str]:
        """Return what the script noted down, in order."""
        notes = self.root / "notes"
        return notes.read_text().splitlines() if notes.exists() else []

    def files(self, count: int) -> Path:
        """Make an input of small files, each of which holds its number."""
        place = self.root / "input"
        for number in range(count):
            file = place / f"{number:03d}.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(str(number))
        return place

    def script(self, body: str) -> Path:
        """Write an entry script; `note(text)` writes a line that `calls` returns."""
        head = f"""
            import os, sys, time
            from pathlib import Path
            ROOT = Path({str(self.root)!r})
            def note(text):
                with (ROOT / "notes").open("a") as file:
                    file.write(f"{{text}}\\n")
            def numbers(files):
                return [int(Path(file).read_text()) for file in files]
            def init():
                pass
        """
        file = self.root / "code" / "entry.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(head) + textwrap.dedent(body))
        return file

    def request(self, place: Path, script: Path | None, **fields: Any) -> Request:
        return Request(
            input_data=str(place),
            entry_script=None if script is None else str(script),
            logs=str(self.root / "logs"),
            **{"append_to": str(self.output), **fields},
        )

    def start(self, request: Request, python: str = sys.executable) -> subprocess.Popen[str]:
        file = self.root / "request.json"
        write_request(request, file)
        return subprocess.Popen(
            [python, "-m", "parallelkit", "--request", file, "--out", self.folder],
            env={**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self, place: Path, script: Path | None, *, python: str = sys.executable, **fields: Any
    ) -> tuple[int, str]:
        """Run to the end; returns the exit code and what was printed."""
        process = self.start(self.request(place, script, **fields), python)
        text, _ = process.communicate(timeout=120)
        return process.returncode, text

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = (self.folder / "events.jsonl").read_text().splitlines()
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def finished(self) -> dict[str, Any]:
        return self.events("finished")[-1]
