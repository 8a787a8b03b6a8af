"""Pictures of a sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from amlocal.plan import JobInfo, Sweep


def draw(sweep: Sweep, trials: Sequence[JobInfo], folder: Path) -> bool:
    """Draw what the trials came to; returns whether there was anything to draw."""
    return False
