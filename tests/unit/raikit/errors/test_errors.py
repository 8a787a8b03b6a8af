from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.unit.raikit.scored import classified, measured, people, saying, wrong_at

from raikit.errors import analyse
from raikit.errors.cohorts import Worst, find, judge, measure, ranked
from raikit.errors.settings import Settings
from raikit.errors.tree import grow, readable
from raikit.errors.words import verdict_of
from stepkit.findings import Bars, Choice, Table, Tree, read_findings, write_findings
from stepkit.program import StepError

COLUMNS = ["age", "hours", "region", "sex"]
PNG = b"\x89PNG\r\n\x1a\n"


def planted(table: pd.DataFrame) -> np.ndarray:
    """Return which rows are of the subgroup: young people of the south."""
    return ((table["age"] <= 35) & (table["region"] == "south")).to_numpy()


def run(tmp_path: Path, scores, table, **settings):
    found, (section,) = analyse(scores, table, COLUMNS, Settings(tmp_path, **settings))
    return {figure.name: figure for figure in found}, section


def worst_of(scores, table: pd.DataFrame, seed: int) -> Worst:
    shown, _ = readable(table, COLUMNS)
    return find(scores, shown, Settings(Path(), seed=seed)).cohorts[0]


@pytest.mark.parametrize("seed", range(10))
def test_a_subgroup_with_doubled_error_is_named(seed: int) -> None:
    table = people(16_000, seed)
    worst = worst_of(wrong_at(np.where(planted(table), 0.3, 0.15), seed), table, seed)
    assert "region is south" in worst.condition
    cut = float(re.search(r"age <= (\d+)", worst.condition).group(1))
    assert cut == pytest.approx(35, abs=5)
    assert worst.ratio == pytest.approx(2, abs=0.45)
    assert worst.is_unexpected


def test_a_model_that_errs_alike_everywhere_gives_no_alarm() -> None:
    alarms = 0
    for seed in range(80):
        table = people(2000, seed)
        worst = worst_of(wrong_at(np.full(2000, 0.2), seed), table, seed)
        alarms += worst.is_unexpected
        if not worst.is_beyond_chance:
            assert verdict_of(worst) == "good"
    # One in forty is what the two-sided 95 % interval lets through.
    assert alarms <= 5


def test_a_tree_measured_where_it_was_found_would_alarm() -> None:
    # Why the rows are halved: the same noise, judged on the rows that the tree was grown on.
    alarms = 0
    for seed in range(20):
        table, _ = readable(people(2000, seed), COLUMNS)
        losses = (np.random.default_rng(seed).random(2000) < 0.2).astype(float)
        tree = grow(table, losses, np.arange(2000), Settings(Path()))
        own = measure(tree, table, losses)[ranked(tree, table, losses)[0]]
        alarms += judge(tree, own, table, losses, None).is_beyond_chance
    assert alarms >= 15


def test_the_report_names_a_planted_subgroup(tmp_path: Path) -> None:
    table = people(16_000, 0)
    figures, section = run(tmp_path, wrong_at(np.where(planted(table), 0.3, 0.15), 0), table)
    ratio = figures["worst_cohort_error_ratio"]
    assert "region is south" in ratio.note
    assert ratio.low > 1
    assert section.verdict == "warning"
    assert "It errs most where" in section.words[0]
    tree = next(block for block in section.blocks if isinstance(block, Tree))
    assert {"region", "age"} <= {node.condition.split()[0] for node in tree.nodes[1:]}


def test_hard_rows_that_the_model_knows_of_are_no_alarm(tmp_path: Path) -> None:
    table = people(8000, 0)
    chance = np.where(planted(table), 0.3, 0.1)
    scores = wrong_at(chance, 0)
    figures, section = run(tmp_path, saying(scores, chance), table)
    assert section.verdict == ""
    assert figures["worst_cohort_error_ratio"].low > 1
    unexpected = figures["worst_cohort_unexpected_error"]
    assert unexpected.low < 0 < unexpected.high
    assert "The model knows" in section.words[0]


