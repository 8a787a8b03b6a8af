"""What each raw column is for: a number, a category, a time, a text, or nothing.

The limits are those of Azure's `ColumnPurposeDetector` (azureml-automl-runtime 1.62). Two things
differ: whole numbers with few values are one-hot encoded for linear models as in Azure, but trees
get them as the numbers that they are; and a column that numbers the rows is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd

from automlkit.request import Featurization
from stepkit.program import StepError

Purpose = Literal["Numeric", "Categorical", "CategoricalHash", "DateTime", "Text", "Ignore"]
PURPOSES: tuple[Purpose, ...] = (
    "Numeric",
    "Categorical",
    "CategoricalHash",
    "DateTime",
    "Text",
    "Ignore",
)

#: Categories at most, and their share of the rows at most; and of whole numbers.
MOST_CATEGORIES, MOST_CATEGORY_SHARE, MOST_WHOLE_NUMBERS = 200, 0.05, 50
#: Categories at most, and their share of the rows at most, of a column with many.
MOST_HASHED, MOST_HASHED_SHARE = 10_000, 0.7
#: Fewer rows than this may be numbered by chance.
LEAST_NUMBERED_ROWS = 200
#: What a first value must look like for a column of text to be tried as times.
_TIME = r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})([T ].*)?"


@dataclass(frozen=True)
class Column:
    """What a raw column is for.

    Attributes:
        name: The column.
        purpose: By Azure's name.
        why: The reason, for a reader.
        is_ordered: Of a Categorical one, whether it holds numbers whose order may mean something.
        missing: Training rows in which it is missing or infinite.
        distinct: Its different values.
        is_high_cardinality: Whether it is ignored since nearly each row has a value of its own.
    """

    name: str
    purpose: Purpose
    why: str
    is_ordered: bool = False
    missing: int = 0
    distinct: int = 0
    is_high_cardinality: bool = False


def purposes(X: pd.DataFrame, featurization: Featurization) -> list[Column]:
    """Return what each column is for, in the table's order.

    Args:
        X: Raw columns of the training rows.
        featurization: Names and types that the user gave count before what is found here.

    Raises:
        StepError: A column or a type that was given does not exist, does not fit the values, or
            no column is left to learn from.
    """
    given = {} if featurization.mode == "off" else featurization.column_name_and_types
    for name, purpose in given.items():
        if name not in X.columns:
            raise StepError(
                f"column_name_and_types names the column {name!r}, which is not in training_data",
                hint=f"columns: {', '.join(X.columns)}",
            )
        if purpose not in PURPOSES:
            raise StepError(
                f"{purpose!r}, the type of column {name!r}, is none of Azure's",
                hint=f"types: {', '.join(PURPOSES)}",
            )
    found = []
    for name in X.columns:
        column = X[name]
        if featurization.mode == "off":
            found.append(_as_it_is(column))
        elif name in given:
            found.append(_as_told(column, cast(Purpose, given[name])))
        else:
            found.append(_detect(column))
    if all(column.purpose == "Ignore" for column in found):
        reasons = "; ".join(f"{column.name}: {column.why}" for column in found[:5])
        raise StepError(
            f"no column is left to learn from ({reasons})",
            hint="give featurization.column_name_and_types for columns that should count",
        )
    return found


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds numbers or booleans."""
    if column.dtype == object:
        kinds = ("boolean", "integer", "floating", "mixed-integer-float", "decimal")
        return pd.api.types.infer_dtype(column, skipna=True) in kinds
    return bool(pd.api.types.is_numeric_dtype(column.dtype))


def _floats(column: pd.Series) -> np.ndarray:
    values = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isinf(values), np.nan, values)


def _missing(column: pd.Series) -> int:
    missing = column.isna()
    if column.dtype.kind == "f":
        missing |= np.isinf(column)
    return int(missing.sum())


