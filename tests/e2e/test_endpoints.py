"""The lifecycle's model, deployed from Azure's own YAML and asked over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import psutil
import pytest
from tests.e2e.driver import Aml, short_lifecycle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_PREDICT = """
import json, sys, mlflow.pyfunc, pandas as pd
table = pd.read_parquet(sys.argv[2]).drop(columns=["income"])
model = mlflow.pyfunc.load_model(sys.argv[1])
numbers = {name: "float64" for name in table.select_dtypes("number")}
print(json.dumps(model.predict(table.astype(numbers)).tolist()))
"""


class Endpoint:
    """An endpoint as a client sees it: an address and a key."""

    def __init__(self, aml: Aml, name: str) -> None:
        shown = aml.json("online-endpoint", "show", "-n", name)
        parts = urlsplit(shown["scoring_uri"])
        assert parts.hostname
        assert parts.port
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.keys = aml.json("online-endpoint", "get-credentials", "-n", name)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=60)

    def post(
        self,
        body: Any,
        *,
        key: str | None = None,
        connection: http.client.HTTPConnection | None = None,
        **headers: str,
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, body (parsed where it is JSON), and headers of an answer."""
        line = connection or self.connect()
        fields = {"Content-Type": "application/json"}
        fields["Authorization"] = f"Bearer {self.keys['primaryKey'] if key is None else key}"
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        line.request("POST", self.path, json.dumps(body), fields)
        answer = line.getresponse()
        text = answer.read().decode()
        found = {name.lower(): value for name, value in answer.getheaders()}
        if connection is None:
            line.close()
        is_json = "json" in found.get("content-type", "")
        return answer.status, json.loads(text) if is_json else text, found


@pytest.fixture(scope="module")
def adult(aml: Aml) -> Endpoint:
    assert aml.job(short_lifecycle(aml.project))["status"] == "Completed"
    # The two commands that the lifecycle ends with.
    aml.run("online-endpoint", "create", "-f", "endpoints/adult/endpoint.yml")
    aml.run("online-deployment", "create", "-f", "endpoints/adult/blue.yml", "--all-traffic")
    return Endpoint(aml, "adult")


def rows(aml: Aml) -> pd.DataFrame:
    return pd.read_parquet(aml.project / "data/adult-test.parquet").drop(columns=["income"])


def body_of(table: pd.DataFrame) -> dict[str, Any]:
    return {"input_data": json.loads(table.to_json(orient="split"))}


def test_it_answers_the_request_of_the_demo(aml: Aml, adult: Endpoint) -> None:
    done = aml.run("online-endpoint", "invoke", "-n", "adult", "-r", "endpoints/adult/request.json")
    answer = json.loads(done.stdout)
    assert answer
    assert set(answer) <= {"<=50K", ">50K"}
    status, found, headers = adult.post(
        json.loads((aml.project / "endpoints/adult/request.json").read_text())
    )
    assert (status, found) == (200, answer)
    assert headers["azureml-model-deployment"] == "blue"
    assert headers["x-request-id"]


