"""The real router, the real servers, and a real model; slow to start, so one workspace for all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.unit.local.endpoints.stage import Stage

from amlocal.errors import TargetError
from amlocal.local.endpoints.supervision import Programs
from amlocal.plan import ModelSource, RequestSettings

pytestmark = pytest.mark.slow

ROWS = {"columns": ["age", "hours"], "index": [0, 1], "data": [[20, 10], [60, 50]]}
TRAIN = """
import sys, warnings
import mlflow, pandas as pd
from sklearn.linear_model import LogisticRegression
warnings.filterwarnings("ignore")
table = pd.DataFrame({"age": [20, 30, 50, 60], "hours": [10, 20, 40, 50]})
model = LogisticRegression().fit(table, ["low", "low", "high", "high"])
mlflow.sklearn.save_model(
    model, sys.argv[1], serialization_format="cloudpickle",
    pip_requirements=["scikit-learn", "mlflow"],
    signature=mlflow.models.infer_signature(table, model.predict(table)),
)
"""
SCRIPT = """
import json, os
import mlflow
from near import GREETING

def init():
    global model
    print("this is init")
    model = mlflow.pyfunc.load_model(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model"))

def run(raw_data):
    import pandas as pd
    given = json.loads(raw_data)["input_data"]
    rows = pd.DataFrame(given["data"], columns=given["columns"])
    return {"hello": GREETING, "pid": os.getpid(), "found": list(model.predict(rows))}
"""


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, shared_folder: Path) -> Iterator[Stage]:
    project = tmp_path_factory.mktemp("real")
    stage = Stage.open(project, shared_folder, Programs())
    try:
        _deploy(stage)
        yield stage
    finally:
        stage.client.online_endpoints.supervision.stop()


def _deploy(stage: Stage) -> None:
    """Deploy a small model, without a script as blue and with one as green."""
    project = stage.project
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    subprocess.run(
        [sys.executable, "-c", TRAIN, str(project / "model")],
        env=environ,
        check=True,
        capture_output=True,
    )
    code = project / "scoring"
    code.mkdir()
    (code / "score.py").write_text(SCRIPT)
    (code / "near.py").write_text("GREETING = 'from near'\n")
    stage.endpoint()
    model = ModelSource(path=str(project / "model"), type="mlflow_model")
    stage.deploy("blue", model=model, request_settings=SETTINGS)
    script = stage.plan("green", model=model, code=str(code), scoring_script="score.py")
    stage.client.online_deployments.begin_create_or_update(script).result(120)
    stage.endpoint(traffic={"blue": 100})


SETTINGS = RequestSettings(
    request_timeout_ms=20_000, max_concurrent_requests_per_instance=4, max_queue_wait_ms=60_000
)


def score(stage: Stage, deployment: str | None = None) -> tuple[int, Any]:
    file = stage.project / "rows.json"
    file.write_text(json.dumps({"input_data": ROWS}))
    answer = stage.client.online_endpoints.invoke(
        "adult", request_file=file, deployment_name=deployment
    )
    return answer.status, json.loads(answer.body) if answer.status == 200 else answer.body


def test_an_mlflow_model_answers_without_a_script(real: Stage) -> None:
    assert score(real) == (200, ["low", "high"])


def test_a_scoring_script_runs_in_microsofts_server(real: Stage) -> None:
    status, body = score(real, "green")
    assert status == 200
    assert (body["hello"], body["found"]) == ("from near", ["low", "high"])
    logs = real.client.online_deployments.get_logs("green", "adult", lines=200)
    assert "this is init" in logs
    assert "POST /score 200" in logs


def test_no_instance_listens_on_a_port_of_the_machine(real: Stage) -> None:
    instances = {process.pid for process in real.processes("instance")}
    assert instances
    assert [c for c in psutil.net_connections("inet") if c.pid in instances] == []


def test_a_killed_instance_is_replaced_while_requests_wait(real: Stage) -> None:
    killed = real.processes("instance adult/blue")
    for process in killed:
        process.send_signal(signal.SIGKILL)
    # What comes meanwhile is answered with an error of the instance, or waits for the next one.
    status, _ = score(real)
    assert status in {200, 424}

    def is_replaced() -> bool:
        now = {process.pid for process in real.processes("instance adult/blue")}
        ready = real.client.online_deployments.get("blue", "adult").ready_instances
        return bool(now - {process.pid for process in killed}) and ready == 1

    real.wait_until(is_replaced)
    assert score(real) == (200, ["low", "high"])


def test_a_killed_master_of_a_script_takes_its_workers_along(real: Stage) -> None:
    before = {process.pid for process in real.processes("instance adult/green")}
    assert len(before) == 2
    master = min(before)
    os.kill(master, signal.SIGKILL)

    def is_replaced() -> bool:
        now = {process.pid for process in real.processes("instance adult/green")}
        ready = real.client.online_deployments.get("green", "adult").ready_instances
        return not now & before and ready == 1

    real.wait_until(is_replaced)
    assert score(real, "green")[0] == 200


def test_metrics_of_the_router_are_read(real: Stage) -> None:
    before = real.client.online_endpoints.metrics("adult")["blue"].requests.get("200", 0)
    score(real)
    found = real.client.online_endpoints.metrics("adult")["blue"]
    assert found.requests["200"] == before + 1
    assert found.latency["+Inf"] >= before + 1


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "def init():\n    raise KeyError('no weights')\ndef run(d):\n    return d\n",
            "no weights",
        ),
        ("import not_there_at_all\n", "not_there_at_all"),
        ("def init():\n    pass\n", "does not have a run"),
    ],
)
def test_a_script_that_cannot_begin_fails_with_its_log(
    real: Stage, script: str, problem: str
) -> None:
    code = real.project / "broken"
    code.mkdir(exist_ok=True)
    (code / "score.py").write_text(script)
    with pytest.raises(TargetError, match=problem):
        real.deploy("red", model=None, code=str(code), scoring_script="score.py")


def test_a_model_that_cannot_be_loaded_fails_with_its_log(real: Stage) -> None:
    broken = real.project / "no-model"
    broken.mkdir()
    (broken / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(TargetError, match="error: "):
        real.deploy("red", model=ModelSource(path=str(broken), type="mlflow_model"))


def test_tokens_open_the_real_router(real: Stage) -> None:
    real.endpoint(name="tokens", auth_mode="aad_token")
    file = real.project / "rows.json"
    file.write_text("{}")
    # Let in, and told that nothing serves: 404 and not 401.
    assert real.client.online_endpoints.invoke("tokens", request_file=file).status == 404
    real.client.online_endpoints.begin_delete("tokens").result(30)
