"""One worker process: loads the entry script, calls `init`, then `run` for each mini-batch.

It is told what to do over a pipe, and tells what it has done over another. It ends with its whole
process group as soon as the first one is closed, also in the middle of a call: then the run that
started it is gone.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from parallelkit.batches import MiniBatch
from parallelkit.channel import Reader, send
from parallelkit.files import write_whole
from parallelkit.mlflow_scoring import MlflowScoring
from parallelkit.request import Request, read_request
from parallelkit.returned import read_returned
from parallelkit.script import Script, load_script

#: Where, below the run's folder, the rows of each mini-batch are.
RESULTS = "results"
#: Characters of an error's text that are told of it.
_LONGEST = 500


class _Model:
    """An MLflow model, called as a script is."""

    def __init__(self, folder: Path) -> None:
        self._scoring = MlflowScoring.load(folder)

    def run(self, items: Any, batch: MiniBatch) -> object:  # noqa: ARG002 - as a script's
        return self._scoring.run(items)

    def shutdown(self) -> None:
        return None


class Worker:
    """A worker.

    Args:
        request: What is asked of the run.
        folder: The run's folder.
        out: Where it tells what it has done.
    """

    def __init__(self, request: Request, folder: Path, out: int) -> None:
        self._request = request
        self._folder = folder
        self._out = out

    def work(self, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
        """Do what is ordered until it is to stop."""
        try:
            script = self._begin()
        except BaseException as error:  # noqa: BLE001 - a script may raise anything
            self._tell_failure("init_failed", error)
            return
        send(self._out, {"event": "ready"})
        for order in iter(orders.get, {"stop": True}):
            said = order["batch"]
            batch = MiniBatch(**{**said, "files": tuple(said["files"])})
            try:
                self._process(script, batch)
            except BaseException as error:  # noqa: BLE001 - as above
                self._tell_failure("raised", error, batch=batch.index)
        try:
            script.shutdown()
        except BaseException as error:  # noqa: BLE001 - as above
            self._tell_failure("shutdown_failed", error)

    def _begin(self) -> Script | _Model:
        if self._request.entry_script is None:
            assert self._request.model is not None
            return _Model(Path(self._request.model))
        script = load_script(Path(self._request.entry_script))
        script.init()
        return script

    def _process(self, script: Script | _Model, batch: MiniBatch) -> None:
        items = self._items(batch)
        send(self._out, {"event": "loaded", "batch": batch.index})
        began = time.monotonic()
        result = script.run(items, batch)
        seconds = time.monotonic() - began
        returned = read_returned(result, separator=self._request.separator)
        place = ""
        if self._request.append_to is not None and returned.text:
            place = f"{RESULTS}/{batch.index:06d}.txt"
            write_whole(self._folder / place, [returned.text.encode()])
        message = {
            "event": "returned",
            "batch": batch.index,
            "count": returned.count,
            "seconds": round(seconds, 3),
            "result": place,
            "header": returned.header,
        }
        send(self._out, message)

    def _items(self, batch: MiniBatch) -> Any:
        if not batch.table:
            return list(batch.files)
        from parallelkit.tables import read_rows  # pandas, which only tables need

        return read_rows(self._folder / batch.table)

    def _tell_failure(self, event: str, error: BaseException, **fields: Any) -> None:
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        print(text, file=sys.stderr, flush=True)
        # One line: the whole is in the traceback.
        what = f"{type(error).__name__}: {' '.join(str(error).split())[:_LONGEST]}"
        send(self._out, {"event": event, "message": what, "traceback": text, **fields})


def _listen(reader: Reader, orders: queue.SimpleQueue[dict[str, Any]]) -> None:
    """Pass orders on; end the process group when nobody gives any more."""
    for messages in iter(reader.read, None):
        for message in messages:
            orders.put(message)
    with contextlib.suppress(OSError):  # it may lead no group
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


def main() -> None:
    """Work until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m parallelkit.worker")
    parser.add_argument("--request", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--answers", type=int, required=True)
    options = parser.parse_args()
    request = read_request(options.request)
    for descriptor in (options.orders, options.answers):
        os.set_inheritable(descriptor, False)
    logging.basicConfig(level=request.logging_level.upper(), stream=sys.stderr)
    # As in Azure, the script reads its arguments from there.
    sys.argv = [request.entry_script or "", *request.arguments]
    orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    reader = Reader(options.orders)
    threading.Thread(target=_listen, args=(reader, orders), daemon=True).start()
    Worker(request, options.out.absolute(), options.answers).work(orders)


if __name__ == "__main__":
    main()
