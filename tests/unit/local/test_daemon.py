"""What outlives commands; its start, waking, and end are tested with the daemons there are."""

from __future__ import annotations

from pathlib import Path

from amlocal.local.daemon import last_lines


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log, 5) == ""
    log.write_bytes(b"old\n")
    start = log.stat().st_size
    log.write_bytes(b"old\none\ntwo\nbad \xff\n")
    assert last_lines(log, 2) == "two\nbad \ufffd"
    assert last_lines(log, 9, start=start) == "one\ntwo\nbad \ufffd"
    assert last_lines(log, 0) == ""
    log.write_text("".join(f"{n}\n" for n in range(100_000)))
    assert last_lines(log, 2) == "99998\n99999"
