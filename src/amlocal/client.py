"""One client, two targets: azure-ai-ml's nouns and verbs, here and in an Azure ML workspace."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import TargetError, UsageError, near_miss
from amlocal.plan import AssetInfo, JobInfo, RolloutPolicy, StepReuse, WorkspaceInfo
from amlocal.plan.reporter import Reporter
from amlocal.plan.source import JobFields, Source
from amlocal.plan.trigger import TriggerTemplate
from amlocal.schedule_operations import ScheduleOperations

if TYPE_CHECKING:
    from typing_extensions import Unpack

TARGETS = ("local", "azure")


class JobOperations(Protocol):
    """Jobs of a workspace."""

    def create_or_update(
        self,
        job: Source,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        reporter: Reporter | None = None,
        max_parallel: int | None = None,
        environment: str = "auto",
        **fields: Unpack[JobFields],
    ) -> JobInfo:
        """Submit a job.

        Args:
            job: The path of a job file, or a job built with azure-ai-ml.
            overrides: `a.b=c` settings as `az ml job create --set` takes them.
            name: The job's unique name; one is made up where it is None.
            reporter: Where given, the job runs in this process, which waits for its end and ends
                it with all its processes on KeyboardInterrupt. Without one the job goes on in a
                process of its own.
            max_parallel: Steps side by side; None is the number of cores.
            environment: `auto`, `current`, `isolated`, or `docker`.
            fields: Stand, where given, for what the job says.

        Returns:
            The job, terminal where a reporter was given.

        Raises:
            SpecError: The file is wrong; holds every problem.
            UsageError: A job of this name exists, or an argument has no meaning to the target.
            TargetError: The target did not do its part.
        """

    def validate(self, job: Source, *, overrides: Sequence[str] = ()) -> JobInfo:
        """Check a job without submitting it; raises SpecError with every problem."""

    def get(self, name: str) -> JobInfo:
        """Return a job or a step with its children; raises NotFoundError."""

    def list(
        self,
        *,
        parent_job_name: str | None = None,
        max_results: int | None = None,
        list_view_type: str = "ActiveOnly",
    ) -> Sequence[JobInfo]:
        """Return jobs, the newest first; `list_view_type` is ActiveOnly, ArchivedOnly, or All."""

    def stream(self, name: str, reporter: Reporter | None = None) -> JobInfo:
        """Follow a job until it ends; leaving it does not end the job.

        Without a reporter, what it logs is printed.
        """

    def cancel(self, name: str) -> JobInfo:
        """End a job with all its processes, and wait until it has ended."""

    def download(
        self,
        name: str,
        *,
        download_path: Path = Path(),
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - MLClient's own name
    ) -> Path:
        """Copy a job's outputs and logs into a folder, laid out as `az ml job download` does.

        Without `output_name` or `all`, the job's artifacts (outputs, logs, user_logs) come.
        """

    def archive(self, name: str) -> None:
        """Hide a job from lists."""

    def restore(self, name: str) -> None:
        """Show an archived job in lists again."""


class LocalJobOperations(JobOperations, Protocol):
    """What only the local target can tell of jobs."""

    def explain_reuse(self, name: str) -> Sequence[StepReuse]:
        """Return for each step why it was reused, or which facts had changed."""


class AssetOperations(Protocol):
    """Components, environments, data assets, or models of a workspace."""

    def create_or_update(
        self, asset: Source, *, overrides: Sequence[str] = (), **fields: str | None
    ) -> AssetInfo:
        """Register an asset from its file, from an object, or (asset None) from fields alone."""

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        """Return one version; `label` latest, or neither, is the one created last."""

    def list(
        self, name: str | None = None, *, list_view_type: str = "ActiveOnly"
    ) -> Sequence[AssetInfo]:
        """Return the latest version of each asset, or every version of one."""

    def archive(self, name: str, version: str | None = None) -> None:
        """Hide a version, or every version, from lists."""

    def restore(self, name: str, version: str | None = None) -> None:
        """Show archived versions in lists again."""


class WorkspaceOperations(Protocol):
    """The local workspace and its processes."""

    def show(self) -> WorkspaceInfo:
        """Return what the workspace holds and which of its processes run."""

    def up(self) -> WorkspaceInfo:
        """Start the tracking server, if it is down."""

    def down(self) -> WorkspaceInfo:
        """Cancel every running job and end every process of the workspace."""

    def collect_garbage(self, *, dry_run: bool = False) -> int:
        """Remove what no job and no asset refers to any more; returns the bytes freed."""


class Client(EndpointClient, Protocol):
    """A workspace, local or in Azure."""

    @property
    def schedules(self) -> ScheduleOperations:
        """Its schedules."""

    @property
    def jobs(self) -> JobOperations:
        """Its jobs."""

    @property
    def components(self) -> AssetOperations:
        """Its components."""

    @property
    def environments(self) -> AssetOperations:
        """Its environments."""

    @property
    def data(self) -> AssetOperations:
        """Its data assets."""

    @property
    def models(self) -> AssetOperations:
        """Its models."""


def connect(
    target: str | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    environ: Mapping[str, str] | None = None,
    subscription_id: str | None = None,
    resource_group: str | None = None,
    workspace_name: str | None = None,
    dry_run: bool = False,
) -> Client:
    """Return the client of a workspace.

    Args:
        target: `local` or `azure`; None reads `AMLOCAL_TARGET`, and is else `local`.
        path: Local: the workspace's folder; None reads `AMLOCAL_HOME`, and is else `.amlocal` at
            the project's root. Azure: the folder whose `config.json` is read.
        environ: The environment to read; None is the process's own.
        subscription_id: Azure only; overrides what `config.json` says.
        resource_group: Azure only.
        workspace_name: Azure only.
        dry_run: Azure only: requests are built and kept instead of sent.

    Raises:
        UsageError: There is no such target.
        TargetError: The workspace cannot be reached, or not from this system.
    """
    settings = os.environ if environ is None else environ
    chosen = target or settings.get("AMLOCAL_TARGET") or "local"
    if chosen == "local":
        if os.name == "nt":
            hint = "use the Windows Subsystem for Linux, or --target azure"
            raise TargetError("the local target needs Linux or macOS", hint=hint)
        import amlocal.spec as compiler  # neither is needed for the other target
        from amlocal.local.client import LocalClient

        return LocalClient.open(path, settings, compiler)
    if chosen == "azure":
        import amlocal.spec as compiler
        from amlocal.azure.client import AzureClient  # imports the SDK: seconds

        return AzureClient.open(
            path,
            settings,
            subscription_id=subscription_id,
            resource_group=resource_group,
            workspace_name=workspace_name,
            dry_run=dry_run,
            check=compiler.check_for_azure,
            check_endpoint=compiler.check_endpoint_for_azure,
            content_of=compiler.content_of,
            check_schedule=compiler.check_schedule_for_azure,
        )
    raise UsageError(f"no target named {chosen!r}", hint=near_miss(chosen, TARGETS))


def load_rollout(source: str | os.PathLike[str], *, overrides: Sequence[str] = ()) -> RolloutPolicy:
    """Load the policy of a progressive rollout.

    Args:
        source: The path of its file.
        overrides: `a.b=c` settings.

    Raises:
        SpecError: The file is wrong; holds every problem.
        UsageError: A setting is wrong.
    """
    from amlocal.spec import rollout  # yaml, which other commands do without

    return rollout.load(Path(source).absolute(), overrides)


def export_trigger(
    source: str | os.PathLike[str], *, overrides: Sequence[str] = ()
) -> TriggerTemplate:
    """Return a trigger as an ARM template: Event Grid and a Logic App.

    Args:
        source: The path of its file.
        overrides: `a.b=c` settings.

    Raises:
        SpecError: The file is wrong, or Azure has no such event; holds every problem.
        UsageError: A setting is wrong.
    """
    from amlocal.azure.trigger_template import export  # as below
    from amlocal.spec import load_trigger  # yaml, which other commands do without

    return export(load_trigger(source, overrides=overrides))
