from __future__ import annotations

import json
from pathlib import Path

import decided
import model_report
import pytest
import sources
from mlflow import MlflowClient
from tests.unit.raikit.report import example
from tests.unit.raikit.report.markup import read

from stepkit.program import StepError, write_json
from stepkit.table import digest

SIGNATURE = json.dumps([{"name": "age", "type": "long"}])
MLMODEL = f"""\
flavors:
  python_function: {{loader_module: mlflow.sklearn}}
signature:
  inputs: '{SIGNATURE}'
metadata: {{task: classification, target: income, estimator: ebm, train_data_digest: abc123}}
utc_time_created: '2026-01-02 03:04:05'
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "requirements.txt").write_text("# made by MLflow\nscikit-learn==1.9.1\nnumpy\n")
    return folder


@pytest.fixture
def evaluation(model: Path, tmp_path: Path) -> Path:
    return example.write_part(example.evaluation(), tmp_path / "evaluation", digest(model))


def verdict(outcome: str, **fields) -> dict:
    return {
        "figure": "auc",
        "cohort": "",
        "wanted": "at least 0.9",
        "required": True,
        "outcome": outcome,
        "reason": "0.92 (0.91 to 0.93) is at least 0.9",
        "refuses": outcome not in ("pass", "not applied"),
        "because": "",
        "value": 0.92,
        "unit": "",
        **fields,
    }


def gate(folder: Path, decision: str, *outcomes: str, model_digest: str = "") -> Path:
    document = {
        "format": 1,
        "decision": decision,
        "reasons": [f"auc at least 0.9: {outcome}" for outcome in outcomes],
        "model_digest": model_digest,
        "verdicts": [verdict(outcome) for outcome in outcomes],
    }
    write_json(folder / "gate.json", document)
    return folder


def registration(folder: Path, version: str | None, alias: str | None, name: str = "adult") -> Path:
    document = {"registered": version is not None, "name": name, "version": version}
    write_json(folder / "decision.json", {**document, "alias": alias, "reasons": ["it is best"]})
    return folder


def test_a_report_of_one_part(model: Path, evaluation: Path, tmp_path: Path, capsys) -> None:
    report = tmp_path / "report"
    model_report.main(
        ["--model", str(model), "--evaluation", str(evaluation), "--report", str(report)]
    )
    assert sorted(file.name for file in report.iterdir()) == ["report.html", "scorecard.pdf"]
    html = (report / "report.html").read_text(encoding="utf-8")
    page = read(html)
    assert page.named("h1")[0].text == "income-classification"
    assert "Not decided yet" in html
    # Where it comes from, what it needs, and what it was examined with.
    for fact in (digest(model), "abc123", "==1.9.1", "any version", "reportlab"):
        assert fact in html
    assert "How good are its predictions?" in capsys.readouterr().out


def test_everything_that_is_given_is_in_it(model: Path, tmp_path: Path) -> None:
    argv = ["--model", str(model), "--report", str(tmp_path / "report"), "--title", "My <model>"]
    known = digest(model)
    names = {"profile": "profile", "explanation": "explanation", "responsible_ai": "responsible-ai"}
    for part in example.report().parts:
        place = example.write_part(part, tmp_path / part.name, known)
        argv += [f"--{names.get(part.name, part.name)}", str(place)]
    argv += ["--decision", str(gate(tmp_path / "gate", "champion", "pass", model_digest=known))]
    argv += ["--registration", str(registration(tmp_path / "reg", "4", "champion"))]
    model_report.main(argv)
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    page = read(html)
    assert page.named("h1")[0].text == "My <model>"
    assert "version 4 · champion · classification of income" in html
    assert [each.text for each in page.named("p") if each.attributes.get("class") == "short"] == [
        "Yes"
    ]
    assert {part.name for part in example.report().parts} <= {
        each.attributes.get("id") for each in page.named("section")
    }


def test_a_report_of_another_model_is_refused(
    model: Path, evaluation: Path, tmp_path: Path
) -> None:
    (model / "more").write_text("changed since")
    argv = ["--model", str(model), "--evaluation", str(evaluation), "--report", str(tmp_path / "r")]
    with pytest.raises(StepError, match="evaluation is of another model"):
        model_report.main(argv)
    assert not (tmp_path / "r").exists()
    evaluation = example.write_part(example.evaluation(), tmp_path / "again", digest(model))
    other = gate(tmp_path / "gate", "champion", model_digest="other")
    argv[3] = str(evaluation)
    with pytest.raises(StepError, match="decision is of another model"):
        model_report.main([*argv, "--decision", str(other)])


def test_nothing_to_report_on_is_told(model: Path, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="nothing to report on"):
        model_report.main(["--model", str(model), "--report", str(tmp_path / "r")])


def test_a_table_without_rules_is_not_called_good(tmp_path: Path) -> None:
    table = {"digest": "d" * 64, "rows": 4, "duplicate_rows": 0, "columns": {}}
    document = {"verdict": "pass", "rules": "", "problems": [], "notes": [], "tables": {"a": table}}
    write_json(tmp_path / "report.json", document)
    sections = sources.data_sections(tmp_path)
    assert sections is not None
    assert sections[0].verdict == ""
    assert sections[0].words[0].startswith("No rules were given for the data")
    write_json(tmp_path / "report.json", {**document, "rules": "adult.yml"})
    sections = sources.data_sections(tmp_path)
    assert sections is not None
    assert sections[0].verdict == "good"
    assert sections[0].words[0].startswith("The data are as their rules want them.")


def test_what_check_data_wrote_becomes_a_part(model: Path, tmp_path: Path) -> None:
    column = {"type": "int64", "missing": 1, "distinct": 2, "min": 1, "max": 9}
    text = {"type": "object", "missing": 0, "distinct": 2, "commonest": "a", "commonest_share": 0.5}
    problem = {
        "table": "data",
        "rule": "age.range",
        "severity": "error",
        "message": "age below 0",
        "rows": 3,
    }
    document = {
        "verdict": "fail",
        "problems": [problem],
        "notes": ["column 'x' has one value at most"],
        "tables": {
            "data": {
                "digest": "d" * 64,
                "rows": 4,
                "duplicate_rows": 1,
                "columns": {"age": column, "sex": text, "empty": {**column, "missing": 4}},
            }
        },
    }
    del document["tables"]["data"]["columns"]["empty"]["min"]
    write_json(tmp_path / "data" / "report.json", document)
    argv = ["--model", str(model), "--data-report", str(tmp_path / "data")]
    model_report.main([*argv, "--report", str(tmp_path / "r")])
    html = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    for told in (
        "1 rules are broken",
        "Column &#39;x&#39; has one",
        "age.range",
        "25.0%",
        "d" * 64,
    ):
        assert told in html
    assert "4 rows, 1 of them copies" in html


@pytest.mark.parametrize(
    ("decision", "outcomes", "short", "colour"),
    [
        ("champion", ["pass"], "Yes", "good"),
        ("challenger", ["pass"], "Not instead of the present one", "warning"),
        ("refused", ["pass", "fail", "undecided"], "No", "bad"),
        ("refused", ["pass", "undecided"], "Not decided", "warning"),
        ("refused", ["insufficient"], "Not decided", "warning"),
        ("refused", ["pass"], "No", "warning"),
    ],
)
def test_the_answer_is_the_gates(
    decision: str, outcomes: list[str], short: str, colour: str, tmp_path: Path
) -> None:
    found = decided.answer(decided.read_gate(gate(tmp_path, decision, *outcomes)), None)
    assert (found.short, found.verdict) == (short, colour)
    assert len(found.reasons) == 1 + len(outcomes)


def test_of_many_reasons_some_are_on_top(tmp_path: Path) -> None:
    found = decided.answer(decided.read_gate(gate(tmp_path, "refused", *["fail"] * 20)), None)
    assert len(found.reasons) == decided.MOST_REASONS + 2
    assert "14 more reasons" in found.reasons[-1]


@pytest.mark.parametrize(
    ("alias", "short"), [("champion", "Yes"), (None, "No"), ("challenger", "Not instead")]
)
def test_without_a_gate_it_is_registers(alias: str | None, short: str, tmp_path: Path) -> None:
    folder = registration(tmp_path, "2" if alias else None, alias)
    found = decided.answer(None, decided.read_registration(folder))
    assert found.short.startswith(short)
    assert "It is best." in found.reasons
    assert ("version 2 of adult" in " ".join(found.reasons)) == (alias is not None)


def test_a_rule_keeps_what_the_gate_saw(tmp_path: Path) -> None:
    write_json(
        tmp_path / "gate.json",
        {
            "decision": "refused",
            "reasons": [],
            "verdicts": [
                verdict("fail", value=11.2, unit="ms", because="people wait", required=False),
                verdict("insufficient", value=None, cohort="sex=Female"),
                verdict("not applied"),
            ],
        },
    )
    first, second, third = decided.read_gate(tmp_path).rules
    assert (first.shown, first.outcome, first.verdict) == ("11.2 ms", "failed", "bad")
    assert first.reason.endswith("wanted because people wait")
    assert not first.required
    assert (second.shown, second.cohort, second.verdict) == ("\u2013", "sex=Female", "warning")
    assert third.verdict == ""


@pytest.mark.parametrize(
    ("name", "read_it"),
    [("gate.json", decided.read_gate), ("decision.json", decided.read_registration)],
)
def test_files_of_another_kind_are_told(name: str, read_it, tmp_path: Path) -> None:
    with pytest.raises(StepError, match="is not there"):
        read_it(tmp_path)
    write_json(tmp_path / name, {"format": 1})
    with pytest.raises(StepError, match="again"):
        read_it(tmp_path)


def test_the_report_is_logged_and_its_model_version_names_it(
    model: Path, evaluation: Path, tmp_path: Path, step_run
) -> None:
    run = step_run("report")
    client = MlflowClient()
    client.create_registered_model("adult-report")
    version = client.create_model_version("adult-report", "mlflow-artifacts:/m").version
    place = registration(tmp_path / "reg", version, "champion", "adult-report")
    argv = ["--model", str(model), "--evaluation", str(evaluation), "--registration", str(place)]
    model_report.main([*argv, "--report", str(tmp_path / "report")])
    assert run.artifacts("report") == {"report/report.html", "report/scorecard.pdf"}
    assert client.get_model_version("adult-report", version).tags["report_run_id"] == run.id
    assert run.data.params["conclusion"].startswith("adult-report: released? Yes; report.html of")
    assert run.data.metrics["parts"] == 1
    html = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert run.id in html
    assert "job-1" in html
