"""MLflow models on disk, whoever saved them: what they say of themselves, and how to load them.

What `train` and AutoML save says its task and target in its metadata. Of another model the task is
read from what it is made of, or from its signature, and the target must be given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from stepkit.program import StepError
from stepkit.table import Task

#: Types of what is predicted that tell the task; whole numbers may be classes or a quantity.
_TASKS: dict[str, Task] = {
    **dict.fromkeys(("string", "boolean", "str", "object", "bool"), "classification"),
    **dict.fromkeys(("float", "double", "float32", "float64"), "regression"),
}


def read_description(folder: Path) -> dict[str, Any]:
    """Return a model's MLmodel file; its `metadata` are there, if empty.

    Raises:
        StepError: No MLmodel there, or one without a signature of named columns.
    """
    try:
        document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(f"no MLflow model in {folder}: it has no MLmodel file") from None
    except yaml.YAMLError as error:
        raise StepError(f"{folder / 'MLmodel'} is no YAML: {error}") from error
    if not isinstance(document, dict) or "python_function" not in document.get("flavors", {}):
        raise StepError(
            f"the model in {folder} has no python_function flavor",
            hint="save it with the save_model of one of MLflow's flavors",
        )
    if not features_of(document):
        raise StepError(
            f"the model in {folder} does not say which columns it needs",
            hint="save it with signature=mlflow.models.infer_signature(features, predictions)",
        )
    return {**document, "metadata": document.get("metadata") or {}}


def features_of(description: Mapping[str, Any]) -> dict[str, str]:
    """Return the columns that a model's signature asks for, with their types; none of tensors."""
    columns = _columns(description, "inputs")
    return {each["name"]: str(each["type"]) for each in columns if "name" in each}


def _columns(description: Mapping[str, Any], part: str) -> list[dict[str, Any]]:
    text = (description.get("signature") or {}).get(part)
    return list(json.loads(text)) if text else []


def load_estimator(folder: Path, description: Mapping[str, Any]) -> Any:
    """Return what predicts: the model within where that tells probabilities, else MLflow's.

    Raises:
        StepError: It needs a package that is not here.
    """
    import mlflow.pyfunc  # heavy, and only needed once the folder is known to be right

    try:
        if "sklearn" in description["flavors"]:
            import mlflow.sklearn  # as above

            return mlflow.sklearn.load_model(str(folder))
        wrapped = mlflow.pyfunc.load_model(str(folder))
    except ImportError as error:
        raise StepError(
            f"the model in {folder} needs what is not installed here: {error}",
            hint="add the packages of its requirements.txt to this step's environment",
        ) from error
    try:
        inner = wrapped.get_raw_model()
    except NotImplementedError:  # not every flavor has one
        return wrapped
    tells_classes = hasattr(inner, "predict_proba") and hasattr(inner, "classes_")
    return inner if tells_classes else wrapped


def settle_model_task(
    folder: Path, said: str, given: str, estimator: Any, description: Mapping[str, Any]
) -> Task:
    """Return the task that the model says, else the one given, else what it looks like.

    Raises:
        StepError: None of them tells, or the model says another one than is given.
    """
    # A forecast is a quantity.
    said = "regression" if said == "forecasting" else said
    if said in ("classification", "regression"):
        if given not in ("auto", said):
            raise StepError(f"the model in {folder} is for {said}, not {given}")
        return cast(Task, said)
    if given != "auto":
        return cast(Task, given)
    if hasattr(estimator, "predict_proba") or hasattr(estimator, "classes_"):
        return "classification"
    if "sklearn" in description["flavors"]:
        from sklearn.base import BaseEstimator, is_regressor  # loaded with the model

        # What has scikit-learn's methods alone cannot be asked.
        if isinstance(estimator, BaseEstimator) and is_regressor(estimator):
            return "regression"
    columns = _columns(description, "outputs")
    kinds = [column.get("tensor-spec", {}).get("dtype", column["type"]) for column in columns]
    if len(kinds) == 1 and kinds[0] in _TASKS:
        return _TASKS[kinds[0]]
    raise StepError(
        f"the model in {folder} does not say whether it predicts classes or a quantity",
        hint="set task to classification or regression",
    )
