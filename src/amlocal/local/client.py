"""The client of a local workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from amlocal.local.assets import (
    Assets,
    ComponentStore,
    DataStore,
    component_of,
    describe_environment,
    environment_of,
)
from amlocal.local.compiler import WorkspaceCompiler
from amlocal.local.endpoints.batch import BatchDeployments, BatchEndpoints
from amlocal.local.endpoints.batch_store import BatchStore
from amlocal.local.endpoints.online import OnlineEndpoints
from amlocal.local.endpoints.online_deployments import OnlineDeployments
from amlocal.local.endpoints.supervision import Programs, Supervision, SupervisorSettings
from amlocal.local.endpoints.versions import VersionMaker
from amlocal.local.jobs import LocalJobs
from amlocal.local.kept_code import KeptCode
from amlocal.local.models import ModelOperations
from amlocal.local.monitors.creation import MonitorChecks
from amlocal.local.notes import Notes
from amlocal.local.opened import Opened, open_workspace
from amlocal.local.recovery import recover
from amlocal.local.schedules.operations import LocalSchedules
from amlocal.local.schedules.process import SchedulerProcess
from amlocal.local.services import Services
from amlocal.local.snapshot import Snapshots
from amlocal.local.triggers.evaluate import Evaluator
from amlocal.local.triggers.operations import Triggers
from amlocal.local.triggers.places import Places
from amlocal.local.upkeep import LocalWorkspace
from amlocal.local.workspace import Workspace
from amlocal.plan.trigger import EventInfo


@dataclass(frozen=True, slots=True)
class LocalClient:
    """A local workspace, by `MLClient`'s nouns.

    Attributes:
        jobs: Its jobs.
        components: Its components.
        environments: Its environments.
        data: Its data assets.
        models: Its models.
        workspace: The workspace itself and its processes.
        online_endpoints: Its online endpoints.
        online_deployments: Their deployments.
        batch_endpoints: Its batch endpoints.
        batch_deployments: Their deployments.
        schedules: Its schedules.
        triggers: Events that start jobs.
    """

    jobs: LocalJobs
    components: Assets
    environments: Assets
    data: Assets
    models: ModelOperations
    workspace: LocalWorkspace
    online_endpoints: OnlineEndpoints
    online_deployments: OnlineDeployments
    batch_endpoints: BatchEndpoints
    batch_deployments: BatchDeployments
    schedules: LocalSchedules
    triggers: Triggers

    def settle(self) -> list[EventInfo]:
        """Record what monitors' runs have found; those of a killed engine are ended first."""
        return _settle(self.jobs.services)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None,
        environ: Mapping[str, str],
        compiler: WorkspaceCompiler,
        programs: Programs | None = None,
    ) -> LocalClient:
        """Open the workspace of a folder (see `Workspace.find`); what writes to it makes it.

        Args:
            path: Its folder, or None.
            environ: The environment to read and to pass on.
            compiler: Turns files into plans.
            programs: What endpoints are served by; None is what is installed.
        """
        notes = Notes()
        opened = open_workspace(Workspace.find(path, environ, Path.cwd()), environ, note=notes)
        return cls._of(opened, compiler, notes, programs or Programs())

    @classmethod
    def _of(
        cls, opened: Opened, compiler: WorkspaceCompiler, notes: Notes, programs: Programs
    ) -> LocalClient:
        services, records = opened.services, opened.assets
        create = services.workspace.create
        jobs = LocalJobs(services, compiler, opened.registered, notes, opened.endpoints)
        components = ComponentStore(
            services.artifacts,
            lambda: Snapshots(services.artifacts, services.digests),
            services.workspace.path / "components",
        )
        supervision = _supervision(services, programs)
        scheduler = SchedulerProcess(services.workspace, services.environ)
        store = BatchStore(
            services.workspace.batch,
            services.artifacts,
            services.locations,
            opened.models,
            lambda: Snapshots(services.artifacts, services.digests),
        )
        load_component = partial(compiler.load_component, assets=opened.registered)
        data = DataStore(services.artifacts, services.locations, services.workspace)
        return cls(
            jobs=jobs,
            components=Assets(
                "component", records, load_component, components.describe, create, component_of
            ),
            environments=Assets(
                "environment",
                records,
                compiler.load_environment,
                describe_environment,
                create,
                environment_of,
            ),
            data=Assets("data", records, compiler.load_data, data.describe, create),
            models=ModelOperations(
                opened.models, compiler.load_model, services.locations.existing, create
            ),
            workspace=LocalWorkspace(opened, jobs, supervision, scheduler),
            online_endpoints=OnlineEndpoints(
                services.workspace, opened.endpoints, supervision, compiler
            ),
            online_deployments=_online_deployments(opened, supervision, compiler),
            batch_endpoints=BatchEndpoints(opened.batch, store, compiler, jobs, create),
            batch_deployments=BatchDeployments(
                opened.batch, store, compiler, opened.registered, jobs
            ),
            schedules=_schedules(opened, jobs, compiler, scheduler),
            triggers=_triggers(opened, compiler, jobs, scheduler),
        )


def _triggers(
    opened: Opened,
    compiler: WorkspaceCompiler,
    jobs: LocalJobs,
    scheduler: SchedulerProcess,
) -> Triggers:
    services, workspace = opened.services, opened.services.workspace
    evaluator = Evaluator(
        opened.triggers,
        Places(services.digests, services.locations, opened.assets, workspace.mlflow / "mlflow.db"),
        jobs,
        partial(_settle, services),
        workspace.path / "triggers.lock",
    )
    return Triggers(
        opened.triggers,
        evaluator,
        compiler.load_trigger,
        jobs.validate,
        workspace.create,
        scheduler,
    )


def _settle(services: Services) -> list[EventInfo]:
    """End jobs whose engine was killed, and record what monitors' runs have found."""
    recover(services.records, services.workspace)
    return services.findings.settle(services.records)


def _supervision(services: Services, programs: Programs) -> Supervision:
    workspace = services.workspace
    settings = SupervisorSettings(
        workspace=str(workspace.path), project=str(workspace.project), programs=programs
    )
    return Supervision(settings, workspace.endpoints, services.environ)


def _schedules(
    opened: Opened, jobs: LocalJobs, compiler: WorkspaceCompiler, scheduler: SchedulerProcess
) -> LocalSchedules:
    services = opened.services
    code = KeptCode(
        services.workspace.schedules / "code",
        services.artifacts,
        lambda: Snapshots(services.artifacts, services.digests),
    )
    return LocalSchedules(
        opened.schedules,
        jobs,
        compiler,
        opened.registered,
        code,
        MonitorChecks(services.facts, opened.registered),
        scheduler,
        services.workspace.create,
    )


def _online_deployments(
    opened: Opened, supervision: Supervision, compiler: WorkspaceCompiler
) -> OnlineDeployments:
    services = opened.services
    return OnlineDeployments(
        services.workspace,
        opened.endpoints,
        opened.servings,
        supervision,
        compiler,
        VersionMaker(
            opened.models,
            services.locations,
            services.environments,
            services.find_environment,
            services.environ,
        ),
        opened.assets,
    )
