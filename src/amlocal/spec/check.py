"""Checks a job's graph: what the SDK leaves to the service to find."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from amlocal.errors import Problem, near_miss
from amlocal.plan import (
    Component,
    DataValue,
    Input,
    Job,
    LiteralValue,
    ParentInput,
    Step,
    StepOutput,
)
from amlocal.plan.expression import Reference, references, references_with_optional
from amlocal.spec import build
from amlocal.spec.assemble import ARTIFACTS, input_of
from amlocal.spec.locate import Place

# azure.ai.ml: is_valid_node_name, validate_key_contains_allowed_characters,
# IOConstants.VALID_KEY_PATTERN.
_STEP_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_KEY = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*")

#: A sweep's limit in Azure (60 days); no job runs longer.
LONGEST_TIMEOUT = 5_184_000


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a job stand.

    Attributes:
        job: The job's fields.
        components: The fields of each step's component: in a file of its own, or in the job.
    """

    job: Place
    components: Mapping[str, Place] = field(default_factory=dict)

    def step(self, step: Step, *path: str) -> Place:
        """Return the place of a field of a step."""
        return self.job.at("jobs", step.name, *path)


def check_job(job: Job, places: Places) -> Iterator[Problem]:
    """Yield every problem of a job's names, bindings, types, and graph."""
    for kind in ("inputs", "outputs"):
        yield from check_names(getattr(job, kind), places.job.at(kind), kind[:-1])
    for step in job.steps:
        if job.type == "pipeline":
            yield from _check_step(job, step, places)
        else:
            yield from check_names(step.outputs, places.job.at("outputs"), "output")
            yield from check_command(step.component, places.job)
            yield from _check_timeout(step, places.job)
    yield from _check_cycles(job, places)


def check_component(component: Component, place: Place) -> Iterator[Problem]:
    """Yield every problem of a component by itself."""
    for kind in ("inputs", "outputs"):
        yield from check_names(getattr(component, kind), place.at(kind), kind[:-1])
    for name, declared in component.inputs.items():
        yield from _check_default(name, declared, place.at("inputs", name))
    yield from check_command(component, place)


def check_names(names: Mapping[str, object], place: Place, what: str) -> Iterator[Problem]:
    """Yield the names that Azure refuses."""
    seen: dict[str, str] = {}
    for name in names:
        if not _KEY.fullmatch(name):
            hint = f"use letters, digits and underscores, for example {_identifier(name)!r}"
            yield place.at(name).problem(f"{name!r} cannot be the name of an {what}", hint)
        other = seen.setdefault(name.lower(), name)
        if other != name:
            message = f"{what} {name!r} differs from {other!r} only in case"
            yield place.at(name).problem(message, "Azure takes them for one; rename it")


def check_command(component: Component, place: Place) -> Iterator[Problem]:
    """Yield the references of a command that nothing answers to."""
    at = place.at("command")
    known = {"inputs": list(component.inputs), "outputs": list(component.outputs)}
    for reference, optional in references_with_optional(component.command):
        kind, *rest = reference.path
        name = ".".join(rest)
        raw = _written(component.command, reference)
        if kind not in known or not name:
            yield _unknown_expression(at, reference, raw)
        elif name not in known[kind] and name != ARTIFACTS:
            hint = near_miss(name, known[kind]) or f"declare it below {kind}:"
            yield at.problem(f"no {kind[:-1]} named {name!r}", hint, text=raw)
        elif kind == "inputs" and not optional and _may_be_absent(component.inputs.get(name)):
            message = f"the optional input {name!r} stands outside $[[ ]]"
            yield at.problem(message, f"write $[[ --{name} {raw} ]]", text=raw)


def _may_be_absent(declared: Input | None) -> bool:
    return declared is not None and declared.optional and declared.default is None


def _unknown_expression(at: Place, reference: Reference, raw: str) -> Problem:
    name = reference.path[-1]
    if reference.path[0] == "parent":
        kind = "outputs" if "outputs" in reference.path[1:2] else "inputs"
        hint = f"write ${{{{{kind}.{name}}}}}, and bind it to {raw} below {kind}:"
        return at.problem(f"a command cannot reach {raw}", hint, text=raw)
    if reference.path[0] == "search_space":
        hint = "only the trial of a sweep has a search space"
        return at.problem(f"a command cannot reach {raw}", hint, text=raw)
    hint = "write ${{inputs.NAME}} or ${{outputs.NAME}}"
    return at.problem(f"{raw} is no input and no output", hint, text=raw)


