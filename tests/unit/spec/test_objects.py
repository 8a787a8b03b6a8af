"""Jobs built in Python with azure-ai-ml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError, UsageError
from amlocal.plan import (
    DataValue,
    Environment,
    Input,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    StepOutput,
)
from amlocal.spec import compile_job, load_component

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

TRAIN = """
name: train
version: 3
type: command
inputs:
  data: {type: uri_folder}
  rounds: {type: integer, max: 100, default: 10}
outputs:
  model: {type: mlflow_model}
command: train ${{inputs.data}} ${{inputs.rounds}} ${{outputs.model}}
environment: azureml:training:1
"""


@pytest.fixture
def pipeline(write: Write, sdk: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that builds a pipeline job of two steps."""
    (tmp_path / "src").mkdir()
    (tmp_path / "data").mkdir()
    train = sdk.load_component(write(train=TRAIN))
    judge = sdk.command(
        command="judge ${{inputs.model}} ${{outputs.report}}",
        code="./src",
        environment="azureml:judging:1",
        inputs={"model": sdk.Input(type="mlflow_model")},
        outputs={"report": sdk.Output(type="uri_file")},
        environment_variables={"A": "1"},
    )

    def night(data, rounds=5):
        fitted = train(data=data, rounds=rounds)
        fitted.outputs.model.mode = "upload"
        judged = judge(model=fitted.outputs.model)
        judged.set_limits(timeout=30)
        return {"report": judged.outputs.report}

    # The SDK reads annotations as objects, which this module's are not.
    night.__annotations__ = {"data": sdk.Input(type="uri_folder"), "rounds": int}
    made = sdk.dsl.pipeline(name="night", display_name="Night", experiment_name="nights")(night)

    def build(rounds: int = 5) -> Any:
        return made(data=sdk.Input(type="uri_folder", path="./data"), rounds=rounds)

    return build


def test_a_pipeline_function_compiles(pipeline: Callable[..., Any], tmp_path: Path) -> None:
    source = pipeline()
    source.settings.force_rerun = True
    source.outputs.report.name = "report"
    job = compile_job(source)
    fitted, judged = job.steps
    assert (job.type, job.display_name, job.experiment_name) == ("pipeline", "Night", "nights")
    assert job.settings.force_rerun
    assert job.inputs == {
        "data": DataValue(path=str(tmp_path / "data")),
        "rounds": LiteralValue(value=5),
    }
    assert fitted.inputs == {"data": ParentInput(name="data"), "rounds": ParentInput(name="rounds")}
    assert fitted.outputs == {"model": Output(type="mlflow_model", mode="upload")}
    assert (fitted.component.name, fitted.component.version) == ("train", "3")
    assert fitted.component.source == "train.yml"
    assert judged.inputs == {"model": StepOutput(step="fitted", output="model")}
    assert judged.outputs == {"report": Output(type="uri_file", name="report")}
    assert judged.component.code == str(tmp_path / "src")
    assert judged.component.environment == Environment(reference="azureml:judging:1")
    assert (judged.timeout, judged.environment_variables) == (30, {"A": "1"})
    assert job.output_sources == {"report": OutputSource(step="judged", output="report")}


def test_a_command_compiles(sdk: Any, write: Write, tmp_path: Path) -> None:
    write()
    (tmp_path / "src").mkdir()
    job = compile_job(
        sdk.command(
            command="fit ${{inputs.rounds}} ${{inputs.table}} ${{outputs.model}}",
            environment="azureml:e:1",
            code="./src",
            name="fit-1",
            display_name="Fit",
            inputs={"rounds": 3, "table": sdk.Input(type="uri_file", path="azureml:t:1")},
            outputs={"model": sdk.Output(type="mlflow_model", name="adult")},
            timeout=60,
            compute="cpu",
        )
    )
    (step,) = job.steps
    assert (job.type, job.name, job.display_name) == ("command", "fit-1", "Fit")
    assert job.inputs == {
        "rounds": LiteralValue(value=3),
        "table": DataValue(path="azureml:t:1", type="uri_file"),
    }
    assert step.outputs == {"model": Output(type="mlflow_model", name="adult")}
    assert step.component.code == str(tmp_path / "src")
    assert (step.timeout, step.compute) == (60, "cpu")
    # Compute is in nearly every file: that it is approximated is documented, not warned of.
    assert job.warnings == ()


