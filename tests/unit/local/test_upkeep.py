from __future__ import annotations

import os
from pathlib import Path

from tests.lab import Lab, command, processes_of, wait_for

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
    assert "step of fig" in info.processes.values()
    assert info.bytes > 0
    lab.client.jobs.cancel("fig")


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
