from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.spec.files import TRAIN, Write

from amlocal.plan import (
    DataValue,
    Environment,
    LiteralValue,
    Output,
    ParentInput,
    StepOutput,
)
from amlocal.spec import compile_job


def test_inputs_keep_their_values_and_types(write: Write, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a\n")
    job = compile_job(
        write(
            job="""
            command: >-
              echo ${{inputs.type}} ${{inputs.whole}} ${{inputs.part}} ${{ inputs.flag }}
              ${{inputs.boxed}} ${{inputs.table}} ${{inputs.rows}} ${NAME} $name
            environment: azureml:e:1
            inputs:
              type: a "quoted" $(value)
              whole: 3
              part: 1.0
              flag: true
              boxed: {value: 1000}
              table: {path: azureml:adult@latest, mode: download}
              rows: {type: uri_file, path: file:./rows.csv, mode: direct}
            """
        )
    )
    assert job.inputs == {
        "type": LiteralValue(value='a "quoted" $(value)'),
        "whole": LiteralValue(value=3),
        "part": LiteralValue(value=1.0),
        "flag": LiteralValue(value=True),
        "boxed": LiteralValue(value=1000),
        "table": DataValue(path="azureml:adult@latest", mode="download"),
        "rows": DataValue(path=str(tmp_path / "rows.csv"), type="uri_file", mode="direct"),
    }
    kinds = {name: declared.type for name, declared in job.steps[0].component.inputs.items()}
    assert kinds == {
        "type": "string",
        "whole": "integer",
        "part": "number",
        "flag": "boolean",
        "boxed": "integer",
        "table": "uri_folder",
        "rows": "uri_file",
    }


def test_local_paths_are_absolute_and_addresses_stay(write: Write, tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "data").mkdir()
    addresses = {
        "a": "azureml:adult:1",
        "b": "azureml://datastores/d/paths/p/",
        "c": "https://example.org/x.csv",
        "d": "wasbs://c@account.blob.core.windows.net/x",
        "e": "azureml:/subscriptions/s/resourceGroups/g/providers/"
        "Microsoft.MachineLearningServices/workspaces/w/data/adult/versions/1",
    }
    lines = "".join(f"  {name}: {{path: '{path}'}}\n" for name, path in addresses.items())
    file = tmp_path / "jobs" / "job.yml"
    file.write_text(
        "command: ls\nenvironment: azureml:e:1\ninputs:\n" + lines + "  local: {path: ../data}\n"
    )
    job = compile_job(file)
    paths = {name: v.path for name, v in job.inputs.items() if isinstance(v, DataValue)}
    assert paths == addresses | {"local": str(tmp_path / "data")}


def test_code_may_be_an_asset_or_a_git_address(write: Write) -> None:
    for code in ("azureml:code:1", "git+https://example.org/r.git#main"):
        job = compile_job(write(job=f"{{command: ls, environment: azureml:e:1, code: '{code}'}}"))
        assert job.steps[0].component.code == code


def test_outputs_may_have_no_value(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            command: touch ${{outputs.predictions}}/a ${{outputs.report}}
            environment: azureml:e:1
            outputs:
              predictions:
              report: {mode: upload}
            """
        )
    )
    assert job.steps[0].outputs == {
        "predictions": Output(),
        "report": Output(type="uri_folder", mode="upload"),
    }


def test_steps_are_bound_to_each_other(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: pipeline
            inputs: {rounds: 3, table: {type: uri_file, path: azureml:t:1}}
            jobs:
              a:
                command: a ${{inputs.n}} ${{inputs.t}} ${{outputs.made}} ${{inputs.plain}}
                environment: azureml:e:1
                inputs:
                  n: ${{ parent.inputs.rounds }}
                  t: {path: "${{parent.inputs.table}}", mode: download}
                  plain: text
                outputs: {made: {type: uri_file}, artifacts: }
              b:
                command: b ${{inputs.made}} ${{inputs.logs}}
                environment: azureml:e:1
                inputs:
                  made: ${{parent.jobs.a.outputs.made}}
                  logs: ${{parent.jobs.a.outputs.artifacts}}
            """
        )
    )
    a, b = job.steps
    assert a.inputs == {
        "n": ParentInput(name="rounds"),
        "t": ParentInput(name="table", mode="download"),
        "plain": LiteralValue(value="text"),
    }
    assert b.inputs == {
        "made": StepOutput(step="a", output="made"),
        "logs": StepOutput(step="a", output="artifacts"),
    }
    kinds = {
        name: declared.type for name, declared in (a.component.inputs | b.component.inputs).items()
    }
    assert kinds == {
        "n": "integer",
        "t": "uri_file",
        "plain": "string",
        "made": "uri_file",
        "logs": "uri_folder",
    }


def test_an_output_typed_only_by_the_pipeline_has_that_type_in_its_step(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: pipeline
            outputs:
              rows: {type: uri_file, path: "azureml://datastores/d/paths/${{name}}/rows.csv"}
            jobs:
              make:
                command: echo 1 > ${{outputs.made}}
                environment: azureml:e:1
                outputs: {made: "${{parent.outputs.rows}}"}
              read:
                command: cat ${{inputs.made}}
                environment: azureml:e:1
                inputs: {made: "${{parent.jobs.make.outputs.made}}"}
            """
        )
    )
    rows = Output(type="uri_file", path="azureml://datastores/d/paths/${{name}}/rows.csv")
    assert job.outputs == {"rows": rows}
    assert job.steps[0].outputs == {"made": rows}
    assert job.steps[1].component.inputs["made"].type == "uri_file"


def test_outputs_are_settled_by_component_step_and_pipeline(write: Write) -> None:
    job = compile_job(
        write(
            train=TRAIN,
            job="""
            type: pipeline
            outputs: {best: {path: "azureml://datastores/d/paths/best/", name: adult}}
            jobs:
              first:
                component: ./train.yml
                inputs: {data: {path: "azureml:a:1"}}
                outputs: {model: {mode: upload, name: first, version: 1}}
              second:
                component: ./train.yml
                inputs: {data: {path: "azureml:a:1"}}
                outputs: {model: {path: "${{parent.outputs.best}}", mode: rw_mount}}
              third:
                component: ./train.yml
                inputs: {data: {path: "azureml:a:1"}}
            """,
        )
    )
    first, second, third = (step.outputs["model"] for step in job.steps)
    assert first == Output(type="mlflow_model", mode="upload", name="first", version="1")
    assert second == Output(
        type="mlflow_model",
        mode="rw_mount",
        name="adult",
        path="azureml://datastores/d/paths/best/",
    )
    assert third == Output(type="mlflow_model")
    assert job.outputs == {"best": second}


def test_compute_may_be_an_input_of_the_pipeline(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: pipeline
            inputs: {where: cpu-cluster}
            jobs:
              a: {command: ls, environment: "azureml:e:1", compute: "${{parent.inputs.where}}"}
            """
        )
    )
    assert job.steps[0].compute == "cpu-cluster"


def test_a_step_may_replace_its_components_environment(write: Write) -> None:
    job = compile_job(
        write(
            train=TRAIN,
            job="""
            type: pipeline
            jobs:
              train:
                component: ./train.yml
                inputs: {data: {path: "azureml:a:1"}}
                environment: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
            """,
        )
    )
    reference = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
    assert job.steps[0].component.environment == Environment(reference=reference)


def test_the_experiment_is_named_as_the_current_folder(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(job="{command: echo, environment: azureml:e:1}")
    folder = tmp_path / "my models.v2"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert compile_job(file).experiment_name == "mymodels"
