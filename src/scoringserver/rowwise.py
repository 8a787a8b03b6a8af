"""Tells models whose answer for a row depends on that row alone: only they are given batches.

The rule: a model gets batches if all of these hold, else one request at a time.

1. It is no forecasting model (metadata `task: forecasting`, or a flavor of forecasts).
2. Its flavor is of a library whose `predict` works row by row (`ROWWISE_FLAVORS`), or it has an
   input example of at least two different rows.
3. Predicted one by one, the rows of its input example get the answers that they get together.
   (Numbers may differ by rounding, since linear algebra sums in another order for more rows.)
4. It never answers with another number of rows than it was given.

`--batch-rows 1` turns batches off for a model that passes and should not.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from scoringserver.answers import as_json
from scoringserver.batching import reason

_log = logging.getLogger("scoringserver")

#: MLflow's flavors of libraries that predict row by row.
ROWWISE_FLAVORS = frozenset(
    {"catboost", "keras", "lightgbm", "onnx", "pytorch", "sklearn", "tensorflow", "xgboost"}
)
#: MLflow's flavors of forecasts, which depend on all rows of a series.
_FORECASTS = frozenset({"diviner", "mlforecast", "pmdarima", "prophet", "statsmodels", "sktime"})
_MOST_ROWS = 4


def may_be_rowwise(flavors: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool | None:
    """Return what a model's description says: no, yes, or (None) that its example must tell."""
    if str(metadata.get("task", "")).lower() == "forecasting" or _FORECASTS & flavors.keys():
        return False
    return True if ROWWISE_FLAVORS & flavors.keys() else None


def is_rowwise(said: bool | None, predict: Callable[[Any], Any], example: Any, rows: int) -> bool:
    """Return whether a model may be given batches.

    Args:
        said: What its description says.
        predict: Calls the model.
        example: The model's input of its example; None where it has none.
        rows: How many rows that has.
    """
    if said is False:
        return False
    singles = _single_rows(example, min(rows, _MOST_ROWS)) if rows > 1 else []
    if not singles:
        return said is True
    try:
        together = as_json(predict(example))
        if not isinstance(together, list) or len(together) != rows:
            return False
        alone = [as_json(predict(single)) for single in singles]
    except Exception as error:  # noqa: BLE001 - the model may raise anything
        _log.warning("rows of the input example cannot be predicted: %s", reason(error))
        return False
    if all(equal(one, [whole]) for one, whole in zip(alone, together, strict=False)):
        return said is True or _differ(singles)
    _log.warning("the input example's rows are predicted differently one by one: no batches")
    return False


def equal(left: Any, right: Any) -> bool:
    """Return whether two answers are the same but for the rounding of numbers."""
    if isinstance(left, float) and isinstance(right, float):
        close = math.isclose(left, right, rel_tol=1e-6, abs_tol=1e-9)
        return close or (math.isnan(left) and math.isnan(right))
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def _single_rows(example: Any, count: int) -> list[Any]:
    if isinstance(example, pd.DataFrame):
        return [example.iloc[row : row + 1].reset_index(drop=True) for row in range(count)]
    if isinstance(example, np.ndarray) and example.ndim:
        return [example[row : row + 1] for row in range(count)]
    if isinstance(example, dict):
        return [
            {name: each[row : row + 1] for name, each in example.items()} for row in range(count)
        ]
    return []


def _differ(singles: list[Any]) -> bool:
    """Return whether there are two rows that are not the same: equal ones prove nothing."""
    return len({repr(as_json(_values(single))) for single in singles}) > 1


def _values(single: Any) -> Any:
    return [each.tolist() for each in single.values()] if isinstance(single, dict) else single
