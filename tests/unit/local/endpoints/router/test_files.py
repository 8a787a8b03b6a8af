"""The data collector's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.local.endpoints.router.files import LineFiles, place

MOMENT = 1733043090.0  # 2024-12-01T08:51:30Z
KEY = ("folder", "request", "b0")


@pytest.mark.parametrize(
    ("rate", "folders"),
    [
        ("year", "2024"),
        ("month", "2024/12"),
        ("day", "2024/12/01"),
        ("hour", "2024/12/01/08"),
        ("minute", "2024/12/01/08/51"),
    ],
)
def test_the_place_of_a_time(rate: str, folders: str) -> None:
    assert place("/data", "request", rate, MOMENT) == Path("/data/request", folders)


def test_lines_are_appended_to_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "2024" / "b0.jsonl"
    for lines in (b"1\n", b"2\n3\n"):
        files = LineFiles()
        files.append(KEY, file, lines)
        files.close()
    assert file.read_bytes() == b"1\n2\n3\n"


@pytest.mark.parametrize("whole", [b"", b"1\n", b"1\n" * 50_000])
def test_a_partial_last_line_is_removed(tmp_path: Path, whole: bytes) -> None:
    file = tmp_path / "b0.jsonl"
    file.write_bytes(whole + b'{"half' * 20_000)
    files = LineFiles()
    files.append(KEY, file, b"2\n")
    files.close()
    assert file.read_bytes() == whole + b"2\n"


def test_a_new_time_is_a_new_file_and_a_removed_file_is_made_anew(tmp_path: Path) -> None:
    files = LineFiles()
    first, second = tmp_path / "08" / "b0.jsonl", tmp_path / "09" / "b0.jsonl"
    files.append(KEY, first, b"1\n")
    files.append(KEY, second, b"2\n")
    second.unlink()
    files.append(KEY, second, b"3\n")
    files.close()
    assert (first.read_bytes(), second.read_bytes()) == (b"1\n", b"3\n")


def test_what_cannot_be_written_is_an_error_and_the_next_line_is_tried_again(
    tmp_path: Path,
) -> None:
    files = LineFiles()
    with pytest.raises(OSError, match="No space left"):
        files.append(KEY, Path("/dev/full"), b"1\n")
    files.append(KEY, tmp_path / "b0.jsonl", b"2\n")
    files.close()
    assert (tmp_path / "b0.jsonl").read_bytes() == b"2\n"
