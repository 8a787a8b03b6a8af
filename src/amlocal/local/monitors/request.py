"""What is asked of `monitorkit`, from a monitor's plan and what is known of its deployment.

Where data lies is not known yet: a place in the request is the name of an input of the monitor's
step (`Place`), which is bound as that of any step, so that its content is in the lineage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from amlocal.errors import NotFoundError, UsageError
from amlocal.local.environments import EnvironmentChoice
from amlocal.local.monitors.facts import Deployed, Facts, MonitoredModel, Origin
from amlocal.plan import DataValue, MonitorData, Monitoring, MonitorSignal
from amlocal.plan.monitor import COLLECTED, TRAINED_ON

INPUTS, OUTPUTS = COLLECTED
TRUTH = "ground_truth"
#: The input that is the monitored model.
MODEL = "model"
#: A column of predictions where nothing names one.
_PREDICTION = "prediction"
_LIKELY = (_PREDICTION, "predictions", "predicted", "label")
#: Fields of `monitorkit.request.Data`, by the role of a column.
_ROLES = {
    "target_column": "target_column",
    _PREDICTION: "prediction_column",
    "correlation_id": "correlation_id_column",
    "timestamp": "timestamp_column",
}
_OF_FEATURES = ("data_drift", "data_quality", "feature_attribution_drift")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an input of the step is.

    Attributes:
        input: The input.
    """

    input: str


