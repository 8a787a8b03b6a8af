"""Checks the `forecasting` section of an AutoML job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amlocal.errors import Problem
from amlocal.spec import automl, build
from amlocal.spec.check import plain
from amlocal.spec.locate import Place

# AutoMLBaseSettings.MAX_LAG_LENGTH of azureml-automl-core.
_LONGEST_LAG = 2000
_COUNTS = ("forecast_horizon", "target_rolling_window_size", "seasonality", "cv_step_size")


def check_forecasting(at: Place, value: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems of a forecasting job's own fields.

    Args:
        at: The job's or the step's place.
        value: Its fields.
    """
    settings = build.mapping(value.get("forecasting"))
    place = at.at("forecasting")
    if "forecasting" not in value:
        hint = "add forecasting: with time_column_name: and forecast_horizon:"
        yield at.problem("the forecasting job lacks its settings", hint)
    elif isinstance(value["forecasting"], Mapping):
        if not build.text(settings.get("time_column_name")).strip():
            hint = "add time_column_name: below forecasting:"
            yield place.problem("the forecast lacks its column of times", hint)
        if "forecast_horizon" not in settings:
            hint = "add forecast_horizon: below forecasting:, in periods, or auto"
            yield place.problem("the forecast lacks its horizon", hint)
    yield from _numbers(place, settings)
    yield from _roles(place, value, settings)
    if settings.get("target_aggregate_function") not in {None, "none", "None"} and not settings.get(
        "frequency"
    ):
        where = place.at("target_aggregate_function")
        hint = "add frequency:, for example W"
        yield where.problem("a target is aggregated to a frequency, which is not given", hint)
    region = settings.get("country_or_region_for_holidays")
    if isinstance(region, str) and not (len(region) == 2 and region.isalpha()):
        where = place.at("country_or_region_for_holidays")
        hint = "write its two letters of ISO 3166, for example US"
        yield where.problem(f"{region!r} is no code of a country", hint)


def _numbers(place: Place, settings: Mapping[str, Any]) -> Iterator[Problem]:
    for name in _COUNTS:
        given = build.number(settings.get(name))
        if given is not None and given < 1:
            message = f"{name} is {plain(given)}, but it counts periods"
            yield place.at(name).problem(message, "give 1 or more")
    lags = settings.get("target_lags")
    for lag in lags if isinstance(lags, list) else [lags]:
        found = build.number(lag)
        if found is not None and not 1 <= found <= _LONGEST_LAG:
            message = f"a lag of {plain(found)} periods is out of range"
            yield place.at("target_lags").problem(message, f"give 1 to {_LONGEST_LAG}")


def _roles(
    place: Place, value: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Check that no column has two roles."""
    time = settings.get("time_column_name")
    target = value.get("target_column_name")
    if time is not None and time == target:
        message = f"column {time!r} is the time and the target"
        yield place.at("time_column_name").problem(message, "name another column")
    for field in ("time_series_id_column_names", "features_unknown_at_forecast_time"):
        for column in automl.strings(settings.get(field)):
            if column in {time, target}:
                role = "time" if column == time else "target"
                message = f"column {column!r} is the {role}, and so cannot be in {field!r}"
                yield place.at(field).problem(message, "remove it there")
