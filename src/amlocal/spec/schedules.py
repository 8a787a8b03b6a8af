"""Loads schedules: checks first, then the SDK's loader, then the plan."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amlocal.errors import SpecError, UsageError
from amlocal.plan import Job
from amlocal.plan.monitor import CreateMonitor
from amlocal.plan.schedule import (
    Action,
    CreateJob,
    CronTrigger,
    Frequency,
    JobChanges,
    RecurrencePattern,
    RecurrenceTrigger,
    Schedule,
    Trigger,
    WeekDay,
)
from amlocal.spec import assemble, build, overrides, sdk
from amlocal.spec.check_monitor import check_monitor
from amlocal.spec.check_schedule import check_schedule
from amlocal.spec.compiler import compile_document, compile_object, require_mapping
from amlocal.spec.convert_schedule import schedule_mapping
from amlocal.spec.entities import base
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document, FieldPath, Place
from amlocal.spec.monitors import monitor_of, whole_monitor
from amlocal.spec.paths import Files
from amlocal.spec.source import AssetSource

_AZUREML = "azureml:"


def schedule(
    source: Any, settings: Sequence[str], name: str | None, assets: AssetSource | None
) -> Schedule:
    """Load a schedule; see `amlocal.spec.load_schedule`."""
    files = Files()
    document = _opened(files, source, settings, name)
    findings = Findings(first=document.name)
    findings.add(document.problems)
    require_mapping(findings, document)
    data = document.data
    check_schedule(findings, document.place, data)
    action: Action
    if "create_monitor" in data:
        action = _monitor(findings, files, document, loads=isinstance(source, Path))
    else:
        action = _job(findings, files, document, source, assets)
    return Schedule(
        name=data["name"],
        trigger=trigger_of(data["trigger"]),
        action=action,
        display_name=build.text(data.get("display_name")),
        description=build.text(data.get("description")),
        tags=build.texts(data.get("tags")),
        properties=build.texts(data.get("properties")),
        source=document.name,
        warnings=findings.warnings,
    )


def _monitor(findings: Findings, files: Files, document: Document, *, loads: bool) -> CreateMonitor:
    """Return the monitor of a schedule.

    Args:
        findings: What is wrong with the schedule; raised where anything is.
        files: What was read.
        document: The schedule.
        loads: Whether it is a file, which the SDK must take, too.
    """
    said = build.mapping(document.data["create_monitor"])
    check_monitor(findings, files, document.place.at("create_monitor"), said)
    findings.raise_problems()
    if loads:
        whole = {**document.data, "create_monitor": whole_monitor(said)}
        sdk.load("monitor_schedule", dataclasses.replace(document, data=whole).place, findings)
        findings.raise_problems()
    return monitor_of(said, trigger_of(document.data["trigger"]), document.folder)


def _job(
    findings: Findings, files: Files, document: Document, source: Any, assets: AssetSource | None
) -> CreateJob:
    """Return the job of a schedule."""
    given = None if isinstance(source, Path) else getattr(source, "create_job", None)
    if given is not None and not isinstance(given, str):
        findings.raise_problems()
        return CreateJob(job=compile_object(given, (), assets))
    action = _action(findings, files, document, assets)
    findings.raise_problems()
    if isinstance(source, Path):
        sdk.load("job_schedule", document.place, findings)
        findings.raise_problems()
    return action


def _opened(files: Files, source: Any, settings: Sequence[str], name: str | None) -> Document:
    """Return the fields of a file or an object, changed as settings and a flag say."""
    if isinstance(source, Path):
        written = files.document(source)
    elif source is None:
        written = Document(name="", data={}, folder=Path.cwd())
    elif {kind.__name__ for kind in type(source).__mro__} & {"JobSchedule", "MonitorSchedule"}:
        with sdk.quiet():
            written = Document(name="", data=schedule_mapping(source), folder=base(source))
    else:
        hint = "give a path, or a JobSchedule or MonitorSchedule of azure.ai.ml.entities"
        raise UsageError(f"this {type(source).__name__} is no schedule", hint=hint)
    return overrides.give(overrides.apply(written, settings), {"name": name})


def trigger_of(data: Mapping[str, Any]) -> Trigger:
    """Return the trigger of its YAML fields, which have passed the checks."""
    times = {name: data[name] for name in ("start_time", "end_time", "time_zone") if name in data}
    if build.text(data["type"]).lower() == "cron":
        return CronTrigger(expression=data["expression"], **times)
    pattern = data.get("schedule")
    return RecurrenceTrigger(
        frequency=Frequency(data["frequency"].lower()),
        interval=int(data["interval"]),
        schedule=None if pattern is None else _pattern(pattern),
        **times,
    )


def _pattern(data: Mapping[str, Any]) -> RecurrencePattern:
    return RecurrencePattern(
        hours=_numbers(data.get("hours")),
        minutes=_numbers(data.get("minutes")),
        week_days=tuple(WeekDay(day.lower()) for day in _several(data.get("week_days"))),
        month_days=_numbers(data.get("month_days")),
    )


def _numbers(value: Any) -> tuple[int, ...]:
    return tuple(int(item) for item in _several(value))


def _several(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else [value]


def _action(
    findings: Findings, files: Files, document: Document, assets: AssetSource | None
) -> CreateJob:
    """Return what a schedule starts, as far as it is right."""
    said = document.data.get("create_job")
    place = document.place.at("create_job")
    changes: Mapping[str, Any] = {}
    if isinstance(said, Mapping):
        changes = {name: item for name, item in said.items() if name not in {"job", "name"}}
        place, said = place.at("job"), said.get("job")
    if not isinstance(said, str):
        return CreateJob()  # told already
    if said.startswith(_AZUREML):
        return CreateJob(
            reference=said.removeprefix(_AZUREML), changes=_changes(findings, document, changes)
        )
    named = files.referenced(findings, place, said, "the job file")
    if named is None:
        return CreateJob()
    changed = _merged(named, changes, document)
    return CreateJob(job=_compiled(findings, files, changed, document, assets))


def _compiled(
    findings: Findings,
    files: Files,
    job: Document,
    schedule_document: Document,
    assets: AssetSource | None,
) -> Job | None:
    """Return the job of a file; its problems are told with the schedule's."""
    own = Findings(first=job.name)
    try:
        own.add(job.problems)
        require_mapping(own, job)
        # As Azure does for a job that names none.
        experiment = build.text(schedule_document.data.get("name"))
        data = {"experiment_name": experiment, **job.data}
        compiled, _ = compile_document(own, files, dataclasses.replace(job, data=data), assets)
    except SpecError as error:
        findings.add(error.problems)
        return None
    return compiled


