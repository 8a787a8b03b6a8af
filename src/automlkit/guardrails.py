"""What Azure calls guardrails: checks of the data, and what was done about what they found.

Names and states are Azure's (`faults_verifier` of azureml-automl-runtime 1.62): `passed`, `done`
or `fixed` where something was changed, `alerted` where the user should look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from automlkit.columns import Column
from automlkit.data import Tables
from automlkit.request import Request
from automlkit.splits import Validation

#: A class with at most this share of the rows of the largest one is rare.
RARE_CLASS_SHARE = 0.2
#: Names that one detail tells at most.
_MOST_NAMES = 10


def guardrail_rows(
    request: Request, tables: Tables, columns: Sequence[Column], validation: Validation
) -> list[dict[str, Any]]:
    """Return one row a check, as the `setup` event says it.

    Args:
        request: What was asked for.
        tables: The tables, as they were read.
        columns: What the columns are for.
        validation: How models are validated.
    """
    rows = [
        _validation(validation, request),
        _missing(columns, request),
        _high_cardinality(columns),
        _target(tables),
    ]
    if request.task == "classification":
        rows.append(_class_balance(tables))
    return rows


def _row(check: str, state: str, detail: str) -> dict[str, Any]:
    return {"check": check, "state": state, "detail": detail}


def _named(parts: Sequence[str]) -> str:
    more = len(parts) - _MOST_NAMES
    return ", ".join(parts[:_MOST_NAMES]) + (f", and {more} more" if more > 0 else "")


def _validation(validation: Validation, request: Request) -> dict[str, Any]:
    if validation.kind == "cross_validation":
        asked = request.cv_split_column_names or request.n_cross_validations is not None
        why = "as asked for" if asked else "by the number of rows"
        detail = f"{len(validation.folds)} folds, {why}"
        return _row("Cross validation", "done", detail)
    train, valid = validation.folds[0]
    what = "validation rows were given" if validation.kind == "given" else "rows were held out"
    detail = f"{len(valid):,} {what}, {len(train):,} train"
    return _row("Train-Test data split", "done", detail)


def _missing(columns: Sequence[Column], request: Request) -> dict[str, Any]:
    check = "Missing feature values imputation"
    found = [column for column in columns if column.missing and column.purpose != "Ignore"]
    if not found:
        return _row(check, "passed", "no feature values are missing")
    counts = _named([f"{column.name} ({column.missing:,})" for column in found])
    if request.featurization.mode == "off":
        return _row(check, "alerted", f"featurization is off, and values are missing: {counts}")
    return _row(check, "done", f"imputed and marked, or left to the trees: {counts}")


def _high_cardinality(columns: Sequence[Column]) -> dict[str, Any]:
    check = "High cardinality feature detection"
    found = [f"{column.name} ({column.why})" for column in columns if column.is_high_cardinality]
    if not found:
        return _row(check, "passed", "no column has a value of its own in nearly every row")
    hint = "; featurization.column_name_and_types brings a column back"
    return _row(check, "done", f"not used: {_named(found)}{hint}")


def _target(tables: Tables) -> dict[str, Any]:
    check = "Missing target values"
    if not tables.rows_without_target:
        return _row(check, "passed", "every row has a target")
    return _row(check, "fixed", f"{tables.rows_without_target:,} rows without one were left out")


def _class_balance(tables: Tables) -> dict[str, Any]:
    check = "Class balancing detection"
    counts = tables.train.y.value_counts()
    rarest, least, most = counts.index[-1], int(counts.iloc[-1]), int(counts.iloc[0])
    if least > RARE_CLASS_SHARE * most:
        return _row(check, "passed", f"the smallest class, {rarest}, has {least:,} rows")
    detail = (
        f"the smallest class, {rarest}, has {least:,} of {len(tables.train.y):,} rows; "
        "give it more rows, or a weight_column_name"
    )
    return _row(check, "alerted", detail)
