"""How many requests a second a server keeps up with, and how long it takes then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from profile_load import Load
from profile_statistics import Estimate, quantile, slope

Clock = Callable[[], float]

#: A server keeps up with a rate that it answers this share of, with at most so many errors.
KEPT, MOST_ERRORS = 0.95, 0.01
#: Nor is it a queue where the last requests take less than so many times what one does alone.
DELAY = 2.0
#: A load lasts so many times what a request alone takes, at least: else what a queue adds in it is
#: lost in the spread. So much of its beginning is left out, and so many points say its slope.
LENGTHS, SETTLING, POINTS = 20.0, 0.2, 400
#: Requests that a rate is to have, and must have.
REQUESTS, FEWEST_REQUESTS = 40, 10
#: Times a rate is raised or lowered by until one is kept up with and one is not; how close the two
#: are brought; and the rates that are tried at most.
FACTOR, CLOSE, MOST_LEVELS = 3.0, 1.2, 16
#: Shares of the time: of one rate on the way, and of the long load at the end.
EACH_SHARE, LONG_SHARE = 0.05, 0.3
#: Long loads at most: another one at a lower rate, where the first was not kept up with.
LONG_LOADS = 2
#: How much of the saturation an instance is given to do: the usual reserve for peaks, since the
#: time in a queue grows as u / (1 - u) with the utilisation u.
UTILISATION = 0.7
#: Where 99 of 100 requests cannot be made in this time after they are due, the load is not right.
MOST_LATE = 0.1


class Offer(Protocol):
    """What offers a load: requests at a rate for some seconds."""

    def __call__(self, rate: float, seconds: float) -> Load:
        """Offer it, and wait for the answers."""


@dataclass(frozen=True)
class Level:
    """What a server did at one rate.

    Attributes:
        rate: Requests a second that arrived.
        achieved: Requests a second that were answered.
        requests: How many there were.
        errors: How many were not answered, or not with 200.
        p50: Of the latency in seconds, from when requests were due; None where insufficient.
        p90: The same.
        p99: The same.
        median: Of the latency, however few; None without an answer.
        late: Seconds by which the load itself came late, 99 of 100 requests.
        is_kept_up: Whether the server kept up.
    """

    rate: float
    achieved: float
    requests: int
    errors: int
    p50: Estimate | None
    p90: Estimate | None
    p99: Estimate | None
    median: float | None
    late: float
    is_kept_up: bool

    @property
    def is_right(self) -> bool:
        """Whether the load came as it should, with requests enough to tell."""
        return self.late <= MOST_LATE and self.requests >= FEWEST_REQUESTS


def level_of(load: Load, seconds: float, idle: float) -> Level:
    """Return what a load says.

    Where more requests come than are answered, a queue grows, and each request waits longer than
    the one before: at rate r and capacity c the latency grows by s = r / c - 1 seconds a second. So
    from the slope s of the latencies (that of Theil and Sen) follows the rate that is answered,
    r / (1 + s). The server keeps up where that is at least 95 % of r, or the last requests take
    less than twice what one alone does; and at most 1 % of the requests fail.

    Args:
        load: The load.
        seconds: How long requests came.
        idle: Seconds that a request takes while nothing else is done.
    """
    latency, requests = load.latency, len(load.due)
    growth = max(0.0, _growth(load, seconds))
    rate = requests / seconds
    last = float(np.median(latency[-max(3, requests // 10) :])) if len(latency) else math.inf
    is_queue = 1 / (1 + growth) < KEPT and last > DELAY * idle
    achieved = len(latency) / seconds
    if is_queue:
        achieved /= 1 + growth
    return Level(
        rate=rate,
        achieved=achieved,
        requests=requests,
        errors=load.errors,
        p50=quantile(latency, 0.5),
        p90=quantile(latency, 0.9),
        p99=quantile(latency, 0.99),
        median=float(np.median(latency)) if len(latency) else None,
        late=load.late,
        is_kept_up=not is_queue and load.errors <= MOST_ERRORS * requests,
    )


def _growth(load: Load, seconds: float) -> float:
    """Return by how many seconds a second the latency grew, once the load had settled."""
    chosen = np.flatnonzero((load.status == 200) & (load.due > SETTLING * seconds))
    if len(chosen) < 3:
        return 0.0
    chosen = chosen[:: max(1, len(chosen) // POINTS)]
    return slope(load.due[chosen], load.answered[chosen] - load.due[chosen]).value


@dataclass(frozen=True)
class Saturation:
    """Where a server no longer keeps up.

    Attributes:
        levels: Every rate that was tried, rising.
        held: The highest rate that was kept up with below all that were not; None where not even
            the first was.
        lost: The lowest rate that was not kept up with; None where all were.
        steady: The longer load at 70 % of `held`, or at the rate that was asked for.
    """

    levels: Sequence[Level]
    held: Level | None
    lost: Level | None
    steady: Level | None


def climb(
    offer: Offer, idle: float, seconds: float, *, wanted: float = 0.0, clock: Clock = time.monotonic
) -> Saturation:
    """Raise the rate until the server no longer keeps up, and close in on where that was.

    The first rate is what one request after the other would come to: servers that predict what
    waits together do far more. It is trebled until one is not kept up with, or cut to a third until
    one is; then it is the geometric mean of the two, until they are 20 % apart or time is out. A
    rate counts as not kept up with where it was not twice, or in a longer load at the end.

    Args:
        offer: Offers a load.
        idle: Seconds that a request takes while nothing else is done.
        seconds: For all; until a rate is not kept up with, twice as much.
        wanted: A rate to load longer than the others, where it is kept up with; 0 for 70 % of the
            saturation.
        clock: Tells seconds.
    """
    start = clock()

    def tried(rate: float, at_least: float) -> Level:
        # Of a slow model longer, as far as the time allows.
        duration = max(at_least, min(max(LENGTHS * idle, REQUESTS / rate), seconds / 3))
        return level_of(offer(rate, duration), duration, idle)

    def judged(rate: float) -> Level:
        found = tried(rate, seconds * EACH_SHARE)
        # A stall of the machine is no saturation: that is there the second time, too.
        return found if found.is_kept_up else tried(rate, seconds * EACH_SHARE)

    levels: list[Level] = []
    rate: float | None = 1 / max(idle, 1e-5)
    while rate and len(levels) < MOST_LEVELS:
        levels.append(judged(rate))
        held, lost = bracket(levels)
        time_out = seconds * (1 - LONG_SHARE) * (1 if held and lost else 2)
        is_late = clock() - start > time_out
        rate = None if is_late or not levels[-1].is_right else next_rate(held, lost)
    steady = None
    for _ in range(LONG_LOADS):
        held, lost = bracket(levels)
        if held is None or (steady and steady.is_kept_up):
            break
        rate = wanted if 0 < wanted <= held.rate else UTILISATION * held.rate
        steady = tried(rate, max(seconds - (clock() - start), LONG_SHARE * seconds))
        if not steady.is_kept_up:
            levels.append(steady)
    return Saturation(sorted(levels, key=lambda level: level.rate), *bracket(levels), steady)


def next_rate(held: Level | None, lost: Level | None) -> float | None:
    """Return the rate to try next; None where the saturation point is known well enough."""
    if held is None:
        return lost.rate / FACTOR if lost else None
    if lost is None:
        return held.rate * FACTOR
    return math.sqrt(held.rate * lost.rate) if lost.rate > CLOSE * held.rate else None


def bracket(levels: Sequence[Level]) -> tuple[Level | None, Level | None]:
    """Return the highest rate that was kept up with, and the lowest that was not.

    Rates with too few requests, or that the load could not be made at, say neither.
    """
    lost = min(
        (level for level in levels if level.is_right and not level.is_kept_up),
        key=lambda level: level.rate,
        default=None,
    )
    held = max(
        (
            level
            for level in levels
            if level.is_right and level.is_kept_up and (not lost or level.rate < lost.rate)
        ),
        key=lambda level: level.rate,
        default=None,
    )
    return held, lost


@dataclass(frozen=True)
class Sizing:
    """How many instances a rate takes.

    Attributes:
        wanted_rate: Requests a second that are to be answered.
        per_instance: Those that one instance is given; None where none that was measured will do.
        instances: How many it takes; None where that cannot be told.
        why: What bounds it, in words.
    """

    wanted_rate: float
    per_instance: float | None
    instances: int | None
    why: str


def size(found: Saturation, wanted_rate: float, wanted_p99: float) -> Sizing:
    """Return the instances that a rate takes: the rate divided by what one is given, rounded up.

    An instance is given 70 % of the highest rate that it kept up with, and where a p99 is wanted at
    most the highest rate at which the upper bound of p99 was within it.

    Args:
        found: What one server did.
        wanted_rate: Requests a second.
        wanted_p99: Seconds; 0 for any.
    """
    if found.held is None:
        return Sizing(wanted_rate, None, None, "no rate that was tried was surely kept up with")
    given = UTILISATION * found.held.achieved
    why = f"{UTILISATION:.0%} of the {found.held.achieved:,.0f} requests/s that were kept up with"
    if found.lost is None:
        why += ", the most that was tried, so fewer instances may do"
    if wanted_p99:
        tried = [*found.levels, *([found.steady] if found.steady else [])]
        within = [
            level.rate
            for level in tried
            if level.is_kept_up and level.p99 and level.p99.high and level.p99.high <= wanted_p99
        ]
        if not within:
            slowest = f"{wanted_p99 * 1000:g} ms"
            return Sizing(
                wanted_rate, None, None, f"no rate that was measured had a p99 surely in {slowest}"
            )
        if max(within) < given:
            given = max(within)
            why = f"the highest rate with a p99 surely in {wanted_p99 * 1000:g} ms"
    return Sizing(wanted_rate, given, math.ceil(wanted_rate / given), why)
