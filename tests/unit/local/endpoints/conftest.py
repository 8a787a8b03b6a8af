from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.local.endpoints.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, shared_folder: Path) -> Iterator[Stage]:
    """A workspace whose supervisor is ended with the test."""
    stage = Stage.open(tmp_path / "project", shared_folder)
    yield stage
    stage.client.online_endpoints.supervision.stop()
