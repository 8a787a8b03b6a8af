from __future__ import annotations

from pathlib import Path

import pytest

from amlocal.code import code_files
from amlocal.errors import SpecError
from amlocal.files import file_digest
from amlocal.local.artifacts import Artifacts
from amlocal.local.digests import Digests, tree_digest
from amlocal.local.snapshot import Snapshots


@pytest.fixture
def artifacts(tmp_path: Path) -> Artifacts:
    return Artifacts(tmp_path / "workspace", Digests(tmp_path / "digests.db"))


@pytest.fixture
def snapshots(artifacts: Artifacts, tmp_path: Path) -> Snapshots:
    return Snapshots(artifacts, Digests(tmp_path / "digests.db"))


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def test_what_no_step_needs_stays_out(tmp_path: Path) -> None:
    code = fill(
        tmp_path / "code",
        *("run.py", "pkg/a.py", "pkg/__pycache__/a.pyc", ".git/HEAD", ".venv/bin/python"),
        *(".amlocal/records.db", ".hidden"),
    )
    assert list(code_files(code)) == [".hidden", "run.py", "pkg/a.py"]


def test_gitignore_counts(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py", "a.log", "data/x.csv", "sub/data/y.csv", "sub/b.log")
    (code / ".gitignore").write_text("*.log\n/data/\n!b.log\n")
    assert list(code_files(code)) == [".gitignore", "run.py", "sub/b.log", "sub/data/y.csv"]


def test_amlignore_counts_instead_of_gitignore(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py", "a.log", "big.bin")
    (code / ".gitignore").write_text("*.log\n")
    (code / ".amlignore").write_text("\ufeff# not for the cloud\nbig.bin\n", encoding="utf-8")
    assert list(code_files(code)) == [".amlignore", ".gitignore", "a.log", "run.py"]


def test_a_folder_is_taken_with_its_contents(
    snapshots: Snapshots, artifacts: Artifacts, tmp_path: Path
) -> None:
    code = fill(tmp_path / "code", "run.py", "pkg/a.py")
    files = snapshots.take(str(code), ())
    assert files == {name: file_digest(code / name) for name in ("pkg/a.py", "run.py")}
    artifacts.restore(tree_digest(files), tmp_path / "back")
    assert (tmp_path / "back" / "pkg" / "a.py").read_text() == "pkg/a.py"


def test_a_single_file_and_no_code(snapshots: Snapshots, tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py", "other.py")
    assert list(snapshots.take(str(code / "run.py"), ())) == ["run.py"]
    assert snapshots.take(None, ()) == {}


def test_includes_stand_beside_the_code(snapshots: Snapshots, tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py")
    shared = fill(tmp_path / "lib" / "shared", "x.py", "deep/y.py")
    single = fill(tmp_path / "one", "single.py") / "single.py"
    files = snapshots.take(str(code), (str(shared), str(single)))
    assert list(files) == ["run.py", "shared/deep/y.py", "shared/x.py", "single.py"]


def test_an_include_does_not_overwrite_code(snapshots: Snapshots, tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py", "shared/x.py")
    shared = fill(tmp_path / "lib" / "shared", "x.py")
    with pytest.raises(SpecError, match=r"would overwrite shared/x\.py of the code"):
        snapshots.take(str(code), (str(shared),))


def test_code_that_does_not_exist_is_an_error(snapshots: Snapshots, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nothing does not exist"):
        snapshots.take(str(tmp_path / "nothing"), ())


@pytest.mark.parametrize(
    ("code", "shown"),
    [("azureml:code:1", "azureml:code:1"), ("git+https://key@x.net/r.git", "git+https://x.net/")],
)
def test_code_at_an_address_is_an_error(snapshots: Snapshots, code: str, shown: str) -> None:
    with pytest.raises(SpecError, match="is not on this machine") as raised:
        snapshots.take(code, ())
    assert shown in str(raised.value)
    assert "key" not in str(raised.value)


def test_links_are_followed_once(tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py")
    shared = fill(tmp_path / "shared", "x.py")
    (code / "lib").symlink_to(shared)
    (code / "one.py").symlink_to(shared / "x.py")
    (shared / "back").symlink_to(code)
    assert list(code_files(code)) == ["one.py", "run.py", "lib/x.py"]


def test_a_folder_is_read_once_for_a_job(snapshots: Snapshots, tmp_path: Path) -> None:
    code = fill(tmp_path / "code", "run.py")
    before = snapshots.take(str(code), ())
    (code / "run.py").write_text("edited meanwhile")
    assert snapshots.take(str(code), ()) == before
