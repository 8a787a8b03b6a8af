"""Checks how a job's steps are bound: to its inputs and outputs, and to each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from amlocal.errors import Problem, near_miss
from amlocal.plan import (
    Binding,
    Input,
    Job,
    LiteralValue,
    Output,
    ParentInput,
    Step,
    StepOutput,
)
from amlocal.plan.expression import Reference, references
from amlocal.spec import build
from amlocal.spec.assemble import ARTIFACTS, input_of
from amlocal.spec.check import article, check_command, check_names, check_value, identifier, plain
from amlocal.spec.check_parallel import check_division, check_task
from amlocal.spec.locate import Place

# is_valid_node_name of azure.ai.ml.
_STEP_NAME = re.compile(r"[a-z_][a-z0-9_]*")

#: A sweep's limit in Azure (60 days); no job runs longer.
LONGEST_TIMEOUT = 5_184_000


@dataclass(frozen=True, slots=True)
class Places:
    """Where the parts of a job stand.

    Attributes:
        job: The job's fields.
        components: The fields of each step's component: in a file of its own, or in the job.
        left_out: Steps that are wrong in themselves; what is bound to them is not judged.
        declared: The inputs of a pipeline component, which need not be given; a job's are.
    """

    job: Place
    components: Mapping[str, Place] = field(default_factory=dict)
    left_out: Collection[str] = ()
    declared: Mapping[str, Input] = field(default_factory=dict)


def check_job(job: Job, places: Places) -> Iterator[Problem]:
    """Yield every problem of a job's names, bindings, types, and graph."""
    for kind in ("inputs", "outputs"):
        yield from check_names(getattr(job, kind), places.job.at(kind), kind[:-1])
    if job.type == "pipeline":
        yield from _Graph(job, places).problems()
        return
    for step in job.steps:
        yield from check_names(step.outputs, places.job.at("outputs"), "output")
        if step.sweep is None:
            yield from check_command(step.component, places.job)
            yield from _timeout(step, places.job)
        else:
            parameters = build.mapping(said(places.job.at("search_space")))
            yield from check_command(step.component, places.job.at("trial"), parameters)


