"""What a step holds of an AutoML search is what the search takes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from amlocal.plan import (
    AUTOML_INPUTS,
    AutoML,
    AutoMLFeaturization,
    AutoMLForecasting,
    AutoMLLimits,
    AutoMLTraining,
    StackEnsemble,
)
from automlkit import request

PAIRS = [
    (AutoML, request.Request),
    (AutoMLLimits, request.Limits),
    (AutoMLFeaturization, request.Featurization),
    (AutoMLTraining, request.Training),
    (StackEnsemble, request.StackEnsemble),
    (AutoMLForecasting, request.Forecasting),
]


def fields(kind: Any) -> dict[str, Any]:
    """Return the fields of a struct with their defaults, nested ones as plain values."""
    found = msgspec.structs.fields(kind)
    return {field.name: plain(field) for field in found}


def plain(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return msgspec.to_builtins(field.default) if field.default is not msgspec.NODEFAULT else "!"


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])
def test_the_fields_and_their_defaults_are_the_requests(ours: Any, theirs: Any) -> None:
    beside = {*AUTOML_INPUTS, "seed", "cores"} if ours is AutoML else set()
    expected = {name: value for name, value in fields(theirs).items() if name not in beside}
    given = fields(ours)
    # A plan leaves defaults out, so that these must be the same ones.
    nested = {"limits", "featurization", "training", "stack_ensemble_settings"}
    assert given.keys() == expected.keys()
    assert {name: given[name] for name in given if name not in nested} == {
        name: expected[name] for name in expected if name not in nested
    }


def test_a_plan_is_read_as_a_request() -> None:
    plan = AutoML(
        task="forecasting",
        primary_metric="r2_score",
        target_column_name="y",
        limits=AutoMLLimits(timeout_seconds=60.0, max_trials=3),
        training=AutoMLTraining(blocked_training_algorithms=("SVM",)),
        forecasting=AutoMLForecasting(time_column_name="t", target_lags=(1, 7)),
    )
    told = {**msgspec.to_builtins(plan), "training_data": "/t", "seed": 3, "cores": 2}
    found = msgspec.convert(told, request.Request)
    assert found.forecasting == request.Forecasting(time_column_name="t", target_lags=(1, 7))
    assert (found.limits.timeout_seconds, found.limits.max_trials) == (60.0, 3)
    assert found.training.blocked_training_algorithms == ("SVM",)
    assert AutoML.from_json(plan.to_json()) == plan
