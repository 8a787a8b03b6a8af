"""Builds an AutoML search from the mappings that a YAML file holds; nothing is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from amlocal.plan import (
    AUTOML_INPUTS,
    BEST_MODEL,
    AutoML,
    AutoMLFeaturization,
    AutoMLForecasting,
    AutoMLLimits,
    AutoMLTask,
    AutoMLTraining,
    Component,
    Input,
    JobBinding,
    LiteralValue,
    Output,
    StackEnsemble,
)
from amlocal.plan.expression import sole_reference
from amlocal.spec import automl_names as names
from amlocal.spec import build

#: What Azure takes where a file gives no limit, by its reference of the YAML.
DEFAULT_TIMEOUT_MINUTES = 360
DEFAULT_TRIAL_TIMEOUT_MINUTES = 30

_Shorts = Literal["auto", "pad", "drop"]
_Aggregates = Literal["sum", "max", "min", "mean"]
_Stl = Literal["season", "season_trend"]


def is_automl(value: Mapping[str, Any]) -> bool:
    """Return whether a step is an AutoML search."""
    return build.text(value.get("type")).lower() == "automl"


def task(value: Mapping[str, Any]) -> AutoMLTask:
    """Return the task of a job or a step; classification where there is none that runs here."""
    said = value.get("task")
    return next((known for known in names.TASKS if known == said), "classification")


def automl(value: Mapping[str, Any]) -> AutoML:
    """Build what makes a job or a step an AutoML search, from its fields."""
    kind = task(value)
    metrics = names.METRICS[kind]
    said = names.snake(build.text(value.get("primary_metric")))
    folds = build.number(value.get("n_cross_validations"))
    return AutoML(
        task=kind,
        primary_metric=metrics.get(said, metrics[names.DEFAULT_METRICS[kind]]),
        target_column_name=build.text(value.get("target_column_name")),
        validation_data_size=build.number(value.get("validation_data_size")),
        test_data_size=build.number(value.get("test_data_size")),
        n_cross_validations=None if folds is None else int(folds),
        cv_split_column_names=_texts(value.get("cv_split_column_names")),
        weight_column_name=build.text_or_none(value.get("weight_column_name")),
        positive_label=build.text_or_none(value.get("positive_label")),
        limits=_limits(build.mapping(value.get("limits"))),
        featurization=_featurization(build.mapping(value.get("featurization"))),
        training=_training(kind, build.mapping(value.get("training"))),
        forecasting=_forecasting(build.mapping(value.get("forecasting")))
        if kind == "forecasting"
        else None,
    )


def component() -> Component:
    """Return what an AutoML step runs: no command, its inputs and its output alone."""
    inputs = {name: Input(type="mltable", optional=True) for name in AUTOML_INPUTS}
    inputs[AUTOML_INPUTS[0]] = Input(type="mltable")
    return Component(command="", inputs=inputs, outputs={BEST_MODEL: Output(type="mlflow_model")})


def data(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of a job or a step as the inputs that they become here."""
    found = {name: value[name] for name in AUTOML_INPUTS if value.get(name) is not None}
    return {
        name: {**item, "type": "mltable"} if isinstance(item, Mapping) else item
        for name, item in found.items()
    }


def resolved(value: Any, given: Mapping[str, JobBinding]) -> Any:
    """Return a step's fields with `${{parent.inputs.NAME}}` replaced by the value of that input.

    Azure binds every field of an AutoML step so. What is bound to data, or to nothing, stays.
    """
    if isinstance(value, Mapping):
        return {name: resolved(item, given) for name, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, given) for item in value]
    reference = sole_reference(value) if isinstance(value, str) else None
    if reference is None or reference.path[:2] != ("parent", "inputs"):
        return value
    found = given.get(".".join(reference.path[2:]))
    return found.value if isinstance(found, LiteralValue) else value


