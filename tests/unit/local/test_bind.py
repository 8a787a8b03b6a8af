from __future__ import annotations

import shlex

import pytest
from tests.lab import HOSTILE

from amlocal.errors import SpecError
from amlocal.local.bind import (
    BoundInput,
    input_variables,
    literal_text,
    output_path,
    render,
)
from amlocal.plan import Scalar

INPUTS = {
    "text": BoundInput("string", HOSTILE, literal=HOSTILE),
    "rate": BoundInput("number", "0.1", literal=0.1),
    "data": BoundInput("uri_folder", "/data/my folder", digest="d", mode="ro_mount"),
    "type": BoundInput("string", "t", literal="t"),
}
OUTPUTS = {"model": "/out/model"}


def words(command: str) -> list[str]:
    return shlex.split(render(command, INPUTS, OUTPUTS))


def test_values_become_one_argument_each() -> None:
    assert words("python a.py --text ${{inputs.text}} --data ${{ inputs.data }}") == [
        *("python", "a.py", "--text", HOSTILE, "--data", "/data/my folder")
    ]


def test_text_around_an_expression_stays() -> None:
    assert words("cp x ${{outputs.model}}/file.json --rate=${{inputs.rate}}") == [
        *("cp", "x", "/out/model/file.json", "--rate=0.1")
    ]


def test_the_shells_own_variables_stay() -> None:
    assert render("echo ${HOME} $name", {}, {}) == "echo ${HOME} $name"


@pytest.mark.parametrize("form", ["${{inputs.data}}", "${{inputs.data.path}}"])
def test_the_older_form_of_a_path_is_the_same(form: str) -> None:
    assert words(form) == ["/data/my folder"]


def test_an_input_may_be_named_type() -> None:
    assert words("${{inputs.type}}") == ["t"]


def test_an_optional_group_stays_where_its_inputs_have_values() -> None:
    assert words("a $[[--rate ${{inputs.rate}}]] b") == ["a", "--rate", "0.1", "b"]


def test_an_optional_group_goes_where_one_of_its_inputs_has_none() -> None:
    command = "a $[[--rate ${{inputs.rate}} --seed ${{inputs.seed}}]] b"
    assert words(command) == ["a", "b"]


def test_an_optional_group_without_inputs_stays() -> None:
    assert words("a $[[--flag]] b") == ["a", "--flag", "b"]


@pytest.mark.parametrize("expression", ["${{inputs.seed}}", "${{outputs.nope}}", "${{nothing.x}}"])
def test_an_expression_without_a_value_is_an_error(expression: str) -> None:
    with pytest.raises(SpecError, match="has no value"):
        render(f"echo {expression}", INPUTS, OUTPUTS)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (True, "boolean", "True"),
        (False, "boolean", "False"),
        (3, "integer", "3"),
        (3.0, "integer", "3"),
        (3.0, "number", "3.0"),
        (0.1, "number", "0.1"),
        (1e-07, "number", "1e-07"),
        ("x y", "string", "x y"),
        ("", "string", ""),
    ],
)
def test_literals_read_as_azure_writes_them(value: Scalar, kind: str, text: str) -> None:
    assert literal_text(value, kind) == text


def test_an_empty_literal_is_an_empty_argument() -> None:
    inputs = {"x": BoundInput("string", "", literal="")}
    assert shlex.split(render("a ${{inputs.x}} b", inputs, {})) == ["a", "", "b"]


def test_output_paths_take_the_jobs_name() -> None:
    path = output_path(
        "azureml://datastores/${{default_datastore}}/paths/runs/${{name}}/${{output_name}}",
        job="kind_fig",
        output="model",
        datastore="blobs",
    )
    assert path == "azureml://datastores/blobs/paths/runs/kind_fig/model"


def test_other_expressions_in_output_paths_are_refused() -> None:
    with pytest.raises(SpecError, match=r"inputs\.x.* cannot stand in the path of the output 'm'"):
        output_path("/x/${{inputs.x}}", job="j", output="m", datastore="d")


def test_variables_name_inputs_and_outputs() -> None:
    assert input_variables({"rate": INPUTS["rate"]}, OUTPUTS) == {
        "AZURE_ML_INPUT_rate": "0.1",
        "AZURE_ML_OUTPUT_model": "/out/model",
    }
