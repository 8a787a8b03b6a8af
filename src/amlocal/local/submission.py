"""From what is submitted to a job's record: pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from amlocal.local.lineage import component_reference
from amlocal.local.locations import redacted
from amlocal.local.records import timestamp
from amlocal.plan import (
    AutoMLInfo,
    DataValue,
    InputInfo,
    Job,
    JobInfo,
    JobStatus,
    LiteralValue,
    Step,
    SweepInfo,
)
from amlocal.plan.ports import JobBinding


def settings(fields: Mapping[str, str | Mapping[str, str]]) -> list[str]:
    """Return fields of a job as the `a.b=c` settings that give them."""
    return [
        f"{name}={value if isinstance(value, str) else json.dumps(dict(value))}"
        for name, value in fields.items()
    ]


def new_record(job: Job, name: str) -> JobInfo:
    """Return the record of a job that has not begun, with those of its steps."""
    created = timestamp()
    is_pipeline = job.type == "pipeline"
    children = (
        tuple(_step_record(job, step, name, created) for step in job.steps) if is_pipeline else ()
    )
    return JobInfo(
        name=name,
        type=job.type,
        status=JobStatus.NOT_STARTED,
        display_name=job.display_name or name,
        experiment_name=job.experiment_name,
        description=job.description,
        component="" if is_pipeline else component_reference(job.steps[0]),
        tags=job.tags,
        properties=job.properties,
        sweep=None if is_pipeline else _sweep_info(job.steps[0]),
        automl=None if is_pipeline else _automl_info(job.steps[0]),
        inputs={key: _input_info(binding) for key, binding in job.inputs.items()},
        children=children,
        creation_time=created,
        source=job.source,
        warnings=tuple(f"{warned.field}: {warned.message}" for warned in job.warnings),
    )


def _step_record(job: Job, step: Step, parent: str, created: str) -> JobInfo:
    return JobInfo(
        name=f"{parent}_{step.name}",
        type=_kind(step),
        sweep=_sweep_info(step),
        automl=_automl_info(step),
        status=JobStatus.NOT_STARTED,
        display_name=step.display_name or step.name,
        experiment_name=job.experiment_name,
        description=step.description,
        parent=parent,
        step=step.name,
        component=component_reference(step),
        tags=step.tags,
        properties=step.properties,
        creation_time=created,
        source=step.component.source or job.source,
    )


def _kind(step: Step) -> str:
    if step.component.parallel is not None:
        return "parallel"
    return "sweep" if step.sweep else "automl" if step.automl else "command"


def _sweep_info(step: Step) -> SweepInfo | None:
    if step.sweep is None:
        return None
    objective = step.sweep.objective
    return SweepInfo(
        metric=objective.primary_metric,
        goal=objective.goal,
        max_total_trials=step.sweep.max_total_trials,
    )


def _automl_info(step: Step) -> AutoMLInfo | None:
    if step.automl is None:
        return None
    return AutoMLInfo(
        metric=step.automl.primary_metric,
        goal=step.automl.goal,
        max_total_trials=step.automl.limits.max_trials,
        task=step.automl.task,
    )


def _input_info(binding: JobBinding) -> InputInfo:
    if isinstance(binding, LiteralValue):
        value = binding.value
        kind = (
            "boolean"
            if isinstance(value, bool)
            else {int: "integer", float: "number", str: "string"}[type(value)]
        )
        return InputInfo(type=kind, value=value)
    assert isinstance(binding, DataValue)
    return InputInfo(type=binding.type, path=redacted(binding.path))
