"""The records of jobs and steps.

The engine of a job is the only one to write that job's state; others leave it a request
(`request_cancel`) or mend it after its engine has died (`recovery`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone

import msgspec

from amlocal.errors import UsageError, not_found
from amlocal.local.database import Database
from amlocal.plan import JobInfo, JobStatus
from amlocal.plan.base import Value

_VIEWS = {"ActiveOnly": "archived = 0", "ArchivedOnly": "archived = 1", "All": "1"}


class StepFacts(Value, frozen=True):
    """What a step's result can be found again by.

    Attributes:
        step: Name of the step in its job, with the job's experiment: what runs are compared by.
        fingerprint: SHA-256 of the facts.
        facts: The facts as sorted JSON.
        reason: Why it was reused or ran, as `StepReuse` JSON.
    """

    step: str
    fingerprint: str
    facts: str
    reason: str = ""


class WaitingRun(Value, frozen=True):
    """What an MLflow run is made from, beside its job's record.

    Attributes:
        experiment: Name of the experiment.
        name: What people read.
        tags: Its tags, but for the run that it is nested in.
    """

    experiment: str
    name: str
    tags: dict[str, str]


def timestamp(seconds: float | None = None) -> str:
    """Return a moment (seconds since the epoch; None is now) as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds")


def seconds_of(moment: str) -> float:
    """Return the seconds since the epoch of what `timestamp` gave."""
    return datetime.fromisoformat(moment).timestamp()


#: A job and everything below it: its steps or trials, and the trials of its steps.
_TREE = "(name = ? OR parent = ? OR parent IN (SELECT name FROM jobs WHERE parent = ?))"


def _encode(info: JobInfo) -> str:
    return msgspec.structs.replace(info, children=()).to_json().decode()


def _with_children(info: JobInfo, below: Mapping[str | None, Sequence[JobInfo]]) -> JobInfo:
    children = tuple(_with_children(child, below) for child in below.get(info.name, ()))
    return msgspec.structs.replace(info, children=children)


