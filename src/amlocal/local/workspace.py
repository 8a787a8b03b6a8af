"""The folders of a local workspace.

::

    .amlocal/
      records.db            jobs and assets (SQLite, WAL)
      cache/                compiled plans, content hashes, data schemas: may be deleted
      objects/, trees/      content-addressed files and the folders made of them
      datastores/NAME/      what `azureml://datastores/NAME/paths/...` means here
      environments/         isolated environments
      jobs/NAME/            a job: plan.json, wd/ (its working folder), artifacts/ (outputs, logs)
      automl/FINGERPRINT/   an AutoML search whose job has not completed: finished trials
      parallel/FINGERPRINT/ a parallel step whose job has not completed: finished mini-batches
      batch/                batch deployments: their settings, code, models that are not registered
      endpoints/            online endpoints: keys, versions of deployments, logs
      schedules/            schedules: the code of their jobs, the scheduler's log
      mlflow/               the tracking server's database and artifacts
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amlocal.errors import TargetError, UsageError
from amlocal.files import write_whole

DEFAULT_DATASTORE = "workspaceblobstore"
#: The folder of the default datastore that Azure puts collected data in.
COLLECTED = "modelDataCollector"
_ROOT_MARKS = ("pyproject.toml", ".git", "config.json", ".azureml")
_RESERVE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a local workspace keeps what.

    Attributes:
        path: Its folder, absolute.
        project: The project's root: the folder that holds it, or the current one.
    """

    path: Path
    project: Path

    @classmethod
    def find(
        cls, path: str | os.PathLike[str] | None, environ: Mapping[str, str], current: Path
    ) -> Workspace:
        """Return the workspace of a folder, of `AMLOCAL_HOME`, or of the project around here.

        The project's root is the nearest folder upward that holds a workspace, within the git
        repository, else the nearest one that looks like a project (`pyproject.toml`, `.git`,
        Azure's `config.json`), else the current folder.
        """
        chosen = path or environ.get("AMLOCAL_HOME")
        if chosen:
            home = (current / Path(chosen).expanduser()).resolve()
            project = home.parent if home.name == ".amlocal" else current
            return cls(home, project)
        here = current.resolve()
        upward = (here, *here.parents)
        for folder in upward:
            if (folder / ".amlocal").exists():
                return cls(folder / ".amlocal", folder)
            if (folder / ".git").exists():
                break  # a workspace further up, as in the home folder, is not this project's
        for folder in upward:
            if any((folder / name).exists() for name in _ROOT_MARKS):
                return cls(folder / ".amlocal", folder)
        return cls(here / ".amlocal", here)

    def create(self) -> None:
        """Make the folders that are missing.

        Raises:
            UsageError: The workspace's folder is a file.
            TargetError: The disk refuses.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is not a folder", hint="set AMLOCAL_HOME to a folder")
        try:
            for folder in (self.jobs, self.cache, self.datastore(DEFAULT_DATASTORE)):
                folder.mkdir(parents=True, exist_ok=True)
            ignore = self.path / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise TargetError(
                f"cannot make the workspace {self.path}: {error.strerror}",
                hint="set AMLOCAL_HOME to a folder that can be written",
            ) from error

    @property
    def records(self) -> Path:
        """The database of jobs and assets."""
        return self.path / "records.db"

    @property
    def cache(self) -> Path:
        """What can be made anew."""
        return self.path / "cache"

    @property
    def jobs(self) -> Path:
        """The jobs' folders."""
        return self.path / "jobs"

    @property
    def mlflow(self) -> Path:
        """The tracking server's folder."""
        return self.path / "mlflow"

    @property
    def endpoints(self) -> Path:
        """What online endpoints serve from, and their logs."""
        return self.path / "endpoints"

    @property
    def schedules(self) -> Path:
        """What schedules start jobs of, and their scheduler's files."""
        return self.path / "schedules"

    @property
    def environments(self) -> Path:
        """Isolated environments."""
        return self.path / "environments"

    @property
    def automl(self) -> Path:
        """AutoML searches whose jobs have not completed."""
        return self.path / "automl"

    @property
    def parallel(self) -> Path:
        """Parallel steps whose jobs have not completed."""
        return self.path / "parallel"

    @property
    def batch(self) -> Path:
        """What batch deployments are made of."""
        return self.path / "batch"

    @property
    def datastores(self) -> Path:
        """The datastores' folders."""
        return self.path / "datastores"

    def datastore(self, name: str) -> Path:
        """Return the folder that stands for a datastore."""
        return self.datastores / name

    def job(self, name: str) -> Path:
        """Return a job's folder."""
        return self.jobs / name

    @property
    def _reserve(self) -> Path:
        return self.path / "reserve"

    def keep_reserve(self) -> None:
        """Set some disk aside, so that on a full one the records can still be written.

        Raises:
            TargetError: There is less room than that.
        """
        if self._reserve.exists():
            return
        if self.is_full():
            raise TargetError(
                f"no space left on the disk of {self.path}",
                hint="free some, for example with: aml workspace gc",
            )
        # Bytes that are not all the same, since some disks store those without room for them.
        write_whole(self._reserve, os.urandom(_RESERVE_BYTES))

    def is_full(self) -> bool:
        """Return whether there is no room on the disk for more than what is set aside."""
        return shutil.disk_usage(self.path).free < 2 * _RESERVE_BYTES

    def release_reserve(self) -> None:
        """Give the set-aside disk back; `keep_reserve` takes it again when there is room."""
        self._reserve.unlink(missing_ok=True)
