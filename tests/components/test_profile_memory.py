from __future__ import annotations

import numpy as np
import pytest
from profile_memory import Soak, judge, soak
from tests.components.profile_fakes import FakeCaller, FakeClock

CALLS = np.arange(1, 61) * 100.0


def judged(mb: np.ndarray):
    return judge(Soak(CALLS, mb, float(mb.max())))


def noise(size: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, size, len(CALLS))


def test_a_steady_growth_is_a_leak() -> None:
    found = judged(300 + 0.01 * CALLS + noise(1))
    assert found.verdict == "leak"
    assert found.per_1000.value == pytest.approx(10, rel=0.05)
    assert found.per_1000.low < 10 < found.per_1000.high


def test_a_growth_in_steps_is_a_leak() -> None:
    # As memory comes from the system: 5 MB at a time.
    found = judged(300 + 5 * np.floor(CALLS / 500))
    assert found.verdict == "leak"
    assert found.per_1000.value == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(
    "mb",
    [
        np.full(60, 300.0),
        300 + noise(3),
        # A warm-up that ends, soon or late.
        300 + 80 * (1 - np.exp(-CALLS / 300)),
        300 + 80 * (1 - np.exp(-CALLS / 1500)),
        # A cache that fills ever more slowly.
        300 + 40 * np.log(CALLS),
        # One jump, and then no more.
        300 + 40 * (CALLS > 3000),
        # Growth too small to be told from noise, even though it goes on.
        300 + 0.0001 * CALLS,
        # Memory that is given back.
        300 - 0.01 * CALLS,
        # Up and down.
        300 + 20 * (CALLS % 1000) / 1000,
    ],
)
def test_warm_up_and_noise_are_no_leak(mb: np.ndarray) -> None:
    assert judged(mb).verdict == "none"


def test_a_leak_that_would_not_be_seen_is_told() -> None:
    found = judged(np.full(60, 300.0))
    # 1 % of 300 MB over the 3,900 calls after the warm-up.
    assert found.calls == 3900
    assert found.least == pytest.approx(3 / 3.9)


@pytest.mark.parametrize(("looks", "each"), [(20, 100.0), (60, 1.0)])
def test_few_looks_or_calls_are_insufficient(looks: int, each: float) -> None:
    calls = np.arange(1, looks + 1) * each
    found = judge(Soak(calls, 300 + calls, 500.0))
    assert found.verdict == "insufficient"
    assert found.per_1000 is None
    assert found.steady > 300


def test_a_soak_looks_at_the_memory_at_even_distances() -> None:
    clock = FakeClock()
    caller = FakeCaller(clock, lambda rows, _: 0.002 * rows, mb=lambda calls: 200 + 0.5 * calls)
    found = soak(caller, 50, 6.0, clock=clock)
    assert caller.log[0] == ("", 50, 1)
    assert all(rows == 1 for _, rows, _ in caller.log[1:])
    assert 50 <= len(found.calls) <= 70
    assert set(np.diff(found.calls)) == {50}
    assert found.peak == found.mb[-1]
    assert judge(found).per_1000.value == pytest.approx(500)
    assert judge(found).verdict == "leak"


def test_a_soak_of_a_slow_model_has_at_least_a_look() -> None:
    clock = FakeClock()
    found = soak(FakeCaller(clock, lambda *_: 30.0), 1, 1.0, clock=clock)
    assert len(found.calls) == 1
    assert judge(found).verdict == "insufficient"
