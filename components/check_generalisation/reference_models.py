"""What a model's fit is measured against: guessing, and a flexible model of another kind."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from estimators import Columns, build
from fit_verdict import Alternative
from leaking_columns import power_of
from numpy.typing import NDArray

from stepkit.bootstrap import interval, resampled, statistic_of
from stepkit.metrics import Floats, more_is_better
from stepkit.model import Model, Scores, score, typed_features
from stepkit.program import StepError
from stepkit.resampling import Gain
from stepkit.table import Task

CONFIDENCE = 0.95
#: Types of a signature that the reference takes as numbers; times it does without.
_NUMBERS = frozenset({"double", "float", "long", "integer", "boolean"})


@dataclass(frozen=True)
class Part:
    """The three models on one part of the rows.

    Attributes:
        model: The model that is checked.
        reference: Gradient boosting with its defaults, fitted on the train rows.
        guess: The classes' shares, or the mean, of the train rows.
        draws: The model's metrics on resamples of the rows, each of shape (resamples,).
        seed: Of the resamples: of the same seed they are the same.
    """

    model: Scores
    reference: Scores
    guess: Scores
    draws: Mapping[str, Floats]
    seed: int

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.model.truth)

    def gain(self, other: Scores, metric: str) -> Gain:
        """Return how much better another model is, with the paired bootstrap's interval.

        Args:
            other: Its scores of the same rows.
            metric: By which.
        """
        sign = 1 if more_is_better(metric) else -1
        value = sign * (other.metrics[metric] - self.model.metrics[metric])
        low, high = interval(
            sign * (self._resampled(other, metric) - self.draws[metric]), CONFIDENCE
        )
        return Gain(value, low, high)

    def over_guess(self, scores: Scores, metric: str) -> Gain:
        """Return how much better a model is than guessing, with the paired bootstrap's interval."""
        sign = 1 if more_is_better(metric) else -1
        value = sign * (scores.metrics[metric] - self.guess.metrics[metric])
        draws = self._resampled(scores, metric) - self._resampled(self.guess, metric)
        return Gain(value, *interval(sign * draws, CONFIDENCE))

    def _resampled(self, scores: Scores, metric: str) -> Floats:
        count = len(self.draws[metric])
        if scores is self.model:
            return self.draws[metric]
        found: Floats = resampled([statistic_of(scores, metric)], self.rows, count, self.seed)[0]
        return found

    def own(self, metric: str) -> Gain:
        """Return the model's metric with its interval."""
        low, high = interval(self.draws[metric], CONFIDENCE)
        return Gain(self.model.metrics[metric], low, high)


def gap(train: Part, test: Part, metric: str) -> Gain:
    """Return how much better the model is on its train rows than on test rows.

    Both parts are resampled, independently of each other (Efron and Tibshirani 1993, chapter 8: two
    samples), so the interval has the chance in both.
    """
    sign = 1 if more_is_better(metric) else -1
    draws = sign * (train.draws[metric] - test.draws[metric])
    low, high = interval(draws, CONFIDENCE)
    value = sign * (train.model.metrics[metric] - test.model.metrics[metric])
    return Gain(value, low, high)


def alternative(
    name: str, train: Part, test: Part, scores: tuple[Scores, Scores], metric: str
) -> Alternative:
    """Return another model as an alternative to the model, compared on test rows.

    Args:
        name: What it is.
        train: The train rows.
        test: The test rows.
        scores: The other model's, of train and of test rows.
        metric: By which.
    """
    sign = 1 if more_is_better(metric) else -1
    return Alternative(
        name=name,
        gain=test.gain(scores[1], metric),
        train_gain=sign * (scores[0].metrics[metric] - train.model.metrics[metric]),
    )


@dataclass(frozen=True)
class References:
    """The models to compare with, fitted."""

    reference: Model
    guess: Model


def fit_references(model: Model, table: pd.DataFrame, seed: int) -> References:
    """Fit gradient boosting with its defaults, and what guesses, on train rows.

    Raises:
        StepError: The model has no column that gradient boosting takes.
    """
    from sklearn.dummy import DummyClassifier, DummyRegressor  # loaded with the model

    kinds = {
        name: "double" if kind in _NUMBERS else "string"
        for name, kind in model.features.items()
        if kind in _NUMBERS or kind == "string"
    }
    if not kinds:
        raise StepError(
            "the model has no column of numbers or text", hint="nothing can be compared with it"
        )
    features, target = typed_features(table, kinds), table[model.target]
    boosting = build("hist_gradient_boosting", model.task, Columns(kinds), {}, seed)
    boosting.fit(features, target)
    guess = (
        DummyClassifier(strategy="prior") if model.task == "classification" else DummyRegressor()
    )
    guess.fit(features, target)
    return References(
        Model(boosting, model.task, model.target, kinds, {}),
        Model(guess, model.task, model.target, kinds, {}),
    )


@dataclass(frozen=True)
class Parts:
    """Train and test rows, and how the models do on them."""

    train_rows: pd.DataFrame
    test_rows: pd.DataFrame
    train: Part
    test: Part


def measure_parts(
    model: Model,
    train: pd.DataFrame,
    test: pd.DataFrame,
    metrics: Sequence[str],
    args: argparse.Namespace,
) -> Parts:
    """Score the model and the references on both parts, and the model on resamples of them.

    Args:
        model: The model.
        train: Train rows, which the references are fitted on.
        test: Test rows.
        metrics: Those that are reported.
        args: Of them `positive_label`, `resamples`, and `seed`.
    """
    references = fit_references(model, train, args.seed)
    found = []
    for table, seed in ((train, args.seed), (test, args.seed + 1)):
        own, reference, guess = (
            score(each, table, args.positive_label)
            for each in (model, references.reference, references.guess)
        )
        statistics = [statistic_of(own, name) for name in metrics]
        draws = resampled(statistics, len(own.truth), args.resamples, seed)
        named = dict(zip(metrics, draws, strict=True))
        found.append(Part(own, reference, guess, named, seed))
    return Parts(train, test, found[0], found[1])


def whole_power(test: Part, task: Task) -> float:
    """Return what all columns together reach on test rows, on the scale of single columns.

    It is the better of the model's and the reference's, since a badly fitted model may be no better
    than a column that leaks nothing.
    """
    return max(power_of(each.metrics, task) for each in (test.model, test.reference))


def metrics_of(scores: Scores, wanted: str) -> list[str]:
    """Return the metrics to report, the one that is judged by first.

    Args:
        scores: The model's.
        wanted: `auto` is `auc` where the model tells probabilities, else `accuracy`; `rmse` for
            quantities.

    Raises:
        StepError: The rows do not define the metric.
    """
    if scores.task == "regression":
        usual = ["rmse", "mae", "r2"]
    else:
        usual = ["auc", "log_loss", "accuracy"] if scores.has_probabilities else ["accuracy", "f1"]
    usual = [name for name in usual if name in scores.metrics]
    first = usual[0] if wanted == "auto" else wanted
    if first not in scores.metrics:
        raise StepError(
            f"these rows do not define {first!r} of this model",
            hint=f"they have: {', '.join(scores.metrics)}",
        )
    return [first, *(name for name in usual if name != first)]


def on_rows(scores: Scores, keep: NDArray[np.bool_], metric: str) -> float | None:
    """Return a metric on some of the rows; None where they do not define it.

    Args:
        scores: Of all rows.
        keep: Those that count, shape (n,).
        metric: Which.
    """
    if not keep.any():
        return None
    value = float(statistic_of(scores, metric)(keep.astype(np.float64)[:, None])[0])
    return value if np.isfinite(value) else None
