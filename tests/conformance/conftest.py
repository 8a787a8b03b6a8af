"""A checkout of Azure/azureml-examples, and one workspace in which its jobs run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.datasets import load_diabetes, load_iris
from tests.e2e.driver import Aml

#: Where the examples find public data; `data/` holds what stands in for it.
MIRRORS = """\
https://azuremlexamples.blob.core.windows.net/datasets/: data
wasbs://datasets@azuremlexamples.blob.core.windows.net/: data
https://dprepdata.blob.core.windows.net/demo/Titanic.csv: data/titanic.csv
"""


@pytest.fixture(scope="session")
def examples() -> Path:
    place = os.environ.get("AZUREML_EXAMPLES")
    if not place:
        pytest.skip("AZUREML_EXAMPLES does not name a checkout of Azure/azureml-examples")
    jobs = Path(place).resolve() / "cli" / "jobs"
    assert jobs.is_dir(), f"{place} has no cli/jobs"
    return jobs


@pytest.fixture(scope="session")
def aml(examples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aml]:
    """The command line in one workspace, so that each environment is built once."""
    project = tmp_path_factory.mktemp("conformance")
    _write_data(project / "data")
    (project / "mirrors.yml").write_text(MIRRORS)
    command = Aml(project, project / ".amlocal")
    yield command
    command.run("workspace", "down")
    assert command.json("workspace", "show")["processes"] == {}


def _write_data(folder: Path) -> None:
    folder.mkdir()
    iris = load_iris(as_frame=True)
    flowers = iris.data.set_axis(
        ["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1
    )
    flowers.assign(species=iris.target_names[iris.target]).to_csv(folder / "iris.csv", index=False)
    load_diabetes(as_frame=True).frame.to_csv(folder / "diabetes.csv", index=False)
    (folder / "titanic.csv").write_text("name,survived\nA passenger,1\n")
