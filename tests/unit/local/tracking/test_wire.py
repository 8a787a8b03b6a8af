from __future__ import annotations

import msgspec
import pytest

from amlocal.local.tracking.values import Metric, Pair, pairs
from amlocal.local.tracking.wire import MetricJson, batches


def sizes(entities: list[tuple[str, MetricJson | Pair]]) -> list[dict[str, int]]:
    return [{kind: len(found) for kind, found in batch.items()} for batch in batches(entities)]


def metrics(count: int) -> list[tuple[str, MetricJson | Pair]]:
    return [("metrics", MetricJson("m", 1.0, 0, step)) for step in range(count)]


def texts(kind: str, count: int, length: int = 1) -> list[tuple[str, MetricJson | Pair]]:
    return [(kind, Pair(f"k{number}", "x" * length)) for number in range(count)]


def test_nothing_is_no_request() -> None:
    assert sizes([]) == []


def test_a_small_log_is_one_request() -> None:
    log = metrics(3) + texts("params", 2) + texts("tags", 1)
    assert sizes(log) == [{"metrics": 3, "params": 2, "tags": 1}]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (metrics(2001), [{"metrics": 1000}, {"metrics": 1000}, {"metrics": 1}]),
        (texts("params", 101), [{"params": 100}, {"params": 1}]),
        (texts("tags", 250), [{"tags": 100}, {"tags": 100}, {"tags": 50}]),
        (metrics(950) + texts("params", 60), [{"metrics": 950, "params": 50}, {"params": 10}]),
    ],
)
def test_a_log_is_cut_at_mlflows_counts(
    log: list[tuple[str, MetricJson | Pair]], expected: list[dict[str, int]]
) -> None:
    assert sizes(log) == expected


def test_a_log_is_cut_at_mlflows_size_and_keeps_everything_in_order() -> None:
    log = texts("params", 100, 6000) + texts("tags", 100, 8000)
    found = list(batches(log))
    assert all(len(msgspec.json.encode(batch)) < 1_000_000 for batch in found)
    kept = [
        msgspec.json.decode(raw, type=Pair)
        for batch in found
        for kind in ("params", "tags")
        for raw in batch.get(kind, [])
    ]
    assert kept == [entity for _, entity in log]


def test_numbers_that_json_lacks_come_back() -> None:
    for value in (float("inf"), float("-inf"), 2.5):
        metric = Metric(key="m", value=value, timestamp=3, step=1)
        text = msgspec.json.encode(MetricJson.of(metric))
        assert msgspec.json.decode(text, type=MetricJson).value_of() == metric


def test_long_texts_are_cut_to_the_limit() -> None:
    assert [len(pair.value) for pair in pairs({"a": "x" * 99, "b": "y"}, 50)] == [50, 1]
