"""A process with one model and nothing else, which predicts when it is told to.

It reads requests from standard input and answers them on standard output, a line of JSON each.
Whatever the model prints goes to standard error. The first answer comes once the model is loaded.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, TextIO


def main() -> None:
    """Load, and answer requests until there are no more."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    args = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # the model may print
    import mlflow.pyfunc  # its import is part of what is measured, and prints to no answer

    model = mlflow.pyfunc.load_model(str(args.model), suppress_warnings=True)
    say(answers, {})
    work(model, args, answers)


def work(model: Any, args: argparse.Namespace, answers: TextIO) -> None:
    """Answer each request of standard input."""
    rows = read_rows(args)
    # As the scoring server does: what was loaded stays, and no collection need look at it again.
    gc.collect()
    gc.freeze()
    place = 0
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "reload":
            say(answers, {"seconds": reload_seconds(args.model)})
            continue
        found = timed(model, rows, place, request)
        place += len(found["seconds"]) * request["rows"]
        if request["collect"]:
            gc.collect()
        say(answers, {**found, **memory()})


def say(answers: TextIO, document: dict[str, Any]) -> None:
    """Answer one request."""
    answers.write(json.dumps(document) + "\n")
    answers.flush()


def read_rows(args: argparse.Namespace) -> Any:
    """Return the rows as the model's signature wants them."""
    from stepkit.model import typed_features  # not before the model is loaded, which is measured
    from stepkit.saved import features_of, read_description
    from stepkit.table import read_table

    return typed_features(read_table(args.rows), features_of(read_description(args.model)))


def reload_seconds(folder: Path) -> float:
    """Return how long another load takes, which has nothing left to import."""
    import mlflow.pyfunc  # loaded by now

    start = time.perf_counter()
    mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
    return time.perf_counter() - start


def timed(model: Any, rows: Any, place: int, request: dict[str, Any]) -> dict[str, Any]:
    """Predict some times, each time other rows, and return what each call took.

    Args:
        model: MLflow's pyfunc model.
        rows: All rows, shape (n, features).
        place: How many rows were predicted before.
        request: `rows` of a call, `calls` at most, `seconds` at most (one call in any case).
    """
    size = request["rows"]
    turns = max(1, len(rows) // size)
    seconds: list[float] = []
    waited: list[float] = []
    cpu = time.process_time()
    deadline = time.perf_counter() + request["seconds"]
    while len(seconds) < request["calls"]:
        start = (place // size + len(seconds)) % turns * size
        part = rows.iloc[start : start + size]
        before = waited_for_core()
        began = time.perf_counter()
        model.predict(part)
        ended = time.perf_counter()
        seconds.append(ended - began)
        waited.append(waited_for_core() - before)
        if ended >= deadline:
            break
    return {"seconds": seconds, "waited": waited, "cpu": time.process_time() - cpu}


def waited_for_core() -> float:
    """Return the seconds that this thread could have run but had no core, as Linux counts them.

    The second number of `schedstat` (kernel documentation, "Scheduler Statistics"), in nanoseconds;
    0 on systems that do not tell.
    """
    try:
        with open("/proc/thread-self/schedstat", encoding="ascii") as file:  # noqa: PTH123 - at every call
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def memory() -> dict[str, float]:
    """Return the process's memory and its highest so far, in MB of 10^6 bytes."""
    import psutil  # only needed after a measurement

    found = psutil.Process().memory_info()
    return {"rss": found.rss / 1e6, "peak": (peak_bytes() or found.rss) / 1e6}


def peak_bytes() -> int:
    """Return the highest memory of this process; 0 where the system does not tell.

    Linux's own counter of the program: that of `getrusage` begins with the memory of the process
    that started this one.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    import psutil  # as above

    return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))


if __name__ == "__main__":
    main()
