"""Whole monitors: rows as endpoints collect them, to verdicts, a report, and findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitorkit.__main__ import main
from stepkit.findings import read_findings

from .conftest import NOW, Collect, people

FEATURES = ["height", "job", "wage"]
KNOWN = {"target_column": "target", "prediction_column": "prediction"}


def run(folder: Path, *signals: dict[str, Any], **fields: Any) -> tuple[int, dict[str, Any]]:
    asked = {"name": "people", "now": NOW.isoformat(), "signals": list(signals), **fields}
    file = folder / "request.json"
    file.write_text(json.dumps(asked))
    code = main(["--request", str(file), "--out", str(folder / "out")])
    written = folder / "out" / "monitor.json"
    return code, json.loads(written.read_text()) if written.exists() else {}


def signal(kind: str, week: Path, before: Path, **fields: Any) -> dict[str, Any]:
    return {
        "name": kind,
        "type": kind,
        "production": {"path": str(week), "window_size": "P7D"},
        "reference": {"path": str(before), **KNOWN},
        **fields,
    }


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    path = tmp_path / "reference.parquet"
    people(4000, 0).to_parquet(path)
    return path


def breaches(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (metric["metric"], metric["feature"])
        for each in document["signals"]
        for metric in each["metrics"]
        if metric["verdict"] == "breach"
    }


def test_nothing_is_reported_where_nothing_has_changed(
    tmp_path: Path, collect: Collect, reference: Path
) -> None:
    week = people(1500, 1)
    inputs = collect("inputs", week[FEATURES])
    outputs = collect("outputs", week[["prediction"]])
    prediction = {"path": str(outputs), "window_size": "P7D", "prediction_column": "prediction"}
    truth = tmp_path / "truth.csv"
    ids = [f"request-{number}" for number in range(1000)]
    week[["target"]].head(1000).assign(correlationid=ids).to_csv(truth, index=False)
    code, document = run(
        tmp_path,
        signal("data_drift", inputs, reference),
        signal("data_quality", inputs, reference),
        signal("prediction_drift", outputs, reference, production=prediction),
        signal("feature_attribution_drift", inputs, reference, outputs=prediction),
        signal(
            "model_performance",
            outputs,
            reference,
            production=prediction,
            ground_truth={"path": str(truth), "target_column": "target"},
        ),
    )
    assert code == 0
    assert document["verdict"] == "ok"
    assert document["breaches"] == 0
    # 3 of drift, 3 * 3 of quality, 1 of predictions, 1 of attributions, 3 of performance.
    assert document["tested"] == 17
    drift = document["signals"][0]
    assert drift["production"]["rows"] == drift["production"]["sample"] == 1500
    assert drift["production"]["end"] == NOW.isoformat()
    assert drift["reference"]["begin"] is None
    performance = document["signals"][-1]
    assert performance["notes"] == ["the truth is known of 1,000 of 1,500 rows"]
    accuracy = performance["metrics"][0]
    assert accuracy["rows"] == 1000
    head = week.head(1000)
    assert accuracy["value"] == pytest.approx((head["prediction"] == head["target"]).mean())


def test_drift_is_found_and_reported(tmp_path: Path, collect: Collect, reference: Path) -> None:
    inputs = collect("inputs", people(2000, 2, shift=0.4)[FEATURES])
    code, document = run(tmp_path, signal("data_drift", inputs, reference))
    assert code == 0
    assert breaches(document) == {("normalized_wasserstein_distance", "height")}
    (found,) = [each for each in document["signals"][0]["metrics"] if each["verdict"] == "breach"]
    assert found["value"] == pytest.approx(0.4, abs=0.1)
    assert found["adjusted_p_value"] < 1e-6
    report = (tmp_path / "out" / "report.md").read_text()
    assert "| data_drift | breach | height | normalized_wasserstein_distance |" in report
    assert "![Distributions now and before: height" in report
    assert (tmp_path / "out" / "data_drift.png").read_bytes().startswith(b"\x89PNG")
    sections = read_findings(tmp_path / "out")["sections"]
    assert [section["verdict"] for section in sections] == ["bad", "bad"]


def test_bad_quality_is_found(tmp_path: Path, collect: Collect, reference: Path) -> None:
    week = people(2000, 3, missing=0.05)[FEATURES].astype(object)
    week.loc[:39, "height"] = "tall"
    week.loc[40:79, "job"] = "spy"
    week.loc[80:119, "height"] = 1000.0
    inputs = collect("inputs", week)
    _, document = run(tmp_path, signal("data_quality", inputs, reference))
    assert breaches(document) == {
        ("null_value_rate", "wage"),
        ("data_type_error_rate", "height"),
        ("out_of_bounds_rate", "job"),
        ("out_of_bounds_rate", "height"),
    }
    values = {
        (each["metric"], each["feature"]): each["value"]
        for each in document["signals"][0]["metrics"]
    }
    assert values["data_type_error_rate", "height"] == 40 / 2000
    assert values["out_of_bounds_rate", "job"] == 40 / 2000


def test_a_feature_that_is_gone_has_no_values(
    tmp_path: Path, collect: Collect, reference: Path
) -> None:
    inputs = collect("inputs", people(500, 4)[["height", "job"]])
    _, document = run(tmp_path, signal("data_quality", inputs, reference))
    assert breaches(document) == {("null_value_rate", "wage")}
    unnamed = signal("data_quality", inputs, reference, reference={"path": str(reference)})
    _, document = run(tmp_path, unnamed)
    # Without the target's name nobody knows whether a column was to come.
    assert breaches(document) == set()
    assert "wage is left out: production has no such column" in document["signals"][0]["notes"]


def test_flipped_truth_is_found(tmp_path: Path, collect: Collect, reference: Path) -> None:
    week = people(3000, 5)
    flipped = np.random.default_rng(0).random(3000) < 0.1
    week.loc[flipped, "target"] = week.loc[flipped, "target"].map({"yes": "no", "no": "yes"})
    path = tmp_path / "week.parquet"
    week.to_parquet(path)
    asked = signal("model_performance", path, reference, production={"path": str(path), **KNOWN})
    _, document = run(tmp_path, asked)
    assert ("accuracy", "") in breaches(document)
    asked["thresholds"] = [{"metric": "accuracy", "threshold": 0.5}]
    _, document = run(tmp_path, asked)
    assert breaches(document) == set()


@pytest.mark.slow
def test_other_attributions_are_found(tmp_path: Path, reference: Path) -> None:
    week = people(2000, 6)
    # What was said now follows the wage, which did not matter before.
    week["prediction"] = np.where(week["wage"].fillna(0) > 1100, "yes", "no")
    path = tmp_path / "week.parquet"
    week.to_parquet(path)
    production = {"path": str(path), **KNOWN}
    asked = signal("feature_attribution_drift", path, reference, production=production)
    _, document = run(tmp_path, asked)
    assert breaches(document) == {("normalized_discounted_cumulative_gain", "")}


def test_given_attributions_are_compared(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, sizes in (
        ("before", [3, 2, 1, 0.1]),
        ("same", [3, 2, 1, 0.1]),
        ("now", [0.1, 1, 2, 3]),
    ):
        values = rng.normal(0, sizes, (800, 4))
        pd.DataFrame(values, columns=list("abcd")).to_parquet(tmp_path / f"{name}.parquet")
    found = {}
    for name in ("same", "now"):
        path = tmp_path / f"{name}.parquet"
        asked = signal("feature_attribution_drift", path, tmp_path / "before.parquet")
        asked |= {"production": {"path": str(path)}, "has_attributions": True}
        found[name] = run(tmp_path, asked)[1]["verdict"]
    assert found == {"same": "ok", "now": "breach"}


def test_the_most_important_features_are_chosen(
    tmp_path: Path, collect: Collect, reference: Path
) -> None:
    inputs = collect("inputs", people(500, 7)[FEATURES])
    _, document = run(tmp_path, signal("data_drift", inputs, reference, top_n_feature_importance=2))
    assert [each["feature"] for each in document["signals"][0]["metrics"]] == ["height", "job"]
    given = {"top_n_feature_importance": 1, "feature_importance": {"wage": 2.0, "job": 1.0}}
    _, document = run(tmp_path, signal("data_drift", inputs, reference, **given))
    assert [each["feature"] for each in document["signals"][0]["metrics"]] == ["wage"]


def test_too_few_rows_tell_nothing(tmp_path: Path, collect: Collect, reference: Path) -> None:
    inputs = collect("inputs", people(99, 8, shift=3)[FEATURES])
    code, document = run(tmp_path, signal("data_drift", inputs, reference))
    assert code == 0
    assert document["verdict"] == "insufficient"
    assert document["tested"] == 0
    note = document["signals"][0]["metrics"][0]["note"]
    assert note == "99 rows with a value in production, 100 are needed"
    _, document = run(tmp_path, signal("data_drift", inputs, reference), minimum_rows=90)
    assert document["verdict"] == "breach"


def test_a_window_without_rows_tells_nothing(
    tmp_path: Path, collect: Collect, reference: Path
) -> None:
    inputs = collect("inputs", people(200, 9)[FEATURES])
    late = signal("data_drift", inputs, reference)
    late["production"]["window_offset"] = "P30D"
    code, document = run(tmp_path, late)
    assert (code, document["verdict"]) == (0, "insufficient")


def test_a_collection_that_is_empty_yet_tells_nothing(tmp_path: Path, reference: Path) -> None:
    (tmp_path / "inputs").mkdir()
    code, document = run(tmp_path, signal("data_drift", tmp_path / "inputs", reference))
    assert (code, document["verdict"]) == (0, "insufficient")


def test_custom_metrics_have_their_thresholds(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text(
        "group,metric_name,metric_value,threshold_value\na,gap,0.3,0.2\nb,gap,0.1,0.2\n"
    )
    asked = {"name": "own", "type": "custom", "production": {"path": str(path)}}
    _, document = run(tmp_path, asked)
    assert breaches(document) == {("gap", "a")}
    _, document = run(tmp_path, {**asked, "thresholds": [{"metric": "gap", "threshold": 0.5}]})
    assert breaches(document) == set()


def test_mistakes_are_told(
    tmp_path: Path, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, signal("data_drft", reference, reference))[0] == 2
    assert "did you mean 'data_drift'" in capsys.readouterr().err
    missing = signal("data_drift", tmp_path / "gone", reference)
    assert run(tmp_path, missing)[0] == 1
    assert "no file or folder" in capsys.readouterr().err
    table = {"path": str(reference)}
    wrong = signal("data_drift", reference, reference, production=table, features=["hight"])
    assert run(tmp_path, wrong)[0] == 1
    assert "did you mean 'height'" in capsys.readouterr().err


def test_a_signal_that_fails_takes_no_other_with_it(
    tmp_path: Path, collect: Collect, reference: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = collect("inputs", people(500, 8, shift=3)[FEATURES])
    good = signal("data_drift", inputs, reference)
    wrong = signal("data_quality", inputs, reference, features=["hight"])
    known = {"name": "own", "type": "custom", "error": "signal 'own': no metrics\n  -> make some"}
    code, document = run(tmp_path, wrong, good, failed=[known])
    assert (code, document["verdict"]) == (1, "breach")
    assert [each["name"] for each in document["signals"]] == ["data_drift"]
    assert [each["name"] for each in document["failed"]] == ["own", "data_quality"]
    told = capsys.readouterr().err
    assert told.startswith("error: 2 of 3 signals failed:\n  signal 'own': no metrics\n")
    assert "  signal 'data_quality': no feature 'hight'" in told
    report = (tmp_path / "out" / "report.md").read_text()
    assert "Signals that could not be computed: own, data_quality." in report
    assert "did you mean 'height'" in report
    sections = read_findings(tmp_path / "out")["sections"]
    assert [each["verdict"] for each in sections] == ["bad"] * 4
    # Without a breach nobody is told that all is well.
    quiet = collect("quiet", people(500, 8)[FEATURES])
    code, document = run(tmp_path, signal("data_drift", quiet, reference), failed=[known])
    assert (code, document["verdict"], document["breaches"]) == (1, "failed", 0)
    assert capsys.readouterr().err == f"error: {known['error']}\n"
