"""Data as MLflow data sets: schema and counts of files, read once for each content.

pyarrow is imported only for content that was not seen before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from amlocal.files import write_whole
from amlocal.local.tracking.values import (
    MAX_DATASET_DIGEST_LENGTH,
    Dataset,
    DatasetInput,
    json_text,
)
from amlocal.plan import MODEL_TYPES, InputInfo
from amlocal.plan.base import Value

#: Counted up when another version of `tables` describes the same content otherwise.
_FORMAT = 1
_TABLE_KINDS = frozenset({"uri_file", "uri_folder", "mltable"})
# MLflow's limits, from `mlflow.utils.validation`.
_MAX_SCHEMA_LENGTH = 1_048_575
_MAX_NAME_LENGTH = 500


class Description(Value, frozen=True):
    """What a data file's content tells.

    Attributes:
        columns: MLflow's column specifications, or None where the content is no table.
        rows: How many rows there are, or None where counting would take long.
        note: Why there are no columns, or what they leave out, or an empty string.
    """

    columns: list[dict[str, Any]] | None = None
    rows: int | None = None
    note: str = ""


def describe(path: Path, *, name: str, digest: str, kind: str, cache: Path) -> Dataset:
    """Describe a file or folder as an MLflow data set.

    Parquet, CSV, TSV, and JSON lines files, folders of them, and MLTable folders get a schema.
    What cannot be read gets none, and the reason in its profile: a job does not fail for that.

    Args:
        path: A local file or folder.
        name: What to call it.
        digest: SHA-256 of its content; MLflow keeps its first 36 characters as the digest, and all
            of it in the profile.
        kind: Azure's data type: `uri_file`, `uri_folder`, `mltable`, or a model type.
        cache: A folder for what was found, by digest.
    """
    found = _described(path, digest, cache) if kind in _TABLE_KINDS else Description()
    profile: dict[str, Any] = {"sha256": digest, "type": kind}
    schema = None
    if found.rows is not None:
        profile["num_rows"] = found.rows
        profile["num_elements"] = found.rows * len(found.columns or ())
    if found.columns is not None:
        profile["num_columns"] = len(found.columns)
        schema = json_text({"mlflow_colspec": found.columns})
    note = found.note
    if schema is not None and len(schema) > _MAX_SCHEMA_LENGTH:
        schema, note = None, "more columns than MLflow can keep"
    if note:
        profile["schema"] = note
    return Dataset(
        name=name[:_MAX_NAME_LENGTH],
        digest=digest[:MAX_DATASET_DIGEST_LENGTH],
        source_type="local",
        source=json_text({"uri": str(path)}),
        schema=schema,
        profile=json_text(profile),
    )


def describe_inputs(
    data: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, InputInfo], cache: Path
) -> tuple[list[DatasetInput], dict[str, Any]]:
    """Describe what a run reads.

    Args:
        data: Each input's `source` and `digest`, as they are tracked.
        inputs: The inputs.
        cache: As `describe` takes it.

    Returns:
        The data sets for MLflow, and `data` with the name and the schema of each.
    """
    found: list[DatasetInput] = []
    told: dict[str, Any] = {}
    for key, facts in data.items():
        told[key] = dict(facts)
        kind = inputs[key].type
        if kind in MODEL_TYPES or not facts["digest"]:
            continue
        dataset = describe(
            Path(facts["source"]), name=key, digest=facts["digest"], kind=kind, cache=cache
        )
        told[key] |= {"name": dataset.name, "schema": dataset.schema}
        found.append(DatasetInput(dataset=dataset, context=key))
    return found, told


def _described(path: Path, digest: str, cache: Path) -> Description:
    """Return what is known of a content, or find it out, and keep it where there are columns."""
    # By the name's end too: it settles how the same bytes are read.
    key = f"{_FORMAT}:{digest}:{''.join(path.suffixes[-2:])}"
    place = cache / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    try:
        return Description.from_json(place.read_bytes())
    except (FileNotFoundError, msgspec.DecodeError):
        found = _read(path)
    if found.columns is not None:
        cache.mkdir(parents=True, exist_ok=True)
        write_whole(place, found.to_json())
    return found


def _read(path: Path) -> Description:
    from amlocal.local.tracking import tables  # pyarrow: a tenth of a second and more

    try:
        facts = tables.read_facts(path)
    except Exception as error:  # noqa: BLE001 - readers of foreign files raise anything
        return Description(note=f"not known: {str(error) or type(error).__name__}"[:500])
    return Description(columns=facts.columns, rows=facts.rows, note=facts.note)
