"""Which workspace is meant: flags, the environment, or `config.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amlocal.errors import Problem, SpecError, UsageError

#: Environment variables of each name: those that Azure ML sets in its jobs and compute instances,
#: then those of `az` (`az configure --defaults` writes the same names into a file).
VARIABLES = {
    "subscription_id": ("AZUREML_ARM_SUBSCRIPTION", "AZURE_SUBSCRIPTION_ID"),
    "resource_group": ("AZUREML_ARM_RESOURCEGROUP", "AZURE_DEFAULTS_GROUP"),
    "workspace_name": ("AZUREML_ARM_WORKSPACE_NAME", "AZURE_DEFAULTS_WORKSPACE"),
}
FLAGS = {
    "subscription_id": "--subscription",
    "resource_group": "--resource-group",
    "workspace_name": "--workspace-name",
}
#: What stands in requests that are only shown, where nothing names a workspace.
PLACEHOLDERS = {
    "subscription_id": "00000000-0000-0000-0000-000000000000",
    "resource_group": "RESOURCE-GROUP",
    "workspace_name": "WORKSPACE",
}


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """The three names that identify a workspace.

    Attributes:
        subscription_id: The Azure subscription.
        resource_group: The resource group in it.
        workspace_name: The workspace in that.
    """

    subscription_id: str
    resource_group: str
    workspace_name: str

    @property
    def arm_id(self) -> str:
        """The workspace's path in Azure Resource Manager."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace_name}"
        )


def find_workspace(
    path: str | os.PathLike[str] | None,
    environ: Mapping[str, str],
    *,
    subscription_id: str | None = None,
    resource_group: str | None = None,
    workspace_name: str | None = None,
    dry_run: bool = False,
) -> WorkspaceId:
    """Return the workspace that flags, else the environment, else `config.json` name.

    Each of the three names is looked for on its own, so that a flag may override one of them.

    Args:
        path: A config file, or the folder from which one is searched upwards; None is the
            current folder.
        environ: The environment to read.
        subscription_id: Given by a flag.
        resource_group: Given by a flag.
        workspace_name: Given by a flag.
        dry_run: Placeholders stand for what nothing names.

    Raises:
        UsageError: Something is named nowhere.
        SpecError: The config file is not one.
    """
    flags = {
        "subscription_id": subscription_id,
        "resource_group": resource_group,
        "workspace_name": workspace_name,
    }
    found = {
        name: flags[name] or next((environ[v] for v in variables if environ.get(v)), "")
        for name, variables in VARIABLES.items()
    }
    if not all(found.values()):
        config = _config(Path() if path is None else Path(path))
        found = {name: value or config.get(name, "") for name, value in found.items()}
    if dry_run:
        found = {name: value or PLACEHOLDERS[name] for name, value in found.items()}
    missing = [name for name, value in found.items() if not value]
    if missing:
        flags_to_give = " ".join(f"{FLAGS[name]} ..." for name in missing)
        raise UsageError(
            f"no workspace to send to: {', '.join(missing)} not given",
            hint=f"give {flags_to_give}, or put the workspace's config.json (from Azure ML studio) "
            "into the project's folder",
        )
    return WorkspaceId(**found)


def _config(path: Path) -> dict[str, str]:
    """Return the names in the nearest config file, or nothing where there is none.

    The places and their order are those of `MLClient.from_config`: all the way up for one place
    before the next one is tried.
    """
    if path.is_file():
        return _read_config(path)
    folders = [path.absolute(), *path.absolute().parents]
    for place in (".azureml", "aml_config", "."):
        for name in ("config.json", "project.json"):
            for folder in folders:
                if (folder / place / name).is_file():
                    return _read_config(folder / place / name)
    return {}


def _read_config(file: Path) -> dict[str, str]:
    """Return the three names of a config file, as `MLClient.from_config` reads them."""
    hint = "download it anew from Azure ML studio (the workspace's name, then 'Download config')"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpecError([Problem(f"not a config file: {error}", hint, str(file))]) from error
    if not isinstance(config, dict):
        raise SpecError([Problem("not a config file: no JSON object in it", hint, str(file))])
    if isinstance(config.get("Scope"), str):  # the older form: one path that holds all three
        parts = config["Scope"].strip("/").split("/")
        named = dict(zip(parts[::2], parts[1::2], strict=False))
        keys = ("subscriptions", "resourceGroups", "workspaces")
        return {name: named.get(key, "") for name, key in zip(VARIABLES, keys, strict=True)}
    return {name: str(config[name]) for name in VARIABLES if config.get(name)}
