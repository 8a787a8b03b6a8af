"""The period of a panel: found in its times, or checked against them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from automlmodel.forecast_features import unit
from stepkit.program import StepError

#: Aliases of earlier versions of pandas, as Azure's documentation has them.
_OLD = {
    "H": "h",
    "T": "min",
    "S": "s",
    "L": "ms",
    "M": "ME",
    "Q": "QE",
    "Y": "YE",
    "A": "YE",
    "AS": "YS",
    "BM": "BME",
    "BQ": "BQE",
    "BA": "BYE",
    "BY": "BYE",
}
#: Below this share of periods with a row, times are irregular rather than incomplete.
_LEAST_COVERAGE = 0.5
#: Times that a message names.
_SHOWN = 5
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")

Times = Mapping[str, pd.DatetimeIndex]


def parse_frequency(alias: str) -> str:
    """Return pandas' present alias of a frequency; `H`, `T`, `M`, ... are understood.

    Raises:
        StepError: There is no such frequency.
    """
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-[A-Za-z]+)?", alias.strip())
    if match:
        count, name, anchor = match.groups(default="")
        alias = count + _OLD.get(name, name) + anchor
    hint = "an alias of pandas, such as D, W-SUN, MS, QS, h, or 15min"
    try:
        offset = to_offset(alias)
    except ValueError as error:
        raise StepError(f"no frequency {alias!r}", hint=hint) from error
    if offset.n < 1:
        raise StepError(f"frequency {alias!r} does not go forward", hint=hint)
    return str(offset.freqstr)


def find_frequency(times: Times) -> str:
    """Return the coarsest frequency that all times lie on.

    Args:
        times: Sorted times without doubles, by series.

    Raises:
        StepError: No series has two times, or they are irregular; says which are off.
    """
    several = [index for index in times.values() if len(index) > 1]
    if not several:
        raise StepError(
            "no series has two rows, so its frequency cannot be told",
            hint="check time_series_id_column_names",
        )
    every = pd.DatetimeIndex(np.unique(np.concatenate([index.to_numpy() for index in several])))
    gaps = np.concatenate([np.diff(index.to_numpy()) for index in several])
    alias = _of_dates(every, gaps) if _is_same_clock(every) else _of_clock(gaps)
    rows = sum(len(index) for index in several)
    periods = sum(len(pd.date_range(index[0], index[-1], freq=alias)) for index in several)
    if rows < _LEAST_COVERAGE * periods:
        raise StepError(
            f"the times are irregular: {rows} rows in {periods} periods of frequency {alias!r}; "
            + _odd_ones(several),
            hint="mend these rows, or give frequency and target_aggregate_function",
        )
    return alias


def _is_same_clock(times: pd.DatetimeIndex) -> bool:
    return bool(((times - times.normalize()) == (times[0] - times[0].normalize())).all())


def _of_dates(every: pd.DatetimeIndex, gaps: np.ndarray) -> str:
    """Return the frequency of times that differ in their dates only."""
    ending = every.is_month_end.all()
    if ending or (every.day == 1).all():
        months, mark = np.unique(every.month), "E" if ending else "S"
        if len(months) == 1:
            return f"Y{mark}-{_MONTHS[months[0] - 1]}"
        if len(set(months % 3)) == 1:
            # The last month of a quarter that begins in, or ends with, these months.
            return f"Q{mark}-{_MONTHS[(months[0] - 1) % 3 + (9 if ending else 0)]}"
        return f"M{mark}"
    days = int(np.gcd.reduce(gaps // np.timedelta64(1, "D")))
    if days % 7 == 0:
        return f"{days // 7 if days > 7 else ''}W-{_DAYS[every[0].dayofweek]}"
    if days == 1 and (every.dayofweek < 5).all() and every[-1] - every[0] > pd.Timedelta(days=10):
        return "B"
    return f"{days if days > 1 else ''}D"


def _of_clock(gaps: np.ndarray) -> str:
    step = int(np.gcd.reduce(gaps.astype("timedelta64[ns]").astype(np.int64)))
    microseconds = step / 1_000
    for alias, length in (("h", 3.6e9), ("min", 6e7), ("s", 1e6), ("ms", 1e3), ("us", 1.0)):
        if microseconds % length == 0:
            count = int(microseconds // length)
            return f"{count if count > 1 else ''}{alias}"
    return f"{step}ns"


def _odd_ones(several: list[pd.DatetimeIndex]) -> str:
    """Name the times that come after an unusual gap."""
    index = max(several, key=len)
    gaps = np.diff(index.to_numpy())
    values, counts = np.unique(gaps, return_counts=True)
    # Months and years vary in length: within a fifth of the usual gap nothing is odd.
    usual = values[counts.argmax()]
    odd = np.flatnonzero(np.abs(gaps - usual) > 0.2 * usual) + 1
    named = ", ".join(str(index[place]) for place in odd[:_SHOWN])
    more = f" and {len(odd) - _SHOWN} more" if len(odd) > _SHOWN else ""
    return f"most rows are {pd.Timedelta(usual)} apart, but not {named}{more}"


def check_grid(times: Times, frequency: str) -> None:
    """Check that each series' times lie on the frequency's grid.

    Raises:
        StepError: Some do not; says which.
    """
    odd: list[str] = []
    for name, index in times.items():
        grid = pd.date_range(index[0], index[-1], freq=frequency)
        off = index[~index.isin(grid)]
        odd += [f"{time} ({name})" for time in off[:_SHOWN]]
        if len(odd) >= _SHOWN:
            break
    if odd:
        raise StepError(
            f"these times are not on the grid of frequency {frequency!r}: "
            + ", ".join(odd[:_SHOWN]),
            hint=_grid_hint(frequency),
        )


def _grid_hint(frequency: str) -> str:
    if unit(frequency) in "MQY" and frequency.split("-")[0].endswith("E"):
        return "for times at the start of a period give MS, QS, or YS, or leave frequency out"
    return "leave frequency out, or give target_aggregate_function"
