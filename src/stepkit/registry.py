"""Versions of a model in MLflow's registry, and who is champion and challenger.

MLflow marks a version with an alias. Azure ML's registry answers MLflow's registry calls but
documents no aliases (its page "Manage models registry in Azure Machine Learning with MLflow" has
tags and stages), so where the server has no such call, a tag `alias.champion: "true"` of the model
version stands in. Nothing else here depends on where the registry is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from mlflow.exceptions import MlflowException

#: Error codes of a server that has no such call.
_NO_SUCH_CALL = ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED")


class RegistryClient(Protocol):
    """The part of `mlflow.MlflowClient` that is used here."""

    def get_registered_model(self, name: str) -> Any:
        """Return a registered model, with its aliases."""

    def create_registered_model(self, name: str) -> Any:
        """Create a registered model."""

    def create_model_version(
        self, name: str, source: str, run_id: str | None = None, tags: dict[str, Any] | None = None
    ) -> Any:
        """Create a version of a registered model."""

    def search_model_versions(self, filter_string: str) -> Any:
        """Return versions."""

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        """Point an alias at a version."""

    def set_model_version_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""

    def delete_model_version_tag(self, name: str, version: str, key: str) -> None:
        """Delete a version's tag."""


class RunsClient(Protocol):
    """The part of `mlflow.MlflowClient` that knows runs."""

    def get_run(self, run_id: str) -> Any:
        """Return a run."""


def settle_name(name: str, target: str, task: str) -> str:
    """Return the model's name, where `auto` is made of target and task, in letters Azure allows."""
    return re.sub(r"[^\w-]+", "-", f"{target}-{task}").strip("-") if name == "auto" else name


def training_run_tags(client: RunsClient, run_id: str) -> dict[str, str]:
    """Return the tags of the run that trained a model; none where it is not known here."""
    if not run_id:
        return {}
    try:
        return dict(client.get_run(run_id).data.tags)
    except MlflowException as error:
        # A model may come from another workspace; its lineage then says the run's id only.
        print(f"note: training run {run_id} is not known here: {error.error_code}")
        return {}


def _alias_tag(alias: str) -> str:
    return f"alias.{alias}"


class RegisteredModel:
    """One model name in the registry.

    Args:
        client: MLflow's client.
        name: The model's name.
    """

    def __init__(self, client: RegistryClient, name: str) -> None:
        self.name = name
        self._client = client

    def version_with(self, alias: str) -> str | None:
        """Return the version that holds an alias, or None."""
        try:
            model = self._client.get_registered_model(self.name)
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        if alias in model.aliases:
            return str(model.aliases[alias])
        tagged = self._tagged(alias)
        return max(tagged, key=int) if tagged else None

    def tags_of(self, version: str) -> dict[str, str]:
        """Return the tags of a version; none where there is no such version."""
        versions = self._client.search_model_versions(f"name='{self.name}'")
        found = [each.tags for each in versions if str(each.version) == version]
        return dict(found[0]) if found else {}

    def add(self, source: str, run_id: str, tags: Mapping[str, str]) -> str:
        """Create a version from a run's artifacts.

        Args:
            source: Where the model folder is, as the run's artifact address.
            run_id: The run that holds it.
            tags: The version's tags.

        Returns:
            The version.
        """
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        created = self._client.create_model_version(
            self.name, source, run_id=run_id, tags=dict(tags)
        )
        return str(created.version)

    def give(self, alias: str, version: str) -> None:
        """Let a version hold an alias, and no other version."""
        try:
            self._client.set_registered_model_alias(self.name, alias, version)
        except MlflowException as error:
            if error.error_code not in _NO_SUCH_CALL:
                raise
            before = self._tagged(alias)
            self._client.set_model_version_tag(self.name, version, _alias_tag(alias), "true")
            for other in before:
                if other != version:
                    self._client.delete_model_version_tag(self.name, other, _alias_tag(alias))

    def _tagged(self, alias: str) -> list[str]:
        versions = self._client.search_model_versions(f"name='{self.name}'")
        return [
            str(version.version)
            for version in versions
            if version.tags.get(_alias_tag(alias)) == "true"
        ]
