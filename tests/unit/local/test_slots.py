from __future__ import annotations

import threading

from amlocal.local.slots import Slots


def test_there_is_room_for_so_many() -> None:
    slots = Slots(2)
    assert [slots.take_now() for _ in range(3)] == [True, True, False]
    slots.give_back()
    assert slots.take_now()


def test_one_waits_until_there_is_room() -> None:
    slots, never, got = Slots(1), threading.Event(), threading.Event()
    assert slots.take(never)

    def wait() -> None:
        if slots.take(never):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(0.3)
    slots.give_back()
    assert got.wait(5)
    waiting.join()


def test_a_wait_can_be_given_up() -> None:
    slots, given_up = Slots(1), threading.Event()
    slots.take_now()
    threading.Timer(0.1, given_up.set).start()
    assert slots.take(given_up) is False
