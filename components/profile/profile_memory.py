"""Memory while a model predicts on and on: how much, and whether it grows without end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from profile_process import Caller
from profile_statistics import Estimate, slope

from stepkit.metrics import Floats

#: Looks at the memory that a soak is to have, and those that it must have.
SAMPLES, FEWEST_SAMPLES = 60, 21
#: Calls after the warm-up that there must be.
FEWEST_CALLS = 100
#: The first part of a soak, in which pools and caches fill.
WARM_UP = 1 / 3
#: What memory must grow by to be a leak: MB, and a share of the steady memory.
GROWTH_MB, GROWTH_SHARE = 2.0, 0.01
#: How much of its pace growth must keep in the second half.
PACE = 2 / 3


@dataclass(frozen=True)
class Soak:
    """What was seen of the memory.

    Attributes:
        calls: How many calls had been made at each look.
        mb: Memory at each look, in MB.
        peak: The highest memory of the process, in MB, from its start on.
        rows: Of each call.
    """

    calls: Floats
    mb: Floats
    peak: float
    rows: int = 1


def soak(
    caller: Caller,
    batch_rows: int,
    seconds: float,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Soak:
    """Predict row after row for some time, and look at the memory now and then.

    A batch comes first, so that the peak has seen one. Before each look unreachable objects are
    freed: what only waits for the garbage collector is no leak.

    Args:
        caller: What predicts.
        batch_rows: Rows of the batch.
        seconds: How long.
        clock: Tells seconds.
    """
    start = clock()
    caller.call(batch_rows, 1, 0.0)
    looks: list[tuple[float, float, float]] = []
    total = 0
    first = caller.call(1, 3, seconds / 10)
    calls = max(1, round(seconds / SAMPLES / max(float(np.median(first.seconds)), 1e-6)))
    while not looks or clock() - start < seconds:
        block = caller.call(1, calls, max(seconds / SAMPLES, 0.01), collect=True)
        total += len(block.seconds)
        looks.append((total, block.rss, block.peak))
    table = np.array(looks, dtype=np.float64)
    return Soak(table[:, 0], table[:, 1], float(table[-1, 2]))


@dataclass(frozen=True)
class Growth:
    """What a soak says of the memory.

    Attributes:
        verdict: `leak`, `none`, or `insufficient` where there were too few looks or calls.
        steady: The median after the warm-up, in MB.
        per_1000: MB by which 1,000 calls let it grow after the warm-up; None where insufficient.
        least: MB a 1,000 calls that would have been seen at least; None where insufficient.
        calls: How many calls the slope stands on.
    """

    verdict: Literal["leak", "none", "insufficient"]
    steady: float
    per_1000: Estimate | None
    least: float | None
    calls: int


def judge(found: Soak) -> Growth:
    """Tell a leak from warm-up and noise.

    After the first third, a leak is growth that (1) is above 0 beyond doubt, by the slope of Theil
    and Sen, (2) adds up to 2 MB and to 1 % of the memory, and (3) goes on: the slope of the second
    half is at least two thirds of that of the first half, where a warm-up would slow down.
    """
    after = found.calls > found.calls[-1] * WARM_UP
    calls, mb = found.calls[after], found.mb[after]
    steady = float(np.median(mb))
    span = float(calls[-1] - calls[0])
    if len(found.calls) < FEWEST_SAMPLES or span < FEWEST_CALLS:
        return Growth("insufficient", steady, None, None, int(found.calls[-1]))
    per_call = slope(calls, mb)
    needed = max(GROWTH_MB, GROWTH_SHARE * steady)
    half = len(calls) // 2
    first, second = slope(calls[:half], mb[:half]), slope(calls[half:], mb[half:])
    is_leak = (
        per_call.low is not None
        and per_call.low > 0
        and per_call.value * span >= needed
        and second.value > 0
        and second.value >= PACE * first.value
    )
    bounds = [None if each is None else each * 1000 for each in (per_call.low, per_call.high)]
    return Growth(
        "leak" if is_leak else "none",
        steady,
        Estimate(per_call.value * 1000, len(calls), *bounds),
        needed / span * 1000,
        int(span),
    )
