"""Containers that serve, with a stand-in for Docker's command: what it is asked, and what is left.

No Docker engine was at hand: what is tested is every call of its command line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab import has_ended
from tests.unit.local.endpoints.stage import PROGRAMS, Stage

from amlocal.errors import TargetError
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import BuildContext, Environment, ProbeSettings

ROUTES = {
    "liveness_route": {"port": 8501, "path": "/live"},
    "readiness_route": {"port": 8501, "path": "/ready"},
    "scoring_route": {"port": 9000, "path": "v1/models/half:predict"},
}
OWN = Environment(image="registry.io/serving:1", inference_config=ROUTES)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the stand-in keeps what it was asked."""
    state, programs = tmp_path / "docker", tmp_path / "bin"
    state.mkdir()
    programs.mkdir()
    shim = programs / "docker"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} {PROGRAMS / "fake_docker.py"} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_DOCKER", str(state))
    return state


@pytest.fixture
def stage(tmp_path: Path, shared_folder: Path, docker: Path) -> Iterator[Stage]:
    """A workspace with the real router."""
    assert docker.is_dir()
    stage = Stage.open(tmp_path / "project", shared_folder, Programs())
    stage.endpoint()
    yield stage
    stage.client.online_endpoints.supervision.stop()


def calls(docker: Path, verb: str) -> list[list[str]]:
    found = [json.loads(line) for line in (docker / "calls.jsonl").read_text().splitlines()]
    return [call for call in found if call[0] == verb]


def running(docker: Path) -> dict[str, int]:
    """Return the process ids of containers, by name."""
    files = docker.glob("container-*")
    return {file.name: json.loads(file.read_text())["pid"] for file in files}


def test_a_container_of_ones_own_serves(stage: Stage, docker: Path) -> None:
    info = stage.deploy(
        environment=OWN,
        model_mount_path="/models",
        variables={"WORD": "a secret, 'quoted'", "HOME": "/mine"},
    )
    assert (info.provisioning_state, info.environment) == ("Succeeded", "registry.io/serving:1")
    found = stage.asked("blue")
    # The endpoint's /score leads to its route.
    assert (found["path"], found["body"]) == ("/v1/models/half:predict", "[1]")
    said, variables = found["said"], found["variables"]
    published = dict(each.rpartition(":")[::-2] for each in said["--publish"])
    assert published.keys() == {"8501", "9000"}
    assert all(each.startswith("127.0.0.1:") for each in said["--publish"])
    (mount,) = said["--mount"]
    inside = variables["AZUREML_MODEL_DIR"]
    assert inside.startswith("/models/")
    kind, source, target, mode = mount.split(",")
    assert (kind, target, mode) == ("type=bind", f"target={inside}", "readonly")
    assert (Path(source.removeprefix("source=")) / "model" / "MLmodel").is_file()
    assert (variables["WORD"], variables["HOME"]) == ("a secret, 'quoted'", "/mine")
    assert "secret" not in (docker / "calls.jsonl").read_text()
    assert calls(docker, "pull") == [["pull", "--quiet", "registry.io/serving:1"]]
    logs = stage.client.online_deployments.get_logs("blue", "adult", lines=5)
    assert "the container serves" in logs
    stage.client.online_deployments.begin_delete("blue", "adult").result(60)
    assert running(docker) == {}


def test_containers_are_replaced_and_none_is_left(stage: Stage, docker: Path) -> None:
    probe = ProbeSettings(initial_delay=1, period=1, timeout=1, failure_threshold=2)
    stage.deploy(environment=OWN, liveness_probe=probe)
    (first,) = running(docker).values()
    for client in stage.processes("instance adult/blue"):
        client.kill()
    stage.wait_until(lambda: has_ended(first) and len(running(docker)) == 1)
    (second,) = running(docker).values()
    stage.wait_until(lambda: stage.invoke("blue").status == 200)
    # One that fails its liveness route is dead.
    (docker / "unwell").touch()
    stage.wait_until(lambda: has_ended(second))
    (docker / "unwell").unlink()
    stage.wait_until(lambda: stage.invoke("blue").status == 200)
    # What a supervisor leaves that was killed with its clients, the next one removes.
    (third,) = running(docker).values()
    (supervisor,) = stage.processes("supervisor")
    supervisor.suspend()
    for process in [*stage.processes("instance adult/blue"), supervisor]:
        process.kill()
    stage.wait_until(lambda: has_ended(supervisor.pid))
    assert not has_ended(third)
    stage.up()
    stage.wait_until(lambda: stage.invoke("blue").status == 200)
    assert has_ended(third)
    assert len(running(docker)) == 1


def test_an_image_is_built_of_a_dockerfile_as_it_was(stage: Stage, docker: Path) -> None:
    context = stage.project / "image"
    context.mkdir(parents=True)
    (context / "Own.dockerfile").write_text("FROM base\n")
    code = stage.project / "code"
    code.mkdir()
    (code / "score.py").write_text("")
    given: dict[str, Any] = {
        "environment": Environment(build=BuildContext(str(context), "Own.dockerfile")),
        "code": str(code),
        "scoring_script": "score.py",
        "model": None,
    }
    stage.deploy(**given)
    found = stage.asked("blue")
    # Without routes they are those of Azure's images.
    assert found["path"] == "/score"
    assert [each.rpartition(":")[2] for each in found["said"]["--publish"]] == ["5001"]
    assert found["variables"]["AML_APP_ROOT"] == "/var/azureml-app/code"
    assert found["variables"]["AZUREML_ENTRY_SCRIPT"] == "score.py"
    assert "AZUREML_MODEL_DIR" not in found["variables"]
    stage.deploy("green", **given)
    assert len(calls(docker, "build")) == 1
    (context / "Own.dockerfile").write_text("FROM broken\n")
    with pytest.raises(TargetError, match=r"the image of Own\.dockerfile cannot be built: ERROR"):
        stage.deploy("green", **given)
    assert stage.invoke("green").status == 200


def test_without_an_engine_or_an_image_it_is_refused(stage: Stage, docker: Path) -> None:
    with pytest.raises(TargetError, match=r"nowhere:1 cannot be had: Error response .* denied"):
        stage.deploy(environment=Environment(image="nowhere:1", inference_config=ROUTES))
    (docker / "down").touch()
    with pytest.raises(TargetError, match="and Docker does not answer: Cannot connect") as error:
        stage.deploy("green", environment=OWN)
    assert "--target azure" in error.value.hint