def _as_it_is(column: pd.Series) -> Column:
    """Without featurization all columns are numbers."""
    name = str(column.name)
    if not is_number(column):
        raise StepError(
            f"with featurization off all columns must be numbers; {name!r} is not",
            hint="set featurization.mode: auto, or encode the column first",
        )
    why = "featurization is off"
    return Column(name, "Numeric", why, False, _missing(column), int(column.nunique()))


def _as_told(column: pd.Series, purpose: Purpose) -> Column:
    name = str(column.name)
    if purpose == "Numeric" and not is_number(column):
        try:
            pd.to_numeric(column)
        except (TypeError, ValueError) as error:
            raise StepError(
                f"column {name!r} is given as Numeric, but holds other values: {error}",
                hint="mend column_name_and_types, or the data",
            ) from error
    if purpose == "DateTime":
        try:
            pd.to_datetime(column, format="mixed", utc=True)
        except (TypeError, ValueError) as error:
            raise StepError(
                f"column {name!r} is given as DateTime, but holds other values: {error}",
                hint="mend column_name_and_types, or the data",
            ) from error
    told = "column_name_and_types says so"
    return Column(name, purpose, told, False, _missing(column), int(column.nunique()))


def _detect(column: pd.Series) -> Column:
    name, rows = str(column.name), len(column)
    missing = _missing(column)
    present = column.dropna()
    if is_number(column):
        return _detect_number(name, _floats(column), missing)
    distinct = int(present.nunique())

    def made(purpose: Purpose, why: str, **more: bool) -> Column:
        return Column(name, purpose, why, missing=missing, distinct=distinct, **more)

    if not distinct:
        return made("Ignore", "every value is missing")
    if distinct == 1:
        return made("Ignore", "it has one value only")
    if _holds_times(present):
        return made("DateTime", "its values are times")
    count = rows - missing
    if distinct < min(MOST_CATEGORIES, MOST_CATEGORY_SHARE * count):
        return made("Categorical", f"{distinct} different values")
    texts = present.astype(str)
    spaces = float(texts.str.count(" ").mean())
    share = distinct / count
    if share > 0.85 and spaces > 1:
        return made("Text", f"{spaces:.0f} spaces in a value")
    if share < MOST_HASHED_SHARE and distinct < MOST_HASHED:
        return made("CategoricalHash", f"{distinct} different values")
    if spaces > 1:
        return made("Text", f"{spaces:.0f} spaces in a value")
    return made(
        "Ignore",
        f"{distinct} different values in {count} rows: no category repeats enough",
        is_high_cardinality=True,
    )


def _detect_number(name: str, values: np.ndarray, missing: int) -> Column:
    present = values[~np.isnan(values)]
    known = np.unique(present)
    distinct = len(known)
    if not distinct:
        return Column(name, "Ignore", "every value is missing", False, missing)
    if distinct == 1:
        return Column(name, "Ignore", "it has one value only", False, missing, 1)
    whole = bool((known == np.round(known)).all())
    if whole and _numbers_rows(known, len(values)):
        why = "it numbers the rows"
        return Column(name, "Ignore", why, False, missing, distinct, is_high_cardinality=True)
    if whole and 2 < distinct <= min(MOST_WHOLE_NUMBERS, MOST_CATEGORY_SHARE * len(present)):
        why = f"whole numbers, {distinct} different ones"
        return Column(name, "Categorical", why, True, missing, distinct)
    return Column(name, "Numeric", "numbers", False, missing, distinct)


def _numbers_rows(known: np.ndarray, rows: int) -> bool:
    """Return whether whole numbers are one a row, without a gap."""
    return len(known) == rows >= LEAST_NUMBERED_ROWS and known[-1] - known[0] == rows - 1


def _holds_times(present: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(present.dtype):
        return True
    if present.dtype != object or not isinstance(present.iloc[0], str):
        return False
    # The pattern first: parsing takes long, and takes plain numbers for times.
    if not present.str.fullmatch(_TIME).eq(True).all():
        return False
    return bool(pd.to_datetime(present, format="mixed", errors="coerce", utc=True).notna().all())
