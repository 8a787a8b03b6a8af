"""How long predictions take: single calls in rounds, and throughput over batch size and threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from profile_process import Block, Caller
from profile_statistics import Estimate, Steadiness, quantile, share, steadiness

from stepkit.metrics import Floats

Clock = Callable[[], float]

#: Rounds that a budget is shared out over, and calls that are made before them.
ROUNDS, WARM_UP = 40, 3
#: Calls of a model at most: more say no more.
MOST_CALLS = 20_000
#: Passes over all batch sizes at most, and what a size may take of a pass in seconds.
PASSES, PASS_SECONDS = 30, 0.02
#: A call is slow that takes so many times the median, and so many seconds more than it.
SLOW_TIMES, SLOW_SECONDS = 5.0, 0.005
#: The share of slow calls that is borne.
BORNE_SHARE = 0.001


@dataclass(frozen=True)
class Latency:
    """What calls with a number of rows took.

    Attributes:
        rows: Of each call.
        rounds: The blocks of each round, in the order of time.
    """

    rows: int
    rounds: Sequence[Sequence[Block]]

    @property
    def seconds(self) -> Floats:
        """Of every call, in the order of time."""
        return _joined([block.seconds for blocks in self.rounds for block in blocks])

    @property
    def own(self) -> Floats:
        """Of every call, without what it waited for a core."""
        return _joined([block.own for blocks in self.rounds for block in blocks])

    @property
    def by_round(self) -> list[Floats]:
        """The calls of each round."""
        return [_joined([block.seconds for block in blocks]) for blocks in self.rounds]

    @property
    def waiting(self) -> float:
        """The share of the time that calls waited for a core: how busy the machine was."""
        total = float(self.seconds.sum())
        return 1 - float(self.own.sum()) / total if total else 0.0

    def quantile(self, q: float) -> Estimate | None:
        """Return a quantile in seconds; None where there are too few calls."""
        return quantile(self.seconds, q)

    def cpu_per_1000(self) -> float:
        """Return the CPU seconds of 1,000 rows."""
        blocks = [block for blocks in self.rounds for block in blocks]
        rows = sum(len(block.seconds) for block in blocks) * self.rows
        return sum(block.cpu for block in blocks) / rows * 1000

    def steadiness(self) -> Steadiness | None:
        """Return how alike repeats are; None where there are too few calls."""
        return steadiness(self.seconds)


def _joined(parts: Sequence[Floats]) -> Floats:
    joined: Floats = np.concatenate(parts) if parts else np.empty(0)
    return joined


def in_rounds(
    callers: Sequence[Caller],
    rows: int,
    seconds: float,
    *,
    enough: int = 0,
    clock: Clock = time.perf_counter,
) -> list[Latency]:
    """Time the callers by turns, A B B A A B B A, so that all meet the same machine.

    Args:
        callers: What is timed.
        rows: Of each call.
        seconds: For all of them together; one round is made in any case.
        enough: Calls of each for which the time is exceeded, to twice as much at most.
        clock: Tells seconds.
    """
    start = clock()
    slowest = 0.0
    for caller in callers:
        warm = caller.call(rows, WARM_UP, seconds / 10 / len(callers))
        slowest += float(np.median(warm.seconds))
    left = max(seconds - (clock() - start), 0.0)
    # Of a round each caller has two blocks; a block is as long for each in calls, not in time.
    calls = max(1, round(left / ROUNDS / 2 / max(slowest, 1e-6)))
    calls = min(calls, MOST_CALLS // (2 * ROUNDS))
    rounds: list[list[list[Block]]] = [[] for _ in callers]
    while not rounds[0] or _goes_on(clock() - start, seconds, len(rounds[0]), calls, enough):
        blocks: list[list[Block]] = [[] for _ in callers]
        order = list(range(len(callers)))
        for number in order + order[::-1]:
            blocks[number].append(callers[number].call(rows, calls, max(left, 0.1)))
        for number, pair in enumerate(blocks):
            rounds[number].append(pair)
    return [Latency(rows, each) for each in rounds]


def _goes_on(taken: float, seconds: float, rounds: int, calls: int, enough: int) -> bool:
    if rounds * 2 * calls < enough:
        return taken < 2 * seconds
    return taken < seconds and rounds < 2 * ROUNDS


@dataclass(frozen=True)
class SlowCalls:
    """Whether some calls are far slower than the others.

    Attributes:
        share: Of the calls that are slow.
        tail_ratio: p99 divided by p50, with bounds from theirs; None where calls are too few.
        are_there: Whether the model has them, beyond doubt.
        why: The rule that says so, in words.
    """

    share: Estimate
    tail_ratio: Estimate | None
    are_there: bool
    why: str


def slow_calls(own: Floats) -> SlowCalls:
    """Look for slow calls.

    A call is slow that takes more than five times the median and 5 ms more than it. They are there
    where their share is above one in 1,000 beyond doubt (the lower bound is), or where p99 is above
    five times p50 beyond doubt and by 5 ms.

    Args:
        own: What calls took without waiting for a core, at least one.
    """
    median = float(np.median(own))
    count = int((own > max(SLOW_TIMES * median, median + SLOW_SECONDS)).sum())
    found = share(count, len(own))
    middle, high = quantile(own, 0.5), quantile(own, 0.99)
    tail = None
    if middle and high and middle.low and middle.high and high.low and high.high:
        tail = Estimate(
            high.value / middle.value,
            len(own),
            high.low / middle.high,
            high.high / middle.low,
        )
    often = found.low is not None and found.low > BORNE_SHARE
    far = bool(
        tail and tail.low and high and tail.low > SLOW_TIMES and high.value - median > SLOW_SECONDS
    )
    if often:
        why = f"{count} of {len(own):,} calls took more than {SLOW_TIMES:g} times the median"
    elif far and tail:
        why = f"p99 is {tail.value:.1f} times p50"
    else:
        why = ""
    return SlowCalls(found, tail, often or far, why)


@dataclass(frozen=True)
class Throughput:
    """Rows a second with one batch size and number of threads.

    Attributes:
        threads: What the process may use.
        rows: Of each call.
        rate: Rows a second by the median call; bounds where there are six calls.
    """

    threads: int
    rows: int
    rate: Estimate


def throughput(
    callers: Mapping[int, Caller],
    sizes: Sequence[int],
    seconds: float,
    *,
    clock: Clock = time.perf_counter,
) -> list[Throughput]:
    """Time batches of every size with every number of threads, in passes over all of them.

    A size is left out that would take more than twice the time, where it takes as many times the
    last one as that took of the one before.

    Args:
        callers: By their threads.
        sizes: Rows of a batch, rising.
        seconds: For all; the first two sizes are called once in any case.
        clock: Tells seconds.
    """
    start = clock()
    for caller in callers.values():
        caller.call(sizes[0], 1, 0.0)
    times: dict[tuple[int, int], list[Floats]] = {}
    taken: list[float] = []
    for size in sizes:
        growth = max(1.0, taken[-1] / taken[-2]) if len(taken) > 1 else 1.0
        if len(taken) > 1 and clock() - start + taken[-1] * growth > 2 * seconds:
            break
        began = clock()
        for threads, caller in callers.items():
            times[threads, size] = [caller.call(size, 1, 0.0).seconds]
        taken.append(clock() - began)
    for _ in range(PASSES):
        for (threads, size), found in times.items():
            if clock() - start < seconds:
                found.append(callers[threads].call(size, MOST_CALLS, PASS_SECONDS).seconds)
    return [
        Throughput(threads, size, _rate(size, _joined(found)))
        for (threads, size), found in times.items()
    ]


def _rate(size: int, seconds: Floats) -> Estimate:
    middle = quantile(seconds, 0.5)
    if middle is None or not middle.low or not middle.high:
        return Estimate(size / float(np.median(seconds)), len(seconds))
    return Estimate(size / middle.value, len(seconds), size / middle.high, size / middle.low)
