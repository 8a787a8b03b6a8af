"""AutoML jobs and AutoML steps, from files and built in Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from amlocal.errors import SpecError, UsageError
from amlocal.plan import (
    AutoML,
    AutoMLFeaturization,
    AutoMLForecasting,
    AutoMLLimits,
    AutoMLTraining,
    DataValue,
    Input,
    Job,
    Output,
    OutputSource,
    ParentInput,
    StackEnsemble,
    StepOutput,
)
from amlocal.spec import check_for_azure, compile_job

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Write = Callable[..., Path]

SMALLEST = """
    type: automl
    task: classification
    target_column_name: y
    training_data: {type: mltable, path: azureml:rows:1}
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Make MLTable folders `rows`, `more`, and `last`."""
    for name in ("rows", "more", "last"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "MLTable").write_text("paths:\n- file: ./rows.csv\n")
    return tmp_path


def automl_of(job: Job) -> AutoML:
    found = job.steps[0].automl
    assert found is not None
    return found


def problems_of(source: Any, *settings: str) -> list[str]:
    with pytest.raises(SpecError) as error:
        compile_job(source, overrides=settings)
    return [str(problem) for problem in error.value.problems]


def test_every_field_of_an_automl_job_reaches_the_plan(write: Write, tables: Path) -> None:
    job = compile_job(
        write(
            job="""
            $schema: https://azuremlsdk2.blob.core.windows.net/preview/0.0.1/autoMLJob.schema.json
            type: automl
            name: find-1
            display_name: Find
            description: Finds.
            tags: {team: risk}
            properties: {ticket: "12"}
            experiment_name: finds
            compute: azureml:cpu
            environment_variables: {A: b}
            task: classification
            primary_metric: norm_macro_recall
            target_column_name: y
            positive_label: "yes"
            weight_column_name: w
            training_data: {type: mltable, path: ./rows}
            test_data: {type: mltable, path: azureml:rows@latest, mode: download}
            validation_data_size: 0.2
            n_cross_validations: 4
            limits:
              timeout_minutes: 20
              trial_timeout_minutes: 3
              max_trials: 7
              max_concurrent_trials: 2
              max_cores_per_trial: 1
              enable_early_termination: false
              exit_score: 0.9
            featurization:
              mode: custom
              blocked_transformers: [LabelEncoder, one_hot_encoder]
              column_name_and_types: {a: Categorical, b: DateTime}
              dataset_language: deu
              transformer_params:
                imputer:
                - fields: [c]
                  parameters: {strategy: constant, fill_value: 0}
            training:
              allowed_training_algorithms: [LightGBM, logistic_regression]
              blocked_training_algorithms: [SVM]
              enable_vote_ensemble: false
              enable_stack_ensemble: true
              enable_model_explainability: false
              stack_ensemble_settings:
                stack_meta_learner_type: LogisticRegression
                stack_meta_learner_train_percentage: 0.3
            outputs:
              best_model: {type: mlflow_model, name: found}
            """
        )
    )
    assert (job.type, job.name, job.display_name) == ("automl", "find-1", "Find")
    assert (job.description, job.experiment_name) == ("Finds.", "finds")
    assert (job.tags, job.properties) == ({"team": "risk"}, {"ticket": "12"})
    assert job.inputs == {
        "training_data": DataValue(path=str(tables / "rows"), type="mltable"),
        "test_data": DataValue(path="azureml:rows@latest", type="mltable", mode="download"),
    }
    (step,) = job.steps
    assert step.automl == AutoML(
        task="classification",
        primary_metric="norm_macro_recall",
        target_column_name="y",
        positive_label="yes",
        weight_column_name="w",
        validation_data_size=0.2,
        n_cross_validations=4,
        limits=AutoMLLimits(
            timeout_seconds=1200,
            trial_timeout_seconds=180,
            max_trials=7,
            max_concurrent_trials=2,
            max_cores_per_trial=1,
            enable_early_termination=False,
            exit_score=0.9,
        ),
        featurization=AutoMLFeaturization(
            mode="custom",
            blocked_transformers=("LabelEncoder", "OneHotEncoder"),
            column_name_and_types={"a": "Categorical", "b": "DateTime"},
            dataset_language="deu",
            transformer_params={
                "Imputer": [
                    {"fields": ["c"], "parameters": {"strategy": "constant", "fill_value": 0}}
                ]
            },
        ),
        training=AutoMLTraining(
            allowed_training_algorithms=("LightGBM", "LogisticRegression"),
            blocked_training_algorithms=("SVM",),
            enable_vote_ensemble=False,
            enable_stack_ensemble=True,
            enable_model_explainability=False,
            stack_ensemble_settings=StackEnsemble(
                stack_meta_learner_type="LogisticRegression",
                stack_meta_learner_train_percentage=0.3,
            ),
        ),
    )
    assert step.inputs == {name: ParentInput(name=name) for name in job.inputs}
    assert step.outputs == {"best_model": Output(type="mlflow_model", name="found")}
    assert (step.compute, step.environment_variables) == ("cpu", {"A": "b"})
    assert step.component.inputs["training_data"] == Input(type="mltable")
    assert step.component.inputs["test_data"].optional
    assert Job.from_json(job.to_json()) == job


def test_every_field_of_a_forecasting_job_reaches_the_plan(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: automl
            task: forecasting
            target_column_name: sold
            training_data: {type: mltable, path: azureml:rows:1}
            forecasting:
              time_column_name: day
              forecast_horizon: 14
              frequency: D
              target_lags: [1, 7]
              target_rolling_window_size: auto
              time_series_id_column_names: store
              seasonality: 7
              short_series_handling_config: drop
              use_stl: seasontrend
              country_or_region_for_holidays: US
              cv_step_size: 3
              feature_lags: auto
              target_aggregate_function: mean
              features_unknown_at_forecast_time: [rain]
            """
        )
    )
    found = automl_of(job)
    assert found.forecasting == AutoMLForecasting(
        time_column_name="day",
        forecast_horizon=14,
        frequency="D",
        target_lags=(1, 7),
        target_rolling_window_size="auto",
        time_series_id_column_names=("store",),
        seasonality=7,
        short_series_handling_config="drop",
        use_stl="season_trend",
        country_or_region_for_holidays="US",
        cv_step_size=3,
        feature_lags="auto",
        target_aggregate_function="mean",
        unknown_at_prediction_time=("rain",),
    )
    assert found.primary_metric == "normalized_root_mean_squared_error"
    assert found.limits == AutoMLLimits(timeout_seconds=360 * 60, trial_timeout_seconds=30 * 60)


