"""Transformations of an MLTable's rows, and columns taken from the paths of its files."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stepkit.mltable.options import checked
from stepkit.program import StepError

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# Azure's letters of a time, and the digits that they stand for.
_DIGITS = {"yyyy": 4, "MM": 2, "dd": 2, "HH": 2, "mm": 2, "ss": 2}


def take(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Keep the first rows; raises StepError where their number is none."""
    return table.iloc[: _count("take", options)]


def skip(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Leave the first rows out; raises StepError where their number is none."""
    return table.iloc[_count("skip", options) :]


def take_random_sample(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Keep each row with a probability; without a seed, the same rows each time.

    Raises:
        StepError: The probability is none, or the seed is no whole number.
    """
    said = checked("take_random_sample", options, {"probability": None, "seed": 0})
    probability, seed = said["probability"], said["seed"]
    if not isinstance(probability, (int, float)) or not 0 <= probability <= 1:
        raise StepError(f"the probability of take_random_sample is {probability!r}, not 0 to 1")
    if not isinstance(seed, int) or seed < 0:
        raise StepError(f"the seed of take_random_sample is {seed!r}, no whole number")
    return table[np.random.default_rng(seed).random(len(table)) < probability]


def keep_where(table: pd.DataFrame, options: object) -> pd.DataFrame:
    """Keep the rows of which an expression is true: `col("x") > 3 and col("y") == "a"`.

    Raises:
        StepError: It is no such expression, or names a column that is not there.
    """
    try:
        tree = ast.parse(str(options), mode="eval").body
    except SyntaxError as error:
        raise _no_filter(options) from error
    return table[np.asarray(_judged(tree, table, options), dtype=bool)]


def _judged(node: ast.expr, table: pd.DataFrame, said: object) -> Any:
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        return join.reduce([_judged(value, table, said) for value in node.values])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_judged(node.operand, table, said)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        compare = _COMPARISONS.get(type(node.ops[0]))
        left, right = _value(node.left, table, said), _value(node.comparators[0], table, said)
        if compare is not None and (isinstance(left, pd.Series) or isinstance(right, pd.Series)):
            try:
                return np.asarray(compare(left, right).fillna(False), dtype=bool)
            except TypeError as error:
                raise StepError(f"the filter {said!r} compares unlike things: {error}") from error
    raise _no_filter(said)


def _value(node: ast.expr, table: pd.DataFrame, said: object) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _value(node.operand, table, said)
        if isinstance(inner, (int, float)):
            return -inner
    is_column = (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "col"
        and len(node.args) == 1
        and isinstance(node.args[0], ast.Constant)
    )
    if is_column:
        name = node.args[0].value  # type: ignore[attr-defined] # a Call, as is_column says
        if name not in table.columns:
            known = ", ".join(table.columns)
            raise StepError(f"filter: no column {name!r}", hint=f"columns: {known}")
        return table[name]
    raise _no_filter(said)


def _no_filter(said: object) -> StepError:
    hint = 'write comparisons, as in col("x") > 3 and col("y") == "a"'
    return StepError(f"the filter {said!r} is not understood here", hint=hint)


def _count(step: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StepError(f"{step} takes a number of rows, not {value!r}")
    return value


def extract_columns(
    table: pd.DataFrame, options: object, sources: pd.Series[Any], folder: Path
) -> pd.DataFrame:
    """Add the columns that a format finds in the paths of the files.

    Args:
        table: The rows.
        options: `/{name}/{when:yyyy/MM/dd}/part.csv`; a name alone is text, and one with letters
            of a time is a time.
        sources: The path of each row's file.
        folder: What the paths are told relative to.

    Raises:
        StepError: The format has no columns, or a path is not of it.
    """
    if isinstance(options, Mapping) and "partition_format" in options:
        options = options["partition_format"]  # as the mltable package writes it
    # Without quotes YAML takes braces for a mapping.
    text = "{" + next(iter(options)) + "}" if isinstance(options, Mapping) else str(options)
    pattern, times = _compiled(text)
    table = table.copy()
    found: dict[str, dict[str, Any]] = {}
    for source in sources.unique():
        path = Path(source)
        inside = path.relative_to(folder) if folder in path.parents else path
        match = pattern.search("/" + inside.as_posix().lstrip("/"))
        if match is None:
            raise StepError(
                f"{source} is not of the partition format {text!r}",
                hint="the format goes from the first column to the end of the path; * is anything",
            )
        found[source] = match.groupdict()
    for name in pattern.groupindex:
        if "__" not in name:
            table[name] = sources.map({source: parts[name] for source, parts in found.items()})
    for name, letters in times.items():
        moments = {s: _moment(parts, name, letters) for s, parts in found.items()}
        table[name] = pd.to_datetime(sources.map(moments))
    return table


def _compiled(text: str) -> tuple[re.Pattern[str], dict[str, list[str]]]:
    """Return a format as a regular expression, and the letters of its times by column."""
    times: dict[str, list[str]] = {}
    expression = ""
    for literal, name, form in re.findall(r"([^{]*)(?:\{(\w+)(?::([^}]*))?\})?", text):
        expression += re.escape(literal).replace(r"\*", ".*")
        if name and form:
            times[name] = re.findall("|".join(_DIGITS), form)
            expression += re.sub(
                "|".join(_DIGITS),
                lambda m, n=name: rf"(?P<{n}__{m[0]}>\d{{{_DIGITS[m[0]]}}})",  # type: ignore[misc]
                form,
            )
        elif name:
            expression += f"(?P<{name}>[^/]+)"
    if not re.search(r"\{\w+", text):
        raise StepError(f"the partition format {text!r} names no column", hint="write {name}")
    return re.compile(expression), times


def _moment(parts: Mapping[str, Any], name: str, letters: list[str]) -> str:
    """Return a time as ISO 8601 from the digits found."""
    default = {"yyyy": "1970", "MM": "01", "dd": "01", "HH": "00", "mm": "00", "ss": "00"}
    found = default | {letter: parts[f"{name}__{letter}"] for letter in letters}
    day = f"{found['yyyy']}-{found['MM']}-{found['dd']}"
    return f"{day}T{found['HH']}:{found['mm']}:{found['ss']}"


ROW_STEPS: dict[str, Callable[[pd.DataFrame, object], pd.DataFrame]] = {
    "take": take,
    "skip": skip,
    "take_random_sample": take_random_sample,
    "filter": keep_where,
}
