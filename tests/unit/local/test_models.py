from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from amlocal.client import AssetOperations
from amlocal.errors import NotFoundError, TargetError, UsageError
from amlocal.local.digests import Digests
from amlocal.local.models import ModelOperations, ModelRegistry
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.server import TrackingServer
from amlocal.local.tracking.values import Dataset, DatasetInput, Run
from amlocal.plan import ModelAsset, Output


def load(source: Any, *, overrides: Sequence[str] = ()) -> ModelAsset:
    """Read a model's values; overrides are of the form `field=text`."""
    return msgspec.structs.replace(source, **dict(item.split("=") for item in overrides))


@pytest.fixture(scope="module")
def registry(tracking_server: TrackingServer) -> ModelRegistry:
    return ModelRegistry(tracking_server)


@pytest.fixture
def models(registry: ModelRegistry, tmp_path: Path) -> ModelOperations:
    def resolve(address: str) -> Path:
        place = tmp_path / address.rsplit("/", 1)[-1] if "://" in address else Path(address)
        if not place.exists():
            raise TargetError(f"nothing at {address}")
        return place

    return ModelOperations(registry, load, resolve, prepare=lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "my model"
    (place / "data").mkdir(parents=True)
    (place / "MLmodel").write_text("flavors: {}\n")
    (place / "data" / "weights ü.bin").write_bytes(b"\0" * 5000)
    return place


@pytest.fixture
def name() -> str:
    return f"m-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def run(tracking: TrackingClient, folder: Path) -> Run:
    tags = {"amlocal.job": f"job-{folder.parent.name}", "mlflow.source.git.commit": "abc"}
    run = tracking.create_run(tracking.experiment("models"), "r", tags=tags, start_time=time.time())
    tracking.upload(run, folder, "model")
    return run


def test_a_folder_becomes_a_version(
    models: ModelOperations, folder: Path, name: str, tmp_path: Path
) -> None:
    operations: AssetOperations = models
    asset = ModelAsset(
        name=name,
        path=str(folder),
        type="mlflow_model",
        description="first",
        tags={"team": "blue"},
        properties={"auc": "0.9"},
        stage="Production",
    )
    info = operations.create_or_update(asset)
    assert (info.kind, info.name, info.version, info.type) == ("model", name, "1", "mlflow_model")
    assert (info.description, info.tags) == ("first", {"team": "blue"})
    assert info.properties == {"auc": "0.9", "stage": "Production"}
    digests = Digests(tmp_path / "digests.db")
    assert info.digest == digests.content(folder) == digests.content(Path(info.path))
    digests.close()
    assert operations.get(name, "1") == info
    created = dt.datetime.fromisoformat(info.creation_time)
    assert dt.timedelta() <= dt.datetime.now(dt.timezone.utc) - created < dt.timedelta(minutes=1)


def test_fields_alone_and_fields_over_a_file(
    models: ModelOperations, folder: Path, name: str
) -> None:
    file = folder / "data" / "weights ü.bin"
    first = models.create_or_update(None, name=name, path=str(file), version=None)
    assert (first.version, first.type, Path(first.path).name) == ("1", "custom_model", file.name)
    asset = ModelAsset(name="other", path=str(folder))
    second = models.create_or_update(asset, overrides=["description=d"], name=name, version="2")
    assert (second.name, second.version, second.description) == (name, "2", "d")


def test_the_same_version_again_changes_what_is_said_of_it(
    models: ModelOperations, folder: Path, name: str
) -> None:
    asset = ModelAsset(name=name, path=str(folder), version="1", tags={"a": "1"})
    first = models.create_or_update(asset)
    again = models.create_or_update(
        msgspec.structs.replace(asset, tags={"b": "2"}, description="now")
    )
    assert (again.version, again.path) == ("1", first.path)
    assert (again.description, again.tags) == ("now", {"a": "1", "b": "2"})
    (folder / "MLmodel").write_text("changed")
    with pytest.raises(UsageError, match="is there with other content"):
        models.create_or_update(asset)
    assert [info.version for info in models.list(name)] == ["1"]


def test_a_version_out_of_turn_is_refused(models: ModelOperations, folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="the next one is 1") as caught:
        models.create_or_update(None, name=name, path=str(folder), version="7")
    assert caught.value.hint == "leave the version out"
    with pytest.raises(NotFoundError):
        models.get(name)


def test_a_models_run_is_its_lineage(
    models: ModelOperations, tracking: TrackingClient, run: Run, name: str
) -> None:
    dataset = Dataset(name="adult", digest="d1", source_type="local", source="{}")
    tracking.log_inputs(run.run_id, [DatasetInput(dataset=dataset, context="train")])
    info = models.create_or_update(None, name=name, path=f"runs:/{run.run_id}/model")
    assert info.properties["run_id"] == run.run_id
    assert info.properties["mlflow.source.git.commit"] == "abc"
    assert info.properties["amlocal.job"].startswith("job-")
    assert info.properties["data.train"] == "adult@d1"
    # The files stay where the run has them.
    assert f"/{run.run_id}/" in info.path
    assert tracking.registry.version(name, "1").run_id == run.run_id


def test_a_jobs_artifact_is_found_by_the_jobs_name(
    models: ModelOperations, run: Run, name: str, folder: Path
) -> None:
    job = f"azureml://jobs/job-{folder.parent.name}/outputs"
    artifact = models.create_or_update(None, name=name, path=f"{job}/artifacts/paths/model/")
    assert artifact.properties["run_id"] == run.run_id
    assert f"/{run.run_id}/artifacts/model" in artifact.path
    # A named output is not among the run's artifacts: its files are copied.
    output = models.create_or_update(None, name=name, path=f"{job}/my model")
    assert (output.version, output.properties["run_id"]) == ("2", run.run_id)
    assert output.digest == artifact.digest
    assert "/registered-models/" in output.path


def test_what_a_path_names_must_be_there(models: ModelOperations, run: Run, name: str) -> None:
    with pytest.raises(NotFoundError, match="no artifact 'nope'"):
        models.create_or_update(None, name=name, path=f"runs:/{run.run_id}/nope")
    with pytest.raises(NotFoundError, match="no run named"):
        models.create_or_update(None, name=name, path="runs:/nope/model")
    with pytest.raises(TargetError, match="nothing at"):
        models.create_or_update(None, name=name, path="azureml://jobs/nope/outputs/x")


def test_versions_are_found_by_number_label_and_alias(
    models: ModelOperations, tracking: TrackingClient, folder: Path, name: str
) -> None:
    for _ in range(2):
        models.create_or_update(None, name=name, path=str(folder))
    tracking.registry.set_alias(name, "champion", "1")
    assert models.get(name).version == "2"
    assert models.get(name, label="latest").version == "2"
    assert models.get(name, label="champion").version == "1"
    assert models.get(name, "1").aliases == ("champion",)
    with pytest.raises(NotFoundError, match=r"no label of model .* named 'champoin'") as caught:
        models.get(name, label="champoin")
    assert caught.value.hint == "did you mean 'champion'?"
    with pytest.raises(NotFoundError, match="no version of model"):
        models.get(name, "3")
    with pytest.raises(NotFoundError, match="no model named") as caught:
        models.get(name + "x")
    assert name in caught.value.hint
    with pytest.raises(UsageError, match="cannot both"):
        models.get(name, "1", label="latest")


def test_archived_versions_are_hidden(models: ModelOperations, folder: Path, name: str) -> None:
    for _ in range(2):
        models.create_or_update(None, name=name, path=str(folder))

    def seen(view: str) -> list[str]:
        versions = [info.version for info in models.list(name, list_view_type=view)]
        latest = [info.version for info in models.list(list_view_type=view) if info.name == name]
        assert latest == versions[:1]
        return versions

    models.archive(name, "2")
    assert (seen("ActiveOnly"), seen("ArchivedOnly"), seen("All")) == (["1"], ["2"], ["2", "1"])
    assert models.get(name).version == "1"
    models.archive(name)
    assert (seen("ActiveOnly"), models.get(name).archived) == ([], True)
    models.restore(name)
    assert seen("ActiveOnly") == ["2", "1"]
    with pytest.raises(UsageError, match="no view 'Active'"):
        models.list(list_view_type="Active")


def test_a_version_is_downloaded(
    models: ModelOperations, folder: Path, name: str, tmp_path: Path
) -> None:
    models.create_or_update(None, name=name, path=str(folder))
    models.create_or_update(None, name=name, path=str(folder / "MLmodel"))
    place = models.download(name, "1", download_path=tmp_path / "here")
    assert place == tmp_path / "here" / name
    assert (place / "data" / "weights ü.bin").read_bytes() == b"\0" * 5000
    single = models.download(name, download_path=tmp_path / "there")
    assert [file.name for file in single.iterdir()] == ["MLmodel"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "m"}, "needs a name and a path"),
        ({"name": "m", "path": "p", "type": "mlflow-model"}, "no model type"),
        ({"name": "m", "path": "p", "pth": "x"}, "no field 'pth'"),
    ],
)
def test_wrong_fields_are_told_before_anything_is_made(
    models: ModelOperations, fields: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        models.create_or_update(None, **fields)


def test_a_jobs_output_is_registered(
    registry: ModelRegistry, models: ModelOperations, run: Run, folder: Path, name: str
) -> None:
    output = Output(type="mlflow_model", name=name, description="from a job")
    assert registry.register_output(output, folder, run_id=run.run_id) == f"{name}:1"
    info = models.get(name)
    assert (info.type, info.description) == ("mlflow_model", "from a job")
    assert info.properties["run_id"] == run.run_id
    assert registry.local_path(name) == Path(info.path)
    with pytest.raises(UsageError, match="without a name"):
        registry.register_output(Output(type="mlflow_model"), folder, run_id=run.run_id)


def test_models_that_scripts_register_are_models_too(
    models: ModelOperations,
    registry: ModelRegistry,
    tracking: TrackingClient,
    run: Run,
    name: str,
) -> None:
    tracking.registry.ensure_model(name)
    for source in (f"runs:/{run.run_id}/model", "s3://bucket/model", f"runs:/{'0' * 32}/gone"):
        tracking.registry.create_version(name, source, tags={"by": "script"})
    infos = {info.version: info for info in models.list(name)}
    assert (infos["1"].type, infos["1"].tags) == ("mlflow_model", {"by": "script"})
    assert registry.local_path(name, "1") == Path(infos["1"].path)
    assert (infos["2"].type, infos["2"].path) == ("custom_model", "s3://bucket/model")
    for version in ("2", "3"):
        with pytest.raises(TargetError, match="are not on this machine"):
            registry.local_path(name, version)


def test_files_that_are_gone_are_told(
    models: ModelOperations, registry: ModelRegistry, folder: Path, name: str
) -> None:
    info = models.create_or_update(None, name=name, path=str(folder / "MLmodel"))
    Path(info.path).unlink()
    with pytest.raises(TargetError, match="are not on this machine"):
        registry.local_path(name, "1")
