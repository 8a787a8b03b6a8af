"""Collections as data assets."""

from __future__ import annotations

import pytest
from tests.unit.local.endpoints.stage import Stage

from amlocal.errors import NotFoundError, UsageError
from amlocal.plan import DataCollection, DataCollector

FOLDER = "modelDataCollector/adult/blue"


def collector(**collections: DataCollection) -> DataCollector:
    return DataCollector(collections=collections)


def test_collections_are_data_assets(stage: Stage) -> None:
    stage.endpoint()
    collected = collector(
        model_inputs=DataCollection(),
        model_outputs=DataCollection(data="predictions:7"),
        request=DataCollection(enabled=False),
    )
    stage.deploy(data_collector=collected)
    found = {(asset.name, asset.version): asset for asset in stage.client.data.list()}
    assert set(found) == {("adult-blue-model_inputs", "1"), ("predictions", "7")}
    asset = found["adult-blue-model_inputs", "1"]
    assert asset.type == "uri_folder"
    assert asset.path == f"azureml://datastores/workspaceblobstore/paths/{FOLDER}/model_inputs"
    # A job that takes it before anything was collected gets an empty folder.
    place = stage.project / ".amlocal/datastores/workspaceblobstore" / FOLDER / "model_inputs"
    assert list(place.iterdir()) == []
    # An update leaves them as they are, and so does the end of the deployment.
    stage.deploy(data_collector=collected)
    stage.client.online_endpoints.begin_delete("adult").result(60)
    assert len(stage.client.data.list("adult-blue-model_inputs")) == 1
    assert place.is_dir()


def test_an_asset_of_other_data_is_not_taken_over(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy(data_collector=collector(model_inputs=DataCollection(data="rows:1")))
    other = stage.plan(data_collector=collector(model_outputs=DataCollection(data="rows:1")))
    with pytest.raises(UsageError, match=r"collections\.model_outputs: data rows:1 is registered"):
        stage.client.online_deployments.begin_create_or_update(other)
    # Nothing of it is left, and what served goes on.
    versions = stage.client.online_deployments.supervision.layout.versions("adult", "blue")
    assert len(list(versions.iterdir())) == 1
    assert stage.client.online_deployments.get("blue", "adult").provisioning_state == "Succeeded"


def test_without_a_collector_nothing_is_registered(stage: Stage) -> None:
    stage.endpoint()
    stage.deploy()
    assert list(stage.client.data.list()) == []
    with pytest.raises(NotFoundError):
        stage.client.data.get("adult-blue-model_inputs")
