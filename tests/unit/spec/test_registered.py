from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.spec.files import Write

from amlocal.errors import SpecError
from amlocal.plan import Component
from amlocal.spec import compile_job


def job_of(write: Write, reference: str) -> Path:
    return write(job=f"{{type: pipeline, jobs: {{a: {{component: '{reference}'}}}}}}")


@pytest.mark.parametrize(
    ("reference", "asked"),
    [
        ("azureml:train:3", ("train", "3", None)),
        ("azureml:train@latest", ("train", None, "latest")),
        ("azureml:train", ("train", None, None)),
        (
            "azureml://registries/azureml/components/rai/versions/0.1",
            ("azureml://registries/azureml/components/rai", "0.1", None),
        ),
        (
            "azureml://registries/azureml/components/rai/labels/latest",
            ("azureml://registries/azureml/components/rai", None, "latest"),
        ),
    ],
)
def test_references_are_taken_apart(
    write: Write, registry: Any, reference: str, asked: tuple[str, str | None, str | None]
) -> None:
    registry.components[asked[0]] = Component(command="ls")
    compile_job(job_of(write, reference), assets=registry)
    assert registry.asked == [asked]


def test_without_a_target_a_registered_component_is_a_problem(write: Write) -> None:
    with pytest.raises(SpecError, match=r"'azureml:train:3' cannot be looked up; name .* file"):
        compile_job(job_of(write, "azureml:train:3"))


def test_a_near_miss_among_the_registered_is_suggested(write: Write, registry: Any) -> None:
    with pytest.raises(SpecError, match=r"no component named 'trian'; did you mean 'train'"):
        compile_job(job_of(write, "azureml:trian:3"), assets=registry)


def test_what_is_no_reference_is_refused(write: Write, registry: Any) -> None:
    with pytest.raises(SpecError, match="is not a reference to a component"):
        compile_job(job_of(write, "azureml:a:b:c"), assets=registry)


def test_a_component_of_a_registry_needs_a_file(write: Write, registry: Any) -> None:
    reference = "azureml://registries/azureml/components/rai/versions/1"
    with pytest.raises(SpecError, match=r"components/rai'; .* name a file of the component: .*yml"):
        compile_job(job_of(write, reference), assets=registry)
