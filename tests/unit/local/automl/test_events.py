from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from amlocal.errors import TargetError
from amlocal.local.automl.events import EventFile, Finished, Setup, TrialEnded, TrialStarted
from automlkit import events as told

SETUP = told.Setup(
    validation={"type": "holdout", "rows": 9},
    featurization=[{"column": "age"}],
    guardrails=[{"check": "Missing values", "state": "fixed", "detail": "3 imputed", "more": 1}],
)
STARTED = told.TrialStarted(2, "LightGBM", {"rate": 0.1}, 12.5)
ENDED = told.TrialEnded(2, "Failed", 13.5, message="no memory")
FINISHED = told.Finished(2, "timeout", "the best", {"accuracy": 0.5}, {"accuracy": 0.25})


@pytest.mark.parametrize(
    ("event", "kind"),
    [(SETUP, Setup), (STARTED, TrialStarted), (ENDED, TrialEnded), (FINISHED, Finished)],
)
def test_what_a_search_tells_is_read(tmp_path: Path, event: Any, kind: type) -> None:
    file = tmp_path / "events.jsonl"
    writer = told.Events(file)
    writer.tell(event)
    writer.close()
    (found,) = EventFile(file).new()
    assert type(found) is kind
    written = msgspec.to_builtins(event)
    for name, value in msgspec.to_builtins(found).items():
        if name == "guardrails":
            value = [{**row, "more": 1} for row in value]
        assert value == written[name]


def test_lines_are_read_once_and_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    events = EventFile(file)
    assert events.new() == []
    line = msgspec.json.encode(STARTED).decode()
    file.write_text(f"{line}\n{line[:20]}")
    assert len(events.new()) == 1
    assert events.new() == []
    with file.open("a") as stream:
        stream.write(f"{line[20:]}\n")
    assert len(events.new()) == 1
    assert events.new() == []


def test_a_metric_that_is_not_a_number_is_none(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    ended = told.TrialEnded(0, "Completed", 1.0, score=float("nan"), metrics={"a": float("inf")})
    file.write_bytes(msgspec.json.encode(ended) + b"\n")
    (found,) = EventFile(file).new()
    assert isinstance(found, TrialEnded)
    assert (found.score, found.metrics) == (None, {"a": None})


def test_another_line_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"event": "lunch"}\n')
    with pytest.raises(TargetError, match="holds a line that is no event: Invalid value 'lunch'"):
        EventFile(file).new()
