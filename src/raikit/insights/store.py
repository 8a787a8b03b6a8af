"""The folder that a constructor writes and every tool reads: a model, its tables, their meaning."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import pandas as pd
import yaml

from stepkit.model import Model
from stepkit.program import StepError, read_json, write_json
from stepkit.saved import features_of, load_estimator
from stepkit.table import Task, digest, label_text, read_table, require_column, write_table

FILE = "insights.json"
MODEL, TRAIN, TEST = "model", "train", "test"
_FORMAT = 1


@dataclass(frozen=True)
class Insights:
    """What a constructor was told.

    Attributes:
        title: Of the dashboard.
        task: What the model predicts.
        target: The column that it predicts.
        categorical: Columns that are names of things.
        classes: What the classes are called, in the order of the model's; empty where as they are.
        dropped: Columns that the model does not take.
        identity: Columns that tell rows apart; empty where none do.
        model_digest: SHA-256 of the model's folder.
        test_digest: Of the test rows.
        test_rows: Rows that were given, of which not all may be in the folder.
    """

    title: str
    task: Task
    target: str
    categorical: Sequence[str] = ()
    classes: Sequence[str] = ()
    dropped: Sequence[str] = ()
    identity: Sequence[str] = ()
    model_digest: str = ""
    test_digest: str = ""
    test_rows: int = 0


@dataclass(frozen=True)
class Subject:
    """A model with its tables, ready to be questioned.

    Attributes:
        insights: What the constructor was told.
        model: The model; its target and task are the constructor's.
        train: Rows that it was trained on.
        test: Rows to judge it by.
    """

    insights: Insights
    model: Model
    train: pd.DataFrame
    test: pd.DataFrame

    def class_name(self, label: str) -> str:
        """Return what a class is called."""
        known = [label_text(each) for each in getattr(self.model.estimator, "classes_", ())]
        names = self.insights.classes
        return names[known.index(label)] if names and label in known else label


def construct(
    folder: Path, insights: Insights, model: Path, train: Path, test: Path, most_rows: int
) -> Insights:
    """Write the folder.

    Args:
        folder: Where to.
        insights: What is known; digests and counts are filled in.
        model: The model's folder.
        train: A table.
        test: A table; its first rows where it has more than `most_rows`.
        most_rows: Rows of test data to keep.

    Raises:
        StepError: A table cannot be read, lacks the target, or the model does not load.
    """
    tables = {TRAIN: read_table(train), TEST: read_table(test)}
    for table in tables.values():
        require_column(table, insights.target, "target column")
        for name in (*insights.categorical, *insights.dropped):
            require_column(table, name, "column")
    if most_rows < 1:
        raise StepError(f"maximum_rows_for_test_dataset is {most_rows}", hint="set it above 0")
    if insights.classes:
        _check_classes(insights, tables[TRAIN])
    rows = len(tables[TEST])
    tables[TEST] = tables[TEST].head(most_rows)
    shutil.copytree(model, folder / MODEL, dirs_exist_ok=True)
    for name, table in tables.items():
        write_table(table, folder / name)
    whole = replace(
        insights,
        model_digest=digest(folder / MODEL),
        test_digest=digest(folder / TEST),
        test_rows=rows,
    )
    write_json(folder / FILE, {"format": _FORMAT, **asdict(whole)})
    return whole


def _check_classes(insights: Insights, train: pd.DataFrame) -> None:
    known = train[insights.target].dropna().nunique()
    if insights.task == "regression":
        raise StepError("classes are for classification", hint="leave classes out")
    if len(insights.classes) != known:
        raise StepError(
            f"classes names {len(insights.classes)}, and {insights.target!r} has {known}",
            hint="name each in the order of the sorted values, or none",
        )


def read_insights(folder: Path) -> Insights:
    """Read what a constructor was told.

    Raises:
        StepError: The folder is not of a constructor.
    """
    document = read_json(folder / FILE)
    if not isinstance(document, dict) or document.pop("format", None) != _FORMAT:
        raise StepError(
            f"{folder / FILE} is not of format {_FORMAT}", hint="run the constructor again"
        )
    return Insights(**document)


def read_subject(folder: Path) -> Subject:
    """Read a model and its tables.

    Raises:
        StepError: The folder is not of a constructor, or the model does not load here.
    """
    insights = read_insights(folder)
    train, test = read_table(folder / TRAIN), read_table(folder / TEST)
    return Subject(insights, read_model(folder / MODEL, insights, train), train, test)


def read_model(folder: Path, insights: Insights, train: pd.DataFrame) -> Model:
    """Load a model; one that does not say which columns it takes is given the training rows' own.

    Azure's component wants no signature of a model, since it knows the table that it was trained
    on.

    Raises:
        StepError: There is none, or it does not load here.
    """
    description = _description(folder)
    features = features_of(description) or {
        str(name): _kind(train[name])
        for name in train.columns
        if name != insights.target and name not in insights.dropped
    }
    features.pop(insights.target, None)
    for name in features:
        require_column(train, name, "column that the model needs,")
    metadata = cast(Mapping[str, Any], description.get("metadata") or {})
    return Model(
        estimator=load_estimator(folder, description),
        task=insights.task,
        target=insights.target,
        features=features,
        metadata={key: str(value) for key, value in metadata.items()},
    )


def _description(folder: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StepError(f"no MLflow model in {folder}: it has no MLmodel file") from None
    if not isinstance(document, dict) or "python_function" not in document.get("flavors", {}):
        raise StepError(f"the model in {folder} has no python_function flavor")
    return document


def _kind(column: pd.Series) -> str:
    """Return MLflow's name of a column's type; as it is, since the model was trained on it so."""
    if pd.api.types.is_bool_dtype(column):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(column):
        return "datetime"
    if pd.api.types.is_integer_dtype(column):
        return "long"
    return "double" if pd.api.types.is_float_dtype(column) else "string"
