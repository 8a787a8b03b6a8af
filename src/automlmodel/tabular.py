"""Models that take raw columns: a featurizer, and a scikit-learn style learner behind it."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone

from automlmodel.featurizer import Featurizer
from automlmodel.forests import is_forest_for, mean_of_trees
from automlmodel.values import Floats

if TYPE_CHECKING:
    from typing_extensions import Self

#: Fewer cells than this are learned from sooner by one thread than by several.
FEW_CELLS = 100_000


@dataclass
class Stopping:
    """How a boosting library is told to stop once validation rows gain no more.

    Attributes:
        rows: Under which names it takes validation rows and their target; None is `eval_set`.
        parameters: What is set on the learner.
        options: What else is given to `fit`.
    """

    rows: tuple[str, str] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def arguments(self, Z: Floats, y: Any) -> dict[str, Any]:
        """Return the arguments of `fit`."""
        if self.rows is None:
            return {"eval_set": [(Z, y)], **self.options}
        return {self.rows[0]: Z, self.rows[1]: y, **self.options}


class _Tabular(BaseEstimator):  # type: ignore[misc]
    """What classifiers and regressors have in common.

    Args:
        featurizer: Makes the matrix of raw columns.
        model: Learns from the matrix; it is cloned before it is fitted.
        stopping: How it stops early, or None where it does not.
        category_option: The name under which `model` is told the places of categories:
            `categorical_feature` (of fit), `categorical_features`, `feature_types` (of XGBoost),
            `nominal` (of interpret), or None.
    """

    def __init__(
        self,
        featurizer: Featurizer,
        model: Any,
        stopping: Stopping | None = None,
        category_option: str | None = None,
    ) -> None:
        self.featurizer = featurizer
        self.model = model
        self.stopping = stopping
        self.category_option = category_option

    def fit(
        self,
        X: pd.DataFrame,
        y: Any,
        sample_weight: Any = None,
        eval_set: tuple[pd.DataFrame, Any] | None = None,
    ) -> Self:
        """Learn from raw columns.

        Args:
            X: Raw columns.
            y: Labels or quantities, shape (rows,).
            sample_weight: Each row's weight, or None.
            eval_set: Rows and their target to stop early by, where the learner can.
        """
        Z = self.featurizer.fit_transform(X, self._targets(y))
        validation = None
        if eval_set is not None and self.stopping is not None:
            validation = (self.featurizer.transform(eval_set[0]), eval_set[1])
        return self.fit_features(Z, y, sample_weight, validation)

    @abstractmethod
    def fit_features(
        self,
        Z: Floats,
        y: Any,
        sample_weight: Any = None,
        eval_set: tuple[Floats, Any] | None = None,
    ) -> Self:
        """Learn from the featurizer's matrix; `eval_set` is of such matrices too."""

    @abstractmethod
    def _targets(self, y: Any) -> NDArray[Any]:
        """Return what the featurizer is told of the target: numbers of classes, or quantities."""

    def _fit_matrix(
        self, Z: Floats, y: Any, sample_weight: Any, validation: tuple[Floats, Any] | None
    ) -> None:
        options: dict[str, Any] = {}
        model = clone(self.model)
        if sample_weight is not None:
            options["sample_weight"] = np.asarray(sample_weight, dtype=np.float64)
        if validation is not None and self.stopping is not None:
            model.set_params(**self.stopping.parameters)
            options.update(self.stopping.arguments(*validation))
        self._tell_categories(model, options)
        if Z.size < FEW_CELLS and getattr(model, "n_jobs", None) is not None:
            model.set_params(n_jobs=1)
        with warnings.catch_warnings():
            # interpret's own plots do not show them, which is no matter to the model.
            warnings.filterwarnings("ignore", message="Missing values detected")
            model.fit(Z, y, **options)
        self.model_ = model
        stopped = self.stopping is not None and validation is not None
        self.best_iteration_ = _best_iteration(model) if stopped else None

    def _tell_categories(self, model: Any, options: dict[str, Any]) -> None:
        places = getattr(self.featurizer, "categorical_features_", [])
        if not places or self.category_option is None:
            return
        if self.category_option == "categorical_feature":
            options["categorical_feature"] = places
        elif self.category_option == "feature_types":
            width = self.featurizer.width_
            model.set_params(feature_types=["c" if i in places else "q" for i in range(width)])
        elif self.category_option == "nominal":
            kinds = ["continuous"] * self.featurizer.width_
            for place in places:
                kinds[place] = "nominal"
            model.set_params(feature_types=kinds)
        else:
            model.set_params(**{self.category_option: places})


