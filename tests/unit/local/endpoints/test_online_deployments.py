from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.unit.local.endpoints.stage import Stage

from amlocal.errors import TargetError, UsageError
from amlocal.plan import (
    Environment,
    ModelSource,
    OnlineDeploymentInfo,
    ProbeSettings,
    RequestSettings,
)
from amlocal.plan.job import Warned

QUICK = ProbeSettings(initial_delay=1, period=0.1, timeout=0.5, failure_threshold=2)


def get(stage: Stage, name: str = "blue") -> OnlineDeploymentInfo:
    return stage.client.online_deployments.get(name, "adult")


def versions(stage: Stage) -> list[Path]:
    return list((stage.project / ".amlocal" / "endpoints").glob("*/*/versions/*"))


def test_a_deployment_tells_what_it_is(stage: Stage) -> None:
    stage.endpoint()
    info = stage.deploy(
        instance_count=2,
        description="d",
        tags={"a": "b"},
        instance_type="Standard_DS3_v2",
        warnings=(Warned(field="instance_type", message="it is this machine"),),
        environment=Environment(name="e", image="some/image:1"),
    )
    assert (info.instance_count, info.ready_instances) == (2, 2)
    assert (info.description, info.tags, info.instance_type) == ("d", {"a": "b"}, "Standard_DS3_v2")
    assert info.model == str(stage.project / "model")
    assert info.environment == "e"
    assert info.warnings[0] == "it is this machine"
    assert any("image some/image:1 is not used" in warning for warning in info.warnings)
    assert stage.client.online_deployments.list("adult") == [info]


def test_a_deployment_that_cannot_start_fails_with_its_log(stage: Stage) -> None:
    stage.endpoint()
    with pytest.raises(TargetError, match="the model cannot be loaded"):
        stage.deploy(variables={"FAILS": 1})
    info = get(stage)
    assert (info.provisioning_state, info.ready_instances) == ("Failed", 0)
    assert "instance blue-0 ended with exit code 1:\nthe model cannot be loaded" in info.error
    assert "cannot be loaded" in stage.client.online_deployments.get_logs("blue", "adult")
    assert stage.processes("instance") == []
    # The failure is told first: who waits for it is not kept waiting for what is tidied up.
    stage.wait_until(lambda: versions(stage) == [])
    with pytest.raises(UsageError, match="'blue' is ready"):
        stage.endpoint(traffic={"blue": 100})
    with pytest.raises(UsageError, match="'blue' failed, and nothing of it was kept"):
        stage.client.online_deployments.begin_create_or_update(
            None, overrides=["instance_count=2"], name="blue", endpoint_name="adult"
        )
    assert stage.deploy().provisioning_state == "Succeeded"
    assert get(stage).error == ""


def test_one_that_never_answers_fails_when_its_probes_say_so(stage: Stage) -> None:
    stage.endpoint()
    with pytest.raises(TargetError, match=r"did not answer within 1\.2 s"):
        stage.deploy(variables={"DEAF": 1}, readiness_probe=QUICK)


def test_an_update_serves_beside_the_old_and_then_alone(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(variables={"VERSION": 1})
    stage.endpoint(traffic={"blue": 100})
    answers: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            answers.append(stage.asked()["VERSION"])

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        stage.deploy(variables={"VERSION": 2})
        assert stage.asked()["VERSION"] == "2"
    finally:
        is_over.set()
        asking.join()
    assert "1" in answers
    assert answers == sorted(answers)
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)
    stage.wait_until(lambda: len(versions(stage)) == 1)


def test_an_update_that_fails_leaves_the_old_one(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(variables={"VERSION": 1})
    with pytest.raises(TargetError, match="cannot be loaded"):
        stage.deploy(variables={"FAILS": 1})
    assert get(stage).provisioning_state == "Failed"
    assert stage.asked("blue")["VERSION"] == "1"
    # Also after everything was ended and brought back.
    stage.client.online_endpoints.supervision.stop()
    stage.up()
    assert stage.asked("blue")["VERSION"] == "1"
    assert stage.endpoint(traffic={"blue": 100}).traffic == {"blue": 100}


def test_requests_under_way_are_answered_by_the_old_one(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(variables={"VERSION": 1, "SLOW": 2})
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(stage.asked("blue")["VERSION"]))
    asking.start()
    time.sleep(0.3)
    stage.deploy(variables={"VERSION": 2})
    assert stage.asked("blue")["VERSION"] == "2"
    assert answers == []
    asking.join()
    assert answers == ["1"]
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)


