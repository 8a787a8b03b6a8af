from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatekit.evidence import Champion, EvidenceError, gather, read_champion, read_evidence
from stepkit.figures import Figure, Figures, write_figures


def figures(step: str, model: str = "m" * 64, rows: str = "r" * 64, *names: str) -> Figures:
    found = [Figure(name, "predictive", 0.5, "more", 10) for name in names]
    return Figures(step, model, rows, found)


def test_the_reports_of_one_model_are_put_together(tmp_path: Path) -> None:
    write_figures(tmp_path / "a", figures("evaluate", "m", "r", "auc"))
    write_figures(tmp_path / "b", figures("profile", "m", "", "latency"))
    write_figures(tmp_path / "c", figures("check_data", "", "", "data_rows"))
    (tmp_path / "a/metrics.json").write_text('{"task": "classification"}')
    found = read_evidence(tmp_path / name for name in "abc")
    assert [(each.step, each.figure.name) for each in found.findings] == [
        ("evaluate", "auc"),
        ("profile", "latency"),
        ("check_data", "data_rows"),
    ]
    assert (found.model_digest, found.test_data_digest, found.task) == ("m", "r", "classification")
    assert found.steps == ("evaluate", "profile", "check_data")
    assert found.champion is None


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (figures("explain", "n" * 64), "the same model (evaluate and profile: mmmmmmmmmmmm; expla"),
        (figures("explain", "m" * 64, "s" * 64), "the same test rows (evaluate and profile: rrrrr"),
    ],
)
def test_reports_of_two_models_or_tables_are_refused(other: Figures, message: str) -> None:
    with pytest.raises(EvidenceError) as error:
        gather([figures("evaluate"), figures("profile"), other])
    assert message in error.value.message
    assert error.value.hint


def test_a_report_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=r"figures\.json is not there"):
        read_evidence([tmp_path])
    (tmp_path / "figures.json").write_text('{"format": 0}')
    with pytest.raises(EvidenceError, match="is not of format 1"):
        read_evidence([tmp_path])


def test_a_figure_of_all_rows_is_found_by_name() -> None:
    found = gather([figures("evaluate", "m", "r", "auc", "recall")])
    figure = found.overall("recall")
    assert figure is not None
    assert figure.name == "recall"
    assert found.overall("rmse") is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, None),
        ({"version": None, "is_candidate": False}, Champion(None)),
        ({"version": "3", "is_candidate": True}, Champion("3", is_candidate=True)),
    ],
)
def test_a_decision_tells_the_champion(
    tmp_path: Path, said: dict | None, expected: Champion | None
) -> None:
    (tmp_path / "gate.json").write_text(json.dumps({"champion": said}))
    assert read_champion(tmp_path) == expected


@pytest.mark.parametrize("text", ["[]", "{}", '{"champion": {"is": 1}}', "no"])
def test_a_decision_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(EvidenceError, match=r"gate\.json cannot be read"):
        read_champion(tmp_path)
