from __future__ import annotations

import threading
from pathlib import Path

import pytest

from amlocal.files import write_whole, written_whole


def test_a_file_is_written_whole_with_its_mode(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    write_whole(file, b"old" * 1000)
    write_whole(file, b"new", mode=0o600)
    assert file.read_bytes() == b"new"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.mkdir()
    (target / "content").touch()
    with pytest.raises(OSError, match="directory"):
        write_whole(target, b"new")
    assert list(tmp_path.iterdir()) == [target]


def test_many_threads_write_one_file(tmp_path: Path) -> None:
    file = tmp_path / "tree.json"
    errors: list[OSError] = []
    start = threading.Barrier(8)

    def write() -> None:
        start.wait()
        try:
            for _ in range(20):
                write_whole(file, b"same")
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_could_not_be_written_keeps_its_old_content(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("old")

    def fail() -> None:
        with written_whole(place) as file:
            file.write(b"half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail()
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]
