"""AutoML: what a step learns, from which choices, and how long it searches.

The fields are those of `automlkit.request`, less the data, which are the step's inputs
`training_data`, `validation_data`, and `test_data`.
"""

from __future__ import annotations

from typing import Any, Literal

from amlocal.plan.base import Value

#: The tasks that run here.
AutoMLTask = Literal["classification", "regression", "forecasting"]

#: The inputs of an AutoML step, in the order in which they are told; the first is required.
AUTOML_INPUTS = ("training_data", "validation_data", "test_data")
#: The one output of an AutoML step.
BEST_MODEL = "best_model"


class AutoMLLimits(Value, frozen=True):
    """How long and how much is searched.

    Attributes:
        timeout_seconds: For the whole, the delivered model's training included.
        trial_timeout_seconds: For one trial, or None.
        max_trials: Trials in all, ensembles not counted.
        max_concurrent_trials: Trials side by side at most.
        max_cores_per_trial: Threads of one trial; -1 is all.
        enable_early_termination: Whether a search that no longer gains ends.
        exit_score: The primary metric's value that is good enough, or None.
    """

    timeout_seconds: float | None = None
    trial_timeout_seconds: float | None = None
    max_trials: int = 1000
    max_concurrent_trials: int = 1
    max_cores_per_trial: int = -1
    enable_early_termination: bool = True
    exit_score: float | None = None


class AutoMLFeaturization(Value, frozen=True):
    """How columns become features.

    Attributes:
        mode: `auto`, `off`, or `custom`.
        blocked_transformers: Transformers that are not used, as Azure's service spells them.
        column_name_and_types: Column name to purpose: `Numeric`, `Categorical`,
            `CategoricalHash`, `DateTime`, `Text`, `Ignore`.
        transformer_params: Transformer to a list of `{"fields": [...], "parameters": {...}}`.
        dataset_language: ISO 639-3 code of texts, or None.
    """

    mode: Literal["auto", "off", "custom"] = "auto"
    blocked_transformers: tuple[str, ...] = ()
    column_name_and_types: dict[str, str] = {}
    transformer_params: dict[str, list[dict[str, Any]]] = {}
    dataset_language: str | None = None


class StackEnsemble(Value, frozen=True):
    """How a stack is trained.

    Attributes:
        stack_meta_learner_type: The meta-learner as Azure's service spells it, or None.
        stack_meta_learner_train_percentage: Share of training rows kept for it, without
            cross-validation.
        stack_meta_learner_kwargs: Its parameters.
    """

    stack_meta_learner_type: str | None = None
    stack_meta_learner_train_percentage: float = 0.2
    stack_meta_learner_kwargs: dict[str, Any] = {}


class AutoMLTraining(Value, frozen=True):
    """What may be trained.

    Attributes:
        allowed_training_algorithms: As Azure's service spells them; empty is all.
        blocked_training_algorithms: As Azure's service spells them.
        enable_vote_ensemble: Whether a weighted vote of trials may be delivered.
        enable_stack_ensemble: Whether a stack of trials may be delivered.
        stack_ensemble_settings: How a stack is trained.
        enable_model_explainability: Whether the delivered model is explained.
    """

    allowed_training_algorithms: tuple[str, ...] = ()
    blocked_training_algorithms: tuple[str, ...] = ()
    enable_vote_ensemble: bool = True
    enable_stack_ensemble: bool = True
    stack_ensemble_settings: StackEnsemble = StackEnsemble()
    enable_model_explainability: bool = True


class AutoMLForecasting(Value, frozen=True):
    """What is forecast, and from which past; "auto" where the search decides.

    Attributes:
        time_column_name: The column of times.
        forecast_horizon: Periods ahead.
        frequency: pandas' alias of the period; None is found in the data.
        target_lags: Lags of the target, in periods; empty is none.
        target_rolling_window_size: Periods of a rolling window, or None.
        time_series_id_column_names: The columns that tell one series from another.
        seasonality: Periods of a season.
        short_series_handling_config: `auto`, `pad`, `drop`, or None.
        use_stl: `season`, `season_trend`, or None.
        country_or_region_for_holidays: ISO 3166 code, or None.
        cv_step_size: Periods between two folds' origins.
        feature_lags: `auto` or None.
        target_aggregate_function: `sum`, `max`, `min`, `mean`, or None.
        unknown_at_prediction_time: Columns that are not known ahead (Azure's
            `features_unknown_at_forecast_time`).
    """

    time_column_name: str
    forecast_horizon: int | Literal["auto"] = 1
    frequency: str | None = None
    target_lags: tuple[int, ...] | Literal["auto"] = ()
    target_rolling_window_size: int | Literal["auto"] | None = None
    time_series_id_column_names: tuple[str, ...] = ()
    seasonality: int | Literal["auto"] = "auto"
    short_series_handling_config: Literal["auto", "pad", "drop"] | None = "auto"
    use_stl: Literal["season", "season_trend"] | None = None
    country_or_region_for_holidays: str | None = None
    cv_step_size: int | Literal["auto"] = "auto"
    feature_lags: Literal["auto"] | None = None
    target_aggregate_function: Literal["sum", "max", "min", "mean"] | None = None
    unknown_at_prediction_time: tuple[str, ...] = ()


class AutoML(Value, frozen=True):
    """What makes a step an AutoML search.

    Attributes:
        task: What is learned.
        primary_metric: What the best model is best in, by the name under which Azure logs it.
        target_column_name: The column to be predicted.
        validation_data_size: Share of the training rows to validate on, or None.
        test_data_size: Share of the training rows to test on, or None.
        n_cross_validations: Folds; None is by Azure's rules of size.
        cv_split_column_names: Columns of 1 (trains) and 0 (validates), one a fold.
        weight_column_name: The column of each row's weight, or None.
        positive_label: Of two classes, the one that binary metrics are about, or None.
        limits: How long and how much is searched.
        featurization: How columns become features.
        training: What may be trained.
        forecasting: Of forecasting, its settings; else None.
    """

    task: AutoMLTask
    primary_metric: str
    target_column_name: str
    validation_data_size: float | None = None
    test_data_size: float | None = None
    n_cross_validations: int | None = None
    cv_split_column_names: tuple[str, ...] = ()
    weight_column_name: str | None = None
    positive_label: str | None = None
    limits: AutoMLLimits = AutoMLLimits()
    featurization: AutoMLFeaturization = AutoMLFeaturization()
    training: AutoMLTraining = AutoMLTraining()
    forecasting: AutoMLForecasting | None = None
