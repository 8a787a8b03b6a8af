"""Learners that reach worker processes by value."""

import importlib.util
import sys
from pathlib import Path

import cloudpickle
import pytest


@pytest.fixture(scope="session")
def fakes():
    """The module of fake learners, pickled by value: workers cannot import it."""
    spec = importlib.util.spec_from_file_location("fakes", Path(__file__).with_name("fakes.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["fakes"] = module
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)
    return module
