from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import (
    DataCollection,
    DataCollector,
    Environment,
    ModelSource,
    OnlineDeployment,
    ProbeSettings,
    RequestSettings,
)
from amlocal.spec import load_online_deployment

#: The smallest deployment: a registered model, which may be MLflow's.
SMALL = """
    name: blue
    endpoint_name: adult
    model: azureml:adult:3
    instance_type: Standard_DS3_v2
"""


@pytest.fixture
def scoring(tmp_path: Path) -> Path:
    """Write a scoring script, a model, and a conda file into the current folder."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text("def init(): ...\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").touch()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n")
    return tmp_path


def problems_of(file: Path) -> list[str]:
    with pytest.raises(SpecError) as error:
        load_online_deployment(file)
    return [problem.message for problem in error.value.problems]


def test_every_field_of_an_online_deployment_reaches_the_plan(write: Write, scoring: Path) -> None:
    file = write(
        blue="""
        $schema: https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json
        name: Blue
        endpoint_name: Adult
        type: managed
        description: Judges.
        tags: {team: risk, level: 3}
        properties: {owner: me}
        model: {name: adult, version: 3, path: ./model, type: mlflow_model}
        code_configuration:
          $schema: anything
          code: ./code
          scoring_script: score.py
        environment: {image: mcr.microsoft.com/base, conda_file: conda.yml}
        environment_variables: {LEVEL: info, WORKERS: 2}
        instance_count: 3
        instance_type: Standard_DS3_v2
        request_settings:
          request_timeout_ms: 3000
          max_concurrent_requests_per_instance: 4
          max_queue_wait_ms: 100
        liveness_probe:
          {initial_delay: 1, period: 2, timeout: 3, success_threshold: 1, failure_threshold: 5}
        readiness_probe: {initial_delay: 6}
        """
    )
    assert load_online_deployment(file) == OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        description="Judges.",
        tags={"team": "risk", "level": "3"},
        properties={"owner": "me"},
        model=ModelSource(
            path=str(scoring / "model"), type="mlflow_model", name="adult", version="3"
        ),
        code=str(scoring / "code"),
        scoring_script="score.py",
        environment=Environment(
            image="mcr.microsoft.com/base", conda={"dependencies": ["python=3.11"]}
        ),
        environment_variables={"LEVEL": "info", "WORKERS": "2"},
        instance_count=3,
        instance_type="Standard_DS3_v2",
        request_settings=RequestSettings(
            request_timeout_ms=3000, max_concurrent_requests_per_instance=4, max_queue_wait_ms=100
        ),
        liveness_probe=ProbeSettings(
            initial_delay=1, period=2, timeout=3, success_threshold=1, failure_threshold=5
        ),
        readiness_probe=ProbeSettings(initial_delay=6),
        source="blue.yml",
    )


def test_what_a_file_leaves_out_is_azures_default(write: Write) -> None:
    loaded = load_online_deployment(write(blue=SMALL))
    assert loaded == OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(reference="azureml:adult:3"),
        instance_type="Standard_DS3_v2",
        source="blue.yml",
    )
    assert loaded.request_settings.request_timeout_ms == 5000
    assert loaded.readiness_probe.failure_threshold == 30


@pytest.mark.parametrize(
    "reference",
    [
        "azureml:adult",
        "azureml:adult:3",
        "azureml:adult@latest",
        "azureml://registries/r/models/adult/versions/3",
        "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
        "/workspaces/w/models/adult/versions/3",
    ],
)
def test_a_registered_model_is_kept_as_it_is_named(write: Write, reference: str) -> None:
    file = write(blue=SMALL.replace("azureml:adult:3", reference))
    assert load_online_deployment(file).model == ModelSource(reference=reference)


def test_what_the_sdk_says_comes_without_its_colours(write: Write) -> None:
    inline = '{name: "", version: 1, path: .}'
    code = "code_configuration: {code: ., scoring_script: blue.yml}"
    file = write(
        blue=f"{SMALL.replace('azureml:adult:3', inline)}    {code}\n"
        "    environment: azureml:serving:1"
    )
    (said,) = problems_of(file)
    assert "If version is specified, name must" in said
    assert "\x1b" not in said


def test_an_address_may_be_the_path_of_a_model(write: Write) -> None:
    path = "azureml://jobs/night/outputs/best"
    inline = f"path: {path}, type: mlflow_model"
    file = write(blue=SMALL.replace("azureml:adult:3", f"{{name: adult, {inline}}}"))
    model = ModelSource(path=path, type="mlflow_model", name="adult")
    assert load_online_deployment(file).model == model
    nameless = write(blue=SMALL.replace("azureml:adult:3", f"{{{inline}}}"))
    assert problems_of(nameless) == ["a model at an address needs a name"]


def test_an_environment_is_kept_as_it_is_named(write: Write, scoring: Path) -> None:
    code = "code_configuration: {code: code, scoring_script: score.py}"
    curated = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
    for reference in ("azureml:serving:1", "azureml:serving@latest", curated):
        file = write(blue=f"{SMALL}    {code}\n    environment: {reference}\n")
        assert load_online_deployment(file).environment == Environment(reference=reference)


def test_a_data_collector_reaches_the_plan(write: Write, scoring: Path) -> None:
    collected = """
    tags: {amlocal.redact: "age, sex"}
    code_configuration: {code: code, scoring_script: score.py}
    data_collector:
      sampling_rate: 0.5
      rolling_rate: Day
      request_logging: {capture_headers: [x-user]}
      collections:
        model_inputs: {enabled: "True", data: "azureml:inputs:2"}
        model_outputs: {enabled: "false", data: {name: outputs, version: "1"}}
        scores: {enabled: "true"}
    """
    assert load_online_deployment(write(blue=SMALL + collected)).data_collector == DataCollector(
        collections={
            "model_inputs": DataCollection(data="inputs:2"),
            "model_outputs": DataCollection(enabled=False, data="outputs:1"),
            "scores": DataCollection(),
        },
        sampling_rate=0.5,
        rolling_rate="day",
        capture_headers=("x-user",),
        redacted=("age", "sex"),
    )


def test_nothing_to_leave_out_is_told_of(write: Write) -> None:
    (warned,) = load_online_deployment(
        write(blue=f"{SMALL}    tags: {{amlocal.redact: age}}")
    ).warnings
    assert warned.message == "Nothing is collected, and so nothing is left out."


def test_default_scale_settings_are_taken(write: Write) -> None:
    file = write(blue=f"{SMALL}    scale_settings: {{type: Default}}\n    instance_count: 2")
    loaded = load_online_deployment(file)
    assert loaded.instance_count == 2
    assert loaded.warnings == ()


def test_what_only_azure_has_is_warned_of(write: Write) -> None:
    more = """
    app_insights_enabled: true
    egress_public_network_access: disabled
    model_mount_path: /models
    """
    assert [w.field for w in load_online_deployment(write(blue=SMALL + more)).warnings] == [
        "online_deployment.app_insights_enabled",
        "online_deployment.egress_public_network_access",
        "online_deployment.model_mount_path",
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("type: kubernetes", "a deployment on Kubernetes does not run here, only a managed one"),
        ("model: {type: triton_model, path: m}", "a Triton model does not run here"),
        (
            "code_configuration: {code: azureml:c:1, scoring_script: s.py}",
            "the code of a deployment",
        ),
    ],
)
def test_what_runs_only_in_azure_says_so(
    write: Write, tmp_path: Path, fields: str, message: str
) -> None:
    (tmp_path / "Dockerfile").touch()
    file = write(blue=f"{{name: blue, endpoint_name: adult, instance_type: x, {fields}}}")
    with pytest.raises(SpecError) as error:
        load_online_deployment(file)
    (problem,) = [found for found in error.value.problems if found.target == "local"]
    assert message in problem.message
    assert problem.line == 1


def test_a_container_of_ones_own_needs_neither_a_script_nor_an_mlflow_model(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").touch()
    routes = {name: {"port": 1, "path": "/"} for name in ("liveness", "readiness", "scoring")}
    config = json.dumps({f"{name}_route": route for name, route in routes.items()})
    base = "name: blue\nendpoint_name: adult\ninstance_type: x\nmodel_mount_path: /models\n"
    own = load_online_deployment(
        write(blue=f"{base}environment: {{image: i, inference_config: {config}}}")
    )
    assert own.environment is not None
    assert own.environment.inference_config == json.loads(config)
    assert (own.model, own.model_mount_path, own.warnings) == (None, "/models", ())
    built = load_online_deployment(write(blue=f"{base}environment: {{build: {{path: .}}}}"))
    assert built.environment is not None
    assert built.environment.build is not None
    # Whether a registered one is a container, the workspace knows.
    named = load_online_deployment(write(blue=f"{base}environment: azureml:package:1"))
    assert named.environment is not None
    collector = "data_collector: {collections: {mine: {enabled: 'true'}}}"
    with pytest.raises(SpecError, match="in a container, nothing collects 'mine'"):
        load_online_deployment(
            write(blue=f"{base}environment: {{build: {{path: .}}}}\n{collector}")
        )


def test_an_mlflow_model_needs_no_script_and_others_do(write: Write, scoring: Path) -> None:
    inline = "{path: model, type: mlflow_model}"
    assert load_online_deployment(write(blue=SMALL.replace("azureml:adult:3", inline))).code is None
    plain = write(blue=SMALL.replace("azureml:adult:3", "{path: model}"))
    with pytest.raises(SpecError) as error:
        load_online_deployment(plain)
    (problem,) = error.value.problems
    assert problem.message == "only an MLflow model is served without a scoring script"
    assert problem.hint == "write type: mlflow_model, since the folder holds an MLmodel file"


def test_a_script_may_serve_alone_with_an_environment(write: Write, scoring: Path) -> None:
    alone = """
    name: blue
    endpoint_name: adult
    instance_type: x
    code_configuration: {code: code, scoring_script: score.py}
    """
    assert problems_of(write(blue=alone)) == ["a scoring script needs an environment"]
    file = write(blue=f"{alone}environment: azureml:serving:1")
    assert load_online_deployment(file).model is None


def test_an_mlflow_model_is_a_folder_with_its_file(write: Write, scoring: Path) -> None:
    (scoring / "outer").mkdir()
    (scoring / "model").rename(scoring / "outer" / "model")
    file = write(blue=SMALL.replace("azureml:adult:3", "{path: outer, type: mlflow_model}"))
    with pytest.raises(SpecError, match=r"holds no MLmodel file.*; did you mean outer/model\?"):
        load_online_deployment(file)


def test_settings_alone_may_say_all(scoring: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(scoring)
    loaded = load_online_deployment(
        None,
        overrides=["model.path=model", "model.type=mlflow_model", "instance_type=x"],
        name="blue",
        endpoint_name="adult",
    )
    assert loaded == OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(path=str(scoring / "model"), type="mlflow_model"),
        instance_type="x",
    )


def test_objects_of_the_sdk_are_taken(
    sdk: Any, scoring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scoring)
    entities = sdk.entities
    deployment = entities.ManagedOnlineDeployment(
        name="Blue",
        endpoint_name="adult",
        model=entities.Model(path="model", type="mlflow_model", name="adult"),
        code_configuration=entities.CodeConfiguration(code="code", scoring_script="score.py"),
        environment=entities.Environment(image="base", conda_file="conda.yml"),
        instance_type="Standard_DS3_v2",
        instance_count=2,
        request_settings=entities.OnlineRequestSettings(request_timeout_ms=9),
        liveness_probe=entities.ProbeSettings(period=3),
        data_collector=entities.DataCollector(
            collections={"model_inputs": entities.DeploymentCollection(enabled="true")},
            sampling_rate=0.1,
        ),
    )
    assert load_online_deployment(deployment) == OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(path=str(scoring / "model"), type="mlflow_model", name="adult"),
        code=str(scoring / "code"),
        scoring_script="score.py",
        environment=Environment(image="base", conda={"dependencies": ["python=3.11"]}),
        instance_type="Standard_DS3_v2",
        instance_count=2,
        request_settings=RequestSettings(request_timeout_ms=9),
        liveness_probe=ProbeSettings(period=3),
        data_collector=DataCollector(
            collections={"model_inputs": DataCollection()}, sampling_rate=0.1
        ),
    )
    kubernetes = entities.KubernetesOnlineDeployment(name="blue", endpoint_name="adult")
    with pytest.raises(SpecError, match="a deployment on Kubernetes does not run here"):
        load_online_deployment(kubernetes)


def test_an_environment_may_have_a_file_of_its_own(write: Write) -> None:
    write(environment="{name: scoring, image: mcr.microsoft.com/base}")
    loaded = load_online_deployment(write(blue=SMALL + "    environment: file:environment.yml"))
    assert loaded.environment == Environment(name="scoring", image="mcr.microsoft.com/base")


ENDPOINTS = Path(__file__).parents[3] / "endpoints"


@pytest.mark.parametrize("name", ["blue", "green"])
def test_the_projects_own_deployments_are_taken(name: str) -> None:
    loaded = load_online_deployment(ENDPOINTS / "adult" / f"{name}.yml")
    assert (loaded.name, loaded.endpoint_name) == (name, "adult")
