"""Writes predictions as MLflow writes them, in JSON that every parser reads.

Arrays become lists, data frames and series lists of records, times ISO 8601, bytes base64. NaN and
the infinities become null.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from scoringserver.errors import PredictionError

_encoder = msgspec.json.Encoder()
_PLAIN = frozenset({str, int, float, bool, type(None)})


def as_json(answer: Any) -> Any:
    """Return what a model predicted as JSON's values.

    Raises:
        PredictionError: It holds what JSON cannot.
    """
    if isinstance(answer, pd.Series):
        answer = pd.DataFrame(answer)
    if isinstance(answer, pd.DataFrame):
        # By place, since two columns may have one name; the last counts, as in pandas' own.
        names = [_key(name) for name in answer.columns]
        columns = [_plain(answer.iloc[:, place].tolist()) for place in range(len(names))]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return _plain(answer)


def write(value: Any, *, is_wrapped: bool) -> bytes:
    """Return JSON's values as text.

    Args:
        value: The predictions.
        is_wrapped: Whether as `{"predictions": ...}`.

    Raises:
        PredictionError: A text is no Unicode, or the values are nested too deeply.
    """
    try:
        return _encoder.encode({"predictions": value} if is_wrapped else value)
    except (UnicodeEncodeError, RecursionError) as error:
        raise PredictionError(f"the model predicted what JSON cannot hold: {error}") from error


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is np.ndarray:
        return _plain(value.tolist()) if value.dtype.kind in "OMmSVc" else value.tolist()
    if isinstance(value, list | tuple):
        return (
            value if kind is list and set(map(type, value)) <= _PLAIN else list(map(_plain, value))
        )
    if isinstance(value, dict):
        return {_key(key): _plain(each) for key, each in value.items()}
    return _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic) and not isinstance(value, np.complexfloating):
        return _plain(value.item())
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.encodebytes(value).decode("ascii")
    if isinstance(value, str | int | float):  # their subclasses
        return next(base(value) for base in (str, int, float) if isinstance(value, base))
    if hasattr(value, "model_dump"):
        return _plain(value.model_dump())
    raise PredictionError(
        f"the model predicted what JSON cannot hold: a value of type {type(value).__name__}"
    )


def _key(name: Any) -> str:
    if name is None:
        return "null"  # as Python's json
    if isinstance(name, bool | np.bool_):
        return str(name).lower()
    if isinstance(name, str | int | float | np.integer | np.floating):
        return str(name)
    raise PredictionError(
        f"the model predicted what JSON cannot hold: a name of type {type(name).__name__}"
    )
