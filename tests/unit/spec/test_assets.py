from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import (
    BuildContext,
    Component,
    DataAsset,
    Distribution,
    Environment,
    Input,
    ModelAsset,
    Output,
)
from amlocal.spec import load_component, load_data, load_environment, load_model


def test_every_field_of_a_component_is_loaded(write: Write, tmp_path: Path) -> None:
    for name in ("src", "shared"):
        (tmp_path / name).mkdir()
    file = write(
        train="""
        $schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
        name: train
        version: 1.10
        type: command
        display_name: Train
        description: Trains.
        tags: {team: risk}
        inputs: {rounds: {type: integer}}
        outputs:
          model: {type: mlflow_model, description: The model., mode: upload}
          folder: {type: path}
        code: ./src
        additional_includes: [./shared]
        command: train ${{inputs.rounds}} ${{outputs.model}}
        environment: azureml:training@latest
        is_deterministic: false
        resources: {instance_count: 2}
        distribution: {type: tensorflow, worker_count: 3, parameter_server_count: 1}
        """
    )
    assert load_component(file) == Component(
        name="train",
        version="1.1",
        display_name="Train",
        description="Trains.",
        tags={"team": "risk"},
        command="train ${{inputs.rounds}} ${{outputs.model}}",
        code=str(tmp_path / "src"),
        additional_includes=(str(tmp_path / "shared"),),
        environment=Environment(reference="azureml:training@latest"),
        inputs={"rounds": Input(type="integer")},
        outputs={
            "model": Output(type="mlflow_model", mode="upload", description="The model."),
            "folder": Output(type="uri_folder"),
        },
        is_deterministic=False,
        distribution=Distribution(type="tensorflow", worker_count=3, parameter_server_count=1),
        instance_count=2,
        source="train.yml",
    )


def test_inputs_of_a_component_keep_types_defaults_and_bounds(write: Write) -> None:
    component = load_component(
        write(
            train="""
            name: train
            command: train
            environment: azureml:e:1
            inputs:
              folder: {type: path}
              table: {type: uri_file, optional: true, mode: download, description: Rows.}
              rate: {type: number, default: "0.5", min: 0, max: 1}
              rounds: {type: integer, default: "10", min: 1}
              flag: {type: boolean, default: "true"}
              loss: {type: string, default: log, enum: [log, hinge]}
              size: {type: string, default: 5}
            """
        )
    )
    assert component.inputs == {
        "folder": Input(type="uri_folder"),
        "table": Input(type="uri_file", optional=True, mode="download", description="Rows."),
        "rate": Input(type="number", default=0.5, min=0, max=1),
        "rounds": Input(type="integer", default=10, min=1),
        "flag": Input(type="boolean", default=True),
        "loss": Input(type="string", default="log", enum=("log", "hinge")),
        # The SDK reads every number here as a float, and so sends this to Azure.
        "size": Input(type="string", default="5.0"),
    }


def test_every_field_of_an_environment_is_loaded(write: Write, tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]\n")
    route = "{port: 80, path: /}"
    loaded = load_environment(
        write(
            env=f"""
            $schema: https://azuremlschemas.azureedge.net/latest/environment.schema.json
            name: training
            version: 3
            description: Trains.
            tags: {{team: risk}}
            image: mcr.microsoft.com/base
            conda_file: ./conda.yml
            os_type: linux
            inference_config:
              {{liveness_route: {route}, readiness_route: {route}, scoring_route: {route}}}
            """
        )
    )
    where = {"port": 80, "path": "/"}
    assert loaded == Environment(
        name="training",
        version="3",
        description="Trains.",
        tags={"team": "risk"},
        image="mcr.microsoft.com/base",
        conda={"dependencies": ["python=3.11"]},
        os_type="linux",
        inference_config={
            "liveness_route": where,
            "readiness_route": where,
            "scoring_route": where,
        },
    )