def test_a_file_and_the_object_it_loads_to_compile_to_the_same(write: Write, sdk: Any) -> None:
    file = write(
        train=TRAIN,
        job="""
        type: pipeline
        inputs: {table: {path: "azureml:adult:1"}}
        outputs: {best: {mode: upload}}
        jobs:
          fit:
            component: ./train.yml
            inputs: {data: "${{parent.inputs.table}}", rounds: 3}
            outputs: {model: "${{parent.outputs.best}}"}
        """,
    )
    from_file = compile_job(file)
    from_object = compile_job(sdk.load_job(file))
    assert from_object.inputs == from_file.inputs
    assert from_object.outputs == from_file.outputs
    assert from_object.steps[0].inputs == from_file.steps[0].inputs
    assert from_object.steps[0].outputs == from_file.steps[0].outputs


def test_an_object_is_checked_as_a_file_is(pipeline: Callable[..., Any], tmp_path: Path) -> None:
    source = pipeline(rounds=500)
    source.jobs["judged"].component.command = "judge ${{inputs.modell}} ${{outputs.report}}"
    (tmp_path / "src").rmdir()
    with pytest.raises(SpecError) as error:
        compile_job(source)
    said = "\n".join(str(problem) for problem in error.value.problems)
    assert "input 'rounds' of step 'fitted' is 500, above 100" in said
    assert "no input named 'modell'; did you mean 'model'?" in said
    assert "the code folder 'src' is not there" in said


def test_settings_change_an_object_too(pipeline: Callable[..., Any]) -> None:
    job = compile_job(pipeline(), overrides=["inputs.rounds=7", "settings.force_rerun=true"])
    assert job.inputs["rounds"] == LiteralValue(value=7)
    assert job.settings.force_rerun


def test_components_of_the_sdk_are_taken(write: Write, sdk: Any) -> None:
    file = write(train=TRAIN)
    assert load_component(sdk.load_component(file)).inputs == load_component(file).inputs


def test_what_is_no_job_is_refused(sdk: Any) -> None:
    with pytest.raises(UsageError, match="no job can be made of this dict") as error:
        compile_job({"type": "command"})
    assert "@pipeline" in error.value.hint


def test_what_does_not_run_here_is_refused(sdk: Any, tmp_path: Path) -> None:
    # The SDK reads annotations as the types of inputs, so these functions have none.
    inner = sdk.dsl.pipeline(lambda data: {})
    outer = sdk.dsl.pipeline(lambda data: inner(data).outputs)
    with pytest.raises(SpecError, match="A pipeline component as a step does not run here yet"):
        compile_job(outer(sdk.Input(type="uri_folder", path=str(tmp_path))))


def test_a_command_may_leave_out_what_it_declares(sdk: Any) -> None:
    declared = sdk.command(
        command="fit ${{inputs.rounds}} $[[--table ${{inputs.table}}]]",
        environment="azureml:e:1",
        inputs={
            "rounds": sdk.Input(type="integer", default=3),
            "table": sdk.Input(type="uri_file", optional=True),
        },
    )
    job = compile_job(declared())
    assert job.inputs == {}
    (step,) = job.steps
    assert step.component.inputs == {
        "rounds": Input(type="integer", default=3),
        "table": Input(type="uri_file", optional=True),
    }
    at_once = sdk.command(
        command="ls $[[${{inputs.table}}]]",
        environment="azureml:e:1",
        inputs={"table": sdk.Input(type="uri_file", optional=True)},
    )
    assert compile_job(at_once).steps[0].component.inputs["table"].optional
    given = compile_job(declared(rounds=4, table=sdk.Input(type="uri_file", path="azureml:t:1")))
    assert given.inputs["rounds"] == LiteralValue(value=4)
    assert set(given.steps[0].inputs) == {"rounds", "table"}


def test_a_command_needs_the_inputs_that_have_no_default(sdk: Any) -> None:
    declared = sdk.command(
        command="fit ${{inputs.rounds}}",
        environment="azureml:e:1",
        inputs={"rounds": sdk.Input(type="integer")},
    )
    with pytest.raises(SpecError, match=r"the input 'rounds' \(integer\) has no value; give"):
        compile_job(declared())
