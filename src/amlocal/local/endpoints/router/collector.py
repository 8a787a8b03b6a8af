"""The data collector: keeps requests and answers in a thread of its own."""

from __future__ import annotations

import hashlib
import queue
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from amlocal.local.endpoints.router.answers import Answer
from amlocal.local.endpoints.router.deployments import Deployment
from amlocal.local.endpoints.router.events import (
    INPUTS,
    OUTPUTS,
    REQUEST,
    RESPONSE,
    Event,
    Exchanged,
    NotCollectedError,
    Sent,
    event,
    event_of_script,
)
from amlocal.local.endpoints.router.files import Key, LineFiles, place, write_payload
from amlocal.local.endpoints.router.metrics import Counts
from amlocal.local.endpoints.router.scoring import Request
from amlocal.local.endpoints.router.table import CollectorEntry

#: Exchanges that may wait to be written, and bytes of their bodies.
MAX_WAITING = 8192
MAX_BYTES = 64 << 20
#: The collections that the router fills; a scoring script fills all others itself.
PAYLOADS = (REQUEST, RESPONSE)
_OWN = (INPUTS, OUTPUTS, *PAYLOADS)
#: Headers that are never kept, whoever asks for them.
_SECRET = frozenset({b"authorization", b"cookie", b"proxy-authorization"})
#: Exchanges that are written together.
_BATCH = 256
_JOIN_SECONDS = 30.0
_COMPLAINT_SECONDS = 60.0


class _Job(NamedTuple):
    """What is to be written of one exchange, or of what a script sent.

    Attributes:
        folder: The deployment's folder.
        rolling_rate: How often a new file is begun.
        instance: Names the files.
        deployment: The deployment.
        request_id: The request's id.
        time: What decides on the file, in seconds since 1970.
        size: Bytes of the bodies.
        counts: What is counted.
        collections: What to write to.
        make: Makes a collection's event.
    """

    folder: str
    rolling_rate: str
    instance: str
    deployment: str
    request_id: str
    time: float
    size: int
    counts: Counts
    collections: tuple[str, ...]
    make: Callable[[str], Event]


