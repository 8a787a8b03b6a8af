from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import TRAIN, Write

from amlocal.errors import SpecError
from amlocal.plan import (
    Distribution,
    Environment,
    Input,
    LiteralValue,
    Output,
    OutputSource,
    ParentInput,
    Settings,
)
from amlocal.spec import check_for_azure, compile_job


def test_every_field_of_a_command_job_reaches_the_plan(write: Write, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    job = compile_job(
        write(
            job="""
            name: fit-1
            display_name: Fit
            description: Fits.
            tags: {team: risk, empty: }
            properties: {ticket: "12"}
            experiment_name: fits
            command: python fit.py ${{inputs.rounds}} ${{outputs.model}}
            code: src
            environment:
              image: python:3.11
              conda_file: {dependencies: [python=3.11]}
            environment_variables: {A: 1, B: "x", C: true}
            inputs: {rounds: 3}
            outputs: {model: {type: mlflow_model}}
            limits: {timeout: 60}
            compute: azureml:cpu
            resources: {instance_count: 2}
            distribution: {type: PyTorch, process_count_per_instance: 4}
            services: {lab: {type: jupyter_lab}}
            identity: {type: user_identity}
            """
        )
    )
    (step,) = job.steps
    assert (job.type, job.name, job.display_name) == ("command", "fit-1", "Fit")
    assert (job.description, job.experiment_name) == ("Fits.", "fits")
    assert job.tags == {"team": "risk", "empty": ""}
    assert job.properties == {"ticket": "12"}
    assert job.source == "job.yml"
    assert job.inputs == {"rounds": LiteralValue(value=3)}
    assert step.inputs == {"rounds": ParentInput(name="rounds")}
    assert step.outputs == {"model": Output(type="mlflow_model")}
    assert step.environment_variables == {"A": "1", "B": "x", "C": "True"}
    assert (step.timeout, step.compute, step.identity) == (60, "cpu", "user_identity")
    assert step.services == {"lab": "jupyter_lab"}
    component = step.component
    assert component.command == "python fit.py ${{inputs.rounds}} ${{outputs.model}}"
    assert component.code == str(tmp_path / "src")
    assert component.inputs == {"rounds": Input(type="integer")}
    assert component.instance_count == 2
    assert component.distribution == Distribution(type="pytorch", process_count_per_instance=4)
    assert component.environment == Environment(
        image="python:3.11", conda={"dependencies": ["python=3.11"]}
    )
    assert {warned.field for warned in job.warnings} >= {
        "command_job.services",
        "command_job.identity",
    }


def test_every_field_of_a_pipeline_job_reaches_the_plan(write: Write) -> None:
    job = compile_job(
        write(
            train=TRAIN,
            job="""
            type: pipeline
            name: night
            display_name: Night
            description: Runs at night.
            tags: {a: b}
            properties: {p: q}
            experiment_name: nights
            settings:
              default_compute: azureml:cpu
              default_datastore: azureml:other
              continue_on_step_failure: false
              force_rerun: true
            inputs:
              table: {type: uri_folder, path: azureml:adult:1}
            outputs:
              best: {mode: upload, name: adult, version: 7}
            jobs:
              train:
                component: ./train.yml
                inputs: {data: "${{parent.inputs.table}}"}
                outputs: {model: "${{parent.outputs.best}}"}
            """,
        )
    )
    (step,) = job.steps
    best = Output(type="mlflow_model", mode="upload", name="adult", version="7")
    assert (job.type, job.name, job.display_name) == ("pipeline", "night", "Night")
    assert (job.description, job.experiment_name) == ("Runs at night.", "nights")
    assert (job.tags, job.properties) == ({"a": "b"}, {"p": "q"})
    assert job.settings == Settings(
        default_compute="cpu",
        default_datastore="other",
        continue_on_step_failure=False,
        force_rerun=True,
    )
    assert job.outputs == {"best": best}
    assert job.output_sources == {"best": OutputSource(step="train", output="model")}
    assert step.outputs == {"model": best}
    assert (step.component.name, step.component.version) == ("train", "2")
    assert step.component.source == "train.yml"


def test_every_field_of_a_step_reaches_the_plan(write: Write, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    common = """
                display_name: First
                description: Comes first.
                tags: {a: b}
                properties: {p: q}
                environment_variables: {A: 1}
                limits: {timeout: 5}
                resources: {instance_count: 2}
                distribution: {type: mpi}
                compute: azureml:gpu
    """
    job = compile_job(
        write(
            train=TRAIN,
            job=f"""
            type: pipeline
            jobs:
              inline:
                command: echo hello
                code: ./src
                environment: azureml:e:1
                {common.strip()}
              named:
                component: file:train.yml
                comment: Nobody reads this.
                inputs: {{data: {{path: azureml:adult:1}}}}
                {common.strip()}
            """,
        )
    )
    for step in job.steps:
        assert (step.display_name, step.description) == ("First", "Comes first.")
        assert (step.tags, step.properties) == ({"a": "b"}, {"p": "q"})
        assert step.environment_variables == {"A": "1"}
        assert (step.timeout, step.compute, step.component.instance_count) == (5, "gpu", 2)
        assert step.component.distribution == Distribution(type="mpi")
    inline, named = job.steps
    assert inline.component.command == "echo hello"
    assert inline.component.code == str(tmp_path / "src")
    assert inline.component.environment == Environment(reference="azureml:e:1")
    assert named.component.environment == Environment(reference="azureml:training:1")


def test_a_job_without_a_type_is_a_command_job(write: Write) -> None:
    job = compile_job(write(job="{command: echo hello, environment: azureml:e:1}"))
    assert (job.type, len(job.steps)) == ("command", 1)


def test_a_step_without_a_type_is_a_command(write: Write) -> None:
    text = "{type: pipeline, jobs: {a: {command: echo, environment: azureml:e:1}}}"
    assert [step.name for step in compile_job(write(job=text)).steps] == ["a"]


def test_old_schema_addresses_are_accepted(write: Write) -> None:
    job = compile_job(
        write(
            train=TRAIN,
            job="""
            $schema: http://azureml/sdk-2-0/PipelineJob.json
            type: pipeline
            jobs:
              train:
                $schema: http://azureml/sdk-2-0/CommandJob.json
                component: ./train.yml
                inputs: {data: {path: azureml:adult:1}}
            """,
        )
    )
    assert len(job.steps) == 1


def test_components_are_found_by_file_by_name_and_inline(write: Write, registry: Any) -> None:
    job = compile_job(
        write(
            train=TRAIN,
            job="""
            type: pipeline
            jobs:
              by_file: {component: file:./train.yml, inputs: {data: {path: "azureml:a:1"}}}
              by_name: {component: "azureml:train:3", inputs: {rounds: 5}}
              by_label: {component: "azureml:train@latest"}
              inline:
                component:
                  command: echo ${{inputs.word}}
                  inputs: {word: {type: string, default: hello}}
                  environment: azureml:e:1
            """,
        ),
        assets=registry,
    )
    by_file, by_name, by_label, inline = (step.component for step in job.steps)
    assert (by_file.name, by_file.source) == ("train", "train.yml")
    assert by_name == by_label == registry.components["train"]
    assert inline.inputs == {"word": Input(type="string", default="hello")}
    assert registry.asked == [("train", "3", None), ("train", None, "latest")]


def test_a_misspelt_setting_is_warned_of_as_azure_ignores_it(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: pipeline
            settings: {default_datestore: azureml:blob}
            jobs: {a: {command: ls, environment: "azureml:e:1"}}
            """
        )
    )
    (warned,) = job.warnings
    assert warned.field == "pipeline_settings.default_datestore"
    assert warned.message.endswith("and ignored; did you mean 'default_datastore'?")


def test_an_expression_in_a_variable_is_warned_of(write: Write) -> None:
    text = """
        command: ls
        environment: azureml:e:1
        environment_variables: {A: "${{inputs.x}}", B: "$HOME"}
    """
    job = compile_job(write(job=text))
    assert job.steps[0].environment_variables == {"A": "${{inputs.x}}", "B": "$HOME"}
    assert [w.field for w in job.warnings] == ["command_job.environment_variables"]


def test_an_output_that_no_step_writes_is_warned_of(write: Write) -> None:
    text = """
        type: pipeline
        outputs: {report: {type: uri_file}}
        jobs: {a: {command: ls, environment: "azureml:e:1"}}
    """
    assert [w.field for w in compile_job(write(job=text)).warnings] == ["outputs.report"]


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "job.yml"
    file.write_bytes(b"\xef\xbb\xbf" + b"command: echo\nenvironment: azureml:e:1\n")
    assert compile_job(file).type == "command"


def test_conda_files_and_environment_files_are_read(write: Write, tmp_path: Path) -> None:
    (tmp_path / "conda.yml").write_text("dependencies: [python=3.11, {pip: [pandas]}]\n")
    job = compile_job(
        write(
            env="{name: training, image: base, conda_file: ./conda.yml}",
            job="{command: ls, environment: file:./env.yml}",
        )
    )
    conda = {"dependencies": ["python=3.11", {"pip": ["pandas"]}]}
    assert job.steps[0].component.environment == Environment(image="base", conda=conda)


def test_what_only_the_sdk_finds_is_a_short_problem_at_its_line(write: Write) -> None:
    file = write(
        job="""
        command: ls
        environment: azureml:e:1
        resources:
          instance_count: 1
          locations: [west, 5]
        queue_settings: {job_tier: gold}
        """
    )
    with pytest.raises(SpecError) as error:
        compile_job(file)
    places = [(problem.file, problem.line) for problem in error.value.problems]
    assert ("job.yml", 6) in places
    assert all(len(str(problem)) < 400 for problem in error.value.problems)


def test_the_sdk_says_nothing(write: Write, capfd: pytest.CaptureFixture[str]) -> None:
    compile_job(
        write(
            job="""
            command: ls
            environment: {name: mine, image: base}
            queue_settings: {job_tier: standard}
            """
        )
    )
    assert capfd.readouterr() == ("", "")


def test_what_only_the_local_target_cannot_do_is_left_to_azure(write: Write) -> None:
    spark = write(job="type: spark\nentry: {file: fit.py}\n")
    with pytest.raises(SpecError):
        compile_job(spark)
    check_for_azure(spark, ())


def test_what_is_wrong_anywhere_is_not_sent_to_azure(write: Write) -> None:
    job = write(job="command: echo ${{inputs.nope}}\nenvironment: {image: x}\n")
    with pytest.raises(SpecError, match=r"job\.yml:1"):
        check_for_azure(job, ())


def test_a_path_that_is_right_from_here_is_told_from_the_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs").mkdir()
    job = tmp_path / "jobs" / "job.yml"
    job.write_text("command: echo\nenvironment: {image: x}\ninputs: {d: {path: job.yml}}\n")
    (tmp_path / "mine.csv").write_text("a\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=r"write \.\./mine\.csv"):
        compile_job(job, overrides=["inputs.d.path=mine.csv"])
