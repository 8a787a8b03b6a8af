"""Judges simulated weeks by evidently's defaults: the program that `benchmarks/drift.py` starts.

It runs in evidently's own virtual environment and imports nothing of this project but the weeks.
A whole report takes seconds, nearly all of it for drawings. So all weeks are judged by the tests of
two presets without the report: of `DataDriftPreset` by the test and threshold that evidently itself
chooses for a column, of `ClassificationPreset` by its rule, that each of eight figures is within
20 % of the reference's. Of some weeks there are whole reports of all three presets as well; the
program fails where those say anything else.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from drift_weeks import CATEGORIES, rows

_COLUMNS = {"categorical_columns": [*CATEGORIES, "prediction", "target"]}
_TOLERANCE = 0.2
#: Of the columns: what makes evidently call the whole data set drifted.
_DRIFT_SHARE = 0.5


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


def figures(table: pd.DataFrame) -> dict[str, float]:
    """Return the figures of `ClassificationPreset` that predictions without chances have."""
    said, true = table["prediction"] == "yes", table["target"] == "yes"
    hits, alarms = int((said & true).sum()), int((said & ~true).sum())
    misses, rest = int((~said & true).sum()), int((~said & ~true).sum())
    precision, recall = hits / (hits + alarms), hits / (hits + misses)
    return {
        "Accuracy": (hits + rest) / len(table),
        "Precision": precision,
        "Recall": recall,
        "F1 score": 2 * precision * recall / (precision + recall),
        "TPR": recall,
        "TNR": rest / (rest + alarms),
        "FPR": alarms / (rest + alarms),
        "FNR": misses / (hits + misses),
    }


def worse(before: Mapping[str, float], now: Mapping[str, float]) -> list[str]:
    """Return the figures that are farther from the reference's than evidently allows."""
    return [
        name for name, value in before.items() if abs(now[name] - value) > _TOLERANCE * abs(value)
    ]


def reported(reference: pd.DataFrame, week: pd.DataFrame) -> dict[str, list[str]]:
    """Return the tests that fail of whole reports, by preset.

    The summary compares numbers of rows, too: it is given as many of the reference as the week has.
    """
    from evidently import BinaryClassification, DataDefinition, Dataset, Report
    from evidently.presets import ClassificationPreset, DataDriftPreset, DataSummaryPreset

    label = BinaryClassification(target="target", prediction_labels="prediction", pos_label="yes")
    numbers = [name for name in week.columns if name not in _COLUMNS["categorical_columns"]]
    definition = DataDefinition(classification=[label], numerical_columns=numbers, **_COLUMNS)
    found = {}
    for preset in (DataDriftPreset(), DataSummaryPreset(), ClassificationPreset()):
        is_summary = isinstance(preset, DataSummaryPreset)
        tables = (week, reference.head(len(week)) if is_summary else reference)
        report = Report([preset], include_tests=True)
        tests = report.run(*(Dataset.from_pandas(each, definition) for each in tables)).dict()
        failed = [each["name"] for each in tests["tests"] if "SUCCESS" not in str(each["status"])]
        found[type(preset).__name__] = failed
    return found


def check(columns: Sequence[str], scores: Sequence[str], report: Mapping[str, list[str]]) -> None:
    """Make sure that whole reports say what the tests without them do.

    Raises:
        RuntimeError: They do not.
    """
    prefix = "Value Drift for column "
    named = {each.removeprefix(prefix) for each in report["DataDriftPreset"] if prefix in each}
    figured = {each.split(" metric")[0] for each in report["ClassificationPreset"]}
    if named != set(columns) or figured != set(scores):
        raise RuntimeError(f"{columns} and {scores}, but the reports say {report}")


class Counted:
    """Alarms of each tool, its weeks, and its seconds, by change."""

    def __init__(self) -> None:
        self.alarms: dict[str, Counter[str]] = {}
        self.weeks: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}

    def add(self, tool: str, change: str, *, alarm: bool, seconds: float) -> None:
        """Add a week."""
        self.alarms.setdefault(tool, Counter())[change] += alarm
        self.weeks.setdefault(tool, Counter())[change] += 1
        self.seconds[tool] = self.seconds.get(tool, 0.0) + seconds

    def judge(
        self, change: str, reference: pd.DataFrame, week: pd.DataFrame, *, whole: bool
    ) -> None:
        """Judge a week by the tests alone, and by whole reports where asked for."""
        begin = time.process_time()
        columns = drifted(reference, week)
        middle = time.process_time()
        scores = worse(figures(reference), figures(week))
        end = time.process_time()
        is_most = len(columns) / week.shape[1] >= _DRIFT_SHARE
        self.add("most columns", change, alarm=is_most, seconds=middle - begin)
        self.add("columns", change, alarm=bool(columns), seconds=middle - begin)
        self.add("columns, scores", change, alarm=bool(columns or scores), seconds=end - begin)
        if whole:
            report = reported(reference, week)
            seconds = time.process_time() - end
            check(columns, scores, report)
            self.add("reports", change, alarm=any(report.values()), seconds=seconds)


def main(argv: Sequence[str] | None = None) -> None:
    """Print what came of the weeks as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--weeks", type=json.loads, required=True)
    parser.add_argument("--reports", type=json.loads, required=True)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--reference-rows", type=int, required=True)
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    # Before the clock runs: what is imported takes seconds.
    drifted(rows(0, args.reference_rows), rows(1, args.rows))
    counted = Counted()
    for change, pairs in args.weeks.items():
        for before, group in itertools.groupby(pairs, key=lambda pair: pair[1]):
            reference = rows(before, args.reference_rows)
            for pair in group:
                week = rows(pair[0], args.rows, change)
                counted.judge(change, reference, week, whole=pair in args.reports[change])
    tools: dict[str, dict[str, Any]] = {
        name: {
            "alarms": dict(counted.alarms[name]),
            "weeks": dict(counted.weeks[name]),
            "seconds": counted.seconds[name],
        }
        for name in counted.alarms
    }
    print(json.dumps(tools))


if __name__ == "__main__":
    main()
