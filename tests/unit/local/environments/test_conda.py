from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amlocal.errors import EnvironmentBuildError
from amlocal.local.environments.choice import Requirements
from amlocal.local.environments.conda import PIP_NAMES, PROGRAMS, read_conda


def read(*dependencies: object, search_path: str = "", **rest: Any) -> Requirements:
    conda = {"dependencies": list(dependencies), **rest}
    return read_conda(conda, where="environment e", search_path=search_path)


@pytest.mark.parametrize(
    ("dependency", "line"),
    [
        ("scikit-learn", "scikit-learn"),
        ("scikit-learn=1.5", "scikit-learn==1.5.*"),
        ("scikit-learn=1.5.*", "scikit-learn==1.5.*"),
        ("scikit-learn==1.5.1", "scikit-learn==1.5.1"),
        ("numpy>=1.22,<2", "numpy>=1.22,<2"),
        ("numpy >=1.22, <2", "numpy>=1.22,<2"),
        ("pandas~=2.2", "pandas~=2.2"),
        ("pandas!=2.0", "pandas!=2.0"),
        ("pandas>=1.5.*", "pandas>=1.5"),
        ("numpy=1.22=py310h1234_0", "numpy==1.22.*"),
        ("numpy 1.22.* py310h1234_0", "numpy==1.22.*"),
        ("numpy 1.22", "numpy==1.22"),
        ("numpy=2.0.0rc1", "numpy==2.0.0rc1"),
        ("conda-forge::lightgbm=4.6", "lightgbm==4.6.*"),
        ("xgboost[version='>=1.7,<2']", "xgboost>=1.7,<2"),
        ("pytorch=2.2.2", "torch==2.2.2.*"),
        ("matplotlib-base", "matplotlib"),
        ("mlflow=*", "mlflow"),
        ("librosa", "librosa"),
    ],
)
def test_a_dependency_becomes_a_requirement_line(dependency: str, line: str) -> None:
    assert read(dependency).lines == (line,)


@pytest.mark.parametrize(
    "dependency",
    [
        "scikit-learn=1.2.2",
        "scikit-learn=1.3",
        "pandas~=1.5.3",
        "pandas<2",
        "scipy<=1.12",
        "scipy<1.13",
    ],
)
def test_packages_that_were_built_for_numpy_1_bring_it(dependency: str) -> None:
    assert read(dependency, "numpy").lines[-1] == "numpy<2"


@pytest.mark.parametrize(
    "dependency",
    [
        *("scikit-learn=1.4", "scikit-learn~=1.2", "scikit-learn>=1.2", "scikit-learn!=1.2"),
        *("scipy<1.14", "scipy=1.13", "joblib=1.2", "scikit-learn"),
    ],
)
def test_other_packages_leave_numpy_open(dependency: str) -> None:
    assert read(dependency, "numpy").lines[-1] == "numpy"


@pytest.mark.parametrize(
    ("dependency", "specifier"),
    [
        ("python=3.8", "==3.8.*"),
        ("python=3.8.5", "==3.8.*"),
        ("python==3.10.13", "==3.10.*"),
        ("python>=3.9,<3.12", ">=3.9,<3.12"),
        ("python", ""),
    ],
)
def test_python_is_asked_for_by_minor_version(dependency: str, specifier: str) -> None:
    requirements = read(dependency)
    assert requirements.python == specifier
    assert requirements.lines == ()


def test_the_pip_section_is_kept_as_it_is_and_pip_itself_is_no_requirement() -> None:
    requirements = read(
        "pip=21.2", "pip", {"pip": ["pyjokes  # a joke", "", "pkg[a,b]>=1; python_version > '3.8'"]}
    )
    assert requirements.lines == ("pyjokes", "pkg[a,b]>=1; python_version > '3.8'")


def test_libraries_that_wheels_bring_are_named_and_left_out() -> None:
    requirements = read("cudatoolkit=11.1", "mkl", "libgcc-ng", "pytorch-cuda=11.8", "numpy")
    assert requirements.lines == ("numpy",)
    assert [text.split()[2] for text in requirements.approximations] == [
        "cudatoolkit",
        "mkl",
        "libgcc-ng",
        "pytorch-cuda",
    ]


def test_a_program_is_this_machines(tmp_path: Path) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (approximation,) = read("ffmpeg=4", search_path=str(tmp_path)).approximations
    assert str(program) in approximation


@pytest.mark.parametrize(
    ("dependency", "words"),
    [
        ("ffmpeg", "no 'ffmpeg' in PATH"),
        ("r-dplyr", "the R package r-dplyr"),
        ("numpy=1.22|1.23", "of numpy has no equivalent"),
        ("=1.5", "no conda dependency"),
    ],
)
def test_what_cannot_be_had_is_an_error_that_names_it(dependency: str, words: str) -> None:
    with pytest.raises(EnvironmentBuildError, match="environment e") as raised:
        read(dependency)
    assert words in str(raised.value)


@pytest.mark.parametrize("line", ["-r requirements.txt", "-e .", "./pkg.whl", "wheels/a-1.whl"])
def test_a_file_beside_the_conda_file_is_not_sent_to_azure(line: str) -> None:
    with pytest.raises(EnvironmentBuildError, match="not sent to Azure ML") as raised:
        read({"pip": [line]})
    assert line in str(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        "-e git+https://example.org/p.git#egg=p",
        "pkg @ https://example.org/p-1-py3-none-any.whl",
        "--extra-index-url https://example.org/simple",
        "https://example.org/p-1-py3-none-any.whl",
    ],
)
def test_addresses_are_left_to_the_installer(line: str) -> None:
    assert read({"pip": [line]}).lines == (line,)


def test_variables_and_uncommon_channels() -> None:
    requirements = read(
        "numpy", channels=["conda-forge", "https://example.org/ch"], variables={"B": 1, "A": "x"}
    )
    assert requirements.variables == (("A", "x"), ("B", "1"))
    (approximation,) = requirements.approximations
    assert "https://example.org/ch" in approximation


@pytest.mark.parametrize("conda", [{"dependencies": "numpy"}, {"dependencies": [{"pip": "a"}]}])
def test_a_text_where_a_list_belongs_is_an_error(conda: dict[str, Any]) -> None:
    with pytest.raises(EnvironmentBuildError, match="is no list"):
        read_conda(conda, where="environment e", search_path="")


def test_an_empty_conda_file_asks_for_nothing() -> None:
    assert read_conda({"name": "x"}, where="e", search_path="") == Requirements()


def test_the_tables_do_not_contradict_each_other() -> None:
    assert not PIP_NAMES.keys() & PROGRAMS.keys()
    assert all(read(name).lines == (pip,) for name, pip in PIP_NAMES.items())
