"""What triggers, events, and decisions look like: as data, and for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from amlocal.cli import text
from amlocal.cli.output import plain, render_table
from amlocal.cli.session import View
from amlocal.cli.summary import facts_lines, section
from amlocal.cli.terminal import Terminal
from amlocal.plan.trigger import EventInfo, TriggerDecision, TriggerInfo


def trigger_view(trigger: TriggerInfo) -> View:
    """Return a trigger."""
    return View(plain(trigger), [_row(trigger)], lambda terminal: _trigger(trigger, terminal))


def triggers_view(triggers: Sequence[TriggerInfo]) -> View:
    """Return a list of triggers."""
    nothing = "no triggers; aml trigger create -f FILE makes one\n"
    return _list(plain(triggers), [_row(each) for each in triggers], nothing)


def events_view(events: Sequence[EventInfo]) -> View:
    """Return a list of events."""
    rows = [
        {
            "Id": str(event.id),
            "Time": text.moment(event.time),
            "Type": event.type,
            "Source": text.clean(event.source),
            "Detail": text.clean(_pairs(event.detail)),
        }
        for event in events
    ]
    return _list(plain(events), rows, "nothing happened yet\n")


def decisions_view(decisions: Sequence[TriggerDecision], *, is_dry: bool = False) -> View:
    """Return what became of events at triggers; in a dry run, what would."""
    nothing = "nothing would start\n" if is_dry else "nothing to tell\n"
    rows = [
        {
            "Time": text.moment(each.time),
            "Trigger": each.trigger,
            "Event": f"{each.event or ''} {each.event_type}".strip(),
            "Outcome": f"would be {each.outcome}" if is_dry else each.outcome,
            "Job": each.job,
            "Reason": text.clean(each.reason),
        }
        for each in decisions
    ]
    return _list(plain(decisions), rows, nothing)


def _row(trigger: TriggerInfo) -> dict[str, str]:
    return {
        "Name": trigger.name,
        "Event": f"{trigger.event.type} {trigger.event.source}".strip(),
        "Enabled": str(trigger.is_enabled).lower(),
        "Pending": str(trigger.pending),
        "Last_job": trigger.last_job,
        "Last_fired": text.moment(trigger.last_fired) if trigger.last_fired else "",
    }


def _trigger(trigger: TriggerInfo, terminal: Terminal) -> str:
    state = "enabled" if trigger.is_enabled else "disabled"
    conditions = trigger.conditions
    told = {
        "new rows": str(conditions.minimum_rows or ""),
        "cool-down": text.duration(conditions.cool_down) if conditions.cool_down else "",
        "one run at a time": "yes" if conditions.one_run_at_a_time else "no",
    }
    facts = {
        "event": f"{trigger.event.type} {trigger.event.source}".strip(),
        "job": trigger.job,
        "description": trigger.description,
        "created": text.moment(trigger.creation_time),
        "last job": trigger.last_job,
        "held back": text.plural(trigger.pending, "event") if trigger.pending else "",
    }
    commands = {
        "try it": "aml trigger evaluate --dry-run",
        "run it": f"aml trigger run-now -n {trigger.name}",
        "log": f"aml trigger log -n {trigger.name}",
    }
    style = "green" if trigger.is_enabled else "yellow"
    inputs = {name: str(value) for name, value in trigger.inputs.items()}
    lines = [
        f"{terminal.style(state, style)} {trigger.name}",
        *facts_lines({name: text.clean(fact) for name, fact in facts.items()}),
        *section("inputs", facts_lines(inputs), terminal),
        *section("conditions", facts_lines(told), terminal),
        *section("look", facts_lines(commands), terminal),
    ]
    return "\n".join(lines) + "\n"


def _pairs(detail: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in detail.items() if name != "digest")


def _list(data: object, rows: Sequence[Mapping[str, str]], nothing: str) -> View:
    return View(data, rows, lambda terminal: render_table(rows, terminal) or nothing)
