"""Real builds by uv, of the smallest packages there are."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.lab import has_ended, slow_package

from amlocal.errors import BuildStoppedError, EnvironmentBuildError
from amlocal.local.environments.builds import LOG, MARKER, VENV, build, failing_line
from amlocal.local.environments.choice import EnvironmentChoice

# Stands for another command in the same workspace: prints what it was told, and its result.
BUILDER = """
import os, sys
from pathlib import Path
from amlocal.local.environments.builds import build
from amlocal.local.environments.choice import EnvironmentChoice
choice = EnvironmentChoice("isolated", "e", "d", "3", sys.executable, requirements=("six==1.17.0",))
build(Path(sys.argv[1]), choice, environ=os.environ, note=lambda text: print(text, flush=True))
print("done")
"""


def chosen(*requirements: str, approximations: tuple[str, ...] = ()) -> EnvironmentChoice:
    return EnvironmentChoice(
        kind="isolated",
        name="e",
        digest="d",
        python=f"3.{sys.version_info.minor}",
        interpreter=sys.executable,
        requirements=requirements,
        approximations=approximations,
    )


def run(folder: Path, code: str) -> str:
    command = [folder / VENV / "bin" / "python", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def start_builder(folder: Path) -> subprocess.Popen[str]:
    source = Path(__file__).parents[4] / "src"
    environ = {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, "-c", BUILDER, str(folder)]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def test_a_build_is_made_once_and_compiled(tmp_path: Path) -> None:
    notes: list[str] = []
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "VIRTUAL_ENV": "/nowhere"}
    for _ in range(2):
        build(tmp_path / "e", chosen("six==1.17.0"), environ=environ, note=notes.append)
    assert len(notes) == 1
    assert run(tmp_path / "e", "import six; print(six.__version__)") == "1.17.0"
    assert run(tmp_path / "e", "import pip; print(pip.__name__)") == "pip"
    assert list((tmp_path / "e").rglob("six.*.pyc"))
    assert "six==1.17.0\n" in (tmp_path / "e" / "packages.txt").read_text()


def test_a_project_in_the_working_folder_has_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.uv]\nno-index = true\noffline = true\n")
    monkeypatch.chdir(tmp_path)
    build(tmp_path / "e", chosen("six==1.17.0"), environ=os.environ, note=lambda _: None)
    assert (tmp_path / "e" / MARKER).exists()


def test_a_failed_build_shows_the_line_and_the_log(tmp_path: Path) -> None:
    choice = chosen("six==0.0.99", approximations=("Python 3.7 is asked for, 3.8 is used",))
    with pytest.raises(EnvironmentBuildError, match="environment e cannot be built") as raised:
        build(tmp_path / "e", choice, environ=os.environ, note=lambda _: None)
    assert "there is no version of six==0.0.99" in str(raised.value)
    assert str(tmp_path / "e" / LOG) in raised.value.hint
    assert raised.value.hint.startswith("Python 3.7 is asked for")
    assert "six==0.0.99" in (tmp_path / "e" / LOG).read_text()
    assert not (tmp_path / "e" / MARKER).exists()


def test_an_index_out_of_reach_names_the_settings(tmp_path: Path) -> None:
    # A port of this machine that nobody answers on, instead of the network.
    nowhere = {"UV_DEFAULT_INDEX": "http://127.0.0.1:1/simple", "UV_HTTP_RETRIES": "0"}
    environ = {**os.environ, **nowhere, "UV_CACHE_DIR": str(tmp_path / "cache")}
    with pytest.raises(EnvironmentBuildError, match="Failed to fetch") as raised:
        build(tmp_path / "e", chosen("six==1.17.0"), environ=environ, note=lambda _: None)
    assert raised.value.hint.startswith("uv heeds UV_DEFAULT_INDEX and UV_SYSTEM_CERTS")


def test_two_processes_build_once(tmp_path: Path) -> None:
    builders = [start_builder(tmp_path / "e") for _ in range(2)]
    said = [builder.communicate(timeout=120)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert "".join(said).count("building environment e") == 1
    assert "".join(said).count("done") == 2


def test_a_killed_build_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "e"
    builder = start_builder(folder)
    try:
        deadline = time.monotonic() + 60
        while not (folder / VENV).exists() and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        builder.send_signal(signal.SIGKILL)
        builder.communicate()
    assert not (folder / MARKER).exists()
    (folder / VENV / "leftover").touch()
    build(folder, chosen("six==1.17.0"), environ=os.environ, note=lambda _: None)
    assert run(folder, "import six; print(six.__version__)") == "1.17.0"
    assert not (folder / VENV / "leftover").exists()


def test_a_build_is_stopped_with_what_it_started(tmp_path: Path) -> None:
    package, started = slow_package(tmp_path)
    folder = tmp_path / "e"
    choice = chosen(f"slow @ {package.as_uri()}")
    with pytest.raises(BuildStoppedError, match="the build of environment e was ended"):
        build(folder, choice, environ=os.environ, note=lambda _: None, is_stopped=started.exists)
    assert has_ended(int(started.read_text()))
    assert not (folder / MARKER).exists()
    # Who wants it next finds it free.
    build(folder, chosen("six==1.17.0"), environ=os.environ, note=lambda _: None)
    assert run(folder, "import six; print(six.__version__)") == "1.17.0"


def test_nobody_waits_for_a_build_any_longer_than_it_is_wanted(tmp_path: Path) -> None:
    notes: list[str] = []
    with (tmp_path / "e.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BuildStoppedError):
            build(
                tmp_path / "e",
                chosen(),
                environ=os.environ,
                note=notes.append,
                is_stopped=lambda: bool(notes),
            )
    assert notes == ["waiting for environment e, which is being built"]


@pytest.mark.parametrize(
    ("log", "line"),
    [
        (
            "$ uv venv\n$ uv pip install\nerror: No solution found\n"
            "  cause: Because there is no x\n         And because\n\nhint: try y\n",
            "No solution found: Because there is no x And because",
        ),
        (
            "  \u00d7 No solution found:\n  \u2570\u2500\u25b6 Because there is no x.\n",
            "No solution found: Because there is no x.",
        ),
        (
            "error: The build backend returned an error\n  cause: Call failed (exit status: 1)\n\n"
            "         [stderr]\n         Traceback:\n         RuntimeError: no compiler\n\n",
            "The build backend returned an error: RuntimeError: no compiler",
        ),
        ("killed\n", "killed"),
        ("", "uv failed without a word"),
    ],
)
def test_the_failing_line(log: str, line: str) -> None:
    assert failing_line(log) == line
