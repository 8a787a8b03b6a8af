"""Writes a job's runs to the workspace's MLflow server.

A step's run must exist before its process starts (the process gets its id); everything else is
written in the background, each run's in order, so that tracking costs a job almost no time.
"""

from __future__ import annotations

import queue
import threading
import time
import zlib
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
#: Two, since the server answers two at once a third faster than one after the other; not more.
_WRITERS = 2
_Task = Callable[[TrackingClient], None]
_Receive = Callable[[RunData], None]


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
        self._lock = threading.Lock()
        self.uri = server.ensure()
        self._client = TrackingClient(self.uri)
        self.experiment = experiment
        self.experiment_id = self._client.experiment(experiment)
        self._writers = [_Writer(self) for _ in range(_WRITERS)]
        for writer in self._writers:
            writer.start()

    def begin(self, run: NewRun) -> Run:
        """Create a run, and log its parameters in the background.

        Raises:
            TrackingError: The server does not answer, nor after it was started again.
        """
        created = self.ask(
            lambda client: client.create_run(
                self.experiment_id, run.name, tags=run.tags, start_time=time.time()
            )
        )
        if run.params:
            run_id = created.run_id
            self.later(run_id, lambda client: client.log_batch(run_id, params=run.params))
        return created

    def ask(self, call: Callable[[TrackingClient], T]) -> T:
        """Do something with the server now; it is started again where it has gone.

        Raises:
            TrackingError: The server does not answer, nor after it was started again.
        """
        client = self._client
        try:
            return call(client)
        except ServerError:
            raise  # it answers, and refuses: asking again would not help
        except TrackingError:
            return call(self._replaced(client))

    def _replaced(self, gone: TrackingClient) -> TrackingClient:
        """Return a client of the server that comes instead of one that was ended under us."""
        with self._lock:
            if self._client is gone:
                gone.close()
                self.uri = self._server.ensure()
                self._client = TrackingClient(self.uri)
            return self._client

    def later(self, key: str, task: _Task) -> None:
        """Do something in the background, after what was asked for before with the same key."""
        self._writers[zlib.crc32(key.encode()) % _WRITERS].put(task)

    def log_inputs(self, run_id: str, describe: Callable[[], list[DatasetInput]]) -> None:
        """Write a run's data sets; they are described in the background too."""

        def task(client: TrackingClient) -> None:
            if datasets := describe():
                client.log_inputs(run_id, datasets)

        self.later(run_id, task)

    def upload(self, run: Run, source: Path, artifact_path: str) -> None:
        """Copy a file or folder into a run's artifacts."""
        self.later(run.run_id, lambda client: client.upload(run, source, artifact_path))

    def end(
        self,
        run_id: str,
        status: JobStatus,
        tags: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        """Close a run, and log those of its parameters that its script has not logged itself."""
        moment = time.time()

        def task(client: TrackingClient) -> None:
            if params:
                _log_missing(client, run_id, params)
            if tags:
                client.log_batch(run_id, tags=tags)
            client.end_run(run_id, status, moment)

        self.later(run_id, task)

    def read(self, run_id: str, receive: _Receive) -> None:
        """Give what a run has logged to a function, once what was asked for before is written."""
        self._writers[zlib.crc32(run_id.encode()) % _WRITERS].put((run_id, receive))

    def flush(self) -> None:
        """Wait until everything that was asked for is written and read."""
        for writer in self._writers:
            writer.flush()

    def errors(self) -> list[str]:
        """Return what could not be written so far, a sentence each."""
        found = [str(error) for writer in self._writers for error in writer.errors]
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Wait until everything is written."""
        for writer in self._writers:
            writer.put(None)
        for writer in self._writers:
            writer.join()
        self._client.close()


def _log_missing(client: TrackingClient, run_id: str, params: Mapping[str, str]) -> None:
    """Log parameters beside those of the script, whose own spelling (`1.0` for `1`) stays."""
    try:
        client.log_batch(run_id, params=params)
    except ServerError:
        logged = client.get_run(run_id).params
        missing = {name: text for name, text in params.items() if name not in logged}
        if len(missing) == len(params):
            raise
        client.log_batch(run_id, params=missing)


class _Writer(threading.Thread):
    """Does what was asked for, in order."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(name="recorder", daemon=True)
        self._recorder = recorder
        self._waiting: queue.SimpleQueue[_Task | tuple[str, _Receive] | None] = queue.SimpleQueue()
        self._unread: dict[str, _Receive] = {}
        self.errors: list[AmlocalError] = []

    def put(self, task: _Task | tuple[str, _Receive] | None) -> None:
        """Ask for a task, for a run to be read, or (None) for the end."""
        self._waiting.put(task)

    def flush(self) -> None:
        """Wait until everything that was asked for is written and read."""
        done = threading.Event()

        def task(client: TrackingClient) -> None:
            try:
                self._read(client)
            finally:
                done.set()

        self.put(task)
        while not done.wait(1.0):
            if not self.is_alive():
                return

    def run(self) -> None:
        """Work until the end is asked for."""
        try:
            self._work()
        except BaseException as error:
            failure = f"the recorder failed: {type(error).__name__}: {error}"
            self.errors.append(TrackingError(failure))
            raise

    def _work(self) -> None:
        while (task := self._waiting.get()) is not None:
            if isinstance(task, tuple):
                run_id, receive = task
                self._unread[run_id] = receive
            else:
                self._do(task)
            # Runs are read many at a time, when there is nothing to write or enough to read.
            if self._unread and (self._waiting.empty() or len(self._unread) >= _READ_AT_ONCE):
                self._do(self._read)
        self._do(self._read)

    def _do(self, task: _Task) -> None:
        try:
            self._recorder.ask(task)
        except AmlocalError as error:
            self.errors.append(error)
        except OSError as error:
            self.errors.append(TrackingError(f"cannot write to MLflow: {error}"))

    def _read(self, client: TrackingClient) -> None:
        unread, self._unread = self._unread, {}
        if not unread:
            return
        quoted = ", ".join(f"'{run_id}'" for run_id in unread)
        found = client.search_runs(
            [self._recorder.experiment_id], filter_string=f"attributes.run_id IN ({quoted})"
        )
        for data in found:
            unread[data.run.run_id](data)
