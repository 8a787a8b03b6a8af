from __future__ import annotations

from pathlib import Path

from amlocal.local.model_tags import asset_info, is_archived, tags_of
from amlocal.local.tracking.values import ModelVersion
from amlocal.plan import ModelAsset


def test_fields_that_mlflow_lacks_come_back_from_tags(tmp_path: Path) -> None:
    model = ModelAsset(
        name="m",
        path="https://user:pw@host/m?sig=secret",
        type="triton_model",
        tags={"team": "blue"},
        properties={"auc": "0.9"},
        stage="Production",
    )
    tags = tags_of(model, "d1")
    assert tags["amlocal.path"] == "https://host/m"
    info = asset_info(ModelVersion(name="m", version="3", tags=tags), tmp_path, {"run_id": "r"})
    assert (info.type, info.digest, info.tags) == ("triton_model", "d1", {"team": "blue"})
    assert info.properties == {"auc": "0.9", "stage": "Production", "run_id": "r"}


def test_a_version_without_our_tags_is_what_its_files_say(tmp_path: Path) -> None:
    version = ModelVersion(name="m", version="1", source="s3://b/m", creation_time=86_400_000)
    assert asset_info(version, tmp_path).type == "custom_model"
    (tmp_path / "MLmodel").write_text("")
    info = asset_info(version, tmp_path)
    assert (info.type, info.creation_time) == ("mlflow_model", "1970-01-02T00:00:00+00:00")
    assert asset_info(version, None).path == "s3://b/m"


def test_only_the_tag_true_hides_a_version() -> None:
    hidden = ModelVersion(name="m", version="1", tags={"amlocal.archived": "true"})
    assert is_archived(hidden)
    assert not is_archived(ModelVersion(name="m", version="1", tags={"amlocal.archived": "no"}))
