from __future__ import annotations

import json

import engine
import pytest
from comparison import Report, machine_facts
from measuring import Timings


@pytest.fixture
def report() -> Report:
    return Report(
        machine={"machine": "m"},
        versions={"dvc": "3"},
        peers={
            "shell": Timings(10, [0.5]),
            "aml": Timings(10, [1.0, 1.2, 5.0], [0.3, 0.4, 0.5]),
            "kfp.local": Timings(10, [2.0, 2.4]),
            "dvc": Timings(10, [4.0], [0.5]),
        },
        growth=[Timings(10, [1.0], [0.4]), Timings(1000, [200.0], [3.0])],
    )


def test_goals_compare_medians(report: Report) -> None:
    kfp, dvc, growth = report.goals()
    assert kfp.ratio == pytest.approx(1.2 / 2.2)
    assert kfp.is_met
    assert dvc.ratio == pytest.approx(0.4 / 0.5)
    assert not dvc.is_met
    assert growth.ratio == pytest.approx((200 / 1000) / (1.0 / 10))
    assert not growth.is_met


def test_the_tables_say_the_same(report: Report) -> None:
    rows = {line.split()[0]: line for line in report.text().splitlines() if line}
    assert rows["kfp.local"].split() == [
        *("kfp.local", "2.20", "(2.00", "to", "2.40)", "runs", "everything", "4.4", "0.55")
    ]
    assert rows["1000"].split()[:6] == ["1000", "200.00", "(200.00", "to", "200.00)", "0.2000"]
    assert rows["1000"].split()[6] == f"{199 / 990:.4f}"
    assert report.text().count("missed") == 2


def test_without_a_peer_there_is_no_goal(report: Report) -> None:
    alone = Report(report.machine, {}, {"aml": report.peers["aml"]}, report.growth[:1])
    assert alone.goals() == []
    assert "goal" not in alone.text()


def test_json_holds_every_timing(report: Report) -> None:
    values = json.loads(json.dumps(report.json()))
    assert values["peers"]["aml"]["first"] == [1.0, 1.2, 5.0]
    assert [goal["met"] for goal in values["goals"]] == [True, False, False]


def test_the_machine_is_named() -> None:
    facts = machine_facts()
    assert "cores" in facts["machine"]
    assert facts["python"].split()[1].startswith("3.")


@pytest.mark.parametrize(("steps", "rounds"), [(1, 5), (10, 5), (100, 1), (1000, 1)])
def test_long_chains_are_measured_less_often(steps: int, rounds: int) -> None:
    assert engine.rounds_for(steps, 5) == rounds


def test_arguments() -> None:
    assert engine.parse([]).steps == [1, 10, 100, 1000]
    assert engine.parse(["--peers", "--steps"]).peers == []
    assert engine.parse(["--peers", "dvc"]).peers == ["dvc"]
