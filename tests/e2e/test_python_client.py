"""Jobs built with azure-ai-ml, through `amlocal.connect()`, as they are sent with `MLClient`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lab import share

import amlocal
from amlocal.errors import NotFoundError, SpecError
from amlocal.plan import JobInfo, JobStatus

# The SDK's own use of marshmallow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SCALE = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: scale
version: 1
inputs:
  numbers: {type: uri_file}
  factor: {type: integer, default: 2, max: 100}
outputs:
  scaled: {type: uri_file}
command: awk '{print $1 * ${{inputs.factor}}}' ${{inputs.numbers}} > ${{outputs.scaled}}
environment: {image: python}
"""
TOTAL = """\
import pathlib
import sys

total = sum(int(line) for line in open(sys.argv[1]))
print("total", total)
pathlib.Path(sys.argv[2], "total.txt").write_text(str(total))
"""
BY_NAME = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
inputs:
  numbers: {type: uri_file, path: "azureml:few@latest"}
outputs:
  report: {name: sums, version: 3}
jobs:
  scaled:
    component: azureml:scale@latest
    inputs: {numbers: "${{parent.inputs.numbers}}", factor: 10}
  summed:
    component: azureml:total:1
    environment: azureml:plain@latest
    inputs: {numbers: "${{parent.jobs.scaled.outputs.scaled}}"}
    outputs: {report: "${{parent.outputs.report}}"}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name, text in {
        "scale.yml": SCALE,
        "src/total.py": TOTAL,
        "numbers.txt": "1\n2\n3\n",
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(autouse=True)
def here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the project's folder, to which the paths of objects are relative."""
    monkeypatch.chdir(project)


@pytest.fixture(scope="module")
def client(project: Path, shared_folder: Path) -> Iterator[Any]:
    share(project / ".amlocal", shared_folder)
    opened: Any = amlocal.connect(path=project / ".amlocal")
    yield opened
    assert opened.workspace.show().running == ()


@pytest.fixture(scope="module")
def sdk() -> Any:
    import azure.ai.ml

    return azure.ai.ml


@pytest.fixture
def numbers(sdk: Any) -> Any:
    return sdk.Input(type="uri_file", path="numbers.txt")


@pytest.fixture
def total(sdk: Any) -> Any:
    return sdk.command(
        name="total",
        code="src",
        command="python total.py ${{inputs.numbers}} ${{outputs.report}}",
        inputs={"numbers": sdk.Input(type="uri_file")},
        outputs={"report": sdk.Output(type="uri_folder")},
        environment=sdk.entities.Environment(image="python"),
    )


def ran(client: Any, job: Any, **given: Any) -> JobInfo:
    submitted = client.jobs.create_or_update(job, **given)
    assert not submitted.status.is_terminal
    info: JobInfo = client.jobs.stream(submitted.name)
    assert info.status is JobStatus.COMPLETED, info.error
    return info


def test_a_command_runs(
    client: Any, total: Any, numbers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    info = ran(client, total(numbers=numbers), experiment_name="sums", tags={"team": "a.b"})
    assert (info.type, info.experiment_name, info.tags) == ("command", "sums", {"team": "a.b"})
    assert Path(info.outputs["report"].path, "total.txt").read_text() == "6"
    assert "\ntotal 6\n" in capsys.readouterr().out


def test_a_pipeline_of_files_and_commands_runs(
    client: Any, sdk: Any, total: Any, numbers: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = sdk.load_component("scale.yml")

    @sdk.dsl.pipeline(description="Scales twice.", experiment_name="scaling")
    def scaling(numbers, factor=3):
        once = scale(numbers=numbers, factor=factor)
        twice = scale(numbers=once.outputs.scaled)
        summed = total(numbers=twice.outputs.scaled)
        return {"report": summed.outputs.report, "once": once.outputs.scaled}

    info = ran(client, scaling(numbers=numbers, factor=5))
    assert (info.display_name, info.experiment_name) == ("scaling", "scaling")
    assert [step.step for step in info.children] == ["once", "twice", "summed"]
    assert Path(info.outputs["once"].path).read_text() == "5\n10\n15\n"
    assert Path(info.outputs["report"].path, "total.txt").read_text() == "60"
    assert "summed | total 60\n" in capsys.readouterr().out
    again = ran(client, scaling(numbers=numbers, factor=5))
    assert all(step.reused_from for step in again.children)


def test_what_is_registered_is_used_by_name(
    client: Any, sdk: Any, total: Any, project: Path
) -> None:
    entities = sdk.entities
    scale = client.components.create_or_update(sdk.load_component("scale.yml"), version="7")
    assert (scale.name, scale.version) == ("scale", "7")
    assert client.components.create_or_update(total.component).version == "1"
    client.environments.create_or_update(entities.Environment(name="plain", image="python"))
    few = project / "few.txt"
    few.write_text("4\n5\n")
    client.data.create_or_update(entities.Data(name="few", path="few.txt", type="uri_file"))
    few.unlink()
    (project / "by_name.yml").write_text(BY_NAME)
    info = ran(client, "by_name.yml")
    assert Path(info.outputs["report"].path, "total.txt").read_text() == "90"
    assert [step.component for step in info.children] == ["scale:7", "total:1"]
    assert client.data.get("sums", label="latest").version == "3"
    # The same file, loaded by the SDK, is the same job.
    again = ran(client, sdk.load_job("by_name.yml"))
    assert [step.component for step in again.children] == ["scale:7", "total:1"]
    assert all(step.reused_from for step in again.children)


def test_a_model_that_a_job_writes_is_registered_and_used(client: Any, sdk: Any) -> None:
    writes = sdk.command(
        command="mkdir -p ${{outputs.model}} && echo weights > ${{outputs.model}}/model.bin",
        outputs={"model": sdk.Output(type="custom_model", name="mean")},
        environment=sdk.entities.Environment(image="python"),
    )
    ran(client, writes)
    assert client.models.get("mean", label="latest").version == "1"
    reads = sdk.command(
        command="cat ${{inputs.model}}/model.bin > outputs/copy.bin",
        inputs={"model": sdk.Input(type="custom_model", path="azureml:mean@latest")},
        environment=sdk.entities.Environment(image="python"),
    )
    info = ran(client, reads)
    folder = client.jobs.download(info.name, download_path=Path("downloads"))
    assert (folder / "artifacts/outputs/copy.bin").read_text() == "weights\n"


def test_what_is_wrong_is_told_before_anything_runs(client: Any, sdk: Any, numbers: Any) -> None:
    scale = sdk.load_component("scale.yml")

    @sdk.dsl.pipeline
    def wrong(numbers):
        scale(numbers=numbers, factor=101)
        scale(numbers=numbers, factor="ten")

    before = len(client.jobs.list())
    with pytest.raises(SpecError) as error:
        client.jobs.create_or_update(wrong(numbers=numbers))
    assert len(error.value.problems) == 2
    assert len(client.jobs.list()) == before
    with pytest.raises(NotFoundError, match="no component named 'scales'"):
        client.components.get("scales")
