from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.errors import NotFoundError, TargetError, UsageError, not_found
from amlocal.local.locations import Locations, is_address, redacted
from amlocal.local.workspace import Workspace

LONG = "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/blobs/paths/a/b.csv"
ASSETS = {
    ("irises", "2", None): "azureml://datastores/workspaceblobstore/paths/irises/2",
    ("irises", None, "latest"): "/data/irises",
    ("far", "1", None): "https://example.net/public/far.csv",
}


def find_asset(name: str, version: str | None, label: str | None) -> str:
    try:
        return ASSETS[name, version, label]
    except KeyError:
        raise not_found("data", name, [key[0] for key in ASSETS]) from None


def find_output(job: str, output: str) -> Path:
    return Path("/jobs") / job / output


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    found = Workspace(tmp_path / ".amlocal", tmp_path)
    found.create()
    return found


@pytest.fixture
def locations(workspace: Workspace) -> Locations:
    return Locations(workspace, find_asset=find_asset, find_output=find_output)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("/a/b c", "/a/b c"),
        ("file:///a/b%20c", "/a/b c"),
        ("file:/a/b", "/a/b"),
        ("azureml:irises@latest", "/data/irises"),
        ("azureml://jobs/fig/outputs/model", "/jobs/fig/model"),
        (
            "azureml://jobs/fig/outputs/artifacts/paths/outputs/m.bin",
            "/jobs/fig/artifacts/outputs/m.bin",
        ),
    ],
)
def test_addresses_of_this_machine(locations: Locations, address: str, place: str) -> None:
    assert locations.place(address) == Path(place)


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("azureml://datastores/blobs/paths/a/b.csv", "blobs/a/b.csv"),
        ("azureml://datastores/blobs/paths/", "blobs"),
        ("azureml://datastores/blobs/paths/a%20b/", "blobs/a b"),
        (LONG, "blobs/a/b.csv"),
        ("azureml:irises:2", "workspaceblobstore/irises/2"),
    ],
)
def test_addresses_in_a_datastore(
    locations: Locations, workspace: Workspace, address: str, inside: str
) -> None:
    assert locations.place(address) == workspace.datastores / inside


def test_an_unknown_asset_is_an_error(locations: Locations) -> None:
    with pytest.raises(NotFoundError, match="no data named 'iriss'") as raised:
        locations.place("azureml:iriss:1")
    assert raised.value.hint == "did you mean 'irises'?"


@pytest.mark.parametrize(
    "address",
    [
        "azureml://datastores/blobs/paths/../../../etc/passwd",
        "azureml://datastores/blobs/paths/a/%2e%2e/%2e%2e/x",
        "azureml://jobs/fig/outputs/model/paths/../other",
    ],
)
def test_an_address_does_not_lead_out_of_its_datastore(locations: Locations, address: str) -> None:
    with pytest.raises(UsageError, match="leads out of its datastore"):
        locations.place(address)


REMOTE = [
    "https://example.net/public/x.csv",
    "wasbs://box@account.blob.core.windows.net/public/x.csv",
    "abfss://box@account.dfs.core.windows.net/public/x.csv",
    "azureml://registries/azureml/data/x/versions/1",
]


@pytest.mark.parametrize("address", REMOTE)
def test_a_remote_address_names_the_file_to_write(
    locations: Locations, workspace: Workspace, address: str
) -> None:
    with pytest.raises(TargetError, match="is not on this machine") as raised:
        locations.place(address)
    assert f"{workspace.project / 'mirrors.yml'}: {address}: PATH" in raised.value.hint


@pytest.mark.parametrize("address", REMOTE)
def test_a_mirror_stands_for_an_address(
    locations: Locations, workspace: Workspace, address: str
) -> None:
    (workspace.project / "mirrors.yml").write_text(f"{address}: data/x.csv\n")
    assert locations.place(address) == workspace.project / "data" / "x.csv"


def test_the_longest_prefix_is_taken(locations: Locations, workspace: Workspace) -> None:
    (workspace.project / "mirrors.yml").write_text(
        "https://example.net/: all\nhttps://example.net/public/: /mnt/public\n"
    )
    assert locations.place("https://example.net/public/a/x.csv") == Path("/mnt/public/a/x.csv")
    assert locations.place("https://example.net/b.csv?sig=1") == workspace.project / "all/b.csv"
    assert locations.place("azureml:far:1") == Path("/mnt/public/far.csv")


def test_a_mirrored_address_does_not_lead_out(locations: Locations, workspace: Workspace) -> None:
    (workspace.project / "mirrors.yml").write_text("https://example.net/: all\n")
    with pytest.raises(UsageError, match="leads out"):
        locations.place("https://example.net/../../etc/passwd")


@pytest.mark.parametrize(
    ("content", "message"),
    [("- a\n- b\n", "does not map addresses to paths"), ("a: [b\n", "is not YAML")],
)
def test_a_wrong_mirrors_file_is_an_error(
    locations: Locations, workspace: Workspace, content: str, message: str
) -> None:
    (workspace.project / "mirrors.yml").write_text(content)
    with pytest.raises(UsageError, match=message):
        locations.place("https://example.net/x")


def test_existing_requires_that_something_is_there(
    locations: Locations, workspace: Workspace
) -> None:
    with pytest.raises(TargetError, match="there is no data at /nothing/here"):
        locations.existing("/nothing/here")
    address = "azureml://datastores/blobs/paths/x.csv"
    place = workspace.datastores / "blobs" / "x.csv"
    with pytest.raises(TargetError, match=f"there is no data at {address}") as raised:
        locations.existing(address)
    assert raised.value.hint == f"put the data to {place}"
    place.parent.mkdir()
    place.touch()
    assert locations.existing(address) == place


def test_places_in_a_datastore_have_addresses(locations: Locations, workspace: Workspace) -> None:
    place = locations.default_output("fig", "model")
    address = "azureml://datastores/workspaceblobstore/paths/azureml/fig/model"
    assert locations.address(place) == address
    assert locations.place(address) == place
    assert locations.address(workspace.jobs / "fig") == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", False),
        ("file:///a", False),
        ("azureml:x:1", True),
        ("https://x", True),
        ("a:b", False),
        ("./x:y", False),
    ],
)
def test_addresses_are_told_from_paths(path: str, expected: bool) -> None:
    assert is_address(path) is expected


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://x.net/a?sig=secret#part", "https://x.net/a"),
        ("https://user:key@x.net/a", "https://x.net/a"),
        ("git+https://token@x.net/repo.git", "git+https://x.net/repo.git"),
        ("wasbs://box@account.net/a", "wasbs://box@account.net/a"),
        ("azureml:x:1", "azureml:x:1"),
        ("/a/b?c", "/a/b?c"),
    ],
)
def test_secrets_are_taken_out_of_addresses(address: str, shown: str) -> None:
    assert redacted(address) == shown
