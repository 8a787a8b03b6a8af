"""The hyperparameter that decides most how flexible a model is, and other values to try for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stepkit.program import StepError

Number = float | int

#: The parameter of each kind of estimator, by the name of its class without `Classifier` or
#: `Regressor`. In docs/generalisation.md, too.
MAIN = {
    "HistGradientBoosting": "max_leaf_nodes",
    "GradientBoosting": "max_depth",
    "LGBM": "num_leaves",
    "XGB": "max_depth",
    "CatBoost": "depth",
    "ExplainableBoosting": "max_rounds",
    "DecisionTree": "max_depth",
    "ExtraTree": "max_depth",
    "RandomForest": "max_depth",
    "ExtraTrees": "max_depth",
    "AdaBoost": "n_estimators",
    "Bagging": "n_estimators",
    "LogisticRegression": "C",
    "LinearSVC": "C",
    "LinearSVR": "C",
    "SVC": "C",
    "SVR": "C",
    "Ridge": "alpha",
    "Lasso": "alpha",
    "ElasticNet": "alpha",
    "SGD": "alpha",
    "MLP": "alpha",
    "KNeighbors": "n_neighbors",
    "GaussianNB": "var_smoothing",
}
#: Penalties and their like are tried in steps of tens, sizes at about thirds, and the rounds of an
#: explainable boosting machine, which stops by itself, downwards.
_PENALTIES = frozenset({"C", "alpha", "l2_regularization", "var_smoothing", "reg_lambda", "gamma"})
_PENALTY_STEPS = (1e-3, 1e-1, 1e1, 1e3)
_SIZE_STEPS = (1 / 8, 1 / 3, 3.0)
#: Of what a model without a limit has come to.
_PARTS_OF_ALL = (1 / 8, 1 / 4, 1 / 2)
_ROUND_STEPS = (1 / 1000, 1 / 100, 1 / 10)
#: Below which a parameter has no meaning.
_LEAST = {"max_leaf_nodes": 2, "num_leaves": 2}
#: Where to start from where the limit is None and the model does not tell how far it grew:
#: XGBoost's default, and a tree of eight even levels.
_UNTOLD_DEPTH, _UNTOLD_LEAVES = 6, 256


@dataclass(frozen=True)
class Parameter:
    """A hyperparameter of a model.

    Attributes:
        path: Its name for `set_params` of the whole model: `model__max_depth`.
        name: Its own name.
        own: The value that the model has; None where it is unlimited.
        values: Others to try, rising.
    """

    path: str
    name: str
    own: Number | None
    values: Sequence[Number]


def last_estimator(model: Any) -> tuple[str, Any]:
    """Return the estimator that predicts within a pipeline, and the prefix of its parameters."""
    prefix = ""
    while True:
        if getattr(model, "steps", None):
            name, model = model.steps[-1]
        elif hasattr(model, "regressor_"):  # TransformedTargetRegressor
            name, model = "regressor", model.regressor_
        else:
            return prefix, model
        prefix += f"{name}__"


def main_parameter(model: Any, wanted: str = "auto") -> Parameter | None:
    """Return the parameter that a validation curve goes over; None where the kind has none.

    Args:
        model: The fitted model.
        wanted: Its name, that of the last estimator or of the whole model; `auto` is that of the
            table `MAIN`; `none` asks for no curve.

    Raises:
        StepError: The model has no such parameter, or it is no number.
    """
    if wanted == "none":
        return None
    prefix, estimator = last_estimator(model)
    known = model.get_params(deep=True)
    if wanted == "auto":
        name = _name_for(estimator)
        if not name or f"{prefix}{name}" not in known:
            return None
        path = f"{prefix}{name}"
    else:
        path = wanted if wanted in known else f"{prefix}{wanted}"
        name = path.rpartition("__")[2]
        if path not in known:
            own = [each[len(prefix) :] for each in sorted(known) if each.startswith(prefix)]
            raise StepError(
                f"the model has no parameter {wanted!r}", hint=f"it has: {', '.join(own)}"
            )
    own = known[path]
    if own is not None and (isinstance(own, bool) or not isinstance(own, int | float)):
        if wanted == "auto":
            return None
        raise StepError(f"parameter {wanted!r} is {own!r}: a curve needs numbers")
    return Parameter(path, name, own, values_to_try(name, own, estimator))


def _name_for(estimator: Any) -> str:
    for base in type(estimator).__mro__:
        name = base.__name__.removesuffix("Classifier").removesuffix("Regressor")
        if name in MAIN:
            return MAIN[name]
    return ""


def values_to_try(name: str, own: Number | None, estimator: Any) -> list[Number]:
    """Return other values of a parameter, rising.

    Args:
        name: Its name.
        own: The model's value; None is read as what the fitted model came to, and is not exceeded.
        estimator: The fitted estimator.
    """
    start = _reached(name, estimator) if own is None else own
    if name in _PENALTIES:
        return [float(f"{(start or 1e-2) * step:.6g}") for step in _PENALTY_STEPS]
    steps: Sequence[float] = _ROUND_STEPS if name == "max_rounds" else _SIZE_STEPS
    if own is None:
        steps = _PARTS_OF_ALL
    least = _LEAST.get(name, 1)
    if isinstance(start, float) and not start.is_integer():
        return sorted({float(f"{start * step:.6g}") for step in steps} - {start})
    return sorted({max(least, round(start * step)) for step in steps} - {int(start)})


def _reached(name: str, estimator: Any) -> int:
    """Return how far a fitted tree, or the deepest of an ensemble, grew without a limit."""
    trees = [estimator, *getattr(estimator, "estimators_", [])]
    of_leaves = "lea" in name
    measure = "get_n_leaves" if of_leaves else "get_depth"
    sizes = [getattr(tree, measure)() for tree in trees if hasattr(tree, measure)]
    return int(max(sizes, default=_UNTOLD_LEAVES if of_leaves else _UNTOLD_DEPTH))
