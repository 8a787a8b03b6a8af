from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.parallelkit.harness import Harness


@pytest.fixture
def harness(tmp_path: Path) -> Harness:
    """A place to run parallelkit in."""
    return Harness(tmp_path)
