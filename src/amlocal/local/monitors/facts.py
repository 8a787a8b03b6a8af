"""What a monitor's run asks its workspace: who is deployed, and what their model was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from amlocal.local.environments import EnvironmentChoice
from amlocal.local.workspace import COLLECTED, DEFAULT_DATASTORE
from amlocal.plan import DataValue


def collection(endpoint: str, deployment: str, name: str) -> str:
    """Return the address of what a deployment collects."""
    inside = f"{COLLECTED}/{endpoint}/{deployment}/{name}"
    return f"azureml://datastores/{DEFAULT_DATASTORE}/paths/{inside}"


@dataclass(frozen=True, slots=True)
class MonitoredModel:
    """The model that is monitored.

    Attributes:
        label: `NAME:VERSION`, or the path of one that is not registered.
        path: Its file or folder.
        features: The columns that it needs, as its signature has them; empty where it says none.
        target: The column that it predicts, or an empty string where it does not say.
        run_ids: MLflow runs that it may come from, the one that trained it first.
        predicts: Whether it is an MLflow model, which can be asked.
    """

    label: str
    path: str
    features: tuple[str, ...] = ()
    target: str = ""
    run_ids: tuple[str, ...] = ()
    predicts: bool = False


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment that is monitored.

    Attributes:
        endpoint: Its endpoint.
        name: Its name.
        collections: Addresses of what it collects, by collection.
        model: What it serves, or None.
        redacted: Columns whose values are not collected.
        environment: What it serves in, where that is another interpreter than this one and no
            container; else None.
    """

    endpoint: str
    name: str
    collections: Mapping[str, str]
    model: MonitoredModel | None = None
    redacted: tuple[str, ...] = ()
    environment: EnvironmentChoice | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was made of.

    Attributes:
        job: The job that trained it.
        data: Its data by context: `training`, `validation`, `test`.
        target: The column that it was to predict, or an empty string.
    """

    job: str
    data: Mapping[str, DataValue] = field(default_factory=dict)
    target: str = ""


class Facts(Protocol):
    """Answers a monitor's questions; `monitors.workspace.WorkspaceFacts` does for a workspace."""

    def deployed(self, endpoint: str, deployment: str) -> Deployed:
        """Return a deployment; raises NotFoundError."""

    def model(self, reference: str) -> MonitoredModel:
        """Return a registered model by `azureml:NAME:VERSION`; raises NotFoundError."""

    def origin(self, model: MonitoredModel) -> Origin:
        """Return what a model was made of.

        Raises:
            NotFoundError: No job of the workspace is known to have trained it.
        """

    def columns(self, address: str) -> tuple[str, ...]:
        """Return the columns of what an endpoint collected; none where nothing is known."""
