"""The estimators to choose from, each as one scikit-learn pipeline over raw columns.

Only scikit-learn's and interpret's own classes go into a pipeline: a class defined here would have
to be installed wherever the saved model is loaded.

scikit-learn is imported where it is used: only what the chosen estimator needs, and not before
`stepkit` has told OpenMP how to wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stepkit.program import StepError, cores
from stepkit.table import Task

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

#: What HistGradientBoosting can tell apart in a categorical column (its `max_bins`).
MOST_CATEGORIES = 255
#: The category of what is missing.
MISSING = "(missing)"
#: Share of rows below which the linear models pool a category with other rare ones.
RARE_CATEGORY = 0.001

Number = float | int
Build = Callable[[Task, "Columns", dict[str, Number], int], "Pipeline"]


@dataclass(frozen=True)
class Columns:
    """The feature columns in the table's order, each `double` or `string`."""

    kinds: Mapping[str, str]

    @property
    def numbers(self) -> list[str]:
        """Numbers and booleans."""
        return [name for name, kind in self.kinds.items() if kind == "double"]

    @property
    def categories(self) -> list[str]:
        """Text."""
        return [name for name, kind in self.kinds.items() if kind == "string"]


@dataclass(frozen=True)
class Choice:
    """One estimator to choose.

    Attributes:
        build: Makes the pipeline from task, columns, settings under their own names, and seed.
        settings: From this program's hyperparameters to the estimator's own names.
        package: The package that it needs besides scikit-learn.
    """

    build: Build
    settings: Mapping[str, str] = field(default_factory=dict)
    package: str = ""


def features_of(table: pd.DataFrame, excluded: Sequence[str]) -> tuple[Columns, list[str]]:
    """Sort a table's columns into features.

    Args:
        table: The train rows.
        excluded: Columns that are no features: the target, the weight, those to ignore.

    Returns:
        The features, and the columns left out because no number or category can be made of them
        (times), or because they are empty.

    Raises:
        StepError: No feature is left.
    """
    kinds, left_out = {}, []
    for name in table.columns:
        if name in excluded:
            continue
        column = table[name]
        if column.isna().all() or pd.api.types.is_datetime64_any_dtype(column):
            left_out.append(name)
        else:
            kinds[name] = "double" if pd.api.types.is_numeric_dtype(column) else "string"
    if not kinds:
        raise StepError("no feature column is left", hint="give more columns, or ignore fewer")
    return Columns(kinds), left_out


def hist_gradient_boosting(
    task: Task, columns: Columns, settings: dict[str, Number], seed: int
) -> Pipeline:
    """Boost trees on binned columns; missing values and categories are split on as they are."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.pipeline import Pipeline

    kind = (
        HistGradientBoostingClassifier
        if task == "classification"
        else HistGradientBoostingRegressor
    )
    model = kind(
        categorical_features=list(range(len(columns.categories))),
        # Else tables of over 10,000 rows would give up 10 % of them to stop early by: max_iter
        # would not mean what it says, and Adult loses (cross-validated error 12.83 for 12.76 %).
        early_stopping=False,
        random_state=seed,
        **settings,
    )
    encode = ColumnTransformer(
        [
            ("category", _ordinal(unknown=np.nan), columns.categories),
            ("number", "passthrough", columns.numbers),
        ]
    )
    return Pipeline([("encode", encode), ("model", model)])


def random_forest(task: Task, columns: Columns, settings: dict[str, Number], seed: int) -> Pipeline:
    """Average deep trees grown on samples of rows and columns."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline

    kind = RandomForestClassifier if task == "classification" else RandomForestRegressor
    encode = ColumnTransformer(
        [
            ("category", _ordinal(unknown=-2), columns.categories),
            ("number", SimpleImputer(strategy="median"), columns.numbers),
        ]
    )
    # Leaves of one row, scikit-learn's default, make probabilities of 0 and 1 only, and a model
    # of hundreds of megabytes on tables of this size.
    tuned: dict[str, Any] = {"min_samples_leaf": 5, **settings}
    return Pipeline(
        [("encode", encode), ("model", kind(random_state=seed, n_jobs=cores(), **tuned))]
    )


