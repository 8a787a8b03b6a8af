"""What a learner is: a name of Azure's, its hyperparameters, and how its model is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automlkit.columns import Column
from automlkit.featurize import Flavor, make_featurizer
from automlkit.request import Featurization
from automlmodel.tabular import Stopping, TabularClassifier, TabularRegressor

Config = dict[str, Any]

CLASSIFICATION = frozenset({"classification"})
REGRESSION = frozenset({"regression"})
BOTH = CLASSIFICATION | REGRESSION


@dataclass(frozen=True)
class Setting:
    """What a model is made for.

    Attributes:
        task: `classification` or `regression`.
        config: Hyperparameters, the first of the portfolio's where one is not given.
        threads: Threads that it may use.
        seed: Of all that is random in it.
        class_count: Classes; 0 of regression.
    """

    task: str
    config: Mapping[str, Any]
    threads: int
    seed: int
    class_count: int

    @property
    def is_classification(self) -> bool:
        """Whether classes are learned."""
        return self.task == "classification"


@dataclass(frozen=True)
class Made:
    """An unfitted model, and how it is fitted.

    Attributes:
        model: In scikit-learn's style; learns from a matrix.
        stopping: How it stops early, or None.
        category_option: How it is told the places of categories, or None.
    """

    model: Any
    stopping: Stopping | None = None
    category_option: str | None = None


@dataclass(frozen=True)
class Case:
    """A table in short, from which a portfolio is chosen.

    Attributes:
        task: `classification` or `regression`.
        rows: Training rows.
        columns: Columns that are not ignored.
        class_count: Classes; 0 of regression.
    """

    task: str
    rows: int
    columns: int
    class_count: int


@dataclass(frozen=True)
class Learner:
    """One kind of model.

    Attributes:
        name: Azure's, or ours where Azure has none.
        tasks: What it can learn.
        flavor: Of the featurizer in front of it.
        make: Makes the unfitted model.
        configurations: The hyperparameters worth trying first, the safest first.
        domain: What may be searched, in FLAML's form: name to `domain`, `init_value`, and where
            small is cheap `low_cost_init_value`.
        iterations: The hyperparameter that counts its rounds where it stops early: a model that
            was given an `eval_set` says how many were best as `best_iteration_`.
        takes_weights: Whether rows may have weights.
    """

    name: str
    tasks: frozenset[str]
    flavor: Flavor
    make: Callable[[Setting], Made]
    configurations: Callable[[Case], list[Config]]
    domain: Callable[[str, int], dict[str, dict[str, Any]]]
    iterations: str | None = None
    takes_weights: bool = True

    def portfolio(
        self, task: str, rows: int, columns: Sequence[Column], classes: Sequence[Any] | None
    ) -> list[Config]:
        """Return configurations worth trying first, the safest first.

        Args:
            task: What is learned.
            rows: Training rows.
            columns: What the columns are for.
            classes: The labels, of classification.
        """
        used = sum(column.purpose != "Ignore" for column in columns)
        return self.configurations(Case(task, rows, used, len(classes or ())))

    def space(self, task: str, rows: int) -> dict[str, dict[str, Any]]:
        """Return what may be searched; empty where there is nothing to set."""
        return self.domain(task, rows)

    def build(
        self,
        task: str,
        config: Mapping[str, Any],
        *,
        columns: Sequence[Column],
        featurization: Featurization,
        threads: int,
        seed: int,
        classes: Sequence[Any] | None,
    ) -> TabularClassifier | TabularRegressor:
        """Return an unfitted model of raw columns.

        Args:
            task: What is learned.
            config: Hyperparameters; those not given are the learner's own.
            columns: What the columns are for.
            featurization: The request's.
            threads: Threads that it may use.
            seed: Of all that is random in it.
            classes: All labels, of classification.
        """
        count = len(classes or ())
        featurizer = make_featurizer(
            columns, featurization, self.flavor, class_count=count, seed=seed
        )
        made = self.make(Setting(task, config, threads, seed, count))
        if task == "classification":
            return TabularClassifier(
                featurizer, made.model, classes, made.stopping, made.category_option
            )
        return TabularRegressor(featurizer, made.model, made.stopping, made.category_option)
