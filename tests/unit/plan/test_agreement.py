"""When two answers are the same."""

from __future__ import annotations

import pytest

from amlocal.plan.agreement import agree


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1, 2]", b"[1,2]"),
        (b"[0.1]", b"[0.10000000001]"),
        (b"[1]", b"[1.0]"),
        (b'{"a": 1, "b": [2.5]}', b'{"b": [2.5], "a": 1}'),
        (b"[NaN, -Infinity]", b"[NaN,-Infinity]"),
        (b"not JSON", b"not JSON"),
        (b"", b""),
        (b"[1" + b"0" * 400 + b"]", b"[ 1" + b"0" * 400 + b"]"),
    ],
)
def test_equal_answers_agree(one: bytes, other: bytes) -> None:
    assert agree(200, one, 200, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1]", b"[2]"),
        (b"[0.1]", b"[0.1000001]"),
        (b"[0.0]", b"[1e-300]"),
        (b"[1]", b"[true]"),
        (b"[0]", b"[null]"),
        (b'["1"]', b"[1.0]"),
        (b"[1, 2]", b"[2, 1]"),
        (b"[1]", b"[1, 1]"),
        (b'{"a": 1}', b'{"a": 1, "b": 2}'),
        (b"[[]]", b"[{}]"),
        (b"[NaN]", b"[0.0]"),
        (b"not JSON", b"nor this"),
        (b"[1" + b"0" * 400 + b"]", b"[1.5]"),
        (b"[" * 100_000 + b"1", b"[" * 100_000 + b"2"),
    ],
)
def test_others_do_not(one: bytes, other: bytes) -> None:
    assert not agree(200, one, 200, other)


def test_statuses_must_be_equal() -> None:
    assert not agree(200, b"[1]", 500, b"[1]")
    assert agree(500, b"x", 500, b"x")
