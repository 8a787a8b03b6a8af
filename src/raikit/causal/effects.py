"""Average and individual effects, by econml's double machine learning."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.causal.overlap import unexplained
from raikit.causal.policy import Policy, policy_of
from raikit.causal.settings import Settings, check
from raikit.columns import numbers, sampled
from stepkit.metrics import Floats
from stepkit.model import typed_features
from stepkit.program import StepError
from stepkit.table import Task, as_text, label_text, require_column

#: Names of a column that is only held fixed; rarer ones count as one.
_MOST_NAMES = 30
_REST = "(other)"
_MISSING = "(missing)"

_REASONS = {
    "upper_bound_on_cat_expansion": "it has more names than upper_bound_on_cat_expansion",
    "cat_limit": "one of its names has fewer than 10 rows",
}


@dataclass(frozen=True)
class Effect:
    """What one more unit of a treatment does to the outcome, or a name instead of another.

    Attributes:
        treatment: The column.
        value: The name that is set; empty of numbers.
        baseline: The name that it is compared with; empty of numbers.
        point: Mean effect: units of the outcome, or of the probability of the positive class.
        stderr: Its standard error.
        low: Lower bound of the interval.
        high: Upper bound.
        p_value: Of no effect at all.
        individual: The effect on each test row, shape (n,).
    """

    treatment: str
    value: str
    baseline: str
    point: float
    stderr: float
    low: float
    high: float
    p_value: float
    individual: Floats

    @property
    def name(self) -> str:
        """What is done, in short: `hours`, or `job: office (not farm)`."""
        return (
            f"{self.treatment}: {self.value} (not {self.baseline})"
            if self.value
            else (self.treatment)
        )


@dataclass(frozen=True)
class Effects:
    """What a causal analysis came to.

    Attributes:
        outcome: The target; of classes with the one whose probability is meant, as `income = high`.
        train_rows: Rows that it was learned from.
        effects: In the order of the treatments.
        policies: Whom to treat how, one a treatment.
        left_out: Treatments without an effect, with the reason.
        unexplained: By treatment, the share of it that the other columns do not explain; where it
            is below `overlap.LEAST_UNEXPLAINED`, its effect is not to be relied on.
        index: Labels of the test rows that individual effects are of.
    """

    outcome: str
    train_rows: int
    effects: tuple[Effect, ...]
    policies: tuple[Policy, ...]
    left_out: Mapping[str, str]
    unexplained: Mapping[str, float]
    index: pd.Index


def analyse(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    target: str,
    task: Task,
    features: Mapping[str, str],
    settings: Settings,
    positive_label: str = "auto",
) -> Effects:
    """Tell the effects of treatments on the target, as it is in the data and not as predicted.

    Each treatment and the outcome are predicted from all other columns, out of fold; the effect is
    what of the outcome's remainder goes with the treatment's (Chernozhukov et al., Double/debiased
    machine learning, The Econometrics Journal 21, 2018). Missing numbers are read as the median,
    missing names as one more, or of a treatment as the most frequent.

    Args:
        train: Rows to learn from.
        test: Rows to tell individual effects and policies of.
        target: The outcome.
        task: What it is.
        features: All columns that are held fixed or treated, with MLflow's types.
        settings: What is asked.
        positive_label: The class whose probability is the outcome; `auto` is the last of two.

    Raises:
        StepError: It cannot be asked so, there are more than two classes, or no treatment is left.
    """
    check(settings, features)
    require_column(train, target, "target column")
    train = sampled(train[train[target].notna()], settings.train_rows, settings.seed)
    test = sampled(test, settings.test_rows, settings.seed)
    outcome, values = _outcome(train[target], task, positive_label)
    kinds = {name: kind for name, kind in features.items() if kind != "datetime"}
    X, X_test = _prepared(train, test, kinds, settings)
    treatments = [name for name in settings.treatment_features if X[name].nunique() > 1]
    left_out = {
        name: "it has one value in all rows"
        for name in settings.treatment_features
        if name not in treatments
    }
    if not treatments:
        raise StepError("no treatment varies", hint="name a column with more than one value")
    analysis = _fitted(X, values, treatments, kinds, settings, task == "classification")
    left_out.update(_left_out(analysis, X))
    trained = [name for name in treatments if name not in left_out]
    effects = _effects(analysis, X, X_test, trained, settings)
    policies = tuple(policy_of(analysis, X_test, name, settings) for name in trained)
    own = {name: unexplained(X, name) for name in trained}
    return Effects(outcome, len(X), effects, policies, left_out, own, test.index)


def _outcome(column: pd.Series, task: Task, positive_label: str) -> tuple[str, NDArray[Any]]:
    if task == "regression":
        return str(column.name), column.to_numpy(dtype=np.float64)
    labels = column.map(label_text)
    classes = sorted(labels.unique())
    if len(classes) != 2:
        raise StepError(
            f"the outcome {column.name!r} has {len(classes)} classes; causal effects need two",
            hint="leave the causal analysis out",
        )
    positive = classes[1] if positive_label == "auto" else positive_label
    if positive not in classes:
        raise StepError(
            f"no class {positive!r} in the target", hint=f"classes: {', '.join(classes)}"
        )
    return f"{column.name} = {positive}", (labels == positive).to_numpy(dtype=np.int64)


def _prepared(
    train: pd.DataFrame, test: pd.DataFrame, kinds: Mapping[str, str], settings: Settings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return complete tables: numbers, and names as text of which rare ones are one."""
    quantities = numbers(kinds, settings.categorical)
    X, X_test = typed_features(train, kinds), typed_features(test, kinds)
    for name in kinds:
        if name in quantities:
            fill = X[name].median()
            if pd.isna(fill):
                raise StepError(f"column {name!r} has no value", hint="leave it out of the table")
            X[name], X_test[name] = X[name].fillna(fill), X_test[name].fillna(fill)
            continue
        is_treated = name in settings.treatment_features
        missing = label_text(X[name].mode().iat[0]) if is_treated else _MISSING
        text, text_test = _names(X[name], missing), _names(X_test[name], missing)
        if is_treated:
            # Of a name that was never seen, no effect can be told.
            text_test = text_test.where(text_test.isin(set(text)), missing)
        else:
            frequent = set(text.value_counts().index[:_MOST_NAMES])
            text = text.where(text.isin(frequent), _REST)
            text_test = text_test.where(text_test.isin(set(text)), _REST)
        X[name], X_test[name] = text, text_test
    return X, X_test


