"""A step's inputs: from what the plan binds to what its process gets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from amlocal.errors import AmlocalError, NotFoundError, Problem, SpecError, TargetError
from amlocal.local.bind import BoundInput, literal_text
from amlocal.local.digests import Digests
from amlocal.local.locations import Locations, in_datastore, is_address, redacted
from amlocal.local.mltables import outside_files
from amlocal.plan import (
    Binding,
    DataValue,
    Input,
    InputInfo,
    Job,
    LiteralValue,
    OutputInfo,
    ParentInput,
    Scalar,
    Step,
    StepOutput,
)

_COPIED = frozenset({"download", "eval_download"})
FindResult = Callable[[str, str], OutputInfo]


@dataclass(frozen=True, slots=True)
class StepInputs:
    """A step's inputs, found and read.

    Attributes:
        bound: What the command gets, by name; absent optional inputs are not in it.
        places: Where the data of each data input is, but of those with mode `direct`.
        contents: SHA-256 of what is at each place. It is the input's digest, but for artifacts:
            theirs leaves out the logs, which differ each time.
        shared: Folders that are given by their address in a datastore, and what endpoints collect.
            Others may write there meanwhile, this step's own outputs among them.
    """

    bound: Mapping[str, BoundInput]
    places: Mapping[str, Path]
    contents: Mapping[str, str]
    shared: frozenset[str] = frozenset()

    def infos(self) -> dict[str, InputInfo]:
        """Return what is recorded of the inputs."""
        return {
            name: InputInfo(
                type=b.type,
                value=b.literal,
                path=None if b.literal is not None else redacted(b.text),
                digest=b.digest,
            )
            for name, b in self.bound.items()
        }

    def check_unchanged(self, digests: Digests) -> None:
        """Require that the step has left its inputs as they were.

        Raises:
            TargetError: It wrote to one that is mounted read-only in Azure.
        """
        for name, place in self.places.items():
            if self.bound[name].mode in _COPIED or name in self.shared:
                continue
            if not place.exists() or digests.content(place) != self.contents[name]:
                raise TargetError(
                    f"the step changed its input {name!r} ({place}), which is read-only in Azure",
                    hint="write to an output, or take the input with: mode: download",
                )


def find_inputs(
    job: Job,
    step: Step,
    *,
    locations: Locations,
    digests: Digests,
    result: FindResult,
    copies: Path,
) -> StepInputs:
    """Find a step's inputs and read their content.

    Args:
        job: The job.
        step: The step.
        locations: Turns addresses into places.
        digests: Content digests.
        result: Gives the output of a step that has completed.
        copies: Folder where inputs with mode `download` will be copied to (see `copy_inputs`).

    Raises:
        SpecError: An input without a default has no value.
        TargetError: Data is not there.
    """
    bound: dict[str, BoundInput] = {}
    places: dict[str, Path] = {}
    contents: dict[str, str] = {}
    shared: set[str] = set()
    for name in [
        *step.component.inputs,
        *(n for n in step.inputs if n not in step.component.inputs),
    ]:
        declared = step.component.inputs.get(name)
        binding = _followed(job, step.inputs.get(name))
        if binding is None:
            if (default := _default(name, declared)) is not None:
                bound[name] = _literal(default, declared)
        elif isinstance(binding, LiteralValue):
            bound[name] = _literal(binding.value, declared)
        else:
            mode = _mode(step.inputs[name], binding, declared)
            kind = binding.type or (declared.type if declared else None)
            if mode == "direct" and isinstance(binding, DataValue) and is_address(binding.path):
                bound[name] = BoundInput(kind or "uri_folder", binding.path, mode=mode)
                continue
            place, digest, found_type = _data(binding, locations, digests, result)
            text = copies / name / place.name if mode in _COPIED else place
            places[name] = place
            is_open = isinstance(binding, DataValue) and in_datastore(binding.path)
            if place.is_dir() and (is_open or locations.grows(place)):
                shared.add(name)
            contents[name] = digests.content(place)
            bound[name] = BoundInput(kind or found_type, str(text), digest=digest, mode=mode)
    return StepInputs(bound, places, contents, frozenset(shared))


def check_assets(job: Job, locations: Locations) -> None:
    """Require that the assets are registered that a job takes data or models from.

    Azure does so when a job is submitted, and not only when the step that needs one starts.

    Raises:
        SpecError: Some are not; holds a problem for each.
    """
    taken: dict[str, str] = {}
    for name, binding in job.inputs.items():
        if isinstance(binding, DataValue):
            taken.setdefault(binding.path, f"inputs.{name}")
    for step in job.steps:
        for name, given in step.inputs.items():
            if isinstance(given, DataValue):
                taken.setdefault(given.path, f"jobs.{step.name}.inputs.{name}")
    found = {place: _not_registered(path, locations) for path, place in taken.items()}
    problems = [
        Problem(f"{place}: {error}", error.hint, job.source)
        for place, error in found.items()
        if error is not None
    ]
    if problems:
        raise SpecError(problems)


def _not_registered(path: str, locations: Locations) -> NotFoundError | None:
    try:
        locations.check_asset(path)
    except NotFoundError as error:
        return error
    return None


def read_job_inputs(
    job: Job, infos: Mapping[str, InputInfo], *, locations: Locations, digests: Digests
) -> dict[str, InputInfo]:
    """Return what is recorded of a pipeline's inputs, with the place and digest of data.

    Data that is not there stays as it was given: the step that takes it says what is wrong.
    """
    found = dict(infos)
    for name, binding in job.inputs.items():
        if isinstance(binding, DataValue):
            try:
                place = locations.existing(binding.path)
                digest = digests.content(place)
            except (AmlocalError, OSError):
                continue
            found[name] = msgspec.structs.replace(found[name], path=str(place), digest=digest)
    return found


def copy_inputs(inputs: StepInputs) -> None:
    """Copy what is to be downloaded, so that the step may do with it what it likes.

    Raises:
        TargetError: An MLTable names files too far from it to keep their relative place.
    """
    for name, place in inputs.places.items():
        bound = inputs.bound[name]
        if bound.mode in _COPIED:
            target = Path(bound.text)
            target.parent.mkdir(parents=True, exist_ok=True)
            if place.is_dir():
                shutil.copytree(place, target, copy_function=shutil.copyfile)
                _copy_named(name, place, target)
            else:
                shutil.copyfile(place, target)


def _copy_named(name: str, place: Path, target: Path) -> None:
    """Copy what an MLTable names outside its folder to the same relative place."""
    for relative, file in outside_files(place).items():
        copy = Path(os.path.normpath(target / relative))
        if copy == file:
            continue  # an absolute path, which reaches the file itself
        if not copy.is_relative_to(target.parent):
            raise TargetError(
                f"the MLTable of input {name!r} names {relative}, which cannot be downloaded",
                hint="put the file beside the MLTable, or take the input with: mode: ro_mount",
            )
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)


def _followed(job: Job, binding: Binding | None) -> LiteralValue | DataValue | StepOutput | None:
    return job.inputs.get(binding.name) if isinstance(binding, ParentInput) else binding


def _default(name: str, declared: Input | None) -> Scalar | None:
    if declared is None:
        return None
    if declared.default is None and not declared.optional:
        raise SpecError([Problem(f"the input {name!r} has no value")])
    return declared.default


def _literal(value: Scalar, declared: Input | None) -> BoundInput:
    kind = declared.type if declared and declared.is_literal else _type_of(value)
    return BoundInput(kind, literal_text(value, kind), literal=value)


def _type_of(value: Scalar) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "string"


def _mode(outer: Binding, inner: DataValue | StepOutput, declared: Input | None) -> str:
    own = None if isinstance(outer, LiteralValue) else outer.mode
    return own or inner.mode or (declared.mode if declared else None) or "ro_mount"


def _data(
    binding: DataValue | StepOutput, locations: Locations, digests: Digests, result: FindResult
) -> tuple[Path, str, str]:
    if isinstance(binding, StepOutput):
        output = result(binding.step, binding.output)
        return Path(output.path), output.digest, output.type
    place = locations.existing(binding.path)
    return place, digests.content(place), binding.type
