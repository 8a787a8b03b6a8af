"""Versions of a deployment: all that its instances are started from, laid out once.

As in Azure, what is edited after the deployment was created or updated does not count: code and
model are in the version's own folder, laid out as they are there::

    azureml-app/CODE/                   the code folder, under its own name
    azureml-models/NAME/VERSION/MODEL   the model, under its own name, in AZUREML_MODEL_DIR
    context/                            what a container's image is built of
    variables.json                      environment variables, which may be secret
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amlocal.code import code_files
from amlocal.errors import EnvironmentBuildError, Problem, SpecError, TargetError, UsageError
from amlocal.files import write_whole
from amlocal.local.docker import Docker
from amlocal.local.endpoints.container import Container, container_of, lay_out_context
from amlocal.local.endpoints.environment import choose_environment, environment_of
from amlocal.local.endpoints.models import ServedModel, find_model
from amlocal.local.environments import EnvironmentChoice, Environments
from amlocal.local.locations import Locations, is_address, redacted
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.services import FindEnvironment
from amlocal.plan import OnlineDeployment
from amlocal.plan.base import Value

_VARIABLES = "variables.json"


class DeploymentVersion(Value, frozen=True):
    """What the instances of a deployment are started from.

    Attributes:
        plan: The deployment, without its environment variables.
        folder: The version's folder.
        choice: The environment.
        model: `NAME:VERSION`, the path of an inline model, or an empty string.
        model_dir: What `AZUREML_MODEL_DIR` says, or an empty string.
        model_path: The model in it.
        model_type: Its type, which the plan does not know of a registered one.
        run_id: The MLflow run that made the model, or an empty string.
        app: The code folder, or an empty string.
        container: What serves instead of processes of this machine, or None.
    """

    plan: OnlineDeployment
    folder: str
    choice: EnvironmentChoice
    model: str = ""
    model_dir: str = ""
    model_path: str = ""
    model_type: str = ""
    run_id: str = ""
    app: str = ""
    container: Container | None = None

    @property
    def identity(self) -> str:
        """Its name among the versions of its deployment."""
        return Path(self.folder).name

    @property
    def registered(self) -> tuple[str, str] | None:
        """Name and version of the registered model that it serves, or None."""
        if self.plan.model is None or not self.plan.model.reference:
            return None
        name, _, version = self.model.rpartition(":")
        return (name, version) if name and "/" not in name else None

    def variables(self) -> dict[str, str]:
        """Return the environment variables that the deployment sets."""
        return msgspec.json.decode(
            (Path(self.folder) / _VARIABLES).read_bytes(), type=dict[str, str]
        )


@dataclass(frozen=True, slots=True)
class VersionMaker:
    """Makes versions of deployments.

    Attributes:
        registry: The registered models.
        locations: Turns addresses into places.
        environments: Chooses environments.
        find_environment: Looks a registered environment up.
        environ: What Docker is called with.
    """

    registry: ModelRegistry
    locations: Locations
    environments: Environments
    find_environment: FindEnvironment
    environ: Mapping[str, str]

    def make(
        self,
        plan: OnlineDeployment,
        versions: Path,
        mode: str,
        *,
        model_of: DeploymentVersion | None = None,
    ) -> DeploymentVersion:
        """Lay a version out.

        Args:
            plan: The deployment.
            versions: The folder of its versions.
            mode: `auto`, `current`, or `isolated`.
            model_of: The version whose model is taken as it was laid out; None takes what the plan
                names, as it is now.

        Raises:
            SpecError: The code is not there.
            UsageError: Nothing says how to serve it.
            NotFoundError: There is no such model.
            TargetError: It cannot be served on this machine.
        """
        _check_code(plan)
        container = self._container(plan)
        model = (
            find_model(plan, self.registry, self.locations)
            if model_of is None
            else _served_model(model_of)
        )
        if container is None:
            _check_model(plan, model)
            choice = choose_environment(plan, model, mode, self.environments, self.find_environment)
        folder = versions / uuid.uuid4().hex[:12]
        folder.mkdir(parents=True)
        try:
            place = _lay_out_model(model, folder) if model else None
            app = _lay_out_code(plan, folder)
            if container is not None:
                container = _laid_out(container, folder)
                choice = EnvironmentChoice("container", container.image, "", "", "")
            write_whole(
                folder / _VARIABLES, msgspec.json.encode(plan.environment_variables), mode=0o600
            )
        except BaseException:
            shutil.rmtree(folder)
            raise
        return DeploymentVersion(
            plan=msgspec.structs.replace(plan, environment_variables={}),
            folder=str(folder),
            choice=choice,
            model=model.label if model else "",
            model_dir=str(place.parent) if place else "",
            model_path=str(place) if place else "",
            model_type=model.type if model else "",
            run_id=model.run_id if model else "",
            app=str(app) if app else "",
            container=container,
        )

    def _container(self, plan: OnlineDeployment) -> Container | None:
        """Return the container that serves a deployment; raises TargetError without Docker."""
        container = container_of(plan, environment_of(plan, self.find_environment))
        if container is None:
            return None
        try:
            Docker.find(self.environ).check()
        except EnvironmentBuildError as error:
            raise TargetError(
                f"deployment {plan.name!r} runs a container of its own, and {error}",
                hint="serve the model by a scoring script or as an mlflow_model; "
                "or deploy it with --target azure",
            ) from error
        return container


def _served_model(version: DeploymentVersion) -> ServedModel | None:
    """Return the model of a version, as it was laid out."""
    if not version.model_path:
        return None
    path = Path(version.model_path)
    number, name = path.parent.name, path.parent.parent.name
    return ServedModel(
        path=path,
        file_name=path.name,
        name=name,
        version=number,
        type=version.model_type,
        label=version.model,
        run_id=version.run_id,
        may_change=False,
    )


def _laid_out(container: Container, folder: Path) -> Container:
    """Return a container whose image is built of what its Dockerfile's folder holds now."""
    if not container.context:
        return container
    place, image = lay_out_context(Path(container.context), folder)
    return msgspec.structs.replace(container, context=str(place), image=image)


