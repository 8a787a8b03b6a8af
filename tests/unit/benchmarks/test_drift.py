"""The comparison of monitors: which weeks, how alarms are counted, how they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from drift import Found, parse, parts, text, theirs, weeks
from drift_size import measure_size
from drift_weeks import CHANGES, rows
from peers.drift_program import Counted, check, figures, worse
from scipy.stats import binomtest
from sklearn import metrics

COUNTS = dict.fromkeys(CHANGES, 60) | {"nothing": 120}


def test_weeks_have_seeds_of_their_own() -> None:
    seeds = weeks(COUNTS)
    all_of_them = [seed for pairs in seeds.values() for seed, _ in pairs]
    assert len(set(all_of_them)) == len(all_of_them) == 360
    assert {before for _, before in seeds["nothing"]} == {900_000_000, 900_000_001, 900_000_002}


@pytest.mark.parametrize("count", [1, 3, 40])
def test_parts_have_every_week_once(count: int) -> None:
    seeds = weeks(COUNTS)
    found = parts(seeds, count)
    assert len(found) <= count
    for change, pairs in seeds.items():
        assert sorted(pair for part in found for pair in part.get(change, [])) == sorted(pairs)


def test_changes_are_those_that_are_stated() -> None:
    same = rows(1, 20_000)
    assert same.shape == (20_000, 16)
    shift, category, nulls = (rows(1, 20_000, name) for name in ("shift", "category", "nulls"))
    flip = rows(1, 20_000, "flip")
    assert (shift["normal"] - same["normal"]).mean() == pytest.approx(0.3 * 10)
    shares = [(each["four"] == "four-3").mean() for each in (same, category)]
    assert shares == pytest.approx([0.1, 0.2], abs=0.01)
    missing = [each["skewed"].isna().mean() for each in (same, nulls)]
    assert missing == pytest.approx([0.01, 0.05], abs=0.005)
    assert (flip["target"] != same["target"]).mean() == pytest.approx(0.05, abs=0.005)


def test_alarms_add_up_and_have_an_interval() -> None:
    found = Found({"nothing": 1}, {"nothing": 400}, 8.0)
    found.add(Found({"nothing": 3, "flip": 9}, {"nothing": 600, "flip": 10}, 12.1))
    for change, alarms, count in (("nothing", 4, 1000), ("flip", 9, 10)):
        expected = binomtest(alarms, count).proportion_ci(method="wilson")
        assert found.interval(change) == pytest.approx((expected.low, expected.high), abs=1e-9)
    said = found.as_json()
    assert said["changes"]["nothing"]["rate"] == 0.004
    assert said["seconds_a_week"] == pytest.approx(20.1 / 1010)


def test_the_table_says_shares_and_intervals() -> None:
    found = {"amlocal": Found(dict.fromkeys(CHANGES, 5), dict.fromkeys(CHANGES, 10), 2.5)}
    line = text(found).splitlines()[1]
    assert line.startswith("amlocal")
    assert line.count("50.0 (23.7-76.3)") == len(CHANGES)
    assert line.endswith("0.05")


def test_figures_of_evidently_are_scikit_learns() -> None:
    week = rows(3, 2_000)
    found, (true, said) = figures(week), (week["target"], week["prediction"])
    assert found["Accuracy"] == pytest.approx(metrics.accuracy_score(true, said))
    assert found["Precision"] == pytest.approx(metrics.precision_score(true, said, pos_label="yes"))
    assert found["Recall"] == found["TPR"] == pytest.approx(1 - found["FNR"])
    assert found["Recall"] == pytest.approx(metrics.recall_score(true, said, pos_label="yes"))
    assert found["F1 score"] == pytest.approx(metrics.f1_score(true, said, pos_label="yes"))
    assert found["TNR"] == pytest.approx(metrics.recall_score(true, said, pos_label="no"))
    assert found["TNR"] == pytest.approx(1 - found["FPR"])


def test_a_figure_may_be_off_by_a_fifth() -> None:
    before = {"Accuracy": 0.8, "FPR": 0.1}
    assert worse(before, {"Accuracy": 0.65, "FPR": 0.13}) == ["FPR"]
    assert worse(before, {"Accuracy": 0.95, "FPR": 0.1}) == []


def test_reports_that_say_anything_else_are_an_error() -> None:
    report = {
        "DataDriftPreset": ["Share of Drifted Columns: Less 0.500", "Value Drift for column age"],
        "ClassificationPreset": ["FPR metric: Equal 0.059 ± 0.012"],
    }
    check(["age"], ["FPR"], report)
    for columns, scores in ((["age", "two"], ["FPR"]), (["age"], [])):
        with pytest.raises(RuntimeError, match="but the reports say"):
            check(columns, scores, report)


def test_weeks_of_each_tool_are_counted() -> None:
    counted = Counted()
    for alarm in (True, False, True):
        counted.add("columns", "shift", alarm=alarm, seconds=0.5)
    assert counted.alarms["columns"]["shift"] == 2
    assert counted.weeks["columns"]["shift"] == 3
    assert counted.seconds["columns"] == 1.5


def test_what_evidently_says_is_read(tmp_path: Path) -> None:
    """A program stands in for the interpreter that evidently is installed in."""
    python = tmp_path / "venvs" / "evidently" / "bin" / "python"
    python.parent.mkdir(parents=True)
    said = '{"columns": {"alarms": {"shift": 1}, "weeks": {"shift": 2}, "seconds": 0.5}}'
    python.write_text(f"#!/bin/sh\necho noise\necho '{said}'\n")
    python.chmod(0o755)
    stamp = python.parents[1] / "installed.txt"
    stamp.write_text("evidently==0.7.23\npandas<3\nnumpy<2.4")
    args = parse(["--jobs", "2", "--folder", str(tmp_path / "drift")])
    seeds = {"shift": [(1, 10), (2, 11)]}
    # Two processes, each of which says the same.
    assert theirs(seeds, args) == {
        "evidently, columns": Found({"shift": 2}, {"shift": 4}, 1.0),
    }


@pytest.mark.slow
def test_a_small_collection_is_measured(tmp_path: Path) -> None:
    sized = measure_size(tmp_path, 3_000)
    assert sized.rows == 3_000
    # 50 of drift, 3 of quality of each, 1 of predictions.
    assert sized.metrics == 50 + 150 + 1
    assert sized.processor > 0
    assert 0.05 < sized.peak_gib < 4
    assert str(sized).startswith("3,000 rows of 50 features")
    assert len(list(tmp_path.rglob("*.jsonl"))) == 200
