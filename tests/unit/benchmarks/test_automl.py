"""The comparison of AutoML systems: what is run, how it is scored, how it is reported."""

import json

import numpy as np
import pytest
from automl import parse, read_results, wanted
from automl_report import difference, mean_ranks, ranks, report
from automl_running import Run, score
from automl_tables import TABLES


def result(system, value, table="diabetes", budget=60.0, seed=0, **more):
    return {
        "system": system,
        "table": table,
        "budget": budget,
        "seed": seed,
        "status": "done",
        "score": value,
        "wall": 50.0,
        "predict_ms": 2.0,
        "peak_bytes": 2**30,
        **more,
    }


def test_at_least_seven_tables_some_of_them_small():
    assert len(TABLES) >= 7
    sizes = {name: len(TABLES[name].split(0)[0]) for name in ("anes96", "star98", "diabetes")}
    assert all(rows < 1000 for rows in sizes.values())


def test_a_split_is_the_seeds_and_loses_no_row():
    train, test = TABLES["star98"].split(1)
    again, _ = TABLES["star98"].split(1)
    other, _ = TABLES["star98"].split(2)
    assert train.equals(again)
    assert not train.equals(other)
    assert len(train) + len(test) == 303


def test_a_system_without_budget_runs_once_a_seed():
    arguments = parse(["--systems", "histgb", "flaml", "--tables", "diabetes", "--seeds", "0"])
    assert wanted(arguments) == [
        Run("histgb", "diabetes", 0.0, 0),
        Run("flaml", "diabetes", 60.0, 0),
        Run("flaml", "diabetes", 180.0, 0),
    ]


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    file = tmp_path / "results.jsonl"
    file.write_text(json.dumps(result("flaml", 0.2)) + '\n{"system": "fl')
    assert [one["system"] for one in read_results(file)] == ["flaml"]
    assert read_results(tmp_path / "none") == []


def test_ranks_follow_the_metrics_direction_and_failures_are_last():
    errors = {"a": result("a", 0.2), "b": result("b", 0.1), "c": result("c", 0, status="failed")}
    assert ranks(errors) == {"a": 2.0, "b": 1.0, "c": 3.0}
    areas = {"a": result("a", 0.8, "adult"), "b": result("b", 0.9, "adult")}
    assert ranks(areas) == {"a": 2.0, "b": 1.0}
    assert ranks({"a": result("a", 0.2), "b": result("b", 0.2)}) == {"a": 1.5, "b": 1.5}


def test_a_system_without_budget_takes_part_at_every_budget():
    results = [result("ours", 0.1, budget=budget) for budget in (60.0, 180.0)]
    results.append(result("histgb", 0.2, budget=0.0))
    for budget in (60.0, 180.0):
        assert mean_ranks(results, budget) == {"ours": 1.0, "histgb": 2.0}


def test_cells_without_all_systems_do_not_count():
    results = [result("a", 0.1), result("b", 0.2), result("a", 0.5, seed=1)]
    assert mean_ranks(results, 60.0) == {"a": 1.0, "b": 2.0}


def test_a_difference_has_an_interval_about_it():
    random = np.random.default_rng(0)
    truth = random.normal(size=300)
    good, bad = truth + 0.1 * random.normal(size=300), truth + random.normal(size=300)
    gain, low, high = difference("diabetes", good, bad, truth)
    assert 0 < low < gain < high
    assert difference("diabetes", good, good, truth) == (0.0, 0.0, 0.0)


def test_a_score_is_azures_metric():
    truth = np.array([0.0, 10.0])
    found = score(TABLES["diabetes"], truth, np.array([1.0, 10.0]), np.array([0.0, 20.0]))
    assert found == pytest.approx(np.sqrt(0.5) / 20)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    table = TABLES["breast_cancer"]
    assert score(table, np.array([0, 1]), probabilities, np.array([0, 1])) == 1.0


def test_the_report_has_scores_ranks_and_limits(tmp_path):
    results = [result("amlocal", 0.1, predict_ms=20.0), result("flaml", 0.2, wall=90.0)]
    for system, error in (("amlocal", 0.1), ("flaml", 1.0)):
        truth = np.random.default_rng(0).normal(size=200)
        noise = error * np.random.default_rng(1).normal(size=200)
        np.savez(tmp_path / f"{system}-diabetes-60-0.npz", predictions=truth + noise, truth=truth)
    lines = report(results, tmp_path).splitlines()
    assert any(line.startswith("mean rank") and "1.00" in line for line in lines)
    assert "  flaml                1   0   0" in lines
    assert any("beyond 1.05 budgets at most -13.0" in line and "met" in line for line in lines)
    assert any("a row at most 20.0" in line and "missed" in line for line in lines)