def test_a_build_context_is_a_folder_with_a_dockerfile(write: Write, tmp_path: Path) -> None:
    folder = tmp_path / "docker"
    folder.mkdir()
    file = write(env="{name: e, build: {path: ./docker, dockerfile_path: Main}}")
    with pytest.raises(SpecError, match="the Dockerfile 'Main' is not there"):
        load_environment(file)
    (folder / "Main").write_text("FROM scratch\n")
    assert load_environment(file).build == BuildContext(path=str(folder), dockerfile_path="Main")


def test_every_field_of_a_data_asset_is_loaded(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n")
    file = write(
        data="""
        $schema: https://azuremlschemas.azureedge.net/latest/data.schema.json
        name: rows
        version: 1
        description: Rows.
        tags: {team: risk}
        type: uri_file
        path: rows.csv
        """
    )
    assert load_data(file) == DataAsset(
        name="rows",
        version="1",
        description="Rows.",
        tags={"team": "risk"},
        type="uri_file",
        path=str(tmp_path / "rows.csv"),
    )


def test_every_field_of_a_model_is_loaded(write: Write) -> None:
    file = write(
        model="""
        $schema: https://azuremlschemas.azureedge.net/latest/model.schema.json
        name: adult
        version: 1
        description: Judges.
        tags: {team: risk}
        properties: {auc: "0.9"}
        type: mlflow_model
        path: azureml://jobs/night/outputs/best
        stage: Production
        """
    )
    assert load_model(file) == ModelAsset(
        name="adult",
        version="1",
        description="Judges.",
        tags={"team": "risk"},
        properties={"auc": "0.9"},
        type="mlflow_model",
        path="azureml://jobs/night/outputs/best",
        stage="Production",
    )


def test_flags_may_give_the_name_and_the_version(write: Write) -> None:
    file = write(env="{name: e, version: 1, image: base}", bare="{image: base}")
    with pytest.raises(SpecError, match="the environment has no name"):
        load_environment(file)
    loaded = load_environment(file, overrides=["name=mine", "version=1.10"])
    assert (loaded.name, loaded.version) == ("mine", "1.10")


def test_a_name_that_cannot_be_registered_is_refused(write: Write) -> None:
    with pytest.raises(SpecError, match=r"c.yml:1: 'Train-It' cannot be .* 'train_it'"):
        load_component(write(c="{name: Train-It, command: ls, environment: azureml:e:1}"))


def test_a_missing_local_path_is_refused(write: Write) -> None:
    with pytest.raises(SpecError, match="the model 'model' is not there"):
        load_model(write(m="{name: m, path: ./model}"))
    with pytest.raises(SpecError, match="the data lacks the field 'path'"):
        load_data(write(m="{name: m}"))


def test_objects_of_the_sdk_are_taken(tmp_path: Path) -> None:
    from azure.ai.ml.entities import Data, Model
    from azure.ai.ml.entities import Environment as SdkEnvironment

    environment = SdkEnvironment(name="e", version="1", image="base", tags={"a": "b"})
    assert load_environment(environment) == Environment(
        name="e", version="1", image="base", tags={"a": "b"}
    )
    data = Data(name="d", version="2", type="uri_folder", path=str(tmp_path))
    assert load_data(data) == DataAsset(name="d", version="2", path=str(tmp_path))
    model = Model(name="m", path="runs:/abc/model", type="mlflow_model")
    assert load_model(model).path == "runs:/abc/model"
    assert load_data(data, overrides=["version=3"]).version == "3"
    assert data.version == "2"


def test_settings_alone_may_say_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").touch()
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11]")
    data = load_data(None, overrides=["name=rows", "path=rows.csv", "type=uri_file"])
    assert data == DataAsset(name="rows", path=str(tmp_path / "rows.csv"), type="uri_file")
    environment = load_environment(None, overrides=["name=e", "image=base", "conda_file=conda.yml"])
    assert environment.conda == {"dependencies": ["python=3.11"]}
    with pytest.raises(SpecError, match=r"the data 'row.csv' is not there; did you mean"):
        load_data(None, overrides=["name=rows", "path=row.csv"])
