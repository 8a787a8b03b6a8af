"""What is measured of a model, and how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from profile_memory import Growth, Soak
from profile_saturation import Saturation, Sizing
from profile_timing import Latency, SlowCalls, Throughput


@dataclass(frozen=True)
class Options:
    """How to measure.

    Attributes:
        seconds: For all measurements; starts of processes and the champion's calls come on top.
        threads: Of a prediction; the first are those of latency, memory, and serving.
        batch_rows: Rows of the batch whose latency is measured.
        serve: Whether the model is also measured behind the scoring server.
        wanted_rate: Requests a second to be answered; 0 where none is said.
        wanted_p99: Seconds that 99 of 100 requests may take; 0 for any.
        seed: Of the arrivals.
    """

    seconds: float
    threads: Sequence[int]
    batch_rows: int
    serve: bool
    wanted_rate: float = 0.0
    wanted_p99: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Rival:
    """What was measured of the champion.

    Attributes:
        version: In the registry.
        row: Single rows, in the same rounds as the model's.
        batch: Batches, the same.
        start_seconds: From a process's start until it was loaded.
        size_bytes: Of its folder.
    """

    version: str
    row: Latency
    batch: Latency
    start_seconds: float
    size_bytes: int


@dataclass(frozen=True)
class Timing:
    """How long a model's predictions took.

    Attributes:
        starts: Seconds from the start of each process until the model was loaded.
        load_seconds: Of the load alone, with nothing left to import.
        first_seconds: Of the first prediction of a process.
        row: Single rows.
        batch: Batches.
        throughput: By threads and batch size.
        rival: The champion; None where there is none.
    """

    starts: Sequence[float]
    load_seconds: float
    first_seconds: float
    row: Latency
    batch: Latency
    throughput: Sequence[Throughput]
    rival: Rival | None


@dataclass(frozen=True)
class Serving:
    """What was measured behind the scoring server.

    Attributes:
        start_seconds: From the server's start until it answered.
        idle: Seconds of a request while nothing else is done.
        saturation: What it did under load.
        memory_mb: What it used at the end.
        cpu_per_1000: CPU seconds of 1,000 requests, over all loads.
        sizing: The instances that the wanted rate takes; None where none is wanted.
    """

    start_seconds: float
    idle: float
    saturation: Saturation
    memory_mb: float
    cpu_per_1000: float
    sizing: Sizing | None


@dataclass(frozen=True)
class Profile:
    """All that was measured of a model.

    Attributes:
        options: How.
        rows: How many rows were predicted by turns.
        size_bytes: Of its folder.
        starts: Seconds from a process's start until the model was loaded, of each process.
        timing: How long predictions took.
        slow: Whether some single rows are far slower than the others.
        soak: The memory over time.
        growth: What it says.
        serving: Behind the scoring server; None where it was not measured.
        not_served: Why not; empty where it was, or was not asked for.
    """

    options: Options
    rows: int
    size_bytes: int
    starts: Sequence[float]
    timing: Timing
    slow: SlowCalls
    soak: Soak
    growth: Growth
    serving: Serving | None
    not_served: str
