from __future__ import annotations

import json
from pathlib import Path

from amlocal.local.endpoints.keys import EndpointKeys
from amlocal.local.endpoints.records import EndpointRecord
from amlocal.local.endpoints.router.table import read_table
from amlocal.local.endpoints.supervisor.table import router_table
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import DataCollection, DataCollector, OnlineDeployment, OnlineEndpoint

CHOICE = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")
KEYS = EndpointKeys.new()
COLLECTOR = DataCollector(
    collections={"model_inputs": DataCollection(sampling_rate=0.5)}, redacted=("age",)
)


def version(collector: DataCollector | None = None) -> DeploymentVersion:
    plan = OnlineDeployment(name="blue", endpoint_name="adult", data_collector=collector)
    return DeploymentVersion(plan=plan, folder="", choice=CHOICE, model="m:1")


def test_the_router_reads_what_the_supervisor_writes() -> None:
    plan = OnlineEndpoint(name="adult", traffic={"blue": 100, "green": 0}, mirror_traffic={})
    table = router_table(
        7,
        EndpointRecord(plan, 1, "Succeeded", 0.0),
        KEYS,
        {"blue": (version(COLLECTOR), {"blue-1": "unix:/s/1"}), "green": (version(), {})},
        Path("/data/adult"),
        "the key of scripts",
    )
    read = read_table(json.dumps(table).encode())
    assert (read.revision, read.endpoint) == (7, "adult")
    assert (read.traffic, read.mirror) == ({"blue": 100}, {})
    assert read.auth.digests == tuple(KEYS.digests())
    blue, green = read.deployments["blue"], read.deployments["green"]
    assert [(i.id, i.address) for i in blue.instances] == [("blue-1", "unix:/s/1")]
    assert (blue.model, blue.request_timeout_ms, blue.max_queue_wait_ms) == ("m:1", 5000, 500)
    # Requests wait for a deployment whose instances are all being replaced.
    assert (green.instances, green.collector) == ((), None)
    assert blue.collector is not None
    assert blue.collector.folder == "/data/adult/blue"
    assert blue.collector.collections == COLLECTOR.collections
    assert blue.collector.redacted == ("age",)
    assert KEYS.primary not in json.dumps(table)
