"""The clock of a search: what time there is, and what the end of it needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

#: Seconds for choosing, saving, and writing what is delivered.
CLOSING = 5.0
#: Share of the whole that explaining the model may take.
EXPLAINING = 0.04
#: Share of the whole that fitting the delivered model may take at most.
FITTING = 0.25
#: Share of the whole that the first trial of a learner may take: nobody knows its cost yet.
FIRST_TRIAL = 0.25


@dataclass(frozen=True)
class Budget:
    """Seconds for the whole search, or none.

    Attributes:
        seconds: In all, or None for no limit.
        start: The clock's reading when the process began.
        clock: Seconds that only grow.
    """

    seconds: float | None
    start: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of_this_process(cls, seconds: float | None) -> Budget:
        """Return a budget that began with this process: importing libraries counts."""
        age = max(0.0, time.time() - psutil.Process().create_time())
        return cls(seconds, time.monotonic() - age)

    @property
    def end(self) -> float:
        """The clock's reading at which all must be over; infinite without a limit."""
        return float("inf") if self.seconds is None else self.start + self.seconds

    @property
    def explaining(self) -> float:
        """Seconds for explaining the delivered model."""
        return 10.0 if self.seconds is None else min(10.0, EXPLAINING * self.seconds)

    def left(self) -> float:
        """Return the seconds until the end."""
        return self.end - self.clock()

    def search_end(self, fitting: float) -> float:
        """Return the clock's reading at which no trial may be running any more.

        Args:
            fitting: Seconds that fitting the delivered model is expected to take.
        """
        if self.seconds is None:
            return float("inf")
        # A model that takes too long to fit again is delivered as a fold fitted it.
        fitting = min(1.3 * fitting, FITTING * self.seconds)
        # However short the time, half of it is for trials: without one nothing is delivered.
        needed = min(CLOSING + self.explaining + fitting, 0.5 * self.seconds)
        return self.end - needed

    def first_trial_seconds(self) -> float:
        """Return the seconds that the first trial of a learner may take."""
        return float("inf") if self.seconds is None else max(5.0, FIRST_TRIAL * self.seconds)
