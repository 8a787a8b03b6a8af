"""The job of a monitor's slot, of what its schedule says: pure.

It is one step that runs `monitorkit`; where signals name components, a pipeline, in which those run
before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from amlocal.errors import UsageError, near_miss
from amlocal.local.monitors.facts import collection
from amlocal.plan import (
    Binding,
    Component,
    CreateMonitor,
    DataValue,
    Input,
    Job,
    LiteralValue,
    MonitorData,
    Monitoring,
    MonitorSignal,
    MonitorWindow,
    Output,
    Settings,
    Step,
    StepOutput,
)
from amlocal.plan.durations import duration_seconds
from amlocal.plan.monitor import COLLECTED

#: The step, and its output.
STEP, REPORT = "monitor", "report"
#: The folder of the cache that keeps what models say of references.
PREDICTIONS = "predictions"
#: Tags of a monitor's job and runs.
MONITOR_TAG, SLOT_TAG = "monitor", "slot"
ENDPOINT_TAG, DEPLOYMENT_TAG, MODEL_TAG = "endpoint", "deployment", "model"
# What Azure's components of monitors are given and give, by its documentation ("Monitor model
# performance in production", custom signals and preprocessing components).
_START, _END, _INPUT = "data_window_start", "data_window_end", "input_data"
_PREPARED, _METRICS = "preprocessed_input_data", "signal_metrics"
_THRESHOLD = "_threshold"


def component_references(monitor: CreateMonitor) -> list[str]:
    """Return the components that a monitor names."""
    found = []
    for signal in monitor.signals:
        found += [given.pre_processing for _, given in _given(signal) if given.pre_processing]
        found += [signal.component] if signal.component else []
    return list(dict.fromkeys(found))


def monitor_job(name: str, monitor: CreateMonitor, slot: str, source: str) -> Job:
    """Return the job of a monitor's slot.

    Args:
        name: The monitor's.
        monitor: What it does, with its components.
        slot: The slot, ISO 8601 in UTC.
        source: The file of its schedule.

    Raises:
        UsageError: A component cannot be given what its signal has.
    """
    before = _Before(monitor, slot)
    for signal in monitor.signals:
        before.add(signal)
    tags = {MONITOR_TAG: name, SLOT_TAG: slot}
    tags |= {ENDPOINT_TAG: monitor.endpoint_name} if monitor.endpoint_name else {}
    tags |= {DEPLOYMENT_TAG: monitor.deployment_name} if monitor.deployment_name else {}
    report = Output(type="uri_folder")
    step = Step(
        name=STEP,
        component=Component(
            command="",
            outputs={REPORT: report},
            inputs={each: Input() for each in before.inputs},
            is_deterministic=False,  # what was collected meanwhile counts
        ),
        inputs=dict(before.inputs),
        outputs={REPORT: report},
        tags=tags,
        monitor=Monitoring(name=name, now=slot, monitor=monitor, prepared=before.prepared),
    )
    return Job(
        type="pipeline" if before.steps else "command",
        steps=(*before.steps, step),
        experiment_name=name,
        description=f"a run of the monitor {name}",
        tags=tags,
        settings=Settings(continue_on_step_failure=False),
        source=source,
    )


class _Before:
    """The steps that run before a monitor's own, and what that takes of them."""

    def __init__(self, monitor: CreateMonitor, slot: str) -> None:
        self._monitor = monitor
        self._slot = datetime.fromisoformat(slot.replace("Z", "+00:00"))  # Python 3.10 reads no Z
        self.steps: list[Step] = []
        self.inputs: dict[str, Binding] = {}
        self.prepared: dict[str, str] = {}

    def add(self, signal: MonitorSignal) -> None:
        """Add what a signal names."""
        made = {
            role: self._prepare(signal, role, given)
            for role, given in _given(signal)
            if given.pre_processing
        }
        if signal.type != "custom":
            for role, binding in made.items():
                self._take(signal, role, binding)
            return
        offered: dict[str, Binding] = {}
        for role, given in signal.input_data.items():
            offered[role] = made.get(role) or self._data(signal, given)
        offered |= signal.inputs
        for each in signal.thresholds:
            if each.threshold is not None:
                offered[f"{each.metric}{_THRESHOLD}"] = LiteralValue(value=each.threshold)
        windows = [given.window for given in signal.input_data.values()]
        offered |= self._moments(windows[0] if windows else MonitorWindow())
        step = self._step(signal.component, f"compute_{signal.name}", offered)
        step = msgspec.structs.replace(step, environment_variables=signal.environment_variables)
        self.steps.append(step)
        self._take(signal, "metrics", _output(step, _METRICS))

    def _take(self, signal: MonitorSignal, role: str, binding: StepOutput) -> None:
        name = _word(f"{signal.name}_{role}")
        self.inputs[name] = binding
        self.prepared[f"{signal.name}/{role}"] = name

    def _prepare(self, signal: MonitorSignal, role: str, given: MonitorData) -> StepOutput:
        offered = {_INPUT: self._data(signal, given), **self._moments(given.window)}
        step = self._step(given.pre_processing, f"prepare_{signal.name}_{role}", offered)
        self.steps.append(step)
        return _output(step, _PREPARED)

    def _data(self, signal: MonitorSignal, given: MonitorData) -> DataValue:
        if given.data is not None:
            return given.data
        if given.context in COLLECTED and self._monitor.endpoint_name:
            monitor = self._monitor
            place = collection(monitor.endpoint_name, monitor.deployment_name, given.context)
            return DataValue(path=place)
        raise UsageError(
            f"signal {signal.name!r}: a component is given data that is named",
            hint="give its input_data",
        )

    def _moments(self, window: MonitorWindow) -> dict[str, Binding]:
        """Return the beginning and the end of a window, as components are told of them."""
        begin, end = window.start or "1970-01-01T00:00:00Z", window.end or _text(self._slot)
        if window.size:
            last = self._slot - _span(window.offset or "P0D")
            begin, end = _text(last - _span(window.size)), _text(last)
        return {_START: LiteralValue(value=begin), _END: LiteralValue(value=end)}

    def _step(self, reference: str, name: str, offered: dict[str, Binding]) -> Step:
        component = self._monitor.components[reference]
        missing = [
            each
            for each, declared in component.inputs.items()
            if each not in offered and not declared.optional and declared.default is None
        ]
        if missing:
            raise UsageError(
                f"the component {reference} needs the input {missing[0]!r}, which no monitor gives",
                hint=near_miss(missing[0], offered),
            )
        return Step(
            name=_word(name),
            component=component,
            inputs={each: offered[each] for each in component.inputs if each in offered},
            outputs=dict(component.outputs),
        )


