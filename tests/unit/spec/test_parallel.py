"""Parallel steps and components, from files and built in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from amlocal.errors import SpecError
from amlocal.plan import Input, Job, LiteralValue, Output, Parallel, ParentInput, Step, StepOutput
from amlocal.spec import check_for_azure, compile_job, load_component

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Write = Callable[..., Path]

TASK = """
        type: run_function
        code: ./src
        entry_script: entry.py
        environment: azureml:lab:1
"""


def job_text(step: str, *, more: str = "", task: str = TASK) -> str:
    return f"""
type: pipeline
inputs:
  rows: {{type: mltable, path: azureml:rows:1, mode: direct}}
  files: {{type: uri_folder, path: azureml:files:1}}
  size: 7
{more}
jobs:
  score:
    type: parallel
{step}
    task: {task}
"""


SMALLEST = """
    inputs: {data: "${{parent.inputs.files}}"}
    input_data: ${{inputs.data}}
"""
EVERY = """
    inputs:
      data: ${{parent.inputs.files}}
      model: {type: uri_folder, path: ./src, mode: download}
      level: 3
    outputs:
      rows: {type: uri_file}
      kept:
    input_data: ${{inputs.data}}
    mini_batch_size: "5"
    max_concurrency_per_instance: 2
    mini_batch_error_threshold: 3
    error_threshold: 4
    retry_settings: {timeout: 90, max_retries: 1}
    logging_level: DEBUG
    resources: {instance_count: 2}
    environment_variables: {NAME: "1"}
    compute: azureml:cpu-cluster
"""
EVERY_TASK = """
      type: run_function
      code: ./src
      entry_script: entry.py
      program_arguments: --model ${{inputs.model}} --out ${{outputs.kept}}
      append_row_to: ${{outputs.rows}}
      environment: azureml:lab:1
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Make a folder `src` with an entry script."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "entry.py").touch()
    return tmp_path


def compiled(folder: Path, text: str, *settings: str) -> Job:
    file = folder / "job.yml"
    file.write_text(text)
    return compile_job(file, overrides=settings)


def step_of(folder: Path, step: str, **options: str) -> Step:
    return compiled(folder, job_text(step, **options)).steps[0]


def parallel_of(step: Step) -> Parallel:
    assert step.component.parallel is not None
    return step.component.parallel


