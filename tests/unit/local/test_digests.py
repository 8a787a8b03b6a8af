from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from pathlib import Path

import pytest

from amlocal.files import file_digest
from amlocal.local.digests import Digests, tree_digest, walk


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "digests.db"


@pytest.fixture
def digests(memory: Path) -> Digests:
    return Digests(memory)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "b.txt").write_text("b")
    (folder / "sub" / "a.txt").write_text("a")
    return folder


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def remembered(memory: Path) -> dict[str, str]:
    connection = sqlite3.connect(memory)
    rows = connection.execute("SELECT path, digest FROM digests").fetchall()
    connection.close()
    return dict(rows)


def age(path: Path, seconds: float) -> None:
    """Let a file look as if it had been written earlier, and let its change be past the grain."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    time.sleep(0.08)


def test_a_files_digest_is_that_of_its_bytes(digests: Digests, folder: Path) -> None:
    assert digests.file(folder / "b.txt") == sha("b")
    assert digests.content(folder / "b.txt") == sha("b")


def test_a_folders_digest_is_that_of_its_files(digests: Digests, folder: Path) -> None:
    files = {"b.txt": sha("b"), "sub/a.txt": sha("a")}
    assert digests.tree(folder) == files
    assert digests.content(folder) == tree_digest(files)


def test_equal_folders_have_one_digest_wherever_they_are(digests: Digests, folder: Path) -> None:
    folder.with_name("copy").mkdir()
    assert digests.content(folder.with_name("copy")) != digests.content(folder)
    folder.with_name("copy").rmdir()
    folder.rename(folder.with_name("copy"))
    files = {"sub/a.txt": sha("a"), "b.txt": sha("b")}
    assert digests.content(folder.with_name("copy")) == tree_digest(files)


def test_a_name_counts(digests: Digests, folder: Path) -> None:
    before = digests.content(folder)
    (folder / "b.txt").rename(folder / "c.txt")
    assert digests.content(folder) != before


def test_an_old_file_is_remembered_and_read_once(
    digests: Digests, memory: Path, folder: Path
) -> None:
    age(folder / "b.txt", 100)
    digests.file(folder / "b.txt")
    assert remembered(memory) == {str(folder / "b.txt"): sha("b")}
    # What the memory says is believed, by another process too.
    connection = sqlite3.connect(memory)
    connection.execute("UPDATE digests SET digest = 'believed'")
    connection.commit()
    connection.close()
    assert Digests(memory).file(folder / "b.txt") == "believed"


def test_a_changed_file_is_read_again(digests: Digests, folder: Path) -> None:
    file = folder / "b.txt"
    age(file, 100)
    assert digests.file(file) == sha("b")
    file.write_text("c")
    assert digests.file(file) == sha("c")


def test_a_replaced_file_of_the_same_size_and_time_is_read_again(
    digests: Digests, folder: Path
) -> None:
    file = folder / "b.txt"
    age(file, 100)
    status = file.stat()
    assert digests.file(file) == sha("b")
    file.write_text("c")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digests.file(file) == sha("c")


def test_a_file_written_a_moment_ago_is_not_remembered(
    digests: Digests, memory: Path, folder: Path
) -> None:
    file = folder / "b.txt"
    file.write_text("c")
    assert digests.file(file) == sha("c")
    assert remembered(memory) == {}


def test_a_file_copied_a_moment_ago_with_its_old_time_is_not_remembered(
    digests: Digests, memory: Path, folder: Path
) -> None:
    file = folder / "b.txt"
    file.write_text("c")
    os.utime(file, (1, 1))
    assert digests.file(file) == sha("c")
    assert remembered(memory) == {}


def test_a_broken_memory_is_made_anew(memory: Path, folder: Path) -> None:
    memory.write_text("x" * 5000)
    digests = Digests(memory)
    age(folder / "b.txt", 100)
    assert digests.file(folder / "b.txt") == sha("b")
    assert remembered(memory) == {str(folder / "b.txt"): sha("b")}


def test_a_memory_that_breaks_meanwhile_is_done_without(
    digests: Digests, memory: Path, folder: Path
) -> None:
    assert digests.file(folder / "sub/a.txt") == sha("a")
    connection = sqlite3.connect(memory)
    connection.execute("DROP TABLE digests")
    connection.close()
    age(folder / "b.txt", 100)
    assert digests.file(folder / "b.txt") == sha("b")
    assert digests.file(folder / "b.txt") == sha("b")


def test_a_place_that_refuses_is_done_without(folder: Path) -> None:
    digests = Digests(Path("/proc/digests.db"))
    assert digests.file(folder / "b.txt") == sha("b")


def test_links_count_as_what_they_lead_to(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "x.txt").write_text("x")
    (folder / "file").symlink_to(tmp_path / "far" / "x.txt")
    (folder / "linked").symlink_to(tmp_path / "far")
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(tmp_path / "nothing")
    names = [path.relative_to(folder).as_posix() for path in walk(folder)]
    assert names == ["b.txt", "file", "linked/x.txt", "sub/a.txt"]


def test_a_large_file_is_read_in_parts(tmp_path: Path) -> None:
    file = tmp_path / "large"
    content = os.urandom(2**20 + 17)
    file.write_bytes(content)
    assert file_digest(file) == hashlib.sha256(content).hexdigest()


def test_byte_code_is_no_content(digests: Digests, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "code" / "__pycache__").mkdir(parents=True)
    (folder / "code" / "m.py").write_text("x = 1\n")
    before = digests.content(folder)
    (folder / "code" / "__pycache__" / "m.cpython-311.pyc").write_bytes(b"compiled")
    assert digests.content(folder) == before
    assert list(digests.tree(folder)) == ["code/m.py"]
