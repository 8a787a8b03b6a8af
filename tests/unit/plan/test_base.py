from __future__ import annotations

import msgspec

from amlocal.plan import Input


def test_equal_values_give_equal_bytes_however_they_were_made() -> None:
    written = Input(type="number", min=0.5, max=3)
    # Before Python 3.11 a tuple made of an iterator is empty without being the shared `()`.
    made = Input(type="number", min=0.5, max=3.0, enum=tuple(_ for _ in ()))
    read = msgspec.json.decode(msgspec.json.encode(made), type=Input)
    assert written == made == read
    assert written.to_json() == made.to_json() == read.to_json()
