from __future__ import annotations

import threading
from pathlib import Path

import pytest

from amlocal.errors import TargetError
from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests, tree_digest


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    (tmp_path / "workspace").mkdir()
    return Artifacts(tmp_path / "workspace", Digests(tmp_path / "digests.db"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("same")
    (folder / "sub" / "b").write_text("same")
    (folder / "c").write_text("other")
    return folder


def objects(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "workspace" / "objects").rglob("*") if path.is_file()]


def test_equal_content_is_stored_once(artifacts: Artifacts, folder: Path, tmp_path: Path) -> None:
    artifacts.store(folder, link=False)
    assert len(objects(tmp_path)) == 2
    artifacts.store(folder / "c", link=False)
    assert len(objects(tmp_path)) == 2


@pytest.mark.parametrize("link", [True, False])
def test_a_folder_comes_back(artifacts: Artifacts, folder: Path, link: bool) -> None:
    digest = artifacts.store(folder, link=link)
    target = folder.with_name("back")
    artifacts.restore(digest, target)
    assert (target / "a").read_text() == (target / "sub" / "b").read_text() == "same"
    assert (target / "c").read_text() == "other"
    assert artifacts.has(digest)


def test_a_file_comes_back(artifacts: Artifacts, folder: Path) -> None:
    digest = artifacts.store(folder / "c", link=False)
    artifacts.restore(digest, folder / "deep" / "copy")
    assert (folder / "deep" / "copy").read_text() == "other"
    assert artifacts.files(digest) is None


def test_a_linked_file_takes_no_room_and_is_read_only(
    artifacts: Artifacts, folder: Path, tmp_path: Path
) -> None:
    artifacts.store(folder / "c", link=True)
    (stored,) = objects(tmp_path)
    assert stored.samefile(folder / "c")
    assert not stored.stat().st_mode & 0o222


def test_a_copied_file_is_left_as_it_is(artifacts: Artifacts, folder: Path, tmp_path: Path) -> None:
    mode = (folder / "c").stat().st_mode
    artifacts.store(folder / "c", link=False)
    (folder / "c").write_text("changed")
    assert objects(tmp_path)[0].read_text() == "other"
    assert (folder / "c").stat().st_mode == mode


def test_what_comes_back_can_be_written(artifacts: Artifacts, folder: Path) -> None:
    digest = artifacts.store(folder / "c", link=True)
    artifacts.restore(digest, folder / "copy")
    assert (folder / "copy").stat().st_mode & 0o200
    (folder / "copy").write_text("changed")
    assert artifacts.has(digest)


def test_the_file_behind_a_link_is_stored_and_not_the_link(
    artifacts: Artifacts, folder: Path, tmp_path: Path
) -> None:
    (folder / "link").symlink_to(folder / "c")
    digest = artifacts.store(folder / "link", link=True)
    (folder / "c").unlink()
    artifacts.restore(digest, folder / "back")
    assert (folder / "back").read_text() == "other"


def test_what_was_written_to_behind_a_link_is_not_given_back(
    artifacts: Artifacts, folder: Path
) -> None:
    digest = artifacts.store(folder / "c", link=True)
    (folder / "c").chmod(0o644)
    (folder / "c").write_text("WRONG")
    assert not artifacts.has(digest)
    with pytest.raises(TargetError, match="is not in the workspace any more"):
        artifacts.restore(digest, folder / "back")
    (folder / "again").write_text("other")
    assert artifacts.store(folder / "again", link=False) == digest
    artifacts.restore(digest, folder / "back")
    assert (folder / "back").read_text() == "other"
    assert (folder / "c").read_text() == "WRONG"


def test_what_is_not_stored_is_an_error(artifacts: Artifacts, folder: Path) -> None:
    digest = "0" * 64
    assert not artifacts.has(digest)
    with pytest.raises(TargetError, match="the content 000000000000 of"):
        artifacts.restore(digest, folder / "x")
    assert not (folder / "x").exists()


def test_a_folder_without_files_is_one_too(artifacts: Artifacts, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    digest = artifacts.store(tmp_path / "empty", link=True)
    assert digest == tree_digest({})
    artifacts.restore(digest, tmp_path / "back")
    assert list((tmp_path / "back").iterdir()) == []


def test_threads_store_equal_content(artifacts: Artifacts, tmp_path: Path) -> None:
    errors: list[OSError] = []
    start = threading.Barrier(8)

    def store(number: int) -> None:
        folder = tmp_path / f"out-{number}"
        folder.mkdir()
        for name in range(10):
            (folder / str(name)).write_text(f"content {name}")
        start.wait()
        try:
            artifacts.store(folder, link=number % 2 == 0)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=store, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(objects(tmp_path)) == 10


def test_only_what_is_used_stays(artifacts: Artifacts, folder: Path, tmp_path: Path) -> None:
    used = artifacts.store(folder / "sub", link=False)
    unused = artifacts.store(folder, link=False)
    would = artifacts.remove_unused(frozenset({used}), dry_run=True)
    assert artifacts.has(unused)
    assert artifacts.remove_unused(frozenset({used}), dry_run=False) == would > len("other")
    assert artifacts.has(used)
    assert not artifacts.has(unused)
    assert artifacts.files(unused) is None
    assert len(objects(tmp_path)) == 1


def test_nothing_is_removed_while_something_is_in_use(artifacts: Artifacts, folder: Path) -> None:
    digest = artifacts.store(folder, link=False)
    with artifacts.in_use():
        assert artifacts.remove_unused(frozenset(), dry_run=False) == 0
        assert artifacts.has(digest)
    assert artifacts.remove_unused(frozenset(), dry_run=False) > 0
