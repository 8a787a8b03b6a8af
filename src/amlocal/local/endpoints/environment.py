"""The environment that a deployment's instances run in."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from amlocal.errors import TargetError
from amlocal.local.endpoints.models import ServedModel
from amlocal.local.environments import EnvironmentChoice, Environments
from amlocal.local.environments.choice import with_requirements
from amlocal.local.services import FindEnvironment
from amlocal.plan import Environment, OnlineDeployment

#: What runs scoring scripts, as in Azure's images.
INFERENCE_SERVER = "azureml-inference-server-http"
#: The package that serves MLflow models; it is not installed in isolated environments, but found.
SCORING_SERVER = "scoringserver"


def choose_environment(
    plan: OnlineDeployment,
    model: ServedModel | None,
    mode: str,
    environments: Environments,
    find_environment: FindEnvironment,
) -> EnvironmentChoice:
    """Return the environment of a deployment's instances, building nothing.

    An MLflow model that is given no environment gets its own. One that is built gets what the
    server needs beside what it asks for; Azure's images have that too.

    Raises:
        UsageError: There is no such mode.
        EnvironmentBuildError: The environment cannot be had on this machine.
    """
    environment = environment_of(plan, find_environment)
    if environment is None and model is not None and model.type == "mlflow_model":
        environment = environment_of_model(model)
    choice = environments.choose(environment, mode)
    if choice.kind == "current":
        return choice
    needed = (INFERENCE_SERVER,) if plan.scoring_script else scoring_requirements()
    return with_requirements(choice, needed)


def environment_of(plan: OnlineDeployment, find_environment: FindEnvironment) -> Environment | None:
    """Return the environment that a deployment asks for, a registered one with its fields."""
    environment = plan.environment
    if environment is not None and environment.reference:
        return find_environment(environment.reference) or environment
    return environment


def environment_of_model(model: ServedModel) -> Environment | None:
    """Return the environment that an MLflow model was saved with, or None where it says none.

    Raises:
        TargetError: Its file cannot be read.
    """
    conda = model.path / "conda.yaml"
    lines = model.path / "requirements.txt"
    if conda.is_file():
        content = _read_yaml(conda)
    elif lines.is_file():
        kept = [line.strip() for line in lines.read_text(encoding="utf-8").splitlines()]
        content = {"dependencies": [{"pip": [x for x in kept if x and not x.startswith("#")]}]}
    else:
        return None
    return Environment(conda={**content, "name": f"of model {model.label}"})


def _read_yaml(path: Path) -> dict[str, Any]:
    import yaml  # only deployments of MLflow models pay for it

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise TargetError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise TargetError(f"{path} is no conda file", hint="save the model again")
    return msgspec.convert(content, dict[str, Any])


def scoring_server() -> Path:
    """Return the folder of the package that serves MLflow models.

    Raises:
        TargetError: It is not installed.
    """
    found = importlib.util.find_spec(SCORING_SERVER)
    if found is None or found.origin is None:
        raise TargetError(
            "the package that serves MLflow models is not installed", hint="install amlocal anew"
        )
    return Path(found.origin).parent


def scoring_requirements() -> Sequence[str]:
    """Return what the scoring server needs in an environment of its own."""
    text = (scoring_server() / "requirements.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))
