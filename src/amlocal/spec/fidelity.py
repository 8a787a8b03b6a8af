"""Writes `docs/fidelity.md` from the field ledger: `python -m amlocal.spec.fidelity`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from amlocal.spec.fields import Field, Status, ledger

#: Where the page is, in a checkout.
PAGE = Path(__file__).parents[3] / "docs" / "fidelity.md"

_TITLES = {
    "command_job": "Command job",
    "pipeline_job": "Pipeline job",
    "pipeline_settings": "Pipeline job: `settings`",
    "component_step": "Pipeline step with a `component`",
    "command_step": "Pipeline step with its own `command`",
    "sweep_job": "Sweep job",
    "sweep_trial": "Sweep job: `trial`",
    "sweep_step": "Pipeline step that sweeps",
    "choice": "Search space: `choice`",
    "randint": "Search space: `randint`",
    "uniform": "Search space: `uniform`, `loguniform`",
    "quniform": "Search space: `quniform`, `qloguniform`",
    "normal": "Search space: `normal`, `lognormal`",
    "qnormal": "Search space: `qnormal`, `qlognormal`",
    "random_sampling": "Sampling: `random`",
    "grid_sampling": "Sampling: `grid`",
    "bayesian_sampling": "Sampling: `bayesian`",
    "objective": "Sweep: `objective`",
    "bandit": "Early termination: `bandit`",
    "median_stopping": "Early termination: `median_stopping`",
    "truncation_selection": "Early termination: `truncation_selection`",
    "sweep_limits": "Sweep: `limits`",
    "automl_job": "AutoML job",
    "automl_step": "Pipeline step of AutoML",
    "automl_limits": "AutoML: `limits`",
    "featurization": "AutoML: `featurization`",
    "column_transformer": "AutoML: parameters of a transformer",
    "automl_training": "AutoML: `training`",
    "stack_ensemble": "AutoML: `stack_ensemble_settings`",
    "forecasting": "AutoML: `forecasting`",
    "parallel_step": "Parallel step of a pipeline",
    "parallel_component_step": "Parallel step with a `component`",
    "parallel_component": "Parallel component",
    "parallel_task": "Parallel: `task`",
    "parallel_retry_settings": "Parallel: `retry_settings`",
    "command_component": "Command component",
    "component_input": "Input of a component",
    "component_output": "Output of a component",
    "job_input": "Input of a job or a step",
    "output": "Output of a job or a step",
    "environment": "Environment",
    "build_context": "Environment: `build`",
    "inference_config": "Environment: `inference_config`",
    "route": "Environment: a route of `inference_config`",
    "limits": "`limits`",
    "resources": "`resources`",
    "distribution": "`distribution`",
    "queue_settings": "`queue_settings`",
    "service": "`services`",
    "identity": "`identity`",
    "auto_delete_setting": "`auto_delete_setting`",
    "data": "Data asset",
    "model": "Model",
    "deployment_template": "Model: a deployment template",
    "online_endpoint": "Online endpoint",
    "endpoint_identity": "Endpoint: `identity`",
    "online_deployment": "Online deployment",
    "code_configuration": "Deployment: `code_configuration`",
    "scale_settings": "Online deployment: `scale_settings`",
    "request_settings": "Online deployment: `request_settings`",
    "probe": "Online deployment: `liveness_probe`, `readiness_probe`",
    "data_collector": "Online deployment: `data_collector`",
    "deployment_collection": "Data collector: a collection",
    "collection_data": "Data collector: `data` of a collection",
    "request_logging": "Data collector: `request_logging`",
    "batch_endpoint": "Batch endpoint",
    "batch_defaults": "Batch endpoint: `defaults`",
    "model_batch_deployment": "Batch deployment of a model",
    "batch_settings": "Batch deployment of a model: `settings`",
    "retry_settings": "Batch deployment of a model: `retry_settings`",
    "batch_deployment": "Batch deployment of a model, before there was `type`",
    "pipeline_batch_deployment": "Batch deployment of a pipeline",
    "deployment_settings": "Batch deployment of a pipeline: `settings`",
    "pipeline_node": "Batch deployment of a pipeline: `job_definition`",
    "pipeline_component": "Pipeline component",
    "schedule": "Schedule",
    "cron_trigger": "Schedule: a `trigger` of cron",
    "recurrence_trigger": "Schedule: a `trigger` of recurrence",
    "recurrence_pattern": "Schedule: `schedule` of a recurrence",
    "pipeline_create_job": "Schedule: `create_job` of a pipeline",
    "command_create_job": "Schedule: `create_job` of a command",
    "monitor": "Monitor: `create_monitor`",
    "spark_compute": "Monitor: `compute`",
    "monitoring_target": "Monitor: `monitoring_target`",
    "alert_notification": "Monitor: `alert_notification`",
    "data_drift_signal": "Monitor: a signal of `data_drift`",
    "data_quality_signal": "Monitor: a signal of `data_quality`",
    "prediction_drift_signal": "Monitor: a signal of `prediction_drift`",
    "feature_attribution_drift_signal": "Monitor: a signal of `feature_attribution_drift`",
    "model_performance_signal": "Monitor: a signal of `model_performance`",
    "custom_signal": "Monitor: a signal of `custom`",
    "production_data": "Monitor: `production_data`",
    "attribution_production_data": "Monitor: `production_data` of `feature_attribution_drift`",
    "reference_data": "Monitor: `reference_data`, and `input_data` of `custom`",
    "data_window": "Monitor: `data_window`",
    "data_segment": "Monitor: `data_segment`",
    "feature_filter": "Monitor: `features` by importance",
    "drift_thresholds": "Monitor: `metric_thresholds` of drift",
    "numerical_drift_metrics": "Monitor: `numerical` of drift",
    "categorical_drift_metrics": "Monitor: `categorical` of drift",
    "quality_thresholds": "Monitor: `metric_thresholds` of `data_quality`",
    "quality_metrics": "Monitor: `numerical`, `categorical` of `data_quality`",
    "attribution_thresholds": "Monitor: `metric_thresholds` of `feature_attribution_drift`",
    "performance_thresholds": "Monitor: `metric_thresholds` of `model_performance`",
    "classification_metrics": "Monitor: `classification` of `model_performance`",
    "regression_metrics": "Monitor: `regression` of `model_performance`",
    "custom_threshold": "Monitor: a threshold of `custom`",
    "connection": "Monitor: `connection` of `custom`",
    "signal_type": "Types of signals",
    "job_type": "Types of jobs",
    "step_type": "Types of steps",
    "rai_tabular_insight_constructor": "Responsible AI: `rai_tabular_insight_constructor`",
    "rai_tabular_explanation": "Responsible AI: `rai_tabular_explanation`",
    "rai_tabular_causal": "Responsible AI: `rai_tabular_causal`",
    "rai_tabular_counterfactual": "Responsible AI: `rai_tabular_counterfactual`",
    "rai_tabular_erroranalysis": "Responsible AI: `rai_tabular_erroranalysis`",
    "rai_tabular_insight_gather": "Responsible AI: `rai_tabular_insight_gather`",
    "rai_tabular_score_card": "Responsible AI: `rai_tabular_score_card`",
}

_INTRODUCTION = """\
# Fidelity

