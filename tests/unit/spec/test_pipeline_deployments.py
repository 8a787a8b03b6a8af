from __future__ import annotations

from typing import Any

import pytest
from tests.unit.spec.conftest import Registry
from tests.unit.spec.files import TRAIN, Write

from amlocal.errors import SpecError
from amlocal.plan import (
    DataValue,
    Input,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    PipelineComponent,
    Settings,
    StepOutput,
)
from amlocal.spec import (
    check_endpoint_for_azure,
    compile_job,
    load_batch_deployment,
    load_component,
)

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

#: A pipeline component of two steps, one of them inline.
PIPELINE = """
    $schema: https://azuremlschemas.azureedge.net/latest/pipelineComponent.schema.json
    type: pipeline
    name: judge
    version: 3
    display_name: Judge
    description: Trains and judges.
    tags: {team: risk}
    inputs:
      rows: {type: uri_folder}
      rounds: {type: integer, default: 5, min: 1}
      note: {type: string, optional: true}
    outputs:
      scores: {type: uri_folder, mode: upload}
    jobs:
      train:
        type: command
        component: ./train.yml
        inputs: {data: "${{parent.inputs.rows}}", rounds: "${{parent.inputs.rounds}}"}
      judge:
        type: command
        command: judge ${{inputs.model}} ${{inputs.rounds}} ${{inputs.rows}} ${{outputs.scores}}
        environment: azureml:training:1
        inputs:
          model: ${{parent.jobs.train.outputs.model}}
          rounds: ${{parent.inputs.rounds}}
          rows: ${{parent.inputs.rows}}
        outputs:
          scores: ${{parent.outputs.scores}}
"""

DEPLOYMENT = """
    name: Blue
    endpoint_name: Adult
    type: pipeline
    component: pipeline.yml
"""


def test_every_field_of_a_pipeline_deployment_reaches_the_plan(write: Write) -> None:
    file = write(
        train=TRAIN,
        pipeline=PIPELINE,
        blue=f"""{DEPLOYMENT}
    $schema: https://x/pipelineComponentBatchDeployment.schema.json
    description: Judges.
    tags: {{team: risk, level: 3}}
    settings:
      continue_on_step_failure: false
      force_rerun: true
      default_datastore: cold
      default_compute: cluster
""",
    )
    loaded = load_batch_deployment(file)
    assert (loaded.name, loaded.endpoint_name) == ("blue", "adult")
    assert loaded.description == "Judges."
    assert loaded.tags == {"team": "risk", "level": "3"}
    assert loaded.compute == "cluster"
    assert loaded.source == "blue.yml"
    assert loaded.model is None
    assert loaded.pipeline is not None
    assert loaded.pipeline.settings == Settings(
        default_compute="cluster",
        default_datastore="cold",
        continue_on_step_failure=False,
        force_rerun=True,
    )
    assert loaded.warnings == ()


def test_every_field_of_a_pipeline_component_reaches_the_plan(write: Write) -> None:
    file = write(train=TRAIN, pipeline=PIPELINE, blue=DEPLOYMENT)
    loaded = load_batch_deployment(file)
    assert loaded.pipeline_inputs == {
        "rows": Input(type="uri_folder"),
        "rounds": Input(type="integer", default=5, min=1),
        "note": Input(type="string", optional=True),
    }
    job = loaded.pipeline
    assert job is not None
    assert job.type == "pipeline"
    assert job.name is None
    assert job.experiment_name == "adult"
    assert (job.display_name, job.description) == ("Judge", "Trains and judges.")
    assert job.tags == {"team": "risk"}
    assert job.source == "pipeline.yml"
    assert job.inputs == {"rounds": LiteralValue(value=5)}
    assert job.outputs == {"scores": Output(type="uri_folder", mode="upload")}
    assert job.output_sources == {"scores": OutputSource(step="judge", output="scores")}
    train, judge = job.steps
    assert train.component.name == "train"
    assert train.component.source == "train.yml"
    assert train.inputs == {
        "data": ParentInput(name="rows"),
        "rounds": ParentInput(name="rounds"),
    }
    assert judge.inputs["model"] == StepOutput(step="train", output="model")
    # What an inline step takes has the types that the pipeline declares.
    assert {name: port.type for name, port in judge.component.inputs.items()} == {
        "model": "mlflow_model",
        "rounds": "integer",
        "rows": "uri_folder",
    }


