"""Models made of models: a weighted vote, and a stack under a linear meta-learner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

Floats = NDArray[np.float64]


def aligned(probabilities: Any, have: Sequence[Any], wanted: Sequence[Any]) -> Floats:
    """Return probabilities with one column a wanted class, 0 for a class that was never seen.

    Args:
        probabilities: Shape (rows, len(have)).
        have: The classes of the columns.
        wanted: The classes of the columns that are returned.
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if list(have) == list(wanted):
        return values
    place = {label: number for number, label in enumerate(wanted)}
    found = np.zeros((len(values), len(wanted)))
    found[:, [place[label] for label in have]] = values
    return found


class _Members(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Fitted models that are asked together; those with one featurizer share what it makes.

    A member may have a `featurizer` and `predict_features`, `predict_proba_features`, as
    `automlmodel.tabular` has; any other model of raw columns does too.
    """

    members: Sequence[Any]

    def _outputs(self, X: pd.DataFrame, classes: Sequence[Any] | None) -> list[Floats]:
        made: dict[int, Any] = {}
        outputs = []
        for member in self.members:
            verb, rows = "predict" if classes is None else "predict_proba", X
            if hasattr(member, f"{verb}_features"):
                maker = member.featurizer
                if id(maker) not in made:
                    made[id(maker)] = maker.transform(X)
                verb, rows = f"{verb}_features", made[id(maker)]
            found = getattr(member, verb)(rows)
            if classes is not None:
                found = aligned(found, list(member.classes_), classes)
            outputs.append(np.asarray(found, dtype=np.float64))
        return outputs


def share_featurizers(members: Sequence[Any]) -> None:
    """Let members whose featurizers are equal in all that they learned use one object."""
    known: dict[str, Any] = {}
    for member in members:
        if hasattr(member, "featurizer"):
            member.featurizer = known.setdefault(joblib.hash(member.featurizer), member.featurizer)


class VotingRegressor(RegressorMixin, _Members):  # type: ignore[misc]  # as above
    """The weighted mean of what fitted regressors predict.

    Attributes:
        members: Fitted regressors that take raw columns.
        weights: One a member; used in proportion.
    """

    def __init__(self, members: Sequence[Any], weights: Sequence[float]) -> None:
        self.members = members
        self.weights = weights

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return one number a row."""
        return _weighted(self._outputs(X, None), self.weights)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that the members are fitted."""
        return True


class VotingClassifier(ClassifierMixin, _Members):  # type: ignore[misc]  # as above
    """The weighted mean of the probabilities of fitted classifiers.

    Attributes:
        members: Fitted classifiers that take raw columns.
        weights: One a member; used in proportion.
        classes_: All labels, sorted.
    """

    def __init__(
        self, members: Sequence[Any], weights: Sequence[float], classes: Sequence[Any]
    ) -> None:
        self.members = members
        self.weights = weights
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        return _weighted(self._outputs(X, list(self.classes)), self.weights)

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return one label a row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that the members are fitted."""
        return True


class StackRegressor(RegressorMixin, _Members):  # type: ignore[misc]  # as above
    """A linear model over what fitted regressors predict.

    Attributes:
        members: Fitted regressors that take raw columns.
        meta: Fitted on the members' out-of-fold predictions, shape (rows, members).
    """

    def __init__(self, members: Sequence[Any], meta: Any) -> None:
        self.members = members
        self.meta = meta

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return one number a row."""
        stacked = np.column_stack(self._outputs(X, None))
        return np.asarray(self.meta.predict(stacked), dtype=np.float64)

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that the members are fitted."""
        return True


class StackClassifier(ClassifierMixin, _Members):  # type: ignore[misc]  # as above
    """A logistic model over the probabilities of fitted classifiers.

    Attributes:
        members: Fitted classifiers that take raw columns.
        meta: Fitted on `stacked_features` of the members' out-of-fold probabilities, with class
            numbers as labels.
        classes_: All labels, sorted.
    """

    def __init__(self, members: Sequence[Any], meta: Any, classes: Sequence[Any]) -> None:
        self.members = members
        self.meta = meta
        self.classes = classes
        self.classes_ = np.asarray(classes)

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes)."""
        stacked = stacked_features(self._outputs(X, list(self.classes)))
        numbers = range(len(self.classes))
        return aligned(self.meta.predict_proba(stacked), list(self.meta.classes_), numbers)

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return one label a row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        """Tell scikit-learn that the members are fitted."""
        return True


def stacked_features(outputs: Sequence[Floats]) -> Floats:
    """Return the log odds of every class but the first, of every member, side by side.

    Log odds, because a logistic model over them can give back a member's probabilities unchanged.

    Args:
        outputs: Probabilities of each member, shape (rows, classes).
    """
    clipped = [np.clip(one[:, 1:], 1e-6, 1 - 1e-6) for one in outputs]
    return np.column_stack([np.log(one / (1 - one)) for one in clipped])


def _weighted(outputs: Sequence[Floats], weights: Sequence[float]) -> Floats:
    total = float(sum(weights))
    result = outputs[0] * (weights[0] / total)
    for output, weight in zip(outputs[1:], weights[1:], strict=True):
        result = result + output * (weight / total)
    return result
