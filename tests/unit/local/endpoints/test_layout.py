from __future__ import annotations

from pathlib import Path

from amlocal.local.endpoints.layout import EndpointLayout, instance_number


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
