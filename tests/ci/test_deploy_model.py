"""What the stage `deploy` does with the champion, by what the endpoint serves."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from tests.unit.cli.endpoint_fakes import FakeOnlineDeployments, FakeOnlineEndpoints

from amlocal.errors import NotFoundError, UsageError
from amlocal.plan import AssetInfo, OnlineDeploymentInfo, OnlineEndpointInfo
from amlocal.rollout import state

ROOT = Path(__file__).parents[2]
POLICY = ROOT / "endpoints/adult/rollout.yml"
MODEL = "income-classification"


def program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("deploy_model", ROOT / ".ci/deploy_model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Models:
    """A registry whose champion is a version, or nobody."""

    def __init__(self, champion: str) -> None:
        self.champion = champion

    def get(self, name: str, version: str | None = None, label: str | None = None) -> AssetInfo:
        if label != "champion" or not self.champion:
            raise NotFoundError(f"no label of model {name} named {label!r}")
        return AssetInfo(kind="model", name=name, version=self.champion)


def client(traffic: dict[str, int] | None, champion: str = "2", **served: str) -> Any:
    """Return a target; `traffic` is None where it has no endpoint yet."""
    endpoints = [] if traffic is None else [OnlineEndpointInfo(name="adult", traffic=traffic)]
    deployments = [
        OnlineDeploymentInfo(name=name, endpoint_name="adult", model=f"{MODEL}:{version}")
        for name, version in served.items()
    ]
    return SimpleNamespace(
        models=Models(champion),
        online_endpoints=FakeOnlineEndpoints(endpoints=endpoints),
        online_deployments=FakeOnlineDeployments(deployments=deployments),
    )


def commands(found: Any) -> list[str]:
    told: list[list[str]] = program().commands(found, POLICY, model=MODEL, other="blue")
    return [" ".join(each).replace(f"{POLICY.parent}/", "") for each in told]


GREEN = "online-deployment create -f green.yml -n green -e adult --set model=azureml:{}:2"


def test_where_there_is_nothing_the_first_deployment_gets_all_traffic() -> None:
    assert commands(client(None)) == [
        "online-endpoint create -f endpoint.yml -n adult",
        f"{GREEN.format(MODEL)} --all-traffic",
    ]
    # As after a first deployment that failed.
    assert commands(client({})) == [f"{GREEN.format(MODEL)} --all-traffic"]


@pytest.mark.parametrize(("live", "new"), [("blue", "green"), ("green", "blue"), ("v7", "green")])
def test_the_deployment_without_traffic_takes_over_by_stages(live: str, new: str) -> None:
    create, rollout = commands(client({live: 100, new: 0}, **{live: "1", new: "1"}))
    assert create.startswith(f"online-deployment create -f {new}.yml -n {new} -e adult ")
    assert create.endswith(f"model=azureml:{MODEL}:2")
    settings = f"--set deployment_name={new} deployment_file="
    assert rollout == f"online-deployment rollout -f rollout.yml {settings}"


def test_the_champion_that_serves_already_is_left_alone() -> None:
    assert commands(client({"blue": 100}, champion="1", blue="1", green="2")) == []


def test_after_a_way_back_the_newer_version_is_not_deployed_again() -> None:
    # Version 2 is the latest one; blue with version 1 was given the traffic, and 1 is champion.
    back = client({"blue": 100, "green": 0}, champion="1", blue="1", green="2")
    assert commands(back) == []


def test_a_rollout_under_way_is_left_alone() -> None:
    found = client({"blue": 100}, blue="1", green="2")
    running = state.RolloutState(to="green", state="running", stage=0, stages="", owner="x")
    before = state.TrafficBefore(traffic={"blue": 100}, mirror={})
    tags = {state.TAG: running.to_json().decode(), state.BEFORE_TAG: before.to_json().decode()}
    found.online_endpoints.endpoints = [
        OnlineEndpointInfo(name="adult", traffic={"blue": 100}, tags=tags)
    ]
    with pytest.raises(UsageError, match="a rollout to 'green' is at stage 1"):
        commands(found)


def test_traffic_on_both_is_for_people_to_settle() -> None:
    with pytest.raises(UsageError, match="'blue' has 50 %"):
        commands(client({"blue": 50, "green": 50}, blue="1", green="1"))


def test_without_a_champion_nothing_is_done() -> None:
    with pytest.raises(NotFoundError, match="champion"):
        commands(client({"blue": 100}, champion="", blue="1"))


def test_it_stops_at_the_first_command_that_fails() -> None:
    asked: list[str] = []

    def run(arguments: Sequence[str]) -> int:
        asked.append(" ".join(arguments))
        return 3 if "create" in arguments else 0

    todo = [["show"], ["create"], ["rollout"]]
    assert program().carry_out(todo, "azure", run) == 3
    assert asked == ["show --target azure -o table", "create --target azure -o table"]
    assert program().carry_out(todo[:1], "local", run) == 0


def test_what_is_missing_is_told_as_aml_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--policy", str(POLICY), "--model", MODEL]
    assert program().main(arguments, {"AMLOCAL_HOME": str(tmp_path / "workspace")}) == 2
    assert f"no model named '{MODEL}'" in capsys.readouterr().err
