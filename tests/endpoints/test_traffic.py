"""The demo's callers: what they send, when, and what they write down."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]


def load() -> ModuleType:
    place = PROJECT / "endpoints/adult/traffic.py"
    spec = importlib.util.spec_from_file_location("traffic", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["traffic"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


traffic = load()
CLERK = {"age": 30, "occupation": "Sales", "education_num": 9, "hours_per_week": 40}
WELDER = {"age": 30, "occupation": "Craft-repair", "education_num": 9, "hours_per_week": 40}


class Server(ThreadingHTTPServer):
    """Answers that everybody earns little; every fifth request fails."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.lock = threading.Lock()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        assert self.headers["authorization"] == "Bearer secret"
        with self.server.lock:
            self.server.requests.append((self.headers["x-request-id"], body["input_data"]))
            status = 200 if len(self.server.requests) % 5 else 503
        answer = json.dumps(["<=50K"]).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_world_changes_as_the_docs_say() -> None:
    poor, rich = {"income": "<=50K"}, {"income": ">50K"}
    assert traffic.shifted(WELDER | poor) == WELDER | rich | {"hours_per_week": 48}
    assert traffic.shifted(WELDER | poor | {"hours_per_week": 39})["income"] == "<=50K"
    assert traffic.shifted(CLERK | rich)["income"] == "<=50K"
    assert traffic.shifted(CLERK | rich | {"education_num": 13})["income"] == ">50K"
    assert traffic.shifted(CLERK | rich | {"occupation": None})["income"] == ">50K"
    assert traffic.shifted(CLERK | poor | {"hours_per_week": 95})["hours_per_week"] == 99


def test_rows_are_drawn_without_replacement_and_older_people_ask_more_often() -> None:
    def ages(count: int, *, seed: int = 0, shift: bool) -> list[int]:
        rows = traffic.rows_of(traffic.TABLE, seed=seed, shift=shift)
        return [row["age"] for row in itertools.islice(rows, count)]

    same, other = ages(3000, shift=False), ages(20_000, shift=True)
    assert ages(3000, shift=False) == same
    assert ages(100, seed=1, shift=False) != same[:100]
    # The mean of the table is 38.8, with a standard deviation of 13.8.
    assert sum(same) / 3000 == pytest.approx(38.8, abs=1)
    # However many have asked before, or the changed world would change once more.
    means = [sum(other[at : at + 2000]) / 2000 for at in range(0, 20_000, 2000)]
    assert min(means) > 44
    assert max(means) - min(means) < 2
    whole = traffic.rows_of(traffic.TABLE, seed=0, shift=False)
    once = [row["fnlwgt"] for row in itertools.islice(whole, 16281)]
    table = traffic.pyarrow.parquet.read_table(traffic.TABLE)
    assert sorted(once) == sorted(table["fnlwgt"].to_pylist())


def test_what_is_asked_has_its_truth_written_down_later(server: Server, tmp_path: Path) -> None:
    rows = ({**WELDER, "income": "<=50K", "fnlwgt": 1} for _ in itertools.count())
    address = f"http://127.0.0.1:{server.server_port}/score"
    found = traffic.Traffic(address, "secret", rows, tmp_path, rate=200, truth_delay=0.2)
    found.start()
    found.wait_for(40, seconds=20)
    found.stop()
    asked = dict(server.requests)
    assert set(found.statuses) == {"200", "503"}
    assert found.answered == found.right >= 40
    assert all(list(WELDER) == body["columns"] for body in asked.values())
    texts = [file.read_text() for file in tmp_path.glob("*.csv")]
    known = [row for text in texts for row in csv.DictReader(text.splitlines())]
    assert len(known) == found.answered
    assert {row["correlationid"] for row in known} <= asked.keys()
    assert {row["income"] for row in known} == {"<=50K"}
    assert not list(tmp_path.glob(".*"))


def test_no_more_is_sent_than_the_rate_says(server: Server, tmp_path: Path) -> None:
    rows = ({**CLERK, "income": ">50K"} for _ in itertools.count())
    address = f"http://127.0.0.1:{server.server_port}/score"
    found = traffic.Traffic(address, "secret", rows, tmp_path, rate=20, truth_delay=0)
    found.start()
    time.sleep(1.5)
    found.stop()
    assert 1 <= len(server.requests) <= 20 * 1.5 + 1
    assert found.right == 0


def test_an_endpoint_that_is_gone_is_told(tmp_path: Path) -> None:
    rows = ({**CLERK, "income": ">50K"} for _ in itertools.count())
    found = traffic.Traffic("http://127.0.0.1:9/score", "secret", rows, tmp_path, rate=50)
    found.start()
    with pytest.raises(TimeoutError, match=r"0 answers of 1: \{'ConnectionRefusedError'"):
        found.wait_for(1, seconds=0.5)
    found.stop()
    assert not list(tmp_path.glob("*.csv"))
