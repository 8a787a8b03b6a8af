from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from automlkit.columns import purposes
from automlkit.data import Rows, Tables
from automlkit.guardrails import guardrail_rows
from automlkit.request import Featurization, Request
from automlkit.splits import plan_validation


def checks(X: pd.DataFrame, y: list[Any], **more: Any) -> dict[str, dict[str, str]]:
    given: dict[str, Any] = {
        "task": "classification",
        "primary_metric": "accuracy",
        "target_column_name": "y",
        "training_data": "t",
        **more,
    }
    request = Request(**given)
    tables = Tables(Rows(X, pd.Series(y), None), None, None, None, rows_without_target=2)
    columns = purposes(X, request.featurization)
    rows = guardrail_rows(request, tables, columns, plan_validation(request, tables))
    return {row["check"]: row for row in rows}


def table(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"x": np.random.default_rng(0).normal(size=rows)})


def test_a_sound_table_passes() -> None:
    found = checks(table(300), [0, 1] * 150)
    assert found["Cross validation"]["detail"] == "10 folds, by the number of rows"
    assert found["Missing feature values imputation"]["state"] == "passed"
    assert found["High cardinality feature detection"]["state"] == "passed"
    assert found["Class balancing detection"]["state"] == "passed"
    assert found["Missing target values"]["state"] == "fixed"


def test_what_is_amiss_is_told_with_numbers() -> None:
    frame = table(300).assign(id=range(300))
    frame.loc[:4, "x"] = None
    found = checks(frame, [0] * 250 + [1] * 50, n_cross_validations=4)
    assert found["Cross validation"]["detail"] == "4 folds, as asked for"
    assert "x (5)" in found["Missing feature values imputation"]["detail"]
    assert "id (it numbers the rows)" in found["High cardinality feature detection"]["detail"]
    balance = found["Class balancing detection"]
    assert balance["state"] == "alerted"  # 50 are just a fifth of 250
    assert "50 of 300 rows" in balance["detail"]


def test_without_featurization_missing_values_are_an_alert() -> None:
    frame = table(300)
    frame.loc[0, "x"] = None
    found = checks(frame, [0, 1] * 150, featurization=Featurization(mode="off"))
    assert found["Missing feature values imputation"]["state"] == "alerted"


def test_a_hold_out_tells_both_parts() -> None:
    found = checks(
        table(200), list(np.arange(200) / 7), task="regression", validation_data_size=0.2
    )
    assert found["Train-Test data split"]["detail"] == "40 rows were held out, 160 train"
    assert "Class balancing detection" not in found


def test_long_lists_are_cut() -> None:
    frame = pd.DataFrame({f"c{n}": [None, 1.0, 2.0] * 30 for n in range(14)})
    found = checks(frame, [0, 1] * 45)
    assert found["Missing feature values imputation"]["detail"].endswith("and 4 more")
