"""What is wrong with a monitor, or does not count in it, is told with its place."""

from __future__ import annotations

import pytest
from tests.unit.spec.files import Write
from tests.unit.spec.test_monitors import HEAD, TARGET

from amlocal.errors import SpecError
from amlocal.spec import check_schedule_for_azure, load_schedule


def one(fields: str) -> str:
    """Return a monitor with a signal of data drift."""
    return f"  monitoring_signals: {{d: {{type: data_drift, {fields}}}}}\n"


def reference(window: str) -> str:
    data = "input_data: {type: uri_folder, path: 'azureml:a:1'}"
    return one(f"reference_data: {{{data}, data_window: {window}}}")


PERFORMANCE = """
  monitoring_signals:
    p:
      type: model_performance
      production_data: {}
      reference_data: %s
      metric_thresholds: %s
"""

PROBLEMS = {
    "a misspelt type": (
        "  monitoring_signals: {d: {type: data_drifts}}\n",
        "'create_monitor.monitoring_signals.d' cannot be of type 'data_drifts'; did you mean"
        " 'data_drift'?",
    ),
    "a misspelt field": (one("feature: [a]"), "no field named 'feature' in a data drift signal"),
    "a misspelt metric": (
        one("metric_thresholds: {numerical: {jenson_shannon_distance: 0.1}}"),
        "did you mean 'jensen_shannon_distance'?",
    ),
    "another group's metric": (
        one("metric_thresholds: {categorical: {normalized_wasserstein_distance: 0.1}}"),
        "no field named 'normalized_wasserstein_distance' in categorical drift metrics",
    ),
    "a threshold that is no number": (
        one("metric_thresholds: {numerical: {population_stability_index: high}}"),
        "must be a number, not 'high'",
    ),
    "no metric": (one("metric_thresholds: {numerical: {}}"), "'numerical' names no metric"),
    "a threshold of 0": (
        one("metric_thresholds: {numerical: {population_stability_index: 0}}"),
        "Azure's client drops a threshold of 0, as that of 'population_stability_index'",
    ),
    "features that are none": (one("features: age"), "write all_features, or a list: [age]"),
    "no feature": (
        one("features: {top_n_feature_importance: 0}"),
        "'top_n_feature_importance' must be from 1, not 0",
    ),
    "a type of feature": (
        one("feature_type_override: {zip: text}"),
        "feature_type_override.zip' cannot be 'text'",
    ),
    "a context that is none": (
        one("reference_data: {data_context: trainings}"),
        "cannot be 'trainings'; did you mean 'training'?",
    ),
    "neither data nor context": (
        one("reference_data: {data_column_names: {target_column: y}}"),
        "'reference_data' says neither its data nor what it is of; add input_data: with a path",
    ),
    "the truth without a path": (
        PERFORMANCE % ("{data_context: ground_truth}", "{}"),
        "the truth is nowhere collected; add input_data: with a path",
    ),
    "an old field of the target": (
        one("reference_data: {data_context: training, target_column_name: y}"),
        "write `data_column_names: {target_column: NAME}`",
    ),
    "the documentation's thresholds": (
        PERFORMANCE % ("{data_context: test}", "{tabular_classification: {accuracy: 0.9}}"),
        "did you mean 'classification'?",
    ),
    "a file that is not there": (
        one("reference_data: {input_data: {type: uri_file, path: ./nowhere.csv}}"),
        "the data 'nowhere.csv' is not there",
    ),
    "an old field of the window": (
        reference("{data_window_size: P7D}"),
        "no field named 'data_window_size' in a data window",
    ),
    "a window of production with days": (
        one(
            'production_data: {data_window: {window_start: "2026-01-01", window_end: "2026-01-02"}}'
        ),
        "a window of production is lookback_window_size and lookback_window_offset",
    ),
    "a window with everything": (
        reference(
            '{window_start: "2026-01-01", window_end: "2026-01-02", lookback_window_size: P1D}'
        ),
        "a window has either a size or a start and an end",
    ),
    "half a window": (
        reference('{window_start: "2026-01-01"}'),
        "a static window has a start and an end",
    ),
    "a day that is none": (
        reference('{window_start: "2026-01-01T00:00:00", window_end: "2026-02-01"}'),
        "'window_start' '2026-01-01T00:00:00' is no day",
    ),
    "a window backwards": (
        reference('{window_start: "2026-03-01", window_end: "2026-02-01"}'),
        "the window ends before it starts",
    ),
    "a size that is none": (
        reference("{lookback_window_size: 7 days}"),
        "'lookback_window_size' '7 days' is no duration of weeks, days, and times; write it as P7D",
    ),
    "an empty window": (
        reference("{lookback_window_size: P0D}"),
        "a window of the size 'P0D' is empty",
    ),
    "an offset alone": (
        reference("{lookback_window_offset: P1D}"),
        "an offset without a size is dropped by Azure's client",
    ),
    "a deployment that is none": (
        "  monitoring_target: {endpoint_deployment_id: adult}\n",
        "'adult' names none; write azureml:ENDPOINT:DEPLOYMENT",
    ),
    "two targets": (
        "  monitoring_target: {endpoint_deployment_id: 'a:b', model_id: 'azureml:m:1'}\n",
        "the monitoring target is a deployment and a model",
    ),
    "nothing to look at": (
        "  monitoring_target: {ml_task: regression}\n",
        "the monitor has neither signals nor a deployment",
    ),
    "no deployment that collects": (
        "  monitoring_target: {ml_task: regression}\n" + one("alert_enabled: true"),
        "signal 'd' needs production_data, since no deployment is monitored",
    ),
    "another alert": (
        "  alert_notification: mail\n",
        "cannot be 'mail'; write azmonitoring, or emails: below it",
    ),
    "no thresholds": (
        "  monitoring_signals: {p: {type: prediction_drift}}\n",
        "lacks the field 'metric_thresholds'",
    ),
    "an old Spark": (
        "  compute: {instance_type: x, runtime_version: '3.2'}\n",
        "runtime_version' cannot be '3.2'",
    ),
}


