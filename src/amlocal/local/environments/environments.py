"""Environments of a workspace: chosen in milliseconds, built once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from amlocal import __version__
from amlocal.errors import EnvironmentBuildError, UsageError, near_miss
from amlocal.files import write_whole
from amlocal.local.environments.choice import EnvironmentChoice, ResolvedEnvironment, local_paths
from amlocal.local.environments.interpreters import Interpreter, digest, find_interpreters
from amlocal.plan import Environment

MODES = ("auto", "current", "isolated", "docker")

_CURATED = Path(__file__).with_name("curated.json")


class Environments:
    """The environments of one workspace.

    What it finds of the machine (interpreters, installed packages) it takes to hold for its
    lifetime, which is that of one job. Safe to use from several threads, and beside other
    processes.

    Layout of its folder: `DIGEST/` holds a virtual environment with its `build.log`,
    `requirements.txt`, `packages.txt` and `environment.json`, `DIGEST.lock` its lock, and `cache/`
    choices and package lists, all of which may be removed while no job runs.
    """

    def __init__(
        self,
        folder: Path,
        *,
        environ: Mapping[str, str],
        note: Callable[[str], None],
        interpreter: Interpreter | None = None,
    ) -> None:
        """Open the environments in a folder.

        Args:
            folder: Where they are kept; made when needed.
            environ: The environment variables of the command: `PATH`, and what uv reads.
            note: Told in a sentence of what takes time.
            interpreter: The current interpreter; None is the one that runs this program.
        """
        self._folder = folder.absolute()
        self._environ = environ
        self._note = note
        self._current = interpreter or Interpreter.running()
        self._state: str | None = None
        self._interpreters: dict[int, Path] = {}
        self._choices: dict[tuple[bytes, str], EnvironmentChoice] = {}

    def choose(self, environment: Environment | None, mode: str) -> EnvironmentChoice:
        """Return the environment that a step gets, building nothing.

        Args:
            environment: What the step asks for, or None.
            mode: `auto`, `current`, or `isolated`.

        Raises:
            UsageError: There is no such mode.
            NotFoundError: The environment is a name that nothing answers to.
            EnvironmentBuildError: The environment cannot be had on this machine.
        """
        if mode not in MODES:
            raise UsageError(f"no environment mode {mode!r}", hint=near_miss(mode, MODES))
        if mode == "docker":
            raise EnvironmentBuildError(
                "steps do not run in Docker containers on this machine",
                hint="use --environment auto, current, or isolated",
            )
        key = (b"" if environment is None else environment.to_json(), mode)
        if key not in self._choices:
            self._choices[key] = self._cached_choice(environment, mode, key[0])
        return self._choices[key]

    def prepare(
        self, choice: EnvironmentChoice, is_stopped: Callable[[], bool] = lambda: False
    ) -> ResolvedEnvironment:
        """Return an environment that is ready to run a step, built where it is not there yet.

        Args:
            choice: Which.
            is_stopped: Asked from time to time whether a build is to end.

        Raises:
            BuildStoppedError: It was ended.
            EnvironmentBuildError: The build failed; holds the failing line and the log's path.
        """
        if choice.kind == "current":
            return self._prepare_current(choice)
        home = self._home(choice)
        # Imported here since it brings in subprocess and uv, which a reused step does without.
        from amlocal.local.environments.builds import VENV, build

        build(home, choice, environ=self._environ, note=self._note, is_stopped=is_stopped)
        folder = home / VENV
        variables = {"VIRTUAL_ENV": str(folder), "PYTHONHOME": "", "PYTHONPATH": ""}
        return ResolvedEnvironment(
            choice=choice,
            python=folder / "bin" / "python",
            path_entries=(folder / "bin",),
            variables={**variables, **dict(choice.variables)},
        )

    def packages(self, choice: EnvironmentChoice) -> str:
        """Return the packages of a prepared environment, as `pip freeze` writes them.

        Raises:
            EnvironmentBuildError: They cannot be listed.
        """
        from amlocal.local.environments.builds import PACKAGES, freeze  # as in `prepare`

        if choice.kind == "isolated":
            self.prepare(choice)
            return (self._home(choice) / PACKAGES).read_text()
        path = self._folder / "cache" / f"packages-{choice.digest}.txt"
        if not path.exists():
            text = freeze(Path(choice.interpreter), self._environ)
            write_whole(path, text.encode())
        return path.read_text()

    def _prepare_current(self, choice: EnvironmentChoice) -> ResolvedEnvironment:
        python = self._current.executable
        variables = {"VIRTUAL_ENV": str(self._current.prefix)} if self._current.prefix else {}
        entries = [python.parent]
        if not (python.parent / "python").exists():
            # A system's interpreter may be named python3 alone, while jobs call `python`.
            entries.insert(0, self._named_python(python))
        return ResolvedEnvironment(
            choice=choice,
            python=python,
            path_entries=tuple(entries),
            variables={**variables, **dict(choice.variables)},
        )

    def _named_python(self, python: Path) -> Path:
        """Return a folder in which an interpreter is called `python`."""
        folder = self._folder / "cache" / f"python-{digest(str(python))[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            (folder / "python").symlink_to(python)
        except FileExistsError:
            # Another thread or an earlier job made it.
            return folder
        return folder

    def _home(self, choice: EnvironmentChoice) -> Path:
        return self._folder / choice.digest[:16]

    def _cached_choice(
        self, environment: Environment | None, mode: str, content: bytes
    ) -> EnvironmentChoice:
        if environment is not None and environment.build is not None:
            # A build context's files would all have to be part of the key.
            return self._decide(environment, mode)
        key = digest([self._machine_state(), mode, content.decode()])
        path = self._folder / "cache" / f"choice-{key}.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=EnvironmentChoice)
        except (FileNotFoundError, msgspec.MsgspecError):
            choice = self._decide(environment, mode)
        # What a file holds may change under the same name.
        if not local_paths(choice.requirements):
            write_whole(path, msgspec.json.encode(choice))
        return choice

    def _decide(self, environment: Environment | None, mode: str) -> EnvironmentChoice:
        # 0.1 s: packaging, importlib.metadata and the metadata of what is installed.
        from amlocal.local.environments.choosing import decide

        self._machine_state()
        return decide(
            environment,
            mode,
            current=self._current,
            interpreters=self._interpreters,
            search_path=self._environ.get("PATH", os.defpath),
        )

    def _machine_state(self) -> str:
        """Return what a choice depends on besides the environment's own content."""
        if self._state is None:
            self._interpreters = find_interpreters(self._environ)
            table = _CURATED.stat()
            self._state = digest(
                [
                    __version__,
                    [table.st_size, table.st_mtime_ns],
                    self._current.state(),
                    {str(minor): str(path) for minor, path in self._interpreters.items()},
                ]
            )
        return self._state
