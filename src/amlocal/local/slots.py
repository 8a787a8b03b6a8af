"""How many commands of a job run side by side, whatever they belong to."""

from __future__ import annotations

import threading

#: Seconds between two looks at whether the wait is still wanted.
_LOOK = 0.2


class Slots:
    """Room for so many commands: a step's or a trial's each takes one."""

    def __init__(self, count: int) -> None:
        self._free = threading.Semaphore(count)
        self.count = count

    def take(self, given_up: threading.Event) -> bool:
        """Wait for room; False where the wait was given up."""
        while not given_up.is_set():
            if self._free.acquire(timeout=_LOOK):
                return True
        return False

    def take_now(self) -> bool:
        """Take room where there is some."""
        return self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """Make the room free again."""
        self._free.release()