def _merged(job: Document, changes: Mapping[str, Any], schedule_document: Document) -> Document:
    """Return a job's file changed as a schedule says; a change is told of by the schedule's line.

    As `azure.ai.ml` merges them: mappings field by field, all else as a whole. Paths stay relative
    to the job's file.
    """
    if not isinstance(job.data, Mapping) or not changes:
        return job
    data = copy.deepcopy(dict(job.data))
    said: dict[FieldPath, str] = dict(job.overrides)

    def merge(into: dict[str, Any], new: Mapping[str, Any], path: FieldPath) -> None:
        for name, value in new.items():
            here = (*path, name)
            place = schedule_document.place.at("create_job", *here)
            if isinstance(value, Mapping) and isinstance(into.get(name), Mapping):
                into[name] = dict(into[name])
                merge(into[name], value, here)
            else:
                into[name] = copy.deepcopy(value)
                said[here] = _where(place)

    merge(data, changes, ())
    return dataclasses.replace(job, data=data, overrides=said)


def _where(place: Place) -> str:
    problem = place.problem("")
    return f"{problem.file}:{problem.line}" if problem.line else problem.file


def _changes(findings: Findings, document: Document, changes: Mapping[str, Any]) -> JobChanges:
    """Return what a schedule changes of a job of the workspace."""
    place = document.place.at("create_job")
    known = {*JobChanges.__struct_fields__, "type", "$schema"}
    for name in changes:
        if name not in known:
            message = f"{name!r} cannot be changed of a job of the workspace here"
            findings.unsupported(place.at(name), message, "name the job's file instead")
    settings = build.mapping(changes.get("settings"))
    return JobChanges(
        display_name=build.text(changes.get("display_name")),
        description=build.text(changes.get("description")),
        experiment_name=build.text(changes.get("experiment_name")),
        tags=build.texts(changes.get("tags")),
        properties=build.texts(changes.get("properties")),
        inputs=assemble.job_inputs(build.mapping(changes.get("inputs")), document.folder),
        settings=assemble.settings(settings, None) if settings else None,
    )