class _Graph:
    """The steps of a pipeline job, looked up by what they are bound by."""

    def __init__(self, job: Job, places: Places) -> None:
        self._job = job
        self._places = places
        self._steps = {step.name: step for step in job.steps}
        self._outputs: dict[tuple[str, str], Output] = {
            (step.name, name): output for step in job.steps for name, output in step.outputs.items()
        }

    def problems(self) -> Iterator[Problem]:
        for step in self._job.steps:
            at = self._places.job.at("jobs", step.name)
            yield from self._step(step, at)
            for name, binding in step.inputs.items():
                where = at.at(name) if step.automl is not None else at.at("inputs", name)
                yield from self._binding(step, name, binding, where)
            yield from self._promotions(step, at.at("outputs"))
        yield from self._cycles()

    def _step(self, step: Step, at: Place) -> Iterator[Problem]:
        if not _STEP_NAME.fullmatch(step.name):
            name = identifier(step.name)
            hint = f"use lower-case letters, digits and underscores, as in {name!r}"
            yield at.problem(f"{step.name!r} cannot be the name of a step", hint)
        yield from check_names(step.inputs, at.at("inputs"), "input")
        if step.sweep is None:
            yield from _timeout(step, at)
        if self._is_inline(step):
            yield from check_names(step.outputs, at.at("outputs"), "output")
            if step.component.parallel is None:
                yield from check_command(step.component, at)
            else:
                yield from check_task(step.component, at)
        else:
            yield from _ports(step, at)
        yield from check_division(step, at, is_inline=self._is_inline(step))

    def _is_inline(self, step: Step) -> bool:
        own = self._places.components.get(step.name)
        return own is not None and own == self._places.job.at("jobs", step.name)

    def _binding(self, step: Step, name: str, binding: Binding, at: Place) -> Iterator[Problem]:
        declared = step.component.inputs.get(name)
        problem = None
        if isinstance(binding, ParentInput):
            problem = self._missing_input(binding, at)
        elif isinstance(binding, StepOutput):
            problem = self._missing_output(step, binding, at)
        if problem is not None:
            yield problem
            return
        literal = self._literal(binding)
        if literal is not None and step.automl is not None:
            message = f"{name!r} of step {step.name!r} takes an mltable, not {literal.value!r}"
            yield at.problem(message, "write type: mltable and path: below it")
        elif literal is None:
            yield from self._data(step, name, declared, binding, at)
        elif expressions := _expressions(literal):
            yield from _no_binding(literal, expressions, at)
        elif declared is not None:
            yield from _literal_for(step, name, declared, literal, at)

    def _literal(self, binding: Binding) -> LiteralValue | None:
        """Return the value that a binding comes to, or None where it comes to data."""
        if isinstance(binding, ParentInput):
            given = self._job.inputs.get(binding.name)
            return given if isinstance(given, LiteralValue) else None
        return binding if isinstance(binding, LiteralValue) else None

    def _data(
        self, step: Step, name: str, declared: Input | None, binding: Binding, at: Place
    ) -> Iterator[Problem]:
        found = input_of(binding, self._job.inputs, self._outputs, self._places.declared)
        if found is not None and declared is not None and declared.is_literal != found.is_literal:
            message = f"input {name!r} of step {step.name!r} takes"
            if declared.is_literal:
                message = f"{message} {article(declared.type)}, not data ({found.type})"
                yield at.problem(message, "give it one value")
            else:
                message = f"{message} data ({declared.type}), not {article(found.type)}"
                yield at.problem(message, f"declare it as type: {declared.type}")
        if found is not None and step.automl is not None and found.type != "mltable":
            message = f"{name!r} of step {step.name!r} takes an mltable, not {found.type}"
            hint = "write type: mltable where it is declared: a folder with an MLTable file"
            yield at.problem(message, hint)

    def _missing_input(self, binding: ParentInput, at: Place) -> Problem | None:
        known = self._job.inputs.keys() | self._places.declared.keys()
        if binding.name in known:
            return None
        if binding.name in build.mapping(said(self._places.job.at("inputs"))):
            return None  # it is there, and wrong in itself
        hint = near_miss(binding.name, known) or "the pipeline has no inputs"
        return at.problem(f"the pipeline has no input {binding.name!r}", hint)

    def _missing_output(self, step: Step, binding: StepOutput, at: Place) -> Problem | None:
        if binding.step in self._places.left_out:
            return None
        if binding.step not in self._steps:
            hint = near_miss(binding.step, self._steps)
            return at.problem(f"there is no step {binding.step!r}", hint)
        if binding.step == step.name:
            hint = "bind it to another step, or to ${{parent.inputs.NAME}}"
            return at.problem(f"step {step.name!r} takes its own output {binding.output!r}", hint)
        source = self._steps[binding.step]
        known = source.outputs
        declared = build.mapping(said(self._places.job.at("jobs", source.name, "outputs")))
        if source.automl is not None and binding.output in known and binding.output not in declared:
            # The SDK looks up the types of what a step takes, and finds none.
            message = f"step {binding.step!r} does not declare the output {binding.output!r}"
            hint = f"add {binding.output}: with type: mlflow_model below its outputs:"
            return at.problem(message, hint)
        if binding.output == ARTIFACTS and binding.output not in known:
            # The SDK looks up the types of what an inline step takes, and only there.
            if self._is_inline(step):
                message = f"step {binding.step!r} does not declare the output 'artifacts'"
                return at.problem(message, "add artifacts: below its outputs:")
        elif binding.output not in known:
            hint = near_miss(binding.output, known) or "it has no outputs"
            return at.problem(f"step {binding.step!r} has no output {binding.output!r}", hint)
        return None

    def _promotions(self, step: Step, at: Place) -> Iterator[Problem]:
        for name, value in build.mapping(said(at)).items():
            target = build.promoted(value)
            if target is not None and target not in self._job.outputs:
                known = self._job.outputs
                hint = near_miss(target, known) or "declare it below the pipeline's outputs:"
                yield at.at(name).problem(f"the pipeline has no output {target!r}", hint)
            elif isinstance(value, str) and target is None:
                message = f"output {name!r} of step {step.name!r} cannot be {value!r}"
                hint = "write ${{parent.outputs.NAME}}, or path: below it"
                yield at.at(name).problem(message, hint)

    def _cycles(self) -> Iterator[Problem]:
        needs = {
            step.name: {
                binding.step
                for binding in step.inputs.values()
                if isinstance(binding, StepOutput)
                and binding.step in self._steps
                and binding.step != step.name
            }
            for step in self._job.steps
        }
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            loop: list[str] = error.args[1]
            at = self._places.job.at("jobs", min(loop, key=list(needs).index))
            yield at.problem(f"steps need each other: {' -> '.join(loop)}", "remove one binding")


