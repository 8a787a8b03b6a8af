"""Servers of one MLflow model: amlocal's endpoint, and what it is compared with."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from commands import output_of

BIN = Path(sys.executable).parent
SCORING = Path(__file__).parent / "peers" / "scoring"
#: Requests that an instance of amlocal takes at a time: what a load has at once, and more.
CONCURRENT = 128
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers.

    Attributes:
        address: Where requests are posted to.
        form: The form of a body: `input_data`, or MLflow's `dataframe_split`.
        headers: What it wants in each request.
    """

    address: str
    form: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """How a server is run.

    Attributes:
        peer: `amlocal`, `mlflow`, `azmlinfsrv`, or `amlocal-script`.
        workers: Its processes.
    """

    peer: str
    workers: int

    @property
    def name(self) -> str:
        """What it is called in a report."""
        return f"{self.peer}, {self.workers} worker{'s' if self.workers > 1 else ''}"


@contextlib.contextmanager
def serving(setting: Setting, model: Path, folder: Path) -> Iterator[Server]:
    """Run a server for as long as it is used.

    Args:
        setting: Which one, and how.
        model: The folder of an MLflow model.
        folder: For its log, and whatever it keeps; made where it is missing.

    Raises:
        RuntimeError: It did not answer in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if setting.peer.startswith("amlocal"):
        with _endpoint(setting, model, folder) as server:
            yield server
        return
    port = free_port()
    command = {
        "mlflow": [
            *(str(BIN / "mlflow"), "models", "serve", "-m", str(model), "--env-manager", "local"),
            *("-h", "127.0.0.1", "-p", str(port), "-w", str(setting.workers)),
        ],
        "azmlinfsrv": [
            *(str(BIN / "azmlinfsrv"), "--entry_script", str(SCORING / "score.py")),
            *("--model_dir", str(model), "--port", str(port), "--health_port", str(free_port())),
            *("--worker_count", str(setting.workers)),
        ],
    }[setting.peer]
    with (folder / "server.log").open("wb") as log:
        # A session of its own, so that its workers end with it.
        process = subprocess.Popen(
            command,
            env=_environment(),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            is_mlflow = setting.peer == "mlflow"
            _wait(f"http://127.0.0.1:{port}/{'ping' if is_mlflow else ''}", process, folder)
            path, form = (
                ("invocations", "dataframe_split") if is_mlflow else ("score", "input_data")
            )
            yield Server(f"http://127.0.0.1:{port}/{path}", form)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    """Return the variables of a server: one thread each, which is the best for single rows."""
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **threads, "PATH": os.pathsep.join([str(BIN), os.environ.get("PATH", "")])}


def _wait(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        # Refused, or no answer yet: asked again.
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            urllib.request.urlopen(address, timeout=5),
        ):
            return
        time.sleep(0.2)
    raise RuntimeError(f"no server at {address}:\n{(folder / 'server.log').read_text()[-2000:]}")


@contextlib.contextmanager
def _endpoint(setting: Setting, model: Path, folder: Path) -> Iterator[Server]:
    (folder / "endpoint.yml").write_text("name: bench\nauth_mode: key\n")
    lines = [
        "name: blue",
        "endpoint_name: bench",
        f"model: {{path: {model}, type: mlflow_model}}",
        "instance_type: Standard_DS3_v2",
        f"instance_count: {setting.workers}",
        "request_settings:",
        "  request_timeout_ms: 60000",
        f"  max_concurrent_requests_per_instance: {CONCURRENT}",
        "  max_queue_wait_ms: 60000",
    ]
    if setting.peer == "amlocal-script":
        lines += [f"code_configuration: {{code: {SCORING}, scoring_script: score.py}}"]
        lines += [
            "environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
        ]
    (folder / "deployment.yml").write_text("\n".join(lines) + "\n")
    environ = {**_environment(), "AMLOCAL_HOME": str(folder / "workspace")}

    def aml(*arguments: str) -> str:
        return output_of([str(BIN / "aml"), *arguments], cwd=folder, environ=environ)

    try:
        aml("online-endpoint", "create", "-f", "endpoint.yml")
        in_this = ["--environment", "current"]  # The same interpreter as the peers'.
        aml("online-deployment", "create", "-f", "deployment.yml", "--all-traffic", *in_this)
        key = json.loads(aml("online-endpoint", "get-credentials", "-n", "bench", "-o", "json"))
        shown = json.loads(aml("online-endpoint", "show", "-n", "bench", "-o", "json"))
        headers = {"Authorization": f"Bearer {key['primaryKey']}"}
        yield Server(shown["scoring_uri"], "input_data", headers)
    finally:
        aml("workspace", "down")
