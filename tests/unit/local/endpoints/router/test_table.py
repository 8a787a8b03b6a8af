"""Tables as they are sent."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from amlocal.local.endpoints.router.table import read_table
from amlocal.plan.endpoint import DataCollection, DataCollector, RequestSettings

WHOLE: dict[str, Any] = {
    "revision": 7,
    "endpoint": "adult",
    "auth": {"mode": "key", "digests": ["00" * 32], "token_key": "5a"},
    "traffic": {"blue": 90, "green": 10},
    "mirror": {},
    "deployments": {"blue": {"instances": [{"id": "blue-0", "address": "unix:/path"}]}},
}


def test_what_is_left_out_has_azures_defaults() -> None:
    blue = read_table(json.dumps(WHOLE).encode()).deployments["blue"]
    plan = RequestSettings()
    assert blue.request_timeout_ms == plan.request_timeout_ms
    assert blue.max_concurrent_requests_per_instance == plan.max_concurrent_requests_per_instance
    assert blue.max_queue_wait_ms == plan.max_queue_wait_ms
    assert (blue.path, blue.swagger, blue.collector) == ("/score", None, None)


@pytest.mark.parametrize("rate", ["year", "month", "day", "hour", "minute"])
def test_a_collector_is_the_plans_and_a_folder(rate: str) -> None:
    plan = DataCollector(
        collections={"request": DataCollection(sampling_rate=0.5)},
        rolling_rate=rate,
        capture_headers=("x-a",),
        redacted=("sex",),
    )
    collector = {**json.loads(plan.to_json()), "folder": "/data"}
    sent = {**WHOLE, "deployments": {"blue": {"collector": collector}}}
    found = read_table(json.dumps(sent).encode()).deployments["blue"].collector
    assert found is not None
    assert (found.folder, found.rolling_rate) == ("/data", rate)
    assert found.collections == plan.collections
    assert (found.capture_headers, found.redacted) == (("x-a",), ("sex",))


@pytest.mark.parametrize(
    "change",
    [
        {"auth": {"mode": "password"}},
        {"auth": {"token_key": 5}},
        {"traffic": {"blue": "all"}},
        {"deployments": {"blue": {"instances": ["secret"]}}},
        {"revision": None},
        {"auth": {"digests": ["secret"]}},
        {"auth": {"token_key": "5"}},
        {"deployments": {"blue": {"instances": [{"id": "b0", "address": "http://secret"}]}}},
        {"deployments": {"blue": {"max_concurrent_requests_per_instance": 0}}},
    ],
)
def test_what_is_not_a_table(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError) as raised:
        read_table(json.dumps({**WHOLE, **change}).encode())
    assert "secret" not in str(raised.value)
