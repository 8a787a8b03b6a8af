"""What an engine notes while it works (an environment is built, a folder is read)."""

from __future__ import annotations

import queue


class Notes:
    """Sentences from several threads, for one that tells them."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()

    def __call__(self, message: str) -> None:
        """Note something."""
        self._waiting.put(message)

    def take(self) -> list[str]:
        """Return what was noted since the last time."""
        taken = []
        while not self._waiting.empty():
            taken.append(self._waiting.get())
        return taken
