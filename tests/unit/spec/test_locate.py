from __future__ import annotations

import os
from pathlib import Path

import pytest

from amlocal.errors import SpecError
from amlocal.spec.locate import Document, absolute, parse_document, read_document, shown

TEXT = """\
type: command
command: |
  echo one
  echo ${{inputs.x}}
inputs:
  x: {type: uri_file,
      path: a.csv}
list:
  - a
  - name: b
"""


def document(text: str = TEXT) -> Document:
    return parse_document(text, name="job.yml", file=Path("/project/job.yml"))


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("type",), 1),
        (("command",), 2),
        (("inputs", "x"), 6),
        (("inputs", "x", "path"), 7),
        (("list", 1), 10),
        (("list", 1, "name"), 10),
        (("inputs", "absent", "deeper"), 5),
        (("absent",), 1),
    ],
)
def test_every_field_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert document().place.at(*path).line() == line


def test_an_expression_is_found_in_a_long_command() -> None:
    place = document().place.at("command")
    assert place.line("${{inputs.x}}") == 4
    assert place.line("${{inputs.absent}}") == 2


def test_a_long_command_ends_before_the_next_field() -> None:
    text = "a: >-\n  one\n  two\nb: two\n"
    assert parse_document(text, name="", file=Path("/f")).spans["a",] == (1, 3)


def test_data_is_what_yaml_says() -> None:
    found = document("a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x\n")
    assert found.data == {"a": {"b": 1}, "c": {"b": 1, "d": 2}, "e": {"b": 1}}
    assert found.problems == ()


def test_a_key_that_stands_twice_is_a_problem_on_each_level() -> None:
    found = document("a: 1\nb:\n  - {c: 1, c: 2}\na: 2\n")
    assert [(problem.line, problem.message) for problem in found.problems] == [
        (3, "the key 'c' stands twice"),
        (4, "the key 'a' stands twice"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1\nb: 2\n", 2), ("a:\n\tb: 1\n", 2), ("a: 'x\n", 2), ("a: 1\n---\nb: 2\n", 2)],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    with pytest.raises(SpecError) as error:
        document(text)
    (problem,) = error.value.problems
    assert problem.line == line
    assert problem.message.startswith("this is not YAML: ")
    assert problem.hint


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yml"
    latin.write_bytes("a: é".encode("latin-1"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for file, said in (
        (tmp_path / "absent.yml", "there is no such file"),
        (tmp_path, "is a folder"),
        (pipe, "is a pipe"),
        (latin, "cannot be read"),
    ):
        with pytest.raises(SpecError, match=said):
            read_document(file)


def test_files_are_named_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "jobs" / "a.yml") == "jobs/a.yml"
    assert shown(Path("/elsewhere/a.yml")) == "/elsewhere/a.yml"


def test_paths_are_made_absolute_without_dots() -> None:
    assert absolute("../data/./x.csv", Path("/project/jobs")) == Path("/project/data/x.csv")
    assert absolute("/data/x.csv", Path("/project/jobs")) == Path("/data/x.csv")
