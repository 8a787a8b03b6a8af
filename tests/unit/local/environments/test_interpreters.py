from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from amlocal.local.environments.interpreters import Interpreter, digest, find_interpreters


def place(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


def test_interpreters_are_found_in_path_pyenv_conda_and_uv(tmp_path: Path) -> None:
    first = place(tmp_path / "one", "python3.9", "python3.10")
    second = place(tmp_path / "two", "python3.10", "python3.11")
    place(tmp_path / ".pyenv/versions/3.8.9/bin", "python3.8")
    newest = place(tmp_path / ".pyenv/versions/3.8.18/bin", "python3.8")
    conda = place(tmp_path / "miniconda3/envs/old/bin", "python3.7")
    uv = place(tmp_path / ".local/share/uv/python/cpython-3.15.0-linux/bin", "python3.15")
    found = find_interpreters(
        {"HOME": str(tmp_path), "PATH": os.pathsep.join([str(first), "", str(second)])}
    )
    assert found[9] == first / "python3.9"
    assert found[10] == first / "python3.10"
    assert found[11] == second / "python3.11"
    assert found[8] == newest / "python3.8"
    assert found[7] == conda / "python3.7"
    assert found[15] == uv / "python3.15"


def test_shims_and_files_that_cannot_run_are_passed_over(tmp_path: Path) -> None:
    shims = place(tmp_path / "shims", "python3.9")
    real = place(tmp_path / "real", "python3.9")
    (place(tmp_path / "broken") / "python3.9").touch(mode=0o644)
    path = os.pathsep.join(map(str, [shims, tmp_path / "broken", real]))
    assert find_interpreters({"PATH": path})[9] == real / "python3.9"


def test_variables_say_where_pyenv_and_conda_are(tmp_path: Path) -> None:
    pyenv = place(tmp_path / "elsewhere/versions/3.8.1/bin", "python3.8")
    conda = place(tmp_path / "conda/bin", "python3.7", "conda")
    environ = {"PYENV_ROOT": str(tmp_path / "elsewhere"), "CONDA_EXE": str(conda / "conda")}
    found = find_interpreters(environ)
    assert found[8] == pyenv / "python3.8"
    assert found[7] == conda / "python3.7"


def test_the_running_interpreter_is_the_virtual_environments_own() -> None:
    interpreter = Interpreter.running()
    assert interpreter.executable == Path(sys.executable)
    assert interpreter.minor == sys.version_info.minor
    assert interpreter.installed()["packaging"]


def test_the_state_changes_with_what_is_installed(install: Callable[..., Interpreter]) -> None:
    interpreter = install("six==1.0")
    before = interpreter.state()
    assert interpreter.state() == before
    assert interpreter.installed() == {"six": "1.0"}
    (folder,) = interpreter.folders[0].iterdir()
    folder.rename(folder.with_name("six-2.0.dist-info"))
    assert interpreter.state() != before


def test_a_leftover_without_a_name_is_no_distribution(install: Callable[..., Interpreter]) -> None:
    interpreter = install("six==1.0")
    (interpreter.folders[0] / "~ix-0.9.dist-info").mkdir()
    assert interpreter.installed() == {"six": "1.0"}


def test_equal_facts_have_equal_digests() -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
