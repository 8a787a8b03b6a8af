"""The triggers of a local workspace, by the verbs of Azure's schedules."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from amlocal.local.triggers.conditions import sample_event, settings
from amlocal.local.triggers.evaluate import Evaluator
from amlocal.local.triggers.events import events_after, last_event, record
from amlocal.local.triggers.records import TriggerRecords
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import EventInfo, Trigger, TriggerDecision, TriggerInfo


class LoadTrigger(Protocol):
    """Reads a trigger's file."""

    def __call__(
        self, source: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> Trigger:
        """Return the trigger; raises SpecError."""


class CheckJob(Protocol):
    """Checks a job's file."""

    def __call__(self, job: Any, *, overrides: Sequence[str] = ()) -> object:
        """Raise SpecError where the file is wrong."""


class LooksAfter(Protocol):
    """The process that evaluates triggers every few seconds."""

    def ensure(self) -> object:
        """Start it where it does not run, and have it look at the records."""

    def revive(self) -> object:
        """Start it anew where it was killed."""


@dataclass(frozen=True, slots=True)
class Triggers:
    """The triggers of a workspace.

    Attributes:
        records: What they are.
        evaluator: Looks at what they listen to.
        load: Reads their files.
        check_job: Checks the jobs that they name.
        prepare: Makes the workspace where there is none.
        scheduler: Evaluates them every few seconds.
    """

    records: TriggerRecords
    evaluator: Evaluator
    load: LoadTrigger
    check_job: CheckJob
    prepare: Callable[[], None]
    scheduler: LooksAfter

    def create_or_update(
        self, source: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> TriggerInfo:
        """Make a trigger, or change it.

        What is at its place now is not new to it. One that is changed goes on from where it is, but
        where it listens to something else.

        Args:
            source: The path of its file, or the trigger itself.
            overrides: `a.b=c` settings.
            name: Stands for the name in the file.

        Raises:
            SpecError: The trigger's file or the job's is wrong; holds every problem.
            TargetError: Its place cannot be read.
        """
        is_loaded = isinstance(source, Trigger)
        trigger = source if is_loaded else self.load(source, overrides=overrides, name=name)
        self.check_job(trigger.job, overrides=settings(trigger, sample_event(trigger)))
        self.prepare()
        with self.evaluator.alone():
            self.records.put(trigger, self.evaluator.baseline(trigger))
        self._look_after()
        return self.get(trigger.name)

    def _look_after(self) -> None:
        """Have the scheduler evaluate what is enabled."""
        if self.any_enabled():
            self.scheduler.ensure()

    def any_enabled(self) -> bool:
        """Return whether events may start jobs of any trigger."""
        return self.records.any_enabled()

    def get(self, name: str) -> TriggerInfo:
        """Return a trigger; raises NotFoundError."""
        return self.records.info(self.records.get(name))

    def list(self) -> Sequence[TriggerInfo]:
        """Return all triggers, by name; a scheduler that was killed is started anew."""
        if self.any_enabled():
            self.scheduler.revive()
        return [self.records.info(state) for state in self.records.all()]

    def enable(self, name: str) -> TriggerInfo:
        """Let events from now on start jobs; those that came meanwhile do not."""
        trigger = self.records.get(name).trigger
        with self.evaluator.alone():
            self.records.enable(name, self.evaluator.baseline(trigger))
        self._look_after()
        return self.get(name)

    def disable(self, name: str) -> TriggerInfo:
        """Let no event start a job but what people ask for."""
        self.records.disable(name)
        return self.get(name)

    def delete(self, name: str) -> None:
        """Remove a trigger; its jobs and its log stay."""
        self.records.remove(name)

    def run_now(self, name: str, detail: Mapping[str, Scalar] | None = None) -> EventInfo:
        """Record an event on demand for a trigger of any type, enabled or not.

        A cool-down and too few rows do not hold it back, a run that has not ended does. Nothing
        starts before the next `evaluate`.

        Args:
            name: The trigger's.
            detail: What `${{event.NAME}}` stands for, beside what is known of the trigger's place.

        Raises:
            NotFoundError: There is no such trigger.
            UsageError: An input of its job asks for what is not told.
        """
        trigger = self.records.get(name).trigger
        told = {**self.evaluator.describe(trigger), **(detail or {})}
        settings(
            trigger, EventInfo(id=0, type="on_demand", source=name, key="", time="", detail=told)
        )
        return record(self.records.database, "on_demand", name, told, f"on_demand:{uuid.uuid4()}")

    def evaluate(self, now: float, *, dry_run: bool = False) -> Sequence[TriggerDecision]:
        """Take one look at all triggers and start what is to start; see `Evaluator.evaluate`.

        Args:
            now: The present, in seconds since the epoch.
            dry_run: Only tell what would be decided.
        """
        if dry_run or not self.records.all():
            return self.evaluator.preview(now)
        return self.evaluator.evaluate(now)

    def log(
        self, name: str | None = None, *, max_results: int | None = None
    ) -> Sequence[TriggerDecision]:
        """Return what fired and what was held back, the newest first."""
        told = self.records.log(name or "", max_results)
        if name is not None and not told:
            self.records.get(name)  # a trigger that was deleted has a log, too
        return told

    def events(self, *, max_results: int | None = None) -> Sequence[EventInfo]:
        """Return the events of the workspace, the newest first."""
        after = 0 if max_results is None else last_event(self.records.database) - max_results
        return events_after(self.records.database, max(after, 0))[::-1]

    def record(
        self, kind: str, source: str, detail: Mapping[str, Scalar] | None = None, *, key: str = ""
    ) -> EventInfo:
        """Record an event that something outside saw; see `events.record`.

        An empty `key` makes it another event each time.
        """
        self.prepare()
        own = key or str(uuid.uuid4())
        return record(self.records.database, kind, source, detail or {}, own)
