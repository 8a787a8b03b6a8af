"""What stands for a missing value, and which columns become features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from automlkit.forecasting.panel import Guardrail, Panel, guardrail
from automlkit.request import Request
from automlmodel.forecast_features import SERIES, TARGET, Features
from stepkit.program import StepError

#: Levels of a text column that become features, the most frequent ones.
_MOST_LEVELS = 20
#: Azure's names of imputing strategies; the last is for the target only.
_STRATEGIES = ("mean", "median", "most_frequent", "constant", "ffill")
#: Transformers that a forecast is made with, and that can be blocked.
_CALENDAR, _ONE_HOT = "TimeIndexFeaturizer", "OneHotEncoder"


def _strategy(request: Request, column: str) -> tuple[str, Any]:
    """Return how a column is imputed, and with what constant.

    Raises:
        StepError: There is no such strategy.
    """
    own = request.target_column_name
    found: tuple[str, Any] = ("ffill" if column == own else "median", None)
    if request.featurization.mode != "custom":
        return found
    for entry in request.featurization.transformer_params.get("Imputer", []):
        if column in entry.get("fields", ()):
            parameters = entry.get("parameters", {})
            found = (parameters.get("strategy", found[0]), parameters.get("fill_value"))
    known = _STRATEGIES if column == own else _STRATEGIES[:-1]
    if found[0] not in known:
        raise StepError(
            f"Imputer of {column!r} has no strategy {found[0]!r}", hint=f"one of {', '.join(known)}"
        )
    return found


def _fill(values: pd.Series, strategy: str, constant: Any) -> float:
    """Return the number that stands for a missing one."""
    if strategy == "constant":
        return float(constant or 0)
    present = values.dropna()
    if present.empty:
        return 0.0
    if strategy == "most_frequent":
        return float(present.mode().iloc[0])
    return float(present.mean() if strategy == "mean" else present.median())


def impute(frame: pd.DataFrame, request: Request, guardrails: list[Guardrail]) -> pd.DataFrame:
    """Return the frame without missing targets; the last known value stands for a missing one.

    Raises:
        StepError: A series has no target at all, or the strategy is unknown.
    """
    missing = frame[TARGET].isna()
    if not missing.any():
        guardrails.append(guardrail("Missing target values", "passed", "none is missing"))
        return frame
    empty = frame.groupby(SERIES)[TARGET].count()
    if (empty == 0).any():
        named = ", ".join(map(str, empty[empty == 0].index[:5]))
        raise StepError(f"no row has a target in series {named}")
    strategy, constant = _strategy(request, request.target_column_name)
    groups = frame.groupby(SERIES)[TARGET]
    if strategy == "ffill":
        # What is before the first known value takes that.
        filled = groups.ffill().groupby(frame[SERIES]).bfill()
    else:
        filled = groups.transform(lambda own: own.fillna(_fill(own, strategy, constant)))
    detail = f"{int(missing.sum())} missing targets imputed by {strategy}"
    guardrails.append(guardrail("Missing target values", "fixed", detail))
    return frame.assign(**{TARGET: filled})


def make_features(frame: pd.DataFrame, panel: Panel, request: Request, horizon: int) -> Features:
    """Return which columns become features, and how.

    Columns that are constant or empty are left out; text columns become their most frequent levels.

    Raises:
        StepError: A column that is named does not exist.
    """
    settings = request.forecasting
    assert settings is not None
    for name in settings.unknown_at_prediction_time:
        if name not in panel.extra:
            raise StepError(
                f"no column {name!r}, of features_unknown_at_forecast_time, in the data",
                hint=f"columns: {', '.join(panel.extra) or 'none'}",
            )
    blocked = request.featurization.blocked_transformers
    numeric: dict[str, float] = {}
    categories: dict[str, tuple[str, ...]] = {}
    for name in panel.extra:
        values = frame[name]
        if values.nunique(dropna=True) < 2:
            continue
        if pd.api.types.is_float_dtype(values):
            strategy = _strategy(request, name)
            finite = values.where(np.isfinite(values))
            numeric[name] = _fill(finite, *strategy)
        elif _ONE_HOT not in blocked:
            levels = values.value_counts().index[:_MOST_LEVELS]
            categories[name] = tuple(sorted(map(str, levels)))
    return Features(
        frequency=panel.frequency,
        numeric=numeric,
        categories=categories,
        unknown=frozenset(settings.unknown_at_prediction_time),
        lag=horizon if settings.feature_lags == "auto" else 0,
        has_calendar=request.featurization.mode != "off" and _CALENDAR not in blocked,
        country=settings.country_or_region_for_holidays,
    )
