from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.lab import Lab, PlanCompiler, command, processes_of, wait_for
from tests.unit.local.endpoints.stage import Stage

from amlocal.errors import NotFoundError
from amlocal.local.client import LocalClient
from amlocal.plan import JobStatus


def test_a_workspace_tells_what_it_holds(lab: Lab) -> None:
    job = lab.run(command("true"))
    lab.start(command("echo up; sleep 300"), name="fig")
    log = lab.workspace / "jobs" / "fig" / "artifacts" / "user_logs" / "std_log.txt"
    wait_for(lambda: log.exists() and "up" in log.read_text())
    info = lab.client.workspace.show()
    assert info.path == str(lab.workspace)
    assert (info.jobs, info.running) == (2, ("fig",))
    assert info.tracking_uri == job.tracking.uri
    assert {"engine of fig", "step of fig"} <= set(info.processes.values())
    assert info.bytes > 0
    lab.client.jobs.cancel("fig")


def test_looking_at_a_workspace_that_is_not_there_does_not_make_it(tmp_path: Path) -> None:
    client = LocalClient.open(tmp_path / "none", os.environ, PlanCompiler())
    assert client.jobs.list() == []
    for assets in (client.components, client.environments, client.data, client.models):
        assert list(assets.list()) == []
        with pytest.raises(NotFoundError):
            assets.get("any")
        with pytest.raises(NotFoundError):
            assets.archive("any")
    for look in (client.jobs.get, client.jobs.stream, client.jobs.cancel, client.jobs.archive):
        with pytest.raises(NotFoundError, match="any"):
            look("any")
    assert client.jobs.validate(command("true")).type == "command"
    info = client.workspace.down()
    assert (info.jobs, info.running, info.processes, info.bytes) == (0, (), {}, 0)
    assert client.workspace.collect_garbage() == 0
    assert not (tmp_path / "none").exists()


def test_what_another_process_makes_is_seen(tmp_path: Path, shared_folder: Path) -> None:
    early = LocalClient.open(tmp_path / "project" / ".amlocal", os.environ, PlanCompiler())
    assert early.jobs.list() == []
    job = Lab.open(tmp_path / "project", shared=shared_folder).run(command("true"))
    assert [info.name for info in early.jobs.list()] == [job.name]


@pytest.mark.slow
def test_down_ends_every_process(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    lab = Lab.open(tmp_path / "project", shared=tmp_path / "own", environ=os.environ)
    assert lab.client.workspace.up().tracking_uri
    lab.start(command("echo up; sleep 300"), name="fig")
    log = lab.workspace / "jobs" / "fig" / "artifacts" / "user_logs" / "std_log.txt"
    wait_for(lambda: log.exists() and "up" in log.read_text())
    info = lab.client.workspace.down()
    assert (info.running, info.tracking_uri, info.processes) == ((), "", {})
    assert processes_of(lab) == []
    assert lab.client.jobs.get("fig").status is JobStatus.CANCELED
    # Nothing to do is no error.
    assert lab.client.workspace.down().processes == {}


@pytest.mark.slow
def test_endpoints_are_ended_and_brought_back_with_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    stage = Stage.open(tmp_path / "project", tmp_path / "own")
    stage.endpoint()
    stage.deploy()
    roles = {"supervisor of endpoints", "router of adult", "instance adult/blue/blue-0"}
    assert roles <= set(stage.client.workspace.show().processes.values())
    assert stage.client.workspace.down().processes == {}
    assert [info.name for info in stage.client.online_endpoints.list()] == ["adult"]
    up = stage.client.workspace.up()
    assert "instance adult/blue/blue-1" in up.processes.values()
    assert stage.asked("blue")["pid"]
    assert stage.client.workspace.down().processes == {}
