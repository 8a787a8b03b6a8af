from __future__ import annotations

import uuid

import pytest

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.registry import Registry
from amlocal.local.tracking.transport import ServerError

SOURCE = "mlflow-artifacts:/registered-models/m/1"


@pytest.fixture
def registry(tracking: TrackingClient) -> Registry:
    return tracking.registry


@pytest.fixture
def model(registry: Registry) -> str:
    name = f"model-{uuid.uuid4().hex[:8]}"
    registry.ensure_model(name)
    return name


def test_a_model_is_made_once(registry: Registry, model: str) -> None:
    registry.ensure_model(model)
    assert list(registry.models()).count(model) == 1


def test_versions_count_up_and_keep_what_was_given(registry: Registry, model: str) -> None:
    first = registry.create_version(model, SOURCE, description="d", tags={"a": "b c"})
    second = registry.create_version(model, SOURCE)
    assert (first.version, second.version) == ("1", "2")
    assert registry.version(model, "1") == first
    assert (first.source, first.description, first.tags) == (SOURCE, "d", {"a": "b c"})
    assert [item.version for item in registry.versions(model)] == ["2", "1"]
    assert registry.address(model, "1") == SOURCE


def test_an_alias_stands_for_one_version(registry: Registry, model: str) -> None:
    for _ in range(2):
        registry.create_version(model, SOURCE)
    registry.set_alias(model, "champion", "1")
    registry.set_alias(model, "champion", "2")
    assert registry.version_by_alias(model, "champion").version == "2"
    assert [item.aliases for item in registry.versions(model)] == [("champion",), ()]
    registry.delete_alias(model, "champion")
    registry.delete_alias(model, "champion")
    with pytest.raises(ServerError) as caught:
        registry.version_by_alias(model, "champion")
    assert caught.value.code == "INVALID_PARAMETER_VALUE"


def test_tags_and_description_are_changed(registry: Registry, model: str) -> None:
    registry.create_version(model, SOURCE, tags={"old": "1"})
    registry.tag_version(model, "1", "new", "2")
    registry.untag_version(model, "1", "old")
    registry.untag_version(model, "1", "never")
    registry.describe_version(model, "1", "now")
    found = registry.version(model, "1")
    assert (found.tags, found.description) == ({"new": "2"}, "now")


def test_a_deleted_version_is_gone_and_its_number_too(registry: Registry, model: str) -> None:
    registry.create_version(model, SOURCE)
    registry.delete_version(model, "1")
    assert list(registry.versions(model)) == []
    assert registry.create_version(model, SOURCE).version == "2"


def test_what_is_not_there_is_told_by_its_code(registry: Registry, model: str) -> None:
    for call in (
        lambda: registry.version(model, "9"),
        lambda: registry.version("no such model", "1"),
        lambda: registry.create_version("no such model", SOURCE),
    ):
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.code == "RESOURCE_DOES_NOT_EXIST"
    assert list(registry.versions("no such model")) == []
    assert list(registry.versions("it's none")) == []


def test_versions_are_found_by_their_runs(
    registry: Registry, model: str, tracking: TrackingClient
) -> None:
    experiment = tracking.experiment("registry")
    runs = [tracking.create_run(experiment, "r", start_time=1.0).run_id for _ in range(3)]
    for run in runs[:2]:
        registry.create_version(model, SOURCE, run_id=run)
    found = registry.versions_of_runs([*runs, *(uuid.uuid4().hex for _ in range(60))])
    assert {item.run_id for item in found} == set(runs[:2])