def strings(value: Any) -> list[str]:
    """Return the texts of a list, or of one that stands alone."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(strings(value))


def _limits(value: Mapping[str, Any]) -> AutoMLLimits:
    default = AutoMLLimits()
    minutes = build.integer(value.get("timeout_minutes"), DEFAULT_TIMEOUT_MINUTES)
    trial = build.integer(value.get("trial_timeout_minutes"), DEFAULT_TRIAL_TIMEOUT_MINUTES)
    return AutoMLLimits(
        timeout_seconds=60.0 * minutes,
        trial_timeout_seconds=60.0 * trial,
        max_trials=build.integer(value.get("max_trials"), default.max_trials),
        max_concurrent_trials=build.integer(
            value.get("max_concurrent_trials"), default.max_concurrent_trials
        ),
        max_cores_per_trial=build.integer(
            value.get("max_cores_per_trial"), default.max_cores_per_trial
        ),
        enable_early_termination=_switch(value, "enable_early_termination"),
        exit_score=build.number(value.get("exit_score")),
    )


def _featurization(value: Mapping[str, Any]) -> AutoMLFeaturization:
    modes: Mapping[str, Literal["auto", "off", "custom"]] = {"off": "off", "custom": "custom"}
    purposes = {name.lower(): name for name in names.PURPOSES}
    return AutoMLFeaturization(
        mode=modes.get(build.text(value.get("mode")).lower(), "auto"),
        blocked_transformers=_known(value.get("blocked_transformers"), names.TRANSFORMERS),
        column_name_and_types={
            column: purposes[purpose.lower()]
            for column, purpose in build.texts(value.get("column_name_and_types")).items()
            if purpose.lower() in purposes
        },
        transformer_params={
            names.PARAMETRIC_TRANSFORMERS[names.snake(name)]: [
                {
                    "fields": strings(item.get("fields")),
                    "parameters": dict(build.mapping(item.get("parameters"))),
                }
                for item in map(build.mapping, items if isinstance(items, list) else ())
            ]
            for name, items in build.mapping(value.get("transformer_params")).items()
            if names.snake(name) in names.PARAMETRIC_TRANSFORMERS
        },
        dataset_language=build.text_or_none(value.get("dataset_language")),
    )


def _training(kind: AutoMLTask, value: Mapping[str, Any]) -> AutoMLTraining:
    algorithms = names.ALGORITHMS[kind]
    stack = build.mapping(value.get("stack_ensemble_settings"))
    default = StackEnsemble()
    share = build.number(stack.get("stack_meta_learner_train_percentage"))
    meta = names.snake(build.text(stack.get("stack_meta_learner_type")))
    # As in Azure: no stack for ONNX, and none of forecasts unless it is asked for.
    has_stack = _switch(value, "enable_stack_ensemble", default=kind != "forecasting")
    has_stack &= not _switch(value, "enable_onnx_compatible_models", default=False)
    return AutoMLTraining(
        allowed_training_algorithms=_known(value.get("allowed_training_algorithms"), algorithms),
        blocked_training_algorithms=_known(value.get("blocked_training_algorithms"), algorithms),
        enable_vote_ensemble=_switch(value, "enable_vote_ensemble"),
        enable_stack_ensemble=has_stack,
        stack_ensemble_settings=StackEnsemble(
            stack_meta_learner_type=names.META_LEARNERS.get(meta) if meta != "none" else None,
            stack_meta_learner_train_percentage=default.stack_meta_learner_train_percentage
            if share is None
            else share,
            stack_meta_learner_kwargs=dict(build.mapping(stack.get("stack_meta_learner_kwargs"))),
        ),
        enable_model_explainability=_switch(value, "enable_model_explainability"),
    )


def _forecasting(value: Mapping[str, Any]) -> AutoMLForecasting:
    default = AutoMLForecasting(time_column_name="")
    lags = value.get("target_lags")
    listed = lags if isinstance(lags, list) else [] if lags is None else [lags]
    window = value.get("target_rolling_window_size")
    short = value.get("short_series_handling_config")
    return AutoMLForecasting(
        time_column_name=build.text(value.get("time_column_name")),
        forecast_horizon=_count(value.get("forecast_horizon"), default.forecast_horizon),
        frequency=build.text_or_none(value.get("frequency")),
        target_lags="auto"
        if _is_auto(lags)
        else tuple(build.integer(item, 1) for item in listed if build.number(item) is not None),
        target_rolling_window_size=None if window is None else _count(window, "auto"),
        time_series_id_column_names=_texts(value.get("time_series_id_column_names")),
        seasonality=_count(value.get("seasonality"), default.seasonality),
        short_series_handling_config="auto" if short is None else _one_of(short, get_args(_Shorts)),
        use_stl=_stl(value.get("use_stl")),
        country_or_region_for_holidays=build.text_or_none(
            value.get("country_or_region_for_holidays")
        ),
        cv_step_size=_count(value.get("cv_step_size"), default.cv_step_size),
        feature_lags="auto" if _is_auto(value.get("feature_lags")) else None,
        target_aggregate_function=_one_of(
            value.get("target_aggregate_function"), get_args(_Aggregates)
        ),
        unknown_at_prediction_time=_texts(value.get("features_unknown_at_forecast_time")),
    )


def _known(value: Any, known: Mapping[str, str]) -> tuple[str, ...]:
    said = [names.snake(item) for item in strings(value)]
    return tuple(dict.fromkeys(known[name] for name in said if name in known))


def _switch(value: Mapping[str, Any], name: str, *, default: bool = True) -> bool:
    found = build.typed(value.get(name), "boolean")
    return found if isinstance(found, bool) else default


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == "auto"


def _count(value: Any, default: int | Literal["auto"]) -> int | Literal["auto"]:
    if _is_auto(value):
        return "auto"
    found = build.number(value)
    return default if found is None else int(found)


def _one_of(value: Any, known: tuple[Any, ...]) -> Any:
    """Return a name as it is known, in any case, or None."""
    said = build.text(value).lower()
    return said if said in known else None


def _stl(value: Any) -> _Stl | None:
    # The client reads `SeasonTrend` in lower case alone, as the reference of its YAML writes it.
    found: Mapping[str, _Stl] = {"season": "season", "seasontrend": "season_trend"}
    return found.get(build.text(value).lower().replace("_", ""))
