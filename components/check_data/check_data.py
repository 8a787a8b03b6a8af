"""Check a table against rules, report on it, and fail where a rule of severity error is broken."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from data_figures import figures_of
from report import PROBLEM_HEAD, facts, markdown, notes_on, problem_rows
from rules import Rules, Severity, find_rules, row_schema

from stepkit.figures import write_figures
from stepkit.program import StepError, run, text_table, write_json, write_text
from stepkit.table import read_table, require_column
from stepkit.tracking import tracked

#: Rows at fault that a report names for each problem.
EXAMPLES = 10


@dataclass(frozen=True)
class Problem:
    """One broken rule.

    Attributes:
        table: Which table: `data` or `test_data`.
        rule: The rule's name.
        severity: Whether it fails the check.
        message: What is wrong.
        column: The column, or an empty string for a rule of the whole table.
        rows: How many rows are at fault; 0 where no single row is.
        examples: Some of them: row number, counted from 0 in the order of the files, and value.
    """

    table: str
    rule: str
    severity: Severity
    message: str
    column: str = ""
    rows: int = 0
    examples: list[dict[str, Any]] = field(default_factory=list)


def row_problems(name: str, table: pd.DataFrame, rules: Rules) -> list[Problem]:
    """Return the broken rules that single rows are at fault for, found by pandera."""
    from pandera.errors import SchemaErrors  # only where there are rules

    try:
        row_schema(rules, table).validate(table, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return []
    problems = []
    cases["rule"] = cases["check"].replace({"field_uniqueness": "unique"})
    for (column, rule), group in cases.groupby(["column", "rule"], sort=False):
        wanted = rules.columns[column][rule]
        examples = group.sort_values("index").head(EXAMPLES)
        problems.append(
            Problem(
                table=name,
                rule=rule,
                severity=wanted.severity,
                message=f"{column}: {len(group)} of {len(table)} rows break {rule}: {wanted.value}",
                column=column,
                rows=len(group),
                examples=[
                    {"row": int(row), "value": str(value)}
                    for row, value in zip(examples["index"], examples["failure_case"], strict=True)
                ],
            )
        )
    return problems


def column_problems(name: str, table: pd.DataFrame, rules: Rules) -> list[Problem]:
    """Return the broken rules on which columns there are, and on missing values."""
    problems = []
    for column, each in rules.columns.items():
        required = each.get("required")
        if column not in table.columns:
            if required is None or required.value:
                severity = required.severity if required else "error"
                message = f"{column}: no such column"
                problems.append(Problem(name, "required", severity, message, column))
            continue
        limit = each.get("max_missing")
        missing = table[column].isna()
        if limit is not None and missing.mean() > limit.value:
            problems.append(
                Problem(
                    table=name,
                    rule="max_missing",
                    severity=limit.severity,
                    message=f"{column}: {missing.mean():.2%} missing, allowed {limit.value:.2%}",
                    column=column,
                    rows=int(missing.sum()),
                    examples=[{"row": int(row), "value": ""} for row in _rows(missing)],
                )
            )
    return problems


def _rows(mask: pd.Series) -> list[int]:
    return [int(row) for row in mask.index[mask][:EXAMPLES]]


def table_problems(name: str, table: pd.DataFrame, rules: Rules, target: str) -> list[Problem]:
    """Return the broken rules on the table as a whole."""
    problems = []
    wanted = rules.table
    if "min_rows" in wanted and len(table) < wanted["min_rows"].value:
        message = f"{len(table)} rows, at least {wanted['min_rows'].value} are wanted"
        problems.append(Problem(name, "min_rows", wanted["min_rows"].severity, message))
    copies = table.duplicated()
    if "max_duplicates" in wanted and copies.mean() > wanted["max_duplicates"].value:
        message = (
            f"{copies.mean():.2%} of rows are copies of another, "
            f"allowed {wanted['max_duplicates'].value:.2%}"
        )
        examples = [{"row": row, "value": ""} for row in _rows(copies)]
        severity = wanted["max_duplicates"].severity
        problems.append(
            Problem(name, "max_duplicates", severity, message, "", int(copies.sum()), examples)
        )
    if "min_class_share" in wanted and target in table.columns:
        shares = table[target].value_counts(normalize=True)
        if shares.min() < wanted["min_class_share"].value:
            message = (
                f"{target}: {shares.idxmin()!r} is {shares.min():.2%} of rows, "
                f"at least {wanted['min_class_share'].value:.2%} is wanted"
            )
            severity = wanted["min_class_share"].severity
            problems.append(Problem(name, "min_class_share", severity, message, target))
    extra = [str(column) for column in table.columns if column not in rules.columns]
    handling = wanted["extra_columns"].value if "extra_columns" in wanted else "allow"
    if extra and handling != "allow":
        message = f"columns that no rule names: {', '.join(extra)}"
        severity = "warn" if handling == "warn" else wanted["extra_columns"].severity
        problems.append(Problem(name, "extra_columns", severity, message))
    return problems


def check(name: str, table: pd.DataFrame, rules: Rules, target: str) -> list[Problem]:
    """Return every broken rule of a table, errors first."""
    if rules.is_empty:
        return []
    problems = [
        *column_problems(name, table, rules),
        *row_problems(name, table, rules),
        *table_problems(name, table, rules, target),
    ]
    return sorted(problems, key=lambda problem: problem.severity != "error")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the arguments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--test-data", type=Path)
    parser.add_argument("--rules", type=Path, help="a YAML file, or a folder of them")
    parser.add_argument("--target", default="")
    parser.add_argument("--report", type=Path, required=True)
    return parser.parse_args(argv)


def build_report(args: argparse.Namespace) -> dict[str, Any]:
    """Read and check the tables; return the report."""
    rules = find_rules(args.rules, args.target)
    paths = {"data": args.data}
    tables = {"data": read_table(args.data)}
    if args.target:
        require_column(tables["data"], args.target, "target column")
    notes = notes_on(tables["data"], args.target)
    if args.test_data is not None:
        test = read_table(args.test_data)
        if args.target in test.columns:
            paths["test_data"], tables["test_data"] = args.test_data, test
        else:
            notes.append(f"test data has no column {args.target!r}: not of this table, not checked")
    if rules.is_empty:
        notes.append("no rules for this table: only facts are reported")
    problems = [
        problem
        for name, table in tables.items()
        for problem in check(name, table, rules, args.target)
    ]
    severities = {problem.severity for problem in problems}
    return {
        "verdict": "fail" if "error" in severities else "warn" if severities else "pass",
        "rules": rules.source,
        "notes": notes,
        "problems": [asdict(problem) for problem in problems],
        "tables": {name: facts(table, paths[name]) for name, table in tables.items()},
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Check, write the report, log, and fail on an error."""
    args = parse(argv)
    with tracked() as tracking:
        document = build_report(args)
        write_json(args.report / "report.json", document)
        write_figures(args.report, figures_of(document))
        write_text(args.report / "report.md", markdown(document))
        problems = document["problems"]
        errors = [problem for problem in problems if problem["severity"] == "error"]
        tracking.metrics(
            {
                "rows": document["tables"]["data"]["rows"],
                "columns": len(document["tables"]["data"]["columns"]),
                "duplicate_rows": document["tables"]["data"]["duplicate_rows"],
                "problems": len(errors),
                "warnings": len(problems) - len(errors),
            }
        )
        tracking.artifacts(args.report, "data_check")
        for note in document["notes"]:
            print(f"note: {note}")
        if problems:
            print(text_table(PROBLEM_HEAD, problem_rows(problems)))
        rows = document["tables"]["data"]["rows"]
        print(
            f"data check: {document['verdict'].upper()}, {rows} rows, "
            f"{len(errors)} errors, {len(problems) - len(errors)} warnings"
        )
        if errors:
            broken = "; ".join(problem["message"] for problem in errors)
            raise StepError(
                f"{len(errors)} rules are broken: {broken}",
                hint="mend the data, or give the rule `severity: warn`",
            )


if __name__ == "__main__":
    run(main)