What the local target does with every field of the files that it takes. No field is ignored in
silence: what is not *honoured* is *approximated* as said here (and, of environments, in each job's
record), *warned* of when a job uses it, or *refused* before it runs. The azure target sends every
field to Azure as it is.

This page is written by `python -m amlocal.spec.fidelity` from `src/amlocal/spec/fields.csv`. A
test compares the ledger with the SDK's own schemas, so that a field which a new SDK brings is not
missed.
"""


def page() -> str:
    """Return the page as Markdown."""
    schemas = ledger()
    counts = Counter(row.status for rows in schemas.values() for row in rows.values())
    summary = ", ".join(f"{counts[status]} {status.value}" for status in Status)
    parts = [_INTRODUCTION, f"In all: {summary}.\n"]
    parts += [_section(_TITLES[name], list(rows.values())) for name, rows in schemas.items()]
    return "\n".join(parts)


def _section(title: str, rows: list[Field]) -> str:
    lines = [
        f"## {title}",
        "",
        "| field | status | what happens | proved by |",
        "| --- | --- | --- | --- |",
    ]
    for row in rows:
        test = f"`{row.test}`" if row.test else ""
        note = row.note.replace("|", "\\|")
        name = "any other" if row.name == "*" else f"`{row.name}`"
        lines.append(f"| {name} | {row.status.value} | {note} | {test} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