def test_the_steps_are_those_of_a_job(write: Write) -> None:
    """The same steps in a pipeline job come to the same plan."""
    given = "inputs: {rows: {type: uri_folder, path: .}, rounds: 5}"
    rest = PIPELINE[PIPELINE.index("    outputs:") :]
    job = write(train=TRAIN, pipeline=PIPELINE, job=f"    type: pipeline\n    {given}\n{rest}")
    deployed = load_batch_deployment(write(blue=DEPLOYMENT)).pipeline
    assert deployed is not None
    assert deployed.steps == compile_job(job).steps


def test_a_job_definition_gives_inputs(write: Write) -> None:
    bare = DEPLOYMENT.replace("    component: pipeline.yml\n", "")
    file = write(
        train=TRAIN,
        pipeline=PIPELINE,
        blue=f"""{bare}
    job_definition:
      $schema: anything
      type: pipeline
      comment: For people.
      component: ./pipeline.yml
      inputs:
        rounds: "7"
        rows: {{type: uri_folder, path: azureml:rows:1}}
""",
    )
    loaded = load_batch_deployment(file)
    assert loaded.pipeline is not None
    assert loaded.pipeline.inputs == {
        "rounds": LiteralValue(value=7),
        "rows": DataValue(path="azureml:rows:1"),
    }
    assert set(loaded.pipeline_inputs) == {"rows", "rounds", "note"}


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("{round: 3}", "the pipeline has no input 'round'; did you mean 'rounds'?"),
        ("{rounds: 0}", "input 'rounds' is 0, below 1; raise it"),
        ("{rounds: many}", "input 'rounds' takes an integer, not 'many'; write an integer"),
        ("{rounds: {path: ./x}}", "input 'rounds' takes an integer, not data; give it one value"),
        ("{rows: 3}", "input 'rows' takes data (uri_folder), not 3; write path: below it"),
    ],
)
def test_inputs_that_do_not_fit_are_told_of(write: Write, inputs: str, message: str) -> None:
    file = write(
        train=TRAIN,
        pipeline=PIPELINE,
        blue=f"""
        name: blue
        endpoint_name: adult
        type: pipeline
        job_definition:
          type: pipeline
          component: pipeline.yml
          inputs: {inputs}
        """,
    )
    with pytest.raises(SpecError) as error:
        load_batch_deployment(file)
    assert f"blue.yml:8: {message}" in str(error.value).splitlines()


def test_a_value_cannot_stand_for_data_nor_data_for_a_value(write: Write) -> None:
    swapped = PIPELINE.replace('data: "${{parent.inputs.rows}}"', 'data: "${{parent.inputs.note}}"')
    swapped = swapped.replace(
        'rounds: "${{parent.inputs.rounds}}"', 'rounds: "${{parent.inputs.rows}}"'
    )
    with pytest.raises(SpecError) as error:
        load_batch_deployment(write(train=TRAIN, pipeline=swapped, blue=DEPLOYMENT))
    assert [problem.message for problem in error.value.problems] == [
        "input 'data' of step 'train' takes data (uri_folder), not a string",
        "input 'rounds' of step 'train' takes an integer, not data (uri_folder)",
    ]


def test_what_is_wrong_with_the_component_is_told_in_its_file(write: Write) -> None:
    broken = PIPELINE.replace('parent.inputs.rows}}"', 'parent.inputs.row}}"')
    broken = broken.replace("default: 5", "default: 0")
    with pytest.raises(SpecError) as error:
        load_batch_deployment(write(train=TRAIN, pipeline=broken, blue=f"{DEPLOYMENT}    tag: 1"))
    assert [str(problem) for problem in error.value.problems] == [
        "blue.yml:6: no field named 'tag' in a pipeline batch deployment; did you mean 'tags'?",
        "pipeline.yml:11: the default of input 'rounds' is 0, below 1; raise it",
        "pipeline.yml:19: the pipeline has no input 'row'; did you mean 'rows'?",
    ]


def test_steps_may_be_registered_components(write: Write, registry: Registry) -> None:
    pipeline = """
    type: pipeline
    jobs:
      train: {component: "azureml:train@latest"}
    """
    file = write(pipeline=pipeline, blue=DEPLOYMENT)
    loaded = load_batch_deployment(file, assets=registry)
    assert loaded.pipeline is not None
    assert loaded.pipeline.steps[0].component == registry.components["train"]
    with pytest.raises(SpecError, match="cannot be looked up"):
        load_batch_deployment(file)
    check_endpoint_for_azure("batch deployment", file)