class Collector:
    """Keeps requests and answers as their deployments' data collectors say.

    Requests never wait for it: what its queue has no room for is dropped and counted.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._random = random.Random()  # noqa: S311 (sampling, not secrets)
        self._queue: queue.Queue[_Job | None] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._bytes = 0
        self._files = LineFiles()
        self._complained = -_COMPLAINT_SECONDS
        self._thread = threading.Thread(target=self._run, name="collector", daemon=True)

    def __enter__(self) -> Collector:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what waits."""
        self._queue.put(None)
        self._thread.join(_JOIN_SECONDS)

    def observe(self, deployment: Deployment, request: Request, answer: Answer) -> None:
        """Take an exchange, where it is to be kept."""
        entry = deployment.entry.collector
        if entry is None or answer.reply is None:
            return
        collections = self._sampled(entry, is_success=answer.status < 300)
        if not collections:
            return
        exchanged = self._exchanged(entry, deployment, request, answer)
        self._put(
            _Job(
                folder=entry.folder,
                rolling_rate=entry.rolling_rate,
                instance=answer.reply.instance,
                deployment=deployment.name,
                request_id=exchanged.request_id,
                time=exchanged.time,
                size=len(exchanged.request) + len(exchanged.response),
                counts=deployment.counts,
                collections=collections,
                make=partial(event, exchanged=exchanged),
            )
        )

    def take(
        self,
        deployment: Deployment,
        entry: CollectorEntry,
        instance: str,
        collection: str,
        sent: Sent,
    ) -> bool:
        """Take rows that a scoring script sent, where they are to be kept.

        Returns:
            Whether there is room for them.
        """
        rate = entry.collections[collection].sampling_rate
        # By the id, so that collections of equal rates have the rows of the same requests.
        if _draw(sent.request_id) >= (entry.sampling_rate if rate is None else rate):
            return True
        return self._put(
            _Job(
                folder=entry.folder,
                rolling_rate=entry.rolling_rate,
                instance=instance,
                deployment=deployment.name,
                request_id=sent.request_id,
                time=sent.time,
                size=len(sent.body),
                counts=deployment.counts,
                collections=(collection,),
                make=partial(event_of_script, sent=sent),
            )
        )

    def _put(self, job: _Job) -> bool:
        is_taken = self._offer(job)
        if not is_taken:
            self.drop(job.counts, job.collections)
        return is_taken

    def _offer(self, job: _Job) -> bool:
        """Queue a job where there is room."""
        with self._lock:
            if self._bytes + job.size > MAX_BYTES:
                return False
            self._bytes += job.size
        try:
            self._queue.put_nowait(job)
        except queue.Full:
            self._free(job.size)
            return False
        return True

    def _sampled(self, entry: CollectorEntry, *, is_success: bool) -> tuple[str, ...]:
        """Return the collections that an exchange falls into.

        One draw for all, so that collections of equal rates have the same exchanges.
        """
        draw = self._random.random()
        found = []
        for name in PAYLOADS if entry.script_key else _OWN:
            collection = entry.collections.get(name)
            if collection is None or not collection.enabled:
                continue
            rate = collection.sampling_rate
            if draw < (entry.sampling_rate if rate is None else rate) and (
                is_success or name in PAYLOADS
            ):
                found.append(name)
        return tuple(found)

    def _exchanged(
        self, entry: CollectorEntry, deployment: Deployment, request: Request, answer: Answer
    ) -> Exchanged:
        wanted = {name.lower().encode() for name in entry.capture_headers} - _SECRET
        kept = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in request.headers
            if name in wanted
        }
        return Exchanged(
            endpoint=self._endpoint,
            deployment=deployment.name,
            version=deployment.entry.model.rpartition(":")[2] or "default",
            time=time.time(),
            request_id=request.request_id.decode(),
            path=(request.path + request.query).decode("latin-1"),
            request=request.body,
            response=answer.body,
            headers=kept,
            redacted=frozenset(entry.redacted),
            is_success=answer.status < 300,
        )

    def drop(self, counts: Counts, collections: Sequence[str]) -> None:
        """Count what is not kept."""
        with self._lock:
            for collection in collections:
                counts.lost[collection] += 1

    def _free(self, size: int) -> None:
        with self._lock:
            self._bytes -= size

    # In the thread.

    def _run(self) -> None:
        while jobs := self._batch():
            self._write(jobs)
        self._files.close()

    def _batch(self) -> list[_Job]:
        """Return what waits, at least one; nothing once the end was asked for.

        Written together, since each call of the system hands the interpreter to the live requests,
        and it takes a while to come back.
        """
        jobs: list[_Job] = []
        job = self._queue.get()
        while job is not None:
            jobs.append(job)
            if len(jobs) == _BATCH or self._queue.empty():
                return jobs
            job = self._queue.get()
        if jobs:
            self._queue.put(None)  # to be met again, once these are written
        return jobs

    def _write(self, jobs: Sequence[_Job]) -> None:
        """Write the events of some exchanges, the lines of a file at once."""
        lines: dict[tuple[Key, Path], list[tuple[bytes, _Job]]] = {}
        for job in jobs:
            for collection in job.collections:
                folder = place(job.folder, collection, job.rolling_rate, job.time)
                line = self._line(collection, job, folder)
                if line is not None:
                    key = (job.folder, collection, job.instance)
                    path = folder / f"{job.instance}.jsonl"
                    lines.setdefault((key, path), []).append((line, job))
        for (key, path), found in lines.items():
            self._append(key, path, found)
        self._free(sum(job.size for job in jobs))

    def _line(self, collection: str, job: _Job, folder: Path) -> bytes | None:
        """Return the line of an event, or None where there is none."""
        try:
            made = job.make(collection)
            fields = made.fields
            if made.payload is not None:
                file = folder / made.id
                write_payload(file, made.payload)
                fields = {**fields, "data": str(file)}
            return msgspec.json.encode(fields) + b"\n"
        except (NotCollectedError, OSError) as error:
            self.drop(job.counts, [collection])
            self._complain(collection, job, error)
            return None

    def _append(self, key: Key, path: Path, found: Sequence[tuple[bytes, _Job]]) -> None:
        collection = key[1]
        try:
            self._files.append(key, path, b"".join(line for line, _ in found))
        except OSError as error:
            for _, job in found:
                self.drop(job.counts, [collection])
            self._complain(collection, found[0][1], error)
        else:
            for _, job in found:
                job.counts.collected[collection] += 1

    def _complain(self, collection: str, job: _Job, error: Exception) -> None:
        """Say that something is not kept, once a minute; without anything of the body."""
        now = time.monotonic()
        if now - self._complained < _COMPLAINT_SECONDS:
            return
        self._complained = now
        # A message of the decoder may quote the body; those of the system name the file.
        reason = str(error) if isinstance(error, OSError) else "the body cannot be kept as it is"
        print(
            f"deployment {job.deployment}: nothing collected to {collection} "
            f"(x-request-id {job.request_id}): {reason}",
            file=sys.stderr,
            flush=True,
        )


def _draw(request_id: str) -> float:
    """Return a number of at least 0 and below 1 that is always the same for an id."""
    digest = hashlib.blake2b(request_id.encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48