def _check_step(job: Job, step: Step, places: Places) -> Iterator[Problem]:
    at = places.step(step)
    if not _STEP_NAME.fullmatch(step.name):
        hint = f"use lower-case letters, digits and underscores, as in {_identifier(step.name)!r}"
        yield at.problem(f"{step.name!r} cannot be the name of a step", hint)
    yield from check_names(step.inputs, at.at("inputs"), "input")
    yield from _check_timeout(step, at)
    inline = places.components.get(step.name)
    if inline == at:
        yield from check_names(step.outputs, at.at("outputs"), "output")
        yield from check_command(step.component, at)
    else:
        yield from _check_ports(step, at)
    for name, value in step.inputs.items():
        yield from _check_binding(job, step, name, value, at.at("inputs", name))
    yield from _check_promotions(job, step, at)


def _check_ports(step: Step, at: Place) -> Iterator[Problem]:
    """Check the names of what a step binds against what its component declares."""
    declared = step.component
    for name in step.inputs:
        if name not in declared.inputs:
            hint = near_miss(name, declared.inputs) or "its component has no inputs"
            yield at.at("inputs", name).problem(f"step {step.name!r} has no input {name!r}", hint)
    for name in step.outputs:
        if name not in declared.outputs and name != ARTIFACTS:
            hint = near_miss(name, declared.outputs) or "its component has no outputs"
            yield at.at("outputs", name).problem(f"step {step.name!r} has no output {name!r}", hint)
    for name, port in declared.inputs.items():
        if name not in step.inputs and not port.optional and port.default is None:
            near = [given for given in step.inputs if given not in declared.inputs]
            hint = f"add {name}: below its inputs:"
            if near:
                hint += f" ({near[0]!r} is not one of them)"
            yield at.problem(f"step {step.name!r} lacks the input {name!r} ({port.type})", hint)


def _check_binding(job: Job, step: Step, name: str, value: object, at: Place) -> Iterator[Problem]:
    declared = step.component.inputs.get(name)
    outputs = {(other.name, own): o for other in job.steps for own, o in other.outputs.items()}
    if isinstance(value, ParentInput):
        if value.name not in job.inputs:
            hint = near_miss(value.name, job.inputs) or "the pipeline has no inputs"
            yield at.problem(f"the pipeline has no input {value.name!r}", hint)
            return
        above = job.inputs[value.name]
        if isinstance(above, LiteralValue) and declared is not None:
            yield from _check_literal(step, name, declared, above, at)
            return
    if isinstance(value, StepOutput):
        problem = _missing_output(job, step, value, at)
        if problem is not None:
            yield problem
            return
    if isinstance(value, LiteralValue):
        yield from _check_expression(value, at)
        if declared is not None and not _parent_references(value):
            yield from _check_literal(step, name, declared, value, at)
    elif declared is not None and isinstance(value, (ParentInput, StepOutput, DataValue)):
        found = input_of(value, job.inputs, outputs)
        if found is not None and declared.is_literal:
            message = f"input {name!r} of step {step.name!r} takes a {declared.type}, not data"
            yield at.problem(f"{message} ({found.type})", "give it one value")


def _missing_output(job: Job, step: Step, value: StepOutput, at: Place) -> Problem | None:
    steps = {other.name: other for other in job.steps}
    if value.step not in steps:
        hint = near_miss(value.step, steps)
        return at.problem(f"there is no step {value.step!r}", hint)
    if value.step == step.name:
        hint = "bind it to another step, or to ${{parent.inputs.NAME}}"
        return at.problem(f"step {step.name!r} takes its own output {value.output!r}", hint)
    known = steps[value.step].outputs
    if value.output not in known and value.output != ARTIFACTS:
        hint = near_miss(value.output, known) or "it has no outputs"
        return at.problem(f"step {value.step!r} has no output {value.output!r}", hint)
    return None


def _parent_references(value: LiteralValue) -> list[Reference]:
    if not isinstance(value.value, str):
        return []
    return [found for found in references(value.value) if len(found.path) > 1]


