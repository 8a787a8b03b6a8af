"""Worker processes, and tasks that they can import."""

import importlib

import pytest

from automlkit.pool import Pool
from automlkit.search import LIBRARIES
from automlkit.worker import Starter, start_server

#: A module of its own, since another process must be able to import it.
TASKS = """
import os, time
from dataclasses import dataclass

import numpy as np

@dataclass(frozen=True)
class Do:
    what: str
    threads: int = 1

    def __call__(self, context):
        return getattr(self, self.what)(context)

    def double(self, context): return 2 * context
    def nothing(self, context): return None
    def array(self, context): return np.arange(3)
    def fail(self, context): raise ValueError("nothing to learn")
    def crash(self, context): os._exit(7)
    def sleep(self, context): time.sleep(600)
    def say(self, context): print("from Python", flush=True); os.system("echo from C")
    def limits(self, context):
        import joblib, threadpoolctl
        held = [pool["num_threads"] for pool in threadpoolctl.threadpool_info()]
        return joblib.Parallel().n_jobs, set(held)
    def gorge(self, context):
        self.__dict__["held"] = np.ones(80_000_000)
        time.sleep(600)
"""


@pytest.fixture
def do(tmp_path, monkeypatch):
    """The class of tasks."""
    (tmp_path / "tasks_of_workers.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("tasks_of_workers").Do


@pytest.fixture
def log(tmp_path):
    return tmp_path / "trials.log"


@pytest.fixture
def make_pool(log):
    """Make pools of a context, and end their workers."""
    made = []

    def make(context, size=1, libraries=(), **options):
        # One server serves all tests of a process; what a test asks for, its workers load.
        processes = start_server(LIBRARIES).processes
        made.append(Pool(Starter(processes, libraries), size, context, log, **options))
        return made[-1]

    yield make
    for pool in made:
        pool.close()


@pytest.fixture
def never_ready(make_pool, tmp_path, monkeypatch):
    """Make pools whose workers load a library forever."""
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.syspath_prepend(tmp_path)
    return lambda context: make_pool(context, libraries=("slow_to_import",))
