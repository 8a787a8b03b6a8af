"""Pipeline components: pipelines that say what they take, and are run by others."""

from __future__ import annotations

from amlocal.plan.base import Value
from amlocal.plan.job import Job
from amlocal.plan.ports import Input


class PipelineComponent(Value, frozen=True):
    """A pipeline component, from its file or built in Python.

    Attributes:
        job: The pipeline that it is; of its inputs, those that have a default are given.
        inputs: What it takes, by name.
        name: Its name; empty for one that is not registered.
        version: Its version, or None.
    """

    job: Job
    inputs: dict[str, Input] = {}
    name: str = ""
    version: str | None = None
