from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.plan import (
    DataValue,
    Distribution,
    Input,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    StepOutput,
)
from amlocal.spec import build

HERE = Path("/project/jobs")


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (5, "integer", 5),
        ("5", "integer", 5),
        (5.0, "integer", 5),
        (5.5, "integer", None),
        ("five", "integer", None),
        (True, "integer", None),
        (5, "number", 5),
        ("0.5", "number", 0.5),
        ("1e-3", "number", 0.001),
        ("true", "boolean", True),
        ("False", "boolean", False),
        (1, "boolean", None),
        ("yes", "boolean", None),
        (5, "string", "5"),
        (True, "string", "True"),
        ([1], "string", None),
        (None, "number", None),
    ],
)
def test_literals_have_their_declared_type(value: object, kind: str, expected: object) -> None:
    found = build.typed(value, kind)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data", "/project/jobs/data"),
        ("./data/", "/project/jobs/data"),
        ("../data/x.csv", "/project/data/x.csv"),
        ("file:../data", "/project/data"),
        ("file:///data/x", "/data/x"),
        ("/data/x", "/data/x"),
        ("rows:2024.csv", "/project/jobs/rows:2024.csv"),
        ("azureml:adult:1", "azureml:adult:1"),
        ("azureml://datastores/d/paths/p", "azureml://datastores/d/paths/p"),
        ("https://example.org/x", "https://example.org/x"),
        ("wasbs://c@a.blob.core.windows.net/x", "wasbs://c@a.blob.core.windows.net/x"),
        ("git+https://example.org/r.git", "git+https://example.org/r.git"),
        ("runs:/abc/model", "runs:/abc/model"),
        ("${{parent.inputs.x}}", "${{parent.inputs.x}}"),
    ],
)
def test_local_paths_are_absolute_and_addresses_stay(path: str, expected: str) -> None:
    assert build.local_path(path, HERE) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, LiteralValue(value=3)),
        ({"value": "a"}, LiteralValue(value="a")),
        ("${{name}}", LiteralValue(value="${{name}}")),
        ("${{ parent.inputs.x }}", ParentInput(name="x")),
        ("${{parent.inputs.group.x}}", ParentInput(name="group.x")),
        ("${{parent.jobs.a.outputs.b}}", StepOutput(step="a", output="b")),
        ({"path": "d", "type": "MLTable"}, DataValue(path="/project/jobs/d", type="mltable")),
        (
            {"path": "${{parent.jobs.a.outputs.b}}", "mode": "Download", "type": "mltable"},
            StepOutput(step="a", output="b", mode="download", type="mltable"),
        ),
        ({"type": "uri_file"}, None),
        ({"path": 3}, None),
        ([3], None),
        (None, None),
    ],
)
def test_bindings(value: object, expected: object) -> None:
    assert build.binding(value, HERE) == expected


def test_what_is_said_above_overlays_what_is_said_below() -> None:
    declared = Output(type="mlflow_model", mode="rw_mount", description="The model.")
    assert build.overlay(declared, Output()) == declared
    assert build.overlay(declared, Output(type="uri_folder", mode="upload", name="m")) == Output(
        type="mlflow_model", mode="upload", name="m", description="The model."
    )
    assert build.overlay(declared, Output(type="custom_model")).type == "custom_model"
    assert build.overlay(Output(), Output(type="uri_folder")).type == "uri_folder"


def test_a_promotion_is_no_path() -> None:
    assert build.output("${{parent.outputs.best}}") == Output()
    assert build.output({"path": "${{parent.outputs.best}}", "mode": "mount"}) == Output(
        mode="rw_mount"
    )
    assert build.sources({"model": "${{parent.outputs.best}}", "log": None}, "train") == {
        "best": OutputSource(step="train", output="model")
    }


def test_values_of_the_wrong_kind_are_left_out() -> None:
    assert build.component_input({"type": "wrong", "min": "low", "enum": 3}, HERE) == Input()
    assert build.distribution({"type": 3, "worker_count": "many"}) == Distribution(
        type="", worker_count=1
    )
    found = build.declared_component(
        {"command": 3, "code": 4, "tags": [], "additional_includes": "x", "environment": 5}, HERE
    )
    assert (found.command, found.code, found.tags, found.environment) == ("", None, {}, None)


def test_numbers_and_texts_of_variables_are_spelled_as_python_spells_them() -> None:
    assert build.texts({"a": 1, "b": True, "c": None, "d": 0.5, 5: "gone"}) == {
        "a": "1",
        "b": "True",
        "c": "",
        "d": "0.5",
    }
