"""Inputs and outputs: what a component declares and what a job binds to it."""

from __future__ import annotations

from typing import Literal

from amlocal.plan.base import Value

Scalar = bool | int | float | str

#: Types of an input or output that is a file or a folder.
DATA_TYPES = frozenset(
    {"uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"}
)
#: Types of an input that is one value.
LITERAL_TYPES = frozenset({"string", "number", "integer", "boolean"})
#: Types of an output that hold a model.
MODEL_TYPES = frozenset({"mlflow_model", "custom_model", "triton_model"})


class Input(Value, frozen=True):
    """An input that a component declares.

    Attributes:
        type: One of `DATA_TYPES` or `LITERAL_TYPES`.
        optional: Whether a job may leave it out.
        default: Its value where a job leaves it out.
        min: Least value of a number.
        max: Greatest value of a number.
        enum: The values that are allowed, where only some are.
        mode: How data arrives: `ro_mount`, `download`, `direct`, ...; None is the default.
        description: What it is for.
    """

    type: str = "uri_folder"
    optional: bool = False
    default: Scalar | None = None
    min: float | None = None
    max: float | None = None
    enum: tuple[Scalar, ...] = ()
    mode: str | None = None
    description: str = ""

    @property
    def is_literal(self) -> bool:
        """Whether the input is one value and not data."""
        return self.type in LITERAL_TYPES


class Output(Value, frozen=True):
    """An output, as a component declares it or as a job settles it.

    Attributes:
        type: One of `DATA_TYPES`; None means that nothing was said (`uri_folder` in the end).
        mode: `rw_mount` (default), `upload`, or `direct`.
        path: Where it goes; None is the default place. May hold `${{name}}` and
            `${{default_datastore}}`.
        name: Registers it under this name when the job ends.
        version: The version to register.
        description: What it is for.
    """

    type: str | None = None
    mode: str | None = None
    path: str | None = None
    name: str | None = None
    version: str | None = None
    description: str = ""


class LiteralValue(Value, frozen=True, tag_field="kind", tag="literal"):
    """One value, given in the job."""

    value: Scalar


class DataValue(Value, frozen=True, tag_field="kind", tag="data"):
    """Data given in the job.

    Attributes:
        path: An absolute local path, or an address (`azureml:NAME:VERSION`, `azureml://...`,
            `https://...`, `wasbs://...`) that is resolved when the job runs.
        type: One of `DATA_TYPES`.
        mode: How it arrives; None is the default of the component, else `ro_mount`.
    """

    path: str
    type: str = "uri_folder"
    mode: str | None = None


class ParentInput(Value, frozen=True, tag_field="kind", tag="parent_input"):
    """`${{parent.inputs.NAME}}`: the step takes what the job was given."""

    name: str
    type: str | None = None
    mode: str | None = None


class StepOutput(Value, frozen=True, tag_field="kind", tag="step_output"):
    """`${{parent.jobs.STEP.outputs.OUTPUT}}`: the step takes what another one wrote."""

    step: str
    output: str
    type: str | None = None
    mode: str | None = None


#: What a job's own input is given.
JobBinding = LiteralValue | DataValue
#: What a step's input is given.
Binding = LiteralValue | DataValue | ParentInput | StepOutput

InputMode = Literal["ro_mount", "rw_mount", "download", "direct", "eval_mount", "eval_download"]
