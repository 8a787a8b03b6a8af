"""What is asked of a monitor: one JSON file, which `create_monitor` YAML compiles to.

    {
      "name": "adult-monitor",
      "now": "2026-03-02T00:00:00Z",
      "signals": [
        {
          "name": "data-drift",
          "type": "data_drift",
          "production": {"path": "/data/model_inputs", "window_size": "P7D"},
          "reference": {"path": "/data/train", "target_column": "income"},
          "top_n_feature_importance": 10,
          "thresholds": [
            {"metric": "normalized_wasserstein_distance", "feature_type": "numerical",
             "threshold": 0.1},
            {"metric": "jensen_shannon_distance", "feature_type": "categorical", "threshold": 0.1}
          ]
        }
      ]
    }

Fields are those of the classes below; unknown ones are refused. Of `Data`, the kind of reference
follows from the window: fixed (all rows) without one, trailing with `window_size`, static with
`window_start` and `window_end`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from monitorkit.windows import Window, WrongWindowError, fixed_window, moment, trailing_window

SignalType: TypeAlias = Literal[
    "data_drift",
    "prediction_drift",
    "data_quality",
    "feature_attribution_drift",
    "model_performance",
    "custom",
]
FeatureType: TypeAlias = Literal["numerical", "categorical"]

_NUMERICAL_DRIFT = (
    "jensen_shannon_distance",
    "normalized_wasserstein_distance",
    "population_stability_index",
    "two_sample_kolmogorov_smirnov_test",
)
_CATEGORICAL_DRIFT = (
    "jensen_shannon_distance",
    "population_stability_index",
    "pearsons_chi_squared_test",
)
#: Fields of a signal that are data.
_DATA = ("production", "reference", "outputs", "ground_truth", "segment")
_QUALITY = ("null_value_rate", "data_type_error_rate", "out_of_bounds_rate")
_CLASSIFICATION = ("accuracy", "precision", "recall", "f1_score")
_REGRESSION = ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error")
_DRIFT = {"numerical": _NUMERICAL_DRIFT, "categorical": _CATEGORICAL_DRIFT}
#: Metrics of each signal, by the type of feature; "" where a metric is not of one feature.
METRICS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "data_drift": _DRIFT,
    "prediction_drift": _DRIFT,
    "data_quality": {"numerical": _QUALITY, "categorical": _QUALITY},
    "feature_attribution_drift": {"": ("normalized_discounted_cumulative_gain",)},
    "model_performance": {"": _CLASSIFICATION + _REGRESSION},
    "custom": {},
}


class WrongRequestError(Exception):
    """What was asked is wrong; nothing was computed."""


@dataclass(frozen=True)
class Data:
    """Rows, and which of them count.

    Attributes:
        path: A folder of collected rows (JSON Lines), or a table: CSV, Parquet, MLTable.
        window_size: ISO 8601 duration of weeks, days, and times of day (`P7D`), or None.
        window_offset: How long before `now` the window ends.
        window_start: The first moment of a static window, ISO 8601.
        window_end: The first moment after it.
        timestamp_column: Of a table whose rows have a time, its column; else its rows have none,
            and a window does not choose between them.
        target_column: The truth; no feature.
        prediction_column: What the model said; no feature.
        correlation_id_column: Where the ids of requests are, by which rows are joined.
        segment_column: Only rows count whose value of this column is one of `segment_values`.
        segment_values: See there, as texts.
        model: The folder of an MLflow model that predicts the rows of a table which has no
            `prediction_column`, or None.
        scored: The Parquet file that keeps the rows with its predictions, for the next time. It is
            named by the content of both, since nobody else looks whether it is still right.
    """

    path: str
    window_size: str | None = None
    window_offset: str = "P0D"
    window_start: str | None = None
    window_end: str | None = None
    timestamp_column: str | None = None
    target_column: str | None = None
    prediction_column: str | None = None
    correlation_id_column: str = "correlationid"
    segment_column: str | None = None
    segment_values: tuple[str, ...] = ()
    model: str | None = None
    scored: str | None = None

    def window(self, now: datetime) -> Window:
        """Return which moments count, seen from `now`."""
        if self.window_size is not None:
            return trailing_window(now, self.window_size, self.window_offset)
        return fixed_window(self.window_start, self.window_end)


@dataclass(frozen=True)
class Threshold:
    """A metric, and where it begins to be too bad.

    Attributes:
        metric: One of `METRICS`, or of a custom signal any.
        feature_type: Features that it is of; empty where it is not of features.
        threshold: None is Azure's default (see `defaults`).
    """

    metric: str
    feature_type: FeatureType | Literal[""] = ""
    threshold: float | None = None


@dataclass(frozen=True)
class Signal:
    """One signal of a monitor.

    Attributes:
        name: Any.
        type: Of `METRICS`.
        production: What is monitored. Of `custom`, a table with the columns `metric_name`,
            `metric_value`, and perhaps `group` and `threshold_value`.
        reference: What it is compared with. None for `custom`, and for `model_performance` with
            thresholds.
        outputs: Of `feature_attribution_drift`, what was predicted, where production is the inputs
            alone; it is joined by correlation id.
        ground_truth: Of `model_performance`, a table with the truth in `target_column`, which is
            joined by correlation id; None where production has it already.
        segment: Of `model_performance`, data with the segment's column where production has none,
            such as the model's inputs; it is joined by correlation id.
        features: Their names, or None for all that production and reference share.
        among: Where `features` is None, columns that may be features; None are all.
        top_n_feature_importance: That many that matter most for the reference's `target_column`.
        feature_importance: Importances by feature to choose them by, instead of computed ones.
        feature_types: Of features whose type is not to be inferred.
        thresholds: None are Azure's default metrics and thresholds.
        has_attributions: Of `feature_attribution_drift`, whether the data's columns are
            attributions of rows to features; else they are features, and attributions are computed.
        positive_label: Of `model_performance` with two classes, the one that precision and recall
            are of; None is the greater.
    """

    name: str
    type: SignalType
    production: Data
    reference: Data | None = None
    outputs: Data | None = None
    ground_truth: Data | None = None
    segment: Data | None = None
    features: tuple[str, ...] | None = None
    among: tuple[str, ...] | None = None
    top_n_feature_importance: int | None = None
    feature_importance: Mapping[str, float] | None = None
    feature_types: Mapping[str, FeatureType] = dataclasses.field(default_factory=dict)
    thresholds: tuple[Threshold, ...] = ()
    has_attributions: bool = False
    positive_label: str | None = None


@dataclass(frozen=True)
class FailedSignal:
    """A signal that cannot be computed.

    Attributes:
        name: Its name.
        type: Of `METRICS`.
        error: Why, and what to do.
    """

    name: str
    type: SignalType
    error: str


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        name: Of the monitor.
        now: When it runs, with a time zone; windows end before it.
        signals: At least one.
        failed: Further ones, of which it is known already that they cannot be computed.
        significance: The chance that any metric of any signal breaches where nothing has changed is
            at most this.
        minimum_rows: A metric of fewer rows, of production or reference, is insufficient.
        rows_at_most: Rows of one window that are kept, chosen at random where there are more.
        seed: Of that choice, and of what else is random.
        model_python: The interpreter that has the packages of the models which are asked; None is
            the one that computes.
    """

    name: str
    now: datetime
    signals: tuple[Signal, ...]
    failed: tuple[FailedSignal, ...] = ()
    significance: float = 0.005
    minimum_rows: int = 100
    rows_at_most: int = 1_000_000
    seed: int = 0
    model_python: str | None = None


