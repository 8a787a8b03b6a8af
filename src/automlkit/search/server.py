"""How worker processes are started; in a module of its own, since it comes before all imports."""

from __future__ import annotations

import multiprocessing
from multiprocessing import forkserver
from typing import Any

#: Imported once, before workers are forked: these take seconds.
PRELOADED = ["automlkit.search.worker", "automlkit.learners", "lightgbm", "sklearn.ensemble"]


def start_server() -> Any:
    """Begin importing the learners for the workers to come, and return how they are started.

    A process that only imports and forks, because forking one with threads is not safe.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forkserver.ensure_running()
    return context