class JobRecords:
    """Jobs and their steps, in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, job: JobInfo) -> None:
        """Add a job with its children, none of them begun.

        Raises:
            UsageError: One of the names is taken.
        """
        rows = [(job, None, 0), *((c, job.name, i) for i, c in enumerate(job.children))]
        with self._db.writing() as revision:
            for info, parent, position in rows:
                if self._db.one("SELECT 1 FROM jobs WHERE name = ?", (info.name,)):
                    raise UsageError(
                        f"a job named {info.name!r} exists",
                        hint="give another --name, or none to have one made up",
                    )
                self._insert(revision, info, parent, position, seconds_of(job.creation_time))

    def _insert(
        self, revision: int, info: JobInfo, parent: str | None, position: int, created: float
    ) -> None:
        self._db.execute(
            "INSERT INTO jobs (revision, name, parent, position, status, created, info)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (revision, info.name, parent, position, info.status.value, created, _encode(info)),
        )

    def add_trial(self, info: JobInfo, position: int) -> None:
        """Add a trial of a sweep that runs.

        Raises:
            UsageError: Another job has its name.
        """
        with self._db.writing() as revision:
            if self._db.one("SELECT 1 FROM jobs WHERE name = ?", (info.name,)):
                raise UsageError(
                    f"a trial cannot be named {info.name!r}: a job has that name",
                    hint="give the sweep's job another --name",
                )
            self._insert(revision, info, info.parent, position, seconds_of(info.creation_time))

    def save(self, info: JobInfo) -> None:
        """Write the present state of a job or step (its children are left as they are)."""
        self._db.write(
            "UPDATE jobs SET revision = ?, status = ?, info = ? WHERE name = ?",
            (info.status.value, _encode(info), info.name),
        )

    def complete(self, info: JobInfo, facts: StepFacts, *, reusable: bool) -> None:
        """Write a step's terminal state and offer its result for reuse, in one transaction."""
        self._db.write(
            "UPDATE jobs SET revision = ?, status = ?, info = ?, step = ?,"
            " fingerprint = ?, facts = ?, reason = ?, reusable = ? WHERE name = ?",
            (
                info.status.value,
                _encode(info),
                facts.step,
                facts.fingerprint,
                facts.facts,
                facts.reason,
                int(reusable),
                info.name,
            ),
        )

    def withdraw(self, name: str) -> None:
        """Offer a step's result for reuse no longer, since it is not there as it was."""
        self._db.write("UPDATE jobs SET revision = ?, reusable = 0 WHERE name = ?", (name,))

    def get(self, name: str) -> JobInfo:
        """Return a job, step, or trial with its children, and theirs.

        Raises:
            NotFoundError: There is none of this name.
        """
        rows = self._db.all(
            f"SELECT info, parent, archived FROM jobs WHERE {_TREE} ORDER BY position",  # noqa: S608
            (name, name, name),
        )
        below: dict[str | None, list[JobInfo]] = {}
        found = None
        for text, parent, archived in rows:
            info = self._decode(text, archived)
            if info.name == name:
                found = info
            else:
                below.setdefault(parent, []).append(info)
        if found is None:
            names = self._db.all("SELECT name FROM jobs WHERE parent IS NULL")
            raise not_found("job", name, [row[0] for row in names])
        return _with_children(found, below)

    def root_of(self, name: str) -> str:
        """Return the name of the submitted job that a job, step, or trial belongs to."""
        row = self._db.one("SELECT parent FROM jobs WHERE name = ?", (name,))
        return name if row is None or row[0] is None else self.root_of(row[0])

    @staticmethod
    def _decode(info: str, archived: int = 0) -> JobInfo:
        found = JobInfo.from_json(info)
        if archived:
            found = msgspec.structs.replace(found, archived=True)
        if found.start_time and not found.end_time and not found.status.is_terminal:
            since = time.time() - seconds_of(found.start_time)
            found = msgspec.structs.replace(found, duration=since)
        return found

    def status(self, name: str) -> JobStatus | None:
        """Return the state of a job or step, or None where there is none of this name."""
        row = self._db.one("SELECT status FROM jobs WHERE name = ?", (name,))
        return JobStatus(row[0]) if row else None

    def has(self, name: str) -> bool:
        """Return whether there is a job or step of this name."""
        return self._db.one("SELECT 1 FROM jobs WHERE name = ?", (name,)) is not None

    def list(
        self, *, parent: str | None = None, limit: int | None = None, view: str = "ActiveOnly"
    ) -> list[JobInfo]:
        """Return jobs without their children, the newest first, or the children of one in order.

        Raises:
            UsageError: There is no such view.
        """
        if view not in _VIEWS:
            raise UsageError(f"no list view {view!r}", hint=f"known: {', '.join(_VIEWS)}")
        where, order = ("parent = ?", "position") if parent else ("parent IS NULL", "created DESC")
        rows = self._db.all(
            f"SELECT info, archived FROM jobs WHERE {where} AND {_VIEWS[view]}"  # noqa: S608
            f" ORDER BY {order}, rowid DESC LIMIT ?",
            (*((parent,) if parent else ()), -1 if limit is None else limit),
        )
        return [self._decode(*row) for row in rows]

    def changed_since(self, root: str, revision: int) -> tuple[int, Sequence[JobInfo]]:
        """Return the newest revision of a job's tree and what changed after the given one."""
        rows = self._db.all(
            f"SELECT revision, info FROM jobs WHERE {_TREE} AND revision > ?"  # noqa: S608
            " ORDER BY parent IS NULL, revision, position",
            (root, root, root, revision),
        )
        return max((row[0] for row in rows), default=revision), [
            JobInfo.from_json(r[1]) for r in rows
        ]

    def open(self) -> Sequence[JobInfo]:
        """Return the jobs that are not in a terminal state, without children."""
        ended = [status.value for status in JobStatus if status.is_terminal]
        rows = self._db.all(
            "SELECT info FROM jobs WHERE parent IS NULL AND status NOT IN (?, ?, ?)", ended
        )
        return [JobInfo.from_json(row[0]) for row in rows]

    def wait_for_run(self, name: str, run: WaitingRun) -> None:
        """Note that the MLflow run of a job or step is still to be written, or to be ended."""
        self._db.write(
            "INSERT OR REPLACE INTO waiting_runs (revision, name, run) VALUES (?, ?, ?)",
            (name, run.to_json().decode()),
        )

    def waiting_runs(self, root: str) -> Sequence[tuple[str, WaitingRun]]:
        """Return the runs of a job that are still to be written, each after the one around it."""
        rows = self._db.all(
            "SELECT name, run FROM jobs JOIN waiting_runs USING (name)"  # noqa: S608
            f" WHERE {_TREE} ORDER BY name != ?, parent != ?, position",
            (root, root, root, root, root),
        )
        return [(name, WaitingRun.from_json(run)) for name, run in rows]

    def forget_waiting(self, name: str) -> None:
        """Note that the run of a job or step is whole in MLflow."""
        self._db.write("DELETE FROM waiting_runs WHERE revision < ? AND name = ?", (name,))

    def request_cancel(self, name: str) -> None:
        """Ask the engine of a job to end it (or one of its steps)."""
        self._db.write("UPDATE jobs SET revision = ?, cancel_requested = 1 WHERE name = ?", (name,))

    def cancel_requests(self, root: str) -> frozenset[str]:
        """Return the names of the job, its steps, and trials that somebody asked to cancel."""
        rows = self._db.all(
            f"SELECT name FROM jobs WHERE {_TREE} AND cancel_requested = 1",  # noqa: S608
            (root, root, root),
        )
        return frozenset(row[0] for row in rows)

    def find_result(self, fingerprint: str) -> JobInfo | None:
        """Return the newest step with this fingerprint whose result is offered for reuse."""
        row = self._db.one(
            "SELECT info FROM jobs WHERE fingerprint = ? AND reusable = 1"
            " ORDER BY created DESC, rowid DESC LIMIT 1",
            (fingerprint,),
        )
        return JobInfo.from_json(row[0]) if row else None

    def results_within(self, scope: str) -> Sequence[JobInfo]:
        """Return the results that are offered for reuse within a scope, the oldest first."""
        rows = self._db.all(
            "SELECT info FROM jobs WHERE step > ? AND step < ? AND facts IS NOT NULL"
            " AND reusable = 1 ORDER BY created, position",
            (f"{scope}/", f"{scope}0"),  # '0' comes after '/'
        )
        return [JobInfo.from_json(row[0]) for row in rows]

    def last_facts(self, step: str) -> tuple[str, str] | None:
        """Return the name and the facts of the last run of a step, or None."""
        row = self._db.one(
            "SELECT name, facts FROM jobs WHERE step = ? AND facts IS NOT NULL"
            " ORDER BY created DESC, rowid DESC LIMIT 1",
            (step,),
        )
        return (row[0], row[1]) if row else None

    def reasons(self, root: str) -> Iterable[str]:
        """Return the `StepReuse` JSON of each step of a job that got so far, in order."""
        rows = self._db.all(
            "SELECT reason FROM jobs WHERE (name = ? OR parent = ?) AND reason IS NOT NULL"
            " ORDER BY parent IS NOT NULL, position",
            (root, root),
        )
        return [row[0] for row in rows]

    def set_archived(self, name: str, *, archived: bool) -> None:
        """Hide a job from lists, or show it again.

        Raises:
            NotFoundError: There is none of this name.
        """
        self.get(name)
        self._db.write(
            "UPDATE jobs SET revision = ?, archived = ? WHERE name = ?", (int(archived), name)
        )
