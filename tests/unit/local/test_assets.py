from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.lab import Lab

from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.local.assets import parse_reference
from amlocal.plan import (
    Component,
    DataAsset,
    Environment,
    Input,
    Job,
    ParentInput,
    PipelineComponent,
    Step,
)


@pytest.fixture
def component(lab: Lab) -> Component:
    code = lab.write("src/run.sh", "echo hi\n").parent
    return Component(
        name="train",
        command="sh run.sh",
        code=str(code),
        inputs={"n": Input(type="integer", default=1)},
        source="train.yml",
    )


def test_a_component_outlives_its_files(lab: Lab, component: Component) -> None:
    added = lab.client.components.create_or_update(component)
    assert (added.name, added.version, added.type) == ("train", "1", "command")
    (lab.project / "src" / "run.sh").unlink()
    kept = lab.client.jobs.assets.component("train", None, "latest")
    assert kept.code is not None
    assert (Path(kept.code) / "run.sh").read_text() == "echo hi\n"
    assert (kept.inputs, kept.source) == (component.inputs, "")


def test_a_pipeline_component_outlives_its_files(lab: Lab, component: Component) -> None:
    step = Step(name="train", component=component, inputs={"n": ParentInput(name="n")})
    pipeline = PipelineComponent(
        job=Job(type="pipeline", steps=(step,), experiment_name="", source="pipeline.yml"),
        inputs={"n": Input(type="integer")},
        name="night",
    )
    added = lab.client.components.create_or_update(pipeline)
    assert (added.name, added.version, added.type) == ("night", "1", "pipeline")
    (lab.project / "src" / "run.sh").unlink()
    kept = lab.client.jobs.assets.pipeline_component("night", None, "latest")
    assert (kept.inputs, kept.version, kept.job.source) == (pipeline.inputs, "1", "")
    (found,) = kept.job.steps
    assert found.inputs == step.inputs
    assert found.component.code is not None
    assert (Path(found.component.code) / "run.sh").read_text() == "echo hi\n"


def test_a_component_is_taken_for_what_it_is(lab: Lab, component: Component) -> None:
    lab.client.components.create_or_update(component)
    with pytest.raises(NotFoundError, match="component train:1 is a command, not a pipeline"):
        lab.client.jobs.assets.pipeline_component("train", None, None)


def test_the_same_component_again_is_another_version(lab: Lab, component: Component) -> None:
    lab.client.components.create_or_update(component)
    lab.write("src/run.sh", "echo other\n")
    added = lab.client.components.create_or_update(component)
    assert added.version == "2"
    old = lab.client.jobs.assets.component("train", "1", None)
    assert old.code is not None
    assert (Path(old.code) / "run.sh").read_text() == "echo hi\n"


def test_what_is_used_tells_the_version_that_the_workspace_gave(
    lab: Lab, component: Component
) -> None:
    lab.client.components.create_or_update(component)
    lab.client.environments.create_or_update(Environment(name="env", image="base"))
    assert lab.client.jobs.assets.component("train", None, "latest").version == "1"
    environment = lab.client.jobs.services.find_environment("azureml:env@latest")
    assert environment is not None
    assert environment.version == "1"


def test_a_version_does_not_change(lab: Lab, component: Component) -> None:
    fixed = replace(component, version="3")
    first = lab.client.components.create_or_update(fixed)
    assert lab.client.components.create_or_update(fixed) == first
    with pytest.raises(UsageError, match="component train:3 exists with another content"):
        lab.client.components.create_or_update(replace(fixed, command="sh other.sh"))


def test_an_asset_has_a_name(lab: Lab) -> None:
    for kind, asset in (
        ("component", Component(command="true")),
        ("environment", Environment(image="x")),
        ("data asset", DataAsset(name="", path=str(lab.project))),
    ):
        with pytest.raises(UsageError, match=f"the {kind} has no name"):
            {"component": lab.client.components, "environment": lab.client.environments}.get(
                kind, lab.client.data
            ).create_or_update(asset)


def test_nothing_given_is_an_error(lab: Lab) -> None:
    with pytest.raises(UsageError, match="nothing says which data to create"):
        lab.client.data.create_or_update(None, version=None)


def test_local_data_is_taken_in_as_a_copy(lab: Lab) -> None:
    file = lab.write("raw/rows.csv", "1,2\n")
    added = lab.client.data.create_or_update(
        DataAsset(name="rows", path=str(file), type="uri_file", tags={"a": "b"})
    )
    file.write_text("changed")
    assert added.path.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    assert added.path.endswith("/rows.csv")
    assert lab.services.locations.place(added.path).read_text() == "1,2\n"
    assert lab.services.locations.place("azureml:rows:1").read_text() == "1,2\n"
    assert (added.type, added.tags) == ("uri_file", {"a": "b"})


def test_data_at_an_address_is_not_copied(lab: Lab) -> None:
    address = "https://user:key@example.net/rows.csv?sig=secret"
    added = lab.client.data.create_or_update(DataAsset(name="far", path=address))
    assert (added.path, added.digest) == ("https://example.net/rows.csv", "")


def test_data_that_is_not_there_is_an_error(lab: Lab) -> None:
    with pytest.raises(TargetError, match="there is no data at /nothing"):
        lab.client.data.create_or_update(DataAsset(name="x", path="/nothing"))
    assert lab.client.data.list() == []


def test_an_environment_is_found_by_its_reference(lab: Lab) -> None:
    environment = Environment(name="env", conda={"dependencies": ["pip"]}, version="2")
    lab.client.environments.create_or_update(environment)
    registered = lab.client.jobs.services.find_environment
    assert registered("azureml:env@latest") == environment
    assert registered("azureml:env:2") == environment
    assert registered("azureml:sklearn-1.5@latest") is None
    with pytest.raises(NotFoundError, match="no version of environment env named '9'"):
        registered("azureml:env:9")


def test_assets_are_listed_and_archived(lab: Lab) -> None:
    for version in ("1", "2"):
        lab.client.environments.create_or_update(
            Environment(name="env", image="x", version=version)
        )
    environments = lab.client.environments
    assert [asset.version for asset in environments.list()] == ["2"]
    environments.archive("env", "2")
    assert [asset.version for asset in environments.list()] == ["1"]
    environments.restore("env")
    assert [asset.version for asset in environments.list("env")] == ["2", "1"]
    assert environments.get("env", label="latest").version == "2"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("azureml:env:2", ("env", "2", None)),
        ("azureml:env@latest", ("env", None, "latest")),
        ("env", ("env", None, None)),
        ("env:1", ("env", "1", None)),
    ],
)
def test_references_are_split(reference: str, expected: tuple[str, str | None, str | None]) -> None:
    assert parse_reference(reference) == expected
