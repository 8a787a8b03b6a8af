"""Callers that predict nothing and take made-up time, for the tests of `profile`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from profile_process import Block


class FakeClock:
    """Tells made-up seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class FakeCaller:
    """Takes the seconds that it is told to, by the number of rows and of calls before.

    Attributes:
        log: Name, rows, and calls of every block, shared by those that share a log.
    """

    def __init__(
        self,
        clock: FakeClock,
        taken: Callable[[int, int], float],
        *,
        name: str = "",
        log: list[tuple[str, int, int]] | None = None,
        mb: Callable[[int], float] = lambda _: 100.0,
        waited: float = 0.0,
    ) -> None:
        self._clock = clock
        self._taken = taken
        self._mb = mb
        self._waited = waited
        self._name = name
        self.log = log if log is not None else []
        self.calls = 0

    def call(self, rows: int, calls: int, seconds: float, *, collect: bool = False) -> Block:
        start = self._clock.now
        times: list[float] = []
        while len(times) < calls:
            times.append(self._taken(rows, self.calls))
            self._clock.now += times[-1]
            self.calls += 1
            if self._clock.now - start >= seconds:
                break
        self.log.append((self._name, rows, len(times)))
        found = np.array(times)
        mb = self._mb(self.calls)
        return Block(found, np.full(len(found), self._waited), float(found.sum()), mb, mb)
