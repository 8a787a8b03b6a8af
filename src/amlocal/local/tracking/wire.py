"""The JSON of MLflow's run API as values, and how a log is cut into requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from amlocal.local.tracking.values import (
    Dataset,
    DatasetInput,
    Metric,
    Pair,
    Run,
    RunData,
    number_to_json,
)

# What one `log-batch` may hold, from `mlflow.utils.validation`. The bytes are kept well below its
# 1e6: the server counts the request as it writes it itself.
_BATCH_LIMITS = {"metrics": 1000, "params": 100, "tags": 100}
_BATCH_ENTITIES = 1000
_BATCH_BYTES = 800_000

_CONTEXT_TAG = "mlflow.data.context"


class Empty(msgspec.Struct):
    """An answer that says nothing, or nothing of interest."""


class MetricJson(msgspec.Struct):
    """A metric; not-a-number and the infinities are texts in protobuf's JSON."""

    key: str
    value: float | str = 0.0
    timestamp: int = 0
    step: int = 0

    @classmethod
    def of(cls, metric: Metric) -> MetricJson:
        """Return a metric as JSON has it."""
        return cls(metric.key, number_to_json(metric.value), metric.timestamp, metric.step)

    def value_of(self) -> Metric:
        """Return the metric."""
        return Metric(
            key=self.key, value=float(self.value), timestamp=self.timestamp, step=self.step
        )


class RunInfoJson(msgspec.Struct):
    """`info` of a run."""

    run_id: str
    experiment_id: str
    artifact_uri: str = ""
    run_name: str = ""
    status: str = "RUNNING"
    start_time: int = 0
    end_time: int = 0


class RunDataJson(msgspec.Struct):
    """`data` of a run."""

    metrics: list[MetricJson] = []
    params: list[Pair] = []
    tags: list[Pair] = []


class DatasetJson(msgspec.Struct):
    """A data set."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInputJson(msgspec.Struct):
    """A data set that a run reads."""

    dataset: DatasetJson
    tags: list[Pair] = []

    @classmethod
    def of(cls, item: DatasetInput) -> DatasetInputJson:
        """Return an input as JSON has it."""
        dataset = DatasetJson(**msgspec.structs.asdict(item.dataset))
        return cls(dataset, [Pair(_CONTEXT_TAG, item.context)])

    def value_of(self) -> DatasetInput:
        """Return the input."""
        context = next((tag.value for tag in self.tags if tag.key == _CONTEXT_TAG), "")
        return DatasetInput(
            dataset=Dataset(**msgspec.structs.asdict(self.dataset)), context=context
        )


class RunInputsJson(msgspec.Struct):
    """`inputs` of a run."""

    dataset_inputs: list[DatasetInputJson] = []


class RunJson(msgspec.Struct):
    """A run."""

    info: RunInfoJson
    data: RunDataJson = msgspec.field(default_factory=RunDataJson)
    inputs: RunInputsJson = msgspec.field(default_factory=RunInputsJson)

    def run_of(self) -> Run:
        """Return which run it is."""
        return Run(
            run_id=self.info.run_id,
            experiment_id=self.info.experiment_id,
            artifact_uri=self.info.artifact_uri,
        )

    def value_of(self) -> RunData:
        """Return what the run holds."""
        return RunData(
            run=self.run_of(),
            name=self.info.run_name,
            status=self.info.status,
            start_time=self.info.start_time,
            end_time=self.info.end_time,
            metrics={item.key: float(item.value) for item in self.data.metrics},
            params={item.key: item.value for item in self.data.params},
            tags={item.key: item.value for item in self.data.tags},
            inputs=tuple(item.value_of() for item in self.inputs.dataset_inputs),
        )


class RunAnswer(msgspec.Struct):
    """Answers `runs/create` and `runs/get`."""

    run: RunJson


class RunsAnswer(msgspec.Struct):
    """Answers `runs/search`."""

    runs: list[RunJson] = []
    next_page_token: str = ""


class HistoryAnswer(msgspec.Struct):
    """Answers `metrics/get-history`."""

    metrics: list[MetricJson] = []
    next_page_token: str = ""


class ExperimentJson(msgspec.Struct):
    """An experiment; `experiments/create` answers with its id alone."""

    experiment_id: str
    lifecycle_stage: str = "active"


class ExperimentAnswer(msgspec.Struct):
    """Answers `experiments/get-by-name`."""

    experiment: ExperimentJson


class ExperimentsAnswer(msgspec.Struct):
    """Answers `experiments/search`."""

    experiments: list[ExperimentJson] = []
    next_page_token: str = ""


def batches(
    entities: Iterable[tuple[str, MetricJson | Pair]],
) -> Iterator[dict[str, list[msgspec.Raw]]]:
    """Cut a log into bodies that MLflow takes.

    Args:
        entities: Each with the field that it belongs to: `metrics`, `params`, or `tags`.

    Yields:
        Fields of one `log-batch` request, as full as the limits allow.
    """
    batch: dict[str, list[msgspec.Raw]] = {}
    count = size = 0
    for kind, entity in entities:
        text = msgspec.json.encode(entity)
        is_full = (
            len(batch.get(kind, ())) >= _BATCH_LIMITS[kind]
            or count >= _BATCH_ENTITIES
            or size + len(text) > _BATCH_BYTES
        )
        if batch and is_full:
            yield batch
            batch, count, size = {}, 0, 0
        batch.setdefault(kind, []).append(msgspec.Raw(text))
        count, size = count + 1, size + len(text) + 2
    if batch:
        yield batch
