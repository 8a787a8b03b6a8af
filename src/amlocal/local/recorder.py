"""Writes a job's runs to the workspace's MLflow server.

A step's run must exist before its process starts (the process gets its id); everything else is
written by one thread in the background, in order, so that tracking costs a job almost no time.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from amlocal.errors import AmlocalError, TrackingError
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.transport import ServerError
from amlocal.local.tracking.values import DatasetInput, Run, RunData
from amlocal.plan import JobStatus

T = TypeVar("T")

_READ_AT_ONCE = 50
_Task = Callable[[TrackingClient], None]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to begin.

    Attributes:
        name: What people read.
        tags: Its tags.
        params: Its parameters.
    """

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str] = field(default_factory=dict)


class Recorder:
    """The MLflow side of one job.

    Args:
        server: The workspace's tracking server; it is started where it is down.
        experiment: Name of the MLflow experiment.
    """

    def __init__(self, server: TrackingServer, experiment: str) -> None:
        self._server = server
        self.uri = server.ensure()
        self._client = TrackingClient(self.uri)
        self.experiment = experiment
        self.experiment_id = self._client.experiment(experiment)
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._unread: dict[str, Callable[[RunData], None]] = {}
        self._errors: list[AmlocalError] = []
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()

    def begin(self, run: NewRun) -> Run:
        """Create a run, and log its parameters in the background.

        Raises:
            TrackingError: The server does not answer, nor after it was started again.
        """
        created = self._retrying(
            lambda client: client.create_run(
                self.experiment_id, run.name, tags=run.tags, start_time=time.time()
            )
        )
        if run.params:
            self.later(lambda client: client.log_batch(created.run_id, params=run.params))
        return created

    def _retrying(self, call: Callable[[TrackingClient], T]) -> T:
        try:
            return call(self._client)
        except ServerError:
            raise  # it answers, and refuses: asking again would not help
        except TrackingError:
            # The server may have been ended under us; it comes back at the same place.
            self._client.close()
            self.uri = self._server.ensure()
            before, self._client = self._client, TrackingClient(self.uri)
            before.close()
            return call(self._client)

    def later(self, task: _Task) -> None:
        """Do something with the server in the background, after what was asked for before."""
        self._tasks.put(task)

    def log_inputs(self, run_id: str, describe: Callable[[], list[DatasetInput]]) -> None:
        """Write a run's data sets; they are described in the background too."""

        def task(client: TrackingClient) -> None:
            if datasets := describe():
                client.log_inputs(run_id, datasets)

        self.later(task)

    def upload(self, run: Run, source: Path, artifact_path: str) -> None:
        """Copy a file or folder into a run's artifacts."""
        self.later(lambda client: client.upload(run, source, artifact_path))

    def end(self, run_id: str, status: JobStatus, tags: Mapping[str, str] | None = None) -> None:
        """Close a run."""
        moment = time.time()

        def task(client: TrackingClient) -> None:
            if tags:
                client.log_batch(run_id, tags=tags)
            client.end_run(run_id, status, moment)

        self.later(task)

    def read(self, run_id: str, receive: Callable[[RunData], None]) -> None:
        """Give what a run has logged to a function, once what was asked for before is written."""

        def task(_: TrackingClient) -> None:
            self._unread[run_id] = receive

        self.later(task)

    def _work(self) -> None:
        try:
            self._do_all()
        except BaseException as error:
            failure = f"the recorder failed: {type(error).__name__}: {error}"
            self._errors.append(TrackingError(failure))
            raise

    def _do_all(self) -> None:
        while (task := self._tasks.get()) is not None:
            self._do(task)
            # Runs are read many at a time, when there is nothing to write or enough to read.
            if self._unread and (self._tasks.empty() or len(self._unread) >= _READ_AT_ONCE):
                self._do(self._read_waiting)
        self._do(self._read_waiting)

    def _read_waiting(self, client: TrackingClient) -> None:
        waiting, self._unread = self._unread, {}
        if not waiting:
            return
        quoted = ", ".join(f"'{run_id}'" for run_id in waiting)
        found = client.search_runs(
            [self.experiment_id], filter_string=f"attributes.run_id IN ({quoted})"
        )
        for data in found:
            waiting[data.run.run_id](data)

    def _do(self, task: _Task) -> None:
        try:
            self._retrying(task)
        except AmlocalError as error:
            self._errors.append(error)
        except OSError as error:
            self._errors.append(TrackingError(f"cannot write to MLflow: {error}"))

    def flush(self) -> None:
        """Wait until everything that was asked for is written and read."""
        done = threading.Event()

        def task(client: TrackingClient) -> None:
            self._read_waiting(client)
            done.set()

        self.later(task)
        while not done.wait(1.0):
            if not self._thread.is_alive():
                return

    def errors(self) -> list[str]:
        """Return what could not be written so far, a sentence each."""
        return list(dict.fromkeys(str(error) for error in self._errors))

    def close(self) -> None:
        """Wait until everything is written."""
        self._tasks.put(None)
        self._thread.join()
        self._client.close()
