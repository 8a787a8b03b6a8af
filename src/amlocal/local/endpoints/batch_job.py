"""The job that invoking a batch deployment makes: pure but for looking at a local input.

As in Azure it is a pipeline job: of a model, of one parallel step `batchscoring` with an output
`score`; of a pipeline component, that pipeline with its inputs bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.endpoints.batch_store import BatchVersion
from amlocal.local.locations import is_address
from amlocal.plan import (
    BatchDeployment,
    Component,
    DataValue,
    Input,
    Job,
    LiteralValue,
    Output,
    OutputSource,
    Parallel,
    ParentInput,
    Scalar,
    Settings,
    Step,
)
from amlocal.plan.ports import JobBinding

#: Azure's names of the step that scores, and of what it writes.
STEP, SCORE = "batchscoring", "score"
#: Properties of a job that tell what it was invoked for.
ENDPOINT_PROPERTY = "amlocal.batch_endpoint"
DEPLOYMENT_PROPERTY = "amlocal.batch_deployment"
_DATA, _MODEL = "data", "model"


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an endpoint is invoked with.

    Attributes:
        inputs: By name a path, an address, or a value.
        input_type: `uri_file` or `uri_folder` of a model's input, or None.
        output_path: Where the one output goes, or None.
        experiment_name: The experiment.
        outputs: Where outputs go, by name.
        output_types: Types of outputs, by name.
    """

    inputs: Mapping[str, str]
    input_type: str | None
    output_path: str | None
    experiment_name: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    output_types: Mapping[str, str] = field(default_factory=dict)


def job_of(version: BatchVersion, invocation: Invocation) -> Job:
    """Return the job of an invocation.

    Raises:
        UsageError: An input or an output is missing, unknown, or of another type.
    """
    deployment = version.deployment
    properties = {
        ENDPOINT_PROPERTY: deployment.endpoint_name,
        DEPLOYMENT_PROPERTY: deployment.name,
    }
    if deployment.pipeline is not None:
        job = _pipeline_job(deployment, deployment.pipeline, invocation)
        return msgspec.structs.replace(job, properties={**job.properties, **properties})
    place = _places(invocation, [SCORE]).get(SCORE)
    if invocation.output_types.get(SCORE) == "uri_file" and place is not None:
        place, _, name = place.rpartition("/")
        version = _with_file_name(version, name)
    step = _scoring_step(version, place)
    return Job(
        type="pipeline",
        steps=(step,),
        experiment_name=invocation.experiment_name,
        display_name=f"{deployment.endpoint_name} {deployment.name}",
        description=deployment.description,
        properties=properties,
        inputs={_DATA: _only_input(deployment, invocation)},
        outputs={SCORE: step.outputs[SCORE]},
        output_sources={SCORE: OutputSource(step=STEP, output=SCORE)},
        settings=Settings(default_compute=deployment.compute),
        source=deployment.source,
    )


def _only_input(deployment: BatchDeployment, invocation: Invocation) -> DataValue:
    if len(invocation.inputs) != 1:
        raise UsageError(
            f"the deployment {deployment.name} scores one input, not {len(invocation.inputs)}",
            hint="give it: --input PATH",
        )
    (said,) = invocation.inputs.values()
    return _data(said, invocation.input_type)


def _data(said: str, kind: str | None) -> DataValue:
    """Return data; without a type, a file that is here is a file, and all else a folder.

    Raises:
        UsageError: It is a path where nothing is.
    """
    if is_address(said):
        return DataValue(path=said, type=kind or "uri_folder")
    path = Path(said.removeprefix("file://").removeprefix("file:")).expanduser().absolute()
    if not path.exists():
        beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = near_miss(path.name, beside)
        if not hint.startswith("did you mean"):
            hint = "give a path of this machine, an address, or azureml:NAME:VERSION"
        raise UsageError(f"there is no data at {path}", hint=hint)
    return DataValue(path=str(path), type=kind or ("uri_file" if path.is_file() else "uri_folder"))


def _scoring_step(version: BatchVersion, output_path: str | None) -> Step:
    deployment, model = version.deployment, version.model
    assert model is not None
    settings = deployment.settings
    rows = f"${{{{outputs.{SCORE}}}}}/{settings.output_file_name}"
    parallel = Parallel(
        input_data=_DATA,
        entry_script=deployment.scoring_script,
        append_row_to=rows if settings.output_action == "append_row" else None,
        mini_batch_size=settings.mini_batch_size,
        max_concurrency_per_instance=settings.max_concurrency_per_instance,
        error_threshold=settings.error_threshold,
        max_retries=settings.max_retries,
        timeout=settings.timeout,
        logging_level=settings.logging_level,
        model=_MODEL,
        model_name=model.file_name,
        score=SCORE,
    )
    output = Output(type="uri_folder", path=output_path)
    component = Component(
        command="",
        code=deployment.code,
        environment=deployment.environment,
        inputs={_DATA: Input(), _MODEL: Input(type=model.type)},
        outputs={SCORE: output},
        # As in Azure, each invocation scores.
        is_deterministic=False,
        instance_count=deployment.instance_count,
        parallel=parallel,
    )
    return Step(
        name=STEP,
        component=component,
        inputs={
            _DATA: ParentInput(name=_DATA),
            _MODEL: DataValue(path=model.path, type=model.type),
        },
        outputs={SCORE: output},
        environment_variables=settings.environment_variables,
        compute=deployment.compute,
    )


