from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from amlocal.errors import TargetError
from amlocal.local.database import Database


def nothing() -> None:
    pass


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "records.db", on_full=nothing)


def add(database: Database, name: str) -> None:
    database.write(
        "INSERT INTO assets (created, kind, name, version, info) VALUES (?, 'data', ?, '1', '{}')",
        (name,),
    )


def names(database: Database) -> list[str]:
    return [row[0] for row in database.all("SELECT name FROM assets ORDER BY name")]


def test_what_is_written_is_there_for_others(tmp_path: Path, database: Database) -> None:
    add(database, "a")
    assert names(Database(tmp_path / "records.db", on_full=nothing)) == ["a"]


def test_a_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing():
            database.execute(
                "INSERT INTO assets (kind, name, version, created, info)"
                " VALUES ('data', 'a', '1', 0, '')"
            )
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert names(database) == []
    add(database, "b")
    assert names(database) == ["b"]


def test_each_transaction_has_a_later_revision(database: Database) -> None:
    with database.writing() as first:
        pass
    with database.writing() as second:
        pass
    assert second == first + 1


def test_one_returns_the_first_row_or_none(database: Database) -> None:
    assert database.one("SELECT name FROM assets") is None
    add(database, "a")
    assert database.one("SELECT name FROM assets") == ("a",)


def test_records_of_a_newer_version_are_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "records.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(TargetError, match="newer amlocal"):
        Database(tmp_path / "records.db", on_full=nothing)


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "records.db").write_text("x" * 5000)
    with pytest.raises(TargetError, match="cannot be used: file is not a database"):
        Database(tmp_path / "records.db", on_full=nothing)


def test_a_broken_database_is_an_error(tmp_path: Path, database: Database) -> None:
    for number in range(200):
        add(database, f"name-{number}")
    database.close()
    path = tmp_path / "records.db"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(TargetError, match="cannot be used"):
        names(Database(path, on_full=nothing))


def test_room_is_made_once_on_a_full_disk(tmp_path: Path) -> None:
    made: list[int] = []

    def make_room() -> None:
        made.append(1)
        database.execute("PRAGMA max_page_count = 100000")

    database = Database(tmp_path / "records.db", on_full=make_room)
    # SQLite's own limit gives the same error as a disk without space.
    database.execute("PRAGMA max_page_count = 1")
    for number in range(300):
        add(database, f"name-{number}")
    assert made == [1]
    assert len(names(database)) == 300


def test_a_disk_that_stays_full_is_an_error(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.db", on_full=nothing)
    database.execute("PRAGMA max_page_count = 1")

    def fill() -> None:
        for number in range(300):
            add(database, f"name-{number}")

    with pytest.raises(TargetError, match=r"no space left on the disk of .*records\.db") as raised:
        fill()
    assert "aml workspace gc" in raised.value.hint


WRITER = """
import sys
from pathlib import Path
from amlocal.local.database import Database

database = Database(Path(sys.argv[1]), on_full=lambda: None)
for number in range(50):
    database.write(
        "INSERT INTO assets (created, kind, name, version, info) VALUES (?, 'd', ?, '1', '')",
        (f"{sys.argv[2]}-{number}",),
    )
"""


def test_processes_open_and_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)])
        for number in range(6)
    ]
    assert [writer.wait(60) for writer in writers] == [0] * 6
    database = Database(path, on_full=nothing)
    assert len(names(database)) == 300
    assert database.one("SELECT revision FROM counter") == (300,)
