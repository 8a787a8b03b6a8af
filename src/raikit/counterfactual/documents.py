"""Counterfactuals as JSON, for files and for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from raikit.counterfactual.generate import Counterfactuals, importance, summary_importance

FORMAT = 1


def document(found: Sequence[Counterfactuals], *, with_importance: bool = True) -> dict[str, Any]:
    """Return counterfactuals of rows.

    Args:
        found: Of each row.
        with_importance: Whether to count how often each feature differs.
    """
    rows = [_row(each, with_importance) for each in found]
    whole: dict[str, Any] = {"format": FORMAT, "rows": rows}
    if with_importance:
        whole["importance"] = summary_importance(list(found))
    return whole


def _row(found: Counterfactuals, with_importance: bool) -> dict[str, Any]:
    own: dict[str, Any] = {
        "row": str(found.index),
        "features": _records(found.row)[0],
        "predicted": found.predicted,
        "wanted": list(found.wanted) if isinstance(found.wanted, tuple) else found.wanted,
        "counterfactuals": _records(found.table),
        "outcomes": found.outcomes.tolist(),
        "changed": found.changed.tolist(),
        "distance": found.distance.tolist(),
    }
    if with_importance:
        own["importance"] = importance(found)
    return own


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)
