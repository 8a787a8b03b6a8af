"""Worker processes for tests, and learners that reach them by value."""

import importlib.util
from pathlib import Path

import cloudpickle
import pytest

from automlkit.search.pool import Pool
from automlkit.search.server import start_server


@pytest.fixture(scope="session")
def fakes():
    """The module of fake learners, pickled by value: workers cannot import it."""
    spec = importlib.util.spec_from_file_location("fakes", Path(__file__).with_name("fakes.py"))
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["fakes"] = module
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)
    return module


@pytest.fixture
def make_pool(tmp_path):
    """Make pools of a context, and end their workers."""
    made = []

    def make(context, size=1, **options):
        file = tmp_path / "context.pkl"
        file.write_bytes(cloudpickle.dumps(context))
        made.append(Pool(start_server(), size, file, **options))
        return made[-1]

    yield make
    for pool in made:
        pool.close()
