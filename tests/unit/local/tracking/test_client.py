"""Against a real MLflow server; what a script sees there is in `test_scripts`."""

from __future__ import annotations

import math
import threading
import time

import pytest

from amlocal.errors import NotFoundError, TrackingError
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.transport import ServerError, Transport
from amlocal.local.tracking.values import Dataset, DatasetInput, Metric, Run
from amlocal.local.tracking.wire import Empty
from amlocal.plan import JobStatus


@pytest.fixture
def run(tracking: TrackingClient) -> Run:
    experiment = tracking.experiment("client tests")
    return tracking.create_run(experiment, "a run", tags={"team": "blue"}, start_time=time.time())


def test_an_experiment_is_made_once_whoever_asks(tracking: TrackingClient) -> None:
    found: list[str] = []

    def ask() -> None:
        found.append(tracking.experiment("räce / one"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


def test_a_deleted_experiment_is_restored(tracking: TrackingClient) -> None:
    experiment = tracking.experiment("deleted")
    transport = Transport(tracking.uri)
    transport.call("POST", "experiments/delete", {"experiment_id": experiment}, Empty)
    transport.close()
    assert tracking.experiment("deleted") == experiment
    assert tracking.create_run(experiment, "works", start_time=time.time()).run_id


def test_a_run_holds_what_was_logged(tracking: TrackingClient, run: Run) -> None:
    now = round(time.time() * 1000)
    tracking.log_batch(
        run.run_id,
        metrics=[
            Metric(key="loss a/b", value=math.nan, timestamp=now),
            *(Metric(key="loss", value=1 / step, timestamp=now, step=step) for step in (1, 2)),
        ],
        params={"rate": "0.1", "text": "ä\n" * 4000},
        tags={"note": "x" * 9000},
    )
    data = tracking.get_run(run.run_id)
    assert (data.run, data.name, data.status) == (run, "a run", "RUNNING")
    assert math.isnan(data.metrics["loss a/b"])
    assert data.metrics["loss"] == 0.5
    assert data.params["rate"] == "0.1"
    assert data.params["text"].endswith("... (cut, 8000 characters)")
    assert len(data.tags["note"]) == 8000
    assert data.tags["team"] == "blue"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (JobStatus.COMPLETED, "FINISHED"),
        (JobStatus.FAILED, "FAILED"),
        (JobStatus.CANCELED, "KILLED"),
    ],
)
def test_a_run_ends_as_its_job(
    tracking: TrackingClient, run: Run, status: JobStatus, expected: str
) -> None:
    end = time.time() + 5
    tracking.end_run(run.run_id, status, end)
    data = tracking.get_run(run.run_id)
    assert (data.status, data.end_time) == (expected, round(end * 1000))
    assert data.start_time < data.end_time


def test_a_large_log_arrives_whole(tracking: TrackingClient, run: Run) -> None:
    history = [Metric(key="m", value=float(i), timestamp=1000 + i, step=i) for i in range(2100)]
    params = {f"p{number}": "x" * 6000 for number in range(210)}
    tags = {f"t{number}": "y" * 8000 for number in range(210)}
    tracking.log_batch(run.run_id, metrics=history, params=params, tags=tags)
    data = tracking.get_run(run.run_id)
    assert data.params == params
    assert {key: data.tags[key] for key in tags} == tags
    assert list(tracking.metric_history(run.run_id, "m")) == history


def test_logging_the_same_again_changes_nothing(tracking: TrackingClient, run: Run) -> None:
    metrics = [Metric(key="m", value=1.0, timestamp=5, step=0)]
    for _ in range(2):
        tracking.log_batch(run.run_id, metrics=metrics, params={"p": "1"}, tags={"t": "1"})
    assert list(tracking.metric_history(run.run_id, "m")) == metrics


def test_another_value_of_a_parameter_is_refused(tracking: TrackingClient, run: Run) -> None:
    tracking.log_batch(run.run_id, params={"p": "1"})
    with pytest.raises(ServerError, match="Changing param values is not allowed") as caught:
        tracking.log_batch(run.run_id, params={"p": "2"})
    assert caught.value.code == "INVALID_PARAMETER_VALUE"


def test_inputs_are_kept_with_their_context(tracking: TrackingClient, run: Run) -> None:
    item = DatasetInput(
        dataset=Dataset(
            name="adult",
            digest="d" * 36,
            source_type="local",
            source='{"uri":"/data/adult.parquet"}',
            schema='{"mlflow_colspec":[{"name":"age","type":"long","required":true}]}',
            profile='{"num_rows":3}',
        ),
        context="train_data",
    )
    tracking.log_inputs(run.run_id, [item])
    assert tracking.get_run(run.run_id).inputs == (item,)


def test_runs_are_found_by_their_tags_in_every_experiment(tracking: TrackingClient) -> None:
    made = [
        tracking.create_run(
            tracking.experiment(f"search {number}"), "r", tags={"wanted": "yes"}, start_time=number
        )
        for number in (1, 2)
    ]
    found = list(tracking.search_runs(filter_string="tags.wanted = 'yes'"))
    assert [data.run for data in found] == made[::-1]
    only = tracking.search_runs([made[0].experiment_id], filter_string="tags.wanted = 'yes'")
    assert [data.run for data in only] == made[:1]


def test_a_run_that_is_not_there_is_named(tracking: TrackingClient) -> None:
    with pytest.raises(NotFoundError, match="no run named 'nothing'"):
        tracking.get_run("nothing")
    with pytest.raises(TrackingError, match="nothing"):
        tracking.end_run("nothing", JobStatus.COMPLETED, 1.0)


def test_a_page_of_a_run_is_linked(tracking: TrackingClient, run: Run) -> None:
    expected = f"{tracking.uri}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    assert tracking.run_url(run) == expected
