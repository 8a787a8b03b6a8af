"""Checks what the SDK takes of a parallel step or component and Azure's service would not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from amlocal.errors import Problem, near_miss
from amlocal.plan import Component, Step
from amlocal.plan.expression import references_with_optional
from amlocal.spec import build, parallel
from amlocal.spec.check import plain
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Place, absolute
from amlocal.spec.paths import Files, check_code, check_environment, problem_missing

_LEVELS = ("DEBUG", "INFO", "WARNING")
#: Least and greatest values, as Azure's reference of the YAML has them.
_RANGES = {
    "max_concurrency_per_instance": (1, None),
    "mini_batch_error_threshold": (-1, None),
    "error_threshold": (-1, None),
}
_RETRIES = {"timeout": (1, 259_200), "max_retries": (0, None)}


def check_parallel(findings: Findings, files: Files, at: Place, value: Mapping[str, Any]) -> None:
    """Check the fields of a parallel step or component by themselves, and the files it names."""
    task = build.mapping(value.get("task"))
    check_code(findings, files, at.at("task"), task)
    check_environment(findings, files, at.at("task", "environment"), task.get("environment"))
    _check_script(findings, files, at.at("task"), task)
    said = value.get("mini_batch_size")
    if said is not None and parallel.SIZE.fullmatch(str(said).strip()) is None:
        message = f"mini_batch_size cannot be {said!r}"
        findings.problem(at.at("mini_batch_size"), message, "write 10, 10kb, 10mb, or 10gb")
    level = value.get("logging_level")
    if isinstance(level, str) and level.upper() not in _LEVELS:
        message = f"logging_level cannot be {level!r}"
        findings.problem(at.at("logging_level"), message, near_miss(level.upper(), _LEVELS))
    said = value.get("input_data")
    if isinstance(said, str) and not parallel.divided(said):
        message = f"input_data is {said!r}, and names no input"
        findings.problem(at.at("input_data"), message, "write ${{inputs.NAME}}")
    findings.add(_ranges(at, value, _RANGES))
    retries = build.mapping(value.get("retry_settings"))
    findings.add(_ranges(at.at("retry_settings"), retries, _RETRIES))


def _check_script(findings: Findings, files: Files, at: Place, task: Mapping[str, Any]) -> None:
    script, code = build.text(task.get("entry_script")), task.get("code")
    if not script:
        return
    if code is None:
        message = "the entry script needs the folder that it is in"
        findings.problem(at.at("entry_script"), message, "add code:")
        return
    if isinstance(code, str) and not build.is_address(code):
        folder = absolute(code.removeprefix("file:"), at.document.folder)
        if folder.is_dir() and not files.exists(folder / script):
            problem_missing(findings, at.at("entry_script"), folder / script, "the entry script")


def _ranges(
    at: Place, value: Mapping[str, Any], ranges: Mapping[str, tuple[int, int | None]]
) -> Iterator[Problem]:
    for name, (least, most) in ranges.items():
        found = build.number(value.get(name))
        if found is None or (least <= found and (most is None or found <= most)):
            continue
        hint = f"give {least} to {most}" if most is not None else f"give {least} or more"
        yield at.at(name).problem(f"{name} is {plain(found)}, which is out of range", hint)


def check_task(component: Component, at: Place) -> Iterator[Problem]:
    """Yield what a task refers to and its component does not have."""
    found = component.parallel
    assert found is not None
    known = {"inputs": list(component.inputs), "outputs": list(component.outputs)}
    if found.input_data and found.input_data not in component.inputs:
        hint = near_miss(found.input_data, component.inputs) or "declare it below inputs:"
        message = f"no input named {found.input_data!r} to divide"
        yield at.at("input_data").problem(message, hint)
    texts = {
        "program_arguments": found.program_arguments,
        "append_row_to": found.append_row_to or "",
    }
    for field, text in texts.items():
        place = at.at("task", field)
        for reference, _ in references_with_optional(text):
            kind, *rest = reference.path
            name = ".".join(rest)
            raw = text[reference.start : text.index("}}", reference.start) + 2]
            if kind not in known:
                hint = "write ${{inputs.NAME}} or ${{outputs.NAME}}"
                yield place.problem(f"{raw} is no input and no output", hint, text=raw)
            elif name not in known[kind]:
                hint = near_miss(name, known[kind]) or f"declare it below {kind}:"
                yield place.problem(f"no {kind[:-1]} named {name!r}", hint, text=raw)


def check_division(step: Step, at: Place, *, is_inline: bool) -> Iterator[Problem]:
    """Yield what a step's input cannot be divided by, and that neither it nor its component says.

    Args:
        step: The step.
        at: Its place.
        is_inline: Whether its task is in the job, where the field is required.
    """
    found = step.component.parallel
    if found is None:
        return
    if not found.input_data and not is_inline:
        message = f"the parallel step {step.name!r} lacks the field 'input_data'"
        yield at.problem(message, "add input_data: ${{inputs.NAME}}")
    elif found.partition_keys and not found.is_tabular:
        message = "partition_keys divide rows, and these are files"
        hint = f"give the input {found.input_data!r} type: mltable and mode: direct"
        yield at.at("partition_keys").problem(message, hint)
