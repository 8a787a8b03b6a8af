"""Every file of `tests/data/broken` is refused as its own first lines say.

A line `# expect LINE: MESSAGE | HINT` or `# expect FILE:LINE: MESSAGE | HINT` gives parts of one
problem; together they are all the problems that there are.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from amlocal.errors import Problem, SpecError, not_found
from amlocal.plan import Component
from amlocal.spec import compile_job

FOLDER = Path(__file__).parents[2] / "data" / "broken"
FILES = sorted(FOLDER.glob("*.yml"))
EXPECTED = re.compile(
    r"# expect (?:(?P<file>\S+\.yml):)?(?P<line>\d+): (?P<message>.*?) \| (?P<hint>.*)"
)


class NothingRegistered:
    def component(self, name: str, version: str | None, label: str | None) -> Component:
        raise not_found("component", name, [])


def problems_of(file: Path) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as error:
        compile_job(file.name, assets=NothingRegistered())
    return error.value.problems


def test_there_are_forty_and_more() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_broken_file_is_refused_as_it_says(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    expected = sorted(
        (found["file"] or file.name, int(found["line"]), found["message"], found["hint"])
        for found in EXPECTED.finditer(file.read_text())
    )
    problems = sorted(problems_of(file), key=lambda found: (found.file, found.line))

    assert expected
    assert len(problems) == len(expected), [str(problem) for problem in problems]
    for (name, line, message, hint), problem in zip(expected, problems, strict=True):
        assert (problem.file, problem.line) == (name, line)
        assert message in problem.message
        assert hint in problem.hint


def test_what_the_checks_find_needs_no_sdk(tmp_path: Path) -> None:
    """What the checks find is told before the SDK's seconds of import."""
    code = (
        "import sys\n"
        "from amlocal.spec import compile_job\n"
        "from amlocal.errors import SpecError\n"
        "try:\n"
        f"    compile_job({str(FOLDER / '02_unknown_input_in_command.yml')!r})\n"
        "except SpecError:\n"
        "    print([name for name in sys.modules if name.startswith('azure')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
