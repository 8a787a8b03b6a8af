from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from amlocal.azure.promotions import AzurePromotionRegistry
from amlocal.errors import NotFoundError
from amlocal.promotion import Promotion, RefusedError, RegisteredVersion, promote

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.timezone.utc)


@dataclass
class Registry:
    """A registry in memory; `calls` tells in which order it was written to."""

    held: list[RegisteredVersion]
    refused: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def versions(self, name: str) -> Sequence[RegisteredVersion]:
        return self.held if name == "m" else ()

    def names(self) -> Sequence[str]:
        return ["m"]

    def refusal(self, version: RegisteredVersion) -> str:
        return self.refused.get(version.version, "")

    def tag(self, name: str, version: str, key: str, value: str) -> None:
        self.calls.append(f"{key}={value}")
        self.held = [
            replace(each, tags={**each.tags, key: value}) if each.version == version else each
            for each in self.held
        ]

    def give(self, name: str, alias: str, version: str) -> None:
        self.calls.append(f"give {alias} {version}")


@pytest.fixture
def registry() -> Registry:
    return Registry(
        [
            RegisteredVersion("3", aliases=("champion",)),
            RegisteredVersion("2", aliases=("challenger",)),
            RegisteredVersion("1"),
        ]
    )


def test_the_alias_moves_back_and_who_held_it_is_kept(registry: Registry) -> None:
    done = promote(registry, "m", "1", now=lambda: NOW)
    assert done == Promotion("m", "1", "champion", previous="3")
    tags = registry.held[2].tags
    assert tags["promoted.champion.from"] == "3"
    assert tags["promoted.champion.at"] == "2026-03-01T12:00:00+00:00"
    assert tags["promoted.champion.by"]
    assert "promoted.champion.forced" not in tags
    # Killed before the last one, the champion is who it was.
    assert registry.calls[-1] == "give champion 1"


def test_another_alias_leaves_the_champion_alone(registry: Registry) -> None:
    assert promote(registry, "m", "1", alias="challenger").previous == "2"
    assert registry.calls[-1] == "give challenger 1"


def test_who_holds_it_already_is_not_written_anew(registry: Registry) -> None:
    assert promote(registry, "m", "3").previous == "3"
    assert registry.calls == []


def test_what_the_gate_refused_needs_force(registry: Registry) -> None:
    registry.refused["1"] = "REFUSED m: auc is below 0.8"
    with pytest.raises(RefusedError, match="auc is below") as caught:
        promote(registry, "m", "1")
    assert (caught.value.exit_code, registry.calls) == (1, [])
    assert "--force" in caught.value.hint
    done = promote(registry, "m", "1", force=True)
    assert done.forced == registry.held[2].tags["promoted.champion.forced"]
    assert registry.calls[-1] == "give champion 1"


def test_what_is_not_there_is_told_with_what_is(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="'9'") as caught:
        promote(registry, "m", "9")
    assert "3" in caught.value.hint
    with pytest.raises(NotFoundError, match="'n'") as caught:
        promote(registry, "n", "1")
    assert "m" in caught.value.hint


class Mlflow:
    """MLflow's client of a workspace."""

    def __init__(self) -> None:
        self.tags: dict[str, dict[str, str]] = {"1": {}, "2": {"alias.champion": "true"}}
        self.aliases: dict[str, str] = {}
        self.asked: list[str] = []

    def search_model_versions(self, filter_string: str) -> list[Any]:
        assert filter_string == "name='m'"
        return [
            SimpleNamespace(version=version, run_id=f"run{version}", tags=tags)
            for version, tags in self.tags.items()
        ]

    def get_registered_model(self, name: str) -> Any:
        return SimpleNamespace(name=name, aliases=self.aliases)

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        self.tags[version][key] = value

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        del self.tags[version][key]

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        self.aliases[alias] = version

    def get_run(self, run_id: str) -> Any:
        tags = {"mlflow.parentRunId": "job"}
        return SimpleNamespace(
            info=SimpleNamespace(experiment_id="7"), data=SimpleNamespace(tags=tags)
        )

    def search_runs(self, experiments: list[str], filter_string: str) -> list[Any]:
        self.asked.append(filter_string)
        assert experiments == ["7"]
        return []


class NoAliases(Mlflow):
    """A workspace whose registry has no such call: Azure documents none."""

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        error = MlflowException("no such call")
        error.error_code = "ENDPOINT_NOT_FOUND"
        raise error


def test_in_azure_a_tag_stands_in_for_the_alias() -> None:
    client = NoAliases()
    done = promote(AzurePromotionRegistry(client), "m", "1")
    assert done.previous == "2"
    assert client.tags["1"]["alias.champion"] == "true"
    assert "alias.champion" not in client.tags["2"]
    assert client.asked == ["tags.gate = 'refused' and tags.`mlflow.parentRunId` = 'job'"]


def test_where_there_are_aliases_they_are_used() -> None:
    client = Mlflow()
    client.tags = {"1": {}, "2": {}}
    client.aliases = {"champion": "2"}
    done = promote(AzurePromotionRegistry(client), "m", "1")
    assert (done.previous, client.aliases) == ("2", {"champion": "1"})
    assert "alias.champion" not in client.tags["1"]
