"""What a model says of rows, in the one form that analyses search and check by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stepkit.metrics import Floats
from stepkit.model import Model, one_column, typed_features
from stepkit.program import StepError
from stepkit.table import label_text


@dataclass(frozen=True)
class Predictor:
    """A model's answers: a number a class, or one number.

    Attributes:
        model: The model.
        classes: Its classes as text, in the order of their numbers; empty for regression.
    """

    model: Model
    classes: tuple[str, ...]

    def scores(self, rows: pd.DataFrame) -> Floats:
        """Return each class's probability, shape (n, classes), or the quantity, shape (n,).

        A model that names classes without probabilities gives the named one a 1.

        Args:
            rows: At least the model's features.

        Raises:
            StepError: A feature is missing, or the model cannot predict these rows.
        """
        features = typed_features(rows, self.model.features)
        estimator = self.model.estimator
        try:
            if not self.classes:
                return np.asarray(one_column(estimator.predict(features)), dtype=np.float64)
            if hasattr(estimator, "predict_proba"):
                return np.asarray(estimator.predict_proba(features), dtype=np.float64)
            named = [label_text(each) for each in one_column(estimator.predict(features))]
        except ValueError as error:
            raise StepError(f"the model cannot predict these rows: {error}") from error
        return np.asarray([[float(one == each) for each in self.classes] for one in named])

    def labels(self, rows: pd.DataFrame) -> NDArray[Any]:
        """Return the class as text, or the quantity, of each row; shape (n,).

        The class is the most probable one, as where a model is evaluated.
        """
        scores = self.scores(rows)
        if not self.classes:
            return scores
        found: NDArray[Any] = np.asarray(self.classes, dtype=object)[scores.argmax(axis=1)]
        return found


def predictor(model: Model, table: pd.DataFrame) -> Predictor:
    """Return a model's predictor.

    Args:
        model: The model.
        table: Rows that show the classes of a model that does not tell them itself.
    """
    if model.task == "regression":
        return Predictor(model, ())
    if hasattr(model.estimator, "predict_proba"):
        return Predictor(model, tuple(label_text(each) for each in model.estimator.classes_))
    predicted = one_column(model.estimator.predict(typed_features(table, model.features)))
    return Predictor(model, tuple(sorted({label_text(each) for each in predicted})))
