"""A model's pipeline, fitted anew on parts of the rows: what the curves stand on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from main_parameter import Number, last_estimator
from numpy.typing import NDArray

from stepkit.metrics import Floats
from stepkit.model import Model, score, typed_features
from stepkit.program import StepError

#: What an estimator may raise that cannot be cloned or fitted on these rows.
_UNFIT = (AttributeError, NotImplementedError, RuntimeError, TypeError, ValueError)


class CannotRefitError(Exception):
    """The model cannot be fitted anew; says why."""


@dataclass(frozen=True)
class Folds:
    """Which rows are held out together, and in which order the others are taken.

    Attributes:
        number: Of each row's fold, from 0 without gaps, shape (n,).
        order: All rows, so that the first of any count have the classes' shares, shape (n,).
        words: How the folds were made.
    """

    number: NDArray[np.intp]
    order: NDArray[np.intp]
    words: str

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.number.max()) + 1

    def rows(self, fold: int, share: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the rows to fit on and those that are held out.

        Args:
            fold: Its number.
            share: Of the rows that may be fitted on, the part to take; smaller parts are within
                greater ones.
        """
        others = self.order[self.number[self.order] != fold]
        return others[: max(2, round(share * len(others)))], np.flatnonzero(self.number == fold)


def make_folds(
    table: pd.DataFrame, model: Model, folds: int, seed: int, *, time_column: str, group_column: str
) -> Folds:
    """Return folds: of whole groups, of stretches of time, or at random with the classes' shares.

    Stretches of time are those of blocked cross-validation (C. Bergmeir, J. Benítez, "On the use
    of cross-validation for time series predictor evaluation", Information Sciences 191 (2012) 192).
    """
    rng = np.random.default_rng(seed)
    order = _even_order(table[model.target], model.task == "classification", rng)
    if group_column:
        groups = pd.factorize(table[group_column], use_na_sentinel=False)[0]
        shuffled = rng.permutation(groups.max() + 1)
        number = shuffled[groups] % folds
        words = f"whole groups of {group_column}"
    elif time_column:
        ranks = table[time_column].rank(method="first").to_numpy() - 1
        number = (ranks * folds // len(table)).astype(np.intp)
        words = f"stretches of {time_column}"
    else:
        by_class = order
        if model.task == "classification":
            classes = pd.factorize(table[model.target])[0]
            by_class = order[np.argsort(classes[order], kind="stable")]
        number = np.empty(len(table), dtype=np.intp)
        number[by_class] = np.arange(len(table)) % folds
        words = "random rows"
    return Folds(pd.factorize(number)[0], order, words)


def _even_order(
    target: pd.Series[Any], is_class: bool, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Return all rows in a random order in which every stretch has the classes' shares."""
    if not is_class:
        return rng.permutation(len(target))
    places = np.empty(len(target))
    classes = pd.factorize(target)[0]
    for each in np.unique(classes):
        members = rng.permutation(np.flatnonzero(classes == each))
        places[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(places, kind="stable")


@dataclass(frozen=True)
class Clock:
    """What is left of the seconds that refitting may take.

    They are those of the processor, so that what a step finds out does not depend on what else the
    machine does meanwhile.

    Attributes:
        seconds: In all.
        start: When it began.
    """

    seconds: float
    start: float = field(default_factory=time.process_time)

    @property
    def remaining(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.process_time() - self.start)


@dataclass(frozen=True)
class Point:
    """How the model does when it is fitted anew on a number of rows, with one setting.

    Attributes:
        share: Of each fold's train rows, the part that it was fitted on.
        rows: How many that were, the mean of the folds.
        setting: What was set; empty for the model's own settings.
        train: Metrics on those rows, or on as many of them as are held out, each of shape (folds,).
        held_out: Metrics on the rows of the fold, each of shape (folds,).
        seconds: Of the processor, that all folds took.
    """

    share: float
    rows: int
    setting: Mapping[str, Number]
    train: Mapping[str, Floats]
    held_out: Mapping[str, Floats]
    seconds: float


class Refitter:
    """Fits a model's pipeline anew.

    Raises:
        CannotRefitError: The model is none that can be cloned.
    """

    def __init__(
        self, model: Model, table: pd.DataFrame, folds: Folds, metrics: Sequence[str], positive: str
    ) -> None:
        from sklearn.base import clone  # loaded with the model

        self._model, self._folds = model, folds
        self._metrics, self._positive = metrics, positive
        self._table = _typed(model, table)
        try:
            self._blank = clone(model.estimator)
            threads = [
                name
                for name, value in self._blank.get_params().items()
                if name.rpartition("__")[2] == "n_jobs" and value is not None
            ]
            # Many small fits: processes would cost more than they gain, and their time is not told.
            self._blank.set_params(**dict.fromkeys(threads, 1))
        except _UNFIT as error:
            raise CannotRefitError(f"{type(model.estimator).__name__} cannot be cloned") from error
        self._extra, self._weights = _weights(model, table)

    @property
    def table(self) -> pd.DataFrame:
        """The rows, features and target."""
        return self._table

    def point(self, share: float, setting: Mapping[str, Number] | None = None) -> Point:
        """Fit and score in every fold.

        Args:
            share: Of each fold's train rows, the part to fit on.
            setting: Parameters to set, by their paths.

        Raises:
            CannotRefitError: It cannot be fitted on these rows, or a fold does not define a metric.
        """
        start = time.process_time()
        train: list[Mapping[str, float]] = []
        held_out: list[Mapping[str, float]] = []
        sizes = []
        for fold in range(self._folds.count):
            fit_rows, held_rows = self._folds.rows(fold, share)
            fitted = self._fit(fit_rows, setting or {})
            # As many as are held out tell the train score as well, in less time than all.
            train.append(self._score(fitted, fit_rows[: len(held_rows)]))
            held_out.append(self._score(fitted, held_rows))
            sizes.append(len(fit_rows))
        return Point(
            share=share,
            rows=round(float(np.mean(sizes))),
            setting=setting or {},
            train=self._by_metric(train),
            held_out=self._by_metric(held_out),
            seconds=time.process_time() - start,
        )

    def fit_all(self, table: pd.DataFrame, setting: Mapping[str, Number]) -> Model:
        """Fit on all rows of another table.

        Raises:
            CannotRefitError: It cannot be fitted on them.
        """
        typed = _typed(self._model, table)
        return self._fit_table(typed, _weights(self._model, table)[1], setting)

    def _fit(self, rows: NDArray[np.intp], setting: Mapping[str, Number]) -> Model:
        weights = None if self._weights is None else self._weights[rows]
        return self._fit_table(self._table.iloc[rows], weights, setting)

    def _fit_table(
        self, table: pd.DataFrame, weights: Floats | None, setting: Mapping[str, Number]
    ) -> Model:
        from sklearn.base import clone  # as above

        model = self._model
        extra = {} if weights is None else {self._extra: weights}
        try:
            pipeline = clone(self._blank).set_params(**setting)
            pipeline.fit(table[list(model.features)], table[model.target], **extra)
        except _UNFIT as error:
            said = str(error).partition("\n")[0][:200]
            raise CannotRefitError(f"it cannot be fitted on {len(table)} rows: {said}") from error
        return Model(pipeline, model.task, model.target, model.features, {})

    def _score(self, fitted: Model, rows: NDArray[np.intp]) -> Mapping[str, float]:
        try:
            return score(fitted, self._table.iloc[rows], self._positive).metrics
        except StepError as error:
            raise CannotRefitError(f"a refitted model cannot be scored: {error.message}") from error

    def _by_metric(self, found: Sequence[Mapping[str, float]]) -> dict[str, Floats]:
        lacking = [name for name in self._metrics if any(name not in each for each in found)]
        if lacking:
            raise CannotRefitError(
                f"a fold has no {', '.join(lacking)}: too few rows of some class"
            )
        return {name: np.array([each[name] for each in found]) for name in self._metrics}


def _typed(model: Model, table: pd.DataFrame) -> pd.DataFrame:
    """Return the features as the model takes them, and the target."""
    return typed_features(table, model.features).assign(**{model.target: table[model.target]})


def _weights(model: Model, table: pd.DataFrame) -> tuple[str, Floats | None]:
    """Return how the last step of the pipeline takes the weights it was trained with, and them."""
    column = model.metadata.get("sample_weight", "")
    if not column or column not in table.columns:
        return "", None
    prefix, _ = last_estimator(model.estimator)
    return f"{prefix}sample_weight", table[column].to_numpy(dtype=np.float64)
