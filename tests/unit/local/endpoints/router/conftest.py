"""Fixtures of the router's process tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.local.endpoints.router.processes import Stage, stage


@pytest.fixture
def scene() -> Iterator[Stage]:
    with stage() as found:
        yield found
