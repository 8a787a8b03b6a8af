from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.lab import HOSTILE, Lab, pipeline, step

from amlocal.errors import SpecError, TargetError
from amlocal.local.inputs import StepInputs, copy_inputs, find_inputs
from amlocal.plan import (
    Binding,
    DataAsset,
    DataValue,
    Input,
    Job,
    LiteralValue,
    OutputInfo,
    ParentInput,
    StepOutput,
)

NUMBER = Input(type="number", default=0.5)


@pytest.fixture
def data(lab: Lab) -> Path:
    lab.write("data/b.txt", "b")
    return lab.write("data/a.txt", "a").parent


def found(
    lab: Lab,
    given: dict[str, Binding],
    declared: dict[str, Input] | None = None,
    *,
    results: dict[tuple[str, str], OutputInfo] | None = None,
    **job: Any,
) -> StepInputs:
    one = step("s", "true", inputs=given, declared=declared)
    return find_inputs(
        pipeline(one, **job),
        one,
        locations=lab.services.locations,
        digests=lab.services.digests,
        result=lambda *key: (results or {})[key],
        copies=lab.project / "copies",
    )


def test_assets_that_are_not_registered_are_told_before_a_job_is_recorded(lab: Lab) -> None:
    rows = DataAsset(name="rows", path=str(lab.write("rows.csv", "a\n")), type="uri_file")
    lab.client.data.create_or_update(rows)
    job = pipeline(
        step("a", "true", inputs={"x": DataValue(path="azureml:rowz:1", type="uri_file")}),
        step("b", "true", inputs={"x": DataValue(path="azureml:rows:9", type="uri_file")}),
        step("c", "true", inputs={"x": DataValue(path="azureml:rows@latest", type="uri_file")}),
        inputs={"none": DataValue(path="azureml:none@latest")},
        source="job.yml",
    )
    with pytest.raises(SpecError) as caught:
        lab.run(job)
    told = [str(problem).partition(";")[0] for problem in caught.value.problems]
    assert told == [
        "job.yml: inputs.none: no data asset or model named 'none'",
        "job.yml: jobs.a.inputs.x: no data asset or model named 'rowz'",
        "job.yml: jobs.b.inputs.x: no version of data rows named '9'",
    ]
    assert lab.client.jobs.list() == []


def test_literals_take_the_declared_type(lab: Lab) -> None:
    inputs = found(
        lab,
        {"rate": LiteralValue(value=1), "text": LiteralValue(value=HOSTILE)},
        {"rate": Input(type="number")},
    )
    assert (inputs.bound["rate"].type, inputs.bound["rate"].text) == ("number", "1")
    assert inputs.bound["text"].text == HOSTILE
    assert inputs.places == {}


def test_what_is_not_given_is_its_default(lab: Lab) -> None:
    inputs = found(lab, {}, {"rate": NUMBER})
    assert (inputs.bound["rate"].literal, inputs.bound["rate"].text) == (0.5, "0.5")


def test_an_optional_input_may_be_absent(lab: Lab) -> None:
    declared = {"x": Input(type="string", optional=True), "d": Input(optional=True)}
    assert found(lab, {}, declared).bound == {}


def test_a_missing_input_is_an_error(lab: Lab) -> None:
    with pytest.raises(SpecError, match="the input 'x' has no value"):
        found(lab, {}, {"x": Input(type="string")})


def test_the_jobs_inputs_reach_its_steps(lab: Lab, data: Path) -> None:
    inputs = found(
        lab,
        {"x": ParentInput(name="data", mode="download"), "n": ParentInput(name="number")},
        {"n": NUMBER},
        inputs={"data": DataValue(path=str(data)), "number": LiteralValue(value=3)},
    )
    assert inputs.places == {"x": data}
    assert inputs.bound["x"].mode == "download"
    assert inputs.bound["n"].text == "3"


def test_a_job_input_that_is_not_given_leaves_the_default(lab: Lab) -> None:
    assert found(lab, {"n": ParentInput(name="n")}, {"n": NUMBER}).bound["n"].literal == 0.5


def test_data_is_read_where_it_is(lab: Lab, data: Path) -> None:
    inputs = found(lab, {"x": DataValue(path=str(data))})
    assert inputs.bound["x"].text == str(data)
    assert inputs.bound["x"].mode == "ro_mount"
    assert inputs.bound["x"].digest == lab.services.digests.content(data)
    copy_inputs(inputs)
    assert not (lab.project / "copies").exists()
    inputs.check_unchanged(lab.services.digests)


