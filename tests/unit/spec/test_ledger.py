"""The field ledger is whole, its tests exist, and the page that it makes is current."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from amlocal.spec import fidelity, sdk
from amlocal.spec.fields import Status, ledger

ROOT = Path(__file__).parents[3]
ROWS = [row for rows in ledger().values() for row in rows.values()]

TASKS = ("Classification", "Regression", "Forecasting")

#: The SDK's schemas that each schema of the ledger stands for.
SCHEMAS = {
    "command_job": ["CommandJobSchema"],
    "pipeline_job": ["PipelineJobSchema"],
    "pipeline_settings": ["PipelineJobSettingsSchema"],
    "component_step": ["CommandSchema"],
    "command_step": ["PipelineCommandJobSchema"],
    "sweep_job": ["SweepJobSchema"],
    "sweep_trial": ["ParameterizedCommandSchema"],
    "sweep_step": ["SweepSchema"],
    "choice": ["ChoiceSchema"],
    "randint": ["RandintSchema"],
    "uniform": ["UniformSchema"],
    "quniform": ["QUniformSchema"],
    "normal": ["NormalSchema"],
    "qnormal": ["QNormalSchema"],
    "random_sampling": ["RandomSamplingAlgorithmSchema"],
    "grid_sampling": ["GridSamplingAlgorithmSchema"],
    "bayesian_sampling": ["BayesianSamplingAlgorithmSchema"],
    "objective": ["SweepObjectiveSchema"],
    "bandit": ["BanditPolicySchema"],
    "median_stopping": ["MedianStoppingPolicySchema"],
    "truncation_selection": ["TruncationSelectionPolicySchema"],
    "sweep_limits": ["SweepJobLimitsSchema"],
    "automl_job": [f"AutoML{task}Schema" for task in TASKS],
    "automl_step": [f"AutoML{task}NodeSchema" for task in TASKS],
    "automl_limits": ["AutoMLTableLimitsSchema"],
    "featurization": ["TableFeaturizationSettingsSchema"],
    "column_transformer": ["ColumnTransformerSchema"],
    "automl_training": [f"{task}TrainingSettingsSchema" for task in TASKS],
    "stack_ensemble": ["StackEnsembleSettingsSchema"],
    "forecasting": ["ForecastingSettingsSchema"],
    "parallel_step": ["PipelineParallelJobSchema"],
    "parallel_component_step": ["ParallelSchema"],
    "parallel_component": ["ParallelComponentSchema", "AnonymousParallelComponentSchema"],
    "parallel_task": ["ComponentParallelTaskSchema"],
    "parallel_retry_settings": ["RetrySettingsSchema"],
    "command_component": ["CommandComponentSchema", "AnonymousCommandComponentSchema"],
    "component_input": ["ParameterSchema", "InputPortSchema"],
    "component_output": ["OutputPortSchema", "PrimitiveOutputSchema"],
    "job_input": [
        "DataInputSchema",
        "ModelInputSchema",
        "MLTableInputSchema",
        "InputLiteralValueSchema",
    ],
    "output": ["OutputSchema"],
    "environment": ["EnvironmentSchema", "AnonymousEnvironmentSchema"],
    "build_context": ["BuildContextSchema"],
    "inference_config": ["InferenceConfigSchema"],
    "route": ["RouteSchema"],
    "limits": ["CommandJobLimitsSchema"],
    "resources": ["JobResourceConfigurationSchema", "ComponentResourceSchema"],
    "distribution": [
        "PyTorchDistributionSchema",
        "TensorFlowDistributionSchema",
        "MPIDistributionSchema",
        "RayDistributionSchema",
    ],
    "queue_settings": ["QueueSettingsSchema"],
    "service": [
        "JobServiceSchema",
        "SshJobServiceSchema",
        "TensorBoardJobServiceSchema",
        "VsCodeJobServiceSchema",
        "JupyterLabJobServiceSchema",
    ],
    "identity": ["ManagedIdentitySchema", "AMLTokenIdentitySchema", "UserIdentitySchema"],
    "auto_delete_setting": ["AutoDeleteSettingSchema"],
    "data": ["DataSchema"],
    "model": ["ModelSchema", "AnonymousModelSchema"],
    "deployment_template": ["DeploymentTemplateReferenceSchema"],
    "online_endpoint": ["ManagedOnlineEndpointSchema", "KubernetesOnlineEndpointSchema"],
    "endpoint_identity": ["IdentitySchema"],
    "online_deployment": ["ManagedOnlineDeploymentSchema", "KubernetesOnlineDeploymentSchema"],
    "code_configuration": ["CodeConfigurationSchema"],
    "scale_settings": ["DefaultScaleSettingsSchema", "TargetUtilizationScaleSettingsSchema"],
    "request_settings": ["RequestSettingsSchema"],
    "probe": ["LivenessProbeSchema"],
    "data_collector": ["DataCollectorSchema"],
    "deployment_collection": ["DeploymentCollectionSchema"],
    "collection_data": ["DataAssetSchema"],
    "request_logging": ["RequestLoggingSchema"],
    "batch_endpoint": ["BatchEndpointSchema"],
    "batch_defaults": ["BatchEndpointsDefaultsSchema"],
    "model_batch_deployment": ["ModelBatchDeploymentSchema"],
    "batch_settings": ["ModelBatchDeploymentSettingsSchema"],
    "retry_settings": ["BatchRetrySettingsSchema"],
    "batch_deployment": ["BatchDeploymentSchema"],
    "pipeline_batch_deployment": ["PipelineComponentBatchDeploymentSchema"],
    "pipeline_node": ["PipelineSchema"],
    "pipeline_component": ["PipelineComponentSchema"],
    "schedule": ["JobScheduleSchema", "MonitorScheduleSchema"],
    "cron_trigger": ["CronTriggerSchema"],
    "recurrence_trigger": ["RecurrenceTriggerSchema"],
    "recurrence_pattern": ["RecurrencePatternSchema"],
    "pipeline_create_job": ["PipelineCreateJobSchema"],
    "command_create_job": ["CommandCreateJobSchema"],
    "monitor": ["MonitorDefinitionSchema"],
    "spark_compute": ["ServerlessSparkComputeSchema"],
    "monitoring_target": ["MonitoringTargetSchema"],
    "alert_notification": ["AlertNotificationSchema"],
    "data_drift_signal": ["DataDriftSignalSchema"],
    "data_quality_signal": ["DataQualitySignalSchema"],
    "prediction_drift_signal": ["PredictionDriftSignalSchema"],
    "feature_attribution_drift_signal": ["FeatureAttributionDriftSignalSchema"],
    "model_performance_signal": ["ModelPerformanceSignalSchema"],
    "custom_signal": ["CustomMonitoringSignalSchema"],
    "production_data": ["ProductionDataSchema"],
    "attribution_production_data": ["FADProductionDataSchema"],
    "reference_data": ["ReferenceDataSchema"],
    "data_window": ["BaselineDataRangeSchema"],
    "data_segment": ["DataSegmentSchema"],
    "feature_filter": ["MonitorFeatureFilterSchema"],
    "drift_thresholds": ["DataDriftMetricThresholdSchema", "PredictionDriftMetricThresholdSchema"],
    "quality_thresholds": ["DataQualityMetricThresholdSchema"],
    "numerical_drift_metrics": ["NumericalDriftMetricsSchema"],
    "categorical_drift_metrics": ["CategoricalDriftMetricsSchema"],
    "quality_metrics": [
        "DataQualityMetricsNumericalSchema",
        "DataQualityMetricsCategoricalSchema",
    ],
    "attribution_thresholds": ["FeatureAttributionDriftMetricThresholdSchema"],
    "performance_thresholds": ["ModelPerformanceMetricThresholdSchema"],
    "classification_metrics": ["ModelPerformanceClassificationThresholdsSchema"],
    "regression_metrics": ["ModelPerformanceRegressionThresholdsSchema"],
    "custom_threshold": ["CustomMonitoringMetricThresholdSchema"],
    "connection": ["ConnectionSchema"],
}

#: Where introspection starts; the rest is reached from here.
ROOTS = [
    "job.command_job.CommandJobSchema",
    "pipeline.pipeline_job.PipelineJobSchema",
    "pipeline.component_job.CommandSchema",
    "pipeline.component_job.SweepSchema",
    "_sweep.sweep_job.SweepJobSchema",
    "pipeline.pipeline_command_job.PipelineCommandJobSchema",
    "component.command_component.CommandComponentSchema",
    "pipeline.pipeline_parallel_job.PipelineParallelJobSchema",
    "pipeline.component_job.ParallelSchema",
    "component.parallel_component.ParallelComponentSchema",
    *[f"automl.table_vertical.{task.lower()}.AutoML{task}Schema" for task in TASKS],
    *[f"pipeline.automl_node.AutoML{task}NodeSchema" for task in TASKS],
    "assets.environment.EnvironmentSchema",
    "assets.data.DataSchema",
    "assets.model.ModelSchema",
    "_endpoint.online.online_endpoint.ManagedOnlineEndpointSchema",
    "_endpoint.online.online_endpoint.KubernetesOnlineEndpointSchema",
    "_endpoint.batch.batch_endpoint.BatchEndpointSchema",
    "_deployment.online.online_deployment.ManagedOnlineDeploymentSchema",
    "_deployment.online.online_deployment.KubernetesOnlineDeploymentSchema",
    "_deployment.batch.model_batch_deployment.ModelBatchDeploymentSchema",
    "_deployment.batch.batch_deployment.BatchDeploymentSchema",
    "_deployment.batch.pipeline_component_batch_deployment_schema."
    "PipelineComponentBatchDeploymentSchema",
    "pipeline.pipeline_component.PipelineComponentSchema",
    "schedule.schedule.JobScheduleSchema",
    "monitoring.schedule.MonitorScheduleSchema",
]

#: What a read-only field holds, and what fields that are refused hold.
NOT_OURS = {
    "CreationContextSchema",
    "FlowComponentSchema",
    "GenerationSafetyQualitySchema",
    "GenerationTokenStatisticsSchema",
    "IntellectualPropertySchema",
    "ResourceRequirementsSchema",
    "SparkCreateJobSchema",
}


@functools.cache
def sdk_schemas() -> dict[str, dict[str, Any]]:
    """Return the fields of every schema that a file can reach, by the schema's name."""
    found: dict[str, dict[str, Any]] = {}
    with sdk.quiet():
        import importlib

        todo = []
        for root in ROOTS:
            module, _, name = root.rpartition(".")
            todo.append(getattr(importlib.import_module(f"azure.ai.ml._schema.{module}"), name))
        while todo:
            schema = todo.pop()
            if schema.__name__ in found or schema.__name__ in NOT_OURS:
                continue
            fields = made(schema).fields
            found[schema.__name__] = {f.data_key or name: f for name, f in fields.items()}
            for name, field in fields.items():
                if name != "jobs":
                    todo += nested(field)
    return found


