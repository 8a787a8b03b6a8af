"""Models of a workspace by what they hold: Azure's one label, and the aliases of MLflow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.azure.fakes import FakeAssets

from amlocal.azure.errors import azure_errors
from amlocal.azure.models import AzureModelOperations
from amlocal.azure.sdk import Model
from amlocal.errors import NotFoundError, TargetError


class Mlflow:
    """MLflow's client of a workspace with three versions of `m`, of which tags tell the champion.

    Args:
        aliases: What its registry knows of aliases, beside.
    """

    def __init__(self, aliases: dict[str, str] | None = None, champion: str = "1") -> None:
        self.aliases = aliases or {}
        self.tags = {
            number: {"alias.champion": "true"} if number == champion else {} for number in "123"
        }

    def search_model_versions(self, filter_string: str) -> list[Any]:
        if filter_string != "name='m'":
            return []
        return [
            SimpleNamespace(version=version, run_id="", tags=tags)
            for version, tags in self.tags.items()
        ]

    def get_registered_model(self, name: str) -> Any:
        return SimpleNamespace(name=name, aliases=self.aliases)

    def search_registered_models(self) -> list[Any]:
        return [SimpleNamespace(name="m")]


def models(fake: FakeAssets, client: Mlflow, *, sends: bool = True) -> AzureModelOperations:
    return AzureModelOperations(
        SimpleNamespace(models=fake), azure_errors, sends=sends, registry=lambda _: client
    )


@pytest.fixture
def fake() -> FakeAssets:
    return FakeAssets([Model(name="m", version="1", path="azureml://x")])


def test_the_champion_is_found_by_the_tag_that_stands_in_for_the_alias(fake: FakeAssets) -> None:
    assert models(fake, Mlflow()).get("m", label="champion").name == "m"
    # Azure is asked for the version: it knows no such label.
    assert fake.calls == [("get", "m", "1", None)]


def test_an_alias_of_the_registry_is_found(fake: FakeAssets) -> None:
    models(fake, Mlflow({"challenger": "3"})).get("m", label="challenger")
    assert fake.calls == [("get", "m", "3", None)]


@pytest.mark.parametrize("asked", [{}, {"label": "latest"}])
def test_latest_is_the_one_created_last_whoever_is_champion(
    fake: FakeAssets, asked: dict[str, str]
) -> None:
    models(fake, Mlflow()).get("m", **asked)
    assert fake.calls == [("get", "m", None, "latest")]


def test_what_nothing_holds_is_told_with_what_there_is(fake: FakeAssets) -> None:
    with pytest.raises(NotFoundError, match="'champoin'") as caught:
        models(fake, Mlflow({"champion": "2"})).get("m", label="champoin")
    assert "champion" in caught.value.hint
    with pytest.raises(NotFoundError, match="no model named 'n'"):
        models(fake, Mlflow()).get("n", label="champion")
    assert fake.calls == []


def test_a_dry_run_knows_no_champion(fake: FakeAssets) -> None:
    with pytest.raises(TargetError):
        models(fake, Mlflow(), sends=False).get("m", label="champion")
    with pytest.raises(TargetError):
        models(fake, Mlflow(), sends=False).promote("m", "1")
