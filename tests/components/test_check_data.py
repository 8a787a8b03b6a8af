from __future__ import annotations

import json
from pathlib import Path

import check_data
import pandas as pd
import pytest
import report
from rules import parse_rules

from stepkit.figures import read_figures
from stepkit.program import StepError

ROOT = Path(__file__).parents[2]
ADULT = ROOT / "data/adult-train.parquet"


def problems_of(table: pd.DataFrame, rules: str, target: str = "") -> dict[str, check_data.Problem]:
    found = check_data.check("data", table, parse_rules(rules, "r.yml"), target)
    return {problem.rule: problem for problem in found}


@pytest.mark.parametrize(
    ("rule", "values", "rows"),
    [
        ("min: 0", [3, -1, -2], [1, 2]),
        ("max: 2", [3, -1, 2.5], [0, 2]),
        ("values: [a, b]", ["a", "c", None], [1]),
        ("pattern: 'A\\d+'", ["A1", "A", "xA1"], [1, 2]),
        ("type: integer", [1.0, 1.5, None], [1]),
        ("unique: true", [1, 2, 1], [0, 2]),
        ("max_missing: 0.2", [1, None, None], [1, 2]),
    ],
)
def test_a_broken_rule_names_the_rows_at_fault(rule: str, values: list, rows: list) -> None:
    name = rule.partition(":")[0]
    found = problems_of(pd.DataFrame({"c": values}), f"columns: {{c: {{{rule}}}}}")
    assert list(found) == [name]
    assert found[name].rows == len(rows)
    assert [example["row"] for example in found[name].examples] == rows
    assert found[name].column == "c"


def test_rules_that_hold_find_nothing() -> None:
    table = pd.DataFrame({"n": [0, 5], "t": ["a", None], "id": [1, 2]})
    rules = """
    columns:
      n: {type: integer, min: 0, max: 5, max_missing: 0}
      t: {type: text, values: [a], max_missing: 0.5}
      id: {unique: true}
      other: {required: false, min: 1}
    table: {min_rows: 2, max_duplicates: 0, min_class_share: 0.5, extra_columns: forbid}
    """
    assert problems_of(table, rules, "n") == {}


def test_text_in_a_column_of_numbers_is_told_once() -> None:
    found = problems_of(pd.DataFrame({"n": ["1", "x"]}), "columns: {n: {type: number, min: 0}}")
    assert list(found) == ["type"]
    assert found["type"].examples == [{"row": 1, "value": "x"}]


def test_rules_of_the_whole_table() -> None:
    table = pd.DataFrame({"n": [1, 1, 1, 2], "y": ["a", "a", "a", "b"], "more": [0, 0, 0, 0]})
    found = problems_of(
        table,
        "columns: {n: {min: 0}, y: {}, gone: {min: 0}}\n"
        "table: {min_rows: 5, max_duplicates: 0.4, min_class_share: 0.3, extra_columns: warn}",
        "y",
    )
    assert found["required"].message == "gone: no such column"
    assert found["min_rows"].message == "4 rows, at least 5 are wanted"
    assert (found["max_duplicates"].rows, found["max_duplicates"].examples[0]["row"]) == (2, 1)
    assert "'b' is 25.00% of rows" in found["min_class_share"].message
    assert (found["extra_columns"].severity, list(found)[-1]) == ("warn", "extra_columns")
    assert "more" in found["extra_columns"].message


def test_severity_is_the_rules_own() -> None:
    found = problems_of(
        pd.DataFrame({"n": [-1]}), "columns: {n: {min: {value: 0, severity: warn}, max: -2}}"
    )
    assert [(name, found[name].severity) for name in found] == [("max", "error"), ("min", "warn")]


def run(tmp_path: Path, *arguments: str) -> dict:
    check_data.main([*arguments, "--report", str(tmp_path / "report")])
    return json.loads((tmp_path / "report/report.json").read_text())


def test_the_published_tables_pass_their_rules(tmp_path: Path) -> None:
    rules = ["--rules", str(ROOT / "jobs/checks"), "--target", "income"]
    test = ["--test-data", str(ROOT / "data/adult-test.parquet")]
    report = run(tmp_path, "--data", str(ADULT), *test, *rules)
    assert (report["verdict"], report["problems"], report["notes"]) == ("pass", [], [])
    assert report["tables"]["data"]["duplicate_rows"] == 24
    assert report["tables"]["test_data"]["rows"] == 16281


