"""What is asked of a search for counterfactuals, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from raikit.columns import categories, numbers, require_features
from stepkit.model import Model
from stepkit.program import StepError

Method = Literal["random", "genetic", "kdtree"]


@dataclass(frozen=True)
class Settings:
    """What is asked of a search; names and defaults are those of Azure's component.

    Attributes:
        method: How DiCE searches: `random` draws values, `genetic` breeds them, `kdtree` takes
            them from the training rows that are nearest.
        total_cfs: Counterfactuals of each row.
        desired_class: The class to reach; `opposite` is the other of two, `next` the most probable
            of all others.
        desired_range: Lowest and highest prediction to reach; of regression.
        permitted_range: By column: lowest and highest number, or the names that it may take.
        features_to_vary: Columns that may change; `all` for all that are not immutable.
        immutable: Columns that never change, whatever else is said.
        categorical: Columns that are names of things though they are written as numbers.
        rows: Of how many rows counterfactuals are searched in `sections`.
        train_rows: Training rows that ranges and neighbours come from.
        seconds: When a search of one row is given up; what was found by then is given.
        seed: For drawing.
    """

    method: Method = "random"
    total_cfs: int = 10
    desired_class: str = "opposite"
    desired_range: tuple[float, float] | None = None
    permitted_range: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    features_to_vary: Sequence[str] | Literal["all"] = "all"
    immutable: Sequence[str] = ()
    categorical: Sequence[str] = ()
    rows: int = 10
    train_rows: int = 3000
    seconds: float = 10.0
    seed: int = 0


def check(settings: Settings, model: Model, classes: Sequence[str]) -> None:
    """Check that a search can be done.

    Raises:
        StepError: A column is no feature, the class or range is not one that the model predicts,
            or nothing may vary.
    """
    if settings.method not in get_args(Method):
        raise StepError(
            f"no method {settings.method!r} of finding counterfactuals",
            hint=f"methods: {', '.join(get_args(Method))}",
        )
    if settings.total_cfs < 1:
        raise StepError(f"total_CFs is {settings.total_cfs}", hint="ask for at least 1")
    require_features(settings.immutable, model.features, "immutable column")
    require_features(settings.categorical, model.features, "categorical column")
    _check_goal(settings, model, classes)
    _check_ranges(settings, model)
    if not may_vary(settings, model):
        raise StepError("no column may vary", hint="name one in features_to_vary")


def _check_goal(settings: Settings, model: Model, classes: Sequence[str]) -> None:
    if model.task == "regression":
        if settings.desired_range is None:
            raise StepError(
                "counterfactuals of a quantity need a range to reach",
                hint="set desired_range to the lowest and the highest, such as [20, 30]",
            )
        low, high = settings.desired_range
        if not low <= high:
            raise StepError(f"desired_range goes from {low} to {high}", hint="lowest first")
        return
    if settings.desired_range is not None:
        raise StepError("desired_range is for regression", hint="set desired_class")
    if settings.desired_class == "opposite" and len(classes) != 2:
        raise StepError(
            f"there is no opposite among {len(classes)} classes",
            hint=f"set desired_class to one of {', '.join(classes)}",
        )
    if settings.desired_class not in ("opposite", "next", *classes):
        raise StepError(
            f"the model has no class {settings.desired_class!r}",
            hint=f"classes: {', '.join(classes)}",
        )


def _check_ranges(settings: Settings, model: Model) -> None:
    require_features(list(settings.permitted_range), model.features, "column of permitted_range")
    quantities = numbers(model.features, settings.categorical)
    for name, allowed in settings.permitted_range.items():
        if not len(allowed):
            raise StepError(f"permitted_range allows {name!r} no value", hint="give some")
        if name not in quantities:
            continue
        try:
            low, high = (float(each) for each in allowed)
        except (TypeError, ValueError):
            raise StepError(
                f"permitted_range of {name!r} is not two numbers", hint="such as [18, 65]"
            ) from None
        if not low <= high:
            raise StepError(f"permitted_range of {name!r} goes from {low} to {high}")


def may_vary(settings: Settings, model: Model) -> tuple[str, ...]:
    """Return the columns that may change: those named, without immutable ones and times.

    Raises:
        StepError: One that is named is no feature.
    """
    able = (
        *numbers(model.features, settings.categorical),
        *categories(model.features, settings.categorical),
    )
    if settings.features_to_vary == "all":
        named: Sequence[str] = able
    else:
        named = settings.features_to_vary
        require_features(named, model.features, "column to vary")
    return tuple(
        name
        for name in model.features
        if name in named and name in able and name not in settings.immutable
    )
