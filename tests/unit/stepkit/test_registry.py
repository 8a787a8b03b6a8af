"""Who is champion, in a registry with aliases and in one without, as Azure ML's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    ENDPOINT_NOT_FOUND,
    PERMISSION_DENIED,
    RESOURCE_ALREADY_EXISTS,
    RESOURCE_DOES_NOT_EXIST,
)

from stepkit.registry import RegisteredModel


class Registry:
    """A registry in memory that answers as MLflow's server does.

    Args:
        refusal: The error code that setting an alias is answered with, or None where it works.
    """

    def __init__(self, refusal: int | None = None) -> None:
        self.refusal = refusal
        self.models: dict[str, dict] = {}
        self.versions: dict[str, list] = {}

    def get_registered_model(self, name: str) -> SimpleNamespace:
        if name not in self.models:
            raise MlflowException("no such model", RESOURCE_DOES_NOT_EXIST)
        return SimpleNamespace(name=name, aliases=self.models[name])

    def create_registered_model(self, name: str) -> None:
        if name in self.models:
            raise MlflowException("it is there", RESOURCE_ALREADY_EXISTS)
        self.models[name] = {}

    def create_model_version(self, name, source, run_id=None, tags=None) -> SimpleNamespace:
        versions = self.versions.setdefault(name, [])
        number = str(len(versions) + 1)
        versions.append(SimpleNamespace(version=number, source=source, tags=dict(tags or {})))
        return versions[-1]

    def search_model_versions(self, filter_string: str) -> list:
        name = filter_string.removeprefix("name='").removesuffix("'")
        return self.versions.get(name, [])

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        if self.refusal is not None:
            raise MlflowException("refused", self.refusal)
        self.models[name][alias] = version

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.versions[name][int(version) - 1].tags[key] = value

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        del self.versions[name][int(version) - 1].tags[key]


@pytest.mark.parametrize("refusal", [None, ENDPOINT_NOT_FOUND])
def test_an_alias_is_held_by_one_version(refusal: int | None) -> None:
    model = RegisteredModel(Registry(refusal), "income")
    assert model.version_with("champion") is None
    for _ in range(12):
        model.add("runs:/1/model", "1", {"a": "b"})
    assert model.version_with("champion") is None
    model.give("champion", "2")
    model.give("challenger", "3")
    model.give("champion", "12")
    assert model.version_with("champion") == "12"
    assert model.version_with("challenger") == "3"


def test_without_aliases_a_tag_stands_in_and_moves() -> None:
    registry = Registry(ENDPOINT_NOT_FOUND)
    model = RegisteredModel(registry, "income")
    model.add("runs:/1/model", "1", {})
    model.add("runs:/2/model", "2", {})
    model.give("champion", "1")
    model.give("champion", "2")
    model.give("champion", "2")
    assert [version.tags for version in registry.versions["income"]] == [
        {},
        {"alias.champion": "true"},
    ]


def test_a_crash_between_two_tags_leaves_the_newer_version_champion() -> None:
    registry = Registry(ENDPOINT_NOT_FOUND)
    model = RegisteredModel(registry, "income")
    for _ in range(10):
        model.add("runs:/1/model", "1", {"alias.champion": "true"})
    assert model.version_with("champion") == "10"


def test_another_refusal_is_not_hidden() -> None:
    model = RegisteredModel(Registry(PERMISSION_DENIED), "income")
    model.add("runs:/1/model", "1", {})
    with pytest.raises(MlflowException, match="refused"):
        model.give("champion", "1")
