"""Looks at what triggers listen to, and starts their jobs: each event once for each trigger.

::

    resume what a killed evaluation had taken
    for each trigger: look at its place -> record what is new -> hold the event back, or
        take it (one transaction) -> make its job -> note that it fired

One evaluation runs at a time (`flock`), so what is taken when another one begins was left by one
that was killed. The job's name follows from the trigger and the event, and names are unique: the
job of an event that was taken is there, or is still to be made, and never made twice.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from amlocal.errors import AmlocalError, NotFoundError, TargetError
from amlocal.local.records import timestamp
from amlocal.local.recovery import never_began
from amlocal.local.triggers.conditions import (
    is_settled,
    new_rows,
    obstacle,
    settings,
    too_few,
)
from amlocal.local.triggers.events import find_event, record
from amlocal.local.triggers.places import Look, Places
from amlocal.local.triggers.records import Seen, TriggerRecords, TriggerState
from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.trigger import EventInfo, Trigger, TriggerDecision, TriggerOutcome


class StartsJobs(Protocol):
    """What starts jobs; `LocalJobs` is one."""

    def create_or_update(
        self, job: Any, *, overrides: Sequence[str] = (), name: str | None = None
    ) -> JobInfo:
        """Start a job in the background."""

    def get(self, name: str) -> JobInfo:
        """Return a job; raises NotFoundError."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Evaluates the triggers of a workspace.

    Attributes:
        records: The triggers.
        places: What they watch.
        jobs: Starts their jobs.
        recover: Gives jobs whose engine was killed their end.
        lock: The file that one evaluation at a time holds.
    """

    records: TriggerRecords
    places: Places
    jobs: StartsJobs
    recover: Callable[[], object]
    lock: Path

    def evaluate(self, now: float) -> list[TriggerDecision]:
        """Take one look at every trigger, and start what is to start.

        Args:
            now: The present, in seconds since the epoch.

        Returns:
            What was decided now; an event that is held back for the same reason as before is not
            told of again.

        Raises:
            TargetError: The records cannot be written.
        """
        with self.alone():
            self.recover()
            told = [self._resume(*taken, now) for taken in self.records.starting()]
            for state in self.records.all():
                told += self._evaluate(state, now)
        return [each for each in told if each is not None]

    def preview(self, now: float) -> list[TriggerDecision]:
        """Return what `evaluate` would decide; nothing is written, and nothing starts."""
        return [each for state in self.records.all() for each in self._preview(state, now)]

    def baseline(self, trigger: Trigger) -> Seen:
        """Return what a trigger's place holds now; other triggers hear of what is new there."""
        look = self.places.look(trigger.event)
        if look is None:
            return Seen()
        self._notice(trigger, look)
        return self._seen(trigger, look, Seen())

    def describe(self, trigger: Trigger) -> dict[str, Any]:
        """Return what an event of a trigger would tell of its place now."""
        look = self.places.look(trigger.event)
        return {} if look is None else dict(look.detail)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from evaluating, and from changing what a trigger takes for seen."""
        self.lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _evaluate(self, state: TriggerState, now: float) -> list[TriggerDecision | None]:
        """Decide of the events of one trigger; what cannot be read holds it back."""
        trigger = state.trigger
        try:
            look = self.places.look(trigger.event) if state.is_enabled else None
            waiting = self._wait(state, look, now)
            if look is not None and not waiting:
                self._notice(trigger, look)
        except AmlocalError as error:
            look, waiting = None, str(error)
        decisions = [self._held(trigger, None, waiting, now)]
        events = self.records.pending(state)
        for event, older in _candidates(events, is_waiting=bool(waiting)):
            decisions.append(self._decide(state, event, older, look, now))
        return decisions

    def _wait(self, state: TriggerState, look: Look | None, now: float) -> str:
        """Return why what is new at a place is no event yet, or an empty string."""
        conditions = state.trigger.conditions
        if look is None or is_settled(conditions, look.changed, now):
            return ""
        known = self.records.watched(state.trigger.event.source)
        if not self._is_news(known, look) and not self.records.pending(state):
            return ""
        return f"data is being written: it must be settled for {conditions.settled_for:g} s"

    @staticmethod
    def _is_news(known: tuple[int, dict[str, str]] | None, look: Look) -> bool:
        return known is not None and bool(look.new(known[1]))

    def _notice(self, trigger: Trigger, look: Look) -> None:
        """Record an event where a place holds something new.

        The key names the event before it, so that two who see the same record one event, and what
        comes back after something else was there is an event again.
        """
        place = trigger.event.source
        known = self.records.watched(place)
        event = known[0] if known else 0
        if known is not None and known[1] == look.files:
            return
        new = look.new(known[1]) if known is not None else []
        if new:
            content = look.detail.get("digest") or look.detail.get("version", "")
            event = record(
                self.records.database,
                trigger.event.type,
                place,
                {**look.detail, **({"files": len(new)} if look.folder is not None else {})},
                f"{trigger.event.type}:{place}:{event}:{content}",
            ).id
        self.records.watch(place, event, look.files)

    def _decide(
        self,
        state: TriggerState,
        event: EventInfo,
        older: Sequence[EventInfo],
        look: Look | None,
        now: float,
    ) -> TriggerDecision | None:
        trigger = state.trigger
        try:
            why = self._obstacle(state, event, look, now)
            if why:
                return self._held(trigger, event, why, now)
            seen = self._seen(trigger, look, state.seen) if look is not None else None
        except AmlocalError as error:
            return self._held(trigger, event, str(error), now)
        job, begun = self._job_of(trigger.name, event.id)
        numbers = [each.id for each in older]
        if not self.records.claim(trigger.name, event.id, numbers, job, seen, now):
            return None
        if begun:
            return self._follow(trigger.name, event, job, now)
        return self._start(trigger, event, job, now)

    def _job_of(self, name: str, number: int) -> tuple[str, bool]:
        """Return the name of an event's job, and whether it is there.

        One that lost its engine before it began has done nothing: another one is made for it.
        """
        job, attempt = f"{name}_{number}", 1
        while (info := self._find(job)) is not None:
            is_own = (info.tags.get("trigger"), info.tags.get("event")) == (name, str(number))
            if is_own and not _is_lost(info):
                return job, True
            attempt += 1
            job = f"{name}_{number}_{attempt}"
        return job, False

    def _obstacle(
        self, state: TriggerState, event: EventInfo, look: Look | None, now: float
    ) -> str:
        trigger = state.trigger
        last = self.records.last_fired(trigger.name)
        why = obstacle(
            trigger.conditions,
            event,
            now=now,
            last_fired=last[0] if last else None,
            running=self.records.running(trigger.name),
        )
        if why or look is None or event.type == "on_demand":
            return why
        if not trigger.conditions.minimum_rows:
            return ""
        rows = self.places.rows(look, look.new(state.seen.files))
        return too_few(trigger.conditions, new_rows(rows, state.seen.files, state.seen.rows))

    def _seen(self, trigger: Trigger, look: Look, before: Seen) -> Seen:
        rows: dict[str, int] = {}
        if trigger.conditions.minimum_rows and look.folder is not None:
            fresh = self.places.rows(look, look.new(before.files))
            rows = {name: count for name, count in before.rows.items() if name in look.files}
            rows.update(fresh)
        return Seen(files=dict(look.files), rows=rows)

    def _start(
        self, trigger: Trigger, event: EventInfo, job: str, now: float
    ) -> TriggerDecision | None:
        """Make the job of an event that is taken, and note what came of it."""
        try:
            self.jobs.create_or_update(trigger.job, overrides=settings(trigger, event), name=job)
        except TargetError as error:  # the machine's fault, so it is tried again
            return self._settled(trigger.name, event, "held", str(error), "", now)
        except AmlocalError as error:
            return self._settled(trigger.name, event, "failed", str(error), "", now)
        return self._settled(trigger.name, event, "fired", _why(event), job, now)

    def _resume(self, name: str, number: int, job: str, now: float) -> TriggerDecision | None:
        """Finish what was taken by an evaluation that was killed."""
        state, event = self.records.find(name), find_event(self.records.database, number)
        if event is None:
            raise AssertionError(f"the event {number} is gone")
        free, begun = self._job_of(name, number)
        if begun:
            return self._follow(name, event, free, now)
        if state is None:
            return self._settled(name, event, "failed", "the trigger was deleted", "", now)
        if free != job:
            self.records.rename(name, number, free)
        return self._start(state.trigger, event, free, now)

    def _follow(self, name: str, event: EventInfo, job: str, now: float) -> TriggerDecision | None:
        """Note that an event's job, which a killed evaluation has made, runs or has run.

        Not before it has begun: it may be one that lost its engine before, and to which somebody
        else gives its end right now. Then the next look makes another job.
        """
        info = self._find(job)
        if info is None or not info.start_time or _is_lost(info):
            return None
        return self._settled(name, event, "fired", _why(event), job, now)

    def _find(self, job: str) -> JobInfo | None:
        try:
            return self.jobs.get(job)
        except NotFoundError:
            return None

    def _held(
        self, trigger: Trigger, event: EventInfo | None, why: str, now: float
    ) -> TriggerDecision | None:
        if event is None and not why:
            self.records.forget_wait(trigger.name)
            return None
        return self._settled(trigger.name, event, "held", why, "", now)

    def _settled(
        self,
        name: str,
        event: EventInfo | None,
        outcome: TriggerOutcome,
        reason: str,
        job: str,
        now: float,
    ) -> TriggerDecision | None:
        number = event.id if event else 0
        if not self.records.settle(name, number, outcome, reason, job, now):
            return None
        return _decision(name, event, outcome, reason, job, now)

    def _preview(self, state: TriggerState, now: float) -> Iterator[TriggerDecision]:
        trigger = state.trigger
        try:
            look = self.places.look(trigger.event) if state.is_enabled else None
            waiting = self._wait(state, look, now)
            events = self.records.pending(state)
            if look is not None and not waiting:
                known = self.records.watched(trigger.event.source)
                events += [_unrecorded(trigger, look, now)] if self._is_news(known, look) else []
            if waiting:
                yield _decision(trigger.name, None, "held", waiting, "", now)
            for event, _ in _candidates(events, is_waiting=bool(waiting)):
                why = self._obstacle(state, event, look, now)
                outcome: TriggerOutcome = "held" if why else "fired"
                yield _decision(trigger.name, event, outcome, why or _why(event), "", now)
        except AmlocalError as error:
            yield _decision(trigger.name, None, "held", str(error), "", now)


def _candidates(
    events: Sequence[EventInfo], *, is_waiting: bool
) -> list[tuple[EventInfo, Sequence[EventInfo]]]:
    """Return the event that may start a job now, with those that it stands for.

    What people ask for goes first, each on its own; of all else the newest event stands for those
    before it, since its job finds all that they told of.
    """
    demanded = [event for event in events if event.type == "on_demand"]
    if demanded:
        return [(demanded[0], ())]
    return [(events[-1], events[:-1])] if events and not is_waiting else []


def _unrecorded(trigger: Trigger, look: Look, now: float) -> EventInfo:
    return EventInfo(
        id=0,
        type=trigger.event.type,
        source=trigger.event.source,
        key="",
        time=timestamp(now),
        detail=dict(look.detail),
    )


def _is_lost(job: JobInfo) -> bool:
    """Return whether a job has lost its engine before it began."""
    return job.status is JobStatus.FAILED and never_began(job)


def _why(event: EventInfo) -> str:
    """Return what happened, in short."""
    told = event.detail
    if event.type == "on_demand":
        return str(told.get("reason") or "asked for")
    if event.type in {"drift", "performance_decay"}:
        names = ("signal", "metric", "feature", "value")
        parts = [f"{name} {told[name]}" for name in names if name in told]
        return ", ".join([f"{event.type} of {event.source}", *parts])
    return f"{event.type}: {told.get('path', event.source)}"


def _decision(
    name: str,
    event: EventInfo | None,
    outcome: TriggerOutcome,
    reason: str,
    job: str,
    now: float,
) -> TriggerDecision:
    return TriggerDecision(
        trigger=name,
        event=event.id if event else 0,
        event_type=event.type if event else "",
        outcome=outcome,
        reason=reason,
        job=job,
        time=timestamp(now),
    )
