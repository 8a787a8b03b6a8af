from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from profile_load import Load, arrivals, offer, request
from profile_saturation import bracket, climb, level_of, size
from tests.components.profile_fakes import FakeClock


@contextmanager
def server(answer) -> Iterator[int]:
    """Serve connections, each in a thread, by a function from a request's number to bytes."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=512)
    number = iter(range(10**6))
    threads = []

    def talk(connection: socket.socket) -> None:
        with connection:
            while connection.recv(65536):
                told = answer(next(number))
                if told is None:
                    return
                connection.sendall(told)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=talk, args=(connection,), daemon=True))
            threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n[1]"
BAD = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"


def test_arrivals_are_those_of_a_poisson_process() -> None:
    due = arrivals(1000, 10, seed=1)
    assert len(due) == 10_000
    assert (np.diff(due) >= 0).all()
    assert due[0] >= 0
    assert due[-1] < 10
    gaps = np.diff(due)
    # Exponential gaps: the deviation is the mean, and a share of 1 - 1/e is shorter than it.
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05)
    assert (gaps < gaps.mean()).mean() == pytest.approx(1 - 1 / math.e, abs=0.02)
    assert (arrivals(1000, 10, seed=1) == due).all()
    assert len(arrivals(0.1, 1, seed=1)) == 1


def test_every_request_is_answered_and_counted() -> None:
    with server(lambda number: BAD if number % 4 == 0 else GOOD) as port:
        found = offer(port, [request(b"{}")], arrivals(200, 0.5, seed=1), patience=20)
    assert len(found.due) == 100
    assert found.errors == 25
    assert len(found.latency) == 75
    assert (found.latency > 0).all()


def test_a_stall_is_felt_by_all_who_were_due_in_it() -> None:
    # A caller that waits for its answer would have sent one request in that time.
    stalled = threading.Event()
    until = [0.0]

    def answer(number: int) -> bytes:
        if number == 20:
            until[0] = time.monotonic() + 1.0
            stalled.set()
        if stalled.is_set():
            time.sleep(max(0.0, until[0] - time.monotonic()))
        return GOOD

    with server(answer) as port:
        found = offer(port, [request(b"{}")], np.arange(100) / 100, patience=20)
    assert found.errors == 0
    assert (found.latency > 0.2).sum() > 50


def test_requests_wait_where_no_connection_is_free() -> None:
    with server(lambda _: time.sleep(0.02) or GOOD) as port:
        few = np.zeros(600)  # more than there are connections, all due at once
        found = offer(port, [request(b"{}")], few, patience=60)
    assert found.errors == 0
    assert len(found.latency) == 600


def test_what_is_not_answered_is_an_error() -> None:
    with server(lambda number: None if number == 3 else GOOD) as port:
        found = offer(port, [request(b"{}")], arrivals(100, 0.3, seed=1), patience=5)
    assert found.errors == 1
    with server(lambda number: time.sleep(1.0) or GOOD) as port:
        found = offer(port, [request(b"{}")], np.zeros(2), patience=0.1)
    assert found.errors == 2
    assert np.isnan(found.answered).all()
    assert (found.status == 0).all()


def test_a_server_that_hangs_up_on_all_ends_the_load() -> None:
    with server(lambda _: None) as port:
        began = time.monotonic()
        found = offer(port, [request(b"{}")], np.zeros(20), patience=60)
    assert found.errors == 20
    assert time.monotonic() - began < 30


class Queue:
    """A server with one queue, in made-up time: so many requests a second, and a delay of each."""

    def __init__(self, capacity: float, delay: float = 0.01, *, stalls: int = 0) -> None:
        self.clock = FakeClock()
        self.rates: list[float] = []
        self._capacity = capacity
        self._delay = delay
        self._stalls = stalls

    def __call__(self, rate: float, seconds: float) -> Load:
        self.rates.append(rate)
        due = arrivals(rate, seconds, len(self.rates))
        capacity = self._capacity
        if self._stalls and rate < capacity / 2:
            self._stalls -= 1
            capacity = rate / 3
        answered, free = np.empty(len(due)), 0.0
        for place, moment in enumerate(due):
            free = max(free, moment) + 1 / capacity
            answered[place] = free + self._delay
        self.clock.now += max(seconds, answered[-1])
        return Load(due, due, answered, np.full(len(due), 200.0))


@pytest.mark.parametrize("capacity", [10.0, 95.0, 700.0, 20_000.0])
def test_the_saturation_point_is_found(capacity: float) -> None:
    queue = Queue(capacity)
    found = climb(queue, 0.01 + 1 / capacity, 60.0, clock=queue.clock)
    assert found.held.rate <= found.lost.rate
    assert found.held.rate < 1.1 * capacity
    assert found.lost.rate > 0.9 * capacity
    assert found.lost.rate / found.held.rate < 3
    assert found.steady.rate == pytest.approx(0.7 * found.held.rate, rel=0.1)
    assert found.steady.is_kept_up
    assert [each.rate for each in found.levels] == sorted(each.rate for each in found.levels)


def test_a_rate_above_the_capacity_tells_the_capacity() -> None:
    level = level_of(Queue(100)(200, 5.0), 5.0, idle=0.02)
    assert not level.is_kept_up
    assert level.achieved == pytest.approx(100, rel=0.1)
    assert level.errors == 0


def test_one_stall_of_the_machine_is_no_saturation() -> None:
    queue = Queue(1000, stalls=1)
    found = climb(queue, 0.01, 60.0, clock=queue.clock)
    assert queue.rates[0] == queue.rates[1]
    assert found.held.rate > 500


def test_errors_are_no_answers() -> None:
    good = Queue(1000)(100, 5.0)
    status = good.status.copy()
    status[::20] = 500
    level = level_of(Load(good.due, good.due, good.answered, status), 5.0, idle=0.01)
    assert not level.is_kept_up
    assert level.errors == 25
    assert level.achieved == pytest.approx(95)


def test_a_load_that_comes_late_says_nothing() -> None:
    good = Queue(1000)(100, 5.0)
    level = level_of(Load(good.due, good.due + 0.5, good.answered + 0.5, good.status), 5.0, 0.01)
    assert not level.is_right
    assert bracket([level]) == (None, None)


def test_a_model_too_slow_to_be_loaded_is_told() -> None:
    queue = Queue(0.5, delay=2.0)
    found = climb(queue, 4.0, 5.0, clock=queue.clock)
    assert (found.held, found.steady) == (None, None)
    sizing = size(found, 10.0, 0.0)
    assert sizing.instances is None
    assert "no rate" in sizing.why


def test_instances_are_the_rate_over_what_one_is_given() -> None:
    queue = Queue(100)
    found = climb(queue, 0.02, 60.0, clock=queue.clock)
    per_instance = 0.7 * found.held.achieved
    sizing = size(found, 1000.0, 0.0)
    assert sizing.per_instance == pytest.approx(per_instance)
    assert sizing.instances == math.ceil(1000 / per_instance)
    assert size(found, per_instance, 0.0).instances == 1
    # A p99 that even a request alone would not keep.
    assert size(found, 1000.0, 0.001).instances is None
    # One that every rate that was kept up with keeps.
    assert size(found, 1000.0, 60.0).instances == sizing.instances


def test_a_wanted_p99_bounds_what_an_instance_is_given() -> None:
    queue = Queue(100)
    found = climb(queue, 0.02, 200.0, clock=queue.clock)
    told = [each for each in [*found.levels, found.steady] if each.is_kept_up and each.p99]
    best = min(told, key=lambda each: each.p99.high)
    sizing = size(found, 1000.0, best.p99.high)
    assert sizing.per_instance == min(best.rate, 0.7 * found.held.achieved)
