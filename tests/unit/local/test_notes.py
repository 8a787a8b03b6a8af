from __future__ import annotations

import threading

from amlocal.local.notes import Notes


def test_notes_are_taken_once_and_in_order() -> None:
    notes = Notes()
    notes("first")
    thread = threading.Thread(target=notes, args=("second",))
    thread.start()
    thread.join()
    assert notes.take() == ["first", "second"]
    assert notes.take() == []
