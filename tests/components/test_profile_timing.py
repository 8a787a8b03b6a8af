from __future__ import annotations

import numpy as np
import pytest
from profile_timing import Latency, in_rounds, slow_calls, throughput
from tests.components.profile_fakes import FakeCaller, FakeClock


def alone(taken, *, waited: float = 0.0, seconds: float = 8.0, enough: int = 0) -> Latency:
    clock = FakeClock()
    caller = FakeCaller(clock, taken, waited=waited)
    (found,) = in_rounds([caller], 1, seconds, enough=enough, clock=clock)
    return found


def test_models_take_turns_from_both_sides() -> None:
    clock, log = FakeClock(), []
    callers = [
        FakeCaller(clock, lambda *_: 0.01, name="a", log=log),
        FakeCaller(clock, lambda *_: 0.03, name="b", log=log),
    ]
    ours, theirs = in_rounds(callers, 1, 8.0, clock=clock)
    measured = "".join(name for name, _, _ in log[2:])
    assert measured == "abba" * (len(measured) // 4)
    # As many calls of each, whatever they take.
    assert len({calls for _, _, calls in log[2:]}) == 1
    assert len(ours.rounds) == len(theirs.rounds) >= 30
    assert ours.quantile(0.5).value == pytest.approx(0.01)
    assert clock.now < 8.5


def test_a_slow_model_is_called_at_least_once() -> None:
    found = alone(lambda *_: 100.0, seconds=1.0)
    assert len(found.seconds) == 2
    assert found.quantile(0.5) is None


def test_the_time_is_exceeded_for_calls_that_p99_needs() -> None:
    assert len(alone(lambda *_: 0.01, seconds=2.0).seconds) < 368
    assert len(alone(lambda *_: 0.01, seconds=2.0, enough=368).seconds) >= 368
    # Not by more than as much again.
    found = alone(lambda *_: 0.1, seconds=2.0, enough=368)
    assert found.seconds.sum() < 4.5


def test_what_calls_waited_for_a_core_is_taken_off() -> None:
    found = alone(lambda *_: 0.01, waited=0.004)
    assert found.waiting == pytest.approx(0.4)
    assert found.own == pytest.approx(0.006)
    assert found.cpu_per_1000() == pytest.approx(10)


def test_one_slow_call_in_a_hundred_is_found() -> None:
    own = np.full(400, 0.001)
    own[::100] = 0.05
    found = slow_calls(own)
    assert found.are_there
    assert found.share.value == 0.01
    assert found.why == "4 of 400 calls took more than 5 times the median"


def test_a_long_tail_is_found_by_its_ratio() -> None:
    own = np.full(4000, 0.01)
    own[::33] = 0.2
    found = slow_calls(own)
    assert found.are_there
    assert found.tail_ratio.value == pytest.approx(20)


@pytest.mark.parametrize(
    "own",
    [
        np.random.default_rng(0).lognormal(-5, 0.3, 2000),
        # Many times the median, but by less than anybody would notice.
        np.where(np.arange(1000) % 50, 0.0002, 0.003),
        # One of 2,000 may be chance.
        np.where(np.arange(2000) == 7, 1.0, 0.001),
        np.full(3, 0.01),
    ],
)
def test_what_is_no_slow_call(own: np.ndarray) -> None:
    found = slow_calls(own)
    assert not found.are_there
    assert found.why == ""


def test_throughput_is_rows_over_the_median_call() -> None:
    clock = FakeClock()
    # 10 ms a call and 10 µs a row; two threads halve what a row takes.
    callers = {
        threads: FakeCaller(clock, lambda rows, _, n=threads: 0.01 + rows * 1e-5 / n)
        for threads in (1, 2)
    }
    found = {
        (each.threads, each.rows): each.rate.value
        for each in throughput(callers, (1, 100, 10_000), 4.0, clock=clock)
    }
    assert found[1, 1] == pytest.approx(1 / 0.01001)
    assert found[1, 10_000] == pytest.approx(10_000 / 0.11)
    assert found[2, 10_000] == pytest.approx(10_000 / 0.06)
    assert len(found) == 6


def test_batches_for_which_there_is_no_time_are_left_out() -> None:
    clock = FakeClock()
    caller = FakeCaller(clock, lambda rows, _: rows * 0.1)
    found = throughput({1: caller}, (1, 10, 100, 1000), 2.0, clock=clock)
    assert [each.rows for each in found] == [1, 10]
    assert found[1].rate.low is None
    assert found[1].rate.value == pytest.approx(10)
