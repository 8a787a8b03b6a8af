"""Saves a model as MLflow does, so that it serves, evaluates, and registers like any other."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import automlmodel
from automlkit.columns import is_number
from automlkit.request import Request
from automlmodel.values import category_text

#: Packages that every model needs, and modules that some do.
_ALWAYS = ("mlflow", "scikit-learn", "pandas", "numpy", "scipy", "cloudpickle")
_SOMETIMES = ("lightgbm", "xgboost", "interpret")


def save_model(
    estimator: Any,
    folder: Path,
    *,
    X_example: pd.DataFrame,
    y: pd.Series,
    request: Request,
    metrics: Mapping[str, float],
) -> None:
    """Save a fitted model of raw columns, whole or not at all.

    It brings along the classes of `automlmodel`, and says its task and target, which the project's
    own steps read before they evaluate it.

    Args:
        estimator: A classifier or regressor of raw columns.
        folder: Where to; replaced where it is there.
        X_example: Raw columns; their types become the model's signature.
        y: Targets as given, which the signature's output is of.
        request: What was asked for.
        metrics: Of the model on validation rows, kept in its metadata.
    """
    import mlflow.sklearn  # 2 s, and only at the end

    # It warns that pickles run code when loaded; the format is chosen knowingly, below.
    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)
    draft = folder.with_name(f".{folder.name}.draft")
    for old in (draft, folder):
        shutil.rmtree(old, ignore_errors=True)
    example = signed(X_example.head(5))
    mlflow.sklearn.save_model(
        estimator,
        str(draft),
        signature=signature(signed(X_example), y),
        input_example=example,
        # The skops default refuses classes that it does not know; Azure's images load cloudpickle.
        serialization_format="cloudpickle",
        pip_requirements=requirements(estimator),
        code_paths=[str(Path(automlmodel.__file__).parent)],
        metadata=_metadata(estimator, request, metrics),
    )
    for byte_code in draft.rglob("__pycache__"):
        shutil.rmtree(byte_code)
    draft.rename(folder)


def signed(X: pd.DataFrame) -> pd.DataFrame:
    """Return raw columns under the types that a model is signed with.

    Numbers and booleans are doubles, since a column of whole numbers could not take a missing
    value later; times stay; all else is text.
    """
    columns = {}
    for name in X.columns:
        column = X[name]
        if is_number(column) or column.isna().all():
            columns[name] = pd.to_numeric(column).astype("float64")
        elif pd.api.types.is_datetime64_any_dtype(column.dtype):
            columns[name] = column
        else:
            texts = column.map(category_text, na_action="ignore").to_numpy(dtype=object)
            texts[column.isna().to_numpy()] = None
            columns[name] = pd.Series(texts, index=X.index, dtype=object)
    return pd.DataFrame(columns, index=X.index)


def signature(X: pd.DataFrame, y: pd.Series) -> Any:
    """Return MLflow's signature of signed columns and of what is predicted."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    kinds = {"f": DataType.double, "M": DataType.datetime}
    inputs = [ColSpec(kinds.get(X[name].dtype.kind, DataType.string), name) for name in X.columns]
    labels = {"f": DataType.double, "i": DataType.long, "u": DataType.long, "b": DataType.boolean}
    output = labels.get(y.dtype.kind, DataType.string)
    return ModelSignature(Schema(inputs), Schema([ColSpec(output)]))


def requirements(estimator: Any) -> list[str]:
    """Return the packages that a model needs, pinned to the versions that it was trained with."""
    modules = _modules(estimator)
    some = pinned(module for module in _SOMETIMES if module in modules)
    return [*(f"{name}=={version(name)}" for name in _ALWAYS), *some]


def pinned(modules: Iterable[str]) -> list[str]:
    """Return the installed packages that modules come with, pinned to their versions.

    One module may come with one of several packages (xgboost, xgboost-cpu): the one that is here.
    """
    installed = _packages()
    return [f"{name}=={version(name)}" for name in (installed[module] for module in modules)]


@cache
def _packages() -> dict[str, str]:
    """Return the installed packages by their modules (a third of a second, once).

    By their files: in Python 3.10 `importlib.metadata.packages_distributions` leaves out those
    whose metadata do not list their modules.
    """
    return {
        file.parts[0]: package.metadata["Name"]
        for package in distributions()
        for file in package.files or ()
        if len(file.parts) == 2 and file.name == "__init__.py"
    }


def _modules(estimator: Any) -> set[str]:
    """Return the top packages whose classes a model is made of."""
    found: set[str] = set()
    pending, seen = [estimator], set()
    while pending:
        part = pending.pop()
        if id(part) in seen or isinstance(part, np.ndarray | pd.DataFrame | str | bytes):
            continue
        seen.add(id(part))
        found.add(type(part).__module__.partition(".")[0])
        if isinstance(part, dict):
            pending += part.values()
        elif isinstance(part, list | tuple | set):
            pending += part
        elif type(part).__module__.partition(".")[0] in ("automlmodel", "sklearn"):
            pending += getattr(part, "__dict__", {}).values()
    return found


def _metadata(estimator: Any, request: Request, metrics: Mapping[str, float]) -> dict[str, str]:
    facts = {
        "task": request.task,
        "target": request.target_column_name,
        "estimator": "automl",
        "algorithm": getattr(estimator, "algorithm", type(estimator).__name__),
        "primary_metric": request.primary_metric,
    }
    if request.primary_metric in metrics:
        facts["validation_score"] = repr(float(metrics[request.primary_metric]))
    return facts
