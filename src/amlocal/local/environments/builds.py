"""Virtual environments, built once by uv.

A build is whole when its `environment.json` is there, which is written last; what an interrupted
build left is removed and built anew. A lock keeps builders of one environment apart, in this and in
other processes; it is handed to uv as well, so that it is held until an orphaned uv has ended too.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from amlocal.errors import BuildStoppedError, EnvironmentBuildError
from amlocal.files import write_whole
from amlocal.local.environments.choice import EnvironmentChoice
from amlocal.local.process import GRACE, end_sessions

LOG = "build.log"
MARKER = "environment.json"
PACKAGES = "packages.txt"
REQUIREMENTS = "requirements.txt"
VENV = "venv"

# Seconds between two looks at whether a build is still wanted.
_LOOK = 0.1
# uv must decide by its arguments alone, and compile byte code whatever this process was told.
_DROPPED_VARIABLES = frozenset(
    {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "UV_PYTHON", "VIRTUAL_ENV"}
)
_LEAD = re.compile(r"^[^\w`\[('\"/<-]*((error|cause):)?")
_OWN_INDEX = re.compile(r"^(-i|--index-url|--extra-index-url)\b")


def build(
    folder: Path,
    choice: EnvironmentChoice,
    *,
    environ: Mapping[str, str],
    note: Callable[[str], None],
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Build a virtual environment in a folder, unless it is there already.

    Args:
        folder: The environment's own folder; its lock is a file beside it.
        choice: What to build.
        environ: The environment variables that uv sees (index, proxy, cache, certificates).
        note: Told of what takes time.
        is_stopped: Asked from time to time whether the build is to end.

    Raises:
        BuildStoppedError: The build was ended; who wants it next makes it anew.
        EnvironmentBuildError: uv failed; holds the failing line and the path of the log.
    """
    if (folder / MARKER).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder.with_suffix(".lock"), choice.name, note, is_stopped) as lock:
        if (folder / MARKER).exists():
            return
        shutil.rmtree(folder / VENV, ignore_errors=True)
        why = f" ({choice.reason})" if choice.reason else ""
        note(f"building environment {choice.name} with Python {choice.python}{why}")
        (folder / REQUIREMENTS).write_text("".join(f"{line}\n" for line in choice.requirements))
        with (folder / LOG).open("wb") as log:
            for arguments in _commands(folder, choice):
                _run_uv(
                    arguments, choice, log=log, lock=lock, environ=environ, is_stopped=is_stopped
                )
        python = folder / VENV / "bin" / "python"
        write_whole(folder / PACKAGES, freeze(python, environ).encode())
        write_whole(folder / MARKER, msgspec.json.encode(choice))


def freeze(python: Path, environ: Mapping[str, str]) -> str:
    """Return the packages of an interpreter as `pip freeze` writes them.

    Raises:
        EnvironmentBuildError: They cannot be listed.
    """
    done = subprocess.run(
        [_uv(), "pip", "freeze", "--quiet", "--color", "never", "--python", str(python)],
        env=_uv_environment(environ),
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise EnvironmentBuildError(
            f"the packages of {python} cannot be listed: {failing_line(done.stderr)}"
        )
    return done.stdout


def failing_line(log: str) -> str:
    """Return what a log of uv says went wrong, in one line.

    uv writes `error: WHAT` and under it `cause: WHY`; where a package's own build failed, its
    standard error follows, whose last line says why.
    """
    starts = [found.start() for found in re.finditer(r"^\s*(error:|\xd7)", log, re.MULTILINE)]
    text = re.split(r"\n\s*hint:", log[starts[-1] :] if starts else log)[0]
    # Leading dots, boxes and arrows are how versions of uv draw the chain of causes.
    lines = [_LEAD.sub("", line).strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if not lines:
        return "uv failed without a word"
    if "[stderr]" in lines:
        return f"{lines[0]}: {lines[-1]}"
    return ": ".join(filter(None, [lines[0].rstrip(":"), " ".join(lines[1:])]))


def _commands(folder: Path, choice: EnvironmentChoice) -> Iterator[list[str]]:
    # Azure's images have pip, and scripts call it; --seed brings it.
    yield ["venv", "--seed", "--python", choice.interpreter, str(folder / VENV)]
    if not choice.requirements:
        return
    command = ["pip", "install", "--compile-bytecode", "--no-progress"]
    command += ["--python", str(folder / VENV / "bin" / "python")]
    if any(_OWN_INDEX.match(line) for line in choice.requirements):
        # pip takes the best version of all indexes, uv by default that of the first which has any.
        command += ["--index-strategy", "unsafe-best-match"]
    if "--pre" in choice.requirements:
        command += ["--prerelease", "allow"]
    yield [*command, "-r", str(folder / REQUIREMENTS)]


def _run_uv(
    arguments: Sequence[str],
    choice: EnvironmentChoice,
    *,
    log: BinaryIO,
    lock: int,
    environ: Mapping[str, str],
    is_stopped: Callable[[], bool],
) -> None:
    command = [_uv(), *arguments, "--color", "never", "--no-python-downloads"]
    log.write(f"$ {' '.join(command)}\n".encode())
    log.flush()
    process = subprocess.Popen(
        command,
        env=_uv_environment(environ),
        # Away from any project, whose pyproject.toml uv would heed.
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        pass_fds=[lock],
        # It is ended with what it started, such as the build of a package.
        start_new_session=True,
    )
    while True:
        try:
            code = process.wait(_LOOK)
            break
        except subprocess.TimeoutExpired:
            if is_stopped():
                end_sessions([process.pid], grace=GRACE)
                process.wait()
                raise _stopped(choice.name) from None
    if code == 0:
        return
    path = Path(log.name)
    hint = f"the whole log is {path}"
    asked = [text for text in choice.approximations if text.startswith("Python ")]
    if asked:
        hint = f"{asked[0]}: install that Python, or change the file; {hint}"
    line = failing_line(path.read_text(errors="replace"))
    if "Failed to fetch" in line:
        hint = f"uv heeds UV_DEFAULT_INDEX and UV_SYSTEM_CERTS, not pip's settings; {hint}"
    raise EnvironmentBuildError(f"environment {choice.name} cannot be built: {line}", hint=hint)


def _uv() -> str:
    import uv  # only for a build or a listing

    return str(uv.find_uv_bin())


def _uv_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in _DROPPED_VARIABLES}


def _stopped(name: str) -> BuildStoppedError:
    return BuildStoppedError(f"the build of environment {name} was ended")


@contextmanager
def _locked(
    path: Path, name: str, note: Callable[[str], None], is_stopped: Callable[[], bool]
) -> Iterator[int]:
    """Hold an exclusive lock on a file, and yield its descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _takes(descriptor):
            note(f"waiting for environment {name}, which is being built")
            while not _takes(descriptor):
                if is_stopped():
                    raise _stopped(name)
                time.sleep(_LOOK)
        yield descriptor
    finally:
        os.close(descriptor)


def _takes(descriptor: int) -> bool:
    """Take a lock, and return whether nobody had it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