def test_all_test_rows_at_once_are_answered_as_the_model_predicts(
    aml: Aml, adult: Endpoint
) -> None:
    table = rows(aml)
    (version,) = aml.json("model", "list", "-n", "income-classification")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _PREDICT,
            version["path"],
            str(aml.project / "data/adult-test.parquet"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    wanted = json.loads(done.stdout.splitlines()[-1])
    order = list(range(len(table)))
    random.Random(0).shuffle(order)
    columns = list(table.columns)
    values = json.loads(table.to_json(orient="values"))

    def ask(numbers: Sequence[int]) -> list[tuple[int, int, Any]]:
        line = adult.connect()
        found = []
        for number in numbers:
            body = {"input_data": {"columns": columns, "data": [values[number]]}}
            status, answer, _ = adult.post(body, connection=line)
            found.append((number, status, answer))
        line.close()
        return found

    with ThreadPoolExecutor(16) as pool:
        parts = list(pool.map(ask, [order[start::16] for start in range(16)]))
    answers = {number: (status, answer) for part in parts for number, status, answer in part}
    assert len(answers) == 16_281
    assert {status for status, _ in answers.values()} == {200}
    assert [answers[number][1] for number in range(len(table))] == [[label] for label in wanted]


def test_keys_open_it_and_nothing_else_does(aml: Aml, adult: Endpoint) -> None:
    body = body_of(rows(aml).head(2))
    assert adult.post(body, key="wrong")[0] == 401
    assert adult.post(body, key="")[0] == 401
    second = adult.keys["secondaryKey"]
    assert adult.post(body, key=second)[0] == 200
    aml.run("online-endpoint", "regenerate-keys", "-n", "adult", "--key-type", "primary")
    assert adult.post(body)[0] == 401
    assert adult.post(body, key=second)[0] == 200
    adult.keys = aml.json("online-endpoint", "get-credentials", "-n", "adult")
    assert adult.keys["secondaryKey"] == second
    assert adult.post(body)[0] == 200


def test_wrong_rows_are_refused_with_the_reason(aml: Aml, adult: Endpoint) -> None:
    table = rows(aml).head(2)
    status, answer, headers = adult.post(body_of(table.drop(columns=["age"])))
    assert status == 424
    assert headers["ms-azureml-model-error-statuscode"] == "400"
    assert "age" in json.dumps(answer)
    status, answer, _ = adult.post(body_of(table.assign(age="old")))
    assert status == 424
    assert "age" in json.dumps(answer)
    assert adult.post(body_of(table))[0] == 200


def test_traffic_moves_to_a_second_deployment_and_none_is_lost(aml: Aml, adult: Endpoint) -> None:
    aml.run("online-deployment", "create", "-f", "endpoints/adult/green.yml")
    table = rows(aml).head(1)
    by_name = adult.post(body_of(table), **{"azureml-model-deployment": "green"})
    assert (by_name[0], by_name[2]["azureml-model-deployment"]) == (200, "green")
    assert by_name[1] == adult.post(body_of(table))[1]
    found: list[tuple[int, str]] = []
    with ThreadPoolExecutor(5) as pool:
        stop = time.monotonic() + 12

        def ask(_: int) -> None:
            line = adult.connect()
            while time.monotonic() < stop:
                status, _, headers = adult.post(body_of(table), connection=line)
                found.append((status, headers.get("azureml-model-deployment", "")))
            line.close()

        asking = [pool.submit(ask, number) for number in range(2)]
        time.sleep(2)
        aml.run("online-endpoint", "update", "-n", "adult", "--traffic", "blue=0 green=100")
        for one in asking:
            one.result()
    assert {status for status, _ in found} == {200}
    assert {name for _, name in found} == {"blue", "green"}
    assert found[-1][1] == "green"
    refused = aml.run("online-deployment", "delete", "-n", "green", "-e", "adult", "-y", code=2)
    assert "traffic" in refused.stderr
    aml.run("online-endpoint", "update", "-n", "adult", "--traffic", "blue=100 green=0")
    aml.run("online-deployment", "delete", "-n", "green", "-e", "adult", "-y")
    assert aml.json("online-endpoint", "show", "-n", "adult")["traffic"] == {"blue": 100}


def test_the_model_knows_where_it_serves(aml: Aml, adult: Endpoint) -> None:
    (job,) = [job for job in aml.json("job", "list") if job["display_name"] == "lifecycle"]
    serving = json.dumps(aml.json("job", "show", "-n", job["name"])["tracking"]["serving"])
    assert "adult" in serving
    assert "blue" in serving


def test_files_are_scored_as_the_model_predicts_them(
    aml: Aml, adult: Endpoint, tmp_path: Path
) -> None:
    folder = "endpoints/adult-batch"
    aml.run("batch-endpoint", "create", "-f", f"{folder}/endpoint.yml")
    aml.run("batch-deployment", "create", "-f", f"{folder}/deployment.yml", "--set-default")
    given = ("--input", "data/adult-sample")
    job = aml.json("batch-endpoint", "invoke", "-n", "adult-batch", *given)
    aml.run("job", "stream", "-n", job["name"])
    aml.run("job", "download", "-n", job["name"], "--output-name", "score", "-p", str(tmp_path))
    (file,) = tmp_path.rglob("predictions.csv")
    scored = pd.read_csv(file, header=None, names=["row", "prediction", "file"])
    for path in sorted((aml.project / "data/adult-sample").glob("*.csv")):
        table = pd.read_csv(path)
        status, expected, _ = adult.post(body_of(table.drop(columns=["income"], errors="ignore")))
        assert status == 200
        of_file = scored[scored["file"] == path.name].sort_values("row")
        assert of_file["prediction"].tolist() == expected
    aml.run("batch-endpoint", "delete", "-n", "adult-batch", "-y")


def test_it_outlives_a_kill_and_comes_back_after_down(aml: Aml, adult: Endpoint) -> None:
    body = body_of(rows(aml).head(1))
    instances = {
        int(pid)
        for pid, what in aml.json("workspace", "show")["processes"].items()
        if "instance" in what
    }
    assert instances
    for pid in instances:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: adult.post(body)[0] == 200)
    aml.run("workspace", "down")
    assert not any(psutil.pid_exists(pid) for pid in instances)
    assert not (aml.home / "endpoints/adult/keys.json").stat().st_mode & 0o077
    (listed,) = aml.json("online-endpoint", "list")
    assert listed["name"] == "adult"
    aml.run("workspace", "up")
    wait_for(lambda: Endpoint(aml, "adult").post(body)[0] == 200)


def wait_for(is_so: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            if is_so():
                return
        except (OSError, AssertionError) as error:  # nobody listens yet
            if time.monotonic() > end:
                raise TimeoutError from error
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_deleted_endpoint_is_gone(aml: Aml, adult: Endpoint) -> None:
    endpoint = Endpoint(aml, "adult")
    aml.run("online-endpoint", "delete", "-n", "adult", "-y")
    assert aml.json("online-endpoint", "list") == []
    with pytest.raises(ConnectionRefusedError):
        endpoint.post(body_of(rows(aml).head(1)))
    assert not Path(aml.home / "endpoints/adult").exists()
