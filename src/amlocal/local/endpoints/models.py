"""The model that a deployment serves: where it is, and what it is called in `AZUREML_MODEL_DIR`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from amlocal.errors import TargetError
from amlocal.local.assets import parse_reference
from amlocal.local.locations import Locations
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.model_tags import asset_info, given_path
from amlocal.plan import BatchDeployment, ModelSource, OnlineDeployment


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model.

    Attributes:
        path: Its file or folder.
        file_name: The name that the file or folder was registered under, which scripts look for.
        name: The model's name.
        version: Its version.
        type: `custom_model`, `mlflow_model`, or `triton_model`.
        label: What people call it: `NAME:VERSION`, or the path of one that is not registered.
        run_id: The MLflow run that made it, or an empty string.
        may_change: Whether its files are the user's, who may edit them.
    """

    path: Path
    file_name: str
    name: str
    version: str
    type: str
    label: str
    run_id: str = ""
    may_change: bool = True


def find_model(
    plan: OnlineDeployment | BatchDeployment, registry: ModelRegistry, locations: Locations
) -> ServedModel | None:
    """Return the model of a deployment, or None where it has none.

    Raises:
        NotFoundError: There is no such registered model.
        TargetError: Its files are not on this machine.
    """
    source = plan.model
    if source is None:
        return None
    if source.reference and not source.reference.startswith("azureml://"):
        return _registered(source, registry)
    return _at_place(source, locations)


def _registered(source: ModelSource, registry: ModelRegistry) -> ServedModel:
    name, number, label = parse_reference(source.reference)
    with registry.client_for(name) as client:
        found = registry.find(client, name, number, label)
        path = registry.path_of(client, found)
    if path is None or not path.exists():
        raise TargetError(
            f"the files of model {name}:{found.version} are not on this machine: "
            f"{path or found.source}",
            hint=f"register them anew: `aml model create -n {name} -p PATH`",
        )
    return ServedModel(
        path=path,
        file_name=_file_name(given_path(found), found.source, path),
        name=found.name,
        version=found.version,
        type=asset_info(found, path).type,
        label=f"{found.name}:{found.version}",
        run_id=found.run_id,
        may_change=False,
    )


def _file_name(given: str, source: str, path: Path) -> str:
    """Return what a registered model's file or folder is called.

    The registry stores a folder under a made-up name, so the path that was given at registration
    counts; a model that a script logged is called as the artifact that it was logged to.
    """
    if given:
        return PurePosixPath(given.rstrip("/")).name or "model"
    if source.startswith("runs:/"):
        return PurePosixPath(source).name
    if path.is_file():
        return path.name
    # Of MLflow 3's logged models the files are in a folder that is called so whatever their name.
    return "model" if path.name == "artifacts" else path.name


def _at_place(source: ModelSource, locations: Locations) -> ServedModel:
    address = source.path or source.reference
    path = locations.existing(address).resolve()
    anonymous = hashlib.sha256(str(path).encode()).hexdigest()[:32]
    return ServedModel(
        path=path,
        file_name=path.name,
        name=source.name or anonymous,
        version=source.version or "1",
        type=source.type,
        label=address if source.reference else str(path),
    )
