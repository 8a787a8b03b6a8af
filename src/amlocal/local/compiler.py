"""What the local target needs of the spec compiler, which it does not import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from amlocal.plan import Component, DataAsset, Environment, Job, ModelAsset


class RegisteredAssets(Protocol):
    """Registered components and environments that a job file may refer to."""

    def component(self, name: str, version: str | None, label: str | None) -> Component:
        """Return a registered component; raises NotFoundError."""


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
        self, source: str | os.PathLike[str] | Any, *, overrides: Sequence[str] = ()
    ) -> Component:
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
