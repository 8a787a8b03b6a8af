from __future__ import annotations

from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError, UsageError
from amlocal.plan import BatchEndpoint, OnlineEndpoint
from amlocal.spec import (
    check_endpoint_for_azure,
    load_batch_endpoint,
    load_online_deployment,
    load_online_endpoint,
)

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"


def test_every_field_of_an_online_endpoint_reaches_the_plan(write: Write) -> None:
    file = write(
        endpoint=f"""
        $schema: {SCHEMAS}/managedOnlineEndpoint.schema.json
        name: Adult
        description: Judges.
        tags: {{team: risk, level: 3}}
        properties: {{owner: me}}
        auth_mode: Key
        traffic: {{Blue: 90, green: "10", canary: 0}}
        mirror_traffic: {{canary: 50}}
        """
    )
    assert load_online_endpoint(file) == OnlineEndpoint(
        name="adult",
        auth_mode="key",
        description="Judges.",
        tags={"team": "risk", "level": "3"},
        properties={"owner": "me"},
        traffic={"blue": 90, "green": 10, "canary": 0},
        mirror_traffic={"canary": 50},
        source="endpoint.yml",
    )


def test_every_field_of_a_batch_endpoint_reaches_the_plan(write: Write) -> None:
    file = write(
        endpoint=f"""
        $schema: {SCHEMAS}/batchEndpoint.schema.json
        name: Adult-Batch
        description: Judges.
        tags: {{team: risk}}
        properties: {{owner: me}}
        auth_mode: aad_token
        defaults: {{deployment_name: Blue}}
        """
    )
    assert load_batch_endpoint(file) == BatchEndpoint(
        name="adult-batch",
        description="Judges.",
        tags={"team": "risk"},
        properties={"owner": "me"},
        default_deployment="blue",
        source="endpoint.yml",
    )


def test_what_a_file_leaves_out_is_azures_default(write: Write) -> None:
    file = write(endpoint="name: adult")
    assert load_online_endpoint(file) == OnlineEndpoint(name="adult", source="endpoint.yml")
    assert load_batch_endpoint(file) == BatchEndpoint(name="adult", source="endpoint.yml")


def test_traffic_may_be_ended_and_left_alone(write: Write) -> None:
    loaded = load_online_endpoint(write(endpoint="{name: adult, mirror_traffic: {}}"))
    assert loaded.traffic is None
    assert loaded.mirror_traffic == {}


@pytest.mark.parametrize("said", ["aml_token", "AMLToken"])
def test_a_token_is_told_of(write: Write, said: str) -> None:
    loaded = load_online_endpoint(write(endpoint=f"{{name: adult, auth_mode: {said}}}"))
    assert loaded.auth_mode == "aml_token"
    (warned,) = loaded.warnings
    assert warned.message == "Tokens are signed by this workspace; nobody signs in."


def test_what_only_azure_has_is_warned_of(write: Write) -> None:
    file = write(
        endpoint="""
        name: adult
        location: westeurope
        public_network_access: disabled
        identity: {type: user_assigned, user_assigned_identities: [{resource_id: a}]}
        """
    )
    warned = [warning.field for warning in load_online_endpoint(file).warnings]
    assert warned == [
        "online_endpoint.location",
        "online_endpoint.public_network_access",
        "online_endpoint.identity",
    ]


def test_flags_stand_for_names(write: Write) -> None:
    file = write(endpoint="{name: adult, description: Judges.}", bare="description: Judges.")
    assert load_online_endpoint(file, name="Other").name == "other"
    assert load_batch_endpoint(file, name="other").name == "other"
    with pytest.raises(SpecError, match=r"bare.yml:1: the endpoint has no name; .* pass --name"):
        load_online_endpoint(write(bare="description: Judges."))
    with pytest.raises(SpecError, match=r"^--name a_b: 'a_b' cannot be the name of an endpoint"):
        load_online_endpoint(file, name="a_b")
    deployment = write(deployment="{model: azureml:adult:1, instance_type: Standard_DS3_v2}")
    loaded = load_online_deployment(deployment, name="Blue", endpoint_name="Adult")
    assert (loaded.name, loaded.endpoint_name) == ("blue", "adult")
    with pytest.raises(SpecError) as error:
        load_online_deployment(deployment)
    assert [problem.hint for problem in error.value.problems] == [
        "add name:, or pass --name",
        "add endpoint_name:, or pass --endpoint-name",
    ]