def problems_of(folder: Path, step: str, **options: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        compiled(folder, job_text(step, **options))
    return [str(problem) for problem in error.value.problems]


def test_every_field_of_a_parallel_step_reaches_the_plan(code: Path) -> None:
    step = step_of(code, EVERY, task=EVERY_TASK)
    assert parallel_of(step) == Parallel(
        input_data="data",
        entry_script="entry.py",
        program_arguments="--model ${{inputs.model}} --out ${{outputs.kept}}",
        append_row_to="${{outputs.rows}}",
        mini_batch_size=5,
        max_concurrency_per_instance=2,
        mini_batch_error_threshold=3,
        error_threshold=4,
        max_retries=1,
        timeout=90,
        logging_level="DEBUG",
    )
    assert step.component.code == str(code / "src")
    assert step.component.command == ""
    assert step.component.environment is not None
    assert step.component.environment.reference == "azureml:lab:1"
    assert step.component.instance_count == 2
    assert step.component.inputs == {
        "data": Input(type="uri_folder"),
        "model": Input(type="uri_folder", mode="download"),
        "level": Input(type="integer"),
    }
    assert (step.inputs["data"], step.inputs["level"]) == (
        ParentInput(name="files"),
        LiteralValue(value=3),
    )
    assert step.outputs == {"rows": Output(type="uri_file"), "kept": Output()}
    assert step.environment_variables == {"NAME": "1"}
    assert step.compute == "cpu-cluster"


def test_what_is_not_said_is_azures_default(code: Path) -> None:
    found = parallel_of(step_of(code, SMALLEST))
    assert found == Parallel(input_data="data", entry_script="entry.py")
    assert (found.batch_size, found.max_retries, found.timeout) == (1, 2, 60)


def test_rows_are_divided_of_an_mltable_with_mode_direct(code: Path) -> None:
    table = "{type: mltable, path: azureml:rows:1"
    inputs = {
        "${{parent.inputs.rows}}": True,
        "${{parent.inputs.files}}": False,
        f"{table}, mode: direct}}": True,
        f"{table}, mode: ro_mount}}": False,
        f"{table}}}": False,
    }
    for given, is_tabular in inputs.items():
        said = f"    inputs:\n      data: {given}\n    input_data: ${{{{inputs.data}}}}"
        step = step_of(code, said)
        assert parallel_of(step).is_tabular is is_tabular, given
        # What is divided is read from where it is, whatever tells that it is rows.
        assert getattr(step.inputs["data"], "mode", None) != "direct"
    keys = SMALLEST.replace("files", "rows") + "    partition_keys: [store, brand]\n"
    assert parallel_of(step_of(code, keys)).partition_keys == ("store", "brand")


def test_rows_may_come_from_another_step(code: Path) -> None:
    text = job_text(
        """
    inputs:
      data: {type: mltable, path: "${{parent.jobs.make.outputs.rows}}", mode: direct}
    input_data: ${{inputs.data}}
"""
    )
    make = """
  make:
    command: echo > ${{outputs.rows}}/x
    environment: azureml:lab:1
    outputs: {rows: {type: mltable}}
"""
    step = compiled(code, text + make).steps[0]
    assert parallel_of(step).is_tabular
    assert step.inputs["data"] == StepOutput(
        step="make", output="rows", type="mltable", mode="ro_mount"
    )


@pytest.mark.parametrize(
    ("said", "size"), [("'10'", 10), ("10kb", 10240), ("'1MB'", 1 << 20), ("2Gb", 2 << 30)]
)
def test_the_size_of_mini_batches_may_have_a_unit(code: Path, said: str, size: int) -> None:
    found = parallel_of(step_of(code, SMALLEST + f"    mini_batch_size: {said}\n"))
    assert found.mini_batch_size == size


def test_rows_are_divided_by_a_megabyte_where_nothing_is_said(code: Path) -> None:
    assert parallel_of(step_of(code, SMALLEST.replace("files", "rows"))).batch_size == 1 << 20


def test_fields_may_be_bound_to_the_pipelines_values(code: Path) -> None:
    found = step_of(code, SMALLEST + "    mini_batch_size: ${{parent.inputs.size}}\n")
    assert parallel_of(found).mini_batch_size == 7


COMPONENT = """
type: parallel
name: scorer
version: 3
display_name: Scorer
description: Scores
tags: {a: b}
is_deterministic: false
inputs:
  data: {type: uri_folder}
  level: {type: integer, default: 5}
outputs:
  rows: {type: uri_file}
input_data: ${{inputs.data}}
mini_batch_size: "8"
error_threshold: 2
mini_batch_error_threshold: 1
max_concurrency_per_instance: 4
logging_level: WARNING
retry_settings: {timeout: 5, max_retries: 9}
resources: {instance_count: 3}
task:
  type: run_function
  code: ./src
  entry_script: entry.py
  program_arguments: --level ${{inputs.level}}
  append_row_to: ${{outputs.rows}}
  environment: azureml:lab:1
"""
OF_COMPONENT = Parallel(
    input_data="data",
    entry_script="entry.py",
    program_arguments="--level ${{inputs.level}}",
    append_row_to="${{outputs.rows}}",
    mini_batch_size=8,
    max_concurrency_per_instance=4,
    mini_batch_error_threshold=1,
    error_threshold=2,
    max_retries=9,
    timeout=5,
    logging_level="WARNING",
)


def test_every_field_of_a_parallel_component_reaches_the_plan(code: Path) -> None:
    file = code / "scorer.yml"
    file.write_text(COMPONENT)
    component = load_component(file)
    assert component.parallel == OF_COMPONENT
    assert (component.name, component.version) == ("scorer", "3")
    assert (component.display_name, component.description) == ("Scorer", "Scores")
    assert component.tags == {"a": "b"}
    assert component.is_deterministic is False
    assert component.instance_count == 3
    assert component.code == str(code / "src")
    assert component.inputs["level"] == Input(type="integer", default=5)
    assert component.outputs == {"rows": Output(type="uri_file")}


DESCRIBED = """
    display_name: Score
    description: Scores
    tags: {a: b}
    properties: {c: d}
    comment: none
"""


def with_component(step: str) -> str:
    text = job_text(
        f"    component: ./scorer.yml\n    inputs: {{data: '${{{{parent.inputs.files}}}}'}}\n{step}"
    )
    return text.replace(f"    task: {TASK}", "")


def test_a_step_overlays_its_component(code: Path) -> None:
    (code / "scorer.yml").write_text(COMPONENT)
    step = compiled(code, with_component(DESCRIBED)).steps[0]
    assert parallel_of(step) == OF_COMPONENT
    assert step.component.name == "scorer"
    assert (step.display_name, step.description) == ("Score", "Scores")
    assert (step.tags, step.properties) == ({"a": "b"}, {"c": "d"})
    assert step.component.instance_count == 3
    said = """
    mini_batch_size: "2"
    retry_settings: {max_retries: 1, timeout: 7}
    resources: {instance_count: 1}
    max_concurrency_per_instance: 1
"""
    step = compiled(code, with_component(said)).steps[0]
    assert parallel_of(step) == msgspec.structs.replace(
        OF_COMPONENT, mini_batch_size=2, max_retries=1, timeout=7, max_concurrency_per_instance=1
    )
    assert step.component.instance_count == 1


def test_kinds_of_steps_and_components_must_fit(code: Path) -> None:
    (code / "scorer.yml").write_text(COMPONENT)
    text = with_component("").replace("type: parallel", "type: command")
    with pytest.raises(SpecError, match="the component of 'score' is parallel"):
        compiled(code, text)
    (code / "scorer.yml").write_text(
        "type: command\nname: x\ncommand: echo\nenvironment: azureml:lab:1\n"
        "inputs: {data: {type: uri_folder}}\n"
    )
    with pytest.raises(SpecError, match="the component of 'score' is not parallel"):
        compiled(code, with_component(""))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            "    mini_batch_size: ten",
            "mini_batch_size cannot be 'ten'; write 10, 10kb, 10mb, or 10gb",
        ),
        ("    logging_level: loud", "logging_level cannot be 'loud'"),
        ("    max_concurrency_per_instance: 0", "max_concurrency_per_instance is 0"),
        (
            "    error_threshold: -2",
            "error_threshold is -2, which is out of range; give -1 or more",
        ),
        ("    retry_settings: {timeout: 0}", "timeout is 0, which is out of range"),
        ("    retry_settings: {tries: 1}", "no field named 'tries'"),
        ("    partition_keys: [a]", "partition_keys divide rows, and these are files"),
        ("    mini_batch: 3", "did you mean 'mini_batch_size'?"),
    ],
)
def test_what_azure_would_refuse_is_told(code: Path, more: str, problem: str) -> None:
    (found,) = problems_of(code, SMALLEST + more + "\n")
    assert problem in found
    assert "job.yml:" in found


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            "entry.py",
            "entri.py",
            "the entry script 'entri.py' is not there; did you mean 'entry.py'?",
        ),
        ("        code: ./src\n", "", "the entry script needs the folder that it is in"),
        ("run_function", "model", "cannot be 'model'"),
        (
            "entry.py",
            "entry.py\n        program_arguments: --x ${{inputs.dat}}",
            "no input named 'dat'",
        ),
        (
            "entry.py",
            "entry.py\n        append_row_to: ${{outputs.rows}}",
            "no output named 'rows'",
        ),
        (
            "entry.py",
            "entry.py\n        append_row_to: ${{parent.outputs.x}}",
            "is no input and no output",
        ),
        ("        environment: azureml:lab:1\n", "", "lacks the field 'environment'"),
    ],
)
def test_what_is_wrong_with_a_task_is_told(
    code: Path, before: str, after: str, problem: str
) -> None:
    found = problems_of(code, SMALLEST, task=TASK.replace(before, after))
    assert len(found) == 1
    assert problem in found[0]


