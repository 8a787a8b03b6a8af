"""The rules that a table is checked by: what their YAML says, and a pandera schema of them.

::

    target: income              # the rules are for jobs with this target
    columns:
      age: {type: integer, min: 17, max: 90}
      workclass: {values: [Private, State-gov], max_missing: 0.1}
      experience:
        type: integer
        min: {value: 0, severity: warn}
      id: {unique: true, required: false}
    table:
      min_rows: 1000
      max_duplicates: 0.01      # share of rows that are copies of another
      min_class_share: 0.05     # share of the target's rarest value
      extra_columns: warn       # columns that no rule names: allow, warn, or forbid

Every rule may be written long, as a mapping of `value` and `severity` (`error` or `warn`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from stepkit.program import StepError

Severity = Literal["error", "warn"]

#: Types that a column may be said to have.
TYPES = ("integer", "number", "text", "boolean", "time")
EXTRA_COLUMNS = ("allow", "warn", "forbid")


@dataclass(frozen=True)
class Rule:
    """One rule: what it wants, and whether breaking it fails the check."""

    value: Any
    severity: Severity = "error"


@dataclass(frozen=True)
class Rules:
    """The rules of one file.

    Attributes:
        source: The file's name.
        target: The target that they are for; empty for any.
        columns: Rules by column and rule name.
        table: Rules by name.
    """

    source: str
    target: str = ""
    columns: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)
    table: Mapping[str, Rule] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to check."""
        return not self.columns and not self.table


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (TypeError, re.error):
        return False
    return True


#: For each rule, whether a value suits it, and what would.
COLUMN_RULES = {
    "type": (lambda value: value in TYPES, f"one of {', '.join(TYPES)}"),
    "min": (_is_number, "a number"),
    "max": (_is_number, "a number"),
    "values": (lambda value: isinstance(value, list) and value, "a list of values"),
    "pattern": (_is_pattern, "a regular expression"),
    "max_missing": (_is_share, "a share from 0 to 1"),
    "unique": (lambda value: isinstance(value, bool), "true or false"),
    "required": (lambda value: isinstance(value, bool), "true or false"),
}
TABLE_RULES = {
    "min_rows": (lambda value: _is_number(value) and value >= 0, "a number of rows"),
    "max_duplicates": (_is_share, "a share from 0 to 1"),
    "min_class_share": (_is_share, "a share from 0 to 1"),
    "extra_columns": (lambda value: value in EXTRA_COLUMNS, f"one of {', '.join(EXTRA_COLUMNS)}"),
}


