"""The schedules of a local workspace, by `MLClient.schedules`' verbs."""

from __future__ import annotations

import builtins
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from amlocal.errors import UsageError
from amlocal.local.compiler import RegisteredAssets, ScheduleCompiler
from amlocal.local.daemon import Daemon
from amlocal.local.endpoints.batch import Done
from amlocal.local.kept_code import KeptCode
from amlocal.local.monitors.creation import MonitorChecks
from amlocal.local.records import timestamp
from amlocal.local.schedules.job import changed, job_of
from amlocal.local.schedules.records import ScheduleRecord, ScheduleRecords
from amlocal.plan import (
    CreateJob,
    CreateMonitor,
    Job,
    JobInfo,
    MonitorInfo,
    Schedule,
    ScheduleInfo,
    ScheduleTriggerResult,
    SlotInfo,
)
from amlocal.plan.schedule import Action
from amlocal.plan.schedule_info import check_view, signals_of, target_of
from amlocal.plan.slots import next_slot, told
from amlocal.plan.source import Source

#: Slots that are told of a schedule.
_SLOTS_SHOWN = 20
_KEPT_FIELDS = ("display_name", "description")


class HasJobs(Protocol):
    """The jobs of the workspace, as far as schedules need them."""

    def create_or_update(self, job: Job, *, name: str | None = None) -> JobInfo:
        """Start a job in the background."""

    def plan(self, name: str) -> Job:
        """Return what a job was made of; raises NotFoundError."""

    def check(self, job: Job) -> None:
        """Check that a job's packages and assets are there."""

    def monitored(self, name: str) -> MonitorInfo | None:
        """Return what the monitor's run that a job is has found, where it has ended."""


