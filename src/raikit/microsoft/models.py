"""Models as Microsoft's components load them: MLflow's pyfunc, without its wrapper."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import yaml

from stepkit.program import StepError


def load(folder: Path) -> Any:
    """Return the model, unwrapped where it is scikit-learn's.

    Raises:
        StepError: There is none, or it does not load here.
    """
    if not (folder / "MLmodel").is_file():
        raise StepError(f"no MLflow model in {folder}: it has no MLmodel file")
    try:
        # What Microsoft's component takes; `get_raw_model` unwraps models of Python, too.
        model = mlflow.pyfunc.load_model(str(folder))._model_impl  # noqa: SLF001
    except Exception as error:  # a pickle may raise anything
        raise does_not_work(folder, error) from error
    is_sklearn = type(model).__name__ == "_SklearnModelWrapper"
    return model.sklearn_model if is_sklearn else model


def does_not_work(folder: Path, error: Exception) -> StepError:
    """Return the error of a model that does not load or predict here, with both its versions."""
    differing = [
        f"{name} {its}, here {own}"
        for name, its, own in _versions(folder)
        if its.split(".")[:2] != own.split(".")[:2]
    ]
    message = f"the model does not work here: {error}"
    if not differing:
        return StepError(message, hint="add what it needs to the environment responsibleai")
    pins = ", ".join(
        f"{name}=={'.'.join(own.split('.')[:2])}.*" for name, _, own in _versions(folder)
    )
    return StepError(
        f"{message}; it was saved with {'; '.join(differing)}",
        hint=f"train it in an environment with {pins}, as environments/responsibleai has them",
    )


def _versions(folder: Path) -> list[tuple[str, str, str]]:
    """Return what the model was saved with and what is here: name, its version, own version."""
    flavors = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8")).get("flavors", {})
    saved = {
        "scikit-learn": flavors.get("sklearn", {}).get("sklearn_version"),
        "python": flavors.get("python_function", {}).get("python_version"),
    }
    return [(name, str(its), _own(name)) for name, its in saved.items() if its]


def _own(name: str) -> str:
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
