"""What the caller gives of a target's registered assets."""

from __future__ import annotations

from typing import Protocol

from amlocal.plan import Component, PipelineComponent


class AssetSource(Protocol):
    """What of a target's registered assets a job may be made of."""

    def component(self, name: str, version: str | None, label: str | None) -> Component:
        """Return a registered component.

        Args:
            name: Its name, or `azureml://registries/REGISTRY/components/NAME`.
            version: Its version, or None.
            label: `latest`, or None; without both, the one created last.

        Raises:
            NotFoundError: There is none.
        """

    def pipeline_component(
        self, name: str, version: str | None, label: str | None
    ) -> PipelineComponent:
        """Return a registered pipeline component; as `component`."""
