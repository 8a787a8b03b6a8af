"""The figures of a table, by which the gate judges the data that a model is made of."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from stepkit.figures import Figure, Figures


def figures_of(document: Mapping[str, Any]) -> Figures:
    """Return the figures of a report: counts and shares of the rows, all of them exact.

    Args:
        document: `report.json`; the table `data` counts.
    """
    table = document["tables"]["data"]
    rows, columns = table["rows"], table["columns"]
    severities = [problem["severity"] for problem in document["problems"]]
    missing = {name: column["missing"] for name, column in columns.items()}
    figure = partial(Figure, area="data", sample=rows)
    found = [
        figure("data_rows", value=rows, better="more", unit="rows"),
        figure("data_columns", value=len(columns), better=None, unit="columns"),
        figure("data_errors", value=severities.count("error"), better="less"),
        figure("data_warnings", value=severities.count("warn"), better="less"),
        figure("duplicate_share", value=table["duplicate_rows"] / rows, better="less"),
        figure("missing_share", value=sum(missing.values()) / (rows * len(columns)), better="less"),
    ]
    found += [
        figure("missing_share", value=count / rows, better="less", cohort=name)
        for name, count in missing.items()
        if count
    ]
    # A table has no model yet, and its rows are not the test rows.
    return Figures("check_data", model_digest="", test_data_digest="", figures=found)
