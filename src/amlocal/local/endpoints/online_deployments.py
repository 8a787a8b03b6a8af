"""The online deployments of a local workspace, by `MLClient`'s verbs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlocal.errors import UsageError, near_miss
from amlocal.local.asset_records import AssetRecords
from amlocal.local.compiler import EndpointCompiler
from amlocal.local.daemon import last_lines
from amlocal.local.endpoints.collected import register_collections
from amlocal.local.endpoints.pollers import RecordPoller
from amlocal.local.endpoints.records import DeploymentRecord, EndpointRecords
from amlocal.local.endpoints.rules import check_name, without_deployment
from amlocal.local.endpoints.serving import ServingRecords
from amlocal.local.endpoints.settings import (
    known_plan,
    merged,
    present_settings,
    said_fields,
)
from amlocal.local.endpoints.supervision import Supervision
from amlocal.local.endpoints.versions import DeploymentVersion, VersionMaker
from amlocal.local.records import timestamp
from amlocal.local.workspace import Workspace
from amlocal.plan import OnlineDeployment, OnlineDeploymentInfo

#: The container whose log there is; Azure's other one fetches models before the server starts.
_CONTAINER = "inference-server"


@dataclass(frozen=True, slots=True)
class OnlineDeployments:
    """The online deployments of a workspace; see `amlocal.endpoint_operations`.

    Attributes:
        workspace: The workspace.
        records: What is wanted of them, and what came of it.
        servings: What is still to be written to MLflow.
        supervision: Who sees to it.
        compiler: Turns files into plans.
        maker: Lays versions out.
        assets: The data assets.
    """

    workspace: Workspace
    records: EndpointRecords
    servings: ServingRecords
    supervision: Supervision
    compiler: EndpointCompiler
    maker: VersionMaker
    assets: AssetRecords

    def begin_create_or_update(
        self,
        deployment: Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
        environment: str = "auto",
    ) -> RecordPoller[OnlineDeploymentInfo]:
        """Create a deployment, or replace it while the old instances serve until the new do.

        Settings alone (`deployment` None) change what they say of a deployment that is there.

        Raises:
            SpecError: The file is wrong; holds every problem.
            UsageError: Nothing says how to serve it, it is being deleted, it failed and so cannot
                be changed by settings, or a collection's data asset is of other data.
            NotFoundError: There is no such endpoint or model.
            TargetError: It cannot be served on this machine.
        """
        plan, kept = self._plan(deployment, overrides, name, endpoint_name)
        check_name("deployment", plan.name)
        self.records.get(plan.endpoint_name)
        self.workspace.create()
        version = self.maker.make(
            plan,
            self.supervision.layout.versions(plan.endpoint_name, plan.name),
            environment,
            model_of=kept,
        )
        try:
            register_collections(plan, self.assets, self.workspace)
            self.records.want_deployment(version)
        except BaseException:
            shutil.rmtree(version.folder)
            raise
        self.supervision.ensure()
        return RecordPoller(
            f"deployment {plan.name!r} of endpoint {plan.endpoint_name!r}",
            lambda: self.records.find_deployment(plan.endpoint_name, plan.name),
            lambda: self.get(plan.name, plan.endpoint_name),
            self.supervision,
        )

    def _plan(
        self,
        deployment: Any,
        overrides: Sequence[str],
        name: str | None,
        endpoint_name: str | None,
    ) -> tuple[OnlineDeployment, DeploymentVersion | None]:
        """Return what is wanted, and the version whose model it keeps, or None."""
        old = None
        if deployment is None and name and endpoint_name:
            old = self.records.find_deployment(endpoint_name, name)
        if old is None:
            plan = self.compiler.load_online_deployment(
                deployment, overrides=overrides, name=name, endpoint_name=endpoint_name
            )
            return plan, None
        present = old.served or old.version
        if not Path(present.folder).is_dir():
            raise UsageError(
                f"deployment {name!r} failed, and nothing of it was kept that could be changed",
                hint="make it anew: `aml online-deployment create -f FILE`",
            )
        plan = self.compiler.load_online_deployment(
            None,
            overrides=[*present_settings(present), *overrides],
            name=name,
            endpoint_name=endpoint_name,
        )
        said = said_fields(overrides)
        return merged(plan, known_plan(present), said), None if "model" in said else present

    def get(self, name: str, endpoint_name: str) -> OnlineDeploymentInfo:
        """Return a deployment; raises NotFoundError."""
        record = self.records.get_deployment(endpoint_name, name)
        if self.supervision.revive():
            record = self.records.get_deployment(endpoint_name, name)
        return self._info(record)

    def list(self, endpoint_name: str) -> Sequence[OnlineDeploymentInfo]:
        """Return the deployments of an endpoint, by name; raises NotFoundError."""
        self.records.get(endpoint_name)
        self.supervision.revive()
        return [self._info(record) for record in self.records.deployments(endpoint_name)]

    def _info(self, record: DeploymentRecord) -> OnlineDeploymentInfo:
        version, plan = record.version, record.version.plan
        warned = [warning.message for warning in plan.warnings]
        waiting = self.servings.warnings(record.endpoint, record.name)
        return OnlineDeploymentInfo(
            name=record.name,
            endpoint_name=record.endpoint,
            provisioning_state=record.state,
            model=version.model,
            environment=version.choice.name,
            instance_count=plan.instance_count,
            ready_instances=record.ready if self.supervision.is_alive() else 0,
            instance_type=plan.instance_type,
            error=record.error or record.trouble,
            warnings=(*warned, *version.choice.approximations, *waiting),
            description=plan.description,
            tags=plan.tags,
            properties=plan.properties,
            creation_time=timestamp(record.created),
        )

    def begin_delete(self, name: str, endpoint_name: str) -> RecordPoller[None]:
        """Delete a deployment once its requests are answered.

        Raises:
            NotFoundError: There is no such deployment.
            UsageError: It has traffic.
        """
        self.records.want_no_deployment(
            endpoint_name, name, lambda endpoint: without_deployment(endpoint, name)
        )
        self.supervision.ensure()
        return RecordPoller(
            f"the end of deployment {name!r}",
            lambda: self.records.find_deployment(endpoint_name, name),
            lambda: None,
            self.supervision,
        )

    def get_logs(
        self, name: str, endpoint_name: str, *, lines: int = 50, container_type: str | None = None
    ) -> str:
        """Return the last lines that a deployment's instances logged, the newest instance last.

        Raises:
            NotFoundError: There is no such deployment.
            UsageError: There is no such container.
        """
        record = self.records.get_deployment(endpoint_name, name)
        if container_type not in {None, _CONTAINER}:
            raise UsageError(
                f"no container {container_type!r} logs on this machine",
                hint=near_miss(container_type or "", [_CONTAINER]),
            )
        logs = self.supervision.layout.instance_logs(endpoint_name, name)
        shown = logs[-record.version.plan.instance_count :]
        if len(shown) == 1:
            return last_lines(shown[0], lines)
        return "\n".join(f"== {log.stem} ==\n{last_lines(log, lines)}" for log in shown)