def _output(step: Step, wanted: str) -> StepOutput:
    """Return what a step writes: the output that Azure names so, or its only one."""
    names = list(step.outputs)
    if wanted not in names and len(names) != 1:
        raise UsageError(
            f"the component of step {step.name} has no output {wanted!r}",
            hint=near_miss(wanted, names),
        )
    name = wanted if wanted in names else names[0]
    return StepOutput(step=step.name, output=name)


def _given(signal: MonitorSignal) -> Iterator[tuple[str, MonitorData]]:
    """Give the data of a signal, each with its role in a request."""
    if signal.type == "custom":
        yield from signal.input_data.items()
        return
    has_several = len([each for each in signal.production if each.context != "ground_truth"]) > 1
    for each in signal.production:
        if each.context == "ground_truth":
            yield "ground_truth", each
        else:
            is_outputs = has_several and each.context == "model_outputs"
            yield ("outputs" if is_outputs else "production"), each
    if signal.reference is not None:
        is_truth = signal.reference.context == "ground_truth"
        yield ("ground_truth" if is_truth else "reference"), signal.reference


def _span(text: str) -> timedelta:
    seconds = duration_seconds(text)
    if seconds is None:
        raise UsageError(f"{text!r} is no duration", hint="write it as P7D or PT12H")
    return timedelta(seconds=seconds)


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text)
