from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automlkit.data import load
from automlkit.request import Request
from stepkit.program import StepError


def table(rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "x": np.arange(rows, dtype=float),
            "kind": ["a", "b"] * (rows // 2),
            "w": np.ones(rows),
            "fold": [1, 0] * (rows // 2),
            "y": ["yes", "no", "no", "yes"] * (rows // 4),
        }
    )


def request(tmp_path: Path, frame: pd.DataFrame, **more: Any) -> Request:
    file = tmp_path / "train.parquet"
    frame.to_parquet(file)
    given: dict[str, Any] = {
        "task": "classification",
        "primary_metric": "accuracy",
        "target_column_name": "y",
        "training_data": str(file),
        **more,
    }
    return Request(**given)


def test_target_weight_and_split_columns_are_no_features(tmp_path: Path) -> None:
    asked = request(tmp_path, table(), weight_column_name="w", cv_split_column_names=("fold",))
    tables = load(asked)
    assert list(tables.train.X.columns) == ["x", "kind"]
    assert tables.train.y.tolist()[:3] == ["yes", "no", "no"]
    assert tables.train.weights is not None
    assert tables.train.weights.sum() == 40
    assert tables.split_columns is not None
    assert tables.split_columns["fold"].tolist()[:2] == [1, 0]
    assert tables.classes == ("no", "yes")


def test_rows_without_a_target_are_left_out_and_counted(tmp_path: Path) -> None:
    frame = table()
    frame.loc[[0, 7], "y"] = None
    frame.loc[9, "y"] = ""
    tables = load(request(tmp_path, frame))
    assert len(tables.train.y) == 37
    assert tables.rows_without_target == 3
    assert tables.train.X.index.tolist() == list(range(37))


def test_whole_numbers_stay_whole_labels(tmp_path: Path) -> None:
    frame = table().assign(y=[0, 1] * 20)
    frame["y"] = frame["y"].astype(float)
    frame.loc[0, "y"] = np.nan
    tables = load(request(tmp_path, frame))
    assert tables.classes == (0, 1)
    assert tables.train.y.dtype == "int64"


def test_infinite_targets_are_left_out(tmp_path: Path) -> None:
    frame = table().assign(y=np.linspace(0, 1, 40))
    frame.loc[3, "y"] = np.inf
    tables = load(request(tmp_path, frame, task="regression"))
    assert np.isfinite(tables.train.y).all()
    assert tables.rows_without_target == 1


def test_test_rows_are_cut_off_by_class(tmp_path: Path) -> None:
    asked = request(tmp_path, table(), test_data_size=0.25, cv_split_column_names=("fold",))
    tables = load(asked)
    assert tables.test is not None
    assert len(tables.test.y) == 10
    assert len(tables.train.y) == 30
    assert sorted([*tables.train.X["x"], *tables.test.X["x"]]) == list(range(40))
    assert tables.test.y.value_counts().to_dict() == {"yes": 5, "no": 5}
    assert tables.split_columns is not None
    # They still belong to the rows that they came with.
    assert (tables.split_columns["fold"] == 1 - tables.train.X["x"] % 2).all()


def test_given_tables_take_the_columns_in_training_order(tmp_path: Path) -> None:
    other = tmp_path / "valid.csv"
    table()[["y", "kind", "x"]].assign(extra=1).to_csv(other, index=False)
    tables = load(request(tmp_path, table()[["x", "kind", "y"]], validation_data=str(other)))
    assert tables.validation is not None
    assert list(tables.validation.X.columns) == ["x", "kind"]


def test_labels_of_validation_rows_are_classes_too(tmp_path: Path) -> None:
    other = tmp_path / "valid.parquet"
    table().assign(y="maybe").to_parquet(other)
    tables = load(request(tmp_path, table(), validation_data=str(other)))
    assert tables.classes == ("maybe", "no", "yes")


@pytest.mark.parametrize(
    ("change", "more", "message"),
    [
        ({"y": "same"}, {}, "one value only"),
        ({"y": None}, {}, "no row has a value"),
        ({"y": [f"id {n}" for n in range(40)]}, {}, "no classes"),
        ({}, {"task": "regression"}, "not a number"),
        ({}, {"target_column_name": "z"}, "no target column"),
        ({}, {"weight_column_name": "v"}, "no column"),
        ({"w": -1.0}, {"weight_column_name": "w"}, "numbers from 0"),
        ({"w": 0.0}, {"weight_column_name": "w"}, "are 0"),
        ({}, {"cv_split_column_names": ("g",)}, "cv_split_column_names"),
        ({}, {"positive_label": "si"}, "none of the classes"),
        ({}, {"training_data": "/nowhere"}, "training_data: no file"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    tmp_path: Path, change: dict[str, Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(StepError, match=message):
        load(request(tmp_path, table().assign(**change), **more))


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="8 rows with a target; 10 are needed"):
        load(request(tmp_path, table(8)))


def test_a_column_that_validation_rows_lack_is_named(tmp_path: Path) -> None:
    other = tmp_path / "valid.parquet"
    table().drop(columns="kind").to_parquet(other)
    with pytest.raises(StepError, match="validation_data has no column 'kind'"):
        load(request(tmp_path, table(), validation_data=str(other)))


def test_a_target_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="besides the target"):
        load(request(tmp_path, table()[["y"]]))
