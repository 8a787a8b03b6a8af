"""Drives `aml` as a user does: processes, files, and what they print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]
#: What of the repository a run of its jobs reads.
PARTS = (
    *("components", "data", "endpoints", "environments", "jobs"),
    *("src/gatekit", "src/raikit", "src/scoringserver", "src/stepkit"),
)
#: Steps of the lifecycle that take long, and that registering a model does not need.
LONG = ("check_generalisation", "profile", "explain", "responsible_ai", "report")


@dataclass(frozen=True)
class Aml:
    """The command line in a copy of the project, with a workspace of its own."""

    project: Path
    home: Path
    python: str = sys.executable

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("AML")}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        done = subprocess.run(
            [self.python, "-m", "amlocal.cli", *arguments],
            cwd=self.project,
            env={**environ, "AMLOCAL_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "-o", "json").stdout)

    def job(self, file: str, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run a job to its end and return it."""
        done = self.run(
            "job", "create", "-f", file, "--stream", "-o", "json", *arguments, code=code
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def short_lifecycle(project: Path) -> str:
    """Write the lifecycle without the steps that take long; returns its file."""
    job = yaml.safe_load((project / "jobs/lifecycle.yml").read_text())
    job["jobs"] = {name: step for name, step in job["jobs"].items() if name not in LONG}
    for step in job["jobs"].values():
        step["inputs"] = {
            name: value
            for name, value in step["inputs"].items()
            if not str(value).startswith(tuple(f"${{{{parent.jobs.{each}." for each in LONG))
        }
    used = yaml.safe_dump(job["jobs"])
    for kind in ("inputs", "outputs"):
        job[kind] = {
            name: value for name, value in job[kind].items() if f"parent.{kind}.{name}}}" in used
        }
    job["inputs"]["policy"]["path"] = "policies/accuracy.yml"
    (project / "jobs/short.yml").write_text(yaml.safe_dump(job, sort_keys=False))
    return "jobs/short.yml"


def metrics_of(job: dict[str, Any], step: str) -> dict[str, float]:
    (child,) = [child for child in job["children"] if child["step"] == step]
    found: dict[str, float] = child["metrics"]
    return found


def reused(job: dict[str, Any]) -> Sequence[str]:
    return [child["step"] for child in job["children"] if child["reused_from"]]
