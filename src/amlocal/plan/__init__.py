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
    SweepInfo,
    Tracking,
    TrialInfo,
    WorkspaceInfo,
    best_trial,
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
from amlocal.plan.sweep import (
    Choice,
    Distributed,
    EarlyTermination,
    Normal,
    Objective,
    Randint,
    Sampling,
    Sweep,
    Uniform,
)

__all__ = [
    "DATA_TYPES",
    "LITERAL_TYPES",
    "MODEL_TYPES",
    "AssetInfo",
    "Binding",
    "BuildContext",
    "Choice",
    "Component",
    "DataAsset",
    "DataValue",
    "Distributed",
    "Distribution",
    "EarlyTermination",
    "Environment",
    "Input",
    "InputInfo",
    "Job",
    "JobBinding",
    "JobInfo",
    "JobStatus",
    "LiteralValue",
    "ModelAsset",
    "Normal",
    "Objective",
    "Output",
    "OutputInfo",
    "OutputSource",
    "ParentInput",
    "Randint",
    "Sampling",
    "Scalar",
    "Settings",
    "Step",
    "StepOutput",
    "StepReuse",
    "Sweep",
    "SweepInfo",
    "Tracking",
    "TrialInfo",
    "Uniform",
    "Value",
    "Warned",
    "WorkspaceInfo",
    "best_trial",
]