@pytest.mark.parametrize("name", ["", "a.txt"])
def test_a_download_is_a_copy(lab: Lab, data: Path, name: str) -> None:
    source = data / name
    inputs = found(lab, {"x": DataValue(path=str(source), mode="download")})
    copy_inputs(inputs)
    copy = Path(inputs.bound["x"].text)
    assert copy.name == source.name
    assert lab.services.digests.content(copy) == inputs.bound["x"].digest
    (copy if copy.is_file() else copy / "a.txt").write_text("changed")
    inputs.check_unchanged(lab.services.digests)
    assert (data / "a.txt").read_text() == "a"


@pytest.mark.parametrize("mode", [None, "ro_mount", "rw_mount", "direct"])
def test_a_changed_input_is_an_error(lab: Lab, data: Path, mode: str | None) -> None:
    inputs = found(lab, {"x": DataValue(path=str(data), mode=mode)})
    (data / "new.txt").touch()
    with pytest.raises(TargetError, match="the step changed its input 'x'") as raised:
        inputs.check_unchanged(lab.services.digests)
    assert "mode: download" in raised.value.hint


def test_a_folder_of_a_datastore_may_be_written_to_meanwhile(lab: Lab) -> None:
    store = lab.services.workspace.datastore("blobs")
    (store / "in/out").mkdir(parents=True)
    (store / "in/a.txt").write_text("a")
    address = "azureml://datastores/blobs/paths/in"
    inputs = found(lab, {"x": DataValue(path=address), "f": DataValue(path=f"{address}/a.txt")})
    (store / "in/out/new.txt").touch()
    inputs.check_unchanged(lab.services.digests)
    (store / "in/a.txt").write_text("changed")
    with pytest.raises(TargetError, match="the step changed its input 'f'"):
        inputs.check_unchanged(lab.services.digests)


@pytest.mark.parametrize(("inside", "is_open"), [("modelDataCollector", True), ("rows", False)])
def test_a_registered_collection_may_be_added_to_meanwhile(
    lab: Lab, inside: str, is_open: bool
) -> None:
    path = f"{inside}/adult/blue/model_inputs"
    file = lab.services.workspace.datastore("workspaceblobstore") / path / "2024/blue-0.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    address = f"azureml://datastores/workspaceblobstore/paths/{path}"
    lab.client.data.create_or_update(DataAsset(name="rows", path=address, type="uri_folder"))
    inputs = found(lab, {"x": DataValue(path="azureml:rows:1", type="uri_folder")})
    with file.open("a") as lines:
        lines.write("{}\n")
    if is_open:
        inputs.check_unchanged(lab.services.digests)
    else:
        with pytest.raises(TargetError, match="the step changed its input 'x'"):
            inputs.check_unchanged(lab.services.digests)


def test_a_removed_input_is_a_changed_one(lab: Lab, data: Path) -> None:
    inputs = found(lab, {"x": DataValue(path=str(data / "a.txt"), type="uri_file")})
    (data / "a.txt").unlink()
    with pytest.raises(TargetError, match="the step changed its input 'x'"):
        inputs.check_unchanged(lab.services.digests)


def test_a_direct_address_is_given_as_it_is(lab: Lab) -> None:
    address = "https://example.net/x?sig=secret"
    inputs = found(lab, {"x": DataValue(path=address, type="uri_file", mode="direct")})
    assert inputs.bound["x"].text == address
    assert inputs.places == {}
    assert inputs.infos()["x"].path == "https://example.net/x"


def test_data_that_is_not_there_is_an_error(lab: Lab) -> None:
    with pytest.raises(TargetError, match="there is no data at /nothing"):
        found(lab, {"x": DataValue(path="/nothing")})


def test_another_steps_output_is_taken(lab: Lab, data: Path) -> None:
    digest = lab.services.digests.content(data)
    output = OutputInfo(type="mlflow_model", path=str(data), digest=digest)
    inputs = found(
        lab,
        {"m": StepOutput(step="a", output="o")},
        {"m": Input(type="mlflow_model")},
        results={("a", "o"): output},
    )
    assert inputs.bound["m"].text == str(data)
    assert inputs.bound["m"].digest == digest
    assert inputs.infos()["m"].type == "mlflow_model"


def test_infos_hold_values_or_places(lab: Lab, data: Path) -> None:
    job: Job = pipeline()
    assert job.inputs == {}
    infos = found(lab, {"x": DataValue(path=str(data)), "n": LiteralValue(value=False)}).infos()
    assert (infos["n"].value, infos["n"].path) == (False, None)
    assert (infos["x"].value, infos["x"].path) == (None, str(data))
