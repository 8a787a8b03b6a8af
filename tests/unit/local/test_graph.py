from __future__ import annotations

import pytest
from tests.lab import pipeline, step

from amlocal.local.graph import downstream, needs
from amlocal.plan import Job, LiteralValue, Output, ParentInput, StepOutput


def after(name: str, *others: str) -> dict[str, StepOutput]:
    return {f"from_{other}": StepOutput(step=other, output="o") for other in others}


@pytest.fixture
def diamond() -> Job:
    out = {"o": Output()}
    return pipeline(
        step("d", "true", inputs=after("d", "b", "c")),
        step("a", "true", outputs=out, inputs={"x": LiteralValue(value=1)}),
        step("b", "true", outputs=out, inputs=after("b", "a")),
        step("c", "true", outputs=out, inputs={**after("c", "a"), "y": ParentInput(name="y")}),
        step("alone", "true"),
    )


def test_a_step_needs_those_whose_outputs_it_takes(diamond: Job) -> None:
    assert needs(diamond) == {
        "d": {"b", "c"},
        "a": set(),
        "b": {"a"},
        "c": {"a"},
        "alone": set(),
    }


def test_needs_keep_the_order_of_the_file(diamond: Job) -> None:
    assert list(needs(diamond)) == ["d", "a", "b", "c", "alone"]


def test_downstream_goes_through_other_steps(diamond: Job) -> None:
    assert downstream(diamond, "a") == {"b", "c", "d"}
    assert downstream(diamond, "b") == {"d"}
    assert downstream(diamond, "d") == set()
    assert downstream(diamond, "alone") == set()
