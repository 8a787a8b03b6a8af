"""Which workspace is meant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from amlocal.azure.workspace import PLACEHOLDERS, WorkspaceId, find_workspace
from amlocal.errors import SpecError, UsageError

CONFIG = {"subscription_id": "s", "resource_group": "g", "workspace_name": "w"}


def write(file: Path, config: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(config))
    return file


@pytest.mark.parametrize(
    "place",
    ["config.json", ".azureml/config.json", "aml_config/config.json", "project.json"],
)
def test_config_is_found_from_below(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, CONFIG)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_workspace(below, {}) == WorkspaceId("s", "g", "w")


def test_the_sdk_finds_the_same_config(tmp_path: Path) -> None:
    # Of several, the one in .azureml of a parent wins over the nearer plain one.
    write(tmp_path / ".azureml" / "config.json", CONFIG)
    below = tmp_path / "a"
    write(below / "config.json", {**CONFIG, "workspace_name": "nearer"})
    from amlocal.azure.sdk import MLClient, quiet

    with quiet():
        theirs = MLClient.from_config(credential=object(), path=str(below), enable_telemetry=False)
    assert find_workspace(below, {}).workspace_name == theirs.workspace_name == "w"


def test_a_config_file_may_be_named(tmp_path: Path) -> None:
    file = write(tmp_path / "team.json", CONFIG)
    assert find_workspace(file, {}) == WorkspaceId("s", "g", "w")


def test_older_config_holds_one_path(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"Scope": WorkspaceId("s", "g", "w").arm_id})
    assert find_workspace(tmp_path, {}) == WorkspaceId("s", "g", "w")


def test_flags_win_over_environment_over_config(tmp_path: Path) -> None:
    write(tmp_path / "config.json", CONFIG)
    environ = {"AZUREML_ARM_RESOURCEGROUP": "env-g", "AZURE_DEFAULTS_WORKSPACE": "env-w"}
    found = find_workspace(tmp_path, environ, workspace_name="flag-w")
    assert found == WorkspaceId("s", "env-g", "flag-w")


def test_azure_mls_own_variables_win_over_those_of_az(tmp_path: Path) -> None:
    environ = {
        "AZUREML_ARM_SUBSCRIPTION": "s1",
        "AZURE_SUBSCRIPTION_ID": "s2",
        "AZURE_DEFAULTS_GROUP": "g",
        "AZURE_DEFAULTS_WORKSPACE": "w",
    }
    assert find_workspace(tmp_path, environ) == WorkspaceId("s1", "g", "w")


def test_what_is_named_nowhere_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="subscription_id, workspace_name not given") as caught:
        find_workspace(tmp_path, {"AZURE_DEFAULTS_GROUP": "g"})
    assert "--subscription" in caught.value.hint
    assert "--resource-group" not in caught.value.hint
    assert "config.json" in caught.value.hint


def test_a_dry_run_needs_no_workspace(tmp_path: Path) -> None:
    found = find_workspace(tmp_path, {}, resource_group="g", dry_run=True)
    assert found.resource_group == "g"
    assert found.workspace_name == PLACEHOLDERS["workspace_name"]


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_a_broken_config_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SpecError, match=r"config\.json: not a config file"):
        find_workspace(tmp_path, {})


def test_the_path_in_azure() -> None:
    assert WorkspaceId("s", "g", "w").arm_id == (
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    )
