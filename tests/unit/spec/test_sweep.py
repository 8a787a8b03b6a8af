"""Sweep jobs and sweep steps, from files and built in Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import (
    Choice,
    EarlyTermination,
    Input,
    Job,
    LiteralValue,
    Normal,
    Objective,
    Output,
    OutputSource,
    ParentInput,
    Randint,
    Sampling,
    Sweep,
    Uniform,
)
from amlocal.spec import check_for_azure, compile_job

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

COMPONENT = """
    name: train
    version: 2
    type: command
    inputs:
      data: {type: uri_folder}
      rounds: {type: integer}
      kind: {type: string, default: a}
    outputs:
      model: {type: mlflow_model}
    command: train ${{inputs.data}} ${{inputs.rounds}} ${{inputs.kind}} ${{outputs.model}}
    environment: azureml:training:1
"""


def test_every_field_of_a_sweep_job_reaches_the_plan(write: Write, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    job = compile_job(
        write(
            job="""
            $schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json
            type: sweep
            name: tune-1
            display_name: Tune
            description: Tunes.
            tags: {team: risk}
            properties: {ticket: "12"}
            experiment_name: fits
            compute: azureml:cpu
            resources: {instance_count: 2}
            trial:
              $schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
              command: >-
                fit ${{inputs.data}} ${{search_space.a}} ${{search_space.b}} ${{search_space.c}}
                ${{ search_space.d }} ${{search_space.e}} ${{outputs.model}}
              code: src
              environment: azureml:training:1
              environment_variables: {A: 1}
              distribution: {type: mpi, process_count_per_instance: 2}
              resources: {instance_count: 1}
            inputs:
              data: {type: uri_file, path: azureml:rows:1}
            outputs:
              model: {type: mlflow_model, name: best}
            sampling_algorithm: {type: random, seed: 7, rule: sobol, logbase: 10}
            search_space:
              a: {type: choice, values: [1, 0.5, x]}
              b: {type: randint, upper: 9}
              c: {type: qloguniform, min_value: -3, max_value: 2, q: 2}
              d: {type: lognormal, mu: 0, sigma: 2}
              e: {type: uniform, min_value: 0, max_value: 1}
            objective: {goal: maximize, primary_metric: AUC of test}
            early_termination:
              type: truncation_selection
              truncation_percentage: 20
              evaluation_interval: 2
              delay_evaluation: 5
            limits:
              max_total_trials: 20
              max_concurrent_trials: 4
              timeout: 600
              trial_timeout: 60
            """
        )
    )
    assert (job.type, job.name, job.display_name) == ("sweep", "tune-1", "Tune")
    assert (job.description, job.experiment_name) == ("Tunes.", "fits")
    assert (job.tags, job.properties) == ({"team": "risk"}, {"ticket": "12"})
    (step,) = job.steps
    assert step.sweep == Sweep(
        search_space={
            "a": Choice(values=(1, 0.5, "x")),
            "b": Randint(upper=9),
            "c": Uniform(min_value=-3, max_value=2, q=2, is_log=True),
            "d": Normal(mu=0, sigma=2, is_log=True),
            "e": Uniform(min_value=0, max_value=1),
        },
        objective=Objective(goal="maximize", primary_metric="AUC of test"),
        sampling=Sampling(type="random", seed=7, rule="sobol", logbase=10.0),
        early_termination=EarlyTermination(
            type="truncation_selection",
            truncation_percentage=20,
            evaluation_interval=2,
            delay_evaluation=5,
        ),
        max_total_trials=20,
        max_concurrent_trials=4,
        trial_timeout=60.0,
    )
    assert (step.timeout, step.compute) == (600.0, "cpu")
    assert step.inputs == {"data": ParentInput(name="data")}
    assert step.outputs == {"model": Output(type="mlflow_model", name="best")}
    assert step.environment_variables == {"A": "1"}
    component = step.component
    assert component.code == str(tmp_path / "src")
    assert component.command.startswith("fit ${{inputs.data}} ${{search_space.a}}")
    assert (component.instance_count, component.inputs) == (2, {"data": Input(type="uri_file")})
    assert component.distribution is not None
    assert component.distribution.type == "mpi"
    assert Job.from_json(job.to_json()) == job


def test_every_field_of_a_sweep_step_reaches_the_plan(write: Write) -> None:
    write(train=COMPONENT)
    job = compile_job(
        write(
            job="""
            type: pipeline
            inputs: {data: {type: uri_folder, path: azureml:rows:1}}
            outputs: {model: {type: mlflow_model}}
            jobs:
              tune:
                type: sweep
                display_name: Tune
                description: Tunes.
                tags: {team: risk}
                properties: {ticket: "12"}
                comment: ours
                trial: ./train.yml
                compute: azureml:cpu
                inputs: {data: "${{parent.inputs.data}}"}
                outputs: {model: "${{parent.outputs.model}}"}
                sampling_algorithm: bayesian
                search_space:
                  rounds: {type: quniform, min_value: 1, max_value: 9, q: 1}
                  kind: {type: choice, values: [a, b]}
                objective: {goal: minimize, primary_metric: loss}
                limits: {max_total_trials: 5, timeout: 60}
                resources: {instance_count: 2}
            """
        )
    )
    (step,) = job.steps
    assert step.sweep == Sweep(
        search_space={
            "rounds": Uniform(min_value=1, max_value=9, q=1),
            "kind": Choice(values=("a", "b")),
        },
        objective=Objective(goal="minimize", primary_metric="loss"),
        sampling=Sampling(type="bayesian"),
        max_total_trials=5,
    )
    assert (step.display_name, step.description) == ("Tune", "Tunes.")
    assert (step.tags, step.properties) == ({"team": "risk"}, {"ticket": "12"})
    assert (step.timeout, step.compute, step.component.instance_count) == (60.0, "cpu", 2)
    assert step.inputs == {"data": ParentInput(name="data")}
    assert (step.component.name, step.component.version) == ("train", "2")
    assert job.output_sources == {"model": OutputSource(step="tune", output="model")}
    assert step.outputs["model"].type == "mlflow_model"


STEP = """
    type: pipeline
    jobs:
      tune:
        type: sweep
        trial: {trial}
        {more}
        sampling_algorithm: random
        search_space: {{rounds: {{type: randint, upper: 9}}}}
        objective: {{goal: minimize, primary_metric: loss}}
        limits: {{max_total_trials: 5}}
