"""Data assets and models as their files give them."""

from __future__ import annotations

from amlocal.plan.base import Value


class DataAsset(Value, frozen=True):
    """A data asset.

    Attributes:
        name: Its name.
        path: An absolute local path or an address.
        type: `uri_file`, `uri_folder`, or `mltable`.
        version: Its version, or None (the next one is taken).
        description: What it is.
        tags: Free labels.
        properties: What the workspace keeps beside it.
    """

    name: str
    path: str
    type: str = "uri_folder"
    version: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}


class ModelAsset(Value, frozen=True):
    """A model.

    Attributes:
        name: Its name.
        path: An absolute local path or an address
            (`azureml://jobs/JOB/outputs/artifacts/paths/model/`, `runs:/RUN/model`).
        type: `custom_model`, `mlflow_model`, or `triton_model`.
        version: Its version, or None (the next one is taken).
        description: What it is.
        tags: Free labels.
        properties: What the workspace keeps beside it.
        stage: Azure's stage label, or None.
    """

    name: str
    path: str
    type: str = "custom_model"
    version: str | None = None
    description: str = ""
    tags: dict[str, str] = {}
    properties: dict[str, str] = {}
    stage: str | None = None