def test_settings_alone_may_say_all() -> None:
    loaded = load_online_endpoint(None, overrides=["traffic.blue=100"], name="adult")
    assert loaded == OnlineEndpoint(name="adult", traffic={"blue": 100})
    with pytest.raises(SpecError, match=r"^the traffic sums to 90 percent; "):
        load_online_endpoint(None, overrides=["traffic.blue=90"], name="adult")
    with pytest.raises(SpecError, match=r"^--set traffic=90: 'traffic' must be a mapping"):
        load_online_endpoint(None, overrides=["traffic=90"], name="adult")


def test_a_file_of_another_kind_is_refused(write: Write) -> None:
    file = write(d=f"$schema: {SCHEMAS}/managedOnlineDeployment.schema.json\nnonsense: 1")
    with pytest.raises(SpecError) as error:
        load_online_endpoint(file)
    (problem,) = error.value.problems
    assert str(problem) == (
        "d.yml:1: this is an online deployment, not an online endpoint;"
        " aml online-deployment create -f d.yml"
    )
    old = write(d="{$schema: http://azureml/sdk-2-0/OnlineEndpoint.json, name: adult}")
    assert load_online_endpoint(old).name == "adult"


def test_an_empty_file_is_refused(write: Write) -> None:
    with pytest.raises(SpecError, match=r"e.yml: the file is empty"):
        load_online_endpoint(write(e=""))


def test_an_endpoint_on_kubernetes_is_azures_alone(write: Write) -> None:
    with pytest.raises(SpecError) as error:
        load_online_endpoint(write(k="{name: adult, compute: azureml:cluster, auth_mode: key}"))
    (problem,) = error.value.problems
    assert problem.target == "local"
    assert problem.line == 1


def test_objects_of_the_sdk_are_taken(sdk: Any) -> None:
    entities = sdk.entities
    endpoint = entities.ManagedOnlineEndpoint(
        name="Adult", auth_mode="key", tags={"a": "b"}, traffic={"Blue": 100}
    )
    assert load_online_endpoint(endpoint) == OnlineEndpoint(
        name="adult", tags={"a": "b"}, traffic={"blue": 100}
    )
    changed = load_online_endpoint(endpoint, overrides=["description=Judges."], name="other")
    assert (changed.name, changed.description) == ("other", "Judges.")
    batch = entities.BatchEndpoint(name="adult", default_deployment_name="blue")
    assert load_batch_endpoint(batch) == BatchEndpoint(name="adult", default_deployment="blue")
    with pytest.raises(UsageError, match="this BatchEndpoint is not an online endpoint"):
        load_online_endpoint(batch)
    with pytest.raises(SpecError, match=r"^the traffic sums to 50 percent"):
        load_online_endpoint(entities.ManagedOnlineEndpoint(name="adult", traffic={"blue": 50}))


@pytest.mark.parametrize("said", [".inf", ".nan", "[1]", "null"])
def test_what_is_no_percentage_is_refused(write: Write, said: str) -> None:
    with pytest.raises(SpecError, match=r"e.yml:1: 'traffic.blue' "):
        load_online_endpoint(write(e=f"{{name: adult, traffic: {{blue: {said}}}}}"))


def test_what_the_checks_let_through_the_sdk_may_refuse(write: Write) -> None:
    twice = "[{resource_id: a}, {resource_id: b}]"
    file = write(
        endpoint=f"""
        name: adult
        identity: {{type: user_assigned, user_assigned_identities: {twice}}}
        """
    )
    with pytest.raises(
        SpecError, match=r"endpoint.yml:3: Azure's client refuses this: Only 1 user"
    ):
        load_online_endpoint(file)


def test_what_only_azure_can_do_is_no_problem_there(write: Write, sdk: Any) -> None:
    served = "name: blue, endpoint_name: adult, instance_type: x"
    kubernetes = write(k=f"{{{served}, type: kubernetes}}")
    check_endpoint_for_azure("online deployment", kubernetes)
    triton = write(t=f"{{{served}, model: {{type: triton_model, path: azureml://m}}}}")
    check_endpoint_for_azure("online deployment", triton)
    check_endpoint_for_azure("online endpoint", write(e="{compute: azureml:c}"), name="adult")
    check_endpoint_for_azure("batch endpoint", sdk.entities.BatchEndpoint(name="adult"))
    # What is wrong anywhere stays a problem, alone.
    both = write(b=f"{{{served}, model: azureml:a:1, instance_count: 0, resources: {{}}}}")
    with pytest.raises(SpecError) as error:
        check_endpoint_for_azure("online deployment", both)
    assert [problem.message for problem in error.value.problems] == ["'instance_count' cannot be 0"]
    with pytest.raises(SpecError, match="nothing names the endpoint"):
        check_endpoint_for_azure("batch deployment", None, ["model=azureml:a:1"], name="blue")
    check_endpoint_for_azure(
        "batch deployment", None, ["model=azureml:a:1"], name="blue", endpoint_name="adult"
    )
