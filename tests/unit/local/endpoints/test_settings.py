from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import amlocal.spec as compiler
from amlocal.local.endpoints.settings import known_plan, merged, present_settings, said_fields
from amlocal.local.endpoints.versions import DeploymentVersion
from amlocal.local.environments import EnvironmentChoice
from amlocal.plan import (
    DataCollection,
    DataCollector,
    Environment,
    ModelSource,
    OnlineDeployment,
    ProbeSettings,
    RequestSettings,
)

CHOICE = EnvironmentChoice("current", "env", "0" * 64, "3.11.7", "/usr/bin/python3")


@pytest.fixture
def version(tmp_path: Path) -> DeploymentVersion:
    """A version in which everything is said, as `VersionMaker` lays it out."""
    (tmp_path / "variables.json").write_text('{"A": "1", "B": "two words"}')
    app, model = tmp_path / "azureml-app" / "code", tmp_path / "model.pkl"
    app.mkdir(parents=True)
    (app / "score.py").write_text("")
    model.write_text("")
    plan = OnlineDeployment(
        name="blue",
        endpoint_name="adult",
        model=ModelSource(reference="azureml:m:1"),
        code="/code",
        scoring_script="score.py",
        environment=Environment(name="e", image="some/image:1"),
        instance_count=2,
        instance_type="Standard_F2s_v2",
        request_settings=RequestSettings(request_timeout_ms=9000, max_queue_wait_ms=100),
        liveness_probe=ProbeSettings(initial_delay=60),
        data_collector=DataCollector(
            collections={"model_inputs": DataCollection(data="inputs:1")},
            sampling_rate=0.5,
            redacted=("age", "sex"),
        ),
        description="what it is: a test",
        tags={"amlocal.redact": "age, sex", "team": "blue"},
    )
    return DeploymentVersion(
        plan=plan,
        folder=str(tmp_path),
        choice=CHOICE,
        model="m:1",
        model_path=str(model),
        model_type="custom_model",
        app=str(app),
    )


def changed(version: DeploymentVersion, *overrides: str) -> OnlineDeployment:
    read = compiler.load_online_deployment(
        None,
        overrides=[*present_settings(version), *overrides],
        name="blue",
        endpoint_name="adult",
    )
    return merged(read, known_plan(version), said_fields(overrides))


def test_a_setting_changes_what_it_names_and_nothing_else(version: DeploymentVersion) -> None:
    old = known_plan(version)
    assert (old.code, old.environment_variables["A"]) == (version.app, "1")
    assert changed(version, "instance_count=1") == msgspec.structs.replace(old, instance_count=1)


@pytest.mark.parametrize(
    "field",
    [
        "instance_count",
        "instance_type",
        "description",
        "tags",
        "environment_variables",
        "request_settings",
        "liveness_probe",
        "readiness_probe",
        "data_collector",
        "code_configuration",
    ],
)
def test_what_there_is_is_read_back_as_it_is(version: DeploymentVersion, field: str) -> None:
    read = compiler.load_online_deployment(
        None, overrides=present_settings(version), name="blue", endpoint_name="adult"
    )
    old = known_plan(version)
    assert merged(read, old, frozenset({field})) == old


def test_a_part_of_a_field_is_changed(version: DeploymentVersion) -> None:
    found = changed(
        version,
        "request_settings.request_timeout_ms=1000",
        "environment_variables.B=3",
        "environment_variables.A=null",
        "data_collector.sampling_rate=0.1",
    )
    assert found.request_settings == RequestSettings(request_timeout_ms=1000, max_queue_wait_ms=100)
    assert found.environment_variables == {"B": "3"}
    assert found.data_collector is not None
    assert found.data_collector.sampling_rate == 0.1
    assert found.data_collector.collections == {"model_inputs": DataCollection(data="inputs:1")}
    assert found.environment == version.plan.environment


def test_the_model_is_changed_where_a_setting_names_it(version: DeploymentVersion) -> None:
    assert said_fields(["model=azureml:m:2", "a.b=1", "c[0]=2"]) == {"model", "a", "c"}
    found = changed(version, "model=azureml:m:2")
    assert found.model == ModelSource(reference="azureml:m:2")


def test_a_registered_model_is_what_it_was_found_to_be(version: DeploymentVersion) -> None:
    folder = Path(version.folder) / "model"
    folder.mkdir()
    (folder / "MLmodel").touch()
    served = msgspec.structs.replace(
        version,
        plan=msgspec.structs.replace(version.plan, code=None, scoring_script=None),
        app="",
        model_path=str(folder),
        model_type="mlflow_model",
    )
    old = known_plan(served)
    assert changed(served, "instance_count=1") == msgspec.structs.replace(old, instance_count=1)
