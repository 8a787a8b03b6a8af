"""Checks what deployments have in common: their model, scoring script, environment, and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amlocal.spec import build
from amlocal.spec.check import plain
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import named
from amlocal.spec.locate import Place, absolute
from amlocal.spec.paths import Files, check_environment, check_path, problem_missing

#: A number's least and greatest value; None is no bound.
Bounds = tuple[float, float | None]


def check_serving(
    findings: Findings,
    files: Files,
    place: Place,
    data: Mapping[str, Any],
    *,
    may_be_container: bool,
) -> None:
    """Check what a deployment serves and with what: its model, script, and environment.

    Args:
        findings: Where problems go.
        files: Remembers which files were looked at.
        place: The deployment.
        data: Its fields.
        may_be_container: Whether a container may serve it, where Docker is there to run it.
    """
    model, code = data.get("model"), data.get("code_configuration")
    environment = data.get("environment")
    if isinstance(model, str) and model.startswith("file:"):
        message = f"Azure's client takes no {model!r} as the model of a deployment"
        hint = "write its fields here, or register it and write azureml:NAME:VERSION"
        findings.problem(place.at("model"), message, hint)
    if isinstance(model, Mapping):
        _check_model(findings, files, place.at("model"), model)
    if isinstance(code, Mapping):
        _check_code(findings, files, place.at("code_configuration"), code)
    check_environment(findings, files, place.at("environment"), environment)
    if not may_be_container:
        _refuse_container(findings, place.at("environment"), environment)
    if is_container(environment):
        return
    is_mlflow = _type_of(model) in {"mlflow_model", ""}
    if code is None and model is None and isinstance(environment, str) and may_be_container:
        return  # the workspace knows whether it is a container
    if code is None and model is None:
        message = "the deployment has neither a model nor a scoring script"
        hint = "add model:, or code_configuration: with code and scoring_script"
        if isinstance(environment, str):
            message = f"{message}: a container does not run here"
            findings.unsupported(place.at("environment"), message, hint)
        else:
            findings.problem(place, message, hint)
    elif code is None and _type_of(model) == "custom_model":
        message = "only an MLflow model is served without a scoring script"
        hint = "add code_configuration:, with code and scoring_script"
        if _holds_mlmodel(place, model):
            hint = "write type: mlflow_model, since the folder holds an MLmodel file"
        findings.problem(place.at("model"), message, hint)
    elif code is not None and environment is None and not is_mlflow:
        hint = "add environment:, such as azureml:NAME:VERSION"
        findings.problem(place, "a scoring script needs an environment", hint)


def check_numbers(
    findings: Findings, place: Place, value: object, bounds: Mapping[str, Bounds]
) -> None:
    """Check that the numbers of an object are in range.

    Args:
        findings: Where problems go.
        place: The object.
        value: Its fields.
        bounds: By field.
    """
    data = build.mapping(value)
    for field, (least, greatest) in bounds.items():
        found = build.number(data.get(field))
        if found is None or (least <= found and (greatest is None or found <= greatest)):
            continue
        limit = f"{plain(least)} to {plain(greatest)}" if greatest is not None else ""
        at = place.at(field)
        message = f"{named(at)} cannot be {plain(found)}"
        findings.problem(at, message, f"give {limit or f'{plain(least)} or more'}")


def _check_model(findings: Findings, files: Files, place: Place, model: Mapping[str, Any]) -> None:
    path = model.get("path")
    if _type_of(model) == "triton_model":
        message = "a Triton model does not run here: there is no Triton server"
        findings.unsupported(place.at("type"), message, "deploy it with --target azure")
        return
    if not isinstance(path, str):
        if path is None:
            hint = "add path:, or refer to a registered one: model: azureml:NAME:VERSION"
            findings.problem(place, "the model has no path", hint)
        return
    at = place.at("path")
    check_path(findings, files, at, path, "the model")
    if build.is_address(path) and "name" not in model:
        # The SDK makes up a name from the files, and has none.
        findings.problem(at, "a model at an address needs a name", "add name: beside path:")
    if build.is_address(path) or _type_of(model) != "mlflow_model":
        return
    folder = absolute(path.removeprefix("file:"), place.document.folder)
    if folder.is_file():
        message = f"an MLflow model is a folder, and {path!r} is a file"
        findings.problem(at, message, "name the folder that holds MLmodel")
    elif folder.is_dir() and not files.exists(folder / "MLmodel"):
        message = f"{path!r} holds no MLmodel file, and so is no MLflow model"
        inner = [found.parent.name for found in sorted(folder.glob("*/MLmodel"))]
        hint = f"did you mean {path.rstrip('/')}/{inner[0]}?" if inner else "check the path"
        findings.problem(at, message, hint)


def _check_code(findings: Findings, files: Files, place: Place, code: Mapping[str, Any]) -> None:
    folder, script = code.get("code"), code.get("scoring_script")
    if not isinstance(folder, str):
        return
    at = place.at("code")
    if build.is_address(folder):
        hint = "write the path of a folder"
        findings.unsupported(at, "the code of a deployment must be a folder here", hint)
        return
    check_path(findings, files, at, folder, "the code folder")
    where = absolute(folder.removeprefix("file:"), place.document.folder)
    if where.is_file():
        hint = f"write code: {Path(folder).parent}, and scoring_script: {where.name}"
        findings.problem(at, f"{folder!r} is a file, not a folder", hint)
    elif where.is_dir() and isinstance(script, str):
        _check_script(findings, files, place.at("scoring_script"), where, script)


def _check_script(
    findings: Findings, files: Files, place: Place, folder: Path, script: str
) -> None:
    file = absolute(script, folder)
    if not file.is_relative_to(folder):
        message = f"the scoring script {script!r} is outside the code folder"
        hint = f"move it into {folder.name}, or widen code:"
        findings.problem(place, message, hint)
    elif file.is_dir():
        scripts = [found.name for found in sorted(file.glob("*.py"))]
        hint = (
            f"name the script in it, such as {script.rstrip('/')}/{scripts[0]}" if scripts else ""
        )
        findings.problem(place, f"{script!r} is a folder, not a script", hint)
    elif not files.exists(file):
        problem_missing(findings, place, file, "the scoring script")


def is_container(environment: object) -> bool:
    """Return whether an environment is a container that serves by itself."""
    return bool({"inference_config", "build"} & build.mapping(environment).keys())


def _refuse_container(findings: Findings, place: Place, environment: object) -> None:
    fields = build.mapping(environment)
    hint = "give code_configuration: and a conda_file, or deploy with --target azure"
    if "inference_config" in fields:
        message = "a custom container does not run here"
        findings.unsupported(place.at("inference_config"), message, hint)
    elif "build" in fields:
        message = "an image that is built from a Dockerfile does not run here"
        findings.unsupported(place.at("build"), message, hint)


def _type_of(model: object) -> str:
    """Return the type of an inline model; empty of a registered one, which is not known yet."""
    if not isinstance(model, Mapping):
        return "" if isinstance(model, str) else "none"
    return build.text(model.get("type")).lower() or "custom_model"


def _holds_mlmodel(place: Place, model: object) -> bool:
    path = build.text(build.mapping(model).get("path"))
    if not path or build.is_address(path):
        return False
    return (absolute(path.removeprefix("file:"), place.document.folder) / "MLmodel").is_file()
