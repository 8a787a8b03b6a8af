"""Environments: what a step needs around it."""

from __future__ import annotations

from typing import Any

from amlocal.plan.base import Value


class BuildContext(Value, frozen=True):
    """A folder with a Dockerfile.

    Attributes:
        path: Absolute path of the folder.
        dockerfile_path: The Dockerfile in it.
    """

    path: str
    dockerfile_path: str = "Dockerfile"


class Environment(Value, frozen=True):
    """An environment, as its YAML gives it or as a reference names it.

    Attributes:
        name: Its name; empty for one that is written inline.
        version: Its version, or None.
        image: The container image, or None.
        conda: The parsed conda file, or None.
        build: The Docker build context, or None.
        reference: A name that no file of the job defines (a curated environment such as
            `azureml://registries/azureml/environments/sklearn-1.5/labels/latest`, or
            `azureml:NAME@latest`), to be looked up when the job runs; then the rest is empty.
        description: What it is for.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        os_type: `linux` or `windows`.
        inference_config: Routes of a serving container.
    """

    name: str = ""
    version: str | None = None
    image: str | None = None
    conda: dict[str, Any] | None = None
    build: BuildContext | None = None
    reference: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    os_type: str | None = None
    inference_config: dict[str, Any] | None = None
