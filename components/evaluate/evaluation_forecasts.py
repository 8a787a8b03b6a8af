"""Forecasts: which series the test rows are of, and how good they are by steps ahead."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd
from evaluation_figures import PartFigures
from evaluation_words import number

from stepkit.cohorts import Cohort, cut_at_quantiles
from stepkit.figures import Figure
from stepkit.findings import Block, Cell, Chart, Choice, Line, Section, Table
from stepkit.forecasts import Series, series_of
from stepkit.model import Model, Scores
from stepkit.program import StepError, names
from stepkit.table import read_table

STEPS = "steps ahead"
#: Parts that the steps are cut into.
MOST_STEPS = 12
#: Series whose forecasts are drawn, and points of each.
MOST_SERIES = 12
MOST_POINTS = 200


def is_forecast(model: Model, task: str) -> bool:
    """Whether a model is a forecast: it says so, or the job does."""
    return task == "forecasting" or model.metadata.get("task") == "forecasting"


def settle_series(args: argparse.Namespace, model: Model, rows: pd.DataFrame) -> Series:
    """Return the series of the test rows, by what the job says, else by what the model says.

    Raises:
        StepError: Nobody says which column has the times.
    """
    time = args.time_column or model.metadata.get("time_column_name", "")
    if not time:
        raise StepError(
            "the model does not say which column has the times", hint="give time_column"
        )
    said: tuple[str, ...] = tuple(getattr(model.estimator, "id_columns", ()))
    columns = said if args.series_columns == "auto" else names(args.series_columns)
    history = None if args.history is None else read_table(args.history)
    return series_of(
        rows,
        model.target,
        time,
        () if args.series_columns == "none" else columns,
        season=args.seasonality,
        history=history,
    )


def steps_of(series: Series) -> list[Cohort]:
    """Return the rows by how many periods ahead they are."""
    return cut_at_quantiles(pd.Series(series.steps, name=STEPS), MOST_STEPS)


def section(
    scores: Scores, series: Series, steps: Sequence[PartFigures], headline: Sequence[Figure]
) -> Section:
    """Return what a reader sees of forecasts."""
    last = int(series.steps.max())
    words = [
        _against_naive(headline, series),
        f"There are forecasts of {len(series.names)} series, up to {last} periods ahead.",
        "Errors mostly grow with the distance. Intervals take rows as independent; errors of "
        "neighbouring periods go together, so the true intervals are wider.",
    ]
    return Section("How good are its forecasts?", words, _blocks(scores, series, steps))


def _against_naive(headline: Sequence[Figure], series: Series) -> str:
    mase = next((each for each in headline if each.name == "mase"), None)
    if mase is None or mase.value is None:
        return (
            "How they compare with simply repeating the last season is not known: give the rows "
            "of before as history."
        )
    better = "better" if mase.value < 1 else "no better"
    return (
        f"Their mean error is {number(mase.value)} of that of repeating the value of a season "
        f"({series.season} periods) before, within the history (MASE): they are {better} than that."
    )


def _blocks(scores: Scores, series: Series, steps: Sequence[PartFigures]) -> list[Block]:
    errors = [each.figures["mae"] for each in steps]
    middle = [float(series.steps[each.part.rows].mean()) for each in steps]
    head = ["steps ahead", "rows", "mae", "mae from", "mae to", "bias", "bias from", "bias to"]
    rows: list[list[Cell]] = []
    for each in steps:
        mae, bias = each.figures["mae"], each.figures["bias"]
        ends: list[Cell] = [mae.value, mae.low, mae.high, bias.value, bias.low, bias.high]
        rows.append([each.part.value, len(each.part.rows), *ends])
    line = Line(
        "mean error",
        middle,
        [each.value for each in errors],
        [each.low for each in errors],
        [each.high for each in errors],
    )
    drawn = {
        name or "the series": [_picture(scores, series, place)]
        for place, name in enumerate(series.names[:MOST_SERIES])
    }
    return [
        Chart([line], "steps ahead", "mean error", "Error by how far ahead, with its interval."),
        Table(head, rows, {"rows": ",d"}, "By steps ahead."),
        Choice("series", drawn),
    ]


def _picture(scores: Scores, series: Series, place: int) -> Chart:
    own = np.flatnonzero(series.numbers == place)
    own = own[np.argsort(series.times[own], kind="stable")]
    if len(own) > MOST_POINTS:
        own = own[np.unique(np.linspace(0, len(own) - 1, MOST_POINTS).astype(int))]
    steps = series.steps[own].tolist()
    return Chart(
        [
            Line("true", steps, scores.truth[own].tolist()),
            Line("forecast", steps, scores.predicted[own].tolist(), style="dotted"),
        ],
        "steps ahead",
        "value",
        "True values and forecasts.",
    )
