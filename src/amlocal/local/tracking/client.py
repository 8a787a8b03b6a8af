"""Experiments and runs over MLflow's REST API, without importing `mlflow`.

The cheapest full record of a step is three requests: `create_run` with every tag that is known
then, one `log_batch`, and `end_run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from amlocal.errors import not_found
from amlocal.local.tracking.artifacts import Artifacts
from amlocal.local.tracking.registry import Registry
from amlocal.local.tracking.transport import ServerError, Transport
from amlocal.local.tracking.values import (
    MAX_PARAM_LENGTH,
    MAX_TAG_LENGTH,
    DatasetInput,
    Metric,
    Pair,
    Run,
    RunData,
    pairs,
    run_status,
)
from amlocal.local.tracking.wire import (
    DatasetInputJson,
    Empty,
    ExperimentAnswer,
    ExperimentJson,
    ExperimentsAnswer,
    HistoryAnswer,
    MetricJson,
    RunAnswer,
    RunsAnswer,
    batches,
)
from amlocal.plan import JobStatus

_PAGE = 1000
_MISSING = "RESOURCE_DOES_NOT_EXIST"


class TrackingClient:
    """A workspace's MLflow runs and models; any number of threads may use it.

    Every method raises TrackingError where the server cannot be reached or refuses.

    Args:
        uri: The server's address, as `TrackingServer.ensure` gives it.

    Attributes:
        uri: That address.
        registry: The registered models.
    """

    def __init__(self, uri: str) -> None:
        self._transport = Transport(uri)
        self._artifacts = Artifacts(self._transport)
        self.uri = self._transport.uri
        self.registry = Registry(self._transport)
        self.upload = self._artifacts.upload
        self.upload_to = self._artifacts.upload_to
        self.list_artifacts = self._artifacts.list
        self.download = self._artifacts.download

    def __enter__(self) -> TrackingClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._transport.close()

    def run_url(self, run: Run) -> str:
        """Return the address of a run's page."""
        return f"{self.uri}/#/experiments/{run.experiment_id}/runs/{run.run_id}"

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, which is made, or restored, if need be."""
        try:
            found = self._experiment_named(name)
        except ServerError as error:
            if error.code != _MISSING:
                raise
            return self._create_experiment(name)
        if found.lifecycle_stage == "deleted":
            self._post("experiments/restore", {"experiment_id": found.experiment_id})
        return found.experiment_id

    def create_run(
        self,
        experiment_id: str,
        name: str,
        *,
        tags: Mapping[str, str] | None = None,
        start_time: float,
    ) -> Run:
        """Create a run, which is then RUNNING.

        Args:
            experiment_id: Its experiment.
            name: What people read.
            tags: Its first tags, `mlflow.parentRunId` among them where it is nested; texts above
                8000 characters are cut, and say so.
            start_time: Seconds since 1970.
        """
        body = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": round(start_time * 1000),
            "tags": pairs(dict(tags or {}), MAX_TAG_LENGTH),
        }
        return self._transport.call("POST", "runs/create", body, RunAnswer).run.run_of()

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log metrics, parameters, and tags in as few requests as MLflow allows.

        Texts above MLflow's limits (6000 characters for a parameter, 8000 for a tag) are cut, and
        say so at their end. Logging the same again changes nothing; another value for a parameter
        that is there is refused.
        """
        entities: list[tuple[str, MetricJson | Pair]] = [
            *(("metrics", MetricJson.of(metric)) for metric in metrics),
            *(("params", pair) for pair in pairs(dict(params or {}), MAX_PARAM_LENGTH)),
            *(("tags", pair) for pair in pairs(dict(tags or {}), MAX_TAG_LENGTH)),
        ]
        for batch in batches(entities):
            self._post("runs/log-batch", {"run_id": run_id, **batch})

    def log_inputs(
        self, run_id: str, datasets: Sequence[DatasetInput], models: Sequence[str] = ()
    ) -> None:
        """Log what a run reads: data sets, and MLflow's logged models by their ids."""
        body: dict[str, Any] = {
            "run_id": run_id,
            "datasets": [DatasetInputJson.of(item) for item in datasets],
        }
        if models:
            body["models"] = [{"model_id": model} for model in models]
        self._post("runs/log-inputs", body)

    def end_run(self, run_id: str, status: JobStatus, end_time: float) -> None:
        """Set a run's last state; `end_time` is in seconds since 1970."""
        body = {
            "run_id": run_id,
            "status": run_status(status),
            "end_time": round(end_time * 1000),
        }
        self._post("runs/update", body)

    def get_run(self, run_id: str) -> RunData:
        """Return what a run holds; raises NotFoundError."""
        try:
            answer = self._transport.call("GET", "runs/get", {"run_id": run_id}, RunAnswer)
        except ServerError as error:
            if error.code == _MISSING:
                raise not_found("run", run_id, ()) from error
            raise
        return answer.run.value_of()

    def search_runs(
        self, experiment_ids: Iterable[str] | None = None, *, filter_string: str = ""
    ) -> Iterator[RunData]:
        """Give the runs that a filter in MLflow's language matches, the newest first.

        Args:
            experiment_ids: Where to look; None is everywhere.
            filter_string: Such as ``tags.team = 'blue'``.
        """
        wanted = self._experiment_ids() if experiment_ids is None else list(experiment_ids)
        body: dict[str, Any] = {
            "experiment_ids": wanted,
            "filter": filter_string,
            "max_results": _PAGE,
        }
        while True:
            answer = self._transport.call("POST", "runs/search", body, RunsAnswer)
            yield from (run.value_of() for run in answer.runs)
            if not answer.next_page_token:
                return
            body["page_token"] = answer.next_page_token

    def metric_history(self, run_id: str, key: str) -> Iterator[Metric]:
        """Give every value of a run's metric, in the order of their logging."""
        query: dict[str, Any] = {"run_id": run_id, "metric_key": key, "max_results": _PAGE}
        while True:
            answer = self._transport.call("GET", "metrics/get-history", query, HistoryAnswer)
            yield from (metric.value_of() for metric in answer.metrics)
            if not answer.next_page_token:
                return
            query["page_token"] = answer.next_page_token

    def _experiment_named(self, name: str) -> ExperimentJson:
        query = {"experiment_name": name}
        path = "experiments/get-by-name"
        return self._transport.call("GET", path, query, ExperimentAnswer).experiment

    def _create_experiment(self, name: str) -> str:
        body = {"name": name}
        try:
            return self._transport.call(
                "POST", "experiments/create", body, ExperimentJson
            ).experiment_id
        except ServerError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise
        # Somebody else made it in between.
        return self._experiment_named(name).experiment_id

    def _post(self, path: str, body: object) -> None:
        self._transport.call("POST", path, body, Empty)

    def _experiment_ids(self) -> list[str]:
        body: dict[str, Any] = {"max_results": _PAGE}
        found: list[str] = []
        while True:
            answer = self._transport.call("POST", "experiments/search", body, ExperimentsAnswer)
            found += [item.experiment_id for item in answer.experiments]
            if not answer.next_page_token:
                return found
            body["page_token"] = answer.next_page_token
