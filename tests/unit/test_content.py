from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from amlocal.content import Content, content_of, differences
from amlocal.errors import SpecError
from amlocal.plan import (
    BuildContext,
    Component,
    Environment,
    Input,
    Job,
    PipelineComponent,
    Step,
)

CONDA = {"name": "x", "dependencies": ["python=3.11", {"pip": ["pandas", "numpy"]}]}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "run.py").write_text("print(1)\nprint(2)\n")
    return folder


@pytest.fixture
def component(code: Path) -> Component:
    return Component(
        name="train",
        version="1",
        command="python run.py",
        code=str(code),
        inputs={"n": Input(type="integer", default=1)},
        environment=Environment(name="env", version="3", image="python:3.11", conda=CONDA),
        source="train.yml",
    )


def changed(before: Content, after: Content) -> dict[tuple[str, str], tuple[str, str]]:
    return {(d.part, d.what): (d.before, d.after) for d in differences(before, after)}


def test_a_version_is_of_the_content_and_of_nothing_else(
    component: Component, code: Path, tmp_path: Path
) -> None:
    mine = content_of(component)
    elsewhere = tmp_path / "elsewhere"
    code.rename(elsewhere)
    environment = component.environment
    assert environment is not None
    moved = replace(
        component,
        code=str(elsewhere),
        source="other.yml",
        version="2",
        environment=replace(environment, version="4"),
    )
    theirs = content_of(moved)
    assert mine.content_version == theirs.content_version
    assert mine.content_version.startswith("sha-")
    assert len(mine.content_version) == 16
    assert not mine.content_version.isdecimal()
    assert (mine.version, theirs.version) == ("1", "2")


@pytest.mark.parametrize(
    "change",
    [
        {"command": "python run.py -v"},
        {"inputs": {"n": Input(type="integer", default=2)}},
        {"is_deterministic": False},
        {"environment": Environment(image="python:3.12", conda=CONDA)},
        {"description": "Trains."},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_decides_or_tells_something_makes_another_version(
    component: Component, change: dict[str, object]
) -> None:
    assert (
        content_of(replace(component, **change)).content_version
        != content_of(component).content_version
    )


def test_the_bytes_of_the_code_count(component: Component, code: Path) -> None:
    before = content_of(component).content_version
    (code / "run.py").write_text("print(1)\nprint(3)\n")
    assert content_of(component).content_version != before
    (code / "run.py").write_text("print(1)\nprint(2)\n")
    assert content_of(component).content_version == before
    # What does not go with the code does not count either.
    (code / "__pycache__").mkdir()
    (code / "__pycache__" / "run.pyc").write_bytes(b"\0")
    assert content_of(component).content_version == before


def test_nothing_changed_is_told_as_nothing(component: Component) -> None:
    assert differences(content_of(component), content_of(component)) == []


def test_each_change_is_told_by_its_part(component: Component, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.py").write_text("print(1)\nprint(3)\n")
    (other / "new.py").write_text("x = 1\n")
    conda = {**CONDA, "dependencies": ["python=3.11", {"pip": ["pandas<3", "numpy"]}]}
    after = replace(
        component,
        command="python run.py --fast",
        code=str(other),
        inputs={"n": Input(type="number", default=1)},
        environment=Environment(image="python:3.12", conda=conda),
        description="Trains.",
    )
    found = differences(content_of(component), content_of(after))
    assert [(d.part, d.what) for d in found] == [
        ("interface", "inputs.n.type"),
        ("command", "command"),
        ("environment", "environment.conda.dependencies"),
        ("environment", "environment.image"),
        ("other", "description"),
        ("code", "new.py"),
        ("code", "run.py"),
    ]
    told = {d.what: d for d in found}
    assert (told["command"].before, told["command"].after) == (
        "python run.py",
        "python run.py --fast",
    )
    assert told["description"].before == ""
    lines = told["run.py"].lines
    assert lines[:2] == ("--- before/run.py", "+++ after/run.py")
    assert {"-print(2)", "+print(3)", " print(1)"} <= set(lines)
    assert (told["new.py"].before, told["new.py"].after) == ("absent", "")
    assert "+x = 1" in told["new.py"].lines
    pip = [line.strip() for line in told["environment.conda.dependencies"].lines]
    assert any(line.startswith("+") and "pandas<3" in line for line in pip)
    assert not any(line.startswith(("+", "-")) and "numpy" in line for line in pip)


def test_files_that_are_no_text_are_told_without_their_lines(
    component: Component, code: Path, tmp_path: Path
) -> None:
    (code / "weights").write_bytes(b"\xff\x00")
    before = content_of(component)
    other = tmp_path / "other"
    other.mkdir()
    (other / "run.py").write_text("print(1)\nprint(2)\n")
    after = content_of(replace(component, code=str(other)))
    (found,) = differences(before, after)
    assert (found.part, found.what, found.lines) == ("code", "weights", ())
    assert found.before.startswith("binary, 2 bytes, SHA-256 ")
    assert found.after == "absent"


def test_an_input_that_comes_or_goes_is_one_difference(component: Component) -> None:
    n = component.inputs["n"]
    rate = Input(type="number", optional=True, description="How fast.")
    after = replace(component, inputs={"n": replace(n, default=2), "rate": rate})
    assert changed(content_of(component), content_of(after)) == {
        ("interface", "inputs.n.default"): ("1", "2"),
        ("interface", "inputs.rate"): ("", "number, optional"),
    }
    gone = replace(component, inputs={})
    assert changed(content_of(component), content_of(gone)) == {
        ("interface", "inputs.n"): ("integer, default 1", "")
    }


def test_code_elsewhere_counts_by_its_address() -> None:
    before = Component(name="c", command="x", code="git+https://host/one")
    after = replace(before, code="git+https://host/two")
    assert changed(content_of(before), content_of(after)) == {
        ("code", "code.address"): ("git+https://host/one", "git+https://host/two")
    }


def test_code_that_is_not_there_is_an_error(component: Component) -> None:
    with pytest.raises(SpecError, match="does not exist"):
        content_of(replace(component, code="/nowhere/at/all"))


def test_a_build_context_counts_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.11\n")
    environment = Environment(name="e", build=BuildContext(path=str(tmp_path)))
    before = content_of(environment)
    (tmp_path / "Dockerfile").write_text("FROM python:3.12\n")
    after = content_of(environment)
    assert before.content_version != after.content_version
    assert [d.part for d in differences(before, after)] == ["environment"]


def test_a_pipeline_component_consists_of_its_steps(component: Component, code: Path) -> None:
    step = Step(name="fit", component=component)
    pipeline = PipelineComponent(
        job=Job(type="pipeline", steps=(step,), experiment_name="e"), name="p", version="1"
    )
    before = content_of(pipeline)
    fast = replace(step, component=replace(component, command="python fast.py"))
    after = content_of(replace(pipeline, version="2", job=replace(pipeline.job, steps=(fast,))))
    (found,) = differences(before, after)
    assert (found.part, found.what) == ("command", "steps.fit.component.command")
    assert before.sources == {"fit/run.py": code / "run.py"}