"""


def test_the_trial_of_a_step_is_found_by_file_by_name_and_inline(
    write: Write, registry: Any
) -> None:
    write(train=COMPONENT)
    inline = '{type: command, inputs: {rounds: {type: integer}}, environment: "azureml:e:1", '
    inline += 'command: "train ${{inputs.rounds}}"}'
    for trial, more, name in (
        ("./train.yml", "inputs: {data: {path: azureml:rows:1}}", "train"),
        ("azureml:train:3", "description: x", "train"),
        (inline, "description: x", ""),
    ):
        job = compile_job(write(job=STEP.format(trial=trial, more=more)), assets=registry)
        (step,) = job.steps
        assert step.component.name == name
        assert "rounds" in step.component.inputs
        assert step.sweep is not None
        assert step.sweep.search_space == {"rounds": Randint(upper=9)}


JOB = """
    type: sweep
    trial:
      command: fit ${{{{search_space.x}}}}
      environment: azureml:training:1
    sampling_algorithm: {sampling}
    search_space: {{x: {x}}}
    objective: {{goal: {goal}, primary_metric: loss}}
    limits: {{max_total_trials: 5}}
    {more}
"""


def swept(write: Write, **said: str) -> Sweep:
    given = {"sampling": "random", "goal": "minimize", "more": "tags: {}"}
    given |= {"x": "{type: choice, values: [1, 2]}", **said}
    found = compile_job(write(job=JOB.format(**given))).steps[0].sweep
    assert found is not None
    return found


@pytest.mark.parametrize("goal", ["maximize", "Maximize", "MAXIMIZE"])
def test_the_goal_is_read_in_any_case(write: Write, goal: str) -> None:
    assert swept(write, goal=goal).objective.goal == "maximize"


def test_types_are_read_in_any_case(write: Write) -> None:
    found = swept(
        write,
        sampling="{type: Random, rule: Sobol, logbase: e}",
        x="{type: Uniform, min_value: 0, max_value: 1}",
        more="early_termination: {type: MedianStopping}",
    )
    assert found.sampling.rule == "sobol"
    assert found.sampling.logbase == pytest.approx(2.718281828)
    assert found.search_space["x"] == Uniform(min_value=0, max_value=1)
    assert found.early_termination == EarlyTermination(type="median_stopping")


def test_a_policy_has_azures_defaults(write: Write) -> None:
    found = swept(write, more="early_termination: {type: bandit, slack_factor: 0.2}")
    assert found.early_termination == EarlyTermination(
        type="bandit", slack_factor=0.2, evaluation_interval=1, delay_evaluation=0
    )


def test_fractions_for_a_whole_number_are_warned_of(write: Write) -> None:
    """Azure puts what was sampled into the command, whatever the input's type."""
    write(train=COMPONENT)
    text = STEP.format(trial="./train.yml", more="inputs: {data: {path: azureml:rows:1}}")
    uniform = "{type: uniform, min_value: 1, max_value: 9}"
    job = compile_job(write(job=text.replace("{type: randint, upper: 9}", uniform)))
    (warned,) = [warned for warned in job.warnings if warned.field == "search_space.rounds"]
    assert "the integer input 'rounds'" in warned.message


