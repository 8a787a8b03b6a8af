"""Reads a dashboard that `RAIInsights.save` of responsibleai 0.36 wrote, without responsibleai.

The model in it is not loaded, since it may be of other packages than those here: what it predicts
is saved beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from raikit.report import Part
from stepkit.findings import Section, Table
from stepkit.model import Model, Scores, score
from stepkit.program import StepError, read_json
from stepkit.table import plain

_INSIGHTS, _META = "rai_insights.json", "meta.json"
_PREDICTED, _PROBABILITIES = "predictions/predict.json", "predictions/predict_proba.json"
#: Leaves of the tree of errors that are told of.
_MOST_LEAVES = 10


@dataclass(frozen=True)
class _Predicted:
    """What a model predicted of the rows of a table, by their index."""

    values: pd.Series

    def predict(self, rows: pd.DataFrame) -> NDArray[Any]:
        return self.values.loc[rows.index].to_numpy()


@dataclass(frozen=True)
class _Probable(_Predicted):
    """The same of a model that tells probabilities of its classes, shape (n, classes)."""

    probabilities: pd.DataFrame
    classes_: tuple[Any, ...]

    def predict_proba(self, rows: pd.DataFrame) -> NDArray[Any]:
        return self.probabilities.loc[rows.index].to_numpy()


def is_saved(dashboard: Path) -> bool:
    """Return whether a folder is such a dashboard."""
    return (dashboard / _INSIGHTS).is_file() and (dashboard / _META).is_file()


def title(dashboard: Path) -> str:
    """Return a dashboard's title."""
    return str(read_json(dashboard / _INSIGHTS)["dashboard_title"])


def target(dashboard: Path) -> str:
    """Return the column that the model predicts."""
    return str(read_json(dashboard / _META)["target_column"])


def version(dashboard: Path) -> str:
    """Return the version of responsibleai that wrote it."""
    return str(read_json(dashboard / "rai_version.json")["responsibleai"])


def scores(dashboard: Path) -> tuple[Scores, pd.DataFrame]:
    """Return what the model said of the test rows that have a target, and these rows.

    Raises:
        StepError: The predictions are not of these rows.
    """
    meta = read_json(dashboard / _META)
    table = _test_rows(dashboard)
    predicted = read_json(dashboard / _PREDICTED)
    if len(predicted) != len(table):
        raise StepError(f"{dashboard} has {len(predicted)} predictions of {len(table)} rows")
    estimator = _Predicted(pd.Series(predicted, index=table.index))
    if (dashboard / _PROBABILITIES).is_file():
        probable = pd.DataFrame(read_json(dashboard / _PROBABILITIES), index=table.index)
        classes = _model_classes(meta["classes"], predicted, probable)
        estimator = _Probable(estimator.values, probable, classes)
    model = Model(
        estimator=estimator,
        task=meta["task_type"],
        target=meta["target_column"],
        features={},
        metadata={},
    )
    known = table[table[model.target].notna()]
    return score(model, known), known.reset_index(drop=True)


def _test_rows(dashboard: Path) -> pd.DataFrame:
    whole = read_json(dashboard / "data" / "test.json")
    table = pd.DataFrame(whole["data"], columns=[str(each) for each in whole["columns"]])
    return plain(table)


def _model_classes(
    named: list[Any], predicted: list[Any], probable: pd.DataFrame
) -> tuple[Any, ...]:
    """Return the classes in the order of the probabilities, which is that of sorted labels.

    A dashboard names them in an order of its own where the job gave `classes`.
    """
    classes = tuple(sorted(named))
    likeliest = [classes[place] for place in probable.to_numpy().argmax(axis=1)]
    agreed = np.mean([one == other for one, other in zip(likeliest, predicted, strict=True)])
    # Ties and calibrated models may differ in single rows.
    if agreed < 0.5:
        raise StepError(
            "the classes of the dashboard are not in the order of its probabilities",
            hint="leave classes out of the constructor",
        )
    return classes


def importance(dashboard: Path) -> dict[str, float] | None:
    """Return how much each column matters, most first; None where the model was not explained."""
    folders = list((dashboard / "explainer").glob("*/data/explainer"))
    if not folders:
        return None
    names = read_json(folders[0] / "features.json")["data"]
    values = read_json(folders[0] / "global_importance_values.json")["data"]
    ranked = sorted(zip(names, values, strict=True), key=lambda each: -each[1])
    return {str(name): float(value) for name, value in ranked}


def parts(dashboard: Path) -> list[Part]:
    """Return what a dashboard's analyses found, as parts of a report: the tree of errors."""
    reports = sorted((dashboard / "error_analysis").glob("*/data/report.json"))
    sections = [_worst(read_json(each)["tree"]) for each in reports]
    return [Part("error_analysis", "Where does it err?", sections)] if sections else []


def _worst(tree: list[dict[str, Any]]) -> Section:
    """Return the leaves of a tree of errors, worst first."""
    nodes = {node["id"]: node for node in tree}
    inner = {node["parentId"] for node in tree}
    leaves = sorted(
        (node for node in tree if node["id"] not in inner),
        key=lambda node: -float(node["metricValue"]),
    )
    metric = str(tree[0]["metricName"])
    rows = [
        (_path(node, nodes), int(node["size"]), float(node["metricValue"]))
        for node in leaves[:_MOST_LEAVES]
    ]
    words = (
        f"responsibleai's tree of errors, of {int(tree[0]['size']):,} test rows. Over all of them "
        f"the {metric.lower()} is {float(tree[0]['metricValue']):.4g}.",
    )
    formats = {"rows": ",d", metric: ".4g"}
    return Section(
        "The worst parts of the rows", words, (Table(("where", "rows", metric), rows, formats),)
    )


def _path(node: dict[str, Any], nodes: dict[Any, dict[str, Any]]) -> str:
    conditions = []
    while node["parentId"] is not None:
        conditions.append(str(node["condition"]))
        node = nodes[node["parentId"]]
    return " and ".join(reversed(conditions)) or "all rows"
