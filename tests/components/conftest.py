"""What the tests of the step programs share: their folders on the path, and the run of a step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import stepkit  # noqa: F401 - before scikit-learn, for how its threads wait
from amlocal.local.tracking.server import TrackingServer

ROOT = Path(__file__).parents[2]
COMPONENTS = (
    *("check_data", "split", "train", "evaluate", "register", "check_tuning", "compare"),
    *("explain", "report", "responsible_ai"),
)

# A job runs a program in its own folder, so its neighbours are top-level modules.
sys.path[:0] = [str(ROOT / "components" / name) for name in COMPONENTS]

Run = Callable[[str], "StepRun"]


class StepRun:
    """The MLflow run that a step's job has made for it."""

    def __init__(self, client, run_id: str) -> None:
        self._client = client
        self.id = run_id

    @property
    def data(self):
        """Return its metrics, parameters, and tags as the server has them now."""
        return self._client.get_run(self.id).data

    @property
    def status(self) -> str:
        """Return its status as the server has it now."""
        return self._client.get_run(self.id).info.status

    def artifacts(self, path: str = "") -> set[str]:
        """Return the artifacts under a path."""
        return {each.path for each in self._client.list_artifacts(self.id, path)}


@pytest.fixture
def step_run(tracking_server: TrackingServer, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what opens a run, and sets the environment of the step's process as a job does."""
    from mlflow import MlflowClient

    address = tracking_server.ensure()
    client = MlflowClient(address)

    def open_run(step: str) -> StepRun:
        run = client.create_run("0", run_name=step)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        monkeypatch.setenv("MLFLOW_RUN_ID", run.info.run_id)
        monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "0")
        monkeypatch.setenv("AZUREML_ROOT_RUN_ID", "job-1")
        return StepRun(client, run.info.run_id)

    return open_run


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a program run as by hand, where a test opens no run."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let MLflow warn of its own code while it is imported; our programs must not."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:::mlflow"))
