"""AutoML jobs and steps that were built in Python with azure-ai-ml."""

from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.errors import SpecError
from amlocal.plan import (
    AutoML,
    AutoMLFeaturization,
    AutoMLForecasting,
    AutoMLLimits,
    AutoMLTraining,
    DataValue,
    Job,
    LiteralValue,
    OutputSource,
    ParentInput,
)
from amlocal.spec import compile_job, sdk

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Make an MLTable folder `rows`."""
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "MLTable").write_text("paths:\n- file: ./rows.csv\n")
    return tmp_path


def automl_of(job: Job) -> AutoML:
    found = job.steps[0].automl
    assert found is not None
    return found


def problems_of(job: object) -> list[str]:
    with pytest.raises(SpecError) as error:
        compile_job(job)
    return [str(problem) for problem in error.value.problems]


def test_a_job_is_built_in_python(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tables)
    with sdk.quiet():
        from azure.ai.ml import Input as Data
        from azure.ai.ml import automl

        job = automl.classification(
            training_data=Data(type="mltable", path="rows"),
            target_column_name="y",
            primary_metric="accuracy",
            n_cross_validations=3,
            experiment_name="finds",
        )
        job.set_limits(max_trials=3, timeout_minutes=20)
        job.set_training(allowed_training_algorithms=["LightGBM"], enable_vote_ensemble=False)
        job.set_featurization(
            mode="custom",
            blocked_transformers=["label_encoder"],
            transformer_params={
                "imputer": [automl.ColumnTransformer(fields=["a"], parameters={"strategy": "mean"})]
            },
        )
    found = compile_job(job)
    assert (found.type, found.experiment_name) == ("automl", "finds")
    assert found.inputs == {"training_data": DataValue(path=str(tables / "rows"), type="mltable")}
    assert automl_of(found) == AutoML(
        task="classification",
        primary_metric="accuracy",
        target_column_name="y",
        n_cross_validations=3,
        limits=AutoMLLimits(timeout_seconds=1200, trial_timeout_seconds=1800, max_trials=3),
        training=AutoMLTraining(
            allowed_training_algorithms=("LightGBM",), enable_vote_ensemble=False
        ),
        featurization=AutoMLFeaturization(
            mode="custom",
            blocked_transformers=("LabelEncoder",),
            transformer_params={"Imputer": [{"fields": ["a"], "parameters": {"strategy": "mean"}}]},
        ),
    )


def test_a_forecast_built_in_python_is_checked(tables: Path) -> None:
    with sdk.quiet():
        from azure.ai.ml import Input as Data
        from azure.ai.ml import automl

        job = automl.forecasting(
            training_data=Data(type="mltable", path=str(tables / "rows")),
            target_column_name="y",
            forecasting_settings=automl.ForecastingSettings(
                time_column_name="t", forecast_horizon=3, target_lags=[1, 2]
            ),
        )
    found = automl_of(compile_job(job)).forecasting
    assert found == AutoMLForecasting(time_column_name="t", forecast_horizon=3, target_lags=(1, 2))
    job.forecasting_settings.time_column_name = "y"
    (problem,) = problems_of(job)
    assert "column 'y' is the time and the target" in problem


def test_a_pipeline_built_in_python_has_automl_steps(tables: Path) -> None:
    with sdk.quiet():
        from azure.ai.ml import Input as Data
        from azure.ai.ml import Output as Written
        from azure.ai.ml import automl, dsl

        @dsl.pipeline(compute="cpu")
        def finds(rows, target):
            find = automl.regression(
                training_data=rows,
                target_column_name=target,
                outputs={"best_model": Written(type="mlflow_model")},
            )
            find.set_limits(max_trials=2)
            return {"model": find.outputs.best_model}

        job = finds(Data(type="mltable", path=str(tables / "rows")), "y")
    found = compile_job(job)
    (step,) = found.steps
    assert step.inputs == {"training_data": ParentInput(name="rows")}
    assert found.inputs["target"] == LiteralValue(value="y")
    assert (automl_of(found).target_column_name, automl_of(found).limits.max_trials) == ("y", 2)
    assert found.output_sources == {"model": OutputSource(step=step.name, output="best_model")}


def test_an_image_job_built_in_python_is_refused(tables: Path) -> None:
    with sdk.quiet():
        from azure.ai.ml import Input as Data
        from azure.ai.ml import automl

        job = automl.image_classification(
            training_data=Data(type="mltable", path=str(tables / "rows")),
            target_column_name="y",
        )
    (problem,) = problems_of(job)
    assert "(image_classification) does not run here" in problem
