"""A trained model: what it says of itself, and how it does on labelled rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import (
    Counts,
    Floats,
    class_rates,
    classification_metrics,
    confusion_matrix,
    label_metrics,
    regression_metrics,
)
from stepkit.program import StepError
from stepkit.saved import features_of, load_estimator, read_description, settle_model_task
from stepkit.table import Task, as_text, label_text, labelled_rows, require_column

#: From MLflow's names of numeric types to NumPy's.
_NUMBERS = {"double": "float64", "float": "float32", "long": "int64", "integer": "int32"}


@dataclass(frozen=True)
class Model:
    """A model that predicts one column of a table.

    Attributes:
        estimator: What predicts: `predict`, and where it tells probabilities `predict_proba` and
            `classes_`.
        task: What it predicts.
        target: The column that it predicts.
        features: The columns that it needs, each with MLflow's name of its type.
        metadata: Everything that it says of itself, as text.
    """

    estimator: Any
    task: Task
    target: str
    features: dict[str, str]
    metadata: dict[str, str]


def typed_features(table: pd.DataFrame, features: Mapping[str, str]) -> pd.DataFrame:
    """Return the features as a model takes them.

    What `train` saves has doubles and text alone: a column of whole numbers could not take a
    missing value later, and MLflow and Azure ML check requests against these types.

    Args:
        table: Rows with at least the features.
        features: Column names, each with MLflow's name of its type.

    Raises:
        StepError: A column is missing, or holds what cannot be of its type.
    """
    columns = {}
    for name, kind in features.items():
        require_column(table, name, "column that the model needs,")
        columns[name] = _typed(table[name], kind)
    return pd.DataFrame(columns, index=table.index)


def _typed(column: pd.Series, kind: str) -> pd.Series:
    # NumPy's whole numbers and booleans have no missing value; the model may take it as a float.
    has_missing = bool(column.isna().any())
    try:
        if kind in _NUMBERS:
            wanted = np.dtype("float64" if has_missing else _NUMBERS[kind])
            return pd.Series(pd.to_numeric(column).to_numpy(wanted), column.index, name=column.name)
        if kind == "boolean":
            return column.astype("float64") if has_missing else column.astype("bool")
        if kind == "datetime":
            return pd.to_datetime(column)
    except (TypeError, ValueError) as error:
        what = {"datetime": "times", "boolean": "truth values"}.get(kind, "numbers")
        raise StepError(f"column {column.name!r} must hold {what}: {error}") from error
    return as_text(column)


def load_model(folder: Path, *, target: str = "", task: str = "auto") -> Model:
    """Load a model from its folder.

    Args:
        folder: Where its MLmodel file is.
        target: The column that it predicts, where it does not say; else to be checked.
        task: What it predicts, where it does not say and `auto` cannot tell.

    Raises:
        StepError: No model there, it cannot be loaded here, it predicts something else, or what it
            predicts is neither said nor given.
    """
    description = read_description(folder)
    metadata = {key: str(value) for key, value in description["metadata"].items()}
    said = metadata.get("target", "")
    if said and target and said != target:
        raise StepError(
            f"the model in {folder} predicts {said!r}, not {target!r}",
            hint="give a model of this target",
        )
    if not said and not target:
        raise StepError(
            f"the model in {folder} does not say which column it predicts", hint="give the target"
        )
    estimator = load_estimator(folder, description)
    return Model(
        estimator=estimator,
        task=settle_model_task(folder, metadata.get("task", ""), task, estimator, description),
        target=said or target,
        features=features_of(description),
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
        probabilities: Shape (n, classes); shape (n, 0) for regression, and for a model that gives
            classes without their probabilities.
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

    @property
    def has_probabilities(self) -> bool:
        """Whether the model tells how probable each class is."""
        return bool(self.probabilities.shape[1])

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
    table = labelled_rows(table, model.target)
    features = typed_features(table, model.features)
    if model.task == "regression":
        return _score_regression(model, features, table[model.target])
    return _score_classification(model, features, table[model.target], positive_label)


def _score_regression(model: Model, features: pd.DataFrame, target: pd.Series) -> Scores:
    truth = target.to_numpy(dtype=np.float64)
    try:
        predicted = one_column(model.estimator.predict(features)).astype(np.float64)
    except ValueError as error:
        # Such as rows that a forecast does not reach.
        raise StepError(f"the model cannot predict these rows: {error}") from error
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
    labels = [label_text(label) for label in target]
    if hasattr(model.estimator, "predict_proba"):
        known = [label_text(label) for label in model.estimator.classes_]
        # A class that training never saw is one more column, of probability 0.
        classes = (*known, *sorted(set(labels) - set(known)))
        probabilities = np.zeros((len(labels), len(classes)))
        probabilities[:, : len(known)] = np.asarray(model.estimator.predict_proba(features))
        predicted = probabilities.argmax(axis=1)
    else:
        guessed = _predicted_labels(model.estimator.predict(features))
        classes = tuple(sorted({*labels, *guessed}))
        probabilities = np.empty((len(labels), 0))
        predicted = _numbers(guessed, classes)
    truth = _numbers(labels, classes)
    positive = _positive_number(classes, positive_label)
    metrics = (
        classification_metrics(truth, predicted, probabilities, positive)
        if probabilities.shape[1]
        else label_metrics(truth, predicted, len(classes), positive)
    )
    return Scores(
        task="classification",
        metrics=metrics,
        truth=truth,
        predicted=predicted,
        classes=classes,
        positive=positive,
        probabilities=probabilities,
        matrix=confusion_matrix(truth, predicted, len(classes)),
    )


def _numbers(labels: list[str], classes: tuple[str, ...]) -> NDArray[np.intp]:
    number = {name: place for place, name in enumerate(classes)}
    return np.asarray([number[label] for label in labels], dtype=np.intp)


def one_column(predicted: Any) -> NDArray[Any]:
    """Return predictions as an array of shape (n,), from a table or array of one column.

    Raises:
        StepError: There are several columns.
    """
    values = np.asarray(predicted)
    if values.ndim > 1 and values.shape[1:] != (1,):
        raise StepError(
            f"the model predicts {values.shape[1]} columns",
            hint="one is judged: classes, or a quantity; give a model that predicts it",
        )
    return values.ravel()


def _predicted_labels(predicted: Any) -> list[str]:
    values = one_column(predicted)
    if values.dtype.kind == "f" and not np.array_equal(values, np.round(values)):
        raise StepError(
            "the model predicts fractions where classes are asked for",
            hint="set task to regression, or save a model whose predict gives classes",
        )
    return [label_text(label) for label in values]


def _positive_number(classes: tuple[str, ...], positive_label: str) -> int | None:
    if positive_label != "auto" and positive_label not in classes:
        raise StepError(
            f"no class {positive_label!r} in the target", hint=f"classes: {', '.join(classes)}"
        )
    if len(classes) != 2:
        return None
    return 1 if positive_label == "auto" else classes.index(positive_label)