def _names(column: pd.Series, missing: str) -> pd.Series:
    return as_text(column).fillna(missing)


def _fitted(
    X: pd.DataFrame,
    values: NDArray[Any],
    treatments: list[str],
    kinds: Mapping[str, str],
    settings: Settings,
    classification: bool,
) -> Any:
    # Seconds to import, with lightgbm and numba.
    import lightgbm
    from econml.solutions.causal_analysis import CausalAnalysis

    quiet = logging.getLogger("raikit.lightgbm")
    quiet.setLevel(logging.ERROR)
    lightgbm.register_logger(quiet)  # else thousands of lines of every tree that stops early
    names = [name for name in kinds if name not in numbers(kinds, settings.categorical)]
    hetero = settings.heterogeneity_features
    analysis = CausalAnalysis(
        treatments,
        names,
        heterogeneity_inds=None if hetero is None else [list(hetero) for _ in treatments],
        classification=classification,
        upper_bound_on_cat_expansion=settings.upper_bound_on_cat_expansion,
        nuisance_models=settings.nuisance_model,
        heterogeneity_model=settings.heterogeneity_model,
        categories=[_levels(X, name, settings) if name in treatments else "auto" for name in names],
        n_jobs=settings.n_jobs,
        skip_cat_limit_checks=settings.skip_cat_limit_checks,
        random_state=settings.seed,
    )
    with warnings.catch_warnings():
        # econml calls scikit-learn as it was; what it leaves out, it tells in its attributes.
        warnings.simplefilter("ignore")
        try:
            analysis.fit(X, values)
        except ValueError as error:
            raise StepError(
                f"no causal effect could be told: {error}",
                hint="name treatments of which each value has at least ten rows",
            ) from error
    return analysis


def _levels(X: pd.DataFrame, name: str, settings: Settings) -> list[str]:
    """Return the names that a treatment takes; the first is what others are compared with."""
    known = sorted(X[name].unique())
    first = [] if settings.categories is None else list(settings.categories.get(name, ()))
    return [each for each in first if each in known] + [each for each in known if each not in first]


def _left_out(analysis: Any, X: pd.DataFrame) -> dict[str, str]:
    return {
        str(X.columns[place]): _REASONS.get(str(reason), str(reason))
        for place, reason in analysis.untrained_feature_indices_
    }


def _effects(
    analysis: Any, X: pd.DataFrame, X_test: pd.DataFrame, trained: list[str], settings: Settings
) -> tuple[Effect, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        average = analysis.global_causal_effect(alpha=settings.alpha, keep_all_levels=True)
        local = analysis.local_causal_effect(X_test, alpha=settings.alpha, keep_all_levels=True)
    average, local = average.reset_index(), local.reset_index()
    found = []
    for name in trained:
        levels = _levels(X, name, settings) if X[name].dtype == object else ["", ""]
        rows = average[average["feature"] == name]
        for value, (_, row) in zip(levels[1:], rows.iterrows(), strict=True):
            own = (local["feature"] == name) & (local["feature_value"] == row["feature_value"])
            found.append(
                Effect(
                    treatment=name,
                    value=value,
                    baseline=levels[0],
                    point=float(row["point"]),
                    stderr=float(row["stderr"]),
                    low=float(row["ci_lower"]),
                    high=float(row["ci_upper"]),
                    p_value=float(row["p_value"]),
                    individual=local.loc[own, "point"].to_numpy(dtype=np.float64),
                )
            )
    return tuple(found)
