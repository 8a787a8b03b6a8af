"""Batch endpoints on this machine: names that data is scored under, in jobs.

Nothing runs between invocations, so what is asked for is done when it is asked for. A job that an
endpoint is invoked for is an ordinary one of the workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.compiler import EndpointCompiler, RegisteredAssets
from amlocal.local.endpoints.batch_job import (
    DEPLOYMENT_PROPERTY,
    ENDPOINT_PROPERTY,
    Invocation,
    job_of,
)
from amlocal.local.endpoints.batch_overrides import split_bound, with_settings
from amlocal.local.endpoints.batch_records import BatchRecords
from amlocal.local.endpoints.batch_store import BatchStore
from amlocal.plan import BatchDeploymentInfo, BatchEndpoint, BatchEndpointInfo, Job, JobInfo
from amlocal.plan.endpoint_info import SUCCEEDED
from amlocal.plan.job import Warned
from amlocal.plan.source import Source, kept, port_settings

T = TypeVar("T")


class RunsJobs(Protocol):
    """The jobs of the workspace, as far as endpoints need them."""

    def create_or_update(self, job: Job, *, name: str | None = None) -> JobInfo:
        """Start a job in the background."""

    def list(self) -> Sequence[JobInfo]:
        """Return jobs, the newest first."""


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """An operation that has ended: `amlocal.endpoint_operations.Poller`.

    Attributes:
        outcome: What came of it.
    """

    outcome: T

    def result(self, timeout: float | None = None) -> T:  # noqa: ARG002 - nothing is waited for
        """Return what came of it."""
        return self.outcome

    def done(self) -> bool:
        """Whether it has ended."""
        return True

    def status(self) -> str:
        """Return `Succeeded`."""
        return SUCCEEDED


@dataclass(frozen=True, slots=True)
class BatchEndpoints:
    """`amlocal.endpoint_operations.BatchEndpointOperations` of a local workspace.

    Attributes:
        records: Where endpoints are kept.
        store: What deployments are made of.
        compiler: Turns files into plan values.
        jobs: The workspace's jobs.
        prepare: Makes the workspace where there is none.
    """

    records: BatchRecords
    store: BatchStore
    compiler: EndpointCompiler
    jobs: RunsJobs
    prepare: Callable[[], None]

    def begin_create_or_update(
        self, endpoint: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Done[BatchEndpointInfo]:
        """Create or change an endpoint; what is not said of it stays as it is."""
        plan = self.compiler.load_batch_endpoint(endpoint, overrides=overrides, name=name)
        self.prepare()
        if plan.name in self.records.endpoint_names():
            plan = _merged(self.records.endpoint(plan.name), plan, overrides)
        if plan.default_deployment is not None:
            self._require_deployment(plan)
        self.records.put_endpoint(plan)
        info = self.records.endpoint_info(plan.name)
        return Done(msgspec.structs.replace(info, warnings=_texts(plan.warnings)))

    def _require_deployment(self, plan: BatchEndpoint) -> None:
        known = [info.name for info in self.records.deployments(plan.name)]
        if plan.default_deployment not in known:
            raise UsageError(
                f"the batch endpoint {plan.name} has no deployment {plan.default_deployment!r} "
                "to be its default",
                hint=f"create it first: aml batch-deployment create -e {plan.name} -f FILE.yml",
            )

    def get(self, name: str) -> BatchEndpointInfo:
        """Return an endpoint; raises NotFoundError."""
        return self.records.endpoint_info(name)

    def list(self) -> Sequence[BatchEndpointInfo]:
        """Return all endpoints, by name."""
        return [self.records.endpoint_info(name) for name in self.records.endpoint_names()]

    def begin_delete(self, name: str) -> Done[None]:
        """Delete an endpoint with its deployments; the jobs that it ran stay."""
        for version in self.records.remove_endpoint(name):
            self.store.forget(version)
        return Done(None)

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        input_type: str | None = None,
        output_path: str | None = None,
        overrides: Sequence[str] = (),
        job_name: str | None = None,
        experiment_name: str | None = None,
        note: Callable[[str], None] | None = None,
    ) -> JobInfo:
        """Start a job that scores data; see `amlocal.endpoint_operations`."""
        name = deployment_name or self._default(endpoint_name)
        _, identity = self.records.deployment(name, endpoint_name)
        version = self.store.read(identity)
        ports = [*port_settings("inputs", inputs), *port_settings("outputs", outputs)]
        settings, bound = split_bound([*ports, *overrides])
        changed = with_settings(version.deployment, settings)
        job = job_of(
            msgspec.structs.replace(version, deployment=changed),
            Invocation(
                inputs=bound.inputs,
                input_type=next(iter(bound.input_types.values()), input_type),
                output_path=output_path,
                outputs=bound.outputs,
                output_types=bound.output_types,
                experiment_name=experiment_name or endpoint_name,
            ),
        )
        if note is not None and deployment_name is None:
            note(f"the deployment {name} scores")
        return self.jobs.create_or_update(job, name=job_name)

    def _default(self, endpoint: str) -> str:
        """Return the deployment that is invoked where none is named: the only one counts as it."""
        default = self.records.endpoint(endpoint).default_deployment
        known = [info.name for info in self.records.deployments(endpoint)]
        if default is None and len(known) == 1:
            return known[0]
        if default is None:
            hint = f"name one: -d NAME (there are: {', '.join(known)})"
            if not known:
                hint = f"create one: aml batch-deployment create -e {endpoint} -f FILE.yml"
            raise NotFoundError(
                f"the batch endpoint {endpoint} has no default deployment", hint=hint
            )
        return default

    def list_jobs(self, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that an endpoint has run, the newest first."""
        self.records.endpoint(endpoint_name)
        return _jobs_of(self.jobs, {ENDPOINT_PROPERTY: endpoint_name})


