"""What instances and routers are told of the data collector."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from requests import Request, Session

from amlocal.local.endpoints.keys import EndpointKeys
from amlocal.local.endpoints.records import EndpointRecord
from amlocal.local.endpoints.supervisor.collecting import collector_variables
from amlocal.local.endpoints.supervisor.table import router_table
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import DataCollection, DataCollector, OnlineDeployment, OnlineEndpoint

COLLECTOR = DataCollector(
    collections={"model_inputs": DataCollection(), "mine": DataCollection(enabled=False)},
    sampling_rate=0.1,
)


def version(
    folder: Path, *, script: str | None = "score.py", collector: DataCollector | None = COLLECTOR
) -> DeploymentVersion:
    plan = OnlineDeployment(
        name="blue", endpoint_name="adult", scoring_script=script, data_collector=collector
    )
    choice = EnvironmentChoice("current", "python", "", "3.11.0", "python")
    return DeploymentVersion(plan=plan, folder=str(folder), choice=choice)


def test_the_package_finds_where_to_send(tmp_path: Path) -> None:
    found = collector_variables(version(tmp_path), "blue-0", 8080, "s3cret", {})
    config = json.loads(Path(found["AZUREML_MDC_CONFIG_PATH"]).read_text())
    # Nothing is drawn by the package: that would tear inputs from outputs.
    assert config["collections"] == {
        "model_inputs": {"enabled": True, "sampleRatePercentage": 100},
        "mine": {"enabled": False, "sampleRatePercentage": 100},
    }
    assert config["runMode"] == "cloud"
    # As the package's sender makes its address.
    host, port = found["AZUREML_MDC_HOST"], int(found["AZUREML_MDC_PORT"])
    address = f"http://{host}:{port}/modeldata/log"
    with Session() as session:
        sent = session.prepare_request(Request("POST", address, data="[]"))
    assert sent.path_url == "/modeldata/log"
    assert sent.headers["Authorization"] == "Basic Ymx1ZS0wOnMzY3JldA=="


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"NO_PROXY": "127.0.0.1"}),
        ({"NO_PROXY": "local", "no_proxy": ""}, {"NO_PROXY": "local,127.0.0.1"}),
        ({"no_proxy": "local"}, {"no_proxy": "local,127.0.0.1"}),
    ],
)
def test_rows_go_through_no_proxy(
    tmp_path: Path, given: dict[str, str], wanted: dict[str, str]
) -> None:
    found = collector_variables(version(tmp_path), "blue-0", 8080, "key", given)
    assert {name: found[name] for name in found if not name.startswith("AZUREML_")} == wanted


def test_without_script_or_collector_there_is_nothing_to_send(tmp_path: Path) -> None:
    for made in (version(tmp_path, script=None), version(tmp_path, collector=None)):
        assert collector_variables(made, "blue-0", 8080, "key", {}) == {}
    assert list(tmp_path.iterdir()) == []


def test_the_router_knows_who_has_a_script(tmp_path: Path) -> None:
    endpoint = EndpointRecord(OnlineEndpoint(name="adult", traffic={}), 1, "Succeeded", 0.0)
    serving = {
        "blue": (version(tmp_path), {"blue-0": "unix:/b"}),
        "green": (version(tmp_path, script=None), {"green-0": "unix:/g"}),
        "red": (version(tmp_path, collector=None), {"red-0": "unix:/r"}),
    }
    keys = EndpointKeys("primary", "secondary", "00")
    table = router_table(1, endpoint, keys, serving, tmp_path / "collected", "s3cret")
    found = {name: entry["collector"] for name, entry in table["deployments"].items()}
    assert found["blue"]["script_key"] == "s3cret"
    assert found["blue"]["folder"] == str(tmp_path / "collected/blue")
    assert found["green"]["script_key"] == ""
    assert found["red"] is None
