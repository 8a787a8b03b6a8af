from __future__ import annotations

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
    recorder = Recorder(tracking_server, "recorded", print)
    yield recorder
    recorder.close()


def begun(recorder: Recorder) -> Run:
    return recorder.begin(NewRun("a run", {"team": "blue"}, time.time()))


def ended(recorder: Recorder, run: Run, status: JobStatus = JobStatus.COMPLETED) -> list[RunData]:
    """Ask for a run's end, and return where what it holds will be put."""
    received: list[RunData] = []
    recorder.end(
        run.run_id,
        status,
        tags={"amlocal.error": "no rows"},
        params={"rate": "0.1", "seed": "7"},
        receive=received.append,
    )
    return received


def test_what_is_asked_for_of_a_run_is_done_in_order(
    recorder: Recorder, tracking: TrackingClient
) -> None:
    run = begun(recorder)
    metric = Metric(key="auc", value=0.5, timestamp=1)
    logged = {"rate": "0.9"}  # by the script itself: it stays
    recorder.later(
        run.run_id, lambda client: client.log_batch(run.run_id, metrics=[metric], params=logged)
    )
    received = ended(recorder, run, JobStatus.FAILED)
    recorder.flush()
    (data,) = received
    assert (data.metrics, data.params) == ({"auc": 0.5}, {"rate": "0.9", "seed": "7"})
    there = tracking.get_run(run.run_id)
    assert (there.status, there.metrics, there.params) == ("FAILED", data.metrics, data.params)
    assert there.tags["amlocal.error"] == "no rows"
    assert there.tags["team"] == "blue"
    assert recorder.errors() == []


def test_many_runs_are_ended_and_read(recorder: Recorder) -> None:
    runs = [begun(recorder) for _ in range(8)]
    received = [ended(recorder, run) for run in runs]
    recorder.flush()
    assert [data.run.run_id for (data,) in received] == [run.run_id for run in runs]


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
    nothing = Run(run_id="no-such-run", experiment_id="0", artifact_uri="")
    refused = [ended(recorder, nothing) for _ in range(2)]
    received = ended(recorder, run)
    recorder.flush()
    (error,) = recorder.errors()
    assert "no-such-run" in error
    assert (refused, len(received)) == ([[], []], 1)


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
    tracking_server.stop()
    received = ended(recorder, run)
    recorder.flush()
    assert [data.run.run_id for data in received] == [run.run_id]
    assert recorder.errors() == []


@pytest.mark.slow
def test_scripts_find_the_server_again_without_anything_to_record(
    recorder: Recorder, tracking_server: TrackingServer
) -> None:
    address = recorder.uri
    tracking_server.stop()
    deadline = time.monotonic() + 60
    while tracking_server.uri() != address and time.monotonic() < deadline:
        time.sleep(0.2)
    assert tracking_server.uri() == address
    assert recorder.errors() == []