def test_every_field_of_an_automl_step_reaches_the_plan(write: Write) -> None:
    job = compile_job(
        write(
            job="""
            type: pipeline
            inputs:
              rows: {type: mltable, path: azureml:rows:1}
              metric: r2_score
              trials: 3
            outputs:
              model:
            jobs:
              prepare:
                type: command
                command: prepare ${{inputs.rows}} ${{outputs.kept}}
                environment: azureml:e:1
                inputs: {rows: "${{parent.inputs.rows}}"}
                outputs: {kept: {type: mltable}}
              find:
                type: automl
                display_name: Find
                description: Finds.
                tags: {a: b}
                properties: {c: d}
                environment_variables: {A: b}
                task: regression
                primary_metric: ${{parent.inputs.metric}}
                target_column_name: y
                weight_column_name: w
                training_data: ${{parent.jobs.prepare.outputs.kept}}
                validation_data: ${{parent.inputs.rows}}
                test_data_size: 0.1
                limits: {max_trials: "${{parent.inputs.trials}}"}
                featurization: {mode: "off"}
                training: {allowed_training_algorithms: [ElasticNet]}
                outputs: {best_model: {type: mlflow_model, path: "${{parent.outputs.model}}"}}
              judge:
                type: command
                command: judge ${{inputs.model}}
                environment: azureml:e:1
                inputs: {model: "${{parent.jobs.find.outputs.best_model}}"}
            """
        )
    )
    _, step, judge = job.steps
    assert step.automl == AutoML(
        task="regression",
        primary_metric="r2_score",
        target_column_name="y",
        weight_column_name="w",
        test_data_size=0.1,
        limits=AutoMLLimits(timeout_seconds=21600, trial_timeout_seconds=1800, max_trials=3),
        featurization=AutoMLFeaturization(mode="off"),
        training=AutoMLTraining(allowed_training_algorithms=("ElasticNet",)),
    )
    assert (step.name, step.display_name, step.description) == ("find", "Find", "Finds.")
    assert (step.tags, step.properties) == ({"a": "b"}, {"c": "d"})
    assert step.environment_variables == {"A": "b"}
    assert step.inputs == {
        "training_data": StepOutput(step="prepare", output="kept"),
        "validation_data": ParentInput(name="rows"),
    }
    assert step.outputs == {"best_model": Output(type="mlflow_model")}
    assert job.output_sources == {"model": OutputSource(step="find", output="best_model")}
    assert job.outputs["model"].type == "mlflow_model"
    assert judge.component.inputs["model"].type == "mlflow_model"