def linear(task: Task, columns: Columns, settings: dict[str, Number], seed: int) -> Pipeline:
    """Fit logistic regression, or ridge regression, on scaled numbers and one-hot categories."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    number = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    category = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=RARE_CATEGORY)
    encode = ColumnTransformer(
        [
            ("category", _categories(category), columns.categories),
            ("number", number, columns.numbers),
        ]
    )
    alpha = settings.pop("alpha", 1.0)
    model = (
        # C is the inverse of the penalty's weight.
        LogisticRegression(C=1 / alpha, **{"max_iter": 1000, **settings}, random_state=seed)
        if task == "classification"
        else Ridge(alpha=alpha, **settings, random_state=seed)
    )
    return Pipeline([("encode", encode), ("model", model)])


def ebm(task: Task, columns: Columns, settings: dict[str, Number], seed: int) -> Pipeline:
    """Fit an explainable boosting machine, a sum of one curve a feature and some pairs.

    It bins, encodes, and takes missing values by itself. Its default of 14 outer bags, on all
    cores but one, takes minutes on 2 cores where 4 bags take one, for the same accuracy.
    """
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor
    from sklearn.pipeline import Pipeline

    kind = (
        ExplainableBoostingClassifier if task == "classification" else ExplainableBoostingRegressor
    )
    types = ["continuous" if kind == "double" else "nominal" for kind in columns.kinds.values()]
    model = kind(
        feature_names=list(columns.kinds),
        feature_types=types,
        outer_bags=4,
        n_jobs=cores(),
        random_state=seed,
        **settings,
    )
    return Pipeline([("model", model)])


def _ordinal(unknown: float) -> Pipeline:
    """Number the categories; rare ones beyond `MOST_CATEGORIES` share a number."""
    from sklearn.preprocessing import OrdinalEncoder

    return _categories(
        OrdinalEncoder(
            handle_unknown="use_encoded_value",
            unknown_value=unknown,
            max_categories=MOST_CATEGORIES,
        )
    )


def _categories(encoder: Any) -> Pipeline:
    """Make missing a category of its own, whether a table says it by None or by NaN.

    scikit-learn's encoders take the two for different categories, so that a table read by pandas
    (NaN) would be predicted otherwise than the same rows as JSON (null, None). The function is one
    of the standard library, so that the model loads where this program is not.
    """
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    fill = FunctionTransformer(methodcaller("fillna", MISSING), feature_names_out="one-to-one")
    return Pipeline([("missing", fill), ("encode", encoder)])


CHOICES = {
    "hist_gradient_boosting": Choice(
        hist_gradient_boosting,
        {
            "learning_rate": "learning_rate",
            "max_iter": "max_iter",
            "max_leaf_nodes": "max_leaf_nodes",
            "min_samples_leaf": "min_samples_leaf",
            "l2": "l2_regularization",
        },
    ),
    "ebm": Choice(
        ebm,
        {
            "learning_rate": "learning_rate",
            "max_iter": "max_rounds",
            "max_leaf_nodes": "max_leaves",
            "min_samples_leaf": "min_samples_leaf",
        },
        package="interpret-core",
    ),
    "random_forest": Choice(
        random_forest,
        {
            "max_iter": "n_estimators",
            "max_leaf_nodes": "max_leaf_nodes",
            "min_samples_leaf": "min_samples_leaf",
        },
    ),
    "linear": Choice(linear, {"max_iter": "max_iter", "l2": "alpha"}),
}


def build(
    estimator: str, task: Task, columns: Columns, hyperparameters: Mapping[str, Number], seed: int
) -> Pipeline:
    """Make the unfitted pipeline of an estimator.

    Args:
        estimator: One of `CHOICES`.
        task: What it predicts.
        columns: Its features.
        hyperparameters: Those that are set; the others are the estimator's own defaults.
        seed: Of everything random in it.

    Raises:
        StepError: The estimator has no such hyperparameter.
    """
    choice = CHOICES[estimator]
    settings = {}
    for name, value in hyperparameters.items():
        if name not in choice.settings:
            raise StepError(
                f"{estimator} has no {name}", hint=f"it has: {', '.join(choice.settings)}"
            )
        settings[choice.settings[name]] = value
    return choice.build(task, columns, settings, seed)
