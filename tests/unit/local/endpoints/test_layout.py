from __future__ import annotations

from pathlib import Path

from amlocal.local.endpoints.layout import EndpointLayout, instance_number, last_lines


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


def test_logs_of_instances_are_told_from_the_oldest_to_the_newest(tmp_path: Path) -> None:
    layout = EndpointLayout(tmp_path)
    folder = layout.deployment("adult", "blue")
    folder.mkdir(parents=True)
    for number in (10, 9, 100):
        (folder / f"blue-{number}.log").touch()
    assert [log.stem for log in layout.instance_logs("adult", "blue")] == [
        "blue-9",
        "blue-10",
        "blue-100",
    ]
    assert instance_number("blue-2-7") == 7
