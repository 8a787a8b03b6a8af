"""Loads a trigger; its format is the project's own, with the terms of Azure's schedules.

::

    $schema: ../../docs/trigger.schema.json
    name: retrain-on-data
    event:
      type: new_data                   # on_demand, drift, performance_decay, new_model_version
      path: azureml://datastores/workspaceblobstore/paths/adult/incoming
    conditions:
      minimum_rows: 1000
      cool_down: PT6H                  # or seconds
    create_job:
      job: ../lifecycle.yml
      inputs:
        data: {type: uri_folder, path: "${{event.path}}"}
        event_id: ${{event.id}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlocal.errors import near_miss
from amlocal.plan.durations import duration_seconds
from amlocal.plan.expression import references
from amlocal.plan.ports import DATA_TYPES, Scalar
from amlocal.plan.trigger import (
    COMMON_FIELDS,
    DETAIL_FIELDS,
    EVENT_TYPES,
    EventType,
    Trigger,
    TriggerConditions,
    TriggerEvent,
)
from amlocal.spec import build, overrides
from amlocal.spec.findings import Findings
from amlocal.spec.kinds import check_choice, kind_of, named
from amlocal.spec.locate import Place, absolute, read_document
from amlocal.spec.objects import check_fields
from amlocal.spec.paths import problem_missing

#: Fields by object; kinds as in `amlocal.spec.structure`.
FIELDS: Mapping[str, Mapping[str, str]] = {
    "trigger": {
        "$schema": "text",
        "name": "text!",
        "display_name": "text",
        "description": "text",
        "tags": "map(scalar)",
        "event": "any!",
        "conditions": "any",
        "create_job": "any!",
    },
    "event": {"type": "any!", "path": "text", "monitor": "text", "model": "text"},
    "conditions": {
        "minimum_rows": "int",
        "cool_down": "scalar",
        "one_run_at_a_time": "bool",
        "settled_for": "scalar",
    },
    "create_job": {"job": "text!", "experiment_name": "text", "inputs": "map(any)"},
    "input": {"path": "text!", "type": "text", "mode": "text"},
}
#: The field that says what an event of a type happens to; one with `!` is required.
SOURCES: Mapping[EventType, str] = {
    "new_data": "path!",
    "drift": "monitor",
    "performance_decay": "monitor",
    "new_model_version": "model!",
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_VERSIONED = re.compile(r"azureml:(?!//)[^:@]+:[^:@]+")


def load(file: Path, settings: Sequence[str] = (), *, name: str | None = None) -> Trigger:
    """Load a trigger.

    Args:
        file: Its absolute path.
        settings: `a.b=c` settings.
        name: Stands for the name in the file.

    Raises:
        SpecError: The file is wrong; holds every problem, each with its line.
        UsageError: A setting is wrong.
    """
    document = overrides.give(overrides.apply(read_document(file), settings), {"name": name})
    findings = Findings(document.name)
    findings.add(document.problems)
    trigger = _Reader(findings).trigger(document.place, document.data)
    findings.raise_problems()
    return trigger


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a trigger's file, for editors."""
    kinds = {"text": "string", "int": "integer", "bool": "boolean"}
    values = {"type": ["string", "number", "boolean"]}
    shapes: dict[str, dict[str, Any]] = {}
    for name, fields in FIELDS.items():
        shapes[name] = {
            "type": "object",
            "additionalProperties": False,
            "required": [field for field, kind in fields.items() if kind.endswith("!")],
            "properties": {
                field: {"type": kinds[kind.rstrip("!")]} if kind.rstrip("!") in kinds else values
                for field, kind in fields.items()
            },
        }
    event, job = shapes["event"]["properties"], shapes["create_job"]["properties"]
    event["type"] = {"enum": list(EVENT_TYPES)}
    shapes["input"]["properties"]["type"] = {"enum": sorted(DATA_TYPES)}
    some = {"oneOf": [values, shapes["input"]]}
    job["inputs"] = {"type": "object", "additionalProperties": some}
    shapes["conditions"]["properties"]["minimum_rows"]["minimum"] = 0
    own = shapes["trigger"]["properties"]
    own["name"]["pattern"] = f"^{_NAME.pattern}$"
    own["tags"] = {"type": "object", "additionalProperties": values}
    own["event"] = {"oneOf": [{"const": "on_demand"}, shapes["event"]]}
    own["conditions"] = shapes["conditions"]
    own["create_job"] = {"oneOf": [{"type": "string"}, shapes["create_job"]]}
    return {"$schema": "http://json-schema.org/draft-07/schema#", **shapes["trigger"]}


