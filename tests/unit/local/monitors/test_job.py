"""The job of a monitor's slot."""

from __future__ import annotations

import pytest

from amlocal.errors import UsageError
from amlocal.local.monitors.job import component_references, monitor_job
from amlocal.plan import (
    Component,
    CreateMonitor,
    DataValue,
    Input,
    Job,
    LiteralValue,
    MonitorData,
    MonitorSignal,
    MonitorThreshold,
    MonitorWindow,
    Output,
    StepOutput,
)

SLOT = "2026-11-22T06:00:00Z"
WINDOW = MonitorWindow(size="P1DT12H", offset="PT6H")
COLLECTED = "azureml://datastores/workspaceblobstore/paths/modelDataCollector/e/d"


def component(output: str, **inputs: Input) -> Component:
    return Component(command="run", inputs=inputs, outputs={output: Output(type="mltable")})


TEXT, DATA = Input(type="string"), Input(type="mltable")
CLEAN = component(
    "preprocessed_input_data", data_window_start=TEXT, data_window_end=TEXT, input_data=DATA
)
SPREAD = component(
    "signal_metrics",
    production_data=DATA,
    other=DATA,
    spread_threshold=Input(type="number"),
    window=Input(type="string", optional=True),
)


def job_of(*signals: MonitorSignal, **components: Component) -> Job:
    monitor = CreateMonitor(
        signals=signals,
        endpoint_name="e",
        deployment_name="d",
        components={f"{name}:1": each for name, each in components.items()},
    )
    return monitor_job("watch", monitor, SLOT, "m.yml")


def drift(**production: object) -> MonitorSignal:
    given = MonitorData(context="model_inputs", window=WINDOW, **production)  # type: ignore[arg-type]
    return MonitorSignal(
        name="my drift",
        type="data_drift",
        production=(given,),
        reference=MonitorData(context="training"),
    )


def custom(**fields: object) -> MonitorSignal:
    given = MonitorData(data=DataValue(path="azureml:rows:1", type="mltable"), window=WINDOW)
    return MonitorSignal(
        name="mine",
        type="custom",
        component="spread:1",
        input_data={"production_data": given},
        inputs={"other": DataValue(path="/x")},
        thresholds=(MonitorThreshold(metric="spread", threshold=2.0),),
        environment_variables={"KEY": "value"},
        **fields,  # type: ignore[arg-type]
    )


def test_a_monitor_is_one_step() -> None:
    job = job_of(drift())
    (step,) = job.steps
    assert (job.type, job.experiment_name, job.source) == ("command", "watch", "m.yml")
    assert job.tags == {"monitor": "watch", "slot": SLOT, "endpoint": "e", "deployment": "d"}
    assert step.monitor is not None
    assert (step.monitor.name, step.monitor.now) == ("watch", SLOT)
    assert not step.component.is_deterministic
    assert Job.from_json(job.to_json()) == job


def test_a_component_makes_a_table_of_the_window() -> None:
    job = job_of(drift(pre_processing="clean:1"), clean=CLEAN)
    before, step = job.steps
    assert job.type == "pipeline"
    assert before.inputs == {
        "data_window_start": LiteralValue(value="2026-11-20T12:00:00Z"),
        "data_window_end": LiteralValue(value="2026-11-22T00:00:00Z"),
        "input_data": DataValue(path=f"{COLLECTED}/model_inputs"),
    }
    assert step.inputs == {
        "my_drift_production": StepOutput(step=before.name, output="preprocessed_input_data")
    }
    assert step.monitor is not None
    assert step.monitor.prepared == {"my drift/production": "my_drift_production"}


def test_a_custom_signal_is_computed_by_its_component() -> None:
    signal = custom()
    assert component_references(CreateMonitor(signals=(signal, drift()))) == ["spread:1"]
    compute, step = job_of(signal, spread=SPREAD).steps
    assert compute.inputs == {
        "production_data": DataValue(path="azureml:rows:1", type="mltable"),
        "other": DataValue(path="/x"),
        "spread_threshold": LiteralValue(value=2.0),
    }
    assert compute.environment_variables == {"KEY": "value"}
    assert step.inputs == {"mine_metrics": StepOutput(step=compute.name, output="signal_metrics")}


def test_what_a_component_needs_and_no_monitor_gives_is_named() -> None:
    wanting = component("signal_metrics", prodution_data=DATA)
    with pytest.raises(UsageError, match="needs the input 'prodution_data'") as error:
        job_of(custom(), spread=wanting)
    assert error.value.hint == "did you mean 'production_data'?"


def test_a_component_is_not_given_what_lineage_has_to_find() -> None:
    given = MonitorData(context="training", pre_processing="clean:1")
    signal = MonitorSignal(
        name="s",
        type="data_drift",
        production=(MonitorData(context="model_inputs", window=WINDOW),),
        reference=given,
    )
    with pytest.raises(UsageError, match="a component is given data that is named"):
        job_of(signal, clean=CLEAN)


def test_of_several_outputs_one_must_have_azures_name() -> None:
    two = Component(command="run", outputs={"a": Output(), "b": Output()})
    with pytest.raises(UsageError, match="has no output 'signal_metrics'"):
        job_of(custom(), spread=two)


def test_the_truth_and_predictions_are_prepared_in_their_roles() -> None:
    truth = MonitorData(data=DataValue(path="/t"), context="ground_truth", pre_processing="clean:1")
    outputs = MonitorData(context="model_outputs", window=WINDOW, pre_processing="clean:1")
    inputs = MonitorData(context="model_inputs", window=WINDOW)
    performance = MonitorSignal(
        name="p", type="model_performance", production=(outputs,), reference=truth
    )
    attributions = MonitorSignal(
        name="a",
        type="feature_attribution_drift",
        production=(inputs, outputs),
        reference=MonitorData(context="training"),
    )
    *_, step = job_of(performance, attributions, clean=CLEAN).steps
    assert step.monitor is not None
    assert set(step.monitor.prepared) == {"p/production", "p/ground_truth", "a/outputs"}
