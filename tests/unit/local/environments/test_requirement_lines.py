from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.interpreters import Interpreter
from amlocal.local.environments.requirement_lines import read_lines, unmet

Install = Callable[..., Interpreter]


def test_comments_go_and_continued_lines_are_joined(tmp_path: Path) -> None:
    texts = ["# all", "six==1.17.0 \\", "  --hash=sha256:abc", "", "a#b  # c"]
    assert read_lines(texts, folder=tmp_path, where="r") == ("six==1.17.0 --hash=sha256:abc", "a#b")


def test_included_files_are_read_in_place(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.txt").write_text("one\n-r sub/b.txt\n")
    (tmp_path / "sub" / "b.txt").write_text("\ufefftwo\n-c ./limits.txt\n")
    (tmp_path / "sub" / "limits.txt").write_text("two<3\n")
    lines = read_lines(["-r a.txt", "three"], folder=tmp_path, where="r")
    assert lines == ("one", "two", f"-c {tmp_path / 'sub' / 'limits.txt'}", "three")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBuildError, match=r"r names '-r a.txt', but there is no"):
        read_lines(["-r a.txt"], folder=tmp_path, where="r")


def test_local_packages_become_absolute(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    lines = read_lines(["-e ./pkg", "./pkg[extra]"], folder=tmp_path, where="r")
    assert lines == (f"-e {tmp_path}/pkg", f"{tmp_path}/pkg[extra]")


@pytest.mark.parametrize(
    "line",
    [
        "six",
        "SIX>=1.16",
        "six==1.17.*",
        "six==1.17.0 --hash=sha256:abc",
        "six>=99; python_version < '3'",
        "six; python_version >= '3'",
        "--index-url https://example.org/simple",
        "--pre",
    ],
)
def test_what_the_interpreter_has_is_met(line: str, install: Install) -> None:
    assert unmet([line], install("six==1.17.0")) == []


@pytest.mark.parametrize(
    ("line", "clause"),
    [
        ("nope", "nope is asked for and not installed"),
        ("six<1", "six<1 is asked for and 1.17.0 is installed"),
        ("-e git+https://x/y", "whether '-e git+https://x/y' is there cannot be told"),
        ("six @ https://x/y.whl", "whether 'six @ https://x/y.whl' is there cannot be told"),
        ("/some/pkg", "whether '/some/pkg' is there cannot be told"),
    ],
)
def test_what_it_has_not_is_said(line: str, clause: str, install: Install) -> None:
    assert unmet([line, line], install("six==1.17.0")) == [clause]


def test_local_and_pre_release_versions_count(install: Install) -> None:
    interpreter = install("torch==2.13.0+cpu", "beta==2.0rc1")
    assert unmet(["torch==2.13.0", "beta>=1.9"], interpreter) == []


def test_an_extra_needs_what_it_brings_in(install: Install) -> None:
    requires = ("base", "dep>=2; extra == 'fast'", "other; extra == 'slow'")
    interpreter = install("pkg==1.0", requires=requires)
    assert unmet(["pkg"], interpreter) == []
    assert unmet(["pkg[fast]"], interpreter) == ["dep>=2 is asked for and not installed"]
    install("dep==2.1")
    assert unmet(["pkg[fast]"], interpreter) == []