def read_request(file: Path) -> Request:
    """Return what a file asks.

    Raises:
        WrongRequestError: It is not there, or not such a file, or asks what cannot be.
    """
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WrongRequestError(f"{file} is no request: {error}") from error
    return request_of(said)


def request_of(said: object) -> Request:
    """Return what a JSON document asks; see `read_request`."""
    given = _fields(said, Request, "request")
    signals = given.pop("signals")
    if not isinstance(signals, list) or not signals:
        raise WrongRequestError("request: signals is to be a list with at least one signal")
    try:
        now = moment(str(given.pop("now")))
    except WrongWindowError as error:
        raise WrongRequestError(f"request: now: {error}") from error
    parsed = tuple(_signal(signal, f"signals[{i}]", now) for i, signal in enumerate(signals))
    failed = tuple(
        FailedSignal(**_fields(signal, FailedSignal, f"failed[{i}]"))
        for i, signal in enumerate(given.pop("failed", ()))
    )
    request = Request(now=now, signals=parsed, failed=failed, **given)
    names = [signal.name for signal in parsed] + [signal.name for signal in failed]
    if len(set(names)) < len(names):
        raise WrongRequestError("request: two signals have one name")
    if not _is_number(request.significance) or not 0 < request.significance < 1:
        raise WrongRequestError(f"request: significance {request.significance!r} is not in (0, 1)")
    for name in ("minimum_rows", "rows_at_most"):
        if not isinstance(given.get(name, 1), int) or given.get(name, 1) < 1:
            raise WrongRequestError(f"request: {name} is to be a whole number above 0")
    return request


