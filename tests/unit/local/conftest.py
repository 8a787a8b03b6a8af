"""One MLflow server for all tests of the local target that only need some server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer


@pytest.fixture(scope="session")
def tracking_server(shared_folder: Path) -> TrackingServer:
    return TrackingServer(shared_folder / "mlflow", environ=os.environ)


@pytest.fixture
def tracking(tracking_server: TrackingServer) -> Iterator[TrackingClient]:
    with TrackingClient(tracking_server.ensure()) as client:
        yield client