def _check_expression(value: LiteralValue, at: Place) -> Iterator[Problem]:
    """Refuse what is no binding: another expression, or text around one."""
    for reference in _parent_references(value):
        raw = str(reference)
        if str(value.value).strip().replace(" ", "") != raw:
            message = f"an input cannot be text around {raw}"
            yield at.problem(message, "give the parts as inputs of their own")
        elif reference.path[0] in {"inputs", "outputs", "jobs"}:
            message = f"{raw} is not known here"
            yield at.problem(message, "write ${{parent." + ".".join(reference.path) + "}}")
        else:
            hint = "write ${{parent.inputs.NAME}} or ${{parent.jobs.STEP.outputs.NAME}}"
            yield at.problem(f"{raw} cannot be bound", hint)


def _check_literal(
    step: Step, name: str, declared: Input, given: LiteralValue, at: Place
) -> Iterator[Problem]:
    what = f"input {name!r} of step {step.name!r}"
    if not declared.is_literal:
        if isinstance(given.value, str) and build.is_address(given.value):
            return
        message = f"{what} takes data ({declared.type}), not {given.value!r}"
        yield at.problem(message, "write path: below it")
        return
    yield from _check_value(what, declared, given.value, at)


def _check_value(what: str, declared: Input, given: object, at: Place) -> Iterator[Problem]:
    value = build.typed(given, declared.type)
    if value is None:
        hint = {"boolean": "write true or false"}.get(declared.type, f"write a {declared.type}")
        yield at.problem(f"{what} takes a {declared.type}, not {given!r}", hint)
        return
    if declared.enum and value not in declared.enum:
        choices = [str(choice) for choice in declared.enum]
        yield at.problem(f"{what} cannot be {given!r}", near_miss(str(value), choices))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if declared.min is not None and value < declared.min:
            yield at.problem(f"{what} is {value}, below {_plain(declared.min)}", "raise it")
        if declared.max is not None and value > declared.max:
            yield at.problem(f"{what} is {value}, above {_plain(declared.max)}", "lower it")


def _check_default(name: str, declared: Input, at: Place) -> Iterator[Problem]:
    if declared.min is not None and declared.max is not None and declared.min > declared.max:
        bounds = f"{_plain(declared.min)} is above max {_plain(declared.max)}"
        yield at.problem(f"min of input {name!r} {bounds}", "exchange them")
    elif declared.is_literal and declared.default is not None:
        what = f"the default of input {name!r}"
        yield from _check_value(what, declared, declared.default, at.at("default"))


def _check_promotions(job: Job, step: Step, at: Place) -> Iterator[Problem]:
    for name, said in build.mapping(at_data(at.at("outputs"))).items():
        target = build.promoted(said)
        if target is not None and target not in job.outputs:
            hint = near_miss(target, job.outputs) or "declare it below the pipeline's outputs:"
            yield at.at("outputs", name).problem(f"the pipeline has no output {target!r}", hint)
        elif isinstance(said, str) and target is None:
            message = f"output {name!r} of step {step.name!r} cannot be {said!r}"
            hint = "write ${{parent.outputs.NAME}}, or path: below it"
            yield at.at("outputs", name).problem(message, hint)


def at_data(place: Place) -> object:
    """Return what a document says at a place, or None."""
    found: object = place.document.data
    for name in place.path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _check_timeout(step: Step, at: Place) -> Iterator[Problem]:
    if step.timeout is not None and not 1 <= step.timeout <= LONGEST_TIMEOUT:
        message = f"a timeout of {_plain(step.timeout)} seconds is out of range"
        yield at.at("limits", "timeout").problem(message, f"give 1 to {LONGEST_TIMEOUT}")


def _check_cycles(job: Job, places: Places) -> Iterator[Problem]:
    names = {step.name for step in job.steps}
    needs = {
        step.name: {
            value.step
            for value in step.inputs.values()
            if isinstance(value, StepOutput) and value.step in names - {step.name}
        }
        for step in job.steps
    }
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        loop: list[str] = error.args[1]
        at = places.job.at("jobs", min(loop, key=list(needs).index))
        yield at.problem(f"steps need each other: {' -> '.join(loop)}", "remove one binding")


def _written(command: str, reference: Reference) -> str:
    """Return a reference as the command has it, spaces and all."""
    return command[reference.start : command.index("}}", reference.start) + 2]


def _identifier(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).lstrip("0123456789") or "x"


def _plain(value: float) -> str:
    return f"{value:g}" if value < 1e6 else f"{value:.0f}"