def test_the_known_defect_of_the_wages_is_a_warning_with_its_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = ["--rules", str(ROOT / "jobs/checks"), "--target", "wage"]
    test = ["--test-data", str(ROOT / "data/adult-test.parquet")]
    report = run(tmp_path, "--data", str(ROOT / "data/cps1988.parquet"), *test, *rules)
    (problem,) = report["problems"]
    assert report["verdict"] == "warn"
    assert (problem["column"], problem["severity"], problem["rows"]) == ("experience", "warn", 438)
    assert all(int(example["value"]) < 0 for example in problem["examples"])
    assert "not of this table" in report["notes"][0]
    assert "438 of 28155 rows break min: 0" in capsys.readouterr().out
    assert "438 of 28155" in (tmp_path / "report/report.md").read_text()


def test_the_gate_gets_figures_of_the_data(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": [1, 2, 2, -1], "t": ["a", None, None, "b"]})
    table.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "r.yml").write_text("columns: {n: {min: {value: 0, severity: warn}}}")
    run(tmp_path, "--data", str(tmp_path / "t.csv"), "--rules", str(tmp_path / "r.yml"))
    found = read_figures(tmp_path / "report")
    assert (found.step, found.model_digest) == ("check_data", "")
    assert {(each.name, each.cohort): each.value for each in found.figures} == {
        ("data_rows", ""): 4,
        ("data_columns", ""): 2,
        ("data_errors", ""): 0,
        ("data_warnings", ""): 1,
        ("duplicate_share", ""): 0.25,
        ("missing_share", ""): 0.25,
        ("missing_share", "t"): 0.5,
    }
    assert {each.sample for each in found.figures} == {4}


def test_a_broken_table_fails_and_still_reports(tmp_path: Path, step_run) -> None:
    table = pd.read_parquet(ADULT).head(2000)
    table.loc[5, "age"] = 200
    table.drop(columns="sex").to_csv(tmp_path / "bad.csv", index=False)
    step = step_run("check_data")
    with pytest.raises(StepError, match="2 rules are broken: sex: no such column; age: 1 of 2000"):
        run(
            tmp_path,
            "--data",
            str(tmp_path / "bad.csv"),
            "--rules",
            str(ROOT / "jobs/checks/adult.yml"),
            "--target",
            "income",
        )
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert report["verdict"] == "fail"
    assert report["problems"][1]["examples"] == [{"row": 5, "value": "200"}]
    assert step.data.metrics["problems"] == 2
    assert step.artifacts("data_check") == {
        f"data_check/{name}" for name in ("figures.json", "report.json", "report.md")
    }
    assert step.status == "FAILED"


def test_without_rules_only_facts_are_reported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("n,t,d\n1,a|b,2024-01-01\n2,,2024-01-02\n2,,2024-01-02\n")
    report = run(tmp_path, "--data", str(tmp_path / "t.csv"))
    assert report["verdict"] == "pass"
    assert report["notes"][-1] == "no rules for this table: only facts are reported"
    columns = report["tables"]["data"]["columns"]
    assert columns["n"] == {
        "type": "int64",
        "missing": 0,
        "distinct": 2,
        "min": 1,
        "max": 2,
        "mean": pytest.approx(5 / 3),
    }
    assert (columns["t"]["missing"], columns["t"]["commonest"]) == (2, "a|b")
    assert r"a\|b (33.3%)" in (tmp_path / "report/report.md").read_text()


def test_notes_tell_of_what_would_surprise_in_a_model() -> None:
    rows = range(60)
    table = pd.DataFrame(
        {
            "id": rows,
            "code": [f"c{n}" for n in rows],
            "always": 1,
            "price": [n * 1000 for n in rows],
            "kind": ["a", "b"] * 30,
            "y": [None, *rows[1:]],
        }
    )
    notes = report.notes_on(table, "y")
    assert [note.partition(" has ")[0] for note in notes] == [
        "1 rows have no 'y' and are left out",
        "column 'id'",
        "column 'code'",
        "column 'always'",
    ]
    # In a few rows every value may well be another, by chance.
    assert report.notes_on(table[["id", "code", "y"]].tail(20), "y") == []


def test_the_target_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no target column 'incom' in the data"):
        run(tmp_path, "--data", str(ADULT), "--target", "incom")