def _check_code(plan: OnlineDeployment) -> None:
    """Require that a deployment's code is on this machine."""
    if plan.scoring_script is not None and plan.code is None:
        raise UsageError(
            f"deployment {plan.name!r} has a scoring script and no code folder",
            hint="write code_configuration.code",
        )
    if plan.code is not None and is_address(plan.code):
        raise SpecError(
            [Problem(f"the code {redacted(plan.code)} is not on this machine", "give a folder")]
        )
    if plan.code is not None and not Path(plan.code).exists():
        raise SpecError([Problem(f"the code {plan.code} does not exist", "check the path")])
    script = plan.scoring_script
    if plan.code is not None and script and not (Path(plan.code) / script).is_file():
        raise SpecError(
            [
                Problem(
                    f"there is no scoring script {script} in {plan.code}",
                    "its path is relative to code_configuration.code",
                )
            ]
        )


def _check_model(plan: OnlineDeployment, model: ServedModel | None) -> None:
    if plan.scoring_script is not None:
        return
    if model is None or model.type != "mlflow_model":
        raise UsageError(
            f"deployment {plan.name!r} has neither a scoring script nor an MLflow model",
            hint="write code_configuration, or give the model `type: mlflow_model`",
        )
    if not (model.path / "MLmodel").is_file():
        raise UsageError(
            f"{model.path} is no MLflow model: it holds no MLmodel file", hint="check its path"
        )


def _lay_out_model(model: ServedModel, folder: Path) -> Path:
    place = folder / "azureml-models" / model.name / model.version / model.file_name
    place.parent.mkdir(parents=True)
    # The registry's own files never change; those of the user may, so they are copied.
    copy: Callable[[str, str], object] = shutil.copy2 if model.may_change else _link
    if model.path.is_dir():
        shutil.copytree(model.path, place, copy_function=copy)
    else:
        copy(str(model.path), str(place))
    return place


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)  # another disk, or one that cannot link


def _lay_out_code(plan: OnlineDeployment, folder: Path) -> Path | None:
    if plan.code is None:
        return None
    code = Path(plan.code)
    place = folder / "azureml-app" / (code.name or "code")
    place.mkdir(parents=True)
    for name in code_files(code):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(code / name, place / name)
    return place
