"""Fixtures of the tests that run jobs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from tests.lab import Lab

# On a busy machine a slow example says nothing of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose tracking server and environments all workspaces of the tests share."""
    folder = tmp_path_factory.mktemp("shared")
    yield folder
    TrackingServer(folder / "mlflow", environ=os.environ).stop()


@pytest.fixture
def lab(tmp_path: Path, shared_folder: Path) -> Lab:
    """A workspace of its own in an empty project."""
    return Lab.open(tmp_path / "project", shared=shared_folder)


@pytest.fixture(scope="session")
def tracking_server(shared_folder: Path) -> TrackingServer:
    return TrackingServer(shared_folder / "mlflow", environ=os.environ)


@pytest.fixture
def tracking(tracking_server: TrackingServer) -> Iterator[TrackingClient]:
    with TrackingClient(tracking_server.ensure()) as client:
        yield client
