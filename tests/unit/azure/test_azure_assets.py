"""Assets of a workspace, over an object that stands in for the SDK's operations."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.azure.fakes import FakeAssets

from amlocal.azure.assets import AzureAssetOperations
from amlocal.azure.errors import azure_errors
from amlocal.azure.sdk import Data, Environment
from amlocal.content import Content
from amlocal.errors import SpecError, UsageError


def data(fake: FakeAssets) -> AzureAssetOperations:
    return AzureAssetOperations("data", fake, azure_errors)


def test_from_a_file_with_flags(project: Path) -> None:
    fake = FakeAssets()
    info = data(fake).create_or_update(
        "data.yml", overrides=["description=what"], name="other", version=None
    )
    assert (info.kind, info.name, info.version) == ("data", "other", "3")
    assert info.description == "what"


def test_from_an_object_with_flags() -> None:
    fake = FakeAssets()
    info = data(fake).create_or_update(Data(name="d", path="azureml://x"), version="9")
    assert (info.name, info.version) == ("d", "9")


def test_a_version_from_content_is_told_to_azure_and_no_other_is_touched() -> None:
    content = Content("environment", "d", "1", {"image": "x"})

    def content_of(kind: str, source: object, *, overrides: object = ()) -> Content:
        assert kind == "environment"
        return content

    operations = AzureAssetOperations(
        "environment", FakeAssets(), azure_errors, content_of=content_of
    )
    environment = Environment(name="d", image="x")
    assert operations.create_or_update(environment, version="content").version == (
        content.content_version
    )
    assert operations.create_or_update(environment, version="7").version == "7"


def test_from_fields_alone() -> None:
    fake = FakeAssets()
    info = data(fake).create_or_update(None, name="d", path="azureml://x", type="uri_file")
    assert (info.name, info.version, info.type) == ("d", "1", "uri_file")


@pytest.mark.parametrize("kind", ["component", "data"])
def test_nothing_to_make_it_from(kind: str) -> None:
    with pytest.raises(UsageError, match=f"a {kind} needs a file"):
        AzureAssetOperations(kind, FakeAssets(), azure_errors).create_or_update(None, path="x")


def test_a_wrong_file(project: Path) -> None:
    with pytest.raises(SpecError, match=r"job\.yml: "):
        data(FakeAssets()).create_or_update("job.yml")


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({}, ("get", "d", None, "latest")),
        ({"version": "2"}, ("get", "d", "2", None)),
        ({"label": "latest"}, ("get", "d", None, "latest")),
    ],
)
def test_which_version_is_got(asked: dict[str, str], sent: tuple[str, ...]) -> None:
    fake = FakeAssets([Data(name="d", version="2", path="azureml://x")])
    assert data(fake).get("d", **asked).version == "2"
    assert fake.calls == [sent]


def test_list() -> None:
    fake = FakeAssets([Data(name="d", version=v, path="azureml://x") for v in ("1", "2")])
    found = data(fake).list("d", list_view_type="ArchivedOnly")
    assert [asset.version for asset in found] == ["1", "2"]
    assert fake.calls == [("list", "d", "ArchivedOnly")]


def test_archive_and_restore() -> None:
    fake = FakeAssets()
    data(fake).archive("d", "1")
    data(fake).restore("d")
    assert fake.calls == [("archive", "d", "1"), ("restore", "d", None)]
