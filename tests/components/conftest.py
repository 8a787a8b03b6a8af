"""What the tests of the step programs share: their folders on the path, and a tracking server."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stepkit  # noqa: F401 - before scikit-learn, for how its threads wait

ROOT = Path(__file__).parents[2]
COMPONENTS = ("check_data", "split", "train", "evaluate", "register", "check_tuning", "compare")

# A job runs a program in its own folder, so its neighbours are top-level modules.
sys.path[:0] = [str(ROOT / "components" / name) for name in COMPONENTS]

Run = Callable[[str], "StepRun"]


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run MLflow's server, as a workspace has one, and yield its address."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            _wait_for(f"{address}/health", server, folder / "log")
            yield address
        finally:
            # The server's workers are in its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, 15)
            server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5):
            return
        time.sleep(0.2)
    pytest.fail(f"the tracking server did not start: {log.read_text()[-2000:]}")


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
def step_run(tracking_server: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what opens a run, and sets the environment of the step's process as a job does."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_server)

    def open_run(step: str) -> StepRun:
        run = client.create_run("0", run_name=step)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server)
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
