from __future__ import annotations

import json
from pathlib import Path

import evaluate
import numpy as np
import pytest
import train
from plots import draw_all
from tests.components.scored import of_classes, of_quantities

from stepkit.model import Scores

PNG = b"\x89PNG\r\n\x1a\n"


def classified(classes: int, rows: int = 400) -> Scores:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, classes, rows)
    raw = rng.random((rows, classes))
    raw[np.arange(rows), truth] += 1
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return of_classes(truth, probabilities, [f"class {number}" for number in range(classes)])


def measured(rows: int) -> Scores:
    rng = np.random.default_rng(1)
    truth = rng.lognormal(size=rows)
    predicted = truth + rng.normal(size=rows)
    return of_quantities(truth, predicted)


CURVES = ["confusion_matrix.png", "roc.png", "precision_recall.png"]
TWO_CLASSES = [*CURVES, "thresholds.png", "calibration.png"]
MORE_CLASSES = [*CURVES, "calibration.png"]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (classified(2), TWO_CLASSES),
        (classified(3), MORE_CLASSES),
        (classified(20), MORE_CLASSES),
        (measured(9000), ["predicted_vs_true.png", "residuals.png"]),
        (measured(2), ["predicted_vs_true.png", "residuals.png"]),
    ],
)
@pytest.mark.slow
def test_plots_are_drawn_the_same_again(
    tmp_path: Path, scores: Scores, expected: list[str]
) -> None:
    assert draw_all(scores, tmp_path / "first") == expected
    assert draw_all(scores, tmp_path / "again") == expected
    for name in expected:
        content = (tmp_path / "first" / name).read_bytes()
        assert content.startswith(PNG)
        assert content == (tmp_path / "again" / name).read_bytes()


def run(tmp_path: Path, content: str, *arguments: str, before=lambda step: None) -> dict:
    (tmp_path / "t.csv").write_text(content)
    data = ["--data", str(tmp_path / "t.csv")]
    model = ["--model", str(tmp_path / "model")]
    train.main([*data, *model, "--target", "y", "--estimator", "linear"])
    before("evaluate")
    evaluate.main([*data, *model, "--report", str(tmp_path / "report"), *arguments])
    return json.loads((tmp_path / "report/metrics.json").read_text())


TWO = "n,y\n" + "".join(f"{i},{'yes' if i > 20 else 'no'}\n" for i in range(40))


def test_two_classes_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(tmp_path, TWO)
    assert found["metrics"]["auc"] == 1
    assert (found["positive_label"], found["classes"], found["rows"]) == ("yes", ["no", "yes"], 40)
    assert np.array(found["confusion_matrix"]).sum() == 40
    assert found["per_class"]["no"]["support"] == 21
    report = (tmp_path / "report/report.md").read_text()
    assert "| true no |" in report
    assert "![roc](roc.png)" in report
    lines = (tmp_path / "report/thresholds.csv").read_text().splitlines()
    assert lines[0] == "threshold,tp,fp,fn,tn,tpr,fpr,precision"
    assert lines[1].startswith("inf,0,0,19,21,")
    assert lines[-1].split(",")[1:5] == ["19", "21", "0", "0"]
    assert "predicted yes" in capsys.readouterr().out


def test_the_positive_class_can_be_chosen(tmp_path: Path) -> None:
    assert run(tmp_path, TWO, "--positive-label", "no")["positive_label"] == "no"


def test_three_classes_are_reported(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'abc'[i // 20]}\n" for i in range(60))
    found = run(tmp_path, "n,y\n" + rows)
    assert found["positive_label"] is None
    assert set(found["per_class"]) == {"a", "b", "c"}
    assert "recall_weighted" in found["metrics"]
    assert not (tmp_path / "report/thresholds.csv").exists()


def test_quantities_are_reported(tmp_path: Path) -> None:
    rows = "".join(f"{i},{2 * i + 0.5}\n" for i in range(50))
    found = run(tmp_path, "n,y\n" + rows)
    assert found["task"] == "regression"
    assert found["metrics"]["r2"] > 0.99
    assert "confusion_matrix" not in found


def test_metrics_and_plots_land_in_the_run(tmp_path: Path, step_run) -> None:
    opened = []
    found = run(tmp_path, TWO, before=lambda name: opened.append(step_run(name)))
    (step,) = opened
    assert step.data.metrics["auc"] == found["metrics"]["auc"]
    assert step.data.metrics["test_rows"] == 40
    assert {f"evaluation/{name}" for name in (*TWO_CLASSES, "costs.png", "figures.json")} <= (
        step.artifacts("evaluation")
    )
