"""Custom signals: metrics that another program computed, against their thresholds.

Their table is that of Azure's custom signal components: `metric_name`, `metric_value`, and where
given `group` (such as a feature) and `threshold_value`. As in Azure a value above its threshold is
a breach; nothing is known of its noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from monitorkit.request import Threshold
from monitorkit.verdicts import Metric
from stepkit.program import StepError
from stepkit.table import require_column


def custom(signal: str, table: pd.DataFrame, thresholds: Sequence[Threshold]) -> list[Metric]:
    """Return the metrics of a table that have a threshold.

    Args:
        signal: The signal's name.
        table: The metrics.
        thresholds: Stated ones, before those of the table.

    Raises:
        StepError: A column is missing, or a metric with a threshold.
    """
    for name in ("metric_name", "metric_value"):
        require_column(table, name, "column")
    stated = {each.metric: each.threshold for each in thresholds if each.threshold is not None}
    missing = stated.keys() - set(table["metric_name"])
    if missing:
        raise StepError(f"signal {signal!r}: no metric {', '.join(sorted(missing))} was computed")
    found = []
    for row in table.to_dict("records"):
        threshold = stated.get(str(row["metric_name"]), row.get("threshold_value"))
        if threshold is None or math.isnan(float(threshold)):
            continue
        value = float(row["metric_value"])
        is_known = math.isfinite(value)
        found.append(
            Metric(
                signal=signal,
                metric=str(row["metric_name"]),
                feature=str(row.get("group") or ""),
                feature_type="",
                value=value if is_known else None,
                threshold=float(threshold),
                p_value=None,
                rows=0,
                reference_rows=0,
                note="its noise is not known" if is_known else "no value",
            )
        )
    return found