def made(schema: Any) -> Any:
    try:
        return schema(context={"base_path": "."})
    except TypeError:
        return schema()


def nested(field: Any) -> Iterator[Any]:
    kind = type(field).__name__
    if kind in {"UnionField", "TypeSensitiveUnionField", "ScheduleCreateJobField"}:
        for member in field.union_fields:
            yield from nested(member)
    elif kind == "ExperimentalField":
        yield from nested(field.experimental_field)
    elif kind == "Dict" and field.value_field is not None:
        yield from nested(field.value_field)
    elif kind == "List":
        yield from nested(field.inner)
    elif hasattr(field, "nested"):
        yield type(field.schema)


def test_every_schema_of_the_sdk_has_its_place() -> None:
    known = {name for names in SCHEMAS.values() for name in names}
    assert set(sdk_schemas()) == known


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_field_of_the_sdk_is_in_the_ledger(schema: str) -> None:
    missing = {
        field
        for name in SCHEMAS[schema]
        for field in sdk_schemas()[name]
        if field not in ledger()[schema]
    }
    assert missing == set()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_ledger_invents_no_fields(schema: str) -> None:
    known = {field for name in SCHEMAS[schema] for field in sdk_schemas()[name]}
    # The SDK takes these of a step with a component though its schema does not name them.
    described = {"name", "display_name", "description", "tags"}
    beside = {
        **dict.fromkeys(("component_step", "parallel_step", "parallel_component_step"), described),
        "sweep_step": described | {"identity"},
    }
    assert set(ledger()[schema]) - known - {"*"} == beside.get(schema, set()) - known


