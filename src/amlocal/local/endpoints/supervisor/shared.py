"""What all endpoints of a workspace share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amlocal.local.endpoints.layout import EndpointLayout
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.serving import ServingRecords
from amlocal.local.endpoints.supervisor.launch import Launcher
from amlocal.local.environments import Environments


@dataclass(frozen=True, slots=True)
class Shared:
    """What all endpoints of the workspace share.

    Attributes:
        records: Endpoints and deployments.
        servings: What is to be written to MLflow of models that are served.
        layout: Their files.
        launcher: Starts instances.
        environments: Builds environments.
        collected: The folder of what their requests and answers say.
        look_again: Has the records looked at once more.
    """

    records: EndpointRecords
    servings: ServingRecords
    layout: EndpointLayout
    launcher: Launcher
    environments: Environments
    collected: Path
    look_again: Callable[[], None]

    def instances_wanted(self) -> int:
        """Return how many instances all deployments have."""
        return sum(record.version.plan.instance_count for record in self.records.deployments())
