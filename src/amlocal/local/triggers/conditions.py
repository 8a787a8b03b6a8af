"""What holds an event back, and what its job is given: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from amlocal.errors import UsageError, near_miss
from amlocal.local.records import timestamp
from amlocal.plan.expression import Reference, Text, parse, references, sole_reference
from amlocal.plan.ports import Scalar
from amlocal.plan.trigger import EventInfo, Trigger, TriggerConditions


def new_rows(
    rows: Mapping[str, int], files_before: Mapping[str, str], rows_before: Mapping[str, int]
) -> int:
    """Return how many rows came.

    A new file has come with all of its rows; one that has grown, with those it has more; one that
    has not grown was replaced, and counts as a whole.

    Args:
        rows: Rows by name, of the files that are new or changed.
        files_before: What was there before, by name.
        rows_before: Rows of it, as far as they were counted.
    """
    total = 0
    for name, count in rows.items():
        before = rows_before.get(name, 0) if name in files_before else 0
        total += count - before if count > before else count
    return total


def obstacle(
    conditions: TriggerConditions,
    event: EventInfo,
    *,
    now: float,
    last_fired: float | None,
    running: str,
) -> str:
    """Return why an event may not start a job now, or an empty string.

    Who asks for a run on demand is not held back by a cool-down.
    """
    if conditions.one_run_at_a_time and running:
        return f"the run {running} has not ended"
    if event.type == "on_demand":
        return ""
    if last_fired is not None and now < last_fired + conditions.cool_down:
        return f"cool-down until {timestamp(last_fired + conditions.cool_down)}"
    return ""


def too_few(conditions: TriggerConditions, rows: int) -> str:
    """Return why so many new rows are too few, or an empty string."""
    least = conditions.minimum_rows
    return f"{rows} new rows of {least}" if rows < least else ""


def is_settled(conditions: TriggerConditions, changed: float, now: float) -> bool:
    """Return whether nothing was written for as long as a trigger wants."""
    return now - changed >= conditions.settled_for


def sample_event(trigger: Trigger) -> EventInfo:
    """Return an event that tells all that a trigger's inputs ask for, to check its job by."""
    texts = [
        text
        for value in trigger.inputs.values()
        for text in (value.values() if isinstance(value, dict) else (value,))
        if isinstance(text, str)
    ]
    asked = {".".join(each.path[1:]) for text in texts for each in references(text)}
    detail: dict[str, Scalar] = dict.fromkeys(asked, 0)
    return EventInfo(
        id=0,
        type=trigger.event.type,
        source=trigger.event.source or trigger.name,
        key="",
        time=timestamp(0),
        # Data is not looked at by a check, but an address must be one.
        detail={**detail, "path": trigger.event.path or "azureml:data:1"},
    )


def settings(trigger: Trigger, event: EventInfo) -> list[str]:
    """Return the `a.b=c` settings of the job that an event starts: its inputs, and its tags.

    Raises:
        UsageError: An input asks for what is not known of the event.
    """
    given: dict[str, str] = {}
    for name, value in trigger.inputs.items():
        if isinstance(value, dict):
            for part, said in value.items():
                given[f"inputs.{name}.{part}"] = _written(_bound(said, trigger, event))
        else:
            given[f"inputs.{name}"] = _written(_bound(value, trigger, event))
    if trigger.experiment_name:
        given["experiment_name"] = trigger.experiment_name
    given["tags.trigger"] = trigger.name
    given["tags.event"] = str(event.id)
    given["tags.event_type"] = event.type
    if event.source != trigger.name:
        given["tags.event_source"] = event.source
    return [f"{path}={value}" for path, value in given.items()]


def _written(value: Scalar) -> str:
    # In quotes, since a text may read as a number.
    return json.dumps(value, ensure_ascii=False)


def _bound(value: Scalar, trigger: Trigger, event: EventInfo) -> Scalar:
    """Return a value with its expressions replaced; a text that is one takes its value's type."""
    if not isinstance(value, str):
        return value
    alone = sole_reference(value)
    if alone is not None:
        return _value(alone, trigger, event)
    parts = (
        str(_value(part, trigger, event)) if isinstance(part, Reference) else part.text
        for part in parse(value)
        if isinstance(part, Reference | Text)
    )
    return "".join(parts)


def _value(reference: Reference, trigger: Trigger, event: EventInfo) -> Scalar:
    if reference.path == ("trigger", "name"):
        return trigger.name
    known = event.fields()
    name = ".".join(reference.path[1:])
    if reference.path[0] != "event" or name not in known:
        raise UsageError(
            f"{reference} of trigger {trigger.name} has no value: event {event.id} ({event.type})"
            f" tells no {name!r}",
            hint=near_miss(name, known),
        )
    return known[name]
