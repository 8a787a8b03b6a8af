"""Fixtures of the router's process tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.unit.local.endpoints.router.processes import Stage, deployment, stage, table


@pytest.fixture
def scene() -> Iterator[Stage]:
    with stage() as found:
        yield found


@pytest.fixture(scope="module")
def plain() -> Iterator[Stage]:
    """A router with one instance, which the tests of a module share: they change nothing of it."""
    with stage() as found:
        blue = deployment(
            found.instance("b0"), max_concurrent_requests_per_instance=4, max_queue_wait_ms=5000
        )
        found.router(table(deployments={"blue": blue}))
        yield found
