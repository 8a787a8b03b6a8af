"""Jobs and endpoints in processes that can be killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.faults.site import Site
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


@pytest.fixture(scope="session")
def served_models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Folders of the models that endpoints serve, by name."""
    # Loads scikit-learn and MLflow, which the tests of jobs have no use for.
    from tests.faults.models import save_models

    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    shared_folder: Path,
    served_models: Mapping[str, Path],
) -> Iterator[Site]:
    """An endpoint of the module's own."""
    with Site.open(tmp_path_factory.mktemp("site"), shared_folder, served_models) as site:
        yield site
