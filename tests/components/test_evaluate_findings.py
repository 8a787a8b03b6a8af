"""What evaluate concludes: planted faults are found, a sound model passes."""

from __future__ import annotations

import re
from dataclasses import replace

import evaluation_calibration as calibration
import evaluation_classes as classes
import evaluation_cohorts as cohorts
import evaluation_quantities as ranges
import numpy as np
import pandas as pd
import pytest
from evaluation_figures import Judged, Rival, judge
from evaluation_intervals import Settings
from tests.components.scored import of_classes
from tests.components.test_evaluate import measured

from stepkit.cohorts import Cohort, cohorts_of, part_of
from stepkit.costs import Prices
from stepkit.findings import write_findings
from stepkit.model import Scores

FEW = Settings(resamples=200)


def stated(came: np.ndarray, probability: np.ndarray) -> Scores:
    """Return predictions of two classes with the given probabilities of the second."""
    probabilities = np.column_stack([1 - probability, probability])
    return of_classes(came.astype(np.intp), probabilities, ("no", "yes"))


def right(rows: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return what came true, and its probabilities."""
    rng = np.random.default_rng(seed)
    logit = 2 * rng.normal(size=rows)
    probability = 1 / (1 + np.exp(-logit))
    return rng.random(rows) < probability, probability


def bent(probability: np.ndarray, slope: float = 1, shift: float = 0) -> np.ndarray:
    logit = slope * np.log(probability / (1 - probability)) + shift
    return 1 / (1 + np.exp(-logit))


def by_name(judged: Judged, name: str):
    return next(each for each in judged.headline if each.name == name)


@pytest.mark.parametrize("seed", range(5))
def test_right_probabilities_pass(seed: int) -> None:
    found = calibration.measure(stated(*right(seed=seed)), 0)
    assert found.verdict == "good"
    assert "can be taken at their word" in calibration.section(found, stated(*right())).words[0]


@pytest.mark.parametrize(
    ("slope", "shift", "fault"),
    [(2.5, 0, "too extreme"), (0.3, 0, "too cautious"), (1, 1, "too high"), (1, -1, "too low")],
)
def test_a_miscalibrated_score_is_found_and_its_fault_named(slope, shift, fault) -> None:
    came, probability = right()
    scores = stated(came, bent(probability, slope, shift))
    found = calibration.measure(scores, 0)
    assert found.verdict == "bad"
    assert fault in found.fault
    section = calibration.section(found, scores)
    assert section.verdict == "bad"
    assert fault in section.words[2]
    assert calibration.conclusion(found).startswith("miscalibrated")


def test_too_few_rows_tell_nothing_of_calibration() -> None:
    assert calibration.measure(stated(*right(30)), 0).verdict == ""


def test_without_a_fault_there_is_no_slope() -> None:
    scores = stated(np.array([False, True] * 20), np.array([0.1, 0.9] * 20))
    figures = calibration.figures_of(calibration.measure(scores, 0))
    assert [each.value is None for each in figures] == [False, True, True]


def test_guessing_is_bad_and_better_than_the_champion_is_good(tmp_path) -> None:
    came, probability = right()
    rng = np.random.default_rng(1)
    guess = stated(came, rng.random(len(came)))
    judged = judge(guess, "y", None, (), FEW)
    section = classes.sections(guess, "y", judged, (), Prices())[0]
    assert section.verdict == "bad"
    good = stated(came, probability)
    judged = judge(good, "y", Rival("7", guess), (), FEW)
    sections = classes.sections(good, "y", judged, (), Prices())
    assert sections[0].verdict == "good"
    assert "version 7" in sections[0].words[-1]
    against = by_name(judged, "auc").against
    assert against is not None
    assert against.low is not None
    assert against.low > 0.2
    assert against.difference == pytest.approx(good.metrics["auc"] - guess.metrics["auc"])
    write_findings(tmp_path, "evaluate", sections)


@pytest.mark.parametrize(("rows", "verdict"), [(200, ""), (10, "bad")])
def test_a_model_without_an_error_is_better_than_guessing_where_there_are_rows(
    rows: int, verdict: str
) -> None:
    came = np.arange(rows) % 5 == 0
    scores = stated(came, np.where(came, 0.9, 0.1))
    judged = judge(scores, "y", None, (), FEW)
    assert by_name(judged, "balanced_accuracy").low is None
    (section, *_) = classes.sections(scores, "y", judged, (), Prices())
    assert section.verdict == verdict


def test_a_usual_class_that_is_taken_for_positive_is_told() -> None:
    came = np.arange(1000) % 10 > 0
    scores = stated(came, np.where(came, 0.9, 0.2))
    words = classes.sections(scores, "y", judge(scores, "y", None, (), FEW), (), Prices())[0].words
    assert any("set positive_label to it" in each for each in words)
    rare = stated(~came, np.where(came, 0.2, 0.9))
    words = classes.sections(rare, "y", judge(rare, "y", None, (), FEW), (), Prices())[0].words
    assert not any("positive_label" in each for each in words)


def test_a_model_that_finds_nothing_is_told_in_words() -> None:
    came, probability = right()
    scores = stated(came, probability / 10)
    judged = judge(scores, "y", None, (), FEW)
    words = classes.sections(scores, "y", judged, (), Prices())[0].words
    assert words[1] == "Of 100 rows that are 'yes' it finds 0; it calls no row 'yes'."


def test_a_champion_of_the_same_predictions_differs_by_nothing() -> None:
    scores = stated(*right(400))
    judged = judge(scores, "y", Rival("1", scores), (), FEW)
    for each in judged.headline:
        assert each.against is not None
        assert (each.against.difference, each.against.low, each.against.high) == (0, 0, 0)


def test_shares_of_few_errors_have_wilsons_interval() -> None:
    scores = stated(np.array([False, True] * 20), np.array([0.1, 0.9] * 20))
    judged = judge(scores, "y", None, (), FEW)
    accuracy, auc = by_name(judged, "accuracy"), by_name(judged, "auc")
    assert accuracy.value == 1
    assert accuracy.low == pytest.approx(0.9124, abs=1e-4)
    assert (auc.low, auc.note) == (None, "every resample gives the same, so there is no interval")


def test_what_the_rows_do_not_define_says_why() -> None:
    judged = judge(stated(np.ones(40, dtype=bool), np.full(40, 0.7)), "y", None, (), FEW)
    assert by_name(judged, "auc").note == "the rows are of one class only"
    assert by_name(judged, "npv").value is None
    assert judged.costs is None


def test_a_cohort_with_doubled_error_is_named() -> None:
    came, probability = right()
    group = np.arange(len(came)) % 8 == 0
    flipped = group & (np.arange(len(came)) % 16 == 0)
    scores = stated(came ^ flipped, probability)
    table = pd.DataFrame({"group": np.where(group, "odd", "even"), "noise": np.arange(len(came))})
    judged = judge(scores, "y", None, cohorts_of(table, ["group", "noise"]), FEW)
    found = cohorts.worse(judged.parts, 0.95)
    assert [each.part.name for each in found] == ["group=odd"]
    section = cohorts.section(judged.parts, by_name(judged, "error_rate"), 0.95)
    assert section is not None
    assert "group=odd" in section.words[0]


def test_without_a_planted_cohort_none_is_named() -> None:
    named = 0
    for seed in range(20):
        scores = stated(*right(1000, seed))
        table = pd.DataFrame({"noise": np.random.default_rng(seed).integers(0, 8, 1000)})
        judged = judge(scores, "y", None, cohorts_of(table, ["noise"]), FEW)
        named += bool(cohorts.worse(judged.parts, 0.95))
    # One in twenty is expected; five or more have a probability below 0.003.
    assert named < 5


def test_a_cohorts_figures_are_those_of_its_rows_alone() -> None:
    scores = stated(*right(500))
    rows = np.arange(0, 500, 3)
    (part,) = judge(scores, "y", None, [Cohort("n", "third", rows, 1 / 3)], FEW).parts
    alone = part_of(scores, rows).metrics
    for name, figure in part.figures.items():
        assert figure.value == pytest.approx(alone[name])
        assert figure.cohort == "n=third"
        assert figure.sample == len(rows)
    low, high = part.figures["auc"].low, part.figures["auc"].high
    alone_judged = by_name(judge(part_of(scores, rows), "y", None, (), FEW), "auc")
    assert (low, high) == pytest.approx((alone_judged.low, alone_judged.high), abs=0.02)


def test_a_small_or_one_sided_cohort_is_said_to_be_so() -> None:
    scores = stated(*right(200))
    rows = np.flatnonzero(scores.truth == 1)[:5]
    (part,) = judge(scores, "y", None, [Cohort("n", "few", rows, 0.025)], FEW).parts
    assert part.figures["error_rate"].note.startswith("small")
    assert part.figures["auc"].note == "the rows are of one class only"


def test_a_planted_bias_is_found_where_it_is() -> None:
    sound = measured(4000)
    predicted = np.random.default_rng(0).uniform(0, 8, 4000)
    truth = predicted + np.random.default_rng(1).normal(size=4000) - 2 * (predicted > 7)
    scores = replace(sound, truth=truth, predicted=predicted)
    judged = judge(scores, "y", None, ranges.ranges_of(scores), FEW)
    words = ranges.sections(scores, "y", judged, judged.parts)[1].words[1]
    said = words.partition("chance does not explain the bias where it says ")[2]
    # Of the eight ranges, the one from 7 on; its bias is near 2.
    assert re.match(r"6\.9\d+ to 7\.9\d+ \(1\.\d+\)", said)
    assert said.count(" to ") == 1
