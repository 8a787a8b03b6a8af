"""A worker process: does the tasks that it is given, until its parent wants no more or is gone.

It is started once and kept for many tasks, since importing the libraries costs seconds. It holds no
state between tasks but their context, so the parent may kill it at any moment.

Nothing heavy is imported by this module: it comes before all libraries.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import threading
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any, Literal, Protocol

import cloudpickle

from stepkit.program import StepError


class Task(Protocol):
    """Work for a worker: something that pickles."""

    @property
    def threads(self) -> int:
        """Threads that may be used."""

    def __call__(self, context: Any, /) -> Any:
        """Do it, and return what pickles."""


@dataclass(frozen=True)
class Failure:
    """A task that came to nothing.

    Attributes:
        kind: `error` (it raised), `crash` (the process ended), `timeout`, `memory`.
        message: What happened.
    """

    kind: Literal["error", "crash", "timeout", "memory"]
    message: str


@dataclass(frozen=True)
class Ready:
    """What a worker says when its libraries are loaded and its context is read."""


@dataclass(frozen=True)
class Starter:
    """How workers are started.

    Attributes:
        processes: A context of `multiprocessing`.
        libraries: Modules that a worker imports before it is ready.
    """

    processes: Any
    libraries: tuple[str, ...]


def start_server(libraries: Sequence[str]) -> Starter:
    """Begin importing libraries for the workers to come, and return how these are started.

    A process that only imports and forks, because forking one with threads is not safe. Where
    there is none (Windows), each worker imports them for itself.
    """
    names = tuple(libraries)
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return Starter(multiprocessing.get_context("spawn"), names)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *names])
    forkserver.ensure_running()
    return Starter(context, names)


def serve(
    connection: Connection, context_file: Path, log: Path, libraries: tuple[str, ...]
) -> None:
    """Say `Ready`, and do tasks one by one until the parent closes its end.

    Args:
        connection: Tasks come in by it, and answers go out.
        context_file: What all tasks have in common, pickled.
        log: The file that output goes to.
        libraries: Modules that are imported first.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Libraries print as they like, also from C. What they warn of shows in a trial's score.
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    warnings.simplefilter("ignore")
    for name in libraries:
        importlib.import_module(name)
    context = cloudpickle.loads(context_file.read_bytes())
    with contextlib.suppress(EOFError, ConnectionError):
        connection.send(Ready())
        while True:
            connection.send(attempt(connection.recv(), context))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def attempt(task: Task, context: Any) -> Any:
    """Do a task; whatever it raises becomes a `Failure`."""
    # Both import NumPy, which the parent has no use for yet when it starts the server.
    import joblib
    from threadpoolctl import threadpool_limits

    try:
        # Threads, not processes: nothing outlives a worker that is killed, and tables are shared.
        with (
            threadpool_limits(limits=task.threads),
            joblib.parallel_config(backend="threading", n_jobs=task.threads),
        ):
            return task(context)
    except MemoryError as error:
        return Failure("memory", f"out of memory {error}".strip())
    except StepError as error:
        return Failure("error", str(error))
    except Exception as error:  # noqa: BLE001 - a learner may raise anything, told as a failed trial
        return Failure("error", f"{type(error).__name__}: {error}")
