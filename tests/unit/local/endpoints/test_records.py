from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.database import Database
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import OnlineDeployment, OnlineEndpoint

CHOICE = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")


def open_records(folder: Path) -> EndpointRecords:
    return EndpointRecords(Database(folder / "records.db", on_full=lambda: None))


@pytest.fixture
def records(tmp_path: Path) -> EndpointRecords:
    return open_records(tmp_path)


def want(records: EndpointRecords, name: str = "adult", **fields: Any) -> int:
    plan = OnlineEndpoint(name=name, traffic={}, **fields)
    return records.want_endpoint(name, lambda *_: plan).revision


def version(name: str = "blue", folder: str = "v1", **fields: Any) -> DeploymentVersion:
    plan = OnlineDeployment(name=name, endpoint_name="adult", **fields)
    return DeploymentVersion(plan=plan, folder=folder, choice=CHOICE)


def test_what_is_wanted_is_there_for_other_processes(
    records: EndpointRecords, tmp_path: Path
) -> None:
    want(records, tags={"a": "b"})
    records.want_deployment(version(instance_count=3))
    other = open_records(tmp_path)
    assert other.get("adult").plan.tags == {"a": "b"}
    (found,) = other.deployments("adult")
    assert (found.state, found.version, found.served) == (
        "Creating",
        version(instance_count=3),
        None,
    )
    assert other.deployments() == [found]
    assert other.deployments("other") == []


def test_each_wish_has_a_later_revision_and_a_state_that_says_what_is_to_be_done(
    records: EndpointRecords,
) -> None:
    first = want(records)
    assert records.get("adult").state == "Creating"
    second = want(records)
    assert (second > first, records.get("adult").state) == (True, "Creating")
    records.settle_endpoint("adult", second, "Succeeded")
    created = records.get("adult").created
    want(records)
    assert (records.get("adult").state, records.get("adult").created) == ("Updating", created)


def test_what_was_wanted_before_settles_nothing(records: EndpointRecords) -> None:
    first = want(records)
    want(records)
    records.settle_endpoint("adult", first, "Failed", "old news")
    assert (records.get("adult").state, records.get("adult").error) == ("Creating", "")
    old = records.want_deployment(version())
    new = records.want_deployment(version(folder="v2"))
    records.settle_deployment(old, "Failed", "old news")
    assert records.get_deployment("adult", "blue").state == "Creating"
    records.note_served(new, new.version)
    records.settle_deployment(new, "Succeeded")
    found = records.get_deployment("adult", "blue")
    assert (found.state, found.served) == ("Succeeded", version(folder="v2"))


def test_a_plan_that_is_refused_changes_nothing(records: EndpointRecords) -> None:
    before = want(records)

    def refuse(*_: object) -> OnlineEndpoint:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        records.want_endpoint("adult", refuse)
    assert records.get("adult").revision == before


def test_what_is_being_deleted_takes_no_wishes(records: EndpointRecords) -> None:
    want(records)
    records.want_deployment(version())
    records.want_no_deployment("adult", "blue", lambda endpoint: endpoint.plan)
    with pytest.raises(UsageError, match="deployment 'blue' is being deleted"):
        records.want_deployment(version())
    records.want_no_endpoint("adult")
    for wish in (lambda: want(records), lambda: records.touch_endpoint("adult")):
        with pytest.raises(UsageError, match="endpoint 'adult' is being deleted"):
            wish()
    with pytest.raises(UsageError, match="endpoint 'adult' is being deleted"):
        records.want_deployment(version("green"))


def test_only_what_is_to_go_is_removed(records: EndpointRecords) -> None:
    want(records)
    record = records.want_deployment(version())
    records.remove_deployment(record)
    assert records.find_deployment("adult", "blue") == record
    records.want_no_endpoint("adult")
    assert {r.state for r in records.deployments()} == {"Deleting"}
    records.remove_endpoint("adult")
    assert (records.endpoints(), records.deployments()) == ([], [])


def test_names_that_nothing_answers_to(records: EndpointRecords) -> None:
    want(records)
    with pytest.raises(NotFoundError, match="no endpoint named 'adlut'") as caught:
        records.get("adlut")
    assert caught.value.hint == "did you mean 'adult'?"
    with pytest.raises(NotFoundError, match="no deployment of endpoint 'adult' named 'blue'"):
        records.get_deployment("adult", "blue")
    with pytest.raises(NotFoundError):
        records.want_no_endpoint("other")
    with pytest.raises(NotFoundError):
        records.want_deployment(
            DeploymentVersion(
                plan=OnlineDeployment(name="b", endpoint_name="other"), folder="", choice=CHOICE
            )
        )


def test_how_instances_are_is_noted_and_forgotten_when_all_end(records: EndpointRecords) -> None:
    want(records)
    records.want_deployment(version())
    records.note_trouble("adult", "blue", "it ended")
    records.note_instances("adult", "blue", 2)
    found = records.get_deployment("adult", "blue")
    assert (found.trouble, found.ready, found.error) == ("it ended", 2, "")
    records.note_down()
    found = records.get_deployment("adult", "blue")
    assert (found.trouble, found.ready) == ("", 0)


def test_wishes_of_many_at_once_are_all_kept(records: EndpointRecords, tmp_path: Path) -> None:
    want(records)

    def wish(number: int) -> None:
        def add(old: Any, _: Any) -> OnlineEndpoint:
            tags = {**old.plan.tags, str(number): ""}
            return OnlineEndpoint(name="adult", tags=tags)

        open_records(tmp_path).want_endpoint("adult", add)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(wish, range(20)))
    assert records.get("adult").plan.tags.keys() == {str(n) for n in range(20)}


def test_what_came_of_something_is_written_once_room_was_made(tmp_path: Path) -> None:
    made: list[int] = []

    def make_room() -> None:
        made.append(1)
        database.execute("PRAGMA max_page_count = 100000")

    database = Database(tmp_path / "records.db", on_full=make_room)
    records = EndpointRecords(database)
    revision = want(records)
    # SQLite's own limit gives the same error as a disk without space.
    database.execute("PRAGMA max_page_count = 1")
    records.settle_endpoint("adult", revision, "Failed", "x" * 100_000)
    assert made == [1]
    assert records.get("adult").state == "Failed"