def test_the_divided_input_must_be_one_of_the_step(code: Path) -> None:
    assert "no input named 'date' to divide" in " ".join(
        problems_of(code, SMALLEST.replace("{inputs.data", "{inputs.date"))
    )
    assert "names no input" in " ".join(
        problems_of(code, SMALLEST.replace("${{inputs.data}}", "data"))
    )
    assert "'input_data'" in " ".join(
        problems_of(code, SMALLEST.replace("    input_data: ${{inputs.data}}\n", ""))
    )


def test_a_job_built_in_python_is_the_same_plan(code: Path) -> None:
    from azure.ai.ml import Input as SdkInput
    from azure.ai.ml import Output as SdkOutput
    from azure.ai.ml import dsl
    from azure.ai.ml.parallel import RunFunction, parallel_run_function

    score = parallel_run_function(
        name="score",
        inputs={"data": SdkInput(type="mltable", mode="direct"), "level": 3},
        outputs={"rows": SdkOutput(type="uri_file")},
        input_data="${{inputs.data}}",
        instance_count=2,
        max_concurrency_per_instance=2,
        mini_batch_size="10kb",
        mini_batch_error_threshold=3,
        retry_settings={"max_retries": 1, "timeout": 90},
        logging_level="DEBUG",
        environment_variables={"NAME": "1"},
        task=RunFunction(
            code=str(code / "src"),
            entry_script="entry.py",
            environment="azureml:lab:1",
            program_arguments="--level ${{inputs.level}}",
            append_row_to="${{outputs.rows}}",
        ),
    )

    @dsl.pipeline(experiment_name="e")
    def whole(data):  # type: ignore[no-untyped-def]
        step = score(data=data)
        return {"rows": step.outputs.rows}

    job = whole(SdkInput(type="mltable", path="azureml:rows:1"))
    plan = compile_job(job)
    step = plan.steps[0]
    assert parallel_of(step) == Parallel(
        input_data="data",
        is_tabular=True,
        entry_script="entry.py",
        program_arguments="--level ${{inputs.level}}",
        append_row_to="${{outputs.rows}}",
        mini_batch_size=10240,
        max_concurrency_per_instance=2,
        mini_batch_error_threshold=3,
        max_retries=1,
        timeout=90,
        logging_level="DEBUG",
    )
    assert step.component.instance_count == 2
    assert step.component.code == str(code / "src")
    assert step.environment_variables == {"NAME": "1"}
    assert plan.output_sources["rows"].output == "rows"


def test_azure_takes_what_is_checked_here(code: Path) -> None:
    file = code / "job.yml"
    file.write_text(job_text(EVERY, task=EVERY_TASK))
    check_for_azure(file, [])
