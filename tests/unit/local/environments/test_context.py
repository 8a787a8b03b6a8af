from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import Requirements
from amlocal.local.environments.context import python_of_image, read_context
from amlocal.local.environments.curated import table
from amlocal.plan import BuildContext


def read(folder: Path, dockerfile: str) -> Requirements:
    (folder / "Dockerfile").write_text(dockerfile)
    return read_context(BuildContext(path=str(folder)), where="environment e", search_path="")


def test_pip_lines_and_the_python_image_are_followed(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("pandas==1.3.0  # data\n")
    requirements = read(
        tmp_path,
        """
# a comment
FROM --platform=linux/amd64 python:3.8
COPY requirements.txt /tmp/requirements.txt
RUN apt-get update && apt-get install -y gcc
RUN pip install --no-cache-dir -r /tmp/requirements.txt && rm requirements.txt
RUN python -m pip install --upgrade pip 'six>=1.16' \\
    --extra-index-url https://example.org/simple
""",
    )
    assert requirements.python == "==3.8.*"
    assert requirements.lines == (
        "pandas==1.3.0",
        "six>=1.16",
        "--extra-index-url https://example.org/simple",
    )
    assert "only the lines that install Python packages" in requirements.approximations[0]


def test_conda_lines_are_followed(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text("dependencies: [python=3.10, {pip: [six]}]\n")
    requirements = read(
        tmp_path,
        """FROM mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04
RUN conda env create -p /envs/x -f conda.yaml -q && rm conda.yaml
RUN conda install -n x -c conda-forge 'numpy=1.22' -y
RUN conda run -p /envs/x pip install pyjokes
""",
    )
    assert requirements.python == "==3.10.*"
    assert requirements.lines == ("six", "numpy==1.22.*", "pyjokes")


def test_a_curated_base_counts(tmp_path: Path) -> None:
    requirements = read(
        tmp_path, "FROM mcr.microsoft.com/azureml/curated/sklearn-1.5:latest\nRUN pip install six\n"
    )
    assert requirements.lines == (*table()["sklearn-1.5"].requirements, "six")
    assert requirements.python == "==3.10.*"


@pytest.mark.parametrize(
    "dockerfile",
    ["FROM rocker/tidyverse\nRUN R -e 'install()'\n", "FROM x\nRUN cat <<'E\n", "RUN pip freeze\n"],
)
def test_a_dockerfile_without_packages_is_refused(tmp_path: Path, dockerfile: str) -> None:
    with pytest.raises(EnvironmentBuildError, match="nothing is built with Docker") as raised:
        read(tmp_path, dockerfile)
    assert "conda_file" in raised.value.hint


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentBuildError, match="Dockerfile, which is not there"):
        read_context(BuildContext(path=str(tmp_path)), where="environment e", search_path="")
    with pytest.raises(EnvironmentBuildError, match=r"there is no .*requirements\.txt"):
        read(tmp_path, "RUN pip install -r requirements.txt\n")
    with pytest.raises(EnvironmentBuildError, match=r"conda\.yml, which cannot be read"):
        read(tmp_path, "RUN conda env create -f conda.yml\n")
    (tmp_path / "conda.yml").write_text("[]")
    with pytest.raises(EnvironmentBuildError, match="which is no conda file"):
        read(tmp_path, "RUN conda env create -f conda.yml\n")


@pytest.mark.parametrize(
    ("image", "specifier"),
    [
        ("python", ""),
        ("library/python:3.11.6", "==3.11.*"),
        ("docker.io/python:3.8-slim", "==3.8.*"),
        ("pytorch/pytorch:3.1", ""),
    ],
)
def test_pythons_own_images_say_their_version(image: str, specifier: str) -> None:
    assert python_of_image(image) == specifier