def test_hard_rows_that_the_model_does_not_know_of_are(tmp_path: Path) -> None:
    table = people(8000, 0)
    scores = wrong_at(np.where(planted(table), 0.3, 0.1), 0)
    figures, section = run(tmp_path, saying(scores, np.full(8000, 0.1)), table)
    assert section.verdict == "warning"
    assert figures["worst_cohort_unexpected_error"].value == pytest.approx(0.2, abs=0.06)
    assert "The model does not know" in section.words[0]


def test_quantities_are_judged_by_their_errors(tmp_path: Path) -> None:
    table = people(6000, 0)
    rng = np.random.default_rng(0)
    truth = rng.normal(100, 10, 6000)
    spread = np.where(planted(table), 6.0, 2.0)
    scores = measured(truth, truth + rng.normal(0, 1, 6000) * spread)
    figures, section = run(tmp_path, scores, table)
    assert "region is south" in figures["worst_cohort_error_ratio"].note
    assert figures["worst_cohort_error_ratio"].value == pytest.approx(3, abs=0.5)
    assert "mean absolute error" in section.words[0]
    assert "worst_cohort_unexpected_error" not in figures
    squared, _ = run(tmp_path, scores, table, error="squared")
    assert squared["worst_cohort_error_ratio"].value == pytest.approx(9, abs=2.5)


def test_a_few_outliers_are_no_branch(tmp_path: Path) -> None:
    table = people(4000, 0)
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, 4000)
    predicted = truth + rng.normal(0, 1, 4000)
    predicted[:8] += 1000
    _, section = run(tmp_path, measured(truth, predicted), table)
    assert section.verdict == "good"


def test_the_report_has_details_pictures_and_blocks(tmp_path: Path) -> None:
    table = people(3000, 1)
    scores = wrong_at(np.where(planted(table), 0.4, 0.1), 1)
    _, section = run(tmp_path, scores, table)
    details = json.loads((tmp_path / "errors.json").read_text())
    assert details["tree"][0]["rows"] == 1500
    assert details["tree"][0]["coverage"] == 1
    leaves = set(range(len(details["tree"]))) - {node["parent"] for node in details["tree"]}
    assert sum(details["tree"][leaf]["rows"] for leaf in leaves) == 1500
    assert sum(details["tree"][leaf]["coverage"] for leaf in leaves) == pytest.approx(1)
    for name in ("error_cohorts.png", "error_heatmap.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)
    kinds = [type(block) for block in section.blocks]
    assert [Tree, Table, Bars, Choice] == kinds[:4]
    write_findings(tmp_path, "errors", [section])
    assert read_findings(tmp_path)["sections"][0]["blocks"][0]["kind"] == "tree"


def test_columns_of_the_map_can_be_named(tmp_path: Path) -> None:
    table = people(2000, 1)
    scores = wrong_at(np.full(2000, 0.3), 1)
    _, section = run(tmp_path, scores, table, heatmap=("sex",))
    grid = section.blocks[3]
    assert grid.x_label == "sex"
    assert [sum(row) for row in grid.counts] == [2000]
    with pytest.raises(StepError, match="give one or two"):
        run(tmp_path, scores, table, heatmap=("sex", "age", "region"))


@pytest.mark.parametrize(
    ("rows", "rate", "words"), [(2000, 0.0, "makes no error"), (60, 0.5, "too few")]
)
def test_where_nothing_can_be_told_the_reason_is(tmp_path, rows, rate, words) -> None:
    table = people(rows, 0)
    figures, section = run(tmp_path, wrong_at(np.full(rows, rate), 0), table)
    assert figures["worst_cohort_error_ratio"].value is None
    assert words in section.words[0]
    assert section.verdict == ""


def test_columns_that_tell_nothing_are_said(tmp_path: Path) -> None:
    table = pd.DataFrame({"same": ["a"] * 300})
    scores = classified([0, 1, 1] * 100, [0, 1, 0] * 100)
    _, (section,) = analyse(scores, table, ["same"], Settings(tmp_path))
    assert "No column tells" in section.words[0]
