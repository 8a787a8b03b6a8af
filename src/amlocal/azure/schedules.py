"""Schedules of an Azure ML workspace."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from amlocal.azure.errors import no_workspace
from amlocal.azure.jobs import Calls
from amlocal.azure.monitor_changes import TARGET, StoredMonitor
from amlocal.azure.monitor_data import WorkspaceData
from amlocal.azure.monitors import MonitorSchedule, load_schedule
from amlocal.azure.pollers import AzurePoller
from amlocal.azure.promotions import mlflow_client
from amlocal.azure.schedule_info import schedule_info
from amlocal.azure.sdk import parse_overrides
from amlocal.azure.source import file_of
from amlocal.errors import UsageError
from amlocal.plan import ScheduleInfo, ScheduleTriggerResult
from amlocal.plan.schedule_info import check_view
from amlocal.plan.source import Source

#: Checks a schedule before it is sent; raises SpecError with every problem.
CheckSchedule = Callable[[Source, Sequence[str], "str | None"], object]
#: What settings alone change: fields, those of the trigger, and labels.
_FIELDS = ("display_name", "description")
_LABELS = ("tags", "properties")


class AzureScheduleOperations:
    """`amlocal.schedule_operations.ScheduleOperations` of an Azure ML workspace."""

    def __init__(
        self, ml_client: Any, calls: Calls, *, check: CheckSchedule | None, sends: bool
    ) -> None:
        """Keep what the operations work with.

        Args:
            ml_client: An `MLClient`, or what behaves like one.
            calls: Surrounds each call of the SDK.
            check: Checks a schedule before it is sent.
            sends: Whether there is a workspace to ask.
        """
        self._ml_client = ml_client
        self._schedules = ml_client.schedules
        self._calls = calls
        self._check = check
        self._sends = sends

    def begin_create_or_update(
        self, schedule: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> AzurePoller[ScheduleInfo]:
        """Create or replace a schedule; see `amlocal.schedule_operations`."""
        doing = "create or update the schedule"
        if self._check is not None and schedule is not None:
            self._check(schedule, overrides, name)
        with self._calls(doing, file=file_of(schedule)):
            if schedule is None:
                poller = self._begin_change(name or "", overrides)
            else:
                loaded = load_schedule(schedule, overrides, {"name": name}, self._data)
                poller = self._schedules.begin_create_or_update(loaded)
        return AzurePoller(poller, doing, schedule_info)

    def _data(self, endpoint: str, deployment: str) -> WorkspaceData:
        """Return what finds the data of a deployment."""
        runs = mlflow_client if self._sends else None
        return WorkspaceData(self._ml_client, endpoint, deployment, runs)

    def _begin_change(self, name: str, overrides: Sequence[str]) -> Any:
        """Change some settings of the schedule that there is."""
        self._need_workspace(f"schedule {name}")
        existing = self._schedules.get(name)
        if not isinstance(existing, MonitorSchedule):
            changed = self._changed(existing, parse_overrides(overrides))
            return self._schedules.begin_create_or_update(changed)
        stored = StoredMonitor(self._schedules, name)
        others = []
        for setting in parse_overrides(overrides):
            if TARGET in setting:
                stored.look_at(setting[TARGET], self._data)
            else:
                others.append(setting)
        stored.take(self._changed(existing, others))
        return stored.begin_put()

    def _changed(self, existing: Any, settings: Sequence[Mapping[str, str]]) -> Any:
        """Return the SDK's schedule with some settings changed."""
        for setting in settings:
            ((path, value),) = setting.items()
            field, _, below = path.partition(".")
            if field in _LABELS and below:
                labels = dict(getattr(existing, field) or {})
                labels.pop(below, None)
                setattr(existing, field, labels if value == "null" else {**labels, below: value})
            elif field == "trigger" and hasattr(existing.trigger, below):
                setattr(existing.trigger, below, int(value) if below == "interval" else value)
            elif field in _FIELDS and not below:
                setattr(existing, field, value)
            else:
                raise UsageError(
                    f"{path!r} of a schedule is not changed by settings alone",
                    hint="give the file of the schedule: aml schedule create -f FILE",
                )
        return existing

    def get(self, name: str) -> ScheduleInfo:
        """Return a schedule; raises NotFoundError."""
        self._need_workspace(f"schedule {name}")
        with self._calls(f"get schedule {name!r}"):
            return schedule_info(self._schedules.get(name))

    def list(self, *, list_view_type: str = "EnabledOnly") -> Sequence[ScheduleInfo]:
        """Return schedules, by name."""
        check_view(list_view_type)
        self._need_workspace("schedules")
        with self._calls("list schedules"):
            found = self._schedules.list(list_view_type=list_view_type)
            return sorted(map(schedule_info, found), key=lambda schedule: schedule.name)

    def begin_enable(self, name: str) -> AzurePoller[ScheduleInfo]:
        """Let a schedule start jobs."""
        return self._begin_set(name, f"enable schedule {name!r}", enabled=True)

    def begin_disable(self, name: str) -> AzurePoller[ScheduleInfo]:
        """Let a schedule start no jobs."""
        return self._begin_set(name, f"disable schedule {name!r}", enabled=False)

    def _begin_set(self, name: str, doing: str, *, enabled: bool) -> AzurePoller[ScheduleInfo]:
        self._need_workspace(f"schedule {name}")
        with self._calls(doing):
            if isinstance(self._schedules.get(name), MonitorSchedule):
                stored = StoredMonitor(self._schedules, name)
                stored.enable(enabled=enabled)
                poller = stored.begin_put()
            else:
                begin = self._schedules.begin_enable if enabled else self._schedules.begin_disable
                poller = begin(name)
        return AzurePoller(poller, doing, schedule_info)

    def begin_delete(self, name: str) -> AzurePoller[None]:
        """Delete a schedule, which Azure does only where it is disabled."""
        doing = f"delete schedule {name!r}"
        with self._calls(doing):
            return AzurePoller(self._schedules.begin_delete(name), doing, lambda _: None)

    def trigger(self, name: str) -> ScheduleTriggerResult:
        """Start a schedule's job now."""
        with self._calls(f"trigger schedule {name!r}"):
            result = self._schedules.trigger(name)
        return ScheduleTriggerResult(
            job_name=str(result.job_name),
            schedule_action_type=str(result.schedule_action_type or "CreateJob"),
        )

    def _need_workspace(self, asked: str) -> None:
        if not self._sends:
            raise no_workspace(asked)
