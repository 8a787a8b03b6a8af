"""A table that the router refuses: whoever wanted it is told, and what served goes on serving."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.local.endpoints.stage import FAKES, Stage

from amlocal.errors import TargetError
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import OnlineEndpoint, RequestSettings

#: What the check of a deployment's file does not let through.
UNFIT = RequestSettings(max_queue_wait_ms=-1)


@pytest.fixture
def stage(tmp_path: Path, shared_folder: Path) -> Iterator[Stage]:
    """A workspace with the real router."""
    stage = Stage.open(tmp_path / "project", shared_folder, Programs(scoring=FAKES.scoring))
    yield stage
    stage.client.online_endpoints.supervision.stop()


def test_the_version_before_goes_on_serving(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(variables={"VERSION": 1})
    with pytest.raises(TargetError, match=r"refuses its table: .*max_queue_wait_ms"):
        stage.deploy(variables={"VERSION": 2}, request_settings=UNFIT)
    get = stage.client.online_deployments.get
    assert get("blue", "adult").provisioning_state == "Failed"
    assert stage.asked("blue")["VERSION"] == "1"
    # Also after a restart.
    (supervisor,) = stage.processes("supervisor")
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait(10)
    stage.wait_until(lambda: get("blue", "adult").ready_instances == 1)
    assert stage.asked("blue")["VERSION"] == "1"
    # And it is no obstacle to what is wanted next.
    assert stage.deploy(variables={"VERSION": 3}).provisioning_state == "Succeeded"
    assert stage.asked("blue")["VERSION"] == "3"


def test_a_new_deployment_does_not_come_to_be(stage: Stage) -> None:
    stage.endpoint()
    with pytest.raises(TargetError, match="refuses its table"):
        stage.deploy(request_settings=UNFIT)
    stage.wait_until(lambda: stage.processes("instance") == [])
    plan = OnlineEndpoint(name="adult", tags={"a": "b"})
    done = stage.client.online_endpoints.begin_create_or_update(plan).result(60)
    assert done.provisioning_state == "Succeeded"
