from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stepkit.model import Model, one_column, score, typed_features
from stepkit.program import StepError


class Always:
    """A classifier that gives every row the same probabilities."""

    def __init__(self, classes: list, probabilities: list[float]) -> None:
        self.classes_ = np.array(classes)
        self.probabilities = probabilities

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        return np.tile(self.probabilities, (len(features), 1))


class Doubles:
    """A regressor that doubles the column `n`."""

    def predict(self, features: pd.DataFrame) -> np.ndarray:
        return features["n"].to_numpy() * 2


def classifier(classes: list, probabilities: list[float]) -> Model:
    return Model(Always(classes, probabilities), "classification", "y", {"n": "double"}, {})


def test_features_are_doubles_and_text() -> None:
    table = pd.DataFrame({"n": [1, 2], "b": [True, False], "t": ["a", None], "k": [1.0, None]})
    typed = typed_features(table, {"t": "string", "n": "double", "b": "double", "k": "string"})
    assert list(typed.columns) == ["t", "n", "b", "k"]
    assert typed["n"].tolist() == [1.0, 2.0]
    assert typed["b"].tolist() == [1.0, 0.0]
    assert typed["t"].tolist() == ["a", None]
    assert typed["k"].tolist() == ["1", None]


def test_text_where_numbers_are_needed() -> None:
    with pytest.raises(StepError, match="'n' must hold numbers"):
        typed_features(pd.DataFrame({"n": ["many"]}), {"n": "double"})
    with pytest.raises(StepError, match="no column that the model needs, 'n'"):
        typed_features(pd.DataFrame({"m": [1]}), {"n": "double"})


def test_classes_are_scored_and_rows_without_a_target_left_out() -> None:
    table = pd.DataFrame({"n": [1, 2, 3, 4], "y": ["no", "yes", "yes", None]})
    scores = score(classifier(["no", "yes"], [0.4, 0.6]), table)
    assert scores.classes == ("no", "yes")
    assert scores.positive == 1
    assert scores.matrix.tolist() == [[0, 1], [0, 2]]
    assert scores.metrics["recall"] == 1
    assert scores.metrics["auc"] == 0.5
    assert scores.per_class()["no"]["support"] == 1


def test_the_positive_class_may_be_named() -> None:
    table = pd.DataFrame({"n": [1, 2], "y": ["no", "yes"]})
    model = classifier(["no", "yes"], [0.4, 0.6])
    assert score(model, table, "no").metrics["recall"] == 0
    with pytest.raises(StepError, match="no class 'maybe'"):
        score(model, table, "maybe")


def test_a_class_that_training_never_saw_counts_as_error() -> None:
    table = pd.DataFrame({"n": [1, 2, 3], "y": ["no", "yes", "maybe"]})
    scores = score(classifier(["no", "yes"], [0.4, 0.6]), table)
    assert scores.classes == ("no", "yes", "maybe")
    assert scores.positive is None
    assert scores.metrics["accuracy"] == pytest.approx(1 / 3)
    assert np.isfinite(scores.metrics["log_loss"])


def test_numeric_labels_match_however_they_are_stored() -> None:
    table = pd.DataFrame({"n": [1, 2], "y": [0.0, 1.0]})
    assert score(classifier([0, 1], [0.4, 0.6]), table).metrics["accuracy"] == 0.5


def test_quantities_are_scored() -> None:
    model = Model(Doubles(), "regression", "y", {"n": "double"}, {})
    scores = score(model, pd.DataFrame({"n": [1, 2], "y": [2.0, 5.0]}))
    assert scores.metrics["mae"] == 0.5
    assert (scores.classes, scores.positive, scores.per_class()) == ((), None, {})


def test_rows_must_have_a_target() -> None:
    with pytest.raises(StepError, match="no target column 'y'"):
        score(classifier(["a", "b"], [1, 0]), pd.DataFrame({"n": [1]}))
    with pytest.raises(StepError, match="no row has a value"):
        score(classifier(["a", "b"], [1, 0]), pd.DataFrame({"n": [1], "y": [None]}))


class Labels:
    """A classifier that tells no probabilities."""

    def __init__(self, labels: list) -> None:
        self.labels = labels

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"label": self.labels})


def test_classes_without_probabilities_are_scored_by_what_they_allow() -> None:
    table = pd.DataFrame({"n": [1, 2, 3], "y": ["no", "yes", "yes"]})
    model = Model(Labels(["no", "yes", "no"]), "classification", "y", {"n": "double"}, {})
    scores = score(model, table)
    assert not scores.has_probabilities
    assert scores.matrix.tolist() == [[1, 0], [1, 1]]
    assert scores.metrics["accuracy"] == pytest.approx(2 / 3)
    assert not {"auc", "log_loss", "average_precision"} & scores.metrics.keys()


def test_fractions_are_no_classes() -> None:
    model = Model(Labels([0.5, 0.25]), "classification", "y", {"n": "double"}, {})
    with pytest.raises(StepError, match="fractions where classes"):
        score(model, pd.DataFrame({"n": [1, 2], "y": ["no", "yes"]}))


def test_several_predicted_columns_are_refused() -> None:
    with pytest.raises(StepError, match="predicts 2 columns"):
        one_column(np.zeros((3, 2)))


def test_every_type_of_a_signature_is_made() -> None:
    table = pd.DataFrame(
        {
            "i": [1.0, 2.0],
            "m": [1.0, None],
            "f": [1, 2],
            "b": [1, 0],
            "c": [True, None],
            "t": ["2024-01-01", "2024-01-02"],
        }
    )
    kinds = {"i": "integer", "m": "long", "f": "float"}
    kinds |= {"b": "boolean", "c": "boolean", "t": "datetime"}
    typed = typed_features(table, kinds).dtypes.astype(str).to_dict()
    assert typed.pop("t").startswith("datetime64")
    assert typed == {
        "i": "int32",
        "m": "float64",
        "f": "float32",
        "b": "bool",
        "c": "float64",
    }
    with pytest.raises(StepError, match="'t' must hold times"):
        typed_features(pd.DataFrame({"t": ["noon"]}), {"t": "datetime"})
