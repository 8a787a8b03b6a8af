"""Dry runs of endpoints and deployments: the real SDK, and nothing that leaves the machine."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amlocal.azure.client import AzureClient
from amlocal.azure.recorder import Request
from amlocal.azure.sdk import load, quiet
from amlocal.client import connect
from amlocal.endpoint_operations import EndpointClient
from amlocal.errors import SpecError, TargetError, UsageError

pytestmark = pytest.mark.usefixtures("no_network")

WORKSPACE = (
    "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
)


def made(client: AzureClient) -> list[str]:
    """Each request by its method and what it is about; uploads aside."""
    return [
        f"{request.method} {re.sub(rf'^{WORKSPACE}/', '', request.path.split('?')[0])}"
        for request in client.requests
        if not request.is_upload
    ]


def sent(request: Request) -> Any:
    return request.body["properties"]


def as_the_sdk_sends(rest: Any) -> Any:
    """Return the request body that azure-ai-ml itself makes of its REST object."""
    from azure.ai.ml._restclient.arm_ml_service._utils.model_base import SdkJSONEncoder

    return json.loads(json.dumps(rest, cls=SdkJSONEncoder, exclude_readonly=True))


def test_the_protocol_is_kept(client: AzureClient) -> None:
    operations: EndpointClient = client
    assert operations.online_endpoints.begin_delete("adult").result() is None


def test_an_endpoint_as_the_sdk_sends_it(client: AzureClient) -> None:
    poller = client.online_endpoints.begin_create_or_update(
        "endpoint.yml", overrides=["tags.c=d"], name="other"
    )
    assert (poller.done(), poller.status()) == (True, "Succeeded")
    endpoint = poller.result()
    assert (endpoint.name, endpoint.auth_mode, endpoint.tags) == (
        "other",
        "key",
        {"a": "b", "c": "d"},
    )
    assert made(client) == ["PUT onlineEndpoints/other"]
    with quiet():
        theirs = load("online endpoint", "endpoint.yml", ["tags.c=d"], {"name": "other"})
        body = as_the_sdk_sends(theirs._to_rest_online_endpoint(location=""))
    assert client.requests[0].body == body


def test_traffic_alone(client: AzureClient) -> None:
    endpoint = client.online_endpoints.begin_create_or_update(
        None, overrides=["traffic.blue=90", "traffic.green=10", "traffic.old=0"], name="adult"
    ).result()
    assert endpoint.traffic == {"blue": 90, "green": 10}
    (request,) = client.requests
    assert sent(request)["traffic"] == {"blue": 90, "green": 10}
    client.online_endpoints.begin_create_or_update(
        None, overrides=["mirror_traffic.green=10"], name="adult"
    )
    assert sent(client.requests[1])["mirrorTraffic"] == {"green": 10}


def test_a_deployment_comes_after_what_it_needs(client: AzureClient, project: Path) -> None:
    began = time.monotonic()
    deployment = client.online_deployments.begin_create_or_update(
        "blue.yml", overrides=["instance_count=3"]
    ).result()
    assert time.monotonic() - began < 4  # less than one look of the SDK's poller
    assert (deployment.name, deployment.endpoint_name) == ("blue", "adult")
    assert (deployment.instance_count, deployment.provisioning_state) == (3, "Succeeded")
    kinds = [line.split("/")[0] for line in made(client)]
    assert kinds == ["PUT codes", "PUT environments", "PUT models", "PUT onlineEndpoints"]
    code, environment, model, last = [r for r in client.requests if not r.is_upload]
    assert last.path.startswith(f"{WORKSPACE}/onlineEndpoints/adult/deployments/blue?")
    body = sent(last)
    assert body["codeConfiguration"]["codeId"] == code.path.split("?")[0]
    assert body["environmentId"] == environment.path.split("?")[0]
    assert body["model"] == model.path.split("?")[0]
    assert body["requestSettings"] == {"requestTimeout": "PT3S"}
    assert last.body["sku"]["capacity"] == 3
    script = next(r for r in client.requests if r.path.endswith("/score.py"))
    content = (project / "score" / "score.py").read_bytes()
    assert script.body["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_deployment_as_the_sdk_sends_it(client: AzureClient) -> None:
    with quiet():
        theirs = load("online deployment", "blue.yml", (), {})
    client.online_deployments.begin_create_or_update(theirs)
    with quiet():  # the SDK left the ids of what it created in its object
        body = as_the_sdk_sends(theirs._to_rest_object(location=""))
    assert client.requests[-1].body == body


def test_collected_data_is_registered(client: AzureClient) -> None:
    client.online_deployments.begin_create_or_update(
        "blue.yml", overrides=["data_collector.collections.model_inputs.enabled=True"]
    )
    assert made(client)[0] == "PUT data/adult-blue-model_inputs/versions/1"
    collection = sent(client.requests[-1])["dataCollector"]["collections"]["model_inputs"]
    assert collection["dataId"].endswith("/data/adult-blue-model_inputs/versions/1")


def test_an_invocation(client: AzureClient, project: Path) -> None:
    answer = client.online_endpoints.invoke(
        "adult", request_file=project / "request.json", deployment_name="blue"
    )
    assert answer.status == 200
    client.online_endpoints.invoke("adult", request_file="request.json")
    first, second = client.requests
    assert (first.method, first.path) == (
        "POST",
        "https://adult.dryrun.inference.ml.azure.com/score",
    )
    assert first.body == second.body == {"input_data": [[1]]}
    assert (first.headers, second.headers) == ({"azureml-model-deployment": "blue"}, {})
    assert not first.is_upload


def test_a_body_that_is_no_json(client: AzureClient, project: Path) -> None:
    (project / "request.json").write_bytes(b"\xff\x00")
    client.online_endpoints.invoke("adult", request_file="request.json")
    assert client.requests[0].body == "�\x00"
    with pytest.raises(UsageError, match="cannot be read"):
        client.online_endpoints.invoke("adult", request_file="nowhere.json")


def test_keys_and_ends(client: AzureClient) -> None:
    client.online_endpoints.begin_regenerate_keys("adult", key_type="secondary").result()
    client.online_deployments.begin_delete("blue", "adult").result()
    client.online_endpoints.begin_delete("adult").result()
    client.batch_deployments.begin_delete("main", "census").result()
    client.batch_endpoints.begin_delete("census").result()
    assert made(client) == [
        "POST onlineEndpoints/adult/regenerateKeys",
        "DELETE onlineEndpoints/adult/deployments/blue",
        "DELETE onlineEndpoints/adult",
        "DELETE batchEndpoints/census/deployments/main",
        "DELETE batchEndpoints/census",
    ]
    assert client.requests[0].body["keyType"] == "Secondary"


def test_a_batch_endpoint_and_its_default(client: AzureClient) -> None:
    endpoints = client.batch_endpoints
    assert endpoints.begin_create_or_update("census.yml").result().default_deployment == ""
    changed = endpoints.begin_create_or_update(
        None, overrides=["defaults.deployment_name=main"], name="census"
    ).result()
    assert changed.default_deployment == "main"
    assert sent(client.requests[0])["description"] == "files"
    assert sent(client.requests[1])["defaults"] == {"deploymentName": "main"}


@pytest.mark.parametrize(("file", "kind"), [("main.yml", "model"), ("pipe.yml", "pipeline")])
def test_a_batch_deployment_as_the_sdk_sends_it(client: AzureClient, file: str, kind: str) -> None:
    deployment = client.batch_deployments.begin_create_or_update(file).result()
    assert (deployment.endpoint_name, deployment.type) == ("census", kind)
    assert made(client) == [f"PUT batchEndpoints/census/deployments/{deployment.name}"]
    with quiet():
        theirs = load(f"{kind} batch deployment", file, (), {})
        theirs.compute = f"{WORKSPACE}/computes/cpu-cluster"
        theirs.model = f"{WORKSPACE}/models/adult/versions/3"
        if kind == "pipeline":
            theirs.component = f"{WORKSPACE}/components/score/versions/2"
        body = as_the_sdk_sends(theirs._to_rest_object(location=""))
    assert client.requests[-1].body == body


def test_a_pipeline_goes_with_its_deployment(client: AzureClient, project: Path) -> None:
    (project / "steps.yml").write_text(
        "type: pipeline\nname: steps\nversion: 1\n"
        "jobs: {train: {type: command, component: azureml:score:2}}\n"
    )
    file = project / "pipe.yml"
    file.write_text(file.read_text().replace("azureml:score:2", "./steps.yml"))
    client.batch_deployments.begin_create_or_update("pipe.yml")
    *_, component, last = client.requests
    assert component.path.startswith(f"{WORKSPACE}/components/")
    sent_id = sent(last)["deploymentConfiguration"]["componentId"]["assetId"]
    assert sent_id == component.path.split("?")[0]


def test_a_batch_invocation_uploads_its_input(client: AzureClient) -> None:
    told: list[str] = []
    job = client.batch_endpoints.invoke(
        "census",
        deployment_name="main",
        inputs={"input": "data"},
        output_path="azureml://datastores/store/paths/out/here",
        overrides=["output_file_name=scores.csv", "mini_batch_size=3"],
        job_name="scoring",
        experiment_name="exp",
        note=told.append,
    )
    assert (job.name, job.experiment_name) == ("scoring", "exp")
    assert told == ["the input is uploaded"]
    upload, invocation = client.requests
    assert upload.path.endswith("/data/x.csv")
    assert invocation.path == "https://census.dryrun.inference.ml.azure.com/jobs"
    assert invocation.headers == {"azureml-model-deployment": "main"}
    body = sent(invocation)
    assert body["inputData"]["input"]["jobInputType"] == "UriFolder"
    assert body["inputData"]["input"]["uri"].endswith("/data/")
    assert body["outputData"]["output_name"]["uri"] == (
        "azureml://datastores/store/paths/out/here/scores.csv"
    )
    assert (body["miniBatchSize"], body["name"]) == (3, "scoring")
    assert body["properties"] == {"experimentName": "exp"}


def test_inputs_of_a_pipeline(client: AzureClient) -> None:
    address = "https://example.com/data"
    client.batch_endpoints.invoke(
        "census",
        inputs={"file": "data/x.csv", "far": address, "asset": "azureml:adult:3", "mode": "append"},
        overrides=["inputs.far.type=uri_file", "inputs.more.path=azureml:more@latest"],
    )
    inputs = sent(client.requests[-1])["inputData"]
    assert inputs["file"]["jobInputType"] == "UriFile"
    assert inputs["far"] == {"jobInputType": "UriFile", "uri": address}
    assert inputs["asset"] == {
        "jobInputType": "UriFolder",
        "uri": f"{WORKSPACE}/data/adult/versions/3",
    }
    assert inputs["mode"] == {"jobInputType": "Literal", "value": "append"}
    assert inputs["more"]["uri"].endswith("/data/more/versions/latest")
    assert client.requests[-1].headers == {}


def test_an_output_must_be_in_azure(client: AzureClient) -> None:
    with pytest.raises(UsageError, match="'out' is not a place in Azure"):
        client.batch_endpoints.invoke("census", inputs={"input": "data"}, output_path="out")


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.online_endpoints.get("adult"),
        lambda client: client.online_endpoints.list(),
        lambda client: client.online_endpoints.get_keys("adult"),
        lambda client: client.online_endpoints.metrics("adult"),
        lambda client: client.online_deployments.get("blue", "adult"),
        lambda client: client.online_deployments.list("adult"),
        lambda client: client.online_deployments.get_logs("blue", "adult"),
        lambda client: client.online_deployments.begin_create_or_update(
            None, overrides=["instance_count=2"], name="blue", endpoint_name="adult"
        ),
        lambda client: client.batch_endpoints.get("census"),
        lambda client: client.batch_endpoints.list(),
        lambda client: client.batch_endpoints.list_jobs("census"),
        lambda client: client.batch_deployments.get("main", "census"),
        lambda client: client.batch_deployments.list("census"),
        lambda client: client.batch_deployments.list_jobs("main", "census"),
    ],
)
def test_what_only_a_workspace_knows(
    client: AzureClient, read: Callable[[AzureClient], object]
) -> None:
    with pytest.raises(TargetError, match="a dry run has no workspace to ask"):
        read(client)
    assert client.requests == ()


def test_our_checks_come_first(project: Path) -> None:
    """What the SDK would send, and Azure would refuse."""
    client = connect("azure", environ={}, dry_run=True)
    assert isinstance(client, AzureClient)
    (project / "blue.yml").write_text(
        (project / "blue.yml").read_text().replace("score.py", "scoer.py")
    )
    with pytest.raises(SpecError, match=r"blue.yml:5: .*scoer.py"):
        client.online_deployments.begin_create_or_update("blue.yml")
    with pytest.raises(SpecError, match="sums to 90"):
        client.online_endpoints.begin_create_or_update(
            None, overrides=["traffic.blue=90"], name="adult"
        )
    assert client.requests == ()


def test_arguments_without_a_meaning(client: AzureClient) -> None:
    with pytest.raises(UsageError, match="for the local target"):
        client.online_deployments.begin_create_or_update("blue.yml", environment="current")
    for deployments in (client.online_deployments, client.batch_deployments):
        with pytest.raises(UsageError, match="is not said"):
            deployments.begin_create_or_update(None, overrides=["instance_count=2"])
