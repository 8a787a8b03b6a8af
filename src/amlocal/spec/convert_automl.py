"""Turns the SDK's AutoML jobs into the mappings that a YAML file holds.

The SDK's own way back to YAML fails for jobs that were built in Python, so their attributes are
read one by one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from amlocal.plan import AUTOML_INPUTS
from amlocal.spec.automl_names import snake
from amlocal.spec.entities import described, located, outputs, picked, plain

_GENERAL = (
    "log_verbosity",
    "primary_metric",
    "target_column_name",
    "weight_column_name",
    "validation_data_size",
    "test_data_size",
    "cv_split_column_names",
    "n_cross_validations",
    "positive_label",
    "compute",
    "environment_id",
    "environment_variables",
)
_LIMITS = (
    "enable_early_termination",
    "exit_score",
    "max_concurrent_trials",
    "max_cores_per_trial",
    "max_nodes",
    "max_trials",
    "timeout_minutes",
    "trial_timeout_minutes",
)
_FEATURIZATION = (
    "blocked_transformers",
    "column_name_and_types",
    "dataset_language",
    "enable_dnn_featurization",
    "mode",
)
_TRAINING = (
    "allowed_training_algorithms",
    "blocked_training_algorithms",
    "enable_dnn_training",
    "enable_model_explainability",
    "enable_onnx_compatible_models",
    "enable_stack_ensemble",
    "enable_vote_ensemble",
    "training_mode",
)
_FORECASTING = (
    "country_or_region_for_holidays",
    "cv_step_size",
    "feature_lags",
    "features_unknown_at_forecast_time",
    "forecast_horizon",
    "frequency",
    "seasonality",
    "short_series_handling_config",
    "target_aggregate_function",
    "target_lags",
    "target_rolling_window_size",
    "time_column_name",
    "time_series_id_column_names",
    "use_stl",
)


def automl_mapping(job: Any, folder: Path) -> dict[str, Any]:
    """Return an AutoML job or step as its YAML fields.

    Args:
        job: A `ClassificationJob`, `RegressionJob`, or `ForecastingJob`; of one for images or
            text, little more than its task is told: it is refused by that.
        folder: What relative paths are relative to. The SDK's object does not know: it takes the
            current folder, also for what a file in another one says.
    """
    fields = {
        **described(job),
        "type": "automl",
        "task": snake(plain(job.task_type)),
        **picked(job, _GENERAL),
        **{name: _data(getattr(job, name, None), folder) for name in AUTOML_INPUTS},
        "limits": picked(getattr(job, "limits", None), _LIMITS),
        "featurization": _featurization(getattr(job, "featurization", None)),
        "training": _training(getattr(job, "_training", None)),
        "forecasting": picked(getattr(job, "forecasting_settings", None), _FORECASTING),
        "outputs": outputs(job),
        "resources": picked(job.resources, ("instance_count", "instance_type")),
        "identity": picked(job.identity, ("type",)),
        "queue_settings": picked(job.queue_settings, ("job_tier", "priority")),
        "services": {name: {} for name in job.services or {}},
    }
    return {name: value for name, value in fields.items() if value not in (None, {})}


def _data(value: Any, folder: Path) -> Any:
    """Return data as a mapping, or the binding that stands for it."""
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "path") and not hasattr(value, "_data_binding"):
        fields = picked(value, ("type", "mode"))
        # Without a type the SDK's objects are of a folder's, as if one had been given.
        fields["type"] = "mltable" if fields.get("type") == "uri_folder" else fields.get("type")
        return {**fields, "path": located(os.fspath(value.path), folder)}
    return str(value)  # what a pipeline's function or another step gives, as an expression


def _featurization(settings: Any) -> dict[str, Any]:
    fields = picked(settings, _FEATURIZATION)
    transformers = getattr(settings, "transformer_params", None) or {}
    if transformers:
        fields["transformer_params"] = {
            name: [picked(item, ("fields", "parameters")) for item in items]
            for name, items in transformers.items()
        }
    return fields


def _training(settings: Any) -> dict[str, Any]:
    fields = picked(settings, _TRAINING)
    timeout = getattr(settings, "ensemble_model_download_timeout", None)
    if timeout is not None:
        fields["ensemble_model_download_timeout_minutes"] = timeout
    stack = getattr(settings, "stack_ensemble_settings", None)
    if stack is not None:
        names = ("stack_meta_learner_type", "stack_meta_learner_train_percentage")
        fields["stack_ensemble_settings"] = picked(stack, names)
        # The SDK misspells the attribute.
        parameters = getattr(stack, "stack_meta_learner_k_wargs", None)
        if parameters:
            fields["stack_ensemble_settings"]["stack_meta_learner_kwargs"] = plain(parameters)
    return fields
