from __future__ import annotations

import threading
from pathlib import Path

import pytest

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.asset_records import AssetRecords
from amlocal.local.database import Database
from amlocal.plan import AssetInfo


@pytest.fixture
def assets(tmp_path: Path) -> AssetRecords:
    return AssetRecords(Database(tmp_path / "records.db", on_full=lambda: None))


def data(name: str, version: str = "", digest: str = "") -> AssetInfo:
    return AssetInfo(kind="data", name=name, version=version, digest=digest)


def test_versions_are_counted(assets: AssetRecords) -> None:
    assert assets.add(data("d", digest="1")).version == "1"
    assert assets.add(data("d", "7", "2")).version == "7"
    assert assets.add(data("d", "beta", "3")).version == "beta"
    added = assets.add(data("d", digest="4"))
    assert added.version == "8"
    assert added.creation_time


def test_the_same_version_with_the_same_content_is_there_already(assets: AssetRecords) -> None:
    first = assets.add(data("d", "1", "x"))
    assert assets.add(data("d", "1", "x")) == first
    assert len(assets.list("data", "d")) == 1


def test_a_version_does_not_change(assets: AssetRecords) -> None:
    assets.add(data("d", "1", "x"))
    with pytest.raises(UsageError, match="data d:1 exists with another content"):
        assets.add(data("d", "1", "y"))


def test_latest_is_what_was_created_last(assets: AssetRecords) -> None:
    assets.add(data("d", "9"))
    assets.add(data("d", "2"))
    assert assets.get("data", "d").version == "2"
    assert assets.get("data", "d", label="latest").version == "2"
    assert assets.get("data", "d", "9").version == "9"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("x", None, None), "no data named 'x'"),
        (("d", "3", None), "no version of data d named '3'"),
        (("d", None, "best"), "no label of data d named 'best'"),
    ],
)
def test_what_is_not_there_is_an_error(
    assets: AssetRecords, asked: tuple[str, str | None, str | None], message: str
) -> None:
    assets.add(data("d", "1"))
    with pytest.raises(NotFoundError, match=message):
        assets.get("data", *asked)


def test_kinds_are_apart(assets: AssetRecords) -> None:
    assets.add(data("d"))
    with pytest.raises(NotFoundError):
        assets.get("component", "d")


def test_lists_and_archives(assets: AssetRecords) -> None:
    for name, version in (("b", "1"), ("a", "1"), ("a", "2")):
        assets.add(data(name, version))
    assert [(i.name, i.version) for i in assets.list("data")] == [("a", "2"), ("b", "1")]
    assert [i.version for i in assets.list("data", "a")] == ["2", "1"]
    assets.set_archived("data", "a", "2", archived=True)
    assert [(i.name, i.version) for i in assets.list("data")] == [("a", "1"), ("b", "1")]
    assert [i.version for i in assets.list("data", "a", "ArchivedOnly")] == ["2"]
    assert assets.get("data", "a", "2").archived
    assets.set_archived("data", "a", None, archived=True)
    assert [i.name for i in assets.list("data")] == ["b"]
    assets.set_archived("data", "a", None, archived=False)
    assert len(assets.list("data", "a")) == 2
    with pytest.raises(NotFoundError):
        assets.set_archived("data", "a", "5", archived=True)
    with pytest.raises(UsageError, match="no list view"):
        assets.list("data", view="Some")


def test_digests_are_those_of_every_version(assets: AssetRecords) -> None:
    assets.add(data("a", digest="x"))
    assets.add(data("a", digest="y"))
    assets.add(data("b"))
    assert assets.digests() == {"x", "y"}


def test_threads_get_versions_of_their_own(assets: AssetRecords) -> None:
    got: list[str] = []

    def add(number: int) -> None:
        got.append(assets.add(data("d", digest=str(number))).version)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got, key=int) == [str(number) for number in range(1, 9)]