def _places(invocation: Invocation, names: Sequence[str]) -> dict[str, str]:
    """Return where outputs go, by name.

    Args:
        invocation: What says so.
        names: The outputs that there are.
    """
    for name in [*invocation.outputs, *invocation.output_types]:
        if name not in names:
            raise UsageError(f"there is no output {name!r}", hint=near_miss(name, names))
    said = dict(invocation.outputs)
    if invocation.output_path is not None:
        if len(names) != 1:
            raise UsageError(
                f"the pipeline has {len(names)} outputs, and one output path",
                hint="name them: --outputs NAME=PATH ...",
            )
        said[names[0]] = invocation.output_path
    return {name: _absolute(path) for name, path in said.items()}


def _with_file_name(version: BatchVersion, name: str) -> BatchVersion:
    """Return a version that gathers its rows in a file of that name."""
    settings = msgspec.structs.replace(version.deployment.settings, output_file_name=name)
    deployment = msgspec.structs.replace(version.deployment, settings=settings)
    return msgspec.structs.replace(version, deployment=deployment)


def _absolute(path: str) -> str:
    return path if is_address(path) else str(Path(path).expanduser().absolute())


def _pipeline_job(deployment: BatchDeployment, pipeline: Job, invocation: Invocation) -> Job:
    declared = deployment.pipeline_inputs
    for name in invocation.inputs:
        if name not in declared:
            raise UsageError(
                f"the deployment {deployment.name} has no input {name!r}",
                hint=near_miss(name, declared),
            )
    given: dict[str, JobBinding] = {
        name: LiteralValue(value=port.default)
        if port.is_literal
        else DataValue(path=str(port.default), type=port.type)
        for name, port in declared.items()
        if port.default is not None
    }
    given |= pipeline.inputs
    given |= {name: _bound(name, declared[name], said) for name, said in invocation.inputs.items()}
    missing = [name for name, port in declared.items() if not port.optional and name not in given]
    if missing:
        raise UsageError(
            f"the deployment {deployment.name} needs the input{'s'[: len(missing) - 1]} "
            f"{', '.join(missing)}",
            hint=f"give them: --inputs {missing[0]}=VALUE",
        )
    job = msgspec.structs.replace(
        pipeline, inputs=given, name=None, experiment_name=invocation.experiment_name
    )
    return _with_outputs(job, invocation)


def _bound(name: str, port: Input, said: str) -> JobBinding:
    if not port.is_literal:
        return msgspec.structs.replace(_data(said, port.type), mode=port.mode)
    value = _literal(port.type, said)
    if value is None:
        raise UsageError(
            f"the input {name!r} takes {'an' if port.type == 'integer' else 'a'} {port.type}, "
            f"not {said!r}"
        )
    if port.enum and value not in port.enum:
        choices = [str(choice) for choice in port.enum]
        raise UsageError(f"the input {name!r} cannot be {said!r}", hint=near_miss(said, choices))
    return LiteralValue(value=value)


def _literal(kind: str, said: str) -> Scalar | None:
    """Return the value that a text is, or None where it is none of the type."""
    if kind == "string":
        return said
    if kind == "boolean":
        return {"true": True, "false": False}.get(said.lower())
    try:
        return int(said) if kind == "integer" else float(said)
    except ValueError:
        return None


def _with_outputs(job: Job, invocation: Invocation) -> Job:
    """Return a pipeline whose outputs go where the invocation says."""
    for name, place in _places(invocation, list(job.output_sources)).items():
        source, output = job.output_sources[name], job.outputs[name]
        kind = invocation.output_types.get(name, output.type)
        if kind != output.type:
            hint = "leave its type out"
            raise UsageError(f"the output {name!r} is a {output.type}, not a {kind}", hint=hint)
        steps = tuple(_sent(step, source, place) for step in job.steps)
        outputs = {**job.outputs, name: msgspec.structs.replace(output, path=place)}
        job = msgspec.structs.replace(job, steps=steps, outputs=outputs)
    return job


def _sent(step: Step, source: OutputSource, place: str) -> Step:
    """Return a step whose output goes to a place, where it is the source's."""
    if step.name != source.step:
        return step
    output = msgspec.structs.replace(step.outputs[source.output], path=place)
    return msgspec.structs.replace(step, outputs={**step.outputs, source.output: output})
