"""The server as it runs: a process, a socket, and many callers."""

from __future__ import annotations

import json
import random
import signal
import socket
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import pandas as pd
import pytest
from tests.unit.scoringserver.serving import ServerProcess, people

ROW = {"age": 30.0, "job": "smith", "children": 2}
COLUMNS = list(ROW)


def values(frame: pd.DataFrame) -> list[list[Any]]:
    return frame.astype(object).where(frame.notna(), None).to_numpy().tolist()


@pytest.fixture(scope="module")
def answers(people_model: Path) -> list[str]:
    """What the model says of 200 people."""
    return mlflow.pyfunc.load_model(str(people_model)).predict(people(200)).tolist()


def forms(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = values(frame)
    split = {"columns": COLUMNS, "index": list(range(len(rows))), "data": rows}
    records = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
    return [
        *({"input_data": each} for each in (split, records, rows, columns)),
        {"dataframe_split": split},
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": columns},
    ]


def test_every_form_gets_the_models_answers(
    people_server: ServerProcess, answers: list[str]
) -> None:
    frame = people(200)
    for path in ("/score", "/invocations"):
        for body in forms(frame):
            status, answer = people_server.score(body, path=path)
            assert status == 200
            assert answer == (answers if "input_data" in body else {"predictions": answers})
    data = frame.to_csv(index=False).encode()
    status, answer = people_server.request("POST", "/score", data, {"Content-Type": "text/csv"})
    assert status == 200
    assert len(json.loads(answer)["predictions"]) == 200


def test_shuffled_rows_of_many_callers_get_their_own_answers(
    people_server: ServerProcess, answers: list[str]
) -> None:
    rows = values(people(200))
    order = [place for _ in range(5) for place in range(200)]
    random.Random(0).shuffle(order)
    local, connections = threading.local(), []

    def score(place: int) -> tuple[int, Any]:
        if not hasattr(local, "connection"):
            local.connection = people_server.connection()
            connections.append(local.connection)
        # Every tenth is wrong, in the midst of the others.
        wrong = place % 10 == 0
        row = ["x", *rows[place][1:]] if wrong else rows[place]
        body = json.dumps({"input_data": {"columns": COLUMNS, "data": [row]}})
        local.connection.request("POST", "/score", body, {"Content-Type": "application/json"})
        response = local.connection.getresponse()
        return response.status, json.loads(response.read())

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(score, order))
    for connection in connections:
        connection.close()
    for place, (status, answer) in zip(order, found, strict=True):
        if place % 10 == 0:
            assert status == 400
            assert "column 'age', row 0: the text" in answer["message"]
        else:
            assert (status, answer) == (200, [answers[place]])


def test_a_model_that_raises_is_a_short_500_with_its_traceback_in_the_log(
    people_server: ServerProcess,
) -> None:
    # The model needs all of its columns; the signature has it that one is optional.
    status, answer = people_server.score(
        {"input_data": {"columns": ["age", "children"], "data": [[1, 2]]}}
    )
    assert status == 500
    assert answer["message"].startswith("the model raised ValueError: columns are missing")
    assert "Traceback" not in answer["message"]
    assert "Traceback" in people_server.log.read_text()


def test_a_body_over_the_limit_is_refused_and_the_server_goes_on(
    people_server: ServerProcess,
) -> None:
    status, answer = people_server.score(b" " * 30_000_000)
    assert status == 413
    assert "2000000" in answer["message"]
    assert people_server.score({"input_data": [ROW]})[0] == 200


def test_a_connection_is_kept(people_server: ServerProcess) -> None:
    connection = people_server.connection()
    for body in (b"{", json.dumps({"input_data": [ROW]}).encode(), b" " * 3_000_000, b"[]"):
        connection.request("POST", "/score", body)
        response = connection.getresponse()
        assert response.status in (200, 400, 413)
        response.read()
    assert connection.sock is not None
    connection.close()


def test_the_socket_is_its_owners(people_server: ServerProcess) -> None:
    assert stat.S_IMODE(Path(people_server.address).stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.slow
def test_told_to_end_it_answers_what_is_in_hand(
    people_model: Path, tmp_path: Path, number: int
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))  # one that a killed server has left
    server = ServerProcess.start(people_model, "--socket", str(path))
    with server:
        assert server.request("GET", "/") == (200, b"Healthy")
        body = json.dumps({"input_data": [list(ROW.values())] * 20_000}).encode()
        with ThreadPoolExecutor(4) as pool:
            pending = [pool.submit(server.score, body) for _ in range(4)]
            connection = server.connection()
            connection.request("POST", "/score", body)
            assert server.end(number) == 0
            assert connection.getresponse().status == 200
            assert [each.result()[0] for each in pending] == [200] * 4
    assert not path.exists()


def test_a_port(people_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ServerProcess.start(people_model, "--port", "0", "--batch-rows", "1", log=log) as server:
        assert server.address.startswith("http://127.0.0.1:")
        assert server.score({"input_data": [ROW]})[0] == 200
        assert "one request at a time" in log.read_text()
        port = server.address.rpartition(":")[2]
        second = ServerProcess.start(people_model, "--port", port, log=tmp_path / "second")
        assert second.process.wait(60) == 2
        assert (
            (tmp_path / "second").read_text().splitlines()[-1].startswith(f"error: {port}: Address")
        )


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_ends_it_with_the_reason(tmp_path: Path) -> None:
    server = ServerProcess.start(tmp_path, "--socket", str(tmp_path / "s"))
    assert server.process.wait(60) == 1
    last = server.log.read_text().splitlines()[-1]
    assert last == f"error: no MLflow model in {tmp_path}: it has no MLmodel file"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--port", "x"],
        ["--port", "70000"],
        ["--port", "0", "--socket", "s"],
        ["--port", "0", "--threads", "0"],
        ["--port", "0", "--max-body", "-1"],
    ],
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from scoringserver.__main__ import main

    with pytest.raises(SystemExit) as raised:
        main(["--model", "m", *arguments])
    assert raised.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m scoringserver")
