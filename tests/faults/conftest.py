"""Jobs in processes that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lab import Lab

from amlocal.plan import Job

RunJob = Callable[[Job, str], "subprocess.Popen[str]"]


@pytest.fixture
def run_job(lab: Lab, shared_folder: Path, tmp_path: Path) -> RunJob:
    """Start a process that runs a job of the lab's workspace under a name."""

    def run(job: Job, name: str) -> subprocess.Popen[str]:
        plan = tmp_path / f"{name}.json"
        plan.write_bytes(job.to_json())
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.faults.run_job"),
                *(str(lab.project), str(shared_folder), str(plan), name),
            ],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )

    return run
