from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlflowapp.folders import CopyError, copy_model, remove_unfinished


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "data" / "empty").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "data" / "weights ü.bin").write_bytes(b"1" * 100_000)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "artifacts" / "models"


def test_all_that_is_in_the_folder_is_copied(model: Path, kept: Path) -> None:
    copy = copy_model(model, kept)
    assert list(kept.iterdir()) == [copy]
    found = {path.relative_to(copy).as_posix() for path in copy.rglob("*")}
    assert found == {"MLmodel", "data", "data/empty", "data/weights ü.bin"}
    assert (copy / "data" / "weights ü.bin").read_bytes() == b"1" * 100_000
    assert copy_model(model, kept) != copy


def test_what_is_no_model_is_not_copied(model: Path, kept: Path, tmp_path: Path) -> None:
    (model / "MLmodel").rename(model / "data" / "MLmodel")
    for source in (model, tmp_path / "none", model / "data" / "MLmodel"):
        with pytest.raises(CopyError, match="no folder of an MLflow model"):
            copy_model(source, kept)
    (model / "MLmodel").symlink_to(model / "data" / "MLmodel")
    with pytest.raises(CopyError, match="MLmodel is no file"):
        copy_model(model, kept)
    assert not kept.exists()


@pytest.mark.parametrize("place", ["link", "data/link"])
@pytest.mark.parametrize("target", ["secret", "private/secret", "private", "gone"])
def test_links_are_refused_and_nothing_is_left(
    model: Path, kept: Path, tmp_path: Path, place: str, target: str
) -> None:
    (tmp_path / "private").mkdir()
    for secret in (tmp_path / "secret", tmp_path / "private" / "secret"):
        secret.write_text("mine")
    (model / place).symlink_to(tmp_path / target)
    with pytest.raises(CopyError, match=f"{place} in .* is a link"):
        copy_model(model, kept)
    assert list(kept.iterdir()) == []


def test_a_pipe_is_refused_and_not_waited_for(model: Path, kept: Path) -> None:
    os.mkfifo(model / "data" / "pipe")
    with pytest.raises(CopyError, match=r"data/pipe in .* is no file"):
        copy_model(model, kept)
    assert list(kept.iterdir()) == []


def test_a_disk_that_cannot_be_written_is_told(model: Path, kept: Path) -> None:
    kept.parent.mkdir()
    kept.write_text("a file in its place")
    with pytest.raises(CopyError, match="cannot be copied"):
        copy_model(model, kept)


def test_what_a_killed_server_left_is_removed(model: Path, kept: Path) -> None:
    remove_unfinished(kept)  # nothing there yet
    copy = copy_model(model, kept)
    (kept / ".unfinished-1" / "data").mkdir(parents=True)
    remove_unfinished(kept)
    assert list(kept.iterdir()) == [copy]