def parse_rules(text: str, source: str) -> Rules:
    """Parse the YAML of one file.

    Args:
        text: The YAML.
        source: The file's name, for messages.

    Raises:
        StepError: It is not YAML, or says something that is no rule; names the place.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise StepError(f"{source} is not YAML: {error}") from error
    if document is None:
        return Rules(source)
    top = _mapping(document, source, ("target", "columns", "table"))
    columns = _mapping(top.get("columns"), f"{source}: columns", None)
    return Rules(
        source=source,
        target=str(top.get("target", "")),
        columns={
            str(name): _parse_section(rules, f"{source}: columns.{name}", COLUMN_RULES)
            for name, rules in columns.items()
        },
        table=_parse_section(top.get("table"), f"{source}: table", TABLE_RULES),
    )


def _parse_section(section: Any, place: str, kinds: Mapping[str, Any]) -> dict[str, Rule]:
    rules = {}
    for name, written in _mapping(section, place, tuple(kinds)).items():
        severity: Severity = "error"
        if isinstance(written, dict):
            long = _mapping(written, f"{place}.{name}", ("value", "severity"))
            if long.get("severity", "error") not in ("error", "warn"):
                raise StepError(f"{place}.{name}: severity is error or warn")
            severity = long.get("severity", "error")
            written = long.get("value")
        suits, wanted = kinds[name]
        if not suits(written):
            raise StepError(f"{place}.{name}: {written!r} is not {wanted}")
        rules[name] = Rule(written, severity)
    return rules


def _mapping(value: Any, place: str, known: tuple[str, ...] | None) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise StepError(f"{place}: {value!r} is not a mapping of names to values")
    for name in value:
        if known is not None and name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise StepError(f"{place}: no rule {name!r}", hint=hint)
    return value


def find_rules(path: Path | None, target: str) -> Rules:
    """Return the rules that a job with this target is checked by.

    Args:
        path: A file, or a folder of them, of which those are taken that are for this target; None
            for no rules.
        target: The job's target column, or an empty string.

    Raises:
        StepError: A file of another target was given, or a folder has two files for this one.
    """
    if path is None:
        return Rules("")
    if path.is_file():
        rules = parse_rules(path.read_text(encoding="utf-8"), path.name)
        if rules.target not in ("", target):
            raise StepError(
                f"{path.name} is for target {rules.target!r}, and the job's is {target!r}",
                hint="give the rules of this table, or a folder to choose from",
            )
        return rules
    if not path.is_dir():
        raise StepError(f"no file or folder of rules at {path}")
    files = sorted(file for file in path.iterdir() if file.suffix in (".yml", ".yaml"))
    parsed = [parse_rules(file.read_text(encoding="utf-8"), file.name) for file in files]
    fitting = [rules for rules in parsed if rules.target == target]
    if len(fitting) > 1:
        both = " and ".join(rules.source for rules in fitting)
        raise StepError(f"{both} are both for target {target!r}", hint="give one of them as a file")
    return fitting[0] if fitting else Rules("")


def suits_type(column: pd.Series, wanted: str) -> pd.Series:
    """Return for each value whether it is of a type; a missing one is of any.

    Args:
        column: Values as `read_table` returns them.
        wanted: One of `TYPES`.
    """
    missing = column.isna()
    if wanted == "time":
        times = pd.to_datetime(column, errors="coerce", utc=True, format="ISO8601")
        is_number = pd.api.types.is_numeric_dtype(column)
        return missing | (times.notna() & (not is_number))
    if wanted == "text":
        return missing | pd.Series(column.dtype == object, index=column.index)
    if wanted == "boolean" and column.dtype == bool:
        return ~missing
    if pd.api.types.is_datetime64_any_dtype(column):
        return missing
    numbers = pd.to_numeric(column, errors="coerce")
    if wanted == "boolean":
        return missing | (numbers.isin([0, 1]) & (column.dtype != object))
    return missing | (numbers.notna() & ((numbers % 1 == 0) | (wanted == "number")))


def column_checks(rules: Mapping[str, Rule], column: pd.Series) -> list[Any]:
    """Return pandera checks of one column, each named as its rule.

    Rules on size are left out for a column of text, whose type rule says what is wrong with it.
    """
    import pandera.pandas as pa  # only where there are rules

    makers = {
        "type": lambda value, **named: pa.Check(
            lambda values: suits_type(values, value), ignore_na=False, **named
        ),
        "min": pa.Check.ge,
        "max": pa.Check.le,
        "values": pa.Check.isin,
        "pattern": lambda value, **named: pa.Check(
            lambda values: values.astype(str).str.fullmatch(value), **named
        ),
    }
    is_number = pd.api.types.is_numeric_dtype(column)
    return [
        makers[name](rule.value, error=name)
        for name, rule in rules.items()
        if name in makers and (is_number or name not in ("min", "max"))
    ]


def row_schema(rules: Rules, table: pd.DataFrame) -> Any:
    """Return the pandera schema of every rule that is about single rows."""
    import pandera.pandas as pa  # only where there are rules

    return pa.DataFrameSchema(
        {
            name: pa.Column(
                checks=column_checks(each, table[name]),
                nullable=True,
                unique="unique" in each and each["unique"].value,
                report_duplicates="all",
            )
            for name, each in rules.columns.items()
            if name in table.columns
        }
    )
