"""The scorecard of a dashboard in the layout of `RAIInsights.save`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import raikit.__main__ as program
from raikit.insights import saved
from raikit.insights.examined import examined
from raikit.insights.overview import measured
from stepkit.program import StepError, write_json

ROWS = [[20.0, "u", "no"], [30.0, "v", "yes"], [40.0, "v", "yes"], [50.0, None, "no"]]
#: Three of four are right, and the probabilities are of the sorted classes.
PREDICTED = ["no", "yes", "no", "no"]
PROBABLE = [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]]


def node(number: int, parent: int | None, condition: str | None, size: int, rate: float) -> Any:
    return {
        "id": number,
        "parentId": parent,
        "condition": condition,
        "size": float(size),
        "metricName": "Error rate",
        "metricValue": rate,
    }


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    folder = tmp_path / "dashboard"
    write_json(folder / "rai_insights.json", {"dashboard_title": "Who earns much"})
    write_json(folder / "rai_version.json", {"responsibleai": "0.36.0"})
    meta = {"target_column": "y", "task_type": "classification", "classes": ["yes", "no"]}
    write_json(folder / "meta.json", meta)
    table = {"columns": ["age", "job", "y"], "index": [3, 5, 8, 9], "data": ROWS}
    write_json(folder / "data/test.json", table)
    write_json(folder / "predictions/predict.json", PREDICTED)
    write_json(folder / "predictions/predict_proba.json", PROBABLE)
    tree = [
        node(0, None, None, 4, 0.25),
        node(1, 0, "age <= 35.00", 2, 0.0),
        node(2, 0, "age > 35.00", 2, 0.5),
        node(3, 2, "job == v", 1, 1.0),
        node(4, 2, "job != v", 1, 0.0),
    ]
    write_json(folder / "error_analysis/1/data/report.json", {"tree": tree})
    explained = folder / "explainer/2/data/explainer"
    write_json(explained / "features.json", {"data": ["age", "job"]})
    write_json(explained / "global_importance_values.json", {"data": [0.25, 0.75]})
    return folder


def test_predictions_are_those_that_were_saved(dashboard: Path) -> None:
    found = examined(dashboard)
    assert found.scores.classes == ("no", "yes")
    assert found.scores.metrics["accuracy"] == 0.75
    assert found.scores.probabilities.tolist() == PROBABLE
    assert list(found.table["age"]) == [20, 30, 40, 50]
    assert found.importance == {"job": 0.75, "age": 0.25}
    assert list(found.importance) == ["job", "age"]


def test_the_worst_leaves_come_first(dashboard: Path) -> None:
    (part,) = saved.parts(dashboard)
    (table,) = part.sections[0].blocks
    assert list(table.rows[0]) == ["age > 35.00 and job == v", 1, 1.0]
    assert len(table.rows) == 3


def test_rows_without_a_target_are_not_judged(dashboard: Path) -> None:
    rows = [*ROWS[:3], [50.0, None, None]]
    table = {"columns": ["age", "job", "y"], "index": [0, 1, 2, 3], "data": rows}
    write_json(dashboard / "data/test.json", table)
    scores, known = saved.scores(dashboard)
    assert (len(known), len(scores.truth)) == (3, 3)


def test_a_quantity_has_no_probabilities(dashboard: Path) -> None:
    meta = {"target_column": "age", "task_type": "regression", "classes": None}
    write_json(dashboard / "meta.json", meta)
    write_json(dashboard / "predictions/predict.json", [21.0, 31.0, 41.0, 47.0])
    (dashboard / "predictions/predict_proba.json").unlink()
    scores, _ = saved.scores(dashboard)
    assert measured("mean_absolute_error", scores) == pytest.approx(1.5)


def test_what_does_not_fit_is_refused(dashboard: Path) -> None:
    write_json(dashboard / "predictions/predict_proba.json", [each[::-1] for each in PROBABLE])
    with pytest.raises(StepError, match="not in the order"):
        saved.scores(dashboard)
    write_json(dashboard / "predictions/predict.json", PREDICTED[:2])
    with pytest.raises(StepError, match="2 predictions of 4 rows"):
        saved.scores(dashboard)


def test_its_scorecard_says_which_targets_are_met(
    dashboard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {
        "Metrics": {"accuracy_score": {"threshold": ">=0.7"}},
        "FeatureImportance": {"top_n": 1},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    arguments = ["scorecard", "--dashboard", str(dashboard), "--pdf_generation_config"]
    program.main(
        [*arguments, str(tmp_path / "config.json"), "--scorecard_output", str(tmp_path / "card")]
    )
    assert "1 of 1 targets met" in capsys.readouterr().out
    text = (tmp_path / "card/scorecard.html").read_text()
    assert "Who earns much" in text
    assert "age &gt; 35.00 and job == v" in text
    assert (tmp_path / "card/scorecard.pdf").read_bytes().startswith(b"%PDF")
