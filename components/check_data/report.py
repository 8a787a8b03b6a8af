"""What a report says of a table and of its problems, as JSON and as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from stepkit.program import markdown_table
from stepkit.table import digest

#: From here on a column with another value in every row is no chance.
MANY_ROWS = 50
PROBLEM_HEAD = ("severity", "table", "rule", "what", "rows")


def facts(table: pd.DataFrame, path: Path) -> dict[str, Any]:
    """Return what a table is: rows, copies, digest, and a few facts of every column."""
    return {
        "digest": digest(path),
        "rows": len(table),
        "duplicate_rows": int(table.duplicated().sum()),
        "columns": {str(name): column_facts(table[name]) for name in table.columns},
    }


def column_facts(column: pd.Series) -> dict[str, Any]:
    """Return a column's type, missing values, different values, and range or commonest value."""
    present = column.dropna()
    found: dict[str, Any] = {
        "type": str(column.dtype),
        "missing": int(column.isna().sum()),
        "distinct": int(present.nunique()),
    }
    if present.empty:
        return found
    if column.dtype == object or column.dtype == bool:
        counts = present.value_counts()
        found["commonest"] = str(counts.index[0])
        found["commonest_share"] = round(float(counts.iloc[0]) / len(column), 6)
    elif pd.api.types.is_numeric_dtype(column):
        found["min"], found["max"] = present.min().item(), present.max().item()
        found["mean"] = float(present.mean())
    else:
        found["min"], found["max"] = str(present.min()), str(present.max())
    return found


def notes_on(table: pd.DataFrame, target: str) -> list[str]:
    """Return what a reader of a table would want to know before a model is trained on it."""
    notes = []
    if target in table.columns and table[target].isna().any():
        notes.append(f"{int(table[target].isna().sum())} rows have no {target!r} and are left out")
    for name in table.columns.drop(target, errors="ignore"):
        column = table[name]
        distinct = column.nunique()
        if distinct <= 1:
            notes.append(f"column {name!r} has one value at most: nothing to learn from it")
        elif len(table) >= MANY_ROWS and _is_identifying(column, distinct):
            notes.append(
                f"column {name!r} has {distinct} different values in {len(table)} rows: an "
                "identifier, or numbers or times in a notation that is read as text? The input "
                "'ignore' leaves it out"
            )
    return notes


def _is_identifying(column: pd.Series, distinct: int) -> bool:
    """Tell text of about a row each, and whole numbers that count the rows."""
    if column.dtype == object:
        return distinct > len(column) / 2
    counts = distinct == len(column) and pd.api.types.is_integer_dtype(column)
    return bool(counts and column.max() - column.min() < len(column))


def markdown(document: dict[str, Any]) -> str:
    """Return the report as Markdown."""
    parts = [f"# Data check: {document['verdict']}"]
    parts += [f"> {note}" for note in document["notes"]]
    if document["problems"]:
        parts.append("## Problems")
        parts.append(markdown_table(PROBLEM_HEAD, problem_rows(document["problems"])))
    for name, table in document["tables"].items():
        parts.append(
            f"## {name}: {table['rows']:,} rows, {table['duplicate_rows']:,} of them copies"
        )
        rows = []
        for column, each in table["columns"].items():
            span = (
                f"{each['min']} to {each['max']}"
                if "min" in each
                else f"{each['commonest']} ({each['commonest_share']:.1%})"
                if "commonest" in each
                else ""
            )
            share = f"{each['missing']} ({each['missing'] / table['rows']:.1%})"
            rows.append((column, each["type"], share, str(each["distinct"]), span))
        head = ("column", "type", "missing", "distinct", "range, or commonest value")
        parts.append(markdown_table(head, rows))
    return "\n\n".join(parts) + "\n"


def problem_rows(problems: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return problems as text rows, each with the first rows at fault."""
    rows: list[tuple[str, ...]] = []
    for problem in problems:
        named = ", ".join(
            f"{each['row']}" + (f" ({each['value']})" if each["value"] else "")
            for each in problem["examples"][:5]
        )
        more = ", ..." if problem["rows"] > 5 else ""
        rows.append(
            (
                problem["severity"],
                problem["table"],
                problem["rule"],
                problem["message"],
                named + more,
            )
        )
    return rows
