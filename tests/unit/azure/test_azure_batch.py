"""Batch endpoints and deployments of a workspace, by what goes over the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.service import (
    WORKSPACE,
    Service,
    Told,
    batch_deployment,
    batch_endpoint,
    connected,
    failed,
)

from amlocal.azure.client import AzureClient
from amlocal.azure.sdk import Input, Output
from amlocal.errors import NotFoundError, SpecError, UsageError
from amlocal.plan import JobStatus

pytestmark = pytest.mark.usefixtures("no_network")

CENSUS = f"{WORKSPACE}/batchEndpoints/census"
MAIN = f"{CENSUS}/deployments/main"
SCORING = "https://census.westeurope.inference.ml.azure.com/jobs"
DISCOVERY = "https://westeurope.api.azureml.ms/discovery"
JOBS = "https://westeurope.api.azureml.ms/mferp/managementfrontend"
PIPELINE = {
    "deploymentConfigurationType": "PipelineComponent",
    "settings": {},
    "componentId": {"assetId": f"{WORKSPACE}/components/score/versions/2"},
}


@pytest.fixture
def service() -> Service:
    service = Service()
    workspace = {"mlFlowTrackingUri": "azureml://x", "discoveryUrl": DISCOVERY}
    service.on("GET", WORKSPACE, Told({"name": "w", "location": "eu", "properties": workspace}))
    service.on("GET", DISCOVERY, Told({"api": "https://westeurope.api.azureml.ms"}))
    service.on("GET", CENSUS, Told(batch_endpoint()))
    service.on("PUT", CENSUS, Told(batch_endpoint()))
    service.on("GET", f"{CENSUS}/deployments", Told({"value": [batch_deployment()]}))
    service.on("GET", MAIN, Told(batch_deployment()))
    service.on("PUT", MAIN, Told(batch_deployment()))
    return service


@pytest.fixture
def client(service: Service) -> AzureClient:
    made: AzureClient = connected(service, AzureClient)
    return made


def job(name: str, status: str) -> dict[str, Any]:
    return {"name": name, "properties": {"status": status}}


def put(service: Service) -> Any:
    """The body of the one PUT."""
    (request,) = [each for each in service.changes() if each.method == "PUT"]
    return request.body


def test_an_endpoint_and_its_deployments(client: AzureClient, service: Service) -> None:
    piped = batch_deployment("piped", deploymentConfiguration=PIPELINE, model=None)
    service.on("GET", f"{CENSUS}/deployments", Told({"value": [piped, batch_deployment()]}))
    service.on("GET", f"{WORKSPACE}/batchEndpoints", Told({"value": [batch_endpoint()]}))
    endpoint = client.batch_endpoints.get("census")
    assert (endpoint.default_deployment, endpoint.deployments) == ("main", ("main", "piped"))
    assert [each.name for each in client.batch_endpoints.list()] == ["census"]
    main, other = client.batch_deployments.list("census")
    assert (main.type, main.model, main.endpoint_name) == ("model", "adult:3", "census")
    assert (other.type, other.model) == ("pipeline", "")
    assert client.batch_deployments.get("main", "census").name == "main"


def test_what_is_not_said_stays(client: AzureClient, service: Service) -> None:
    client.batch_endpoints.begin_create_or_update(
        None, overrides=["description=new"], name="census"
    ).result()
    body = put(service)
    assert body["properties"]["defaults"] == {"deploymentName": "main"}
    assert (body["properties"]["description"], body["tags"]) == ("new", {"a": "b"})


def test_another_default(client: AzureClient, service: Service) -> None:
    client.batch_endpoints.begin_create_or_update(
        None, overrides=["defaults.deployment_name=other"], name="census"
    )
    assert put(service)["properties"]["defaults"] == {"deploymentName": "other"}


def test_an_endpoint_that_is_new(client: AzureClient, service: Service, project: Path) -> None:
    service.on("GET", CENSUS, failed(404, "no such endpoint"))
    made = client.batch_endpoints.begin_create_or_update("census.yml").result()
    assert made.name == "census"
    assert "defaults" not in put(service)["properties"]


def test_a_change_sends_the_rest_again(client: AzureClient, service: Service) -> None:
    client.batch_deployments.begin_create_or_update(
        None, overrides=["mini_batch_size=7"], name="main", endpoint_name="census"
    ).result()
    properties = put(service)["properties"]
    assert properties["miniBatchSize"] == 7
    assert properties["model"]["assetId"] == f"{WORKSPACE}/models/adult/versions/3"
    assert properties["compute"] == f"{WORKSPACE}/computes/cpu-cluster"
    assert properties["outputFileName"] == "predictions.csv"


def test_a_pipeline_is_changed_by_its_file(client: AzureClient, service: Service) -> None:
    service.on("GET", MAIN, Told(batch_deployment(deploymentConfiguration=PIPELINE, model=None)))
    with pytest.raises(UsageError, match="cannot change 'main', which runs a pipeline"):
        client.batch_deployments.begin_create_or_update(
            None, overrides=["mini_batch_size=7"], name="main", endpoint_name="census"
        )
    assert service.changes() == []


def test_a_type_that_a_setting_says(client: AzureClient, project: Path) -> None:
    with pytest.raises(SpecError, match="component"):
        client.batch_deployments.begin_create_or_update("pipe.yml", overrides=["type=model"])


def test_an_invocation(client: AzureClient, service: Service) -> None:
    service.on("POST", SCORING, Told(job("batchjob-1", "NotStarted"), 201))
    address = "azureml://datastores/store/paths/in"
    started = client.batch_endpoints.invoke(
        "census", deployment_name="main", inputs={"input": address}, input_type="uri_file"
    )
    assert (started.name, started.status) == ("batchjob-1", JobStatus.NOT_STARTED)
    client.batch_endpoints.invoke("census", inputs={"input": address})
    first, second = service.changes()
    assert first.headers["azureml-model-deployment"] == "main"
    assert first.headers["authorization"].startswith("Bearer ")
    assert first.body["properties"]["inputData"] == {
        "input": {"jobInputType": "UriFile", "uri": address}
    }
    # The SDK would send the deployment of one invocation with the next ones too.
    assert "azureml-model-deployment" not in second.headers


def test_outputs_of_an_invocation(client: AzureClient, service: Service) -> None:
    service.on("POST", SCORING, Told(job("batchjob-1", "NotStarted"), 201))
    place = "azureml://datastores/store/paths/out.csv"
    client.batch_endpoints.invoke(
        "census",
        inputs={"input": "azureml://datastores/store/paths/in"},
        overrides=[f"outputs.score.path={place}", "outputs.score.type=uri_file"],
    )
    (change,) = service.changes()
    found = change.body["properties"]["outputData"]
    assert found == {"score": {"jobOutputType": "UriFile", "uri": place}}
    client.batch_endpoints.invoke(
        "census",
        inputs={
            "rows": Input(type="uri_folder", path=place),
            "n": Input(type="integer", default=3),
        },
        outputs={"score": Output(type="uri_folder", path=place)},
    )
    properties = service.changes()[1].body["properties"]
    assert properties["inputData"] == {
        "rows": {"jobInputType": "UriFolder", "uri": place},
        "n": {"jobInputType": "Literal", "value": 3},
    }
    assert properties["outputData"] == {"score": {"jobOutputType": "UriFolder", "uri": place}}
    with pytest.raises(UsageError, match="'out' is not a place in Azure"):
        client.batch_endpoints.invoke(
            "census", inputs={"input": "x"}, overrides=["outputs.score.path=out"]
        )


def test_a_deployment_that_is_not_there(client: AzureClient, service: Service) -> None:
    with pytest.raises(NotFoundError, match="no batch deployment named 'mian'") as caught:
        client.batch_endpoints.invoke("census", deployment_name="mian", inputs={"input": "x"})
    assert caught.value.hint == "did you mean 'main'?"
    assert service.changes() == []


def test_an_invocation_that_azure_refuses(client: AzureClient, service: Service) -> None:
    service.on("POST", SCORING, failed(400, "compute is missing"))
    with pytest.raises(UsageError, match="compute is missing"):
        client.batch_endpoints.invoke("census", inputs={"input": "azureml:adult:3"})


def test_jobs_over_all_pages(client: AzureClient, service: Service) -> None:
    path = f"{JOBS}{WORKSPACE}/batchEndpoints/census/jobs"
    listed = {"value": [job("second", "Running")], "nextLink": f"{path}/more"}
    service.on("GET", path, Told(listed))
    service.on("GET", f"{path}/more", Told({"value": [job("first", "Completed")]}))
    found = client.batch_endpoints.list_jobs("census")
    assert [(each.name, each.status.value) for each in found] == [
        ("second", "Running"),
        ("first", "Completed"),
    ]
    service.on(
        "GET",
        f"{JOBS}{WORKSPACE}/batchEndpoints/census/deployments/main/jobs",
        Told({"value": [job("first", "Completed")]}),
    )
    assert [each.name for each in client.batch_deployments.list_jobs("main", "census")] == ["first"]


def test_ends(client: AzureClient, service: Service) -> None:
    service.on("DELETE", MAIN, Told(None, 204))
    service.on("DELETE", CENSUS, failed(404, "no endpoint census"))
    assert client.batch_deployments.begin_delete("main", "census").result() is None
    with pytest.raises(NotFoundError, match="no endpoint census"):
        client.batch_endpoints.begin_delete("census")
