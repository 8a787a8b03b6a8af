from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitorkit.request import (
    Threshold,
    WrongRequestError,
    read_request,
    request_document,
    request_of,
)


def asked(**fields: Any) -> dict[str, Any]:
    signal = {
        "name": "drift",
        "type": "data_drift",
        "production": {"path": "now", "window_size": "P7D"},
        "reference": {"path": "then", "target_column": "y"},
        "features": ["a", "b"],
        "thresholds": [
            {"metric": "jensen_shannon_distance", "feature_type": "numerical", "threshold": 0.2}
        ],
        **fields,
    }
    return {"name": "monitor", "now": "2026-03-02T00:00:00Z", "signals": [signal]}


def test_a_request_is_read_and_written_back(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(asked()))
    request = read_request(file)
    (signal,) = request.signals
    window = signal.production.window(request.now)
    assert window.end == request.now
    assert window.begin == request.now - timedelta(days=7)
    assert signal.reference is not None
    assert signal.reference.window(request.now).is_all
    assert signal.features == ("a", "b")
    assert signal.thresholds == (Threshold("jensen_shannon_distance", "numerical", 0.2),)
    assert request_of(json.loads(json.dumps(request_document(request)))) == request


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"type": "data_drft"}, "no type named 'data_drft'; did you mean 'data_drift'"),
        ({"feature": []}, "no field named 'feature'; did you mean 'features'"),
        ({"production": None}, "no production"),
        ({"production": {"path": "x", "window_size": "P1M"}}, "'drift': production: 'P1M' is no"),
        ({"production": {"path": "x", "window_size": "P1D", "window_start": "2026-01-01"}}, "both"),
        ({"production": "x"}, "production is to be an object"),
        ({"reference": None}, "no reference"),
        ({"top_n_feature_importance": 3}, "not both"),
        ({"features": None, "top_n_feature_importance": 0}, "above 0"),
        ({"feature_types": {"a": "number"}}, "'a' is 'number'"),
        ({"thresholds": [{"metric": "psi", "feature_type": "numerical"}]}, "no metric named 'psi'"),
        ({"thresholds": [{"metric": "jensen_shannon_distance"}]}, "numerical, categorical"),
        (
            {
                "thresholds": [
                    {
                        "metric": "jensen_shannon_distance",
                        "feature_type": "numerical",
                        "threshold": True,
                    }
                ]
            },
            "True is no number",
        ),
        ({"type": "model_performance", "thresholds": []}, "no prediction_column"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongRequestError, match=message):
        request_of(asked(**fields))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"signals": []}, "at least one"),
        ({"now": "soon"}, "'soon' is no moment"),
        ({"significance": 0}, "not in"),
        ({"minimum_rows": 0}, "minimum_rows"),
        ({"signals": asked()["signals"] * 2}, "one name"),
    ],
)
def test_what_is_wrong_of_the_monitor(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongRequestError, match=message):
        request_of({**asked(), **fields})


def test_what_is_no_request(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    with pytest.raises(WrongRequestError, match="is no request"):
        read_request(file)
    file.write_text("[]")
    with pytest.raises(WrongRequestError, match="is to be an object"):
        read_request(file)