def test_an_instance_that_never_drains_is_ended_after_the_timeout_of_its_requests(
    stage: Stage,
) -> None:
    stage.endpoint()
    stage.deploy(variables={"SLOW": 60}, request_settings=RequestSettings(request_timeout_ms=100))
    asking = threading.Thread(target=lambda: stage.invoke("blue"))
    asking.start()
    time.sleep(0.3)
    stage.deploy(variables={"VERSION": 2})
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)
    asking.join()


def test_the_last_of_several_updates_wins(stage: Stage) -> None:
    stage.endpoint()
    deployments = stage.client.online_deployments
    pollers = [
        deployments.begin_create_or_update(stage.plan(variables={"VERSION": number}))
        for number in range(4)
    ]
    assert {poller.result(30).provisioning_state for poller in pollers} == {"Succeeded"}
    assert stage.asked("blue")["VERSION"] == "3"
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)


def test_settings_alone_change_a_deployment(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(variables={"VERSION": 1})
    (stage.project / "model" / "MLmodel").unlink()  # what is there serves on
    info = stage.client.online_deployments.begin_create_or_update(
        None, overrides=["instance_count=2"], name="blue", endpoint_name="adult"
    ).result(30)
    assert (info.instance_count, info.ready_instances) == (2, 2)
    assert info.model == str(stage.project / "model")
    assert stage.asked("blue")["VERSION"] == "1"


def test_an_instance_that_ends_is_replaced(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(instance_count=2)
    first = {process.pid for process in stage.processes("instance")}
    for process in stage.processes("instance"):
        process.send_signal(signal.SIGKILL)
    stage.wait_until(
        lambda: (
            len(now := {process.pid for process in stage.processes("instance")}) == 2
            and not now & first
        )
    )
    stage.wait_until(lambda: get(stage).ready_instances == 2)
    assert stage.asked("blue")["pid"] not in first
    assert (get(stage).provisioning_state, get(stage).error) == ("Succeeded", "")


def test_an_instance_that_ends_again_and_again_is_told_of(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    plan = stage.client.online_endpoints.records.get_deployment("adult", "blue").served
    assert plan is not None
    variables = Path(plan.folder) / "variables.json"
    variables.write_text('{"FAILS": "1"}')
    (instance,) = stage.processes("instance")
    instance.send_signal(signal.SIGKILL)
    stage.wait_until(lambda: "cannot be loaded" in get(stage).error)
    assert get(stage).ready_instances == 0
    assert get(stage).provisioning_state == "Succeeded"
    variables.write_text("{}")
    stage.wait_until(lambda: get(stage).ready_instances == 1)
    assert get(stage).error == ""


def test_an_instance_that_fails_its_probes_is_taken_out_and_replaced(stage: Stage) -> None:
    sick = stage.project / "sick"
    patient = ProbeSettings(initial_delay=1, period=1, timeout=0.5, failure_threshold=2)
    stage.endpoint()
    stage.deploy(variables={"SICK": sick}, readiness_probe=QUICK, liveness_probe=patient)
    (before,) = stage.processes("instance")
    sick.touch()
    stage.wait_until(lambda: get(stage).ready_instances == 0)
    assert before.is_running()
    stage.wait_until(lambda: not before.is_running())
    stage.wait_until(lambda: "did not answer its liveness probe 2 times" in get(stage).error)
    sick.unlink()
    stage.wait_until(lambda: get(stage).ready_instances == 1)


def test_one_that_is_well_again_takes_requests_again(stage: Stage) -> None:
    sick = stage.project / "sick"
    stage.endpoint()
    stage.deploy(variables={"SICK": sick}, readiness_probe=QUICK)
    (before,) = stage.processes("instance")
    sick.touch()
    stage.wait_until(lambda: get(stage).ready_instances == 0)
    sick.unlink()
    stage.wait_until(lambda: get(stage).ready_instances == 1)
    assert stage.asked("blue")["pid"] == before.pid


def test_a_deployment_is_deleted_once_it_has_no_traffic(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    stage.deploy("green")
    stage.endpoint(traffic={"blue": 100})
    deployments = stage.client.online_deployments
    with pytest.raises(UsageError, match="has 100 percent of the traffic"):
        deployments.begin_delete("blue", "adult")
    stage.endpoint(traffic={"blue": 0, "green": 100})
    poller = deployments.begin_delete("blue", "adult")
    assert poller.result(30) is None
    assert poller.status() == "Succeeded"
    assert [info.name for info in deployments.list("adult")] == ["green"]
    assert stage.client.online_endpoints.get("adult").traffic == {"green": 100}
    assert len(stage.processes("instance")) == 1
    assert not (stage.project / ".amlocal" / "endpoints" / "adult" / "blue").exists()
    assert stage.deploy().provisioning_state == "Succeeded"


def test_one_that_is_being_made_ready_can_be_deleted(stage: Stage) -> None:
    stage.endpoint()
    deployments = stage.client.online_deployments
    deployments.begin_create_or_update(stage.plan(variables={"DEAF": 1}))
    stage.wait_until(lambda: len(stage.processes("instance")) == 1)
    deployments.begin_delete("blue", "adult").result(30)
    assert stage.processes("instance") == []


@pytest.mark.slow
def test_instances_share_the_cores_and_carry_their_variables(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(instance_count=64)
    assert stage.asked("blue")["OMP_NUM_THREADS"] == "1"
    stage.deploy(variables={"OMP_NUM_THREADS": 7})
    assert stage.asked("blue")["OMP_NUM_THREADS"] == "7"


def test_logs_are_those_of_the_newest_instances(stage: Stage) -> None:
    stage.endpoint()
    for _ in range(13):
        with pytest.raises(TargetError):
            stage.deploy(variables={"FAILS": 1})
    logs = sorted((stage.project / ".amlocal/endpoints/adult/blue").glob("*.log"))
    assert len(logs) <= 11
    assert logs[0].parent / "blue-12.log" in logs
    deployments = stage.client.online_deployments
    assert deployments.get_logs("blue", "adult", lines=1) == "the model cannot be loaded"
    assert deployments.get_logs("blue", "adult", container_type="inference-server")
    with pytest.raises(UsageError, match="no container 'storage'"):
        deployments.get_logs("blue", "adult", container_type="storage")


def test_a_poller_gives_up_in_time(stage: Stage) -> None:
    stage.endpoint()
    plan = stage.plan(variables={"DEAF": 1})
    poller = stage.client.online_deployments.begin_create_or_update(plan)
    assert not poller.done()
    with pytest.raises(TargetError, match=r"is not done within 0\.2 s"):
        poller.result(0.2)
    stage.client.online_endpoints.supervision.stop()
    with pytest.raises(TargetError, match="the supervisor of endpoints has ended"):
        poller.result(30)


def test_the_model_of_a_plan_must_be_there(stage: Stage) -> None:
    stage.endpoint()
    with pytest.raises(TargetError, match="no data at"):
        stage.deploy(model=ModelSource(path=str(stage.project / "none"), type="mlflow_model"))
    assert stage.client.online_deployments.list("adult") == []


def test_versions_that_nobody_needs_are_garbage(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    (used,) = versions(stage)
    left = used.parent / "left"
    left.mkdir()
    (left / "file").write_bytes(b"x" * 1000)
    assert stage.client.workspace.collect_garbage() == 0  # somebody may be making it
    old = time.time() - 7200
    os.utime(left, (old, old))
    assert stage.client.workspace.collect_garbage() >= 1000
    assert versions(stage) == [used]


def test_a_deployment_whose_variables_cannot_be_fails(stage: Stage) -> None:
    code = stage.project / "code"
    code.mkdir(parents=True)
    (code / "score.py").touch()
    stage.endpoint()
    with pytest.raises(TargetError, match="cannot be started: WORKER_COUNT is 'many'"):
        stage.deploy(code=str(code), scoring_script="score.py", variables={"WORKER_COUNT": "many"})