@dataclass(frozen=True, slots=True)
class BatchDeployments:
    """`amlocal.endpoint_operations.BatchDeploymentOperations` of a local workspace.

    Attributes:
        records: Where deployments are kept.
        store: What they are made of.
        compiler: Turns files into plan values.
        assets: Registered components that files may refer to.
        jobs: The workspace's jobs.
    """

    records: BatchRecords
    store: BatchStore
    compiler: EndpointCompiler
    assets: RegisteredAssets
    jobs: RunsJobs

    def begin_create_or_update(
        self,
        deployment: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
    ) -> Done[BatchDeploymentInfo]:
        """Create or replace a deployment, or without a file change settings of one.

        Raises:
            SpecError: The file is wrong; holds every problem.
            NotFoundError: There is no such endpoint or model.
            UsageError: The model cannot be scored with, or a setting is wrong.
        """
        if deployment is None and name is not None and endpoint_name is not None:
            _, identity = self.records.deployment(name, endpoint_name)
            plan = with_settings(self.store.read(identity).deployment, overrides)
        else:
            plan = self.compiler.load_batch_deployment(
                deployment,
                overrides=overrides,
                name=name,
                endpoint_name=endpoint_name,
                assets=self.assets,
            )
        self.records.endpoint(plan.endpoint_name)
        identity, version = self.store.keep(plan)
        info = BatchDeploymentInfo(
            name=plan.name,
            endpoint_name=plan.endpoint_name,
            type="pipeline" if plan.pipeline is not None else "model",
            model=version.model.label if version.model is not None else "",
            description=plan.description,
            tags=plan.tags,
            properties=plan.properties,
        )
        before = self.records.put_deployment(info, identity)
        if before is not None:
            self.store.forget(before)
        kept = self.get(plan.name, plan.endpoint_name)
        return Done(msgspec.structs.replace(kept, warnings=_texts(plan.warnings)))

    def get(self, name: str, endpoint_name: str) -> BatchDeploymentInfo:
        """Return a deployment; raises NotFoundError."""
        return self.records.deployment(name, endpoint_name)[0]

    def list(self, endpoint_name: str) -> Sequence[BatchDeploymentInfo]:
        """Return the deployments of an endpoint, by name."""
        self.records.endpoint(endpoint_name)
        return self.records.deployments(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str) -> Done[None]:
        """Delete a deployment; raises NotFoundError."""
        self.store.forget(self.records.remove_deployment(name, endpoint_name))
        return Done(None)

    def list_jobs(self, name: str, endpoint_name: str) -> Sequence[JobInfo]:
        """Return the jobs that a deployment has run, the newest first."""
        self.records.deployment(name, endpoint_name)
        return _jobs_of(self.jobs, {ENDPOINT_PROPERTY: endpoint_name, DEPLOYMENT_PROPERTY: name})


def _jobs_of(jobs: RunsJobs, properties: Mapping[str, str]) -> list[JobInfo]:
    return [job for job in jobs.list() if properties.items() <= job.properties.items()]


def _merged(before: BatchEndpoint, now: BatchEndpoint, overrides: Sequence[str]) -> BatchEndpoint:
    return msgspec.structs.replace(
        now,
        default_deployment=now.default_deployment or before.default_deployment,
        description=now.description or before.description,
        tags=kept("tags", before.tags, now.tags, overrides),
        properties=kept("properties", before.properties, now.properties, overrides),
    )


def _texts(warnings: Sequence[Warned]) -> tuple[str, ...]:
    return tuple(f"{warned.field}: {warned.message}" for warned in warnings)
