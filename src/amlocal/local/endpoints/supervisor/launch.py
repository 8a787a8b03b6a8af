"""How the instances of a version are started: program, environment, folder."""

from __future__ import annotations

import hashlib
import itertools
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amlocal.errors import UsageError
from amlocal.local.docker import Docker, have_image, mounted
from amlocal.local.endpoints.container import APP, Container
from amlocal.local.endpoints.environment import SCORING_SERVER, scoring_server
from amlocal.local.endpoints.supervision import Programs, role
from amlocal.local.endpoints.supervisor.collecting import collector_variables
from amlocal.local.endpoints.supervisor.instance import Launch
from amlocal.local.endpoints.supervisor.log import say
from amlocal.local.endpoints.uris import HOST
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
        environment: ResolvedEnvironment | None,
        all_instances: int,
        port: int,
    ) -> Launch:
        """Return how an instance is started.

        Args:
            identity: Its id.
            version: What it serves.
            environment: Where it runs; None for a container.
            all_instances: How many instances there are in the workspace; they share the cores.
            port: The port of its endpoint.

        Raises:
            UsageError: The deployment's own variables say what cannot be.
            TargetError: The scoring server is not installed.
        """
        plan = version.plan
        if version.container is not None:
            return self._contained(identity, version, version.container)
        assert environment is not None, "what is no container runs in an environment"
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
            **(_inference_variables(version, version.app) if plan.scoring_script else {}),
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

    def have_image(self, container: Container) -> None:
        """Pull or build a container's image where it is missing; raises EnvironmentBuildError."""
        context = Path(container.context) if container.context else None
        docker = Docker.find(self.environ)
        docker.check()
        have_image(docker, container.image, context, container.dockerfile, say)

    def remove_containers(self) -> None:
        """End and remove all containers of this workspace; raises EnvironmentBuildError."""
        docker = Docker.find(self.environ)
        docker.remove(docker.containers(self._label))

    @property
    def _label(self) -> str:
        return f"amlocal.endpoints={self.folder}"

    def _contained(self, identity: str, version: DeploymentVersion, container: Container) -> Launch:
        """Return how a container is started: its client stays in front, and its log is its own.

        Only this machine reaches the ports. What the model's folder holds may be linked to the
        registry, so the container cannot write there.
        """
        docker = Docker.find(self.environ)
        plan, base = version.plan, inherited(self.environ)
        given, mounts = _inside(version, container)
        given |= version.variables()
        workspace = hashlib.sha256(str(self.folder).encode()).hexdigest()[:8]
        name = f"amlocal-{workspace}-{plan.endpoint_name}-{identity}"
        ports = {route.port: _free_port() for route in container.routes}
        program = [docker.program, "run", "--rm", "--name", name, "--label", self._label]
        for inside, outside in ports.items():
            program += ["--publish", f"{HOST}:{outside}:{inside}"]
        for variable, value in given.items():
            # By name alone, so that no value stands where everybody can read it; but what Docker
            # itself may heed is not changed for it.
            program += ["--env", f"{variable}={value}" if variable in base else variable]
        for source, target in mounts:
            program += ["--mount", mounted(source, target)]
        variables = {**given, **base, MARKER: str(self.folder)}
        variables |= role("instance", plan.endpoint_name, plan.name, identity)
        return Launch(
            program=(*program, container.image),
            variables=variables,
            folder=Path(version.folder),
            address=f"tcp:{HOST}:{ports[container.scoring.port]}",
            liveness=(f"tcp:{HOST}:{ports[container.liveness.port]}", container.liveness.path),
            readiness=(f"tcp:{HOST}:{ports[container.readiness.port]}", container.readiness.path),
            clearing=docker.removal([name]),
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


def _inside(
    version: DeploymentVersion, container: Container
) -> tuple[dict[str, str], list[tuple[Path, str]]]:
    """Return the variables and the mounts of a container, as Azure's images have them."""
    given: dict[str, str] = {}
    mounts = []
    if version.model_dir:
        source = Path(version.model_dir)
        target = f"{container.models}/{source.parent.name}/{source.name}"
        given["AZUREML_MODEL_DIR"] = target
        mounts.append((source, target))
    if version.app:
        source = Path(version.app)
        target = f"{APP}/{source.name}"
        mounts.append((source, target))
        if version.plan.scoring_script:
            given |= _inference_variables(version, target)
    return given, mounts


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


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


def _inference_variables(version: DeploymentVersion, app: str) -> dict[str, str]:
    """Return what azmlinfsrv sets before it starts gunicorn (its amlserver.py)."""
    script = version.plan.scoring_script or ""
    folder = str(Path(script).parent)
    return {
        "AML_APP_ROOT": app,
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
