"""Opens a workspace: makes the parts that running and recording jobs needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from amlocal.errors import not_found
from amlocal.local.artifacts import Artifacts
from amlocal.local.asset_records import AssetRecords
from amlocal.local.assets import Registered, output_asset
from amlocal.local.database import Database
from amlocal.local.digests import Digests
from amlocal.local.endpoints.batch_records import BatchRecords
from amlocal.local.endpoints.records import EndpointRecords
from amlocal.local.endpoints.serving import ServingRecords
from amlocal.local.environments import Environments
from amlocal.local.locations import Locations
from amlocal.local.model_registry import ModelRegistry
from amlocal.local.monitors.findings import Findings
from amlocal.local.monitors.workspace import WorkspaceFacts
from amlocal.local.outputs import ARTIFACTS, StepFolders
from amlocal.local.process import inherited
from amlocal.local.records import JobRecords
from amlocal.local.schedules.records import ScheduleRecords
from amlocal.local.services import Services
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.triggers.records import TriggerRecords
from amlocal.local.workspace import Workspace
from amlocal.plan import MODEL_TYPES, Output, OutputInfo


@dataclass(frozen=True, slots=True)
class Opened:
    """An open workspace.

    Attributes:
        services: What running jobs needs.
        assets: The records of components, environments, and data assets.
        models: The model registry.
        registered: Components and environments that jobs may refer to.
        endpoints: The records of online endpoints and deployments.
        batch: The records of batch endpoints and deployments.
        schedules: The records of schedules.
        servings: What is still to be written to MLflow of models that are served.
        triggers: The records of triggers and events.
    """

    services: Services
    assets: AssetRecords
    models: ModelRegistry
    registered: Registered
    endpoints: EndpointRecords
    servings: ServingRecords
    batch: BatchRecords
    schedules: ScheduleRecords
    triggers: TriggerRecords


def open_workspace(
    workspace: Workspace,
    environ: Mapping[str, str],
    *,
    note: Callable[[str], None],
    server: TrackingServer | None = None,
) -> Opened:
    """Open a workspace; one that is not there is empty until `Workspace.create` makes it.

    Args:
        workspace: Where it is.
        environ: The environment that its processes inherit from.
        note: Told in a sentence of what takes time.
        server: The tracking server to use; None is the workspace's own.

    Raises:
        TargetError: The disk refuses, or a newer amlocal has written it.
    """
    if workspace.path.exists():
        workspace.create()  # whole: it may be the work of a command that was killed
    database = Database(workspace.records, on_full=workspace.release_reserve)
    records, assets = JobRecords(database), AssetRecords(database)
    digests = Digests(workspace.cache / "digests.db")
    server = server or TrackingServer(workspace.mlflow, environ=inherited(environ))
    models, registered = ModelRegistry(server), Registered(assets)
    endpoints = EndpointRecords(database)
    lookup = _Lookup(workspace, records, assets, models)
    locations = Locations(workspace, find_asset=lookup.asset, find_output=lookup.output)
    services = Services(
        workspace=workspace,
        records=records,
        digests=digests,
        artifacts=Artifacts(workspace.path, digests),
        locations=locations,
        environments=Environments(workspace.environments, environ=inherited(environ), note=note),
        server=server,
        register_output=lookup.register,
        find_environment=registered.environment,
        facts=WorkspaceFacts(endpoints, models, records, locations),
        findings=Findings(database),
        environ=environ,
        note=note,
    )
    return Opened(
        services,
        assets,
        models,
        registered,
        endpoints,
        ServingRecords(database),
        BatchRecords(database),
        ScheduleRecords(database),
        TriggerRecords(database),
    )


@dataclass(frozen=True, slots=True)
class _Lookup:
    """Finds and registers what jobs name."""

    workspace: Workspace
    records: JobRecords
    assets: AssetRecords
    models: ModelRegistry

    def asset(self, name: str, version: str | None, label: str | None) -> str:
        """Return the path or address of a data asset or model; raises NotFoundError."""
        data = {info.name for info in self.assets.list("data", view="All")}
        if name in data:
            return self.assets.get("data", name, version, label).path
        registered = self.models.names()
        if name in registered:
            return str(self.models.local_path(name, version, label))
        error = not_found("data asset or model", name, data | registered)
        command = f"register it: aml data create -n {name} --path PATH"
        error.hint = f"{error.hint}; or {command}" if error.hint else command
        raise error

    def output(self, job: str, output: str) -> Path:
        """Return where a job's output is; raises NotFoundError."""
        info = self.records.get(job)
        if output == ARTIFACTS:
            return StepFolders(self.workspace.job(info.reused_from or info.name)).artifacts
        if output not in info.outputs:
            raise not_found(f"output of {job}", output, info.outputs)
        return Path(info.outputs[output].path)

    def register(self, output: Output, written: OutputInfo, run_id: str) -> str:
        """Register what a run wrote as a data asset or model; gives `NAME:VERSION`."""
        if written.type in MODEL_TYPES:
            return self.models.register_output(output, Path(written.path), run_id=run_id)
        added = self.assets.add(output_asset(output, written))
        return f"{added.name}:{added.version}"
