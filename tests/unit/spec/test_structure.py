from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amlocal.errors import Problem, SpecError
from amlocal.plan import Warned
from amlocal.spec import compile_job
from amlocal.spec.findings import Findings
from amlocal.spec.locate import Document
from amlocal.spec.structure import check_object, check_value

JOB: dict[str, Any] = {
    "type": "pipeline",
    "inputs": {"table": {"type": "uri_folder", "path": "azureml:adult:1"}, "rounds": 3},
    "outputs": {"best": {"type": "mlflow_model"}},
    "settings": {"default_compute": "azureml:cpu", "force_rerun": False},
    "jobs": {
        "fit": {
            "component": {
                "command": "fit ${{inputs.rounds}} $[[${{inputs.table}}]] ${{outputs.model}}",
                "environment": {"image": "base", "conda_file": {"dependencies": ["python"]}},
                "inputs": {
                    "rounds": {"type": "integer", "default": 5, "min": 1},
                    "table": {"type": "uri_folder", "optional": True},
                },
                "outputs": {"model": {"type": "mlflow_model"}},
            },
            "inputs": {"rounds": "${{parent.inputs.rounds}}", "table": "${{parent.inputs.table}}"},
            "outputs": {"model": "${{parent.outputs.best}}"},
            "limits": {"timeout": 60},
        },
        "judge": {
            "command": "judge ${{inputs.model}}",
            "environment": "azureml:e:1",
            "inputs": {"model": "${{parent.jobs.fit.outputs.model}}"},
            "environment_variables": {"A": "1"},
        },
    },
}

STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(),
    st.sampled_from(
        ["", "x", "azureml:", "azureml:a@b", "file:", "/", "${{", "${{parent.inputs.q}}", "a: b"]
    ),
    st.lists(st.none() | st.integers(), max_size=2),
    st.dictionaries(
        st.sampled_from(["type", "path", "value", "component", "jobs", 5]),
        st.none() | st.text(max_size=3) | st.integers(),
        max_size=2,
    ),
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict):
        return [path]
    below = [found for name, item in value.items() for found in paths(item, (*path, name))]
    return [path, *below] if path else below


def found_in(value: object, schema: str) -> Findings:
    findings = Findings()
    check_object(findings, Document(name="f", data=value, folder=Path()).place, value, schema)
    return findings


def problems_in(value: object, kind: str) -> list[Problem]:
    findings = Findings()
    check_value(findings, Document(name="f", data=value, folder=Path()).place.at("x"), value, kind)
    try:
        findings.raise_problems()
    except SpecError as error:
        return list(error.problems)
    return []


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(path=st.sampled_from(paths(JOB)), value=STRANGE)
def test_whatever_stands_in_a_field_no_traceback_comes(
    path: tuple[Any, ...], value: object, tmp_path: Path
) -> None:
    data = copy.deepcopy(JOB)
    at = data
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    file = tmp_path / "job.yml"
    file.write_text(yaml.safe_dump(data))
    problems: tuple[Problem, ...] = ()
    try:
        compile_job(file)
    except SpecError as error:
        problems = error.problems
    assert all(problem.file and len(str(problem)) < 600 for problem in problems)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("a", "text"),
        ("60", "int"),
        (60.0, "int"),
        ("1e-3", "number"),
        ("True", "bool"),
        (0, "bool"),
        (1.5, "version"),
        ("Linux", "enum(linux windows)"),
        (["a"], "text|list(text)"),
        ("a", "text|list(text)"),
        ({"a": None}, "map(text?)"),
        (None, "output?"),
        ("azureml:e:1", "environment"),
        ({"image": "base"}, "environment"),
        (object(), "any"),
    ],
)
def test_what_fits_is_no_problem(value: object, kind: str) -> None:
    assert problems_in(value, kind) == []


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (5, "text", "'x' must be text, not 5"),
        ("soon", "int", "'x' must be a whole number, not 'soon'"),
        (float("inf"), "int", "'x' must be a whole number, not inf"),
        ("much", "number", "'x' must be a number, not 'much'"),
        (True, "number", "'x' must be a number, not true"),
        (10**400, "number", "'x' must be a number, not 1000"),
        ("perhaps", "bool", "'x' must be true or false, not 'perhaps'"),
        (True, "version", "'x' must be text or a number, not true"),
        ("Linux", "exactly(linux windows)", "'x' cannot be 'Linux'"),
        ({"a": 1}, "text|list(text)", "'x' must not be a mapping"),
        ("a", "list(text)", "'x' must be a list, not 'a'"),
        ({"a": 1}, "map(text?)", "'x.a' must be text, not 1"),
        (None, "text", "'x' has no value"),
        ({"image": "b", "build": {"path": "d"}}, "environment", "both an image and a build"),
        ("cpu", "asset_name", "'x' 'cpu' is not a reference"),
    ],
)
def test_what_does_not_fit_is_one_problem_with_a_hint(
    value: object, kind: str, message: str
) -> None:
    (problem,) = problems_in(value, kind)
    assert message in problem.message
    assert problem.hint


def test_a_field_is_warned_of_once_and_what_is_below_it_is_not() -> None:
    value = {
        "command": "ls",
        "environment": "azureml:e:1",
        "services": {"a": {"type": "ssh", "port": 22}, "b": {"type": "vs_code"}},
        "status": "Completed",
    }
    fields = [warned.field for warned in found_in(value, "command_job").warnings]
    assert fields == ["command_job.services", "command_job.status"]


def test_a_warning_says_what_happens() -> None:
    (warned,) = found_in({"instance_type": "Standard_D2"}, "resources").warnings
    assert warned == Warned(field="resources.instance_type", message="The machine is this one.")
