"""What the local target needs of the spec compiler, which it does not import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from amlocal.plan import (
    BatchDeployment,
    BatchEndpoint,
    Component,
    DataAsset,
    Environment,
    Job,
    ModelAsset,
    OnlineDeployment,
    OnlineEndpoint,
    PipelineComponent,
    Schedule,
)
from amlocal.plan.trigger import Trigger


class RegisteredAssets(Protocol):
    """Registered components and environments that a job file may refer to."""

    def component(self, name: str, version: str | None, label: str | None) -> Component:
        """Return a registered command component; raises NotFoundError."""

    def pipeline_component(
        self, name: str, version: str | None, label: str | None
    ) -> PipelineComponent:
        """Return a registered pipeline component; raises NotFoundError."""


class Compiler(Protocol):
    """Turns files and SDK objects into plan values; `amlocal.spec` is one."""

    def compile_job(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        cache: Path | None = None,
        assets: RegisteredAssets | None = None,
    ) -> Job:
        """Return the compiled job; raises SpecError."""

    def load_component(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        assets: RegisteredAssets | None = None,
    ) -> Component | PipelineComponent:
        """Return the component; raises SpecError."""

    def load_environment(
        self, source: str | os.PathLike[str] | Any, *, overrides: Sequence[str] = ()
    ) -> Environment:
        """Return the environment; raises SpecError."""

    def load_data(
        self, source: str | os.PathLike[str] | Any, *, overrides: Sequence[str] = ()
    ) -> DataAsset:
        """Return the data asset; raises SpecError."""

    def load_model(
        self, source: str | os.PathLike[str] | Any, *, overrides: Sequence[str] = ()
    ) -> ModelAsset:
        """Return the model; raises SpecError."""


class EndpointCompiler(Protocol):
    """Turns the files and SDK objects of endpoints into plan values; `amlocal.spec` is one.

    A name that is given stands for the one in the file; where both are missing, that is a problem.
    """

    def load_online_endpoint(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
    ) -> OnlineEndpoint:
        """Return the online endpoint; raises SpecError."""

    def load_online_deployment(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
    ) -> OnlineDeployment:
        """Return the online deployment; raises SpecError."""

    def load_batch_endpoint(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
    ) -> BatchEndpoint:
        """Return the batch endpoint; raises SpecError."""

    def load_batch_deployment(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        endpoint_name: str | None = None,
        assets: RegisteredAssets | None = None,
    ) -> BatchDeployment:
        """Return the batch deployment; raises SpecError."""


class ScheduleCompiler(Protocol):
    """Turns the files and SDK objects of schedules into plan values; `amlocal.spec` is one."""

    def load_schedule(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
        assets: RegisteredAssets | None = None,
    ) -> Schedule:
        """Return the schedule with the job that it starts; raises SpecError."""


class TriggerCompiler(Protocol):
    """Turns the files of triggers into plan values; `amlocal.spec` is one."""

    def load_trigger(
        self,
        source: str | os.PathLike[str] | Any,
        *,
        overrides: Sequence[str] = (),
        name: str | None = None,
    ) -> Trigger:
        """Return the trigger; raises SpecError."""


class WorkspaceCompiler(Compiler, EndpointCompiler, ScheduleCompiler, TriggerCompiler, Protocol):
    """All that a workspace needs compiled."""
