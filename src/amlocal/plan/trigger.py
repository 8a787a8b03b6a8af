"""A trigger: which event starts which job, and under what conditions."""

from __future__ import annotations

from typing import Literal, get_args

from amlocal.plan.base import Value
from amlocal.plan.ports import Scalar

EventType = Literal["on_demand", "new_data", "drift", "performance_decay", "new_model_version"]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
#: What became of an event at a trigger: `starting` is noted before the job is made, and becomes
#: `fired`; `held` may still fire; `superseded` left its place to a newer event.
TriggerOutcome = Literal["starting", "fired", "held", "superseded", "failed"]

#: Names of `${{event.NAME}}` that an event of any type has.
COMMON_FIELDS = ("id", "type", "source", "time")
#: What an event's detail has beside them; of drift and decay, monitors may tell more.
DETAIL_FIELDS: dict[EventType, tuple[str, ...]] = {
    "on_demand": (),
    "new_data": ("path", "version", "digest", "files"),
    "drift": ("monitor", "signal", "metric", "feature", "value", "threshold", "rows", "report"),
    "performance_decay": ("monitor", "signal", "metric", "value", "threshold", "rows", "report"),
    "new_model_version": ("path", "model", "version"),
}


class TriggerEvent(Value, frozen=True):
    """Which events a trigger listens to.

    Attributes:
        type: What happens.
        path: Of `new_data`: an absolute path, an address of a datastore, or `azureml:NAME`.
        monitor: Of `drift` and `performance_decay`: the monitor's name; empty is any.
        model: Of `new_model_version`: the registered model's name.
    """

    type: EventType
    path: str = ""
    monitor: str = ""
    model: str = ""

    @property
    def source(self) -> str:
        """Where such events come from; empty is anywhere."""
        return self.path or self.monitor or self.model


class TriggerConditions(Value, frozen=True):
    """What must hold before an event starts a job.

    Attributes:
        minimum_rows: Of `new_data`: rows that are new since the trigger last fired.
        cool_down: Seconds since the trigger last fired.
        one_run_at_a_time: Whether a run of the trigger must have ended before the next one.
        settled_for: Of `new_data`: seconds in which nothing was written, so that no half of a file
            is taken for all of it.
    """

    minimum_rows: int = 0
    cool_down: float = 0
    one_run_at_a_time: bool = True
    settled_for: float = 2


class Trigger(Value, frozen=True):
    """A trigger as its file says.

    Attributes:
        name: Its name.
        event: What it listens to.
        job: Absolute path of the job's file.
        inputs: Inputs of the job by name: a value, or `path`, `type`, and `mode` of data. Texts
            may hold `${{event.NAME}}` and `${{trigger.name}}`.
        experiment_name: Stands for the job's own.
        conditions: What must hold.
        display_name: What people read.
        description: What it is for.
        tags: Its labels.
        source: The file it was read from.
    """

    name: str
    event: TriggerEvent
    job: str
    inputs: dict[str, Scalar | dict[str, str]] = {}
    experiment_name: str = ""
    conditions: TriggerConditions = TriggerConditions()
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    source: str = ""


class EventInfo(Value, frozen=True):
    """Something that happened.

    Attributes:
        id: Its number; later events have larger ones.
        type: What happened.
        source: Where: a place, a monitor, a model, or for `on_demand` a trigger.
        key: What makes it unique.
        time: When it was recorded, ISO 8601 in UTC.
        detail: What is known of it.
    """

    id: int
    type: EventType
    source: str
    key: str
    time: str
    detail: dict[str, Scalar] = {}

    def fields(self) -> dict[str, Scalar]:
        """Return what `${{event.NAME}}` stands for, by name."""
        own: dict[str, Scalar] = {
            "id": self.id,
            "type": self.type,
            "source": self.source,
            "time": self.time,
        }
        if self.type in {"drift", "performance_decay"}:
            own["monitor"] = self.source
        return {**self.detail, **own}


class TriggerDecision(Value, frozen=True):
    """What became of an event at a trigger.

    Attributes:
        trigger: The trigger's name.
        event: The event's number; 0 is what a place holds that no event tells of yet.
        event_type: What happened, or an empty string.
        outcome: What became of it.
        reason: Why.
        job: The job that it started, or an empty string.
        time: When that was decided, ISO 8601 in UTC.
    """

    trigger: str
    event: int
    event_type: str
    outcome: TriggerOutcome
    reason: str
    job: str = ""
    time: str = ""


class TriggerInfo(Value, frozen=True):
    """A trigger and its state.

    Attributes:
        name: Its name.
        is_enabled: Whether events start jobs.
        event: What it listens to.
        conditions: What must hold.
        job: The job's file.
        inputs: What the job is given.
        display_name: What people read.
        description: What it is for.
        tags: Its labels.
        creation_time: ISO 8601 in UTC.
        last_job: The last job that it started, or an empty string.
        last_fired: When, or an empty string.
        pending: Events that are held back.
    """

    name: str
    is_enabled: bool
    event: TriggerEvent
    conditions: TriggerConditions
    job: str
    inputs: dict[str, Scalar | dict[str, str]] = {}
    display_name: str = ""
    description: str = ""
    tags: dict[str, str] = {}
    creation_time: str = ""
    last_job: str = ""
    last_fired: str = ""
    pending: int = 0


class TriggerTemplate(Value, frozen=True):
    """A trigger as a template of Azure's resources.

    Attributes:
        template: Its text.
        warnings: What it leaves out, and what it needs.
    """

    template: str
    warnings: tuple[str, ...] = ()
