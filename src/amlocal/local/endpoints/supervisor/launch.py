"""How the instances of a version are started: program, environment, folder."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.errors import UsageError
from amlocal.local.endpoints.environment import SCORING_SERVER, scoring_server
from amlocal.local.endpoints.supervision import Programs, role
from amlocal.local.endpoints.supervisor.collecting import collector_variables
from amlocal.local.endpoints.supervisor.instance import Launch
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import ResolvedEnvironment
from amlocal.local.process import inherited
from amlocal.local.tracking.state import MARKER
from amlocal.local.variables import thread_variables

_APPLICATION = "azureml_inference_server_http.server.entry:app"
# What azmlinfsrv takes from the deployment's variables where they say nothing (its constants.py).
_WORKERS, _WORKER_SECONDS = "1", "300"


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts instances on this machine.

    Attributes:
        programs: What is started.
        folder: The folder of the workspace's endpoints.
        environ: The environment that instances inherit from.
        sockets: The folder of the sockets.
        numbers: Names the sockets.
        script_key: What routers know the instances by whose scripts collect rows.
    """

    programs: Programs
    folder: Path
    environ: Mapping[str, str]
    sockets: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)
    script_key: str = field(default_factory=secrets.token_urlsafe, repr=False)

    def launch(
        self,
        identity: str,
        version: DeploymentVersion,
        environment: ResolvedEnvironment,
        all_instances: int,
        port: int,
    ) -> Launch:
        """Return how an instance is started.

        Args:
            identity: Its id.
            version: What it serves.
            environment: Where it runs.
            all_instances: How many instances there are in the workspace; they share the cores.
            port: The port of its endpoint.

        Raises:
            UsageError: The deployment's own variables say what cannot be.
            TargetError: The scoring server is not installed.
        """
        plan = version.plan
        # Short, since the path of a socket has at most some hundred bytes.
        socket = self.sockets / f"{next(self.numbers)}.sock"
        own = version.variables()
        workers = _workers(own) if plan.scoring_script else 1
        threads = max(1, (os.cpu_count() or 1) // max(1, all_instances * workers))
        variables = {
            **inherited(self.environ),
            **thread_variables(self.environ, threads),
            **environment.variables,
            "PYTHONUNBUFFERED": "1",
            **_azure_variables(version),
            **(_inference_variables(version) if plan.scoring_script else {}),
            **own,
        }
        variables |= collector_variables(version, identity, port, self.script_key, variables)
        path = [str(entry) for entry in environment.path_entries]
        variables["PATH"] = os.pathsep.join([*path, variables.get("PATH", os.defpath)])
        variables[MARKER] = str(self.folder)
        variables |= role("instance", plan.endpoint_name, plan.name, identity)
        folder = Path(version.app) if version.app else Path(version.folder)
        if plan.scoring_script is not None:
            program = [*self.programs.inference, *_gunicorn_arguments(own, socket)]
        else:
            program = [*self.programs.scoring, "--model", version.model_path]
            program += ["--socket", str(socket)]
            if environment.choice.kind == "isolated":
                found = [str(self._scoring_path()), own.get("PYTHONPATH", "")]
                variables["PYTHONPATH"] = os.pathsep.join(filter(None, found))
        return Launch(
            program=(str(environment.python), *program),
            variables=variables,
            folder=folder,
            address=f"unix:{socket}",
        )

    def _scoring_path(self) -> Path:
        """Return a folder that holds the scoring server's package and nothing else."""
        source = scoring_server()
        folder = self.sockets / "python"
        folder.mkdir(exist_ok=True)
        link = folder / SCORING_SERVER
        if not link.exists():
            link.symlink_to(source, target_is_directory=True)
        return folder


def _workers(variables: Mapping[str, str]) -> int:
    """Return the processes of an instance, which Azure's images read from this variable."""
    text = variables.get("WORKER_COUNT", _WORKERS)
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"WORKER_COUNT is {text!r}", hint="give a number of at least 1")
    return int(text)


def _azure_variables(version: DeploymentVersion) -> dict[str, str]:
    found = {"AZUREML_MODEL_DIR": version.model_dir} if version.model_dir else {}
    # MLflow's usage reports need the network.
    return {**found, "MLFLOW_DISABLE_TELEMETRY": "true"}


def _inference_variables(version: DeploymentVersion) -> dict[str, str]:
    """Return what azmlinfsrv sets before it starts gunicorn (its amlserver.py)."""
    script = version.plan.scoring_script or ""
    folder = str(Path(script).parent)
    return {
        "AML_APP_ROOT": version.app,
        "AZUREML_ENTRY_SCRIPT": script,
        # So that a script in a folder below the root finds the modules beside it.
        **({"AZUREML_SOURCE_DIRECTORY": folder} if folder != "." else {}),
        "AML_APP_INSIGHTS_ENABLED": "false",
        "SERVICE_NAME": version.plan.endpoint_name,
    }


def _gunicorn_arguments(variables: Mapping[str, str], socket: Path) -> list[str]:
    """Return gunicorn's arguments, as azmlinfsrv gives them (its amlserver_linux.py)."""
    arguments = ["--bind", f"unix:{socket}", "--workers", variables.get("WORKER_COUNT", _WORKERS)]
    arguments += ["--timeout", variables.get("WORKER_TIMEOUT", _WORKER_SECONDS)]
    arguments += ["--access-logfile", "-", "--error-logfile", "/dev/null"]
    if variables.get("WORKER_PRELOAD", "").lower() == "true":
        arguments.append("--preload")
    return [*arguments, _APPLICATION]