def said(place: Place) -> object:
    """Return what a document says at a place, or None."""
    found: object = place.document.data
    for name in place.path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _ports(step: Step, at: Place) -> Iterator[Problem]:
    """Check the names that a step binds against those that its component declares."""
    declared = step.component
    for name in step.inputs:
        if name not in declared.inputs:
            hint = near_miss(name, declared.inputs) or "its component has no inputs"
            yield at.at("inputs", name).problem(f"step {step.name!r} has no input {name!r}", hint)
    for name in build.mapping(said(at.at("outputs"))):
        if name not in declared.outputs and name != ARTIFACTS:
            hint = near_miss(name, declared.outputs) or "its component has no outputs"
            yield at.at("outputs", name).problem(f"step {step.name!r} has no output {name!r}", hint)
    given = build.mapping(said(at.at("inputs"))).keys() | step.inputs.keys()
    given |= build.mapping(said(at.at("search_space"))).keys()
    for name, port in declared.inputs.items():
        if name not in given and not port.optional and port.default is None:
            message = f"step {step.name!r} lacks the input {name!r} ({port.type})"
            yield at.problem(message, f"add {name}: below its inputs:")


#: When the schedule that starts a job was due: with `${{name}}`, what Azure fills in itself.
_TRIGGER_TIME = ("creation_context", "trigger_time")


def _expressions(value: LiteralValue) -> list[Reference]:
    """Return the expressions in a value; what Azure fills in, such as `${{name}}`, stays text."""
    if not isinstance(value.value, str):
        return []
    found = references(value.value)
    return [each for each in found if len(each.path) > 1 and each.path != _TRIGGER_TIME]


def _no_binding(value: LiteralValue, found: list[Reference], at: Place) -> Iterator[Problem]:
    """Refuse what is no binding: another expression, or text around one."""
    for reference in found:
        raw = str(reference)
        if str(value.value).replace(" ", "") != raw:
            message = f"an input cannot be text around {raw}"
            yield at.problem(message, "give the parts as inputs of their own")
        elif reference.path[0] in {"inputs", "outputs", "jobs"}:
            parent = "${{parent." + ".".join(reference.path) + "}}"
            yield at.problem(f"{raw} is not known here", f"write {parent}")
        else:
            hint = "write ${{parent.inputs.NAME}} or ${{parent.jobs.STEP.outputs.NAME}}"
            yield at.problem(f"{raw} cannot be bound", hint)


def _literal_for(
    step: Step, name: str, declared: Input, given: LiteralValue, at: Place
) -> Iterator[Problem]:
    what = f"input {name!r} of step {step.name!r}"
    if declared.is_literal:
        yield from check_value(what, declared, given.value, at)
    elif not (isinstance(given.value, str) and build.is_address(given.value)):
        message = f"{what} takes data ({declared.type}), not {given.value!r}"
        yield at.problem(message, "write path: below it")


def _timeout(step: Step, at: Place) -> Iterator[Problem]:
    if step.timeout is not None and not 1 <= step.timeout <= LONGEST_TIMEOUT:
        message = f"a timeout of {plain(step.timeout)} seconds is out of range"
        yield at.at("limits", "timeout").problem(message, f"give 1 to {LONGEST_TIMEOUT}")
