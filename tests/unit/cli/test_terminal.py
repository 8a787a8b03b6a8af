from __future__ import annotations

import pytest
from tests.unit.cli.fakes import ClosedStream, Stream, terminal

from amlocal.cli.terminal import ASCII_MARKS, UNICODE_MARKS, OutputClosedError, Terminal
from amlocal.plan import JobStatus


@pytest.mark.parametrize(
    ("tty", "environ", "is_live", "has_colour"),
    [
        (True, {}, True, True),
        (True, {"NO_COLOR": "1"}, True, False),
        (True, {"NO_COLOR": ""}, True, True),
        (True, {"TERM": "dumb"}, False, False),
        (False, {}, False, False),
    ],
)
def test_what_a_stream_can_show(
    tty: bool, environ: dict[str, str], is_live: bool, has_colour: bool
) -> None:
    term = Terminal(Stream(tty=tty), environ)
    assert (term.is_live, term.has_colour) == (is_live, has_colour)
    assert (term.style("x", "red") == "x") is not has_colour


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_signs_are_ascii_where_the_encoding_is_small(encoding: str) -> None:
    assert terminal(encoding=encoding).marks is ASCII_MARKS
    assert terminal(encoding="utf-8").marks is UNICODE_MARKS


def test_the_width_is_80_where_nobody_knows() -> None:
    assert Terminal(Stream(), {"COLUMNS": "61"}).width == 61
    assert Terminal(Stream(), {"COLUMNS": "wide"}).width == 80
    assert Terminal(Stream(), {}).width == 80


def test_a_reader_that_left_has_an_error_of_its_own() -> None:
    with pytest.raises(OutputClosedError):
        Terminal(ClosedStream(), {}).write("x")


@pytest.mark.parametrize("marks", [UNICODE_MARKS, ASCII_MARKS])
def test_every_state_has_a_sign_and_ends_look_different(marks: object) -> None:
    assert marks in (UNICODE_MARKS, ASCII_MARKS)
    known = UNICODE_MARKS if marks is UNICODE_MARKS else ASCII_MARKS
    assert all(known.of(status)[0] for status in JobStatus)
    ends = {known.of(status)[0] for status in JobStatus if status.is_terminal}
    assert len(ends) == 3
    assert known.of(JobStatus.COMPLETED, reused=True) != known.of(JobStatus.COMPLETED)