def seconds_of(value: object) -> float | None:
    """Return a duration in seconds: a number of them, or ISO 8601 (`PT90S`, `P1DT12H`), or None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    found = duration_seconds(value) if isinstance(value, str) else None
    return build.number(value) if found is None else found


class _Reader:
    """Builds a trigger from a file's fields, and notes what is wrong with them.

    A field that is wrong is read as its default, since the trigger is not used then.
    """

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def trigger(self, at: Place, value: Any) -> Trigger:
        data = self._fields(at, value, "trigger", "a trigger")
        name = build.text(data.get("name"))
        if name and not _NAME.fullmatch(name):
            hint = "letters, digits, - and _ make a name, at most 100 of them"
            self._findings.problem(at.at("name"), f"{name!r} cannot be a trigger's name", hint)
        event = self._event(at.at("event"), data["event"]) if "event" in data else None
        event = event or TriggerEvent(type="on_demand")
        created = data.get("create_job")
        job = self._job(at.at("create_job"), created, event) if "create_job" in data else {}
        inputs = build.mapping(job.get("inputs"))
        conditions = data.get("conditions", {})
        return Trigger(
            name=name,
            event=event,
            job=build.text(job.get("job")),
            inputs={key: self._input(item, at.document.folder) for key, item in inputs.items()},
            experiment_name=build.text(job.get("experiment_name")),
            conditions=self._conditions(at.at("conditions"), conditions, event),
            display_name=build.text(data.get("display_name")),
            description=build.text(data.get("description")),
            tags=build.texts(data.get("tags")),
            source=at.document.name,
        )

    def _event(self, at: Place, value: Any) -> TriggerEvent | None:
        if isinstance(value, str) and value in EVENT_TYPES:
            value = {"type": value}  # `event: on_demand`
        data = self._fields(at, value, "event", "an event")
        if "type" not in data:
            return None
        said = data["type"]
        known: dict[str, EventType] = {each: each for each in EVENT_TYPES}
        check_choice(self._findings, at.at("type"), said, list(known), any_case=False)
        kind = known.get(str(said))
        if kind is None:
            return None
        source = SOURCES.get(kind, "")
        for field in ("path", "monitor", "model"):
            if field in data and field != source.rstrip("!"):
                hint = f"it takes {source.rstrip('!')}:" if source else "remove it"
                message = f"an event {kind} has no {field!r}"
                self._findings.problem(at.at(field), message, hint)
        if source.endswith("!") and source[:-1] not in data:
            self._findings.problem(at, f"an event {kind} lacks the field {source[:-1]!r}", "add it")
        path = build.text(data.get("path")) if kind == "new_data" else ""
        if _VERSIONED.fullmatch(path):
            hint = f"write {path.rpartition(':')[0]}, to hear of each new version"
            self._findings.problem(at.at("path"), "a version of a data asset never changes", hint)
        return TriggerEvent(
            type=kind,
            path=build.local_path(path, at.document.folder) if path else "",
            monitor=build.text(data.get("monitor")),
            model=build.text(data.get("model")),
        )

    def _conditions(self, at: Place, value: Any, event: TriggerEvent) -> TriggerConditions:
        data = self._fields(at, value, "conditions", "the conditions")
        for field in ("minimum_rows", "settled_for"):
            if field in data and event.type != "new_data":
                message = f"an event {event.type} has no rows or files: {field!r} is of new_data"
                self._findings.problem(at.at(field), message, "remove it")
        rows = build.number(data.get("minimum_rows"))
        if rows is not None and rows < 0:
            hint = "give a whole number from 0"
            self._findings.problem(at.at("minimum_rows"), f"'minimum_rows' is {rows:g}", hint)
        defaults = TriggerConditions()
        return TriggerConditions(
            minimum_rows=int(max(rows or 0, 0)),
            cool_down=self._duration(at.at("cool_down"), data, defaults.cool_down),
            settled_for=self._duration(at.at("settled_for"), data, defaults.settled_for),
            one_run_at_a_time=build.typed(data.get("one_run_at_a_time", True), "boolean") is True,
        )

    def _duration(self, at: Place, data: Mapping[str, Any], default: float) -> float:
        said = data.get(str(at.path[-1]))
        if said is None:
            return default
        found = seconds_of(said)
        if found is None or not 0 <= found < float("inf"):
            hint = "give seconds, as 3600, or an ISO 8601 duration, as PT1H or P1D"
            self._findings.problem(at, f"{named(at)} cannot be {said!r}", hint)
            return default
        return found

    def _job(self, at: Place, value: Any, event: TriggerEvent) -> Mapping[str, Any]:
        """Return the fields of `create_job`, its job's file as an absolute path."""
        if isinstance(value, str):
            value = {"job": value}  # as Azure's schedules take it
            place = at
        else:
            place = at.at("job")
        data = self._fields(at, value, "create_job", "create_job")
        for name, item in build.mapping(data.get("inputs")).items():
            self._check_input(at.at("inputs", name), item, event)
        job = build.text(data.get("job")).removeprefix("file:")
        if not job:
            return data
        file = absolute(job, at.document.folder)
        if not file.is_file():
            problem_missing(self._findings, place, file, "the job's file")
        return {**data, "job": str(file)}

    def _check_input(self, at: Place, value: Any, event: TriggerEvent) -> None:
        if isinstance(value, Mapping):
            data = self._fields(at, value, "input", "an input")
            kind = data.get("type")
            if isinstance(kind, str):
                check_choice(self._findings, at.at("type"), kind, sorted(DATA_TYPES), any_case=True)
            texts = [(at.at(name), item) for name, item in data.items()]
        elif build.is_scalar(value):
            texts = [(at, value)]
        else:
            hint = "write a value, or path: and type: below it"
            self._findings.problem(at, f"{named(at)} is {kind_of(value)}", hint)
            return
        for place, text in texts:
            for reference in references(text) if isinstance(text, str) else ():
                self._check_reference(place, reference.path, event)

    def _check_reference(self, at: Place, path: Sequence[str], event: TriggerEvent) -> None:
        known = {f"event.{name}" for name in (*COMMON_FIELDS, *DETAIL_FIELDS[event.type])}
        known.add("trigger.name")
        said = ".".join(path)
        # Who asks for a run may tell anything of it.
        if said not in known and not (event.type == "on_demand" and path[0] == "event"):
            hint = near_miss(said, known)
            self._findings.problem(at, f"an event {event.type} has no {said!r}", hint, text=said)

    @staticmethod
    def _input(value: Any, folder: Path) -> Scalar | dict[str, str]:
        if isinstance(value, Mapping):
            parts = build.texts(value)
            return {**parts, "path": build.local_path(parts.get("path", ""), folder)}
        return value if build.is_scalar(value) else ""

    def _fields(self, at: Place, value: Any, schema: str, what: str) -> Mapping[str, Any]:
        return check_fields(self._findings, at, value, FIELDS[schema], what)