@pytest.mark.parametrize(("said", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems_are_told_with_their_place(write: Write, said: str, expected: str) -> None:
    target = "" if "monitoring_target" in said else TARGET
    head = HEAD.replace(HEAD.splitlines()[-1] + "\n", "") if "compute" in said else HEAD
    file = write(watch=head + target + said)
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert expected in str(error.value)
    assert all(problem.line for problem in error.value.problems)
    with pytest.raises(SpecError):
        check_schedule_for_azure(file, (), None)


def test_all_problems_are_told_at_once(write: Write) -> None:
    file = write(
        w=HEAD + TARGET + "  monitoring_signals:\n    d:\n      type: data_drift\n"
        "      features: age\n      alert_enabled: maybe\n    q:\n      type: data_quality\n"
        "      metric_thresholds: {numerical: {null_rate: 1}}\n"
    )
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert [line.split(":")[1] for line in str(error.value).splitlines()] == ["10", "11", "14"]


LOCALLY = {
    "language models": "{type: generation_safety_quality, metric_thresholds: {}}",
    "tokens": "{type: Generation_Token_Statistics}",
    "secrets": "{type: custom, component_id: 'azureml:c:1', metric_thresholds: [], input_data:"
    " {a: {data_context: training}}, connection: {secret_config: {a: b}}}",
    "months": "{type: data_drift, production_data: {data_window: {lookback_window_size: P1M}}}",
}


@pytest.mark.parametrize("signal", LOCALLY.values(), ids=LOCALLY)
def test_what_only_azure_does_is_left_to_its_client(write: Write, signal: str) -> None:
    file = write(w=f"{HEAD}{TARGET}  monitoring_signals: {{s: {signal}}}\n")
    with pytest.raises(SpecError) as error:
        load_schedule(file)
    assert {problem.target for problem in error.value.problems} == {"local"}
    check_schedule_for_azure(file, (), None)


def test_a_job_and_a_monitor_are_two_schedules(write: Write) -> None:
    with pytest.raises(SpecError, match="starts a job and a monitor; make two schedules of it"):
        load_schedule(write(w=f"{HEAD}{TARGET}create_job: azureml:x\n"))


def test_what_azures_client_drops_is_warned_of(write: Write) -> None:
    thresholds = (
        "{numerical: {two_sample_kolmogorov_smirnov_test: 0.1, population_stability_index: 0.2},"
        " threshold: 0.3, data_type: numerical}"
    )
    data = "{data_context: training, data_column_names: {targetcolumn: y}}"
    said = one(f"metric_thresholds: {thresholds}, reference_data: {data}")
    schedule = load_schedule(write(w=HEAD + TARGET + said))
    warned = {each.field: each.message for each in schedule.warnings}
    assert set(warned) == {
        "drift_thresholds.threshold",
        "drift_thresholds.data_type",
        "data_column_names.targetcolumn",
        "metric_thresholds.numerical",
    }
    assert "population_stability_index" in warned["metric_thresholds.numerical"]
    assert "did you mean 'target_column'" in warned["data_column_names.targetcolumn"]
