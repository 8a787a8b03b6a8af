"""What the data say of themselves: seasons, lags that matter, and how far to forecast."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from pandas.tseries.frequencies import to_offset

from automlmodel.forecast_features import Floats, unit

#: Seasons, in periods, that a calendar unit suggests, the likeliest first.
_USUAL = {"Y": (), "Q": (4,), "M": (12,), "W": (52,), "D": (7,)}
#: Horizons of the M4 competition (Makridakis et al., 2020).
_HORIZONS = {"Y": 6, "Q": 8, "M": 18, "W": 13, "D": 14, "h": 48}
#: 90 % of a normal distribution lies below: the limit of Fiorucci et al. (2016) for a season.
_LIMIT_90 = 1.645
#: 97.5 % lies below.
_LIMIT_95 = 1.96
#: An autocorrelation below this is no season that a calendar does not suggest.
_LEAST_CORRELATION = 0.3
#: Series that are looked at, and lags of which at most are.
_LOOKED_AT = 50
_MOST_LAGS = 30


def usual_seasons(frequency: str) -> tuple[int, ...]:
    """Return the seasons, in periods, that a frequency suggests."""
    kind = unit(frequency)
    if kind != "h":
        if frequency.lstrip("0123456789").startswith("B") and kind == "D":
            return (5,)
        return _USUAL[kind] if to_offset(frequency).n == 1 else ()
    step = to_offset(frequency).nanos / 1e9
    return tuple(round(length / step) for length in (86_400, 604_800) if length % step == 0)


def autocorrelation(values: Floats, lags: int) -> Floats:
    """Return the autocorrelations at lags 0 to `lags`, shape (lags + 1,); 0 if constant."""
    centred = values - values.mean()
    size = 1 << int(np.ceil(np.log2(2 * len(values))))
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    found: Floats = np.fft.irfft(power)[: lags + 1]
    if found[0] <= 1e-12 * len(values):
        found = np.eye(1, lags + 1)[0]
    found /= found[0]
    return found


def partial_autocorrelation(values: Floats, lags: int) -> Floats:
    """Return the partial autocorrelations at lags 0 to `lags`, by Durbin and Levinson."""
    rho = autocorrelation(values, lags)
    found = np.zeros(lags + 1)
    found[0], weights = 1.0, np.zeros(0)
    for lag in range(1, lags + 1):
        below = 1.0 - weights @ rho[1:lag]
        if below <= 1e-12:
            break
        found[lag] = (rho[lag] - weights @ rho[1:lag][::-1]) / below
        weights = np.append(weights - found[lag] * weights[::-1], found[lag])
    return found


def _is_season(rho: Floats, season: int, rows: int) -> bool:
    """Tell whether an autocorrelation is above chance, by Bartlett's formula."""
    limit = _LIMIT_90 * np.sqrt((1 + 2 * (rho[1:season] ** 2).sum()) / rows)
    return bool(rho[season] > limit)


def _seasons_of(values: Floats, usual: Sequence[int]) -> tuple[int, ...]:
    rows = len(values)
    # Without its trend, which would make every lag look like a season.
    changes = np.diff(values)
    lags = min(rows // 2, max([*usual, 3 * _MOST_LAGS]))
    if lags < 2:
        return ()
    rho = autocorrelation(changes, lags)
    found = [s for s in usual if s <= lags and _is_season(rho, s, rows)]
    if found:
        return tuple(found)
    straight = values - np.polyval(np.polyfit(np.arange(rows), values, 1), np.arange(rows))
    rho = autocorrelation(straight, lags)
    peaks = [
        lag
        for lag in range(3, min(lags, rows // 3))
        if rho[lag - 1] < rho[lag] > rho[lag + 1] and rho[lag] > _LEAST_CORRELATION
    ]
    best = max(peaks, key=lambda lag: rho[lag], default=1)
    return (best,) if best > 1 and _is_season(rho, best, rows) else ()


def find_seasons(series: Sequence[Floats], frequency: str) -> tuple[int, ...]:
    """Return the seasons, in periods, that most of the longest series have; the shortest first.

    A season that the calendar suggests counts where its autocorrelation is above chance; where none
    is, the highest peak of the autocorrelation does.
    """
    longest = sorted(series, key=len, reverse=True)[:_LOOKED_AT]
    usual = usual_seasons(frequency)
    votes: Counter[int] = Counter()
    for values in longest:
        votes.update(_seasons_of(values, usual))
    found = [season for season, count in votes.items() if 2 * count > len(longest)]
    return tuple(sorted(found)) or ()


def find_lags(series: Sequence[Floats]) -> tuple[int, ...]:
    """Return the lags at which most series have a partial autocorrelation above chance.

    Lag 1 is returned where there is none.
    """
    votes: Counter[int] = Counter()
    longest = sorted(series, key=len, reverse=True)[:_LOOKED_AT]
    for values in longest:
        lags = min(_MOST_LAGS, len(values) // 4)
        partial = partial_autocorrelation(values, lags)
        limit = _LIMIT_95 / np.sqrt(len(values))
        votes.update(int(lag) for lag in np.flatnonzero(np.abs(partial) > limit) if lag)
    return tuple(sorted(lag for lag, n in votes.items() if 2 * n > len(longest))) or (1,)


def find_horizon(lengths: Sequence[int], frequency: str) -> int:
    """Return how far to forecast: as in the M4 competition, a fifth of the median series at most.

    Args:
        lengths: Rows of each series.
        frequency: pandas' alias of the period.
    """
    return max(1, min(_HORIZONS[unit(frequency)], int(np.median(lengths)) // 5))