def test_the_smallest_job_has_azures_defaults(write: Write) -> None:
    found = automl_of(compile_job(write(job=SMALLEST)))
    assert found == AutoML(
        task="classification",
        primary_metric="AUC_weighted",
        target_column_name="y",
        limits=AutoMLLimits(timeout_seconds=21600, trial_timeout_seconds=1800),
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [("AUC_weighted", "AUC_weighted"), ("auc_weighted", "AUC_weighted"), ("Accuracy", "accuracy")],
)
def test_names_are_read_as_azures_client_reads_them(write: Write, said: str, expected: str) -> None:
    settings = [
        f"primary_metric={said}",
        "training.allowed_training_algorithms=[XGBoostClassifier, light_gbm, LightGBM]",
        "training.blocked_training_algorithms=[LinearSVM]",
    ]
    found = automl_of(compile_job(write(job=SMALLEST), overrides=settings))
    assert found.primary_metric == expected
    assert found.training.allowed_training_algorithms == ("XGBoostClassifier", "LightGBM")
    assert found.training.blocked_training_algorithms == ("LinearSVM",)


def test_a_stack_is_off_where_azure_has_none(write: Write) -> None:
    onnx = compile_job(
        write(job=SMALLEST), overrides=["training.enable_onnx_compatible_models=true"]
    )
    assert not automl_of(onnx).training.enable_stack_ensemble
    series = ["task=forecasting", "forecasting={time_column_name: t, forecast_horizon: 2}"]
    assert not automl_of(
        compile_job(write(job=SMALLEST), overrides=series)
    ).training.enable_stack_ensemble
    asked = [*series, "training.enable_stack_ensemble=true"]
    assert automl_of(
        compile_job(write(job=SMALLEST), overrides=asked)
    ).training.enable_stack_ensemble


def test_folds_may_be_given_by_columns(write: Write) -> None:
    job = compile_job(write(job=SMALLEST), overrides=["cv_split_column_names=[one, two]"])
    assert automl_of(job).cv_split_column_names == ("one", "two")


def test_automatic_folds_go_with_validation_data(write: Write) -> None:
    settings = ["n_cross_validations=auto", "validation_data={type: mltable, path: azureml:m:1}"]
    job = compile_job(write(job=SMALLEST), overrides=settings)
    assert automl_of(job).n_cross_validations is None


def test_images_and_text_are_refused_here_alone(write: Write) -> None:
    file = write(job=SMALLEST.replace("classification", "text_ner"))
    (problem,) = problems_of(file)
    assert ":3: AutoML of images and text (text_ner) does not run here" in problem
    assert "--target azure" in problem
    check_for_azure(file, ())


def test_the_best_model_is_the_one_output(write: Write) -> None:
    assert compile_job(write(job=SMALLEST)).steps[0].outputs == {
        "best_model": Output(type="mlflow_model")
    }
    pipeline = """
        type: pipeline
        jobs:
          find:
            type: automl
            task: classification
            target_column_name: y
            training_data: {type: mltable, path: azureml:rows:1}
          judge:
            type: command
            command: judge ${{inputs.model}}
            environment: azureml:e:1
            inputs: {model: "${{parent.jobs.find.outputs.best_model}}"}
    """
    (problem,) = problems_of(write(job=pipeline))
    assert "step 'find' does not declare the output 'best_model'" in problem
    assert "add best_model: with type: mlflow_model" in problem


def test_fields_that_do_nothing_here_are_warned_of(write: Write) -> None:
    settings = ["limits.timeout_minutes=2", "limits.max_nodes=2", "log_verbosity=debug"]
    job = compile_job(write(job=SMALLEST), overrides=settings)
    assert {warned.field for warned in job.warnings} == {
        "limits.timeout_minutes",
        "automl_limits.max_nodes",
        "automl_job.log_verbosity",
    }
    assert automl_of(job).limits.timeout_seconds == 120


def test_algorithms_that_only_azure_has_are_told(write: Write) -> None:
    file = write(job=SMALLEST)
    series = ["task=forecasting", "forecasting={time_column_name: t, forecast_horizon: 2}"]
    alone = [*series, "training.allowed_training_algorithms=[TCNForecaster]"]
    (problem,) = problems_of(file, *alone)
    assert "TCNForecaster cannot be trained here" in problem
    check_for_azure(file, alone)
    beside = [*series, "training.allowed_training_algorithms=[prophet, Naive]"]
    (warned,) = compile_job(file, overrides=beside).warnings
    assert warned.message == "Prophet is left out here."


def test_data_outside_its_folder_is_warned_of(write: Write, tables: Path) -> None:
    (tables / "rows" / "MLTable").write_text("paths:\n- file: ../rows.csv\n- file: ./a/../b.csv\n")
    job = compile_job(write(job=SMALLEST), overrides=["training_data.path=./rows"])
    (warned,) = job.warnings
    assert "'../rows.csv' is outside its folder" in warned.message


def test_a_setting_of_another_shape_is_refused(write: Write) -> None:
    with pytest.raises((SpecError, UsageError), match="task"):
        compile_job(write(job=SMALLEST), overrides=["task=clasification"])
