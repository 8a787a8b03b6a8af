from __future__ import annotations

import pytest
from tests.unit.local.endpoints.stage import Stage

from amlocal.errors import TargetError


def test_an_endpoint_serves_what_is_deployed_to_it(stage: Stage) -> None:
    info = stage.endpoint()
    assert info.provisioning_state == "Succeeded"
    assert info.scoring_uri.startswith("http://127.0.0.1:")
    assert stage.invoke().status == 404
    made = stage.deploy(variables={"VERSION": 1})
    assert (made.provisioning_state, made.ready_instances) == ("Succeeded", 1)
    assert stage.asked("blue")["VERSION"] == "1"
    assert stage.invoke().status == 404
    assert stage.endpoint(traffic={"blue": 100}).traffic == {"blue": 100}
    said = stage.asked()
    assert said["model"].startswith(said["AZUREML_MODEL_DIR"])


def test_a_deployment_that_cannot_start_fails_with_its_log(stage: Stage) -> None:
    stage.endpoint()
    with pytest.raises(TargetError, match="the model cannot be loaded"):
        stage.deploy(variables={"FAILS": 1})
    info = stage.client.online_deployments.get("blue", "adult")
    assert info.provisioning_state == "Failed"
    assert "ended with exit code 1" in info.error
    assert "cannot be loaded" in stage.client.online_deployments.get_logs("blue", "adult")
