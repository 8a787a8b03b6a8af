"""MLflow's own nouns as values: what is logged, and what comes back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from amlocal.plan import JobStatus
from amlocal.plan.base import Value

#: MLflow's limits, from `mlflow.utils.validation`: longer values are refused by the server.
MAX_PARAM_LENGTH = 6000
MAX_TAG_LENGTH = 8000
MAX_REGISTRY_TAG_LENGTH = 100_000
MAX_DATASET_DIGEST_LENGTH = 36

#: The tag of a run that names its job: how `azureml://jobs/JOB/...` finds the run.
JOB_TAG = "amlocal.job"


class Metric(Value, frozen=True):
    """One value of a metric.

    Attributes:
        key: Its name.
        value: Its value; not a number and infinite are allowed.
        timestamp: When it was logged, in milliseconds since 1970.
        step: Its step.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0


def metrics_at(moment: float, metrics: Mapping[str, float], step: int = 0) -> list[Metric]:
    """Return values that were logged together.

    Args:
        moment: When, in seconds since 1970.
        metrics: Values by the metrics' names.
        step: The step of all of them.
    """
    stamp = round(moment * 1000)
    return [Metric(key=k, value=v, timestamp=stamp, step=step) for k, v in metrics.items()]


class Dataset(Value, frozen=True):
    """A data set as MLflow keeps it.

    Attributes:
        name: What it is called.
        digest: What tells its content apart, at most 36 characters.
        source_type: `local`, or the scheme of its address.
        source: JSON object: `uri`.
        schema: JSON object: `mlflow_colspec`, or None where it is not known.
        profile: JSON object: `num_rows`, `num_columns`, `bytes`, the full `sha256`, or (`schema`)
            why the schema is not known.
    """

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Value, frozen=True):
    """A data set that a run reads.

    Attributes:
        dataset: What it reads.
        context: What for: the name of the job's input.
    """

    dataset: Dataset
    context: str


class Run(Value, frozen=True):
    """A run that was created.

    Attributes:
        run_id: Its id.
        experiment_id: Its experiment.
        artifact_uri: Where its artifacts are.
    """

    run_id: str
    experiment_id: str
    artifact_uri: str


class RunData(Value, frozen=True):
    """What a run holds.

    Attributes:
        run: Which run it is.
        name: What people read.
        status: `RUNNING`, `SCHEDULED`, `FINISHED`, `FAILED`, or `KILLED`.
        start_time: Milliseconds since 1970.
        end_time: Milliseconds since 1970, or 0 while it runs.
        metrics: The last value of each metric.
        params: Its parameters.
        tags: Its tags.
        inputs: The data sets that it reads.
    """

    run: Run
    name: str
    status: str
    start_time: int = 0
    end_time: int = 0
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    params: dict[str, str] = msgspec.field(default_factory=dict)
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    inputs: tuple[DatasetInput, ...] = ()


class ModelVersion(Value, frozen=True):
    """A version of a registered model.

    Attributes:
        name: The model.
        version: An integer as text, counted by the registry from 1.
        source: Where its files were when it was made, as an address.
        run_id: The run that it comes from, or an empty string.
        description: What it is.
        tags: Its tags.
        aliases: Names that stand for this version.
        creation_time: Milliseconds since 1970.
    """

    name: str
    version: str
    source: str = ""
    run_id: str = ""
    description: str = ""
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    creation_time: int = 0


class Pair(msgspec.Struct, frozen=True):
    """A key and its text, as MLflow writes tags and parameters."""

    key: str
    value: str = ""


def pairs(values: dict[str, str], limit: int) -> list[Pair]:
    """Return MLflow's form of tags or parameters, texts above the limit cut.

    A text that was cut says so at its end, with its whole length.
    """
    return [Pair(key, cut(value, limit)) for key, value in values.items()]


def cut(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters; one that was cut says so at its end."""
    if len(text) <= limit:
        return text
    note = f"... (cut, {len(text)} characters)"
    return text[: limit - len(note)] + note


def number_to_json(value: float) -> float | str:
    """Return a number as protobuf's JSON has it, where some numbers are texts."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


#: The state of a run for each state of a job.
_RUN_STATUSES = {
    JobStatus.NOT_STARTED: "SCHEDULED",
    JobStatus.STARTING: "SCHEDULED",
    JobStatus.PROVISIONING: "SCHEDULED",
    JobStatus.PREPARING: "SCHEDULED",
    JobStatus.QUEUED: "SCHEDULED",
    JobStatus.PAUSED: "SCHEDULED",
    JobStatus.RUNNING: "RUNNING",
    JobStatus.FINALIZING: "RUNNING",
    JobStatus.CANCEL_REQUESTED: "RUNNING",
    JobStatus.NOT_RESPONDING: "RUNNING",
    JobStatus.UNKNOWN: "RUNNING",
    JobStatus.COMPLETED: "FINISHED",
    JobStatus.FAILED: "FAILED",
    JobStatus.CANCELED: "KILLED",
}


def run_status(status: JobStatus) -> str:
    """Return the state that MLflow has for a job's."""
    return _RUN_STATUSES[status]


def json_text(value: dict[str, Any]) -> str:
    """Return an object as JSON text, the way MLflow keeps objects in text fields."""
    return msgspec.json.encode(value, order="sorted").decode()
