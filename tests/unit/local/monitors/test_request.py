"""What is asked of monitorkit, from a plan and a workspace that is made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from amlocal.errors import NotFoundError, UsageError, not_found
from amlocal.local.monitors.facts import Deployed, MonitoredModel, Origin, collection
from amlocal.local.monitors.request import Place, Scored, ask, filled
from amlocal.plan import (
    CreateMonitor,
    DataValue,
    MonitorData,
    Monitoring,
    MonitorSignal,
    MonitorThreshold,
    MonitorWindow,
)
from monitorkit.request import FailedSignal, Request, request_of

NOW = "2026-11-22T00:00:00Z"
WEEK = MonitorWindow(size="P7D", offset="P0D")
BEFORE = MonitorWindow(size="P14D", offset="P7D")
TRAINING, TEST = DataValue(path="/trees/train"), DataValue(path="/trees/test")
MODEL = MonitoredModel("adult:3", "/model", ("age", "job", "sex"), "income", ("r1",), predicts=True)
INPUTS, OUTPUTS = (collection("adult", "blue", f"model_{each}") for each in ("inputs", "outputs"))


@dataclass
class MadeUp:
    """`Facts` of no workspace."""

    model_served: MonitoredModel | None = MODEL
    collections: Sequence[str] = ("model_inputs", "model_outputs")
    redacted: tuple[str, ...] = ()
    made_of: Origin = field(
        default_factory=lambda: Origin("train", {"training": TRAINING, "test": TEST}, "income")
    )
    collected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def deployed(self, endpoint: str, deployment: str) -> Deployed:
        if (endpoint, deployment) != ("adult", "blue"):
            raise not_found("deployment", deployment, ["blue"])
        found = {each: collection(endpoint, deployment, each) for each in self.collections}
        return Deployed(endpoint, deployment, found, self.model_served, self.redacted)

    def model(self, reference: str) -> MonitoredModel:
        return replace(MODEL, label=reference)

    def origin(self, model: MonitoredModel) -> Origin:
        if not model.run_ids:
            raise NotFoundError(f"nobody knows who trained {model.label}")
        return self.made_of

    def columns(self, address: str) -> tuple[str, ...]:
        return self.collected.get(address, ())


def collected(kind: str, window: MonitorWindow = WEEK, **fields: Any) -> MonitorData:
    return MonitorData(context=f"model_{kind}", window=window, **fields)


def signal(kind: str, **fields: Any) -> MonitorSignal:
    """A signal as the compiler fills it in."""
    what = "inputs" if kind in {"data_drift", "data_quality"} else "outputs"
    given = {"production": (collected(what),), "reference": collected(what, BEFORE)}
    return MonitorSignal(**{"name": kind, "type": kind, **given, **fields})


def asked(
    *signals: MonitorSignal, facts: MadeUp | None = None, **fields: Any
) -> tuple[Request, dict[str, str]]:
    """Return the request as monitorkit reads it, its paths those of the inputs, and the inputs."""
    target = {"endpoint_name": "adult", "deployment_name": "blue"}
    monitor = CreateMonitor(signals=signals, **{**target, **fields})
    found = ask(Monitoring(name="m", now=NOW, monitor=monitor), facts or MadeUp())
    inputs = {name: value.path for name, value in found.inputs.items()}
    scored = Kept()
    return request_of(filled(found.document, inputs, scored)), inputs


class Kept(dict[Scored, str]):
    def __missing__(self, scored: Scored) -> str:
        return f"/cache/{scored.input}.{scored.column}"


def test_what_is_collected_is_compared_with_what_was_collected_before() -> None:
    request, inputs = asked(signal("data_drift"), signal("data_quality"))
    assert inputs == {"model_inputs": INPUTS}
    for found in request.signals:
        assert found.reference is not None
        windows = [data.window(request.now) for data in (found.production, found.reference)]
        assert [(w.end - w.begin).days for w in windows if w.begin and w.end] == [7, 14]
        assert windows[1].end == windows[0].begin
        assert found.among == ("age", "job", "sex")


def test_a_reference_by_context_is_what_the_model_was_made_of() -> None:
    drift = signal("data_drift", reference=MonitorData(context="training"))
    request, inputs = asked(drift, facts=MadeUp(redacted=("sex",)))
    assert inputs == {"model_inputs": INPUTS, "training": "/trees/train"}
    (found,) = request.signals
    assert found.reference is not None
    assert (found.reference.path, found.reference.target_column) == ("/trees/train", "income")
    assert found.reference.window(request.now).is_all
    # Of redacted columns nothing is collected; others than the model's are not sent.
    assert found.among == ("age", "job")


def test_columns_that_are_redacted_are_left_out_where_no_model_says_its_own() -> None:
    facts = MadeUp(None, redacted=("sex",), collected={INPUTS: ("age", "sex")})
    request, _ = asked(signal("data_drift"), facts=facts)
    assert request.signals[0].among == ("age",)


def test_features_that_are_named_are_the_features() -> None:
    request, _ = asked(signal("data_drift", features=("age",), feature_types={"age": "numerical"}))
    (found,) = request.signals
    assert (found.features, found.among) == (("age",), None)
    assert found.feature_types == {"age": "numerical"}


def test_given_data_is_read_with_its_columns_and_windows() -> None:
    window = MonitorWindow(start="2026-01-01", end="2026-02-01")
    given = MonitorData(
        data=DataValue(path="azureml:rows:1", type="mltable"),
        context="test",
        columns={"target_column": "y", "timestamp": "at", "correlation_id": "id"},
        window=window,
    )
    thresholds = (
        MonitorThreshold(metric="jensen_shannon_distance", feature_type="numerical", threshold=0.2),
    )
    drift = signal("data_drift", reference=given, thresholds=thresholds)
    request, inputs = asked(drift)
    assert inputs["test"] == "azureml:rows:1"
    reference = request.signals[0].reference
    assert reference is not None
    assert (reference.target_column, reference.timestamp_column) == ("y", "at")
    assert (reference.correlation_id_column, reference.window_start) == ("id", "2026-01-01")
    assert request.signals[0].thresholds[0].threshold == 0.2


def test_predictions_before_are_compared_by_the_column_that_is_collected() -> None:
    request, inputs = asked(signal("prediction_drift"), facts=MadeUp(collected={OUTPUTS: ("0",)}))
    (found,) = request.signals
    assert found.reference is not None
    assert found.production.prediction_column == found.reference.prediction_column == "0"
    assert found.reference.model is None
    assert inputs == {"model_outputs": OUTPUTS}


def test_a_reference_without_predictions_is_predicted_by_the_model() -> None:
    given = signal("prediction_drift", reference=MonitorData(context="training"))
    request, inputs = asked(given, facts=MadeUp(collected={OUTPUTS: ("0",)}))
    reference = request.signals[0].reference
    assert reference is not None
    assert (reference.prediction_column, reference.model) == ("0", "/model")
    assert reference.scored == "/cache/training.0"
    assert inputs["model"] == "/model"


@pytest.mark.parametrize("own", [True, False])
def test_a_reference_has_predictions_or_nobody_can_make_them(own: bool) -> None:
    columns = {"prediction": "said"} if own else {}
    given = MonitorData(data=TRAINING, context="training", columns=columns)
    served = MODEL if own else replace(MODEL, predicts=False)
    request, _ = asked(signal("prediction_drift", reference=given), facts=MadeUp(served))
    reference = request.signals[0].reference
    assert reference is not None
    assert reference.prediction_column == ("said" if own else None)
    assert (reference.model, reference.target_column) == (None, "income")


def test_the_prediction_is_found_among_several_columns() -> None:
    several = {OUTPUTS: ("income", "score")}
    request, _ = asked(signal("prediction_drift"), facts=MadeUp(collected=several))
    assert request.signals[0].production.prediction_column == "income"
    named = collected("outputs", columns={"prediction": "score"})
    given = signal("prediction_drift", production=(named,))
    request, _ = asked(given, facts=MadeUp(collected=several))
    assert request.signals[0].production.prediction_column == "score"
    with pytest.raises(UsageError, match="which of these columns is the prediction: a, b"):
        asked(signal("prediction_drift"), facts=MadeUp(collected={OUTPUTS: ("a", "b")}))


def test_attributions_are_of_inputs_joined_with_predictions() -> None:
    given = signal(
        "feature_attribution_drift",
        production=(collected("inputs"), collected("outputs")),
        reference=collected("inputs", BEFORE),
    )
    request, inputs = asked(given, facts=MadeUp(collected={OUTPUTS: ("0",)}))
    (found,) = request.signals
    assert found.outputs is not None
    assert found.reference is not None
    assert (found.production.path, found.outputs.path) == (INPUTS, OUTPUTS)
    # What was collected before has no predictions beside it.
    assert found.reference.path == "/trees/train"
    assert found.outputs.prediction_column == found.reference.prediction_column == "0"
    assert set(inputs) == {"model_inputs", "model_outputs", "training", "model"}


def truth(**fields: Any) -> MonitorData:
    return MonitorData(data=DataValue(path="/truth.csv"), context="ground_truth", **fields)


def test_performance_is_of_predictions_joined_with_the_truth() -> None:
    fixed = (MonitorThreshold(metric="accuracy", threshold=0.9),)
    columns = {"target_column": "y", "correlation_id": "order"}
    given = signal("model_performance", reference=truth(columns=columns), thresholds=fixed)
    request, _ = asked(given)
    (found,) = request.signals
    assert found.reference is None
    assert found.ground_truth is not None
    assert (found.ground_truth.path, found.ground_truth.target_column) == ("/truth.csv", "y")
    assert found.ground_truth.correlation_id_column == "order"
    assert found.production.correlation_id_column == "correlationid"
    monitor = CreateMonitor(signals=(given,), endpoint_name="adult", deployment_name="blue")
    assert ask(Monitoring(name="m", now=NOW, monitor=monitor), MadeUp()).awaited == {"ground_truth"}


def test_performance_without_thresholds_is_that_of_the_test_rows() -> None:
    request, inputs = asked(signal("model_performance", reference=truth()))
    (found,) = request.signals
    assert found.reference is not None
    assert found.ground_truth is not None
    assert found.ground_truth.target_column == "income"
    assert (found.reference.path, found.reference.model) == ("/trees/test", "/model")
    assert inputs["test"] == "/trees/test"
    only_training = MadeUp(made_of=Origin("train", {"training": TRAINING}, "income"))
    request, _ = asked(signal("model_performance", reference=truth()), facts=only_training)
    assert request.signals[0].reference is not None
    assert request.signals[0].reference.path == "/trees/train"


def test_a_segment_chooses_rows_of_both_sides() -> None:
    of_men = {"segment_feature": "sex", "segment_values": ("Male",)}
    fixed = (MonitorThreshold(metric="accuracy", threshold=0.9),)
    request, _ = asked(
        signal("data_drift", **of_men),
        signal("model_performance", reference=truth(), thresholds=fixed, **of_men),
    )
    drift, performance = request.signals
    assert drift.reference is not None
    assert drift.production.segment_values == drift.reference.segment_values == ("Male",)
    # Predictions are collected without their inputs.
    assert performance.production.segment_column is None
    assert performance.segment is not None
    assert (performance.segment.path, performance.segment.segment_column) == (INPUTS, "sex")


def test_a_model_is_monitored_without_a_deployment() -> None:
    given = MonitorData(data=DataValue(path="/rows"), context="model_inputs", window=WEEK)
    drift = signal("data_drift", production=(given,), reference=MonitorData(context="training"))
    request, inputs = asked(drift, endpoint_name="", deployment_name="", model="adult:3")
    assert inputs == {"model_inputs": "/rows", "training": "/trees/train"}
    assert request.signals[0].among == ("age", "job", "sex")


@pytest.mark.parametrize(
    ("given", "facts", "message"),
    [
        (signal("data_drift"), MadeUp(collections=()), "does not collect model_inputs"),
        (
            signal("data_drift", reference=MonitorData(context="validation")),
            MadeUp(),
            "the job train, which trained the model, had no validation data",
        ),
        (
            signal("data_drift", reference=MonitorData(context="training")),
            MadeUp(replace(MODEL, run_ids=())),
            "nobody knows who trained adult:3",
        ),
        (
            signal("data_drift", reference=MonitorData(context="training")),
            MadeUp(None),
            "no model is known",
        ),
        (
            signal("model_performance", reference=truth()),
            MadeUp(replace(MODEL, target="")),
            "which column of the ground truth",
        ),
        (
            signal("data_drift", reference=MonitorData(context="ground_truth")),
            MadeUp(),
            "where is the data",
        ),
    ],
)
def test_what_is_missing_is_named(given: MonitorSignal, facts: MadeUp, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        asked(given, facts=facts)


def test_a_signal_that_cannot_be_asked_for_takes_no_other_with_it() -> None:
    wrong = signal("data_drift", reference=MonitorData(context="ground_truth"), name="wrong")
    request, inputs = asked(wrong, signal("data_quality"))
    assert [each.name for each in request.signals] == ["data_quality"]
    told = "signal 'wrong': where is the data?\n  -> give its input_data"
    assert request.failed == (FailedSignal("wrong", "data_drift", told),)
    assert inputs == asked(signal("data_quality"))[1]


def test_no_deployment_collects_for_a_model() -> None:
    with pytest.raises(UsageError, match="names no deployment that collects model_inputs"):
        asked(signal("data_drift"), endpoint_name="", deployment_name="", model="adult:3")
    with pytest.raises(NotFoundError, match="no deployment named 'green'"):
        asked(signal("data_drift"), deployment_name="green")


def test_two_data_sets_of_one_role_are_two_inputs() -> None:
    others = [
        signal("data_drift", reference=MonitorData(data=DataValue(path=path), context="test"))
        for path in ("/a", "/b", "/a")
    ]
    named = [
        MonitorSignal(
            name=f"s{i}", type=each.type, production=each.production, reference=each.reference
        )
        for i, each in enumerate(others)
    ]
    request, inputs = asked(*named)
    assert inputs == {"model_inputs": INPUTS, "test": "/a", "test_2": "/b"}
    paths = [each.reference.path for each in request.signals if each.reference is not None]
    assert paths == ["/a", "/b", "/a"]


def test_places_are_filled_in_wherever_they_are() -> None:
    said = {"a": [Place("x")], "b": {"c": Scored("x", "p")}, "d": (1, None)}
    found = filled(said, {"x": "/x"}, {Scored("x", "p"): "/p"})
    assert found == {"a": ["/x"], "b": {"c": "/p"}, "d": [1, None]}
