from __future__ import annotations

import time
from pathlib import Path

import pytest

from amlocal.errors import TrackingError, UsageError
from amlocal.local.tracking.artifacts import root_of
from amlocal.local.tracking.client import TrackingClient
from amlocal.local.tracking.values import Run

NAMES = ["a b/ü 漢.txt", "a b/50% + ?&=.txt", "empty", "deep/er/x.bin"]


@pytest.fixture
def run(tracking: TrackingClient) -> Run:
    return tracking.create_run(tracking.experiment("artifacts"), "r", start_time=time.time())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        file = tmp_path / "source" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"" if name == "empty" else name.encode() * 1000)
    return tmp_path / "source"


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_folder_comes_back_as_it_went(
    tracking: TrackingClient, run: Run, folder: Path, tmp_path: Path
) -> None:
    tracking.upload(run, folder, "my model/v 1")
    place = tracking.download(run.artifact_uri, "my model", tmp_path / "target")
    assert place == tmp_path / "target" / "my model"
    assert content_of(place / "v 1") == content_of(folder)


def test_all_artifacts_of_a_run_come(
    tracking: TrackingClient, run: Run, folder: Path, tmp_path: Path
) -> None:
    tracking.upload(run, folder)
    assert tracking.download(run.artifact_uri, "", tmp_path / "all") == tmp_path / "all"
    assert content_of(tmp_path / "all") == content_of(folder)


def test_a_file_keeps_its_name(
    tracking: TrackingClient, run: Run, folder: Path, tmp_path: Path
) -> None:
    tracking.upload(run, folder / NAMES[0], "one")
    found = tracking.download(run.artifact_uri, "one/ü 漢.txt", tmp_path)
    assert found.read_bytes() == (folder / NAMES[0]).read_bytes()


def test_folders_are_listed(tracking: TrackingClient, run: Run, folder: Path) -> None:
    tracking.upload(run, folder)
    listed = tracking.list_artifacts(run.artifact_uri)
    assert [(item.path, item.is_dir) for item in listed] == [
        ("a b", True),
        ("deep", True),
        ("empty", False),
    ]
    (file,) = tracking.list_artifacts(run.artifact_uri, "deep/er")
    assert (file.path, file.file_size) == ("deep/er/x.bin", 13_000)
    assert tracking.list_artifacts(run.artifact_uri, "nowhere") == []


def test_names_that_mlflow_cannot_keep_are_told_after_the_rest_is_there(
    tracking: TrackingClient, run: Run, tmp_path: Path
) -> None:
    for name in ("a#b", "a%20b", "good"):
        (tmp_path / name).write_text(name)
    with pytest.raises(TrackingError, match=r"a#b, .*a%20b") as caught:
        tracking.upload(run, tmp_path)
    assert "rename" in caught.value.hint
    assert [item.path for item in tracking.list_artifacts(run.artifact_uri)] == ["good"]


def test_a_linked_folder_is_followed_once(tracking: TrackingClient, run: Run, folder: Path) -> None:
    (folder / "deep" / "loop").symlink_to(folder, target_is_directory=True)
    tracking.upload(run, folder)
    assert tracking.list_artifacts(run.artifact_uri, "deep/loop") == []
    assert tracking.list_artifacts(run.artifact_uri, "deep/er")


def test_what_is_not_there_is_named(tracking: TrackingClient, run: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no file or folder .*missing"):
        tracking.upload(run, tmp_path / "missing")
    with pytest.raises(TrackingError, match="No such artifact"):
        tracking.download(run.artifact_uri, "missing/file", tmp_path / "target")
    assert not list((tmp_path / "target" / "missing").iterdir())


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("mlflow-artifacts:/1/abc/artifacts", "1/abc/artifacts"),
        ("mlflow-artifacts://127.0.0.1:5000/1/abc/a?b", "1/abc/a?b"),
        ("mlflow-artifacts:/", ""),
    ],
)
def test_an_address_stands_for_a_path(uri: str, expected: str) -> None:
    assert root_of(uri) == expected


def test_other_addresses_are_refused() -> None:
    with pytest.raises(TrackingError, match="s3://bucket"):
        root_of("s3://bucket/x")