@dataclass(frozen=True, slots=True)
class Scored:
    """The file that keeps the rows of an input with what the model says of them.

    Attributes:
        input: The input.
        column: The column of predictions.
    """

    input: str
    column: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        document: As `monitorkit.request` reads it, with `Place` and `Scored` in it.
        inputs: The step's inputs, but for those that other steps of its job give it.
        awaited: Those of them that come later, such as the truth: they may not be there yet.
        model: The model, or None.
        environment: What the model is to be asked in; None is this interpreter.
        errors: Of the signals that cannot be asked for. The document names them as `failed`.
    """

    document: Mapping[str, Any]
    inputs: Mapping[str, DataValue]
    awaited: frozenset[str] = frozenset()
    model: MonitoredModel | None = None
    environment: EnvironmentChoice | None = None
    errors: Sequence[UsageError] = ()


def ask(monitoring: Monitoring, facts: Facts) -> Asked:
    """Return what is asked in a monitor's run.

    Raises:
        NotFoundError: There is no such deployment or model.
        UsageError: No signal can be asked for: each lacks something that nothing tells, or needs
            what the model was made of, and that is not known.
    """
    return _Asker(monitoring, facts).asked()


def filled(said: Any, places: Mapping[str, str], scored: Mapping[Scored, str]) -> Any:
    """Return a request with paths where it names inputs.

    Args:
        said: A request, or a part of one.
        places: Where each input is.
        scored: Where predictions are kept.
    """
    if isinstance(said, Place):
        return places[said.input]
    if isinstance(said, Scored):
        return scored[said]
    if isinstance(said, Mapping):
        return {name: filled(value, places, scored) for name, value in said.items()}
    if isinstance(said, (list, tuple)):
        return [filled(value, places, scored) for value in said]
    return said


@dataclass
class _Asker:
    """Gathers what is asked, signal by signal."""

    monitoring: Monitoring
    facts: Facts
    inputs: dict[str, DataValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        monitor = self.monitoring.monitor
        self.deployed: Deployed | None = None
        self.model: MonitoredModel | None = None
        self._origin: Origin | None = None
        self._awaited: set[str] = set()
        if monitor.endpoint_name:
            self.deployed = self.facts.deployed(monitor.endpoint_name, monitor.deployment_name)
            self.model = self.deployed.model
        elif monitor.model:
            self.model = self.facts.model(monitor.model)

    def asked(self) -> Asked:
        signals: list[dict[str, Any]] = []
        failed: list[dict[str, str]] = []
        errors: list[UsageError] = []
        for signal in self.monitoring.monitor.signals:
            asked = self._tried(signal)
            if isinstance(asked, UsageError):
                told = f"{asked}\n  -> {asked.hint}" if asked.hint else str(asked)
                failed.append({"name": signal.name, "type": signal.type, "error": told})
                errors.append(asked)
            else:
                signals.append(asked)
        if not signals:
            raise errors[0]
        document = {
            "name": self.monitoring.name,
            "now": self.monitoring.now,
            "signals": signals,
            "failed": failed,
        }
        awaits = frozenset(self._awaited)
        environment = self.deployed.environment if self.deployed is not None else None
        return Asked(document, self.inputs, awaits, self.model, environment, tuple(errors))

    def _tried(self, signal: MonitorSignal) -> dict[str, Any] | UsageError:
        """Ask for a signal; what one would have needed that cannot be asked for is not bound."""
        inputs, awaited = dict(self.inputs), set(self._awaited)
        try:
            return self._signal(signal)
        except UsageError as error:
            self.inputs, self._awaited = inputs, awaited
            return error

    def _signal(self, signal: MonitorSignal) -> dict[str, Any]:
        thresholds = [
            {"metric": each.metric, "feature_type": each.feature_type, "threshold": each.threshold}
            for each in signal.thresholds
        ]
        asked: dict[str, Any] = {"name": signal.name, "type": signal.type, "thresholds": thresholds}
        if signal.type == "custom":
            path = Place(self.monitoring.prepared[f"{signal.name}/metrics"])
            return {**asked, "production": {"path": path}}
        if signal.type == "model_performance":
            return {**asked, **self._performance(signal)}
        asked["feature_types"] = signal.feature_types
        asked["features"] = signal.features
        asked["top_n_feature_importance"] = signal.top_n_feature_importance
        if signal.features is None and signal.type in _OF_FEATURES:
            asked["among"] = self._features()
        if signal.type == "feature_attribution_drift":
            return {**asked, **self._attribution(signal)}
        production = self._one(signal, INPUTS if signal.type in _OF_FEATURES else OUTPUTS)
        found = self._data(signal, production, "production")
        if signal.type == "prediction_drift":
            found |= self._prediction(production)
            reference = self._predicted(signal, found.get("prediction_column"))
        else:
            reference = self._reference(signal)
        parts = {"production": found, "reference": reference}
        return {**asked, **{role: {**part, **_segment(signal)} for role, part in parts.items()}}

    def _features(self) -> list[str] | None:
        """Return the columns that may be features: the model's, but for those that are redacted.

        A table that a model was made of has others, which nobody sends: a weight, a time.
        """
        features = self.model.features if self.model is not None else ()
        redacted = self.deployed.redacted if self.deployed is not None else ()
        if redacted and not features:
            features = self.facts.columns(self._collected(INPUTS))
        return [name for name in features if name not in redacted] or None

    def _attribution(self, signal: MonitorSignal) -> dict[str, Any]:
        """Ask with predictions of both sides: beside the inputs, or of the same table."""
        by_context = {each.context: each for each in signal.production}
        outputs = by_context.get(OUTPUTS)
        inputs = by_context.get(INPUTS) or signal.production[0]
        found = self._data(signal, inputs, "production")
        if outputs is None or outputs is inputs:
            reference = self._predicted(signal, found.get("prediction_column"))
            return {"production": found, "reference": reference}
        said = self._data(signal, outputs, "outputs") | self._prediction(outputs)
        reference = self._predicted(signal, said.get("prediction_column"))
        return {"production": found, "outputs": said, "reference": reference}

    def _performance(self, signal: MonitorSignal) -> dict[str, Any]:
        given = [*signal.production, *([signal.reference] if signal.reference else [])]
        truth = next((each for each in given if each.context == TRUTH), None)
        production = self._one(signal, OUTPUTS)
        found = self._data(signal, production, "production")
        found |= self._prediction(production)
        asked: dict[str, Any] = {"production": found}
        if truth is not None:
            asked["ground_truth"] = self._data(signal, truth, TRUTH)
            self._awaited |= {asked["ground_truth"]["path"].input} & self.inputs.keys()
            target = truth.columns.get("target_column") or self._target()
            if not target:
                raise UsageError(
                    f"signal {signal.name!r}: which column of the ground truth is the truth?",
                    hint="give data_column_names.target_column",
                )
            asked["ground_truth"]["target_column"] = target
        if signal.segment_feature:
            asked |= self._performance_of_segment(signal, production, found)
        if not signal.thresholds or any(each.threshold is None for each in signal.thresholds):
            prediction = found.get("prediction_column")
            asked["reference"] = {**self._judged(signal, prediction), **_segment(signal)}
        return asked

    def _performance_of_segment(
        self, signal: MonitorSignal, production: MonitorData, found: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Say where the segment's feature is: beside the predictions, or in the model's inputs."""
        if production.data is not None or production.pre_processing:
            return {"production": {**found, **_segment(signal)}}
        inputs = MonitorData(context=INPUTS, window=production.window)
        return {"segment": {**self._data(signal, inputs, "segment"), **_segment(signal)}}

    def _judged(self, signal: MonitorSignal, prediction: str | None) -> dict[str, Any]:
        """Ask for what the model's present performance is compared with."""
        given = signal.reference
        if given is not None and given.context != TRUTH and not _is_collected(given):
            return self._with_predictions(signal, given, prediction)
        # The rows that tell best how it was before: those that it was not made of. Of what was
        # collected before nobody may know the truth.
        known = self._made_of(signal).data
        context = next((each for each in ("test", "validation") if each in known), "training")
        chosen = MonitorData(context=context)
        return self._with_predictions(signal, chosen, prediction)

    def _one(self, signal: MonitorSignal, context: str) -> MonitorData:
        """Return the production data of a signal that is of one."""
        others = [each for each in signal.production if each.context != TRUTH]
        return others[0] if others else MonitorData(context=context)

    def _reference(self, signal: MonitorSignal) -> dict[str, Any]:
        given = signal.reference
        assert given is not None, "the plan of every such signal has a reference"
        return self._data(signal, given, "reference") | self._named_target(given)

    def _predicted(self, signal: MonitorSignal, prediction: str | None) -> dict[str, Any]:
        given = signal.reference
        assert given is not None, "the plan of every such signal has a reference"
        if signal.type == "feature_attribution_drift" and _is_collected(given):
            # As Azure demands of such a signal: what was collected has inputs alone.
            given = MonitorData(context="training")
        return self._with_predictions(signal, given, prediction)

    def _with_predictions(
        self, signal: MonitorSignal, given: MonitorData, prediction: str | None
    ) -> dict[str, Any]:
        """Ask for reference data with predictions: its own, else those of the model.

        Without either it is compared with the truth.
        """
        found = self._data(signal, given, "reference") | self._named_target(given)
        own = given.columns.get(_PREDICTION)
        if _is_collected(given):
            return {**found, "prediction_column": own or prediction}
        if own or self.model is None or not self.model.predicts or given.pre_processing:
            return {**found, "prediction_column": own}
        column = prediction or _PREDICTION
        self.inputs[MODEL] = DataValue(path=self.model.path, type="mlflow_model")
        scored = Scored(found["path"].input, column)
        return {**found, "prediction_column": column, "model": Place(MODEL), "scored": scored}

    def _named_target(self, given: MonitorData) -> dict[str, Any]:
        """Return the column of the truth in a table; what was collected has none."""
        if _is_collected(given):
            return {}
        target = given.columns.get("target_column") or self._target()
        return {"target_column": target} if target else {}

    def _target(self) -> str:
        if self.model is None:
            return ""
        return self.model.target or (self._origin.target if self._origin is not None else "")

    def _prediction(self, given: MonitorData) -> dict[str, Any]:
        """Return the column of predictions in what a model said."""
        named = given.columns.get(_PREDICTION)
        if named:
            return {"prediction_column": named}
        if given.pre_processing or (given.data is not None and given.context != OUTPUTS):
            return {}
        address = given.data.path if given.data is not None else self._collected(OUTPUTS)
        columns = self.facts.columns(address)
        if len(columns) <= 1:
            return {"prediction_column": columns[0] if columns else _PREDICTION}
        likely = [each for each in (self._target(), *_LIKELY) if each in columns]
        if not likely:
            raise UsageError(
                f"which of these columns is the prediction: {', '.join(columns)}?",
                hint="give production_data.data_column_names.prediction",
            )
        return {"prediction_column": likely[0]}

    def _data(self, signal: MonitorSignal, given: MonitorData, role: str) -> dict[str, Any]:
        """Ask for data; what another step has made of it is of its window already."""
        columns = {_ROLES[each]: name for each, name in given.columns.items() if each in _ROLES}
        prepared = self.monitoring.prepared.get(f"{signal.name}/{role}")
        if prepared is not None:
            return {"path": Place(prepared), **columns}
        window = given.window
        asked = {
            "path": Place(self._bound(self._value(signal, given), given.context or role)),
            **columns,
            "window_size": window.size,
            "window_start": window.start,
            "window_end": window.end,
        }
        return {**asked, "window_offset": window.offset} if window.offset else asked

    def _value(self, signal: MonitorSignal, given: MonitorData) -> DataValue:
        if given.data is not None:
            return given.data
        if given.context in COLLECTED:
            return DataValue(path=self._collected(given.context))
        if given.context not in TRAINED_ON:
            raise UsageError(
                f"signal {signal.name!r}: where is the data?", hint="give its input_data"
            )
        known = self._made_of(signal).data
        if given.context not in known:
            raise NotFoundError(
                f"signal {signal.name!r}: the job {self._made_of(signal).job}, which trained the "
                f"model, had no {given.context} data",
                hint=f"give reference_data.input_data; it had: {', '.join(known) or 'none'}",
            )
        return known[given.context]

    def _collected(self, collection: str) -> str:
        name = self.monitoring.name
        if self.deployed is None:
            raise UsageError(
                f"the monitor {name} names no deployment that collects {collection}",
                hint="give monitoring_target.endpoint_deployment_id, or input_data",
            )
        if collection not in self.deployed.collections:
            raise UsageError(
                f"deployment {self.deployed.name!r} of endpoint {self.deployed.endpoint!r} does "
                f"not collect {collection}",
                hint=f"in its file: data_collector.collections.{collection}.enabled: true",
            )
        return self.deployed.collections[collection]

    def _made_of(self, signal: MonitorSignal) -> Origin:
        if self.model is None:
            raise UsageError(
                f"signal {signal.name!r}: no model is known whose data it could be compared with",
                hint="give reference_data.input_data",
            )
        if self._origin is None:
            self._origin = self.facts.origin(self.model)
        return self._origin

    def _bound(self, value: DataValue, wanted: str) -> str:
        """Return the input that is some data, a new one where there is none."""
        name, number = wanted, 1
        taken: Sequence[str] = tuple(self.monitoring.prepared.values())
        while name in taken or self.inputs.get(name, value) != value:
            number += 1
            name = f"{wanted}_{number}"
        self.inputs[name] = value
        return name


def _is_collected(given: MonitorData) -> bool:
    """Return whether data is what the deployment collects."""
    return given.data is None and given.context in COLLECTED


def _segment(signal: MonitorSignal) -> dict[str, Any]:
    if not signal.segment_feature:
        return {}
    return {"segment_column": signal.segment_feature, "segment_values": signal.segment_values}
