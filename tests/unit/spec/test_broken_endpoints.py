"""Every file of `tests/data/broken/endpoints` is refused as its own first lines say.

Its name begins with the noun of the command that it is for; see `test_broken` for the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.test_broken import EXPECTED

from amlocal.errors import Problem, SpecError
from amlocal.spec import (
    load_batch_deployment,
    load_batch_endpoint,
    load_online_deployment,
    load_online_endpoint,
)

FOLDER = Path(__file__).parents[2] / "data" / "broken" / "endpoints"
FILES = sorted(FOLDER.glob("*.yml"))
LOADERS: Mapping[str, Callable[..., Any]] = {
    "batch-deployment": load_batch_deployment,
    "batch-endpoint": load_batch_endpoint,
    "online-deployment": load_online_deployment,
    "online-endpoint": load_online_endpoint,
}


def problems_of(file: Path) -> tuple[Problem, ...]:
    noun, _, _ = file.name.partition("_")
    with pytest.raises(SpecError) as error:
        LOADERS[noun](file.name)
    return error.value.problems


def test_there_are_many() -> None:
    assert len(FILES) >= 25
    assert {file.name.partition("_")[0] for file in FILES} == set(LOADERS)


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_broken_file_is_refused_as_it_says(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    expected = sorted(
        (found["file"] or file.name, int(found["line"]), found["message"], found["hint"])
        for found in EXPECTED.finditer(file.read_text())
    )
    problems = sorted(problems_of(file), key=lambda found: (found.file, found.line, found.message))

    assert expected
    assert len(problems) == len(expected), [str(problem) for problem in problems]
    for (name, line, message, hint), problem in zip(expected, problems, strict=True):
        assert (problem.file, problem.line) == (name, line)
        assert message in problem.message
        assert hint in problem.hint