def test_a_conditional_search_space_is_only_azures(write: Write) -> None:
    conditional = "{type: choice, values: [{a: {type: uniform, min_value: 0, max_value: 1}}]}"
    with pytest.raises(SpecError) as error:
        swept(write, x=conditional)
    (problem,) = error.value.problems
    assert "a conditional search space" in problem.message
    assert (problem.line, problem.target) == (7, "local")
    given = {"sampling": "random", "goal": "minimize", "more": "tags: {}", "x": conditional}
    check_for_azure(write(job=JOB.format(**given)), ())


def test_settings_change_a_sweep(write: Write) -> None:
    given = {"sampling": "random", "goal": "minimize", "more": "tags: {}"}
    file = write(job=JOB.format(**given, x="{type: choice, values: [1, 2]}"))
    job = compile_job(file, overrides=["limits.max_total_trials=9", "search_space.x.values=[3]"])
    assert job.steps[0].sweep is not None
    assert job.steps[0].sweep.max_total_trials == 9
    assert job.steps[0].sweep.search_space == {"x": Choice(values=(3,))}


@pytest.fixture
def fit(sdk: Any, tmp_path: Path) -> Any:
    """A command built in Python."""
    (tmp_path / "src").mkdir()
    return sdk.command(
        command="fit ${{inputs.rate}} ${{inputs.rounds}} ${{outputs.model}}",
        inputs={"rate": 0.1, "rounds": 5},
        outputs={"model": sdk.Output(type="mlflow_model")},
        environment="azureml:training:1",
        environment_variables={"A": "1"},
        code=str(tmp_path / "src"),
        display_name="Fit",
    )


def test_a_command_that_sweeps_is_a_job(sdk: Any, fit: Any) -> None:
    found = sdk.sweep
    node = fit(rate=found.LogUniform(-5, -1)).sweep(
        primary_metric="auc",
        goal="Maximize",
        max_total_trials=8,
        early_termination_policy=found.BanditPolicy(slack_amount=0.2, delay_evaluation=3),
    )
    job = compile_job(node)
    (step,) = job.steps
    assert job.type == "sweep"
    assert step.sweep == Sweep(
        search_space={"rate": Uniform(min_value=-5, max_value=-1, is_log=True)},
        objective=Objective(goal="maximize", primary_metric="auc"),
        early_termination=EarlyTermination(type="bandit", slack_amount=0.2, delay_evaluation=3),
        max_total_trials=8,
    )
    assert job.inputs == {"rounds": LiteralValue(value=5)}
    assert step.component.command.split()[1:3] == ["${{search_space.rate}}", "${{inputs.rounds}}"]
    assert step.environment_variables == {"A": "1"}
    assert step.outputs == {"model": Output(type="mlflow_model")}


def test_a_sweep_job_object_is_a_job(sdk: Any, tmp_path: Path) -> None:
    found = sdk.sweep
    trial = sdk.command(
        command="fit ${{search_space.n}} ${{inputs.rounds}}",
        inputs={"rounds": 5},
        environment="azureml:training:1",
    )._to_job()
    job = compile_job(
        found.SweepJob(
            trial=trial,
            search_space={"n": found.Choice(values=range(1, 4))},
            sampling_algorithm=found.GridSamplingAlgorithm(),
            objective=found.Objective(goal="minimize", primary_metric="loss"),
            limits=found.SweepJobLimits(max_total_trials=3),
        )
    )
    (step,) = job.steps
    assert step.sweep is not None
    assert step.sweep.search_space == {"n": Choice(values=(1, 2, 3))}
    assert step.sweep.sampling == Sampling(type="grid")
    assert job.inputs == {"rounds": LiteralValue(value=5)}


def test_a_command_that_sweeps_is_a_step(sdk: Any, fit: Any) -> None:
    found = sdk.sweep

    @sdk.dsl.pipeline
    def night():  # type: ignore[no-untyped-def]
        tuned = fit(rate=found.Uniform(0, 1)).sweep(
            primary_metric="auc", goal="maximize", max_total_trials=3
        )
        return {"model": tuned.outputs.model}

    job = compile_job(night())
    (step,) = job.steps
    assert (job.type, step.name) == ("pipeline", "tuned")
    assert step.sweep is not None
    assert step.sweep.search_space == {"rate": Uniform(min_value=0, max_value=1)}
    assert job.output_sources == {"model": OutputSource(step="tuned", output="model")}


def test_what_is_wrong_with_an_object_is_said(sdk: Any, fit: Any) -> None:
    node = fit(rate=sdk.sweep.Uniform(1, 0)).sweep(
        primary_metric="auc", goal="maximize", max_total_trials=3, max_concurrent_trials=9
    )
    with pytest.raises(SpecError) as error:
        compile_job(node)
    assert [problem.message for problem in error.value.problems] == [
        "min_value 1 of parameter 'rate' is above max_value 0",
        "max_concurrent_trials 9 is above max_total_trials 3",
    ]
