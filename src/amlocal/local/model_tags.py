"""How a model's fields are kept in MLflow's registry, and read back with its lineage.

What MLflow has no field for is kept in tags of the model version that begin with `amlocal.`:

===========================  ======================================================
`amlocal.type`               `custom_model`, `mlflow_model`, or `triton_model`
`amlocal.path`               the path or address that the file gave, without secrets
`amlocal.digest`             SHA-256 of the content
`amlocal.stage`              Azure's stage label
`amlocal.archived`           `true` where the version is archived
`amlocal.property.NAME`      a property
`amlocal.serving.E.D`        the address at which deployment D of endpoint E serves it
===========================  ======================================================
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from amlocal.errors import NotFoundError
from amlocal.local.locations import redacted
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import ModelVersion
from amlocal.plan import AssetInfo, ModelAsset

ARCHIVED_TAG = "amlocal.archived"
DIGEST_TAG = "amlocal.digest"
_TYPE, _PATH, _STAGE = "amlocal.type", "amlocal.path", "amlocal.stage"
_PROPERTY = "amlocal.property."
SERVING_PREFIX = "amlocal.serving."
_PREFIX = "amlocal."


def tags_of(model: ModelAsset, digest: str) -> dict[str, str]:
    """Return the tags of a version that is made from a model's file."""
    own = {
        _TYPE: model.type,
        _PATH: redacted(model.path),
        DIGEST_TAG: digest,
        _STAGE: model.stage or "",
    }
    properties = {f"{_PROPERTY}{key}": value for key, value in model.properties.items()}
    return {**model.tags, **properties, **{key: text for key, text in own.items() if text}}


def given_path(version: ModelVersion) -> str:
    """Return the path or address that a version was registered from, or an empty string."""
    return version.tags.get(_PATH, "")


def is_archived(version: ModelVersion) -> bool:
    """Tell whether a version is hidden from lists."""
    return version.tags.get(ARCHIVED_TAG) == "true"


def asset_info(
    version: ModelVersion, path: Path | None, lineage: Mapping[str, str] | None = None
) -> AssetInfo:
    """Return a version under Azure's names.

    Args:
        version: What the registry says of it; one that a script registered has no tags of ours,
            and is an MLflow model where its files say so.
        path: Where its files are on this machine, or None.
        lineage: Added to its properties.
    """
    properties = {
        key.removeprefix(_PROPERTY): value
        for key, value in version.tags.items()
        if key.startswith(_PROPERTY)
    }
    properties |= {
        key.removeprefix(_PREFIX): value
        for key, value in version.tags.items()
        if key.startswith(SERVING_PREFIX)
    }
    if stage := version.tags.get(_STAGE):
        properties["stage"] = stage
    is_mlflow = path is not None and (path / "MLmodel").is_file()
    created = dt.datetime.fromtimestamp(version.creation_time / 1000, tz=dt.timezone.utc)
    return AssetInfo(
        kind="model",
        name=version.name,
        version=version.version,
        type=version.tags.get(_TYPE) or ("mlflow_model" if is_mlflow else "custom_model"),
        path=str(path or version.source),
        description=version.description,
        tags={key: text for key, text in version.tags.items() if not key.startswith(_PREFIX)},
        properties={**properties, **(lineage or {})},
        aliases=tuple(sorted(version.aliases)),
        digest=version.tags.get(DIGEST_TAG, ""),
        creation_time=created.isoformat(),
        archived=is_archived(version),
    )


def lineage(client: TrackingClient, version: ModelVersion) -> dict[str, str]:
    """Return where a version comes from: its run, and what that run says of itself.

    Returns:
        `run_id`; the run's `amlocal.*` and `mlflow.source.*` tags (job, code, git commit,
        environment); and `data.NAME` for each data set that the run read, with its digest.
    """
    if not version.run_id:
        return {}
    found = {"run_id": version.run_id}
    try:
        run = client.get_run(version.run_id)
    except NotFoundError:
        return {**found, "run": "deleted"}
    found.update(
        (key, value)
        for key, value in run.tags.items()
        if key.startswith((_PREFIX, "mlflow.source."))
    )
    found.update(
        (f"data.{item.context or item.dataset.name}", f"{item.dataset.name}@{item.dataset.digest}")
        for item in run.inputs
    )
    return found
