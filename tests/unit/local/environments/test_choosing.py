from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import EnvironmentChoice
from amlocal.local.environments.choosing import decide, nearest
from amlocal.local.environments.interpreters import Interpreter
from amlocal.plan import BuildContext, Environment

INTERPRETERS = {8: Path("/py/3.8"), 10: Path("/py/3.10")}
PYJOKES = {"name": "demo", "dependencies": ["python=3.8", {"pip": ["pyjokes"]}]}


@pytest.fixture
def choose(install: Callable[..., Interpreter]) -> Callable[..., EnvironmentChoice]:
    current = install("six==1.17.0")

    def call(mode: str = "auto", **fields: object) -> EnvironmentChoice:
        environment = Environment(**fields) if fields else None  # type: ignore[arg-type]
        return decide(environment, mode, current=current, interpreters=INTERPRETERS, search_path="")

    return call


Choose = Callable[..., EnvironmentChoice]


def test_nothing_asked_for_is_the_current_interpreter(choose: Choose) -> None:
    choice = choose()
    assert (choice.kind, choice.name, choice.python) == ("current", "current", "3.11.7")
    assert choice.approximations == ()


def test_an_image_alone_is_the_current_interpreter_and_named(choose: Choose) -> None:
    choice = choose(image="python:3.8")
    assert choice.kind == "current"
    assert choice.approximations == (
        "image python:3.8 is not used: it runs in this machine's Python 3.11.7",
        "Python 3.8 is asked for, 3.11.7 is used",
    )
    assert choice.digest == choose().digest


def test_met_requirements_are_the_current_interpreter(choose: Choose) -> None:
    choice = choose(conda={"dependencies": ["python=3.8", "six"]}, image="base")
    assert choice.kind == "current"
    assert "Python 3.8 is asked for, 3.11.7 is used" in choice.approximations


def test_unmet_requirements_are_isolated_with_the_python_asked_for(choose: Choose) -> None:
    choice = choose(conda=PYJOKES, image="base")
    assert (choice.kind, choice.name, choice.python) == ("isolated", "demo", "3.8")
    assert choice.interpreter == "/py/3.8"
    assert choice.requirements == ("pyjokes",)
    assert choice.reason == "pyjokes is asked for and not installed"
    assert choice.approximations == (
        "image base is not used: it runs in a virtual environment of Python 3.8",
    )


def test_a_python_that_is_not_there_is_approximated(choose: Choose) -> None:
    choice = choose(conda={"dependencies": ["python=3.9.2", "nope", "numpy"]})
    assert (choice.python, choice.interpreter) == ("3.10", "/py/3.10")
    assert choice.approximations == ("Python 3.9 is asked for, 3.10 is used",)
    assert choice.reason == "nope is asked for and not installed (and 1 more)"


def test_current_is_forced_and_says_what_is_missing(choose: Choose) -> None:
    choice = choose("current", conda=PYJOKES)
    assert choice.kind == "current"
    assert "pyjokes is asked for and not installed" in choice.approximations


def test_isolated_is_forced_with_the_current_python(choose: Choose) -> None:
    choice = choose("isolated", conda={"dependencies": ["six"]}, name="e", version="3")
    assert (choice.kind, choice.name, choice.python) == ("isolated", "e:3", "3.11")
    assert choice.reason == ""
    assert choose("isolated").requirements == ()


def test_the_digest_is_of_what_the_step_sees(choose: Choose) -> None:
    one = choose(conda={"dependencies": [{"pip": ["a", "b"]}]}, name="one")
    other = choose(conda={"dependencies": ["b", {"pip": ["a"]}]}, image="i", description="x")
    assert one.digest == other.digest
    digests = {
        one.digest,
        choose().digest,
        choose(conda={"dependencies": ["a"]}).digest,
        choose(conda={"dependencies": ["python=3.8", "a", "b"]}).digest,
        choose(conda={"dependencies": ["a", "b"], "variables": {"X": 1}}).digest,
    }
    assert len(digests) == 5


def test_installing_a_package_changes_the_current_digest(
    choose: Choose, install: Callable[..., Interpreter]
) -> None:
    before = choose().digest
    install("new==1.0")
    assert choose().digest != before


def test_a_local_files_content_counts(choose: Choose, tmp_path: Path) -> None:
    wheel = tmp_path / "p-1-py3-none-any.whl"
    wheel.write_bytes(b"one")
    fields = {"conda": {"dependencies": [{"pip": [str(wheel)]}]}}
    before = choose(**fields).digest
    wheel.write_bytes(b"other")
    assert choose(**fields).digest != before


def test_curated_names_images_and_contexts_are_read(choose: Choose, tmp_path: Path) -> None:
    by_name = choose(reference="azureml:AzureML-sklearn-1.5@latest")
    by_image = choose(image="mcr.microsoft.com/azureml/curated/sklearn-1.5:4")
    assert by_name.name == "AzureML-sklearn-1.5"
    assert by_name.python == by_image.python == "3.10"
    assert by_name.requirements == by_image.requirements
    (tmp_path / "Dockerfile").write_text("FROM python:3.8\nRUN pip install pyjokes\n")
    built = choose(build=BuildContext(path=str(tmp_path)))
    assert (built.python, built.requirements) == ("3.8", ("pyjokes",))


@pytest.mark.parametrize(
    ("specifier", "minor"),
    [
        ("", 11),
        (">=3.9", 11),
        ("==3.8.*", 8),
        ("==3.9.*", 10),
        ("==3.7.*", 8),
        ("==3.13.*", 12),
        (">=3.8,<3.11", 10),
        ("<=3.11", 11),
        (">=3.12", 12),
    ],
)
def test_the_nearest_python(specifier: str, minor: int) -> None:
    assert nearest(specifier, [8, 10, 11, 12], 11, "e") == minor


def test_python_2_is_an_error() -> None:
    with pytest.raises(EnvironmentBuildError, match="only Python 3 is offered"):
        nearest("==2.7.*", [11], 11, "e")