def test_a_registered_pipeline_component_is_deployed(write: Write, registry: Registry) -> None:
    component = load_component(write(train=TRAIN, pipeline=PIPELINE))
    assert isinstance(component, PipelineComponent)
    assert (component.name, component.version) == ("judge", "3")
    registry.pipelines["judge"] = component
    bare = DEPLOYMENT.replace("pipeline.yml", "azureml:judge@latest")
    file = write(blue=bare + "    settings: {force_rerun: true}")
    loaded = load_batch_deployment(file, assets=registry)
    assert registry.asked == [("judge", None, "latest")]
    assert loaded.pipeline is not None
    assert loaded.pipeline.steps == component.job.steps
    assert loaded.pipeline.settings.force_rerun
    assert loaded.pipeline.experiment_name == "adult"
    assert loaded.pipeline_inputs == component.inputs
    other = write(green=DEPLOYMENT.replace("pipeline.yml", "azureml:jury:1"))
    with pytest.raises(SpecError, match=r"green.yml:5: no component named 'jury'"):
        load_batch_deployment(other, assets=registry)
    with pytest.raises(SpecError, match=r"cannot be looked up") as error:
        load_batch_deployment(file)
    assert {problem.target for problem in error.value.problems} == {"local"}


def test_a_pipeline_component_needs_a_name_to_be_registered(write: Write) -> None:
    write(train=TRAIN)
    nameless = write(pipeline=PIPELINE.replace("    name: judge\n", ""))
    with pytest.raises(SpecError, match=r"pipeline.yml:2: the component has no name"):
        load_component(nameless)
    assert load_component(nameless, overrides=["name=other"]).name == "other"
    with pytest.raises(SpecError, match="'Not-One' cannot be the name of a component"):
        load_component(nameless, overrides=["name=Not-One"])


def test_a_pipeline_component_built_in_python_is_loaded(write: Write, sdk: Any) -> None:
    file = write(train=TRAIN, pipeline=PIPELINE)
    built = load_component(sdk.load_component(file), overrides=["version=4"])
    read = load_component(file)
    assert isinstance(built, PipelineComponent)
    assert isinstance(read, PipelineComponent)
    assert (built.name, built.version, built.inputs) == ("judge", "4", read.inputs)


def test_an_output_that_nothing_writes_is_told_of(write: Write) -> None:
    pipeline = """
    type: pipeline
    outputs: {lost: {type: uri_folder}}
    jobs:
      train: {component: ./train.yml, inputs: {data: {path: "azureml:rows:1"}}}
    """
    loaded = load_batch_deployment(write(train=TRAIN, pipeline=pipeline, blue=DEPLOYMENT))
    assert [warned.field for warned in loaded.warnings] == ["outputs.lost"]


def test_settings_alone_may_say_all(write: Write) -> None:
    write(train=TRAIN, pipeline=PIPELINE)
    loaded = load_batch_deployment(
        None,
        overrides=["type=pipeline", "component=pipeline.yml", "settings.force_rerun=true"],
        name="blue",
        endpoint_name="adult",
    )
    assert loaded.pipeline is not None
    assert loaded.pipeline.settings.force_rerun


def test_objects_of_the_sdk_are_taken(write: Write, sdk: Any) -> None:
    file = write(train=TRAIN, pipeline=PIPELINE)
    component = sdk.load_component(file)
    entities = sdk.entities
    deployment = entities.PipelineComponentBatchDeployment(
        name="Blue", endpoint_name="adult", component=component, settings={"force_rerun": True}
    )
    loaded = load_batch_deployment(deployment)
    read = load_batch_deployment(write(blue=DEPLOYMENT))
    assert loaded.pipeline is not None
    assert read.pipeline is not None
    assert loaded.pipeline_inputs == read.pipeline_inputs
    assert loaded.pipeline.inputs == read.pipeline.inputs
    assert loaded.pipeline.output_sources == read.pipeline.output_sources
    assert [step.inputs for step in loaded.pipeline.steps] == [
        step.inputs for step in read.pipeline.steps
    ]
    assert loaded.pipeline.settings.force_rerun
    assert load_batch_deployment(deployment, name="green").name == "green"


def test_a_job_built_in_python_may_be_deployed(write: Write, sdk: Any) -> None:
    train = sdk.load_component(write(train=TRAIN))

    @sdk.dsl.pipeline()
    def judge(rows, rounds):
        train(data=rows, rounds=rounds)

    job = judge(rows=sdk.Input(type="uri_folder", path="azureml:rows:1"), rounds=4)
    deployment = sdk.entities.PipelineComponentBatchDeployment(
        name="blue", endpoint_name="adult", job_definition=job
    )
    loaded = load_batch_deployment(deployment)
    assert loaded.pipeline_inputs == {
        "rows": Input(type="uri_folder", default="azureml:rows:1"),
        "rounds": Input(type="integer", default=4),
    }
    assert loaded.pipeline is not None
    assert loaded.pipeline.inputs["rounds"] == LiteralValue(value=4)
    assert loaded.pipeline.experiment_name == "adult"
