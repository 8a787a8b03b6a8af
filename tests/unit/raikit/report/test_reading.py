"""What steps wrote is read back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.raikit.report import example

from raikit.report import Part, read_part, worst
from stepkit.findings import FILE, Section, Thresholds
from stepkit.program import StepError, write_json


def as_lists(value):
    """Return a value as JSON leaves it."""
    return json.loads(json.dumps(value, default=lambda each: vars(each)))


@pytest.mark.parametrize("part", example.report().parts, ids=lambda part: part.name)
def test_a_part_comes_back(part: Part, tmp_path: Path) -> None:
    folder = example.write_part(part, tmp_path / "step", "digest")
    found = read_part(folder, part.name, part.title)
    assert as_lists(found.sections) == as_lists(part.sections)
    assert found.figures == tuple(part.figures)
    assert (found.verdict, found.pictures) == (part.verdict, folder)


def test_a_part_without_figures(tmp_path: Path) -> None:
    part = Part("p", "P", [Section("S", ["W"])])
    assert read_part(example.write_part(part, tmp_path / "p", ""), "p", "P").figures == ()


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"kind": "film"}, "no kind of block 'film'"),
        ({"no": "kind"}, "KeyError"),
        ({"kind": "bars", "names": []}, "TypeError"),
        ({"kind": "chart", "lines": [{"name": "a", "x": [1], "y": [1, 2]}]}, "1 x and 2 y"),
        ("text", "ValueError"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_file(block, reason: str, tmp_path: Path) -> None:
    section = {"title": "T", "words": [], "blocks": [block]}
    write_json(tmp_path / FILE, {"format": 1, "step": "s", "sections": [section]})
    with pytest.raises(StepError, match=f"{FILE} cannot be read: .*{reason}"):
        read_part(tmp_path, "p", "P")


def test_no_findings_are_told(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="is not there"):
        read_part(tmp_path, "p", "P")


def test_the_worst_verdict_counts() -> None:
    assert worst(["good", "", "warning"]) == "warning"
    assert worst(["good", "bad"]) == "bad"
    assert worst(["", ""]) == ""


@pytest.mark.parametrize(
    ("words", "lead"),
    [
        (["It is right. Mostly."], "It is right."),
        (["It costs 0.5 each, e.g. here"], "It costs 0.5 each, e.g. here"),
        ([], ""),
    ],
)
def test_the_lead_is_the_first_sentence(words: list[str], lead: str) -> None:
    assert Part("p", "P", [Section("S", words)]).lead == lead
    assert Part("p", "P", []).lead == ""


def test_the_lead_is_of_the_section_that_the_verdict_is_of() -> None:
    sections = [
        Section("A", ["It fits."], verdict="good"),
        Section("B", ["It may leak."], verdict="warning"),
        Section("C", ["It leaks. Surely."], verdict="bad"),
    ]
    assert Part("p", "P", sections).lead == "It leaks."
    assert Part("p", "P", sections[:2]).lead == "It may leak."
    assert Part("p", "P", sections[:1]).lead == "It fits."


def test_headlines_are_of_all_rows_or_of_a_whole_column() -> None:
    names = [(each.name, each.cohort) for each in example.responsible().headlines(3)]
    assert names == [
        ("demographic_parity_difference", "sex"),
        ("equalised_odds_difference", "sex"),
        ("worst_cohort_error_ratio", ""),
    ]
    assert [each.name for each in example.evaluation().headlines(2)] == ["auc", "error_rate"]


def test_the_example_has_every_kind_of_block() -> None:
    assert isinstance(example.thresholds(), Thresholds)
