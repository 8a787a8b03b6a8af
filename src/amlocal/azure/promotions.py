"""Promotion of models in an Azure ML workspace, by its MLflow registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amlocal.promotion import CONCLUSION, GATE_TAG, REFUSED, RegisteredVersion, alias_tag

_PARENT = "mlflow.parentRunId"
#: Error codes of a server that has no such call.
_NO_SUCH_CALL = ("ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED", "FEATURE_DISABLED")


def mlflow_client(ml_client: Any) -> Any:
    """Return MLflow's client of a workspace's runs and models."""
    import mlflow  # seconds, and only promoting needs it

    workspace = ml_client.workspaces.get(ml_client.workspace_name)
    uri = workspace.mlflow_tracking_uri
    return mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)


class AzurePromotionRegistry:
    """A workspace's registry, by the names of `amlocal.promotion.PromotionRegistry`.

    Args:
        client: An `mlflow.MlflowClient`, or what behaves like one.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def versions(self, name: str) -> Sequence[RegisteredVersion]:
        """Return a model's versions."""
        aliases: dict[str, list[str]] = {}
        found = self._client.search_model_versions(f"name='{name}'")
        if found:
            # A search of versions does not tell aliases.
            model = self._client.get_registered_model(name)
            for alias, version in (getattr(model, "aliases", None) or {}).items():
                aliases.setdefault(str(version), []).append(alias)
        return [
            RegisteredVersion(
                str(each.version),
                each.run_id or "",
                aliases.get(str(each.version), ()),
                dict(each.tags or {}),
            )
            for each in found
        ]

    def names(self) -> Sequence[str]:
        """Return the names of the models."""
        return [model.name for model in self._client.search_registered_models()]

    def refusal(self, version: RegisteredVersion) -> str:
        """Return what the gate of the job that made a version refused it for."""
        if not version.run_id:
            return ""
        run = self._client.get_run(version.run_id)
        job = run.data.tags.get(_PARENT, version.run_id)
        refused = self._client.search_runs(
            [run.info.experiment_id],
            filter_string=f"tags.{GATE_TAG} = '{REFUSED}' and tags.`{_PARENT}` = '{job}'",
        )
        for each in refused:
            return each.data.params.get(CONCLUSION) or "no reason was kept"
        return ""

    def tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""
        self._client.set_model_version_tag(name, version, key, value)

    def give(self, name: str, alias: str, version: str) -> None:
        """Let a version hold an alias, or the tag that stands in for it, and no other version."""
        from mlflow.exceptions import MlflowException  # seconds, and only promoting needs it

        try:
            self._client.set_registered_model_alias(name, alias, version)
        except MlflowException as error:
            if error.error_code not in _NO_SUCH_CALL:
                raise
            before = [each.version for each in self.versions(name) if each.holds(alias)]
            self._client.set_model_version_tag(name, version, alias_tag(alias), "true")
            for other in before:
                if other != version:
                    self._client.delete_model_version_tag(name, other, alias_tag(alias))
