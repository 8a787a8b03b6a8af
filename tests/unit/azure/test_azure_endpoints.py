"""Online endpoints and deployments of a workspace, by what goes over the wire."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.unit.azure.service import (
    WORKSPACE,
    Service,
    Told,
    connected,
    failed,
    online_deployment,
    online_endpoint,
)

from amlocal.azure.client import AzureClient
from amlocal.errors import NotFoundError, TargetError, UsageError

pytestmark = pytest.mark.usefixtures("no_network")

ADULT = f"{WORKSPACE}/onlineEndpoints/adult"
BLUE = f"{ADULT}/deployments/blue"
OPERATION = f"{WORKSPACE}/operations/1"
SCORING = "https://adult.westeurope.inference.ml.azure.com/score"
KEYS = Told({"primaryKey": "first", "secondaryKey": "second"})
#: An operation that goes on; Azure says how long to wait before the next look.
ACCEPTED = {
    "Azure-AsyncOperation": f"https://management.azure.com{OPERATION}",
    "Retry-After": "0",
}


@pytest.fixture
def service() -> Service:
    service = Service()
    service.on("GET", ADULT, Told(online_endpoint()))
    service.on("PUT", ADULT, Told(online_endpoint()))
    service.on("GET", f"{ADULT}/deployments", Told({"value": [online_deployment()]}))
    service.on("GET", BLUE, Told(online_deployment()))
    service.on("PUT", BLUE, Told(online_deployment(provisioningState="Creating"), 201, ACCEPTED))
    service.on("POST", f"{ADULT}/listKeys", KEYS)
    return service


@pytest.fixture
def client(service: Service) -> AzureClient:
    made: AzureClient = connected(service, AzureClient)
    return made


def put(service: Service) -> Any:
    """The body of the one PUT."""
    (request,) = [each for each in service.changes() if each.method == "PUT"]
    return request.body


def test_an_endpoint(client: AzureClient, service: Service) -> None:
    green = online_deployment("green", provisioningState="Failed")
    listed = Told({"value": [online_deployment(), green]})
    service.on("GET", f"{ADULT}/deployments", listed)
    endpoint = client.online_endpoints.get("adult")
    assert (endpoint.auth_mode, endpoint.provisioning_state) == ("key", "Succeeded")
    assert endpoint.traffic == {"blue": 100, "green": 0}
    assert endpoint.deployments == ("blue", "green")
    assert endpoint.scoring_uri == SCORING
    assert endpoint.tags == {"a": "b"}
    blue, failing = client.online_deployments.list("adult")
    assert (blue.model, blue.environment) == ("adult:3", "serve:1")
    assert (blue.instance_count, blue.ready_instances) == (2, 2)
    assert blue.creation_time.startswith("2026-01-02T03:04:05")
    assert (failing.provisioning_state, failing.ready_instances) == ("Failed", 0)
    assert client.online_deployments.get("blue", "adult") == blue


def test_lists_are_by_name_and_over_all_pages(client: AzureClient, service: Service) -> None:
    path = f"{WORKSPACE}/onlineEndpoints"
    more = f"https://management.azure.com{path}?page=2"
    service.on(
        "GET",
        path,
        Told({"value": [online_endpoint("z")], "nextLink": more}),
        Told({"value": [online_endpoint("a")]}),
    )
    assert [endpoint.name for endpoint in client.online_endpoints.list()] == ["a", "z"]


def test_what_is_not_said_stays(client: AzureClient, service: Service) -> None:
    client.online_endpoints.begin_create_or_update(
        None, overrides=["tags.c=d"], name="adult"
    ).result()
    body = put(service)
    assert body["tags"] == {"a": "b", "c": "d"}  # one tag leaves the others
    assert body["properties"]["traffic"] == {"blue": 100}
    assert body["properties"]["description"] == "census"
    assert body["location"] == "westeurope"
    # Azure keeps the properties that it made by itself.
    assert body["properties"]["properties"] == {}


def test_a_file_says_what_it_says(client: AzureClient, service: Service, project: Path) -> None:
    (project / "endpoint.yml").write_text("name: adult\nmirror_traffic: {green: 10}\n")
    client.online_endpoints.begin_create_or_update("endpoint.yml").result()
    properties = put(service)["properties"]
    assert properties["mirrorTraffic"] == {"green": 10}
    assert properties["traffic"] == {"blue": 100}
    assert properties["description"] == "census"


def test_traffic_is_said_in_full(client: AzureClient, service: Service) -> None:
    poller = client.online_endpoints.begin_create_or_update(
        None, overrides=["traffic.green=100"], name="adult"
    )
    assert put(service)["properties"]["traffic"] == {"green": 100}
    assert poller.result().name == "adult"


def test_an_endpoint_that_is_new(client: AzureClient, service: Service, project: Path) -> None:
    service.on("GET", ADULT, failed(404, "no such endpoint"))
    client.online_endpoints.begin_create_or_update("endpoint.yml").result()
    assert put(service)["properties"]["description"] == "census"


def test_an_endpoint_that_is_an_object(client: AzureClient, service: Service) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    given = ManagedOnlineEndpoint(name="adult", description="mine")
    client.online_endpoints.begin_create_or_update(given).result()
    body = put(service)
    assert body["properties"]["description"] == "mine"
    assert body["properties"]["traffic"] == {"blue": 100}
    assert body["tags"] == {"a": "b"}


def test_a_deployment_is_waited_for(
    client: AzureClient, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    service.on(
        "GET",
        OPERATION,
        Told({"status": "InProgress"}, headers={"Retry-After": "0"}),
        Told({"status": "Succeeded"}),
    )
    poller = client.online_deployments.begin_create_or_update(
        None, overrides=["instance_count=3"], name="blue", endpoint_name="adult"
    )
    deployment = poller.result()
    assert (poller.done(), poller.status()) == (True, "Succeeded")
    assert deployment.provisioning_state == "Succeeded"
    assert deployment.ready_instances == 2
    assert capfd.readouterr() == ("", "")  # the SDK's poller would print dots


def test_a_change_sends_the_rest_again(client: AzureClient, service: Service) -> None:
    service.on("PUT", BLUE, Told(online_deployment()))
    client.online_deployments.begin_create_or_update(
        None,
        overrides=["instance_count=3", "request_settings.request_timeout_ms=9000"],
        name="blue",
        endpoint_name="adult",
    ).result()
    body = put(service)
    assert body["sku"]["capacity"] == 3
    before = online_deployment()["properties"]
    for name in ("model", "environmentId", "codeConfiguration", "instanceType"):
        assert body["properties"][name] == before[name]
    assert body["properties"]["requestSettings"] == {
        "requestTimeout": "PT9S",
        "maxConcurrentRequestsPerInstance": 2,
    }


def test_a_deployment_that_fails(client: AzureClient, service: Service) -> None:
    error = {"code": "UserScriptError", "message": "init() raised ValueError"}
    service.on("GET", OPERATION, Told({"status": "Failed", "error": error}))
    poller = client.online_deployments.begin_create_or_update(
        None, overrides=["instance_count=3"], name="blue", endpoint_name="adult"
    )
    with pytest.raises(TargetError, match=r"online deployment: .*init\(\) raised ValueError"):
        poller.result()
    assert poller.status() == "Failed"


def test_a_deployment_of_no_endpoint(client: AzureClient, service: Service, project: Path) -> None:
    service.on("GET", ADULT, failed(404, "no endpoint adult"))
    with pytest.raises(NotFoundError, match="no endpoint adult"):
        client.online_deployments.begin_create_or_update("blue.yml")
    assert service.changes() == []


@pytest.mark.parametrize("noun", ["online_endpoints", "online_deployments"])
def test_what_is_not_there(client: AzureClient, service: Service, noun: str) -> None:
    service.on("GET", ADULT, failed(404, "no endpoint adult"))
    service.on("GET", BLUE, failed(404, "no deployment blue"))
    names = ["adult"] if noun == "online_endpoints" else ["blue", "adult"]
    with pytest.raises(NotFoundError, match=f"no (endpoint|deployment) {names[0]}"):
        getattr(client, noun).get(*names)


def test_a_deployment_with_traffic_is_not_deleted(client: AzureClient, service: Service) -> None:
    service.on("DELETE", BLUE, failed(400, "blue has traffic"))
    with pytest.raises(UsageError, match="blue has traffic"):
        client.online_deployments.begin_delete("blue", "adult")
    service.on("DELETE", BLUE, Told(None, 204))
    assert client.online_deployments.begin_delete("blue", "adult").result() is None


def test_logs(client: AzureClient, service: Service) -> None:
    service.on("POST", f"{BLUE}/getLogs", Told({"content": "one\ntwo"}))
    logs = client.online_deployments.get_logs(
        "blue", "adult", lines=2, container_type="storage-initializer"
    )
    assert logs == "one\ntwo"
    assert service.changes()[0].body == {"containerType": "StorageInitializer", "tail": 2}


def test_an_invocation(client: AzureClient, service: Service, project: Path) -> None:
    service.on("POST", SCORING, Told([0, 1], headers={"x-request-id": "r"}))
    answer = client.online_endpoints.invoke(
        "adult", request_file="request.json", deployment_name="blue"
    )
    assert (answer.status, answer.body, answer.headers["x-request-id"]) == (200, "[0, 1]", "r")
    client.online_endpoints.invoke("adult", request_file=project / "request.json")
    first, second = [each for each in service.changes() if each.path == SCORING]
    assert first.headers["authorization"] == "Bearer first"
    assert first.headers["azureml-model-deployment"] == "blue"
    assert first.body == {"input_data": [[1]]}
    assert "azureml-model-deployment" not in second.headers


def test_an_answer_that_is_no_success(client: AzureClient, service: Service, project: Path) -> None:
    headers = {"ms-azureml-model-error-statuscode": "500", "azureml-model-deployment": "blue"}
    service.on("POST", SCORING, Told("no column age", 424, headers))
    answer = client.online_endpoints.invoke("adult", request_file="request.json")
    assert (answer.status, answer.body) == (424, "no column age")
    assert answer.headers["ms-azureml-model-error-statuscode"] == "500"


def test_keys(client: AzureClient, service: Service) -> None:
    keys = client.online_endpoints.get_keys("adult")
    assert (keys.primary_key, keys.secondary_key, keys.access_token) == ("first", "second", "")


def test_a_token(client: AzureClient, service: Service, project: Path) -> None:
    service.on("GET", ADULT, Told(online_endpoint(authMode="AMLToken")))
    token = {"accessToken": "token", "expiryTimeUtc": 20, "refreshAfterTimeUtc": 10}
    service.on("POST", f"{ADULT}/token", Told(token))
    found = client.online_endpoints.get_keys("adult")
    assert (found.access_token, found.expiry_time_utc, found.refresh_after_time_utc) == (
        "token",
        20,
        10,
    )
    service.on("POST", SCORING, Told([]))
    client.online_endpoints.invoke("adult", request_file="request.json")
    assert service.seen[-1].headers["authorization"] == "Bearer token"


def test_a_token_of_entra(client: AzureClient, service: Service) -> None:
    service.on("GET", ADULT, Told(online_endpoint(authMode="AADToken")))
    found = client.online_endpoints.get_keys("adult")
    assert found.access_token
    assert found.expiry_time_utc > 0


def test_a_key_is_made_anew(client: AzureClient, service: Service) -> None:
    anew = Told({"primaryKey": "third", "secondaryKey": "second"})
    service.on("POST", f"{ADULT}/listKeys", KEYS, KEYS, anew)
    service.on("POST", f"{ADULT}/regenerateKeys", Told(None))
    keys = client.online_endpoints.begin_regenerate_keys("adult").result()
    assert (keys.primary_key, keys.secondary_key) == ("third", "second")


def test_a_key_that_azure_keeps(client: AzureClient, service: Service) -> None:
    service.on("POST", f"{ADULT}/regenerateKeys", Told(None))
    poller = client.online_endpoints.begin_regenerate_keys("adult", key_type="secondary")
    with pytest.raises(TargetError, match="Azure kept the secondary key"):
        poller.result()


def test_an_endpoint_without_keys(client: AzureClient, service: Service) -> None:
    service.on("GET", ADULT, Told(online_endpoint(authMode="AADToken")))
    with pytest.raises(UsageError, match="has no keys"):
        client.online_endpoints.begin_regenerate_keys("adult")


def series(*counts: float | None, **dimensions: str) -> dict[str, Any]:
    named = [{"name": {"value": name}, "value": value} for name, value in dimensions.items()]
    return {"metadatavalues": named, "data": [{"average": count} for count in counts]}


def requests(*found: dict[str, Any]) -> dict[str, Any]:
    return {"name": {"value": "RequestsPerMinute"}, "timeseries": list(found)}


def test_metrics_of_azure_monitor(client: AzureClient, service: Service) -> None:
    counts = requests(
        series(10.0, None, 20.4, envoy_response_code="200"),
        series(2.0, envoy_response_code="424"),
        series(0.0, envoy_response_code="500"),
    )
    latencies = [
        {
            "name": {"value": f"RequestLatency_{quantile}"},
            "timeseries": [{"metadatavalues": [], "data": [{"average": low}, {"average": high}]}],
        }
        for quantile, low, high in [("P50", 10.0, 30.0), ("P90", 40.0, 60.0)]
    ]
    nothing = {"name": {"value": "RequestLatency_P99"}, "timeseries": []}
    metrics = f"{BLUE}/providers/Microsoft.Insights/metrics"
    service.on("GET", metrics, Told({"value": [counts]}), Told({"value": [*latencies, nothing]}))
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    found = client.online_endpoints.monitor("adult", "blue", since)
    assert found.requests == {"200": 30, "424": 2}
    assert found.latency == {"p50": 0.02, "p90": 0.05}
    first, second = [each for each in service.seen if each.path == metrics]
    assert first.query["timespan"].startswith("2026-01-02T03:04:05Z/")
    assert (first.query["interval"], first.query["aggregation"]) == ("PT1M", "Average")
    assert first.query["$filter"] == "envoy_response_code eq '*'"
    assert first.headers["authorization"].startswith("Bearer ")
    assert "$filter" not in second.query
    assert "RequestLatency_P99" in second.query["metricnames"]


@pytest.mark.parametrize(("status", "error"), [(404, NotFoundError), (403, TargetError)])
def test_metrics_that_cannot_be_had(
    client: AzureClient, service: Service, status: int, error: type[Exception]
) -> None:
    metrics = f"{BLUE}/providers/Microsoft.Insights/metrics"
    service.on("GET", metrics, failed(status, "no metrics for you"))
    with pytest.raises(error, match="no metrics for you"):
        client.online_endpoints.monitor("adult", "blue", datetime.now(timezone.utc))


def test_counts_of_azure_monitor_grow(client: AzureClient, service: Service) -> None:
    def minutes(*ok: float) -> Told:
        green = series(3.0, deployment="green", statuscode="424")  # as Azure writes it at times
        return Told({"value": [requests(series(*ok, deployment="blue", statusCode="200"), green)]})

    metrics = f"{ADULT}/providers/Microsoft.Insights/metrics"
    service.on("GET", metrics, minutes(10.0), minutes(10.0, 5.0), Told({"value": []}))
    first = client.online_endpoints.metrics("adult")
    assert {name: each.requests for name, each in first.items()} == {
        "blue": {"200": 10},
        "green": {"424": 3},
    }
    second = client.online_endpoints.metrics("adult")
    assert second["blue"].requests == {"200": 15}
    assert client.online_endpoints.metrics("adult") == {}
    asked = [each.query for each in service.seen if each.path == metrics]
    assert {query["$filter"] for query in asked} == {"deployment eq '*' and statusCode eq '*'"}
    # Counts from one moment on: only so do they never fall.
    assert len({query["timespan"].split("/")[0] for query in asked}) == 1
