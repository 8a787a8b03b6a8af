"""A trained model: what it says of itself, and how it does on labelled rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from stepkit.metrics import (
    Counts,
    Floats,
    class_rates,
    classification_metrics,
    confusion_matrix,
    regression_metrics,
)
from stepkit.program import StepError
from stepkit.table import Task, as_text, label_text, require_column


@dataclass(frozen=True)
class Model:
    """An MLflow model of the scikit-learn flavor, as `train` saves it.

    Attributes:
        estimator: The fitted pipeline.
        task: What it predicts.
        target: The column that it predicts.
        features: The columns that it needs, each `double` or `string`.
        metadata: Everything that `train` wrote down of it, as text.
    """

    estimator: Any
    task: Task
    target: str
    features: dict[str, str]
    metadata: dict[str, str]


def typed_features(table: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """Return the features as a model takes them: numbers as doubles, the rest as text.

    Doubles because a column of whole numbers could not take a missing value later; MLflow and
    Azure ML check requests against these types.

    Args:
        table: Rows with at least the features.
        features: Column names, each `double` or `string`.

    Raises:
        StepError: A column is missing, or holds text where the model needs numbers.
    """
    columns = {}
    for name, kind in features.items():
        require_column(table, name, "column that the model needs,")
        column = table[name]
        if kind == "double":
            try:
                columns[name] = pd.to_numeric(column).astype("float64")
            except (TypeError, ValueError) as error:
                raise StepError(f"column {name!r} must hold numbers: {error}") from error
        else:
            columns[name] = as_text(column)
    return pd.DataFrame(columns, index=table.index)


def read_description(folder: Path) -> dict[str, Any]:
    """Return a model's MLmodel file, whose `metadata` say task and target.

    Raises:
        StepError: No MLmodel there, or one that does not say them.
    """
    try:
        document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(f"no MLflow model in {folder}: it has no MLmodel file") from None
    metadata = document.get("metadata") or {}
    if not {"task", "target"} <= metadata.keys() or "sklearn" not in document["flavors"]:
        raise StepError(
            f"the model in {folder} does not say its task and target",
            hint="save it with mlflow.sklearn.save_model(..., metadata={'task':..., 'target':...})",
        )
    return dict(document)


def load_model(folder: Path) -> Model:
    """Load a model from its folder.

    Raises:
        StepError: No model there, or one that does not say what it predicts.
    """
    description = read_description(folder)
    import mlflow.sklearn  # heavy, and only needed once the folder is known to be right

    metadata = {key: str(value) for key, value in description["metadata"].items()}
    columns = json.loads(description["signature"]["inputs"])
    return Model(
        estimator=mlflow.sklearn.load_model(str(folder)),
        task="classification" if metadata["task"] == "classification" else "regression",
        target=metadata["target"],
        features={column["name"]: column["type"] for column in columns},
        metadata=metadata,
    )


@dataclass(frozen=True)
class Scores:
    """How a model does on labelled rows.

    Attributes:
        task: The model's task.
        metrics: Metrics by name.
        truth: True values or class numbers, shape (n,).
        predicted: Predicted values or class numbers, shape (n,).
        classes: The classes as text, in the order of their numbers; empty for regression.
        positive: The positive class's number; None for regression and for more than two classes.
        probabilities: Shape (n, classes); shape (n, 0) for regression.
        matrix: The confusion matrix; shape (0, 0) for regression.
    """

    task: Task
    metrics: dict[str, float]
    truth: Any
    predicted: Any
    classes: tuple[str, ...]
    positive: int | None
    probabilities: Floats
    matrix: Counts

    def per_class(self) -> dict[str, dict[str, float]]:
        """Return every class's rates against all others, and its number of rows."""
        return {
            name: {
                **class_rates(self.matrix, number),
                "support": float(self.matrix[number].sum()),
            }
            for number, name in enumerate(self.classes)
        }


def score(model: Model, table: pd.DataFrame, positive_label: str = "auto") -> Scores:
    """Predict labelled rows and compare. Rows without a target are left out.

    Args:
        model: The model.
        table: Rows with the model's features and target; other columns are left alone.
        positive_label: The positive class of two; `auto` is the last in sorted order, as in
            scikit-learn.

    Raises:
        StepError: A column is missing, no row has a target, or there is no such class.
    """
    require_column(table, model.target, "target column")
    table = table[table[model.target].notna()]
    if table.empty:
        raise StepError(f"no row has a value in the target column {model.target!r}")
    features = typed_features(table, model.features)
    if model.task == "regression":
        return _score_regression(model, features, table[model.target])
    return _score_classification(model, features, table[model.target], positive_label)


def _score_regression(model: Model, features: pd.DataFrame, target: pd.Series) -> Scores:
    truth = target.to_numpy(dtype=np.float64)
    predicted = np.asarray(model.estimator.predict(features), dtype=np.float64)
    return Scores(
        task="regression",
        metrics=regression_metrics(truth, predicted),
        truth=truth,
        predicted=predicted,
        classes=(),
        positive=None,
        probabilities=np.empty((len(truth), 0)),
        matrix=np.empty((0, 0), dtype=np.int64),
    )


def _score_classification(
    model: Model, features: pd.DataFrame, target: pd.Series, positive_label: str
) -> Scores:
    known = [label_text(label) for label in model.estimator.classes_]
    labels = target.map(label_text)
    # A class that training never saw is one more column, of probability 0.
    classes = (*known, *sorted(set(labels) - set(known)))
    number = {name: place for place, name in enumerate(classes)}
    truth = np.asarray([number[label] for label in labels], dtype=np.intp)
    probabilities = np.zeros((len(truth), len(classes)))
    probabilities[:, : len(known)] = model.estimator.predict_proba(features)
    predicted = probabilities.argmax(axis=1)
    positive = _positive_number(classes, positive_label)
    return Scores(
        task="classification",
        metrics=classification_metrics(truth, predicted, probabilities, positive),
        truth=truth,
        predicted=predicted,
        classes=classes,
        positive=positive,
        probabilities=probabilities,
        matrix=confusion_matrix(truth, predicted, len(classes)),
    )


def _positive_number(classes: tuple[str, ...], positive_label: str) -> int | None:
    if positive_label != "auto" and positive_label not in classes:
        raise StepError(
            f"no class {positive_label!r} in the target", hint=f"classes: {', '.join(classes)}"
        )
    if len(classes) != 2:
        return None
    return 1 if positive_label == "auto" else classes.index(positive_label)
