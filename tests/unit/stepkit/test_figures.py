"""Figures and findings: what a step writes, the gate and the report read alike."""

from __future__ import annotations

import json

import numpy as np
import pytest

from stepkit.figures import Against, Figure, Figures, read_figures, write_figures
from stepkit.findings import (
    Bars,
    Chart,
    Choice,
    Line,
    Section,
    Table,
    read_findings,
    write_findings,
)
from stepkit.program import StepError


def test_figures_come_back_as_they_were_written(tmp_path):
    against = Against(version="3", value=0.9, difference=0.02, low=0.01, high=0.03)
    figures = (
        Figure("auc", "predictive", 0.92, "more", 500, low=0.9, high=0.94, against=against),
        Figure("soak_slope", "processing", None, "less", 3, unit="MB/min", note="too short"),
    )
    found = Figures("evaluate", "abc", "def", figures)
    write_figures(tmp_path, found)
    assert read_figures(tmp_path) == found


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="give None and a note"):
        Figure("auc", "predictive", value, "more", 5)


def test_a_figure_without_a_value_says_why():
    with pytest.raises(ValueError, match="neither a value nor a note"):
        Figure("auc", "predictive", None, "more", 5)


@pytest.mark.parametrize(
    "text", ["{}", "[]", '{"format": 1}', '{"format": 9, "figures": []}', "not json"]
)
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "figures.json").write_text(text)
    with pytest.raises(StepError, match=r"figures\.json"):
        read_figures(tmp_path)


def test_blocks_say_their_kind_and_hold_plain_numbers(tmp_path):
    chart = Chart((Line("roc", np.array([0.0, 1.0]), np.array([0.0, 1.0])),), "x", "y")
    choice = Choice("feature", {"age": (chart, Bars(("a",), (np.float64(1.5),), "share"))})
    table = Table(("name", "n"), (("a", np.int64(3)), ("b", None)), {"n": ",d"})
    write_findings(tmp_path, "explain", (Section("Why", ("In words.",), (choice, table)),))
    sections = read_findings(tmp_path)["sections"]
    picked = sections[0]["blocks"][0]["options"]["age"]
    assert [each["kind"] for each in picked] == ["chart", "bars"]
    assert picked[0]["lines"][0]["y"] == [0.0, 1.0]
    assert picked[1]["values"] == [1.5]
    assert sections[0]["blocks"][1]["rows"] == [["a", 3], ["b", None]]


def test_findings_with_a_number_that_json_has_not_are_refused(tmp_path):
    bars = Bars(("a",), (float("nan"),), "share")
    with pytest.raises(ValueError, match="JSON"):
        write_findings(tmp_path, "explain", (Section("Why", (), (bars,)),))
    assert not (tmp_path / "findings.json").exists()


def test_findings_of_another_format_are_refused(tmp_path):
    (tmp_path / "findings.json").write_text(json.dumps({"format": 7}))
    with pytest.raises(StepError, match="not of format 1"):
        read_findings(tmp_path)