@dataclass(frozen=True, slots=True)
class LocalSchedules:
    """`amlocal.schedule_operations.ScheduleOperations` of a local workspace.

    Attributes:
        records: Where schedules are kept.
        jobs: The workspace's jobs.
        compiler: Turns files into plan values.
        assets: Registered components that files may refer to.
        code: Keeps the code of their jobs.
        monitors: Looks at monitors before they are recorded.
        scheduler: The process that starts their jobs.
        prepare: Makes the workspace where there is none.
        clock: Gives the time, in seconds since 1970.
    """

    records: ScheduleRecords
    jobs: HasJobs
    compiler: ScheduleCompiler
    assets: RegisteredAssets
    code: KeptCode
    monitors: MonitorChecks
    scheduler: Daemon
    prepare: Callable[[], None]
    clock: Callable[[], float] = time.time

    def begin_create_or_update(
        self, schedule: Source, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Done[ScheduleInfo]:
        """Create or replace a schedule; see `amlocal.schedule_operations`."""
        enabled = True
        if schedule is None:
            before = self.records.get(name or "")
            plan, enabled = self._updated(before, overrides), before.is_enabled
        else:
            plan = self.compiler.load_schedule(
                schedule, overrides=overrides, name=name, assets=self.assets
            )
            self.prepare()
            plan = self._settled(plan)
        self.records.put(plan, self._now(), enabled=enabled)
        self._look_after(ensure=enabled)
        return Done(self._info(self.records.get(plan.name)))

    def _updated(self, record: ScheduleRecord, overrides: Sequence[str]) -> Schedule:
        """Return a schedule with some settings changed; its job stays, a monitor changes."""
        is_monitor = isinstance(record.plan.action, CreateMonitor)
        if not is_monitor and any(override.startswith("create_job") for override in overrides):
            hint = "give the file of the schedule: aml schedule create -f FILE"
            raise UsageError("what a schedule starts is not changed by settings alone", hint=hint)
        plan = record.plan
        said = json.loads(plan.to_json())
        kept = [f"{name}={said[name]}" for name in _KEPT_FIELDS if name in said]
        kept += [f"{name}={json.dumps(said.get(name, {}))}" for name in ("tags", "properties")]
        kept.append(f"trigger={json.dumps(said['trigger'])}")
        if isinstance(plan.action, CreateMonitor):
            kept.append(f"create_monitor={json.dumps(plan.action.definition, ensure_ascii=False)}")
        else:
            kept.append("create_job=azureml:kept")
        read = self.compiler.load_schedule(
            None, overrides=[*kept, *overrides], name=plan.name, assets=self.assets
        )
        # What a window is by default follows from the trigger.
        is_other = any(each.startswith(("create_monitor", "trigger")) for each in overrides)
        if is_monitor and is_other:
            return self._settled(msgspec.structs.replace(read, source=plan.source))
        return msgspec.structs.replace(read, action=plan.action, source=plan.source)

    def _settled(self, plan: Schedule) -> Schedule:
        """Return a schedule with the job that it names, and with that job's code as it is now."""
        action = plan.action
        if isinstance(action, CreateMonitor):
            monitor = self._monitor(action)
            settled = msgspec.structs.replace(plan, action=monitor)
            self.jobs.check(self.monitors.checked(job_of(settled, self._now(), plan.name)))
            return settled
        job = action.job
        if job is None:
            job = changed(self.jobs.plan(action.reference), action.changes, plan.name)
        with self.code.artifacts.in_use():
            steps = tuple(map(self.code.of_step, job.steps))
        job = msgspec.structs.replace(job, name=None, steps=steps)
        kept = CreateJob(job=job, reference=action.reference, changes=action.changes)
        settled = msgspec.structs.replace(plan, action=kept)
        # As a slot would have it now: what is not there is told here, not at night.
        self.jobs.check(job_of(settled, self._now(), plan.name))
        return settled

    def _monitor(self, action: CreateMonitor) -> CreateMonitor:
        """Return a monitor with the components that it names, and their code as it is now."""
        components = self.monitors.components(action)
        with self.code.artifacts.in_use():
            kept = {name: self.code.of_component(each) for name, each in components.items()}
        return msgspec.structs.replace(action, components=kept)

    def get(self, name: str) -> ScheduleInfo:
        """Return a schedule; raises NotFoundError."""
        record = self.records.get(name)
        self._look_after(ensure=False)
        return self._info(record)

    def list(self, *, list_view_type: str = "EnabledOnly") -> Sequence[ScheduleInfo]:
        """Return schedules, by name."""
        wanted = check_view(list_view_type)
        found = self.records.list()
        if found:
            self._look_after(ensure=False)
        return [self._info(record) for record in found if record.is_enabled in wanted]

    def begin_enable(self, name: str) -> Done[ScheduleInfo]:
        """Let a schedule start jobs."""
        self.records.set_enabled(name, self._now(), enabled=True)
        self._look_after(ensure=True)
        return Done(self._info(self.records.get(name)))

    def begin_disable(self, name: str) -> Done[ScheduleInfo]:
        """Let a schedule start no jobs."""
        self.records.set_enabled(name, self._now(), enabled=False)
        return Done(self._info(self.records.get(name)))

    def begin_delete(self, name: str) -> Done[None]:
        """Delete a schedule that is disabled."""
        if self.records.get(name).is_enabled:
            raise UsageError(
                f"the schedule {name} is enabled, and so cannot be deleted",
                hint=f"first: aml schedule disable -n {name}",
            )
        self.records.remove(name)
        return Done(None)

    def trigger(self, name: str) -> ScheduleTriggerResult:
        """Start a schedule's job now."""
        # Slots are whole seconds. Rounded down, a monitor's window would end before what was
        # collected in the last moments, which whoever asks for a run now means, too.
        plan, now = self.records.get(name).plan, math.ceil(self.clock())
        wanted = self.records.free_name(name, now)
        job = self.jobs.create_or_update(job_of(plan, now, wanted), name=wanted)
        self.records.add_on_demand(name, now, job.name)
        is_monitor = isinstance(plan.action, CreateMonitor)
        action_type = "CreateMonitor" if is_monitor else "CreateJob"
        return ScheduleTriggerResult(job_name=job.name, schedule_action_type=action_type)

    def _now(self) -> int:
        return int(self.clock())

    def _look_after(self, *, ensure: bool) -> None:
        """Have the scheduler look at the records, or start it anew where it was killed."""
        if ensure:
            self.scheduler.ensure()
        elif self.records.any_enabled():
            self.scheduler.revive()

    def _info(self, record: ScheduleRecord) -> ScheduleInfo:
        plan, upcoming = record.plan, None
        monitor = plan.action if isinstance(plan.action, CreateMonitor) else None
        if record.is_enabled:
            upcoming = next_slot(plan.trigger, record.created, after=record.cursor)
        return ScheduleInfo(
            name=plan.name,
            is_enabled=record.is_enabled,
            trigger=plan.trigger,
            create_job=_started(plan.action),
            type="job" if monitor is None else "monitor",
            monitoring_target="" if monitor is None else target_of(monitor),
            monitoring_signals=() if monitor is None else signals_of(monitor),
            display_name=plan.display_name,
            description=plan.description,
            tags=plan.tags,
            properties=plan.properties,
            creation_time=timestamp(record.created),
            next_run="" if upcoming is None else told(upcoming),
            slots=self._slots(plan),
            warnings=self._warnings(record),
        )

    def _slots(self, plan: Schedule) -> tuple[SlotInfo, ...]:
        """Return what became of the last slots; of a monitor's, what they have found."""
        slots = self.records.slots(plan.name, _SLOTS_SHOWN)
        if not isinstance(plan.action, CreateMonitor):
            return tuple(slots)
        told_of = []
        for slot in slots:
            found = self.jobs.monitored(slot.job) if slot.job else None
            if found is not None:
                slot = msgspec.structs.replace(slot, verdict=found.verdict, note=found.note)
            told_of.append(slot)
        return tuple(told_of)

    def _warnings(self, record: ScheduleRecord) -> tuple[str, ...]:
        plan = record.plan
        job = plan.action.job if isinstance(plan.action, CreateJob) else None
        said = [*plan.warnings, *(job.warnings if job is not None else ())]
        found: builtins.list[str] = [f"{warned.field}: {warned.message}" for warned in said]
        if record.is_enabled and not self.scheduler.is_alive():
            found.append("no scheduler runs, so nothing is started; `aml workspace up` starts it")
        return tuple(found)


def _started(action: Action) -> str:
    """Return what a schedule starts, as people call it."""
    if isinstance(action, CreateMonitor):
        return f"{action.endpoint_name}/{action.deployment_name}".strip("/") or action.model
    if action.reference:
        return f"azureml:{action.reference}"
    job = action.job
    return "" if job is None else job.source or job.display_name or job.type
