from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.local.endpoints.stage import FAKES, Stage

from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import OnlineEndpoint


def test_an_endpoint_serves_what_is_deployed_to_it(stage: Stage) -> None:
    info = stage.endpoint(description="d", tags={"a": "b"})
    assert (info.provisioning_state, info.description, info.tags) == ("Succeeded", "d", {"a": "b"})
    assert info.scoring_uri.startswith("http://127.0.0.1:")
    assert info.openapi_uri == info.scoring_uri.replace("/score", "/swagger.json")
    assert stage.invoke().status == 404
    made = stage.deploy(variables={"VERSION": 1})
    assert (made.provisioning_state, made.ready_instances, made.error) == ("Succeeded", 1, "")
    assert stage.asked("blue")["VERSION"] == "1"
    assert stage.invoke().status == 404
    assert stage.endpoint(traffic={"blue": 100}).traffic == {"blue": 100}
    said = stage.asked()
    assert said["model"].startswith(said["AZUREML_MODEL_DIR"])
    found = stage.client.online_endpoints.get("adult")
    assert (found.deployments, found.description) == (("blue",), "d")
    assert stage.client.online_endpoints.list() == [found]


def test_what_is_not_there_is_named(stage: Stage, tmp_path: Path) -> None:
    endpoints, deployments = stage.client.online_endpoints, stage.client.online_deployments
    assert (endpoints.list(), stage.processes("")) == ([], [])
    file = tmp_path / "request.json"
    for ask in (
        lambda: endpoints.get("adult"),
        lambda: endpoints.begin_delete("adult"),
        lambda: endpoints.get_keys("adult"),
        lambda: endpoints.begin_regenerate_keys("adult"),
        lambda: endpoints.metrics("adult"),
        lambda: endpoints.invoke("adult", request_file=file),
        lambda: deployments.list("adult"),
        lambda: deployments.get("blue", "adult"),
        lambda: deployments.begin_delete("blue", "adult"),
        lambda: deployments.get_logs("blue", "adult"),
        lambda: deployments.begin_create_or_update(stage.plan()),
    ):
        with pytest.raises(NotFoundError, match="no endpoint named 'adult'"):
            ask()
    stage.endpoint()
    with pytest.raises(UsageError, match="cannot be read"):
        endpoints.invoke("adult", request_file=file)
    with pytest.raises(NotFoundError, match="named 'blue'"):
        endpoints.invoke("adult", request_file=file, deployment_name="blue")


def test_traffic_that_breaks_a_rule_changes_nothing(stage: Stage) -> None:
    with pytest.raises(UsageError, match="cannot be given when"):
        stage.endpoint(traffic={"blue": 100})
    assert stage.client.online_endpoints.list() == []
    with pytest.raises(UsageError, match="cannot be the name"):
        stage.client.online_endpoints.begin_create_or_update(OnlineEndpoint(name="../x"))
    stage.endpoint()
    stage.deploy()
    stage.endpoint(traffic={"blue": 100})
    with pytest.raises(UsageError, match="50 percent"):
        stage.endpoint(traffic={"blue": 50})
    assert stage.client.online_endpoints.get("adult").traffic == {"blue": 100}


