"""Promotion of models in a workspace's own registry."""

from __future__ import annotations

from collections.abc import Sequence

from amlocal.errors import NotFoundError
from amlocal.local.tracking.client import TrackingClient
from amlocal.promotion import CONCLUSION, GATE_TAG, REFUSED, RegisteredVersion

_PARENT = "mlflow.parentRunId"


class LocalPromotionRegistry:
    """The workspace's registry, by the names of `amlocal.promotion.PromotionRegistry`."""

    def __init__(self, client: TrackingClient) -> None:
        self._client = client

    def versions(self, name: str) -> Sequence[RegisteredVersion]:
        """Return a model's versions."""
        return [
            RegisteredVersion(each.version, each.run_id, each.aliases, each.tags)
            for each in self._client.registry.versions(name)
        ]

    def names(self) -> Sequence[str]:
        """Return the names of the models."""
        return list(self._client.registry.models())

    def refusal(self, version: RegisteredVersion) -> str:
        """Return what the gate of the job that made a version refused it for."""
        if not version.run_id:
            return ""
        try:
            tags = self._client.get_run(version.run_id).tags
        except NotFoundError:
            return ""  # deleted, and with it what its job's gate said
        job = tags.get(_PARENT, version.run_id)
        refused = f"tags.{GATE_TAG} = '{REFUSED}' AND tags.`{_PARENT}` = '{job}'"
        for run in self._client.search_runs(filter_string=refused):
            return run.params.get(CONCLUSION) or "no reason was kept"
        return ""

    def tag(self, name: str, version: str, key: str, value: str) -> None:
        """Set a version's tag."""
        self._client.registry.tag_version(name, version, key, value)

    def give(self, name: str, alias: str, version: str) -> None:
        """Let a version hold an alias."""
        self._client.registry.set_alias(name, alias, version)
