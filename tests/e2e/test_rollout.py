"""Rollouts of real deployments, under requests that never stop."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.unit.rollout.fakes import Watching

import amlocal
from amlocal.client import load_rollout
from amlocal.plan import RolloutResult
from amlocal.rollout import state as states
from amlocal.rollout.measurements import RouterCounters
from amlocal.rollout.start import roll_out
from amlocal.rollout.switch import abort

pytestmark = pytest.mark.slow

ENVIRONMENT = "{name: plain, image: none, conda_file: {dependencies: [python]}}"
DEPLOYMENT = """\
name: {name}
endpoint_name: pairs
code_configuration: {{code: {name}, scoring_script: score.py}}
environment: {environment}
instance_type: Standard_DS3_v2
request_settings:
  max_concurrent_requests_per_instance: 8
  max_queue_wait_ms: 5000
"""
SCRIPT = """\
import json, time
def init(): pass
def run(raw):
    rows = json.loads(raw)["input_data"]
    {line}
    return [2 * row for row in rows]
"""
SCRIPTS = {
    "blue": "",
    "green": "",
    "raising": "assert all(row % 5 for row in rows)",
    "slow": "time.sleep(0.04)",
    "other": "rows = [row + (row % 5 == 0) for row in rows]",
}
POLICY = """\
endpoint_name: pairs
deployment_name: {name}
deployment_file: {name}.yml
stages:
  - {{shadow: 50, duration: 3, minimum_requests: 50}}
  - {{traffic: 20, duration: 3, minimum_requests: 50}}
  - {{traffic: 60, duration: 3, minimum_requests: 50}}
  - {{traffic: 100, duration: 3, minimum_requests: 50}}
rules:
  error_rate: {{maximum: 0.02, maximum_increase: 0.02}}
  latency: [{{percentile: 80, maximum_ratio: 3}}]
  agreement: {{minimum: 0.95}}
  confidence: 0.95
"""
CONDUCTING = """\
import sys, amlocal
from amlocal.client import load_rollout
from amlocal.rollout.measurements import RouterCounters
from amlocal.rollout.start import roll_out
from tests.unit.rollout.fakes import Watching
client = amlocal.connect("local", path=sys.argv[1])
policy = load_rollout(sys.argv[2])
roll_out(client, policy, RouterCounters(client.online_endpoints, "pairs"), observer=Watching())
"""


@dataclass
class Callers:
    """Post rows to an endpoint, one after another, each of them with another row."""

    address: str
    key: str
    #: The row, the status, and the answer of each request.
    answers: list[tuple[int, int, Any]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def calling(self, count: int = 3) -> Iterator[None]:
        """Call until the block ends."""
        over = threading.Event()
        rows = itertools.count()
        threads = [threading.Thread(target=self._call, args=(rows, over)) for _ in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _call(self, rows: Iterator[int], over: threading.Event) -> None:
        place = urlsplit(self.address)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(place.netloc, timeout=30)
        for row in rows:
            if over.wait(0.05):
                break
            try:
                connection.request("POST", place.path, json.dumps({"input_data": [row]}), headers)
                answer = connection.getresponse()
                self.answers.append((row, answer.status, json.loads(answer.read())))
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.lost.append(f"{row}: {error!r}")
        connection.close()

    def wrong(self) -> list[tuple[int, int, Any]]:
        return [each for each in self.answers if each[1:] != (200, [2 * each[0]])]


@dataclass
class Served:
    """An endpoint whose deployment `blue` has all traffic."""

    client: Any
    folder: Path

    def policy(self, name: str) -> Path:
        for suffix, text in (
            ("", DEPLOYMENT.format(name=name, environment=ENVIRONMENT)),
            ("-rollout", POLICY.format(name=name)),
        ):
            (self.folder / f"{name}{suffix}.yml").write_text(text)
        (self.folder / name).mkdir(exist_ok=True)
        script = SCRIPT.format(line=SCRIPTS[name])
        (self.folder / name / "score.py").write_text(textwrap.dedent(script))
        return self.folder / f"{name}-rollout.yml"

    def callers(self) -> Callers:
        endpoint = self.client.online_endpoints.get("pairs")
        key = self.client.online_endpoints.get_keys("pairs").primary_key
        return Callers(endpoint.scoring_uri, key)

    def roll_out(self, name: str, *, resume: bool = False) -> RolloutResult:
        counters = RouterCounters(self.client.online_endpoints, "pairs")
        policy = load_rollout(self.policy(name))
        return roll_out(self.client, policy, counters, observer=Watching(), resume=resume)

    def traffic(self) -> dict[str, int]:
        traffic = self.client.online_endpoints.get("pairs").traffic
        return {name: share for name, share in traffic.items() if share}

    def back(self) -> None:
        self.client.online_endpoints.begin_create_or_update(
            None, overrides=["traffic.blue=100"], name="pairs"
        ).result()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("project")
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    client: Any = amlocal.connect("local", path=folder / ".amlocal", environ=environ)
    found = Served(client, folder)
    (folder / "endpoint.yml").write_text("name: pairs\nauth_mode: key\n")
    try:
        client.online_endpoints.begin_create_or_update(folder / "endpoint.yml").result(60)
        found.policy("blue")
        client.online_deployments.begin_create_or_update(folder / "blue.yml").result(120)
        found.back()
        yield found
    finally:
        client.workspace.down()


def test_a_good_deployment_gets_all_traffic_and_no_request_is_lost(served: Served) -> None:
    callers = served.callers()
    with callers.calling():
        result = served.roll_out("green")
    assert result.outcome == "completed", result
    assert result.traffic == {"green": 100}
    assert callers.lost == []
    assert callers.wrong() == []
    assert len(callers.answers) > 300
    served.back()


@pytest.mark.parametrize(
    ("name", "rule"),
    [("raising", "error rate"), ("slow", "p80 latency"), ("other", "agreement")],
)
def test_a_bad_deployment_is_returned_before_it_answers_anybody(
    served: Served, name: str, rule: str
) -> None:
    callers = served.callers()
    with callers.calling(1):  # few, so that a slow one is slow and not overrun
        result = served.roll_out(name)
    assert result.outcome == "returned", result
    assert result.traffic == {"blue": 100}
    assert result.reason.startswith("shadow 50 %")
    breached = [v.rule for v in result.stages[-1].verdicts if v.outcome == "breached"]
    assert rule in breached
    assert (callers.lost, callers.wrong()) == ([], [])


def test_a_killed_rollout_leaves_a_state_to_resume_or_to_return_from(served: Served) -> None:
    callers = served.callers()
    with callers.calling():
        for ending in ("resume", "abort"):
            _killed_at_stage(served, 1)
            assert served.traffic() == {"blue": 80, "green": 20}
            if ending == "resume":
                result = served.roll_out("green", resume=True)
                assert (result.outcome, len(result.stages)) == ("completed", 3)
                served.back()
            else:
                abort(served.client, "pairs")
                assert served.traffic() == {"blue": 100}
    assert (callers.lost, callers.wrong()) == ([], [])


def _killed_at_stage(served: Served, stage: int) -> None:
    """Conduct a rollout in a process, and kill that in a stage."""
    policy = served.policy("green")
    process = subprocess.Popen(
        [sys.executable, "-c", CONDUCTING, served.folder / ".amlocal", policy],
        cwd=Path(__file__).parents[2],
    )
    try:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            found = states.read(served.client.online_endpoints.get("pairs"))
            if found is not None and (found[0].state, found[0].stage) == ("running", stage):
                return
            time.sleep(0.1)
        pytest.fail(f"stage {stage} never began; the process ended with {process.poll()}")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
