"""What a monitor learns from a workspace: jobs that train, models that they make, collections."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lab import Lab, children, command, pipeline, step

from amlocal.errors import NotFoundError
from amlocal.local.monitors.facts import MonitoredModel, collection
from amlocal.local.monitors.workspace import WorkspaceFacts
from amlocal.plan import DataValue, Input, LiteralValue, ModelAsset, Output, StepOutput

MLMODEL = """
flavors: {python_function: {loader_module: none}}
signature:
  inputs: '[{"name": "age", "type": "double"}, {"name": "job", "type": "string"}]'
metadata: {target: income}
"""
MODEL = Output(type="mlflow_model")


@pytest.fixture
def facts(lab: Lab) -> WorkspaceFacts:
    found = lab.services.facts
    assert isinstance(found, WorkspaceFacts)
    return found


def registered(lab: Lab, facts: WorkspaceFacts, job: str) -> MonitoredModel:
    """Register what a job wrote to its output `model`."""
    address = f"azureml://jobs/{job}/outputs/model"
    info = lab.client.models.create_or_update(
        ModelAsset(name="income", path=address, type="mlflow_model")
    )
    return facts.model(f"azureml:income:{info.version}")


def test_a_model_is_traced_to_the_data_of_the_step_that_trained_it(
    lab: Lab, facts: WorkspaceFacts
) -> None:
    lab.write("all.csv", "age,job,income\n1,a,x\n")
    mlmodel = lab.write("MLmodel", MLMODEL)
    split = step(
        "split",
        "cp ${{inputs.data}} ${{outputs.train}}/t.csv; cp ${{inputs.data}} ${{outputs.test}}/t.csv;"
        "echo 2,b,y >> ${{outputs.test}}/t.csv",
        inputs={"data": DataValue(path=str(lab.project / "all.csv"), type="uri_file")},
        outputs={"train": Output(), "test": Output()},
    )
    train = step(
        "train",
        f"cp {mlmodel} ${{{{outputs.model}}}}",
        inputs={
            "data": StepOutput(step="split", output="train"),
            "target": LiteralValue(value="income"),
        },
        outputs={"model": MODEL},
    )
    judge = step(
        "judge",
        "true",
        inputs={
            "model": StepOutput(step="train", output="model"),
            "data": StepOutput(step="split", output="test"),
        },
        declared={"model": Input(type="mlflow_model")},
    )
    # As the step `register` does: the model version's run is that of another step.
    register = step(
        "register",
        "cp -r ${{inputs.model}}/. ${{outputs.model}}",
        inputs={"model": StepOutput(step="train", output="model")},
        declared={"model": Input(type="mlflow_model")},
        outputs={"model": MODEL},
    )
    job = lab.run(pipeline(split, train, judge, register))
    steps = children(job)
    model = registered(lab, facts, steps["register"].name)
    assert (model.label, model.features, model.target) == ("income:1", ("age", "job"), "income")
    assert model.predicts
    origin = facts.origin(model)
    assert origin.job == steps["train"].name
    assert origin.target == "income"
    assert origin.data.keys() == {"training", "test"}
    assert Path(origin.data["training"].path, "t.csv").read_text().count("\n") == 2
    assert Path(origin.data["test"].path, "t.csv").read_text().count("\n") == 3


def test_a_job_of_one_step_says_its_data_by_their_names(lab: Lab, facts: WorkspaceFacts) -> None:
    places = {name: lab.write(f"{name}.csv", f"a\n{name}\n") for name in ("train", "valid", "test")}
    given = {
        f"{name}_data": DataValue(path=str(place), type="uri_file")
        for name, place in places.items()
    }
    job = command(
        "touch ${{outputs.model}}/weights",
        inputs={**given, "target_column_name": LiteralValue(value="a")},
        outputs={"model": Output(type="custom_model")},
    )
    model = registered(lab, facts, lab.run(job).name)
    assert not model.predicts
    origin = facts.origin(model)
    assert {context: Path(value.path) for context, value in origin.data.items()} == {
        "training": places["train"],
        "validation": places["valid"],
        "test": places["test"],
    }
    assert origin.target == "a"


def test_a_model_of_unknown_origin_is_said_so(lab: Lab, facts: WorkspaceFacts) -> None:
    folder = lab.write("model/weights", "").parent
    lab.run(command("true"))
    lab.client.models.create_or_update(
        ModelAsset(name="found", path=str(folder), type="custom_model")
    )
    with pytest.raises(NotFoundError, match="not known which job") as error:
        facts.origin(facts.model("found:1"))
    assert "reference_data.input_data" in error.value.hint
    # Of a run that another workspace has.
    with pytest.raises(NotFoundError, match="not known which job"):
        facts.origin(MonitoredModel("m:1", str(folder), run_ids=("0" * 32,)))


def test_columns_are_those_that_were_collected_last(lab: Lab, facts: WorkspaceFacts) -> None:
    address = collection("adult", "blue", "model_outputs")
    assert facts.columns(address) == ()
    folder = facts.locations.place(address)
    for hour, rows in (("01", '[{"old": 1}]'), ("02", '[{"0": "x"}]'), ("03", "[]"), ("04", "?")):
        file = folder / "2026/11/22" / hour / "a.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text(f'{{"time": "t", "data": {rows}}}\n')
    (folder / "2026/11/22/05").mkdir()
    (folder / "2026/11/22/05/a.jsonl").write_text('{"data": [{"half')
    assert facts.columns(address) == ("0",)