def _best_iteration(model: Any) -> int | None:
    """Return how many rounds were best; the libraries count from 0, from 1, and by trees."""
    if hasattr(model, "n_iter_"):
        return int(model.n_iter_)
    if hasattr(model, "booster_"):
        return int(model.best_iteration_) or None
    best = getattr(model, "best_iteration", None)
    return None if best is None else int(best) + 1


class TabularClassifier(ClassifierMixin, _Tabular):  # type: ignore[misc]
    """A classifier of raw columns.

    Args:
        featurizer: Makes the matrix of raw columns.
        model: Learns from the matrix and numbers of classes.
        classes: All classes there may be, in order; None is those of the training rows. One that
            has no training row gets probability 0.
        stopping: How it stops early, or None where it does not.
        category_option: How `model` is told the places of categories.
    """

    def __init__(
        self,
        featurizer: Featurizer,
        model: Any,
        classes: Sequence[Any] | None = None,
        stopping: Stopping | None = None,
        category_option: str | None = None,
    ) -> None:
        super().__init__(featurizer, model, stopping, category_option)
        self.classes = classes

    def fit_features(
        self,
        Z: Floats,
        y: Any,
        sample_weight: Any = None,
        eval_set: tuple[Floats, Any] | None = None,
    ) -> TabularClassifier:
        """Learn from what a fitted featurizer returned for training and validation rows."""
        self._settle_classes(y)
        found = self._numbers(y)
        self.present_ = np.unique(found)
        if len(self.present_) == 1:
            self.model_, self.best_iteration_ = None, None
            return self
        if eval_set is not None:
            # Validation rows of a class that no training row has would stop the library.
            numbers = self._numbers(eval_set[1], strict=False)
            known = np.isin(numbers, self.present_)
            eval_set = (
                (eval_set[0][known], np.searchsorted(self.present_, numbers[known]))
                if known.any()
                else None
            )
        self._fit_matrix(Z, np.searchsorted(self.present_, found), sample_weight, eval_set)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        """Return probabilities, shape (rows, classes), in the order of `classes_`."""
        return self.predict_proba_features(self.featurizer.transform(X))

    def predict_proba_features(self, Z: Floats) -> Floats:
        """Return probabilities from what the featurizer returned."""
        probabilities = np.zeros((len(Z), len(self.classes_)))
        if self.model_ is None:
            probabilities[:, self.present_] = 1.0
        elif is_forest_for(self.model_, Z):
            probabilities[:, self.present_] = mean_of_trees(self.model_, Z)
        else:
            probabilities[:, self.present_] = self.model_.predict_proba(Z)
        return probabilities

    def predict(self, X: pd.DataFrame) -> NDArray[Any]:
        """Return the most probable labels, shape (rows,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def _targets(self, y: Any) -> NDArray[np.intp]:
        self._settle_classes(y)
        return self._numbers(y)

    def _settle_classes(self, y: Any) -> None:
        known = np.unique(np.asarray(y)) if self.classes is None else np.asarray(self.classes)
        self.classes_ = known

    def _numbers(self, y: Any, *, strict: bool = True) -> NDArray[np.intp]:
        found = pd.Index(self.classes_).get_indexer(pd.Index(np.asarray(y)))
        if strict and (found < 0).any():
            odd = np.asarray(y)[found < 0].tolist()[0]
            raise ValueError(f"label {odd!r} is none of the classes: {self.classes_.tolist()}")
        return np.asarray(found, dtype=np.intp)


class TabularRegressor(RegressorMixin, _Tabular):  # type: ignore[misc]
    """A regressor of raw columns; its arguments are described at `_Tabular`."""

    def _targets(self, y: Any) -> Floats:
        return np.asarray(y, dtype=np.float64)

    def fit_features(
        self,
        Z: Floats,
        y: Any,
        sample_weight: Any = None,
        eval_set: tuple[Floats, Any] | None = None,
    ) -> TabularRegressor:
        """Learn from what a fitted featurizer returned for training and validation rows."""
        if eval_set is not None:
            eval_set = (eval_set[0], np.asarray(eval_set[1], dtype=np.float64))
        self._fit_matrix(Z, np.asarray(y, dtype=np.float64), sample_weight, eval_set)
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Return quantities, shape (rows,)."""
        return self.predict_features(self.featurizer.transform(X))

    def predict_features(self, Z: Floats) -> Floats:
        """Return quantities from what the featurizer returned."""
        if is_forest_for(self.model_, Z):
            return mean_of_trees(self.model_, Z).ravel()
        return np.asarray(self.model_.predict(Z), dtype=np.float64).ravel()
