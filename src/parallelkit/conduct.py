"""One parallel run.

    plan      the input is divided into mini-batches, which a run that is started again keeps
    process   workers take them in order; one that raises, does not end, or loses its worker is
              tried again, after those that wait, until its retries are used up
    judge     what has failed is counted against the thresholds, after each mini-batch
    append    what `run` returned is put into one file, in the order of the mini-batches

The folder keeps what has ended (`journal`), so a run that was killed goes on from there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from parallelkit.batches import MiniBatch, planned
from parallelkit.files import write_whole
from parallelkit.journal import Ended, Journal
from parallelkit.pool import Lost, Pool, WorkerProcess
from parallelkit.reports import Counts, Reports
from parallelkit.request import Request, WrongRequestError

#: Workers that may die before any has been ready.
_STARTS = 3
#: Seconds between two looks around.
_LOOK = 1.0
_PIECE = 1 << 20  # bytes


class RunFailedError(Exception):
    """The run has failed: by a threshold, or because no worker can be started."""


class Run:
    """One run.

    Args:
        request: What is asked.
        request_file: Where that stands, for the workers.
        folder: Where the run keeps what it needs to go on.
    """

    def __init__(self, request: Request, request_file: Path, folder: Path) -> None:
        self._request = request
        self._request_file = request_file
        self._folder = folder
        self._waiting: deque[MiniBatch] = deque()
        self._attempts: dict[int, int] = {}
        self._deaths = 0
        self._has_been_ready = False

    def execute(self) -> None:
        """Run to the end.

        Raises:
            WrongRequestError: The request or its input is wrong.
            RunFailedError: The run failed.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._reports = Reports(self._folder / "events.jsonl", Path(self._request.logs))
        self._journal = Journal(self._folder / "journal.jsonl")
        try:
            self._execute()
        finally:
            self._journal.close()
            self._reports.close()

    def _execute(self) -> None:
        counts = Counts(0, 0)
        try:
            batches = planned(self._request, self._folder)
            counts = self._counts = Counts(len(batches), sum(batch.size for batch in batches))
            self._process(batches)
            self._judge_percent()
            self._append(batches)
        except (RunFailedError, WrongRequestError) as error:
            self._reports.finish(counts, str(error))
            raise
        self._reports.finish(counts, "")

    def _process(self, batches: Sequence[MiniBatch]) -> None:
        for ended in self._journal.known.values():
            self._counts.add(ended)
        self._judge()
        known = self._journal.known
        self._waiting.extend(batch for batch in batches if batch.index not in known)
        limit = max(1, min(self._request.workers, len(self._waiting)))
        taken_over = f", {len(known)} of them done before" if known else ""
        self._reports.say(
            f"{len(batches)} mini-batches of {self._counts.items} items{taken_over}; "
            f"workers: {limit}"
        )
        self._reports.event(
            "started", mini_batches=len(batches), items=self._counts.items, known=len(known)
        )
        if not self._waiting:
            return
        pool = Pool(self._request, self._request_file, self._folder, limit)
        try:
            self._drive(pool)
            for _, message in pool.stop():
                if message["event"] == "shutdown_failed":
                    self._reports.say(f"shutdown() failed: {message['message']}")
        finally:
            pool.close()

    def _drive(self, pool: Pool) -> None:
        last = time.monotonic()
        while self._waiting or pool.busy:
            pool.fill(len(self._waiting) + pool.busy)
            for worker in pool.idle()[: len(self._waiting)]:
                pool.give(worker, self._waiting.popleft())
            before = self._counts.ended
            for told in pool.wait(_LOOK):
                self._take(told)
            if self._counts.ended != before:
                last = time.monotonic()
                self._reports.progress(self._counts)
            limit = self._request.progress_timeout
            if limit is not None and time.monotonic() - last > limit:
                raise RunFailedError(f"no mini-batch has ended for {limit:g} s")

    def _take(self, told: tuple[WorkerProcess, dict[str, Any]] | Lost) -> None:
        if isinstance(told, Lost):
            self._lost(told)
            return
        worker, message = told
        if message["event"] == "ready":
            self._has_been_ready = True
        elif message["event"] == "init_failed":
            raise RunFailedError(f"init() failed: {message['message']}")
        elif message["event"] == "raised":
            self._failed(worker, message["message"], message["traceback"])
        elif message["event"] == "returned":
            self._returned(worker, message)

    def _lost(self, lost: Lost) -> None:
        if lost.worker.batch is not None:
            self._failed(lost.worker, lost.why, "")
        elif not lost.worker.is_ready:
            self._deaths += 1
            self._reports.say(f"a worker could not be started: {lost.why}")
            if self._deaths >= _STARTS:
                raise RunFailedError(f"no worker can be started: {lost.why}")

    def _returned(self, worker: WorkerProcess, message: dict[str, Any]) -> None:
        batch = self._released(worker)
        missing = max(0, batch.size - message["count"])
        why = f"run() returned {message['count']} of {batch.size} items" if missing else ""
        self._end(
            batch,
            Ended(
                batch=batch.index,
                is_failed=bool(missing) and self._request.short_fails,
                succeeded=batch.size - missing,
                failed=missing,
                attempts=self._attempts[batch.index],
                seconds=message["seconds"],
                result=message["result"],
                header=message["header"],
                message=why,
                worker=worker.number,
            ),
        )

    def _failed(self, worker: WorkerProcess, why: str, details: str) -> None:
        batch = self._released(worker)
        attempts = self._attempts[batch.index]
        self._reports.attempt_failed(batch, attempts, why, details)
        if attempts <= self._request.max_retries:
            self._waiting.append(batch)
            return
        self._end(
            batch,
            Ended(
                batch=batch.index,
                is_failed=True,
                succeeded=0,
                failed=batch.size,
                attempts=attempts,
                seconds=0.0,
                message=why,
                has_returned=False,
                worker=worker.number,
            ),
        )

    def _released(self, worker: WorkerProcess) -> MiniBatch:
        batch, worker.batch = worker.batch, None
        assert batch is not None
        self._attempts[batch.index] = self._attempts.get(batch.index, 0) + 1
        return batch

    def _end(self, batch: MiniBatch, ended: Ended) -> None:
        self._journal.add(ended)
        self._counts.add(ended)
        self._reports.ended(batch, ended)
        self._judge(f"; the last: {ended.message}" if ended.message else "")

    def _judge(self, last: str = "") -> None:
        counts, request = self._counts, self._request
        if 0 <= request.mini_batch_error_threshold < counts.failed:
            raise RunFailedError(
                f"{counts.failed} mini-batches failed, more than mini_batch_error_threshold "
                f"{request.mini_batch_error_threshold}{last}"
            )
        if 0 <= request.error_threshold < counts.failed_items:
            raise RunFailedError(
                f"{counts.failed_items} items failed, more than error_threshold "
                f"{request.error_threshold}{last}"
            )

    def _judge_percent(self) -> None:
        allowed = self._request.allowed_failed_percent
        percent = 100 * self._counts.failed / self._counts.total
        if percent > allowed:
            raise RunFailedError(
                f"{percent:g} % of the mini-batches failed, more than allowed_failed_percent "
                f"{allowed:g}"
            )

    def _append(self, batches: Sequence[MiniBatch]) -> None:
        if self._request.append_to is not None:
            ended = [self._journal.known[batch.index] for batch in batches]
            write_whole(Path(self._request.append_to), self._rows(ended))

    def _rows(self, ended: Sequence[Ended]) -> Iterator[bytes]:
        if self._request.has_header:
            yield next((one.header for one in ended if one.header), "").encode()
        for one in ended:
            if one.result:
                with (self._folder / one.result).open("rb") as rows:
                    yield from iter(lambda: rows.read(_PIECE), b"")