def test_keys_open_an_endpoint_until_they_are_made_anew(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    stage.endpoint(traffic={"blue": 100})
    endpoints = stage.client.online_endpoints
    before = endpoints.get_keys("adult")
    after = endpoints.begin_regenerate_keys("adult", key_type="secondary").result(30)
    assert after.primary_key == before.primary_key
    assert after.secondary_key != before.secondary_key
    assert endpoints.get("adult").provisioning_state == "Succeeded"
    assert stage.posted(before.primary_key) == stage.posted(after.secondary_key) == 200
    assert stage.posted(before.secondary_key) == 401
    with pytest.raises(UsageError, match="no key 'third'"):
        endpoints.begin_regenerate_keys("adult", key_type="third")


def test_keys_are_in_no_log_no_record_and_no_command_line(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    keys = stage.client.online_endpoints.get_keys("adult")
    stage.invoke("blue")
    stage.client.online_endpoints.begin_regenerate_keys("adult").result(30)
    workspace = stage.project / ".amlocal"
    secrets = [keys.primary_key.encode(), keys.secondary_key.encode()]
    for path in [*workspace.glob("records.db*"), *(workspace / "endpoints").rglob("*")]:
        if path.is_file() and not path.is_fifo() and path.name != "keys.json":
            assert not any(secret in path.read_bytes() for secret in secrets), path
    lines = [" ".join(process.cmdline()) for process in stage.processes("")]
    assert len(lines) == 3
    assert not any(secret.decode() in line for secret in secrets for line in lines)


def test_tokens_open_an_endpoint_without_keys(stage: Stage) -> None:
    stage.endpoint(auth_mode="aml_token")
    found = stage.client.online_endpoints.get_keys("adult")
    assert (found.primary_key, bool(found.access_token)) == ("", True)
    with pytest.raises(UsageError, match="no keys"):
        stage.client.online_endpoints.begin_regenerate_keys("adult")


def test_an_endpoint_goes_with_all_that_it_has(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    stage.deploy("green", instance_count=2)
    assert len(stage.processes("instance")) == 3
    stage.client.online_endpoints.begin_delete("adult").result(30)
    assert stage.client.online_endpoints.list() == []
    assert not (stage.project / ".amlocal" / "endpoints" / "adult").exists()
    # Nothing is left to do for the supervisor, so it ends.
    stage.wait_until(lambda: stage.processes("") == [])
    # And it comes again when there is.
    assert stage.endpoint().provisioning_state == "Succeeded"


@pytest.mark.slow
def test_an_endpoint_keeps_its_port(stage: Stage) -> None:
    uri = stage.endpoint().scoring_uri
    stage.deploy()
    stage.client.online_endpoints.supervision.stop()
    assert stage.processes("") == []
    assert stage.client.online_endpoints.get("adult").scoring_uri == ""
    assert stage.client.online_deployments.get("blue", "adult").ready_instances == 0
    with pytest.raises(TargetError, match="is down"):
        stage.invoke("blue")
    processes = stage.up()
    assert {"supervisor of endpoints", "router of adult", "instance adult/blue/blue-1"} <= processes
    assert stage.client.online_endpoints.get("adult").scoring_uri == uri
    assert stage.asked("blue")["pid"]


def test_a_port_that_was_taken_meanwhile_is_exchanged(stage: Stage) -> None:
    uri = stage.endpoint().scoring_uri
    port = int(uri.split(":")[2].split("/")[0])
    supervision = stage.client.online_endpoints.supervision
    supervision.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        supervision.ensure()
        stage.wait_until(lambda: stage.client.online_endpoints.get("adult").scoring_uri != uri)
        assert stage.invoke().status == 404


def test_a_router_that_is_killed_is_replaced_on_the_same_port(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    for _ in range(2):
        (router,) = stage.processes("router of adult")
        router.send_signal(signal.SIGKILL)
        router.wait(10)
        # The socket is the supervisor's: a connection waits for the next router.
        assert stage.asked("blue")["pid"]
    assert len(stage.processes("router of adult")) == 1
    # The new one follows what is wanted later.
    assert stage.endpoint(traffic={"blue": 100}).traffic == {"blue": 100}
    stage.deploy(variables={"VERSION": 2})
    assert stage.asked()["VERSION"] == "2"
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)


def test_a_supervisor_that_is_killed_takes_its_processes_along_and_is_started_anew(
    stage: Stage,
) -> None:
    stage.endpoint()
    stage.deploy(instance_count=2)
    uri = stage.client.online_endpoints.get("adult").scoring_uri
    before = {process.pid for process in stage.processes("")}
    (supervisor,) = stage.processes("supervisor")
    supervisor.send_signal(signal.SIGKILL)
    stage.wait_until(lambda: stage.processes("") == [])
    assert stage.asked("blue")["pid"] not in before
    assert stage.client.online_endpoints.get("adult").scoring_uri == uri
    stage.wait_until(lambda: len(stage.processes("instance")) == 2)


@pytest.mark.slow
def test_a_killed_supervisor_is_started_anew_by_who_waits(stage: Stage) -> None:
    stage.endpoint()
    poller = stage.client.online_deployments.begin_create_or_update(
        stage.plan(variables={"VERSION": 1})
    )
    assert poller.status() == "InProgress"
    (supervisor,) = stage.processes("supervisor")
    supervisor.send_signal(signal.SIGKILL)
    assert poller.result(30).provisioning_state == "Succeeded"
    assert stage.asked("blue")["VERSION"] == "1"


def test_a_router_that_does_not_start_fails_the_endpoint(
    tmp_path: Path, shared_folder: Path
) -> None:
    broken = Programs(router=("-c", "raise SystemExit('no router today')"), scoring=FAKES.scoring)
    stage = Stage.open(tmp_path / "project", shared_folder, broken)
    try:
        with pytest.raises(TargetError, match="no router today"):
            stage.endpoint()
        assert stage.client.online_endpoints.get("adult").provisioning_state == "Failed"
    finally:
        stage.client.online_endpoints.supervision.stop()


def test_metrics_are_the_routers(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    assert stage.client.online_endpoints.metrics("adult")["blue"].requests == {"200": 1}


def test_only_digests_of_keys_reach_the_router(stage: Stage) -> None:
    stage.endpoint()
    keys = stage.client.online_endpoints.get_keys("adult")
    digest = hashlib.sha256(keys.primary_key.encode()).hexdigest()
    assert digest in stage.table()["auth"]["digests"]
    assert keys.primary_key not in str(stage.table())


def test_commands_of_processes_side_by_side_share_one_supervisor(stage: Stage) -> None:
    program = (
        "import sys; from pathlib import Path; "
        "from tests.unit.local.endpoints.stage import Stage; "
        "Stage.open(Path(sys.argv[1]), Path(sys.argv[1])).endpoint(name=sys.argv[2])"
    )
    others = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(stage.project), f"end{number}"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
        )
        for number in range(3)
    ]
    assert [other.wait(60) for other in others] == [0, 0, 0]
    assert [info.name for info in stage.client.online_endpoints.list()] == ["end0", "end1", "end2"]
    assert len(stage.processes("supervisor")) == 1
    assert len(stage.processes("router")) == 3
