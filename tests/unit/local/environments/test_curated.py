from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from amlocal.errors import EnvironmentBuildError, NotFoundError
from amlocal.local.environments.curated import curated_name, is_curated_image, read_curated, table

REGISTRY = "azureml://registries/azureml/environments"


@pytest.mark.parametrize("name", sorted(table()))
def test_every_entry_is_whole(name: str) -> None:
    entry = table()[name]
    assert entry.python in {"", *(f"3.{minor}" for minor in range(7, 13))}
    names = [Requirement(line).name for line in entry.requirements]
    assert len(names) >= 5
    # Two lines of one package must exclude each other by their markers.
    for line in entry.requirements:
        requirement = Requirement(line)
        assert requirement.marker or names.count(requirement.name) == 1


@pytest.mark.parametrize(
    ("reference", "name", "python"),
    [
        (
            f"{REGISTRY}/sklearn-1.5/labels/latest",
            "sklearn-1.5",
            "10",
        ),
        (f"{REGISTRY}/sklearn-1.5/versions/28", "sklearn-1.5", "10"),
        ("azureml:AzureML-sklearn-1.5@latest", "sklearn-1.5", "10"),
        ("AzureML-lightgbm-3.3:12", "lightgbm-3.3", "10"),
        ("azureml:AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest", "sklearn-1.0", "8"),
        ("azureml:AzureML-ACPT-pytorch-1.12-py39-cuda11.6-gpu:9", "acpt-pytorch-1.12", "9"),
        ("azureml:AzureML-acpt-pytorch-2.8-cuda12.6@latest", "acpt-pytorch-2.8", "10"),
        ("azureml:AzureML-tensorflow-2.16-cuda12@latest", "tensorflow-2.16", "11"),
        ("mcr.microsoft.com/azureml/curated/sklearn-1.5:latest", "sklearn-1.5", "10"),
    ],
)
def test_names_as_they_are_written_in_jobs(reference: str, name: str, python: str) -> None:
    requirements = read_curated(reference)
    assert requirements.lines == table()[name].requirements
    assert requirements.python == f"==3.{python}.*"
    assert curated_name(reference) in requirements.approximations[0]


def test_a_stand_in_for_training_steps_asks_for_no_python() -> None:
    requirements = read_curated(f"{REGISTRY}/responsibleai-tabular/versions/28")
    assert requirements.lines == table()["responsibleai-tabular"].requirements
    assert requirements.python == ""


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(
        NotFoundError, match=r"no environment named 'AzureML-sklearn-1.6'"
    ) as raised:
        read_curated("azureml:AzureML-sklearn-1.6@latest")
    assert "aml environment create" in raised.value.hint
    with pytest.raises(NotFoundError) as raised:
        read_curated("sklearn-15")
    assert "did you mean 'sklearn-1.5'?" in raised.value.hint


def test_other_registries_are_azures_alone() -> None:
    with pytest.raises(EnvironmentBuildError, match="only Azure ML can read"):
        read_curated("azureml://registries/contoso/environments/sklearn-1.5/versions/1")


def test_base_images_are_not_curated() -> None:
    assert is_curated_image("mcr.microsoft.com/azureml/curated/sklearn-1.5:3")
    assert not is_curated_image("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04")
