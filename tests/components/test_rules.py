from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from rules import Rule, find_rules, parse_rules, suits_type

from stepkit.program import StepError

ROOT = Path(__file__).parents[2]


def test_rules_are_written_short_or_long() -> None:
    rules = parse_rules(
        "target: y\ncolumns:\n  n: {type: integer, min: {value: 0, severity: warn}}\n"
        "table: {min_rows: 10}\n",
        "r.yml",
    )
    assert rules.target == "y"
    assert rules.columns == {"n": {"type": Rule("integer"), "min": Rule(0, "warn")}}
    assert rules.table == {"min_rows": Rule(10)}


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "target: y\n"])
def test_an_empty_file_has_no_rules(text: str) -> None:
    assert parse_rules(text, "r.yml").is_empty


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: {n: {mni: 0}}", r"r\.yml: columns\.n: no rule 'mni'\n  -> did you mean 'min'"),
        ("colums: {}", "no rule 'colums'\n  -> did you mean 'columns'"),
        ("table: {rows: 3}", "table: no rule 'rows'"),
        ("columns: {n: {type: float}}", r"n\.type: 'float' is not one of integer"),
        ("columns: {n: {min: low}}", r"n\.min: 'low' is not a number"),
        ("columns: {n: {min: true}}", r"n\.min: True is not a number"),
        ("columns: {n: {values: a}}", r"n\.values: 'a' is not a list"),
        ("columns: {n: {values: []}}", r"n\.values: \[\] is not a list"),
        ("columns: {n: {pattern: '('}}", r"n\.pattern: '\(' is not a regular expression"),
        ("columns: {n: {max_missing: 5}}", r"n\.max_missing: 5 is not a share"),
        ("columns: {n: {min: {value: 0, severity: fatal}}}", "severity is error or warn"),
        ("columns: {n: {min: {severity: warn}}}", r"n\.min: None is not a number"),
        ("columns: [n]", "is not a mapping"),
        ("table: {extra_columns: no}", r"extra_columns: False is not one of allow"),
        ("columns: {", "is not YAML"),
    ],
)
def test_wrong_rules_name_the_place(text: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        parse_rules(text, "r.yml")


def test_the_rules_of_the_demo_tables_are_found_by_target() -> None:
    folder = ROOT / "jobs/checks"
    assert find_rules(folder, "income").source == "adult.yml"
    assert find_rules(folder, "wage").source == "cps1988.yml"
    assert find_rules(folder, "price").is_empty
    assert find_rules(None, "income").is_empty


def test_rules_that_do_not_belong(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"adult\.yml is for target 'income', and the job's is 'w"):
        find_rules(ROOT / "jobs/checks/adult.yml", "wage")
    for name in ("a.yml", "b.yaml"):
        (tmp_path / name).write_text("target: y\n")
    with pytest.raises(StepError, match=r"a\.yml and b\.yaml are both for target 'y'"):
        find_rules(tmp_path, "y")
    with pytest.raises(StepError, match="no file or folder of rules"):
        find_rules(tmp_path / "none", "y")


def test_a_file_given_by_itself_may_name_no_target(tmp_path: Path) -> None:
    (tmp_path / "any.yml").write_text("table: {min_rows: 1}\n")
    assert find_rules(tmp_path / "any.yml", "price").table["min_rows"].value == 1


@pytest.mark.parametrize(
    ("values", "wanted", "suits"),
    [
        ([1, 2.5, None], "integer", [True, False, True]),
        ([1, 2.5, None], "number", [True, True, True]),
        (["1", "x", None], "number", [True, False, True]),
        (["a", None], "text", [True, True]),
        ([1, 2], "text", [False, False]),
        ([True, False], "boolean", [True, True]),
        ([0, 1, 2], "boolean", [True, True, False]),
        (["2024-01-31", "soon", None], "time", [True, False, True]),
        ([20240131], "time", [False]),
        (pd.to_datetime(["2024-01-31", None]), "time", [True, True]),
        (pd.to_datetime(["2024-01-31", None]), "number", [False, True]),
    ],
)
def test_types_of_values(values: list, wanted: str, suits: list) -> None:
    assert suits_type(pd.Series(values), wanted).tolist() == suits
