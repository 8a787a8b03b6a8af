"""Judges simulated weeks by evidently's defaults: the program that `benchmarks/drift.py` starts.

It runs in evidently's own virtual environment and imports nothing of this project but the weeks.
Columns are judged by the test and the threshold that evidently chooses by itself, as its
`DataDriftPreset` does (a whole report takes seconds, a test milliseconds); `--reports` weeks of
each change are judged by whole reports of its three presets, with the tests that it makes itself.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
from drift_weeks import CATEGORIES, CHANGES, rows

_COLUMNS = {"categorical_columns": [*CATEGORIES, "prediction", "target"]}


def drifted(reference: pd.DataFrame, week: pd.DataFrame) -> list[str]:
    """Return the columns that evidently calls drifted."""
    from evidently.legacy.calculations.stattests.registry import get_stattest
    from evidently.legacy.core import ColumnType

    found = []
    for name in week.columns:
        is_text = name in _COLUMNS["categorical_columns"]
        kind = ColumnType.Categorical if is_text else ColumnType.Numerical
        before, now = reference[name].dropna(), week[name].dropna()
        test = get_stattest(before, now, kind, None)
        if test(before, now, kind, None).drifted:
            found.append(str(name))
    return found


def failed_tests(reference: pd.DataFrame, week: pd.DataFrame) -> dict[str, list[str]]:
    """Return the tests that fail of whole reports, by preset."""
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset, DataDriftPreset, DataSummaryPreset

    label = BinaryClassification(target="target", prediction_labels="prediction", pos_label="yes")
    numbers = [name for name in week.columns if name not in _COLUMNS["categorical_columns"]]
    definition = DataDefinition(classification=[label], numerical_columns=numbers, **_COLUMNS)
    data = [Dataset.from_pandas(each, definition) for each in (week, reference)]
    found = {}
    for preset in (DataDriftPreset(), DataSummaryPreset(), ClassificationPreset()):
        tests: list[dict[str, Any]] = (
            Report([preset], include_tests=True).run(*data).dict()["tests"]
        )
        failed = [test["name"] for test in tests if "SUCCESS" not in str(test["status"])]
        found[type(preset).__name__] = failed
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Print what came of the weeks as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=json.loads, required=True)
    parser.add_argument("--reports", type=int, default=0)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--reference-rows", type=int, required=True)
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    columns: dict[str, int] = dict.fromkeys(CHANGES, 0)
    presets: dict[str, dict[str, int]] = {}
    held: tuple[int, pd.DataFrame] | None = None
    for change in CHANGES:
        for number, (seed, before) in enumerate(args.weeks[change]):
            if held is None or held[0] != before:
                held = before, rows(before, args.reference_rows)
            week = rows(seed, args.rows, change)
            columns[change] += bool(drifted(held[1], week))
            if number < args.reports:
                for preset, failed in failed_tests(held[1], week).items():
                    counted = presets.setdefault(preset, dict.fromkeys(CHANGES, 0))
                    counted[change] += bool(failed)
    print(json.dumps({"columns": columns, "presets": presets}))


if __name__ == "__main__":
    main()
