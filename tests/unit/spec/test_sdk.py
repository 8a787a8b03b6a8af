"""What the SDK finds that the checks did not foresee."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import pytest

from amlocal.errors import Problem, SpecError
from amlocal.spec import sdk
from amlocal.spec.findings import Findings
from amlocal.spec.locate import parse_document


def problems_of(text: str, kind: str = "job") -> tuple[Problem, ...]:
    document = parse_document(text, name="job.yml", file=Path("/nowhere/job.yml"))
    findings = Findings()
    assert sdk.load(kind, document.place, findings) is None
    with pytest.raises(SpecError) as error:
        findings.raise_problems()
    return error.value.problems


def test_an_unknown_field_is_told_at_its_line() -> None:
    text = "command: ls\nenvironment: azureml:e:1\nlimits:\n  timeout: 5\n  retries: 3\n"
    (problem,) = problems_of(text)
    assert (problem.file, problem.line) == ("job.yml", 5)
    assert problem.message == "Azure's client refuses this: Unknown field."


def test_of_the_branches_of_a_union_the_shortest_is_told() -> None:
    text = "command: ls\nenvironment: azureml:e:1\ninputs:\n  x: {type: wrong, path: azureml:a:1}\n"
    problems = problems_of(text)
    assert {problem.line for problem in problems} == {4}
    assert all(len(str(problem)) < 400 for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "type: pipeline\njobs:\n",
        "type: unheard\n",
        "type: pipeline\njobs: {A-B: {command: ls, environment: azureml:e:1}}\n",
        "command: ls\nenvironment: azureml:e:1\ncode: ./absent\n",
    ],
)
def test_every_failure_becomes_a_short_problem(text: str) -> None:
    problems = problems_of(text)
    assert problems
    assert all(len(str(problem)) < 400 and problem.hint for problem in problems)


def test_nothing_of_the_sdk_is_heard_and_all_is_as_before(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logger = logging.getLogger("azure.ai.ml")
    before = (logger.level, logger.propagate, warnings.filters[:])
    with sdk.quiet():
        logger.error("an error")
        logger.getChild("entities").warning("a warning")
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        print("printed")
    assert capfd.readouterr() == ("", "")
    assert (logger.level, logger.propagate, warnings.filters[:]) == before


def test_a_sound_file_is_loaded() -> None:
    text = "command: ls\nenvironment: azureml:e:1\n"
    document = parse_document(text, name="job.yml", file=Path("/nowhere/job.yml"))
    findings = Findings()
    loaded: Any = sdk.load("job", document.place, findings)
    findings.raise_problems()
    assert (loaded.type, loaded.command) == ("command", "ls")
