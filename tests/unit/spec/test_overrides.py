from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydash import objects
from tests.unit.spec.files import Write

from amlocal.errors import SpecError, UsageError
from amlocal.plan import DataValue, LiteralValue
from amlocal.spec import compile_job
from amlocal.spec.locate import Document, parse_document
from amlocal.spec.overrides import apply, parse

JOB = """
type: pipeline
inputs: {table: {path: azureml:a:1}, extra: {path: azureml:b:1}, rounds: 3}
jobs:
  train:
    component: ./train.yml
    inputs:
      table: ${{parent.inputs.table}}
      extra: ${{parent.inputs.extra}}
      rounds: ${{parent.inputs.rounds}}
"""
TRAIN = """
name: train
inputs:
  table: {type: uri_folder}
  extra: {type: uri_folder, optional: true}
  rounds: {type: integer}
command: train ${{inputs.table}} $[[--extra ${{inputs.extra}}]] ${{inputs.rounds}}
environment: azureml:e:1
"""


def document(text: str) -> Document:
    return parse_document(text, name="job.yml", file=Path("/job.yml"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("inputs.x=3", 3),
        ("inputs.x=0.5", 0.5),
        ("inputs.x=true", True),
        ("inputs.x='3'", "3"),
        ("inputs.x=", ""),
        ("inputs.x=a=b", "a=b"),
        ("inputs.x=a: b", "a: b"),
        ("inputs.x=# no comment", "# no comment"),
        ("inputs.x={broken", "{broken"),
        ("inputs.x=2024-01-01", "2024-01-01"),
        (
            'inputs.x={"path": "./data", "type": "uri_folder"}',
            {"path": "./data", "type": "uri_folder"},
        ),
        ("inputs.x=[1, 2]", [1, 2]),
        ("version=1.10", "1.10"),
        ("tags.run=5", "5"),
        ("environment_variables.A=1", "1"),
        ("inputs.version=1.10", 1.1),
        ("inputs.x=null", None),
    ],
)
def test_values_are_read_as_yaml_reads_them(setting: str, value: object) -> None:
    found = parse(setting)[1]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "path", ["inputs.x", "jobs.a.limits.timeout", "list[0]", "list[2].name", "new[1]", "n.m[0][1]"]
)
def test_paths_are_read_as_the_sdk_reads_them(path: str) -> None:
    text = "inputs: {x: 1}\nlist: [a, {name: b}]\n"
    expected: Any = document(text).data
    objects.set_(expected, path, "new")
    assert apply(document(text), [f"{path}=new"]).data == expected


def test_settings_are_applied_in_order_and_leave_the_document_alone() -> None:
    before = document("inputs: {x: 1}")
    after = apply(before, ["inputs.x=2", "inputs.x=3", "settings.force_rerun=true"])
    assert after.data == {"inputs": {"x": 3}, "settings": {"force_rerun": True}}
    assert before.data == {"inputs": {"x": 1}}


@pytest.mark.parametrize("setting", ["inputs.x", "=3", "a..b=3", "a[x]=3", ".a=1"])
def test_what_is_no_setting_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match="cannot read the setting") as error:
        parse(setting)
    assert "inputs.epochs=3" in error.value.hint


def test_a_setting_through_a_reference_is_refused() -> None:
    with pytest.raises(UsageError, match=r"goes through './c.yml'"):
        apply(document("jobs: {a: {component: ./c.yml}}"), ["jobs.a.component.command=ls"])
    with pytest.raises(UsageError, match="asked of a list"):
        apply(document("list: [1]"), ["list.name=2"])


def test_null_removes_a_field_or_an_item() -> None:
    text = "code: src\nlist: [a, b]\n"
    assert apply(document(text), ["code=null", "list[0]=null"]).data == {"list": ["b"]}
    assert apply(document(text), ["absent.name=null"]).data == document(text).data


def test_null_leaves_an_optional_input_out(write: Write) -> None:
    file = write(train=TRAIN, job=JOB)
    job = compile_job(file, overrides=["inputs.extra=null"])
    assert set(job.inputs) == {"table", "rounds"}
    assert set(job.steps[0].inputs) == {"table", "rounds"}


def test_null_for_a_required_input_is_a_problem_of_its_step(write: Write) -> None:
    file = write(train=TRAIN, job=JOB)
    with pytest.raises(SpecError, match=r"job.yml:5: step 'train' lacks the input 'table'"):
        compile_job(file, overrides=["inputs.table=null"])


def test_settings_reach_the_plan(write: Write, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    job = compile_job(
        write(train=TRAIN, job=JOB),
        overrides=["inputs.table.path=./data", "jobs.train.inputs.rounds=7", "name=night"],
    )
    assert job.name == "night"
    assert job.inputs["table"] == DataValue(path=str(tmp_path / "data"))
    assert job.steps[0].inputs["rounds"] == LiteralValue(value=7)


def test_a_wrong_setting_is_named_in_the_problem(write: Write) -> None:
    with pytest.raises(SpecError) as error:
        compile_job(write(train=TRAIN, job=JOB), overrides=["jobs.train.inputs.rounds=many"])
    (problem,) = error.value.problems
    assert str(problem).startswith("--set jobs.train.inputs.rounds=many: input 'rounds'")


def test_a_new_input_that_nothing_uses_is_warned_of(write: Write) -> None:
    file = write(train=TRAIN, job=JOB)
    (warned,) = compile_job(file, overrides=["inputs.round=4"]).warnings
    assert (warned.field, warned.message) == (
        "inputs.round",
        "nothing uses it; did you mean 'rounds'?",
    )
    used = ["inputs.more=4", "jobs.train.inputs.rounds=${{parent.inputs.more}}"]
    assert compile_job(file, overrides=used).warnings == ()
    command = write(hello="{command: echo, environment: 'azureml:e:1'}")
    (warned,) = compile_job(command, overrides=["inputs.n=1"]).warnings
    assert warned.message == "nothing uses it"
    assert (
        compile_job(command, overrides=["inputs.n=1", "command=echo ${{inputs.n}}"]).warnings == ()
    )
