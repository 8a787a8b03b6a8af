from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.errors import UsageError
from amlocal.local.database import Database
from amlocal.local.triggers.events import events_after, find_event, last_event, record


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "records.db", on_full=lambda: None)


def test_an_event_is_there_once(database: Database) -> None:
    first = record(database, "drift", "weekly", {"signal": "age", "value": 0.3}, "weekly:1")
    again = record(database, "drift", "weekly", {"signal": "sex"}, "weekly:1")
    assert again == first
    assert first.detail == {"signal": "age", "value": 0.3}
    assert find_event(database, first.id) == first
    assert last_event(database) == first.id


def test_two_processes_record_it_once(database: Database, tmp_path: Path) -> None:
    other = Database(tmp_path / "records.db", on_full=lambda: None)
    numbers = {record(each, "drift", "weekly", {}, "k").id for each in (database, other, database)}
    assert len(numbers) == 1
    assert len(events_after(database, 0)) == 1


def test_events_are_found_by_type_and_source(database: Database) -> None:
    a = record(database, "drift", "weekly", {}, "1")
    b = record(database, "performance_decay", "weekly", {}, "2")
    c = record(database, "drift", "daily", {}, "3")
    assert events_after(database, 0) == [a, b, c]
    assert events_after(database, a.id, kind="drift") == [c]
    assert events_after(database, 0, kind="drift", source="weekly") == [a]


def test_an_unknown_type_is_told_of(database: Database) -> None:
    with pytest.raises(UsageError, match="no event type 'drit'") as error:
        record(database, "drit", "weekly", {}, "1")
    assert error.value.hint == "did you mean 'drift'?"
    assert last_event(database) == 0
