"""Measures one model, and its champion beside it.

The time that is given is for the measurements; the starts of the processes come on top, so that a
slow machine does not leave less to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from profile_load import Load, arrivals, offer
from profile_memory import Soak, judge, soak
from profile_process import Worker, started
from profile_results import Options, Profile, Rival, Serving, Timing
from profile_saturation import climb, size
from profile_server import requests_of, served
from profile_statistics import needed_for
from profile_timing import in_rounds, slow_calls, throughput

from stepkit.model import typed_features
from stepkit.program import StepError
from stepkit.saved import features_of, read_description
from stepkit.table import read_table

#: Rows of a batch whose throughput is measured, as far as there are as many.
SIZES = (1, 10, 100, 1000, 10_000)
#: How the time is shared out over the measurements.
SHARES = {"row": 0.28, "batch": 0.14, "throughput": 0.12, "memory": 0.18, "serving": 0.28}
#: Requests one after the other, by which a server's time without load is told.
IDLE_REQUESTS = 20
#: Seconds that a single request is waited for.
PATIENCE = 30.0


@dataclass(frozen=True)
class Champion:
    """The model that is measured beside.

    Attributes:
        version: In the registry.
        folder: Where it is.
    """

    version: str
    folder: Path


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        folder: The model's.
        champion: What it is compared with; None for nothing.
        rows: The file of the table that is predicted.
        features: The model's part of it.
    """

    folder: Path
    champion: Champion | None
    rows: Path
    features: pd.DataFrame


def measure(folder: Path, champion: Champion | None, rows: Path, options: Options) -> Profile:
    """Measure a model, each kind of measurement in a process of its own.

    Args:
        folder: The model's.
        champion: What it is compared with.
        rows: The file of the table that is predicted.
        options: How.

    Raises:
        StepError: The model cannot be loaded, or cannot predict these rows.
    """
    features = typed_features(read_table(rows), features_of(read_description(folder)))
    subject = Subject(folder, champion, rows, features)
    timing = _timing(subject, options)
    start, memory = _memory(subject, options)
    serving, not_served = None, ""
    if options.serve:
        try:
            serving = _serving(subject, options)
        except StepError as error:
            # That a model cannot be served is a finding about it.
            not_served = error.message
    return Profile(
        options=options,
        rows=len(features),
        size_bytes=folder_bytes(folder),
        starts=[*timing.starts, start],
        timing=timing,
        slow=slow_calls(timing.row.own),
        soak=memory,
        growth=judge(memory),
        serving=serving,
        not_served=not_served,
    )


def _timing(subject: Subject, options: Options) -> Timing:
    first, *more = options.threads
    with ExitStack() as stack:
        worker = stack.enter_context(started(subject.folder, subject.rows, first))
        opening = worker.call(1, 1, 0.0)
        _say(f"loaded in {worker.start_seconds:.1f} s")
        callers = [worker]
        if subject.champion:
            callers += _rivals(stack, subject.champion, subject.rows, first)
        # What the champion takes comes on top, so that there are as many calls of the model.
        seconds = options.seconds * len(callers)
        row = in_rounds(callers, 1, seconds * SHARES["row"], enough=needed_for(0.99))
        _say(f"{len(row[0].seconds):,} single rows")
        batch_rows = min(options.batch_rows, len(subject.features))
        batch = in_rounds(callers, batch_rows, options.seconds * SHARES["batch"] * len(callers))
        _say(f"{len(batch[0].seconds):,} batches of {batch_rows:,} rows")
        load_seconds = worker.reload()
        others = [started(subject.folder, subject.rows, threads) for threads in more]
        workers = [worker, *(stack.enter_context(each) for each in others)]
        rates = throughput(
            {each.threads: each for each in workers},
            [each for each in SIZES if each <= len(subject.features)],
            options.seconds * SHARES["throughput"],
        )
        _say(f"{max(each.rate.value for each in rates):,.0f} rows/s at most")
    rival = None
    if subject.champion and len(callers) > 1:
        rival = Rival(
            subject.champion.version,
            row[1],
            batch[1],
            callers[1].start_seconds,
            folder_bytes(subject.champion.folder),
        )
    return Timing(
        starts=[each.start_seconds for each in workers],
        load_seconds=load_seconds,
        first_seconds=float(opening.seconds[0]),
        row=row[0],
        batch=batch[0],
        throughput=rates,
        rival=rival,
    )


def _rivals(stack: ExitStack, champion: Champion, rows: Path, threads: int) -> list[Worker]:
    """Start the champion's process; return nothing, with a note, where it cannot predict."""
    try:
        worker = stack.enter_context(started(champion.folder, rows, threads))
        worker.call(1, 1, 0.0)
    except StepError as error:
        print(f"note: the champion is left out: {error.message}")
        return []
    return [worker]


def _memory(subject: Subject, options: Options) -> tuple[float, Soak]:
    with started(subject.folder, subject.rows, options.threads[0]) as worker:
        batch_rows = min(options.batch_rows, len(subject.features))
        found = soak(worker, batch_rows, options.seconds * SHARES["memory"])
        _say(f"{found.calls[-1]:,.0f} single rows for the memory")
        return worker.start_seconds, found


def _serving(subject: Subject, options: Options) -> Serving:
    with served(subject.folder, options.threads[0]) as server:
        _say(f"served after {server.start_seconds:.1f} s")
        requests = requests_of(subject.features)
        answered = loads = 0

        def offered(rate: float, seconds: float) -> Load:
            nonlocal answered, loads
            loads += 1
            due = arrivals(rate, seconds, options.seed + loads)
            load = offer(server.port, requests, due, patience=seconds + 2.0)
            answered += len(load.latency)
            if np.isnan(load.answered).any():
                # What it was asked it still does: the next load waits until it is done.
                offer(server.port, requests, np.zeros(1), PATIENCE)
            _say(f"{rate:,.0f} requests/s for {seconds:.1f} s")
            return load

        idle = _idle_seconds(server.port, requests)
        before = server.cpu_seconds()
        found = climb(
            offered, idle, options.seconds * SHARES["serving"], wanted=options.wanted_rate
        )
        wanted = options.wanted_rate
        return Serving(
            start_seconds=server.start_seconds,
            idle=idle,
            saturation=found,
            memory_mb=server.memory_mb(),
            cpu_per_1000=(server.cpu_seconds() - before) / max(1, answered) * 1000,
            sizing=size(found, wanted, options.wanted_p99) if wanted else None,
        )


def _idle_seconds(port: int, requests: Sequence[bytes]) -> float:
    """Return what a request takes while nothing else is done, by some that are far apart.

    Raises:
        StepError: The server refuses them.
    """
    first = offer(port, requests, np.zeros(1), PATIENCE)
    if first.errors:
        status = int(first.status[0])
        raise StepError(
            f"the scoring server answers a row with {status}"
            if status
            else f"the scoring server did not answer a row within {PATIENCE:.0f} s"
        )
    apart = 3 * float(first.latency[0])
    found = offer(
        port, requests, np.arange(IDLE_REQUESTS, dtype=np.float64) * min(apart, 0.1), PATIENCE
    )
    return float(np.median(found.latency))


def folder_bytes(folder: Path) -> int:
    """Return the size of a folder's files."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _say(text: str) -> None:
    print(f"measured: {text}", flush=True)
