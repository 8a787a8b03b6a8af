"""Monitors: what `create_monitor` compares, with what, and when that is too far apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from amlocal.plan.base import Value
from amlocal.plan.component import Component
from amlocal.plan.ports import DataValue

#: Contexts of what a deployment collects.
COLLECTED = ("model_inputs", "model_outputs")
#: Contexts of what a model was made of.
TRAINED_ON = ("training", "validation", "test")
#: What inputs with the data of such a context are called, in this project's components and Azure's.
TRAINED_ON_INPUTS: Mapping[str, tuple[str, ...]] = {
    "training": ("training_data", "train_data", "train", "data"),
    "validation": ("validation_data", "valid_data", "validation"),
    "test": ("test_data", "test"),
}
#: By type of signal, the contexts of the production data that it takes where the file says none.
CONTEXTS: Mapping[str, tuple[str, ...]] = {
    "data_drift": ("model_inputs",),
    "data_quality": ("model_inputs",),
    "prediction_drift": ("model_outputs",),
    "feature_attribution_drift": COLLECTED,
    "model_performance": ("model_outputs",),
}
#: Names of metrics in a file's `regression:`, with those of `monitorkit` and of Azure's classes.
REGRESSION_METRICS: Mapping[str, str] = {
    "mae": "mean_absolute_error",
    "mse": "mean_squared_error",
    "rmse": "root_mean_squared_error",
}
_DEPLOYMENT = re.compile(
    r"(?:azureml:)?(?:(?P<endpoint>[^:/]+):(?P<deployment>[^:/]+)"
    r"|/subscriptions/.*/onlineendpoints/(?P<long_endpoint>[^/]+)"
    r"/deployments/(?P<long_deployment>[^/]+))",
    re.IGNORECASE,
)


def deployment_of(reference: str) -> tuple[str, str] | None:
    """Return endpoint and deployment of `azureml:ENDPOINT:DEPLOYMENT` or an ARM id, or None."""
    found = _DEPLOYMENT.fullmatch(reference)
    if found is None:
        return None
    return (
        found["endpoint"] or found["long_endpoint"],
        found["deployment"] or found["long_deployment"],
    )


class MonitorWindow(Value, frozen=True):
    """Which rows count by their time; all None: every row.

    Attributes:
        start: First moment of a static window, ISO 8601.
        end: First moment after a static window.
        size: Of a trailing window: an ISO 8601 duration.
        offset: How long before the monitor's run a trailing window ends.
    """

    start: str | None = None
    end: str | None = None
    size: str | None = None
    offset: str | None = None


class MonitorData(Value, frozen=True):
    """`production_data:` or `reference_data:` of a signal, Azure's defaults filled in.

    Attributes:
        data: Where it lies; None is, where the context is one of `COLLECTED`, what the deployment
            collects, and, where it is one of `TRAINED_ON`, what the deployed version of the model
            was made of.
        context: One of `COLLECTED`, one of `TRAINED_ON`, or `ground_truth`; empty only where there
            is data and the file says none.
        columns: Columns by role: `target_column`, `prediction`, `prediction_probability`,
            `correlation_id`, `timestamp`.
        window: Which rows count. Production has always a trailing one.
        pre_processing: The reference of a component that makes a table of it, or empty.
    """

    data: DataValue | None = None
    context: str = ""
    columns: dict[str, str] = {}
    window: MonitorWindow = MonitorWindow()
    pre_processing: str = ""


class MonitorThreshold(Value, frozen=True):
    """A metric of a signal, and where it begins to be too far apart.

    Attributes:
        metric: Its name, by `monitorkit`.
        feature_type: `numerical`, `categorical`, or empty where it is not of features.
        threshold: None is Azure's default.
    """

    metric: str
    feature_type: str = ""
    threshold: float | None = None


class MonitorSignal(Value, frozen=True):
    """One of `monitoring_signals:`.

    Attributes:
        name: Its key.
        type: `data_drift`, `prediction_drift`, `data_quality`, `feature_attribution_drift`,
            `model_performance`, or `custom`.
        production: What is monitored: one, or, of `feature_attribution_drift`, several that are
            joined by correlation id. Empty of `custom` alone.
        reference: What it is compared with; of `model_performance` it may be the `ground_truth`.
            None of `custom` alone.
        features: Names; None is all.
        top_n_feature_importance: That many of the most important features, or None.
        feature_types: Types that are not to be inferred, by feature.
        thresholds: Empty are Azure's default metrics and thresholds.
        alert_enabled: Whether a breach is an event, and not only reported.
        segment_feature: Only rows count whose value of this feature is one of `segment_values`.
        segment_values: See there.
        component: Of a custom signal, the reference of the component that computes it.
        input_data: Of a custom signal, the data that its component is given, by input.
        inputs: Of a custom signal, what else its component is given.
        environment_variables: Of a custom signal's connection.
        properties: Free.
    """

    name: str
    type: str
    production: tuple[MonitorData, ...] = ()
    reference: MonitorData | None = None
    features: tuple[str, ...] | None = None
    top_n_feature_importance: int | None = None
    feature_types: dict[str, str] = {}
    thresholds: tuple[MonitorThreshold, ...] = ()
    alert_enabled: bool = False
    segment_feature: str = ""
    segment_values: tuple[str, ...] = ()
    component: str = ""
    input_data: dict[str, MonitorData] = {}
    inputs: dict[str, DataValue] = {}
    environment_variables: dict[str, str] = {}
    properties: dict[str, str] = {}


class CreateMonitor(Value, frozen=True, tag="create_monitor", tag_field="type"):
    """What a slot starts: a monitor's run.

    Attributes:
        signals: At least one; those of Azure by default where the file names none.
        ml_task: `classification`, `regression`, or empty.
        endpoint_name: Of the deployment that is monitored, or empty.
        deployment_name: Likewise.
        model: The model that is monitored where no deployment is named, or empty.
        emails: Whom Azure tells of breaches.
        azure_monitor: Whether Azure Monitor is told.
        instance_type: Of the Spark compute in Azure.
        runtime_version: Of Spark.
        definition: `create_monitor:` as the file has it, its paths absolute: what settings change.
        components: What its signals name, by reference, as they were when the schedule was created;
            empty until then.
    """

    signals: tuple[MonitorSignal, ...]
    ml_task: str = ""
    endpoint_name: str = ""
    deployment_name: str = ""
    model: str = ""
    emails: tuple[str, ...] = ()
    azure_monitor: bool = False
    instance_type: str = ""
    runtime_version: str = ""
    definition: dict[str, Any] = {}
    components: dict[str, Component] = {}
