from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from amlocal.errors import NotFoundError
from amlocal.local.recorder import NewRun, Recorder
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.values import Dataset, DatasetInput, Metric, Run, RunData
from amlocal.plan import JobStatus


@pytest.fixture
def recorder(tracking_server: TrackingServer) -> Iterator[Recorder]:
    recorder = Recorder(tracking_server, "recorded")
    yield recorder
    recorder.close()


def begun(recorder: Recorder, **params: str) -> Run:
    return recorder.begin(NewRun("a run", {"team": "blue"}, params))


def test_what_is_asked_for_of_a_run_is_done_in_order(
    recorder: Recorder, tracking: TrackingClient
) -> None:
    run = begun(recorder, rate="0.1")
    received: list[RunData] = []
    metric = Metric(key="auc", value=0.5, timestamp=1)
    recorder.later(run.run_id, lambda client: client.log_batch(run.run_id, metrics=[metric]))
    recorder.end(run.run_id, JobStatus.FAILED, {"amlocal.error": "no rows"})
    recorder.read(run.run_id, received.append)
    recorder.flush()
    (data,) = received
    assert data == tracking.get_run(run.run_id)
    assert (data.status, data.metrics, data.params) == ("FAILED", {"auc": 0.5}, {"rate": "0.1"})
    assert data.tags["amlocal.error"] == "no rows"
    assert recorder.errors() == []


def test_many_runs_are_read(recorder: Recorder) -> None:
    received: list[str] = []
    lock = threading.Lock()

    def receive(data: RunData) -> None:
        with lock:
            received.append(data.run.run_id)

    runs = [begun(recorder).run_id for _ in range(8)]
    for run_id in runs:
        recorder.read(run_id, receive)
    recorder.flush()
    assert sorted(received) == sorted(runs)


def test_runs_that_read_the_same_data_at_once(recorder: Recorder, tracking: TrackingClient) -> None:
    runs = [begun(recorder).run_id for _ in range(6)]
    for round_ in range(5):
        data = Dataset(
            name="rows", digest=f"{time.time_ns()}{round_}"[-30:], source_type="local", source="{}"
        )
        for run_id in runs:
            recorder.log_inputs(run_id, lambda data=data: [DatasetInput(dataset=data, context="d")])
    recorder.flush()
    assert recorder.errors() == []
    assert {len(tracking.get_run(run_id).inputs) for run_id in runs} == {5}


def test_what_the_server_refuses_is_told_once_and_stops_nothing(recorder: Recorder) -> None:
    run = begun(recorder)
    received: list[RunData] = []
    for _ in range(2):
        recorder.end("no-such-run", JobStatus.COMPLETED)
    recorder.read(run.run_id, received.append)
    recorder.flush()
    (error,) = recorder.errors()
    assert "no-such-run" in error
    assert len(received) == 1


def test_a_refused_run_is_an_error(recorder: Recorder) -> None:
    with pytest.raises(NotFoundError, match="no run named"):
        recorder.ask(lambda client: client.get_run("no-such-run"))


def test_a_disk_that_refuses_is_told(recorder: Recorder) -> None:
    def fail(client: TrackingClient) -> None:
        raise PermissionError(13, "Permission denied", "/x")

    recorder.later("x", fail)
    recorder.flush()
    assert "Permission denied: '/x'" in recorder.errors()[0]


@pytest.mark.slow
def test_a_server_that_went_away_is_started_again(
    recorder: Recorder, tracking_server: TrackingServer
) -> None:
    run = begun(recorder)
    received: list[RunData] = []
    tracking_server.stop()
    recorder.read(run.run_id, received.append)
    recorder.flush()
    assert [data.run.run_id for data in received] == [run.run_id]
    assert recorder.errors() == []
