"""One MLflow server for all tests of the local target that only need some server."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path_factory.mktemp("workspace") / "mlflow", environ=os.environ)
    yield server
    server.stop()


@pytest.fixture
def tracking(tracking_server: TrackingServer) -> Iterator[TrackingClient]:
    with TrackingClient(tracking_server.ensure()) as client:
        yield client