def test_every_type_of_job_and_step_is_in_the_ledger() -> None:
    with sdk.quiet():
        from azure.ai.ml.constants._component import ControlFlowType, NodeType
        from azure.ai.ml.constants._job.job import JobType

    def names(constants: type) -> set[str]:
        return {value for name, value in vars(constants).items() if name.isupper()}

    no_jobs = {"component", "base", "parallel", "data_transfer"}
    assert set(ledger()["job_type"]) == names(JobType) - no_jobs
    no_steps = {"system", "flow_parallel", "hemera", "aml_data_transfer"}
    steps = set(ledger()["step_type"])
    assert steps >= names(ControlFlowType)
    assert steps - names(ControlFlowType) <= names(NodeType)
    assert {"command", "sweep", "parallel", "pipeline", "automl", "spark"} <= steps - no_steps


def test_every_type_of_signal_is_in_the_ledger() -> None:
    with sdk.quiet():
        from azure.ai.ml.constants import MonitorSignalType
    assert set(ledger()["signal_type"]) == {kind.value for kind in MonitorSignalType}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.schema}.{row.name}" for row in ROWS])
def test_every_row_says_what_happens_and_proves_it(row: Any) -> None:
    assert row.note.endswith(".")
    if row.status is not Status.HONOURED:
        assert row.test == ""
        return
    path, _, name = row.test.partition("::")
    assert name.split("[")[0] in functions_in(path), f"{row.test} does not exist"


@functools.cache
def functions_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_the_page_is_current() -> None:
    assert fidelity.PAGE.read_text() == fidelity.page(), "run python -m amlocal.spec.fidelity"


def test_the_page_is_written_where_it_is_read() -> None:
    assert fidelity.PAGE == ROOT / "docs" / "fidelity.md"