def request_document(request: Request) -> dict[str, Any]:
    """Return a request as JSON has it, which `request_of` reads back."""
    now = request.now.astimezone(timezone.utc).isoformat()
    return {**dataclasses.asdict(request), "now": now}


def _signal(said: object, place: str, now: datetime) -> Signal:
    given = _fields(said, Signal, place)
    place = f"signal {given['name']!r}"
    for name in _DATA:
        if given.get(name) is not None:
            given[name] = _data(given[name], f"{place}: {name}", now)
    if given["type"] not in METRICS:
        raise WrongRequestError(f"{place}: {_unknown('type', str(given['type']), METRICS)}")
    for name in ("features", "among"):
        if given.get(name) is not None:
            given[name] = tuple(given[name])
    wanted = given.get("top_n_feature_importance")
    if wanted is not None and (not isinstance(wanted, int) or wanted < 1):
        raise WrongRequestError(f"{place}: top_n_feature_importance is to be a number above 0")
    if wanted is not None and given.get("features") is not None:
        raise WrongRequestError(f"{place}: give features or top_n_feature_importance, not both")
    for feature, kind in (given.get("feature_types") or {}).items():
        if kind not in ("numerical", "categorical"):
            raise WrongRequestError(f"{place}: feature_types: {feature!r} is {kind!r}")
    thresholds = [_fields(each, Threshold, place) for each in given.get("thresholds") or ()]
    for threshold in thresholds:
        _check_threshold(threshold, given["type"], place)
    given["thresholds"] = tuple(Threshold(**each) for each in thresholds)
    signal = Signal(**given)
    _check_reference(signal, place)
    return signal


def _check_threshold(said: Mapping[str, Any], signal_type: str, place: str) -> None:
    value = said.get("threshold")
    if value is not None and not _is_number(value):
        raise WrongRequestError(f"{place}: the threshold {value!r} is no number")
    known = METRICS[signal_type]
    kind = said.get("feature_type", "")
    if known and kind not in known:
        kinds = ", ".join(known) or "none"
        raise WrongRequestError(f"{place}: feature_type of {said['metric']!r} is one of: {kinds}")
    if known and said["metric"] not in known[kind]:
        raise WrongRequestError(f"{place}: {_unknown('metric', said['metric'], known[kind])}")


def _check_reference(signal: Signal, place: str) -> None:
    has_values = bool(signal.thresholds) and all(
        each.threshold is not None for each in signal.thresholds
    )
    is_free = signal.type == "custom" or (signal.type == "model_performance" and has_values)
    if signal.reference is None and not is_free:
        raise WrongRequestError(f"{place}: no reference")
    if signal.type == "model_performance" and signal.production.prediction_column is None:
        raise WrongRequestError(f"{place}: production: no prediction_column")


def _data(said: object, place: str, now: datetime) -> Data:
    given = _fields(said, Data, place)
    data = Data(**{**given, "segment_values": tuple(given.get("segment_values") or ())})
    if data.window_size is not None and (data.window_start or data.window_end):
        raise WrongRequestError(f"{place}: give window_size or window_start, not both")
    if data.model is not None and not (data.scored and data.prediction_column):
        raise WrongRequestError(f"{place}: a model needs scored and prediction_column")
    try:
        data.window(now)
    except WrongWindowError as error:
        raise WrongRequestError(f"{place}: {error}") from error
    return data


def _fields(said: object, kind: type, place: str) -> dict[str, Any]:
    """Return an object's fields, all known and none missing."""
    if not isinstance(said, dict):
        raise WrongRequestError(f"{place} is to be an object")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for name in said:
        if name not in fields:
            raise WrongRequestError(f"{place}: {_unknown('field', name, fields)}")
    missing = dataclasses.MISSING
    for name, field in fields.items():
        needs = field.default is missing and field.default_factory is missing
        if needs and said.get(name) is None:
            raise WrongRequestError(f"{place}: no {name}")
    return dict(cast("dict[str, Any]", said))


def _unknown(what: str, name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return f"no {what} named {name!r}; {hint}"


def _is_number(value: object) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(cast(float, value))
