"""The model as every analysis sees it: raw columns in, one score an output out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import Floats, ranking_metrics
from stepkit.model import Model, one_column, typed_features
from stepkit.program import StepError
from stepkit.table import Task, label_text, require_column

#: What a score is: a probability; log-odds; a quantity; or its natural logarithm.
Unit = Literal["probability", "log_odds", "value", "log_value"]
#: Keeps logarithms of probabilities finite; a model that is surer than this says nothing more.
_SMALLEST = 1e-12
#: MLflow's types whose values have an order.
_ORDERED = frozenset(("double", "float", "long", "integer", "datetime"))
#: What a missing value of a category is called.
MISSING = "(missing)"


@dataclass(frozen=True)
class Subject:
    """A model of rows.

    Attributes:
        estimator: What predicts.
        task: What it predicts.
        target: The column that it predicts.
        features: The raw columns that it takes, each with MLflow's name of its type.
        classes: As text, in the order of the estimator's probabilities; empty for regression.
        positive: The number of the class that is explained of two; None for others.
    """

    estimator: Any
    task: Task
    target: str
    features: Mapping[str, str]
    classes: tuple[str, ...] = ()
    positive: int | None = None
    _known: Mapping[str, int] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, model: Model, train: pd.DataFrame, positive_label: str = "auto") -> Subject:
        """Make the subject of a loaded model.

        Args:
            model: What `stepkit.model.load_model` returned.
            train: Rows with the target; the classes are read from it where the model has none.
            positive_label: The class of two that is explained; `auto` is the last in sorted order.

        Raises:
            StepError: The model forecasts series, or there is no such class.
        """
        if model.metadata.get("task") == "forecasting":
            raise StepError(
                "a forecast is of whole series, and has no contributions of a row's columns",
                hint="leave the explanation of forecasts out",
            )
        if model.task == "regression":
            return cls(model.estimator, model.task, model.target, model.features)
        if hasattr(model.estimator, "classes_"):
            classes = tuple(label_text(each) for each in model.estimator.classes_)
        else:
            require_column(train, model.target, "target column")
            classes = tuple(sorted({label_text(each) for each in train[model.target].dropna()}))
        if positive_label != "auto" and positive_label not in classes:
            raise StepError(
                f"no class {positive_label!r} in the model", hint=f"classes: {', '.join(classes)}"
            )
        positive = None
        if len(classes) == 2:
            positive = 1 if positive_label == "auto" else classes.index(positive_label)
        known = {name: place for place, name in enumerate(classes)}
        return cls(
            model.estimator, model.task, model.target, model.features, classes, positive, known
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The raw columns' names."""
        return tuple(self.features)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is explained: the positive class, every class of more than two, or the target."""
        if self.task == "regression":
            return (self.target,)
        return self.classes if self.positive is None else (self.classes[self.positive],)

    @property
    def plain_unit(self) -> Unit:
        """The unit that readers know: a probability, or the quantity itself."""
        return "value" if self.task == "regression" else "probability"

    def is_ordered(self, name: str) -> bool:
        """Return whether a column's values have an order: numbers and times."""
        return self.features[name] in _ORDERED

    def columns(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the model's columns of a table, as the model takes them.

        Raises:
            StepError: A column is missing, or holds what cannot be of its type.
        """
        return typed_features(table, self.features)

    def predictions(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes), or quantities, shape (rows, 1).

        Of a model that gives classes alone, the predicted one has probability 1.
        """
        if self.task == "regression":
            return one_column(self.estimator.predict(X)).astype(np.float64)[:, None]
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        predicted = [label_text(each) for each in one_column(self.estimator.predict(X))]
        found = np.zeros((len(predicted), len(self.classes)))
        for row, label in enumerate(predicted):
            if label in self._known:
                found[row, self._known[label]] = 1.0
        return found

    def scores(self, X: pd.DataFrame, unit: Unit) -> Floats:
        """Return the score of every output, shape (rows, outputs)."""
        return self.in_unit(self.predictions(X), unit)

    def in_unit(self, predictions: Floats, unit: Unit) -> Floats:
        """Turn what `predictions` returned into scores, shape (rows, outputs).

        Log-odds are ln(p / (1 - p)) of two classes. Of more they are ln p_k minus its mean over
        the classes (the centred log-ratio: J. Aitchison, "The Statistical Analysis of
        Compositional Data", Chapman & Hall 1986, section 4.6), which, unlike ln p_k, is a sum
        wherever the model sums a score for each class and takes the softmax.
        """
        if unit == "value":
            return predictions
        if unit == "log_value":
            return np.log(np.maximum(predictions, _SMALLEST))
        if unit == "probability":
            return predictions if self.positive is None else predictions[:, [self.positive]]
        logs = np.log(np.clip(predictions, _SMALLEST, 1))
        if self.positive is None:
            return np.asarray(logs - logs.mean(axis=1, keepdims=True))
        return np.asarray(logs[:, [self.positive]] - logs[:, [1 - self.positive]])

    def is_told(self, predictions: Floats, unit: Unit) -> NDArray[np.bool_]:
        """Return whether floats still tell each row's score, shape (rows,).

        Of a probability that is 1 to twelve digits they do not tell the log-odds.
        """
        if unit != "log_odds":
            return np.ones(len(predictions), dtype=bool)
        return np.asarray(((predictions > _SMALLEST) & (predictions < 1 - _SMALLEST)).all(axis=1))

    def unit_in_words(self, unit: Unit) -> str:
        """Return a unit as a reader is told of it."""
        return {
            "probability": "probability",
            "log_odds": "log-odds" if self.positive is not None else "log-odds against the average",
            "value": self.target,
            "log_value": f"natural logarithm of {self.target}",
        }[unit]

    def truth(self, table: pd.DataFrame) -> Any:
        """Return the target as quantities, or as numbers of classes with -1 for an unknown one."""
        target = table[self.target]
        if self.task == "regression":
            return target.to_numpy(dtype=np.float64)
        return np.array([self._known.get(label_text(each), -1) for each in target], dtype=np.intp)

    @property
    def metric(self) -> str:
        """The metric that importance is measured by; more is better of every one of them."""
        if self.task == "regression":
            return "r2"
        return "auc" if hasattr(self.estimator, "predict_proba") else "accuracy"

    def performance(self, truth: Any, predictions: Floats) -> float:
        """Return `metric` of predictions; NaN where these rows do not define it.

        Args:
            truth: What `truth` returned.
            predictions: What `predictions` returned.
        """
        if self.task == "regression":
            spread = float(np.sum((truth - truth.mean()) ** 2))
            error = float(np.sum((truth - predictions[:, 0]) ** 2))
            return 1 - error / spread if spread > 0 else float("nan")
        if self.metric == "accuracy":
            return float(np.mean(predictions.argmax(axis=1) == truth))
        return ranking_metrics(truth, predictions, self.positive).get("auc", float("nan"))


def codes_of(column: pd.Series, levels: list[Any]) -> Any:
    """Return each value's place in `levels`, -1 where it is not there; missing values are None."""
    places = {level: place for place, level in enumerate(levels)}
    return np.array([places.get(None if pd.isna(v) else v, -1) for v in column], dtype=np.intp)


def levels_of(column: pd.Series) -> list[Any]:
    """Return a category's different values, the most frequent first, None for missing ones."""
    counts = column.value_counts()
    found: list[Any] = sorted(counts.index, key=lambda each: (-counts[each], str(each)))
    return [*found, None] if column.isna().any() else found


def level_text(level: Any) -> str:
    """Return a category's value as text."""
    return MISSING if level is None else label_text(level)
