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
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from amlocal.errors import AmlocalError, TrackingError
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.transport import ServerError
from amlocal.local.tracking.values import DatasetInput, Run, RunData
from amlocal.plan import JobStatus

T = TypeVar("T")

#: How soon a server that died is started again: MLflow's clients ask for minutes before they fail.
_WATCH_SECONDS = 3.0
#: Two, since the server answers two at once a third faster than one after the other; not more.
_WRITERS = 2
_Task = Callable[[TrackingClient], None]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run to begin.

    Attributes:
        name: What people read.
        tags: Its tags.
        start: When its job began, in seconds since 1970.
    """

    name: str
    tags: Mapping[str, str]
    start: float


class Recorder:
    """The MLflow side of one job.

    Args:
        server: The workspace's tracking server; it is started where it is down.
        experiment: Name of the MLflow experiment.
        note: Told in a sentence of what takes time.
    """

    def __init__(
        self, server: TrackingServer, experiment: str, note: Callable[[str], None]
    ) -> None:
        self._server = server
        self._lock = threading.Lock()
        self.uri = server.ensure(note)
        self._client = TrackingClient(self.uri)
        self.experiment = experiment
        self.experiment_id = self._client.experiment(experiment)
        self._writers = [_Writer(self) for _ in range(_WRITERS)]
        self._watch = _Watch(self)
        for thread in (*self._writers, self._watch):
            thread.start()

    def begin(self, run: NewRun) -> Run:
        """Create a run.

        Raises:
            TrackingError: The server does not answer, nor after it was started again.
        """
        return self.ask(
            lambda client: client.create_run(
                self.experiment_id, run.name, tags=run.tags, start_time=run.start
            )
        )

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

    def revive(self) -> None:
        """Start the server again where it has died, for the scripts that log to it.

        Raises:
            TrackingError: It does not start.
        """
        client = self._client
        if not self._server.is_alive():
            self._replaced(client)

    def later(self, key: str, task: _Task) -> None:
        """Do something in the background, after what was asked for before with the same key."""
        self._writers[zlib.crc32(key.encode()) % _WRITERS].put(task)

    def log_inputs(self, run_id: str, describe: Callable[[], list[DatasetInput]]) -> None:
        """Write a run's data sets; they are described in the background too."""

        def task(client: TrackingClient) -> None:
            if not (datasets := describe()):
                return
            try:
                client.log_inputs(run_id, datasets)
            except ServerError as error:
                if "UNIQUE constraint" not in str(error):
                    raise
                # Another run logged the same data set at the same moment: now it is there.
                client.log_inputs(run_id, datasets)

        self.later(run_id, task)

    def upload(self, run: Run, source: Path, artifact_path: str) -> None:
        """Copy a file or folder into a run's artifacts."""
        self.later(run.run_id, lambda client: client.upload(run, source, artifact_path))

    def end(
        self,
        run_id: str,
        status: JobStatus,
        *,
        tags: Mapping[str, str],
        params: Mapping[str, str],
        receive: Callable[[RunData], None],
    ) -> None:
        """Close a run.

        Args:
            run_id: The run.
            status: The last state of its job.
            tags: Tags to set.
            params: Parameters to log, but for those that its script has logged itself: MLflow
                refuses another value for a parameter that is there, and in Azure, which logs none,
                the script would have been the first.
            receive: Is given what the script has logged, with the parameters.
        """
        moment = time.time()

        def task(client: TrackingClient) -> None:
            data = client.get_run(run_id)
            missing = {key: text for key, text in params.items() if key not in data.params}
            if missing or tags:
                client.log_batch(run_id, params=missing, tags=tags)
            client.end_run(run_id, status, moment)
            receive(msgspec.structs.replace(data, params={**missing, **data.params}))

        self.later(run_id, task)

    def flush(self) -> None:
        """Wait until everything that was asked for is written."""
        for writer in self._writers:
            writer.flush()

    def errors(self) -> list[str]:
        """Return what could not be written so far, a sentence each."""
        errors = [error for writer in self._writers for error in writer.errors]
        found = [str(error) for error in (*errors, *self._watch.errors)]
        return list(dict.fromkeys(found))

    def close(self) -> None:
        """Wait until everything is written."""
        self._watch.end()
        for writer in self._writers:
            writer.put(None)
        for writer in self._writers:
            writer.join()
        self._client.close()


class _Writer(threading.Thread):
    """Does what was asked for, in order."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(name="recorder", daemon=True)
        self._recorder = recorder
        self._waiting: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self.errors: list[AmlocalError] = []

    def put(self, task: _Task | None) -> None:
        """Ask for a task, or (None) for the end."""
        self._waiting.put(task)

    def flush(self) -> None:
        """Wait until everything that was asked for is written."""
        done = threading.Event()
        self.put(lambda _: done.set())
        while not done.wait(1.0):
            if not self.is_alive():
                return

    def run(self) -> None:
        """Work until the end is asked for."""
        try:
            while (task := self._waiting.get()) is not None:
                self._do(task)
        except BaseException as error:
            failure = f"the recorder failed: {type(error).__name__}: {error}"
            self.errors.append(TrackingError(failure))
            raise

    def _do(self, task: _Task) -> None:
        try:
            self._recorder.ask(task)
        except AmlocalError as error:
            self.errors.append(error)
        except OSError as error:
            self.errors.append(TrackingError(f"cannot write to MLflow: {error}"))


class _Watch(threading.Thread):
    """Looks after the server until the job is over."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(name="tracking watch", daemon=True)
        self._recorder = recorder
        self._over = threading.Event()
        self.errors: list[TrackingError] = []

    def end(self) -> None:
        """Look no longer, and wait for a start that is under way."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look every few seconds; a server that does not start is not tried again."""
        try:
            while not self._over.wait(_WATCH_SECONDS):
                self._recorder.revive()
        except TrackingError as error:
            self.errors.append(error)
