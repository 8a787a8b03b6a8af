"""Frozen values that a spec compiles to and a target runs: no I/O, JSON-serialisable."""

from __future__ import annotations

from amlocal.plan.asset import DataAsset, ModelAsset
from amlocal.plan.base import Value
from amlocal.plan.component import Component, Distribution
from amlocal.plan.environment import BuildContext, Environment
from amlocal.plan.info import (
    AssetInfo,
    InputInfo,
    JobInfo,
    OutputInfo,
    StepReuse,
    Tracking,
    WorkspaceInfo,
)
from amlocal.plan.job import Job, OutputSource, Settings, Step, Warned
from amlocal.plan.ports import (
    DATA_TYPES,
    LITERAL_TYPES,
    MODEL_TYPES,
    Binding,
    DataValue,
    Input,
    JobBinding,
    LiteralValue,
    Output,
    ParentInput,
    Scalar,
    StepOutput,
)
from amlocal.plan.status import JobStatus

__all__ = [
    "DATA_TYPES",
    "LITERAL_TYPES",
    "MODEL_TYPES",
    "AssetInfo",
    "Binding",
    "BuildContext",
    "Component",
    "DataAsset",
    "DataValue",
    "Distribution",
    "Environment",
    "Input",
    "InputInfo",
    "Job",
    "JobBinding",
    "JobInfo",
    "JobStatus",
    "LiteralValue",
    "ModelAsset",
    "Output",
    "OutputInfo",
    "OutputSource",
    "ParentInput",
    "Scalar",
    "Settings",
    "Step",
    "StepOutput",
    "StepReuse",
    "Tracking",
    "Value",
    "Warned",
    "WorkspaceInfo",
]
